"""Shapes of real packages: what they import, what their losses return, what they are handed."""

import textwrap

import pytest
import torch
import torch.nn.functional as F

import gantheory as gt
from gantheory.audits import audit_target
from gantheory.audits.target import target_of
from gantheory.errors import GantheoryError


def d_hinge(real, fake):
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def both_parts(real, fake):
    return F.relu(1 - real).mean(), F.relu(1 + fake).mean()


def whole_last(real, fake):
    on_real, on_fake = both_parts(real, fake)
    return on_real.detach(), on_fake, on_real + on_fake


def whole_and_parts(real, fake):
    on_real, on_fake = both_parts(real, fake)
    return {"d_real": on_real, "d_fake": on_fake, "d_loss": on_real + on_fake}


def parts_and_scores(real, fake):
    return {"d_real": both_parts(real, fake)[0], "d_fake": both_parts(real, fake)[1],
            "accuracy": (real > 0).float().mean()}  # fmt: skip


def from_zeros(real_outputs, fake_outputs):
    loss = torch.zeros(1, dtype=real_outputs[0].dtype)
    for real, fake in zip(real_outputs, fake_outputs, strict=True):
        loss += d_hinge(real, fake)
    return loss, []


@pytest.mark.parametrize(
    "d_loss", [both_parts, whole_last, whole_and_parts, parts_and_scores, from_zeros]
)
def test_the_whole_of_what_is_returned_in_parts_is_audited(d_loss):
    found = gt.audit(d_loss, lambda fake: -fake.mean())
    assert found.recovered, found.reasons
    assert found.equals.loss == "hinge"
    assert not found.findings


def test_parts_that_overlap_are_not_added_up():
    def d_loss(real, fake):
        return real.mean(), 0.5 * real.mean(), fake.mean()

    assert gt.audit(d_loss).loss["fake"] == "0"


def test_both_players_losses_are_found_in_one_result():
    def losses(score_real, score_fake):
        return d_hinge(score_real, score_fake), -score_fake.mean()

    found = gt.audit(losses)
    assert set(found.players) == {"discriminator", "generator"}
    assert found.equals.loss == "hinge"


def test_a_part_of_the_discriminators_loss_is_not_taken_for_the_generators():
    def losses(real, fake):
        return d_hinge(real, fake), 1 * F.relu(1 + fake).mean()

    assert gt.audit(losses).players == ("discriminator",)


def test_samples_detached_before_the_discriminator_are_no_fault(tmp_path):
    source = textwrap.dedent("""
        import torch
        def d_loss(D, real, fake): return (torch.relu(1 - D(real)).mean()
                                           + torch.relu(1 + D(fake.detach())).mean())
        def g_loss(D, fake): return -D(fake.detach()).mean()
        def right_g_loss(D, fake): return -D(fake).mean()
    """)
    path = tmp_path / "losses.py"
    path.write_text(source)
    assert not audit_target(target_of(f"{path}:d_loss,right_g_loss")).findings
    assert audit_target(target_of(f"{path}:d_loss")).kinds == ("no-generator-gradient",)


MODULE = """
import nowhere.registry
from nowhere import Base, version
from elsewhere.losses import register_module, helper

if version >= (1, 2):
    raise ImportError

@register_module(name="mine")
class GANLoss(Base):
    def __init__(self, discriminator, kind: "nowhere.Kind" = nowhere.registry.KINDS["a"]):
        self.discriminator = discriminator
    def discriminator_loss(self, fake, real):
        pairs = zip(self.discriminator(fake.detach()), self.discriminator(real))
        return sum((x[-1] ** 2).mean() + ((1 - y[-1]) ** 2).mean() for x, y in pairs)
    def generator_loss(self, fake, real):
        return sum(((1 - x[-1]) ** 2).mean() for x in self.discriminator(fake)), 0.0

def on_real(x): return torch.relu(1 - x).mean()
def on_fake(x): return torch.relu(1 + x).mean()
def g_loss(x): return -x.mean()
def needs(real, fake): return helper(real) - fake.mean()
import torch
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "losses.py"
    path.write_text(MODULE)
    return path


def test_packages_that_are_not_installed_and_not_used_are_stood_in_for(package):
    found = audit_target(target_of(f"{package}:GANLoss"))
    assert found.recovered, found.reasons
    assert (found.equals.loss, found.heads) == ("least-squares-01", "sum")
    assert not found.findings
    assert "without elsewhere, nowhere: not installed" in found.how[-1]


def test_nothing_is_computed_with_a_stand_in(package):
    with pytest.raises(GantheoryError, match=r"uses elsewhere\.losses\.helper"):
        audit_target(target_of(f"{package}:needs"))


def test_a_loss_in_two_functions_is_their_sum(package):
    found = audit_target(target_of(f"{package}:on_real+on_fake,g_loss"))
    assert found.equals.loss == "hinge"
    assert not found.findings
