"""Losses as strangers write them: in trainers, vocoders, imitation, adaptation and tables."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import gantheory as gt
from gantheory.audits.judge import judge
from gantheory.audits.penalty import penalty_of
from gantheory.audits.plan import plan_of
from gantheory.audits.recover import recover
from gantheory.errors import GantheoryError


def of(loss, **options):
    """Return the audit of a loss that a file holds: nothing is known of its arguments' order."""
    return judge(recover(plan_of(loss, None, options, loss.__name__), loss.__name__))


def update_disc(logits_one, logits_two):
    return -F.logsigmoid(-logits_one).mean() - F.logsigmoid(logits_two).mean()


def domain_loss(f_s, f_t):
    logits = F.binary_cross_entropy_with_logits
    return logits(f_s, torch.ones_like(f_s)) + logits(f_t, torch.zeros_like(f_t))


@pytest.mark.parametrize("loss", [update_disc, domain_loss])
def test_arguments_that_no_name_tells_apart_are_told_apart_by_what_the_loss_asks_for(loss):
    found = of(loss)
    assert found.equals.up_to == ("the generator's loss, which is not given",)
    assert not found.findings
    turned = any("no name says which argument is real" in line for line in found.how)
    assert turned == (loss is update_disc)


def test_in_the_documented_order_exchanged_arguments_are_a_fault():
    found = gt.audit(update_disc, lambda fake: F.softplus(-fake).mean())
    assert "exchanged-arguments" in found.kinds


class Codec(nn.Module):
    """A list of lists of features that end in the score, and feature matching beside it."""

    def d_loss(self, fake, real):
        pairs = zip(fake, real, strict=True)
        return sum((x[-1] ** 2).mean() + ((1 - y[-1]) ** 2).mean() for x, y in pairs)

    def g_loss(self, fake, real):
        adversarial = sum(((1 - x[-1]) ** 2).mean() for x in fake)
        inner = range(len(fake[0]) - 1)
        matched = sum(F.l1_loss(x[j], y[j].detach()) for x, y in zip(fake, real, strict=True)
                      for j in inner)  # fmt: skip
        return adversarial, matched


def test_a_form_in_which_samples_would_count_differently_is_not_taken():
    found = gt.audit(Codec())
    assert found.recovered, found.reasons
    assert found.equals.loss == "least-squares-01"
    assert found.heads == "sum"


def test_feature_matching_is_a_distance_and_not_called_relativistic():
    found = of(lambda fmap_r, fmap_g: (fmap_r - fmap_g).abs().mean())
    assert found.not_separable.startswith("a distance between real and fake samples")


def test_a_reward_is_not_blamed_for_carrying_no_gradient():
    @torch.no_grad()
    def gail_reward(logits):
        return -F.logsigmoid(-logits)

    found = of(gail_reward)
    assert found.loss["generator"] == "softplus(t)"
    assert not found.findings


class Steps:
    """Methods that are not called losses, of an object that is not called."""

    def d_main(self, real_logits, fake_logits):
        return (F.softplus(fake_logits) + F.softplus(-real_logits)).mean()

    def g_main(self, fake_logits):
        return F.softplus(-fake_logits).mean()


def test_the_only_method_of_each_player_is_its_loss():
    assert gt.audit(Steps()).equals.loss == "non-saturating"

    class Two(Steps):
        def d_other(self, real):
            return real

    with pytest.raises(GantheoryError, match=r"name its methods, such as Two\.d_other"):
        gt.audit(Two())


class Table(nn.Module):
    """A discriminator of rows that penalises its own slope; samples come from a generator."""

    def gradient_penalty(self, real_rows, fake_rows):
        weight = torch.rand(len(real_rows), 1)
        x = weight * real_rows.view(len(real_rows), -1) + (1 - weight) * fake_rows
        (slope,) = torch.autograd.grad(self(x).sum(), x, create_graph=True)
        return 10 * ((slope.norm(2, dim=1) - 1) ** 2).mean()


