"""Shapes of real packages: what they import, what their losses return, what they are handed."""

import os
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import gantheory as gt
from gantheory.audits import absent
from gantheory.audits.judge import judge
from gantheory.audits.loading import recover_target
from gantheory.audits.target import target_of
from gantheory.errors import GantheoryError

SHAPES = Path(__file__).parent / "audit_shapes.py"


@pytest.fixture
def audited(monkeypatch):
    """Return the audit of losses in the module of shapes, as it runs in a process of its own."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(absent, "FINDER", absent._Finder())
    monkeypatch.setattr(absent.Absent, "sealed", False)
    kept = set(sys.modules)
    yield lambda names, init=None: judge(recover_target(target_of(f"{SHAPES}:{names}", init)))
    for name in set(sys.modules) - kept:
        if name.split(".")[0] in ("nowhere", "elsewhere", "audit_shapes"):
            del sys.modules[name]


NAMES = {
    "loss_hinge_dis": "hinge",
    "on_device_dis": "non-saturating",
    "CachedLabels": "least-squares-01",
    "get_losses('w')": "wasserstein",
    "Trainer.adversarial_loss": "non-saturating",
    "Trainer.d_logistic_loss": "non-saturating",
    "labels_first": "non-saturating",
    "numbers_as_labels": "least-squares-01",
    "words_as_labels": "wasserstein",
    "signs_as_labels": "wasserstein",
    "with_penalty_d_loss": "wasserstein",
    "three_outputs_d_loss": "hinge",
    "two_logits_d_loss": "non-saturating",
    "Probabilities": "non-saturating",
    "dataclass_d_loss": "hinge",
    "gan_losses": "hinge",
    "any_d_loss": "hinge",
    "keyed_d_loss": "hinge",
    "scripted_d_loss,scripted_g_loss": "hinge",
    "pairs_d_loss": "least-squares-01",
    "Networks": "least-squares-01",
    "on_real+on_fake,loss_hinge_gen": "hinge",
}


SAMPLE = ("on_device_dis", "get_losses('w')", "with_penalty_d_loss", "gan_losses", "Networks")
EVERY = "GANTHEORY_EXAMPLES" in os.environ  # set it, as for more random examples: all of NAMES


@pytest.mark.parametrize("shape", NAMES if EVERY else SAMPLE)
def test_a_shape_of_public_code_is_recognised_without_a_finding(audited, shape):
    names, _, init = shape.rstrip(")").partition("(")
    found = audited(names, init or None)
    assert found.recovered, found.reasons
    assert found.equals is not None
    assert found.equals.loss == NAMES[shape]
    assert set(found.players) == {"discriminator", "generator"}
    assert not found.findings
    assert "without elsewhere, nowhere: not installed" in found.how[-1]


def test_nothing_is_computed_with_a_stand_in(audited):
    with pytest.raises(GantheoryError, match=r"uses elsewhere\.losses\.helper"):
        audited("uses_what_is_absent")


def test_samples_detached_before_the_discriminator_are_no_fault_and_for_the_generator_one(audited):
    assert audited("detached_d_loss").kinds == ("no-generator-gradient",)


def test_a_reversed_gradient_is_said_and_no_fault(audited):
    found = audited("domain_adversarial_loss")
    assert not found.findings
    assert any("-1 times that of the value" in line for line in found.how)


def both_parts(real, fake):
    return F.relu(1 - real).mean(), F.relu(1 + fake).mean()


def whole_last(real, fake):
    on_real, on_fake = both_parts(real, fake)
    return on_real.detach(), on_fake, on_real + on_fake


def whole_and_parts(real, fake):
    on_real, on_fake = both_parts(real, fake)
    return {"d_real": on_real, "d_fake": on_fake, "d_loss": on_real + on_fake}


def parts_and_scores(real, fake):
    on_real, on_fake = both_parts(real, fake)
    return {"d_real": on_real, "d_fake": on_fake, "accuracy": (real > 0).float().mean()}


def from_zeros(real_outputs, fake_outputs):
    loss = torch.zeros(1, dtype=real_outputs[0].dtype)
    for real, fake in zip(real_outputs, fake_outputs, strict=True):
        loss += sum(both_parts(real, fake))
    return loss, []


@pytest.mark.parametrize("d_loss", [whole_last, whole_and_parts, parts_and_scores, from_zeros])
def test_the_whole_of_what_is_returned_in_parts_is_audited(d_loss):
    found = gt.audit(d_loss)
    assert found.recovered, found.reasons
    assert found.equals.loss == "hinge"
    assert not found.findings


def test_parts_that_overlap_are_not_added_up():
    def d_loss(real, fake):
        return real.mean(), 0.5 * real.mean(), fake.mean()

    assert gt.audit(d_loss).loss["fake"] == "0"


def test_a_part_of_the_discriminators_loss_is_not_taken_for_the_generators():
    def losses(real, fake):
        return sum(both_parts(real, fake)), F.relu(1 + fake).mean()

    assert gt.audit(losses).players == ("discriminator",)


def test_a_factor_between_value_and_gradient_is_said():
    def d_loss(real, fake):
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        return 0.5 * loss + 0.5 * loss.detach()

    (finding,) = gt.audit(d_loss, lambda fake: -fake.mean()).findings
    assert finding.kind == "gradient-of-another-function"
    assert "0.5 times" in finding.message


def test_state_that_matters_at_some_scores_alone_is_noticed():
    class Moving:
        ema = torch.zeros(())

        def d_loss(self, real, fake):
            away = F.relu(real - self.ema).pow(2).mean()
            self.ema = 0.9 * self.ema + 0.1 * fake.detach().mean()
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean() + 0.3 * away

        def g_loss(self, fake):
            return -fake.mean()

    assert gt.audit(Moving()).kinds == ("hidden-state",)
