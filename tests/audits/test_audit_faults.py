"""Faults that people make are found and named; the same code without the fault is clean."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner

import gantheory as gt
from gantheory.audits import audit_target
from gantheory.audits.record import Kind
from gantheory.audits.target import target_of
from gantheory.cli import cli

BCE, LOGITS = F.binary_cross_entropy, F.binary_cross_entropy_with_logits


def d_log(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def g_log(fake):
    return F.softplus(-fake).mean()


def d_hinge(real, fake):
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def g_hinge(fake):
    return -fake.mean()


def d_squares(real, fake):
    return ((real - 1) ** 2).mean() + (fake**2).mean()


def g_squares(fake):
    return ((fake - 1) ** 2).mean()


def d_clamped(real, fake):
    real, fake = (torch.sigmoid(x).clamp(1e-7, 1 - 1e-7) for x in (real, fake))
    return -(torch.log(real) + torch.log(1 - fake)).mean()


def d_written(real, fake):
    return -(torch.log(torch.sigmoid(real)) + torch.log(1 - torch.sigmoid(fake))).mean()


def d_bce(real_logits, fake_logits):
    ones, zeros = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
    return BCE(real_logits, ones) + BCE(fake_logits, zeros)


def d_item(real, fake):
    loss = d_hinge(real, fake)
    return loss if loss.item() > 1.0 else 0.5 * loss


def d_heads(real_outputs, fake_outputs):
    pairs = zip(real_outputs, fake_outputs, strict=True)
    return sum(d_squares(real, fake) for real, fake in pairs)


class Remembers:
    def __init__(self):
        self.mean = None

    def discriminator_loss(self, real, fake):
        now = real.detach().mean()
        self.mean = now if self.mean is None else 0.9 * self.mean + 0.1 * now
        return d_hinge(real, fake) + 0.1 * self.mean * fake.mean()

    def generator_loss(self, fake):
        return -fake.mean()


class Labels:
    def __init__(self, real, fake):
        self.label = {True: real, False: fake}

    def __call__(self, prediction, target_is_real):
        return F.mse_loss(prediction, torch.full_like(prediction, self.label[target_is_real]))


def d_bce_logits(real_logits, fake_logits):
    ones, zeros = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
    return LOGITS(real_logits, ones) + LOGITS(fake_logits, zeros)


def d_epsilon(real, fake):
    real, fake = torch.sigmoid(real), torch.sigmoid(fake)
    return -(torch.log(real + 1e-8) + torch.log(1 - fake + 1e-8)).mean()


def g_minimax(fake):
    return -F.softplus(fake).mean()


def g_heads(outputs):
    return sum(g_squares(fake) for fake in outputs)


def before(squash, d_loss, g_loss):
    def discriminator(real, fake):
        return d_loss(squash(real), squash(fake))

    return discriminator, lambda fake: g_loss(squash(fake))


LOG, HINGE, SQUARES, BOTH = (d_log, g_log), (d_hinge, g_hinge), (d_squares, g_squares), Labels(1, 0)
FAULTS = {  # kind, the code with the fault, the same without it, options
    "hinge called lsgan": ("wrong-name", HINGE, SQUARES, {"claims": "lsgan"}),
    "minimax called non-saturating": (
        "saturates", (d_log, g_minimax), LOG, {"claims": "non-saturating"},
    ),
    "non-saturating called minimax": (
        "not-zero-sum", LOG, (d_log, g_minimax), {"claims": "minimax"},
    ),
    "clamp": ("epsilon-in-log", (d_clamped, g_log), LOG, {}),
    "epsilon": ("epsilon-in-log", (d_epsilon, g_log), LOG, {}),
    "tanh before hinge": ("squashed-scores", before(torch.tanh, d_hinge, g_hinge), HINGE, {}),
    "sigmoid before squares": (
        "squashed-scores", before(torch.sigmoid, d_squares, g_squares), SQUARES, {},
    ),
    "logits into BCELoss": ("logits-or-probabilities", (d_bce,), (d_bce_logits,), {}),
    "probabilities into BCEWithLogitsLoss": (
        "logits-or-probabilities",
        before(torch.sigmoid, d_bce_logits, lambda fake: LOGITS(fake, torch.ones_like(fake))),
        (d_bce_logits, lambda fake: LOGITS(fake, torch.ones_like(fake))), {},
    ),
    "a sum": ("reduction", (lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(),
                            lambda fake: F.softplus(-fake).sum()), LOG, {}),
    "a sum on one side": (
        "reduction", (lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).sum(), g_log),
        LOG, {},
    ),
    "heads averaged for one player": (
        "reduction", (d_heads, lambda outputs: g_heads(outputs) / len(outputs)),
        (d_heads, g_heads), {},
    ),
    "arguments exchanged": (
        "exchanged-arguments", (lambda real, fake: d_log(fake, real), g_log), LOG, {},
    ),
    "labels exchanged": ("exchanged-arguments", (Labels(0.0, 1.0),), (BOTH,), {}),
    "the generator's label": (
        "exchanged-arguments", (d_log, lambda fake: LOGITS(fake, torch.zeros_like(fake))),
        LOG, {},
    ),
    "the generator's sign": ("wrong-sign", (d_hinge, lambda fake: fake.mean()), HINGE, {}),
    "the discriminator's sign": (
        "wrong-sign", (lambda real, fake: -d_log(real, fake), g_log), LOG, {},
    ),
    "unbounded": (
        "no-optimum",
        (lambda real, fake: ((real - 1) ** 2).mean() - 2 * (fake**2).mean(), g_squares),
        SQUARES, {},
    ),
    "the published Pearson labels": (
        "not-a-divergence",
        (lambda real, fake: ((real - 1) ** 2).mean() + ((fake + 1) ** 2).mean(),
         lambda fake: (fake**2).mean()), SQUARES, {},
    ),
    "log of one minus a sigmoid": ("overflow", (d_written, g_log), LOG, {}),
    "log of one plus exp": (
        "overflow", (d_log, lambda fake: torch.log(1 + torch.exp(-fake)).mean()), LOG, {},
    ),
    "a branch on a value": ("branch-on-value", (d_item, g_hinge), HINGE, {}),
    "a running mean": ("hidden-state", (Remembers(),), HINGE, {}),
    "detached": ("no-generator-gradient", (d_log, lambda fake: g_log(fake.detach())), LOG, {}),
    "detached real scores": (
        "no-discriminator-gradient",
        (lambda real, fake: d_log(real.detach(), fake), g_log), LOG, {},
    ),
    "a number": ("no-generator-gradient",
                 (d_log, lambda fake: torch.tensor(g_log(fake).item())), LOG, {}),
}  # fmt: skip


@cache
def kinds(losses, options):
    return set(gt.audit(*losses, **dict(options)).kinds)


@pytest.mark.parametrize("case", FAULTS)
def test_a_planted_fault_is_found_and_named_and_nothing_without_it(case):
    kind, losses, clean, options = FAULTS[case]
    found = kinds(losses, tuple(options.items()))
    assert found - {"overflow"} == {kind} - {"overflow"}
    assert kind in found
    assert not kinds(clean, tuple(options.items()))


def test_evidence_runs_and_shows_the_fault():
    found = gt.audit(d_hinge, lambda fake: fake.mean(), name="mine")
    names = {"d_hinge": d_hinge, "g_loss": lambda fake: fake.mean()}
    done = subprocess.run(
        [sys.executable, "-c", gt.audit(d_hinge, g_hinge, claims="lsgan").findings[0].evidence],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["2*tv", "2*tv"]
    exec(compile(found.findings[0].evidence, "evidence", "exec"), names)


MODULE = """
import torch
from torch import nn