def test_a_penalty_of_rows_inside_of_its_own_network_is_probed():
    found = gt.audit(Table().gradient_penalty)
    assert (found.penalty["target"], found.penalty["weight"]) == (1.0, 10.0)
    assert not found.findings


def test_a_backward_pass_that_fails_is_said_and_ends_nothing():
    def d_loss(real, fake):
        label = torch.full((len(real), 1), 0.9)
        on_real = F.mse_loss(real.view(-1, 1), label)
        label.fill_(0.0)
        return on_real + F.mse_loss(fake.view(-1, 1), label)

    assert "inplace operation" in of(d_loss).reasons[0]


def test_logits_in_the_place_of_targets_are_read_for_what_they_do():
    def d_loss(real, fake):
        return F.binary_cross_entropy_with_logits(torch.ones_like(real), real) + fake.mean()

    assert of(d_loss).loss == {"real": "t", "fake": "-t", "generator": None, "domain": "(-oo, oo)"}


def test_what_a_constructor_misses_is_named():
    from gantheory.audits.loading import _made

    class GANLoss(nn.Module):
        def __init__(self, gan_type):
            super().__init__()

    with pytest.raises(GantheoryError, match=r"--init 'gan_type=\.\.\.'"):
        _made(GANLoss, "GANLoss", None)


def guarded_d(y_real, y_fake):
    return -torch.log(y_real + 1e-4).mean() - torch.log(1.0 - y_fake + 1e-4).mean()


def clamped_d(D_real, D_fake):
    return -(torch.log(D_real.clamp(1e-8, 1)) + torch.log((1 - D_fake).clamp(1e-8, 1))).mean()


@pytest.mark.parametrize("loss", [guarded_d, clamped_d])
def test_a_guard_in_a_logarithm_does_not_hide_that_it_takes_probabilities(loss):
    found = of(loss)
    assert found.equals.loss == "minimax"
    assert found.kinds == ("epsilon-in-log",)
    assert "a factor 1 of" not in " ".join(found.equals.up_to)


def top_k(fake):
    return F.softplus(-torch.topk(fake.view(-1), len(fake) // 2).values).mean()


def around_the_median(real, fake):
    return (real - fake - torch.median(real - fake)).square().mean()


@pytest.mark.parametrize("loss", [top_k, around_the_median])
def test_scores_that_are_picked_by_their_order_are_said_to_be_coupled(loss):
    found = of(loss)
    assert found.not_separable.startswith("couples the samples by their order (")
    assert not found.findings


def test_a_discriminator_whose_sides_want_the_same_learns_nothing():
    found = of(lambda real, fake: F.softplus(-real).mean() + F.softplus(-fake).mean())
    assert found.kinds == ("no-optimum",)
    assert not of(lambda real, fake: F.softplus(-real).mean() + 0 * fake.mean()).findings


def vector_penalty(discriminator, interpolated):
    score, ones = discriminator(interpolated), torch.ones(len(interpolated))
    (slope,) = torch.autograd.grad(score, interpolated, ones, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def test_a_penalty_is_probed_with_scores_of_the_shape_that_it_takes():
    found = gt.audit(vector_penalty)
    assert (found.penalty["target"], found.penalty["weight"], found.kinds) == (1.0, 1.0, ())
    with pytest.raises(GantheoryError, match="path lengths of a generator"):
        penalty_of(lambda fake_img, latents: fake_img, "g_path_regularize", {})


def test_an_audit_is_one_line_in_a_terminal_and_a_page_in_a_notebook():
    found = gt.audit(Steps())
    assert repr(found).startswith("<Audit of Steps: equals non-saturating; follows ")
    assert repr(found).endswith("; no findings>")
    assert "<h2>What it does</h2>" in found._repr_html_()


def test_a_second_witness_agrees_or_says_why_it_does_not_run():
    def d_loss(real, fake):
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        return loss, loss.item()

    found = gt.audit(d_loss, lambda fake: -fake.mean(), witness=True)
    assert "discriminator: no second witness: make_fx does not run on this code" in found.how[2]
    assert found.how[3].startswith("generator: make_fx, a second witness, agrees in value and")