class GANLoss(nn.Module):
    def __init__(self, gan_mode, real=1.0):
        super().__init__()
        self.register_buffer("label", torch.tensor(real))
        self.loss = {"lsgan": nn.MSELoss(), "vanilla": nn.BCEWithLogitsLoss()}[gan_mode]

    def forward(self, prediction, target_is_real):
        label = self.label if target_is_real else 1 - self.label
        return self.loss(prediction, label.expand_as(prediction))
"""
KEYS = {"name", "recovered", "loss", "equals", "not_separable", "players", "heads", "reduction",
        "derivation", "saturation", "penalty", "findings"}  # fmt: skip


def test_a_class_in_a_file_is_audited_from_the_command_line(tmp_path):
    path = tmp_path / "losses.py"
    path.write_text(MODULE)
    page = tmp_path / "page.html"
    arguments = ["audit", f"{path}:GANLoss", "--init", 'gan_mode="lsgan"', "--json",
                 "--html", str(page), "--claims", "hinge"]  # fmt: skip
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert set(data) >= KEYS
    assert data["equals"] == {"loss": "least-squares-01", "up_to": "a factor 2"}
    assert data["derivation"]["value"]["divergence"] == "triangular/4"
    (finding,) = data["findings"]
    assert finding["kind"] == "wrong-name"
    assert set(finding) == {"kind", "severity", "message", "evidence", "remedy"}
    assert "wrong-name" in page.read_text()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import time; time.sleep(60)", "did not finish"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
    ],
)
def test_a_module_that_hangs_or_crashes_ends_in_one_clear_line(body, said, tmp_path, command_line):
    path = tmp_path / "losses.py"
    path.write_text(body)
    limit = "1" if "sleep" in body else "50"
    done = command_line("audit", f"{path}:GANLoss", "--seconds", limit)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["losses.py"], "names no loss"),
        (["nowhere.py:GANLoss"], "there is no file"),
        ([f"{Path(__file__)}:Labels", "--init", "__import__('os')"], "not a list of literals"),
        ([f"{Path(__file__)}:Labels", "--claims", "nonsense"], "unknown loss"),
    ],
)
def test_bad_input_is_refused_before_anything_runs(arguments, said):
    done = CliRunner().invoke(cli, ["audit", *arguments])
    assert done.exit_code != 0
    assert said in str(done.exception)


def test_the_vocabulary_of_kinds_is_the_documented_one():
    assert {
        "wrong-name", "saturates", "epsilon-in-log", "squashed-scores", "logits-or-probabilities",
        "reduction", "exchanged-arguments", "wrong-sign", "no-optimum", "not-a-divergence",
        "not-zero-sum", "overflow", "branch-on-value", "hidden-state", "no-generator-gradient",
        "constant-penalty", "batch-penalty", "penalty-through-loss", "detached-penalty",
    } <= set(Kind)  # fmt: skip


def test_the_other_players_loss_that_is_found_beside_one_is_named(tmp_path):
    (tmp_path / "pairs.py").write_text(
        "import torch.nn.functional as F\n"
        "def hinge_loss_dis(real, fake): return F.relu(1 - real).mean() + F.relu(1 + fake).mean()\n"
        "def hinge_loss_gen(fake): return -fake.mean()\n"
    )
    found = audit_target(target_of(f"{tmp_path / 'pairs.py'}:hinge_loss_dis"))
    assert found.name == "hinge_loss_dis and hinge_loss_gen"
    assert found.derivation.followed.divergence == "2*tv"
