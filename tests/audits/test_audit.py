"""Somebody's torch code is read for what it is: shapes from public code, retyped."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import gantheory as gt
from gantheory.audits.description import what_it_does
from gantheory.errors import GantheoryError


class LabelLoss(nn.Module):
    """Labels in buffers, expanded to the prediction: the usual image-translation criterion."""

    def __init__(self, mode, real=1.0, fake=0.0):
        super().__init__()
        self.register_buffer("real_label", torch.tensor(real))
        self.register_buffer("fake_label", torch.tensor(fake))
        self.mode = mode
        self.loss = {"lsgan": nn.MSELoss(), "vanilla": nn.BCEWithLogitsLoss(),
                     "bce": nn.BCELoss(), "wgan": None}[mode]  # fmt: skip

    def __call__(self, prediction, target_is_real):
        if self.loss is not None:
            label = self.real_label if target_is_real else self.fake_label
            return self.loss(prediction, label.expand_as(prediction))
        return -prediction.mean() if target_is_real else prediction.mean()


class MultiScale(nn.Module):
    """Lists of lists of outputs, with a cache of label tensors."""

    def __init__(self):
        super().__init__()
        self.cache = {}

    def label(self, like, real):
        key = (real, tuple(like.shape))
        if key not in self.cache:
            self.cache[key] = torch.full_like(like, float(real)).requires_grad_(False)
        return self.cache[key]

    def __call__(self, outputs, target_is_real):
        if not isinstance(outputs[0], list):
            return F.mse_loss(outputs[-1], self.label(outputs[-1], target_is_real))
        loss = 0
        for features in outputs:
            loss += F.mse_loss(features[-1], self.label(features[-1], target_is_real))
        return loss


def d_heads(disc_real_outputs, disc_generated_outputs):
    loss, parts = 0, []
    for dr, dg in zip(disc_real_outputs, disc_generated_outputs, strict=True):
        one = torch.mean((1 - dr) ** 2) + torch.mean(dg**2)
        loss += one
        parts.append(one.item())
    return loss, parts


def g_heads(disc_outputs):
    return sum(torch.mean((1 - dg) ** 2) for dg in disc_outputs), []


class Players:
    """Both losses as methods, each with an adaptive weight or a dictionary."""

    training = True

    def discriminator_loss(self, logits_fake, logits_real):
        try:
            weight = 1.0 if self.training else 0.0
        except RuntimeError:
            weight = 0.0
        loss = 0.5 * (F.relu(1.0 - logits_real).mean() + F.relu(1.0 + logits_fake).mean())
        return {"loss": weight * loss, "logits": logits_real.detach().mean()}

    def generator_loss(self, logits_fake):
        return {"loss": -torch.mean(logits_fake)}


def d_logistic(real, fake):
    both = torch.cat([real, fake])
    labels = torch.cat([torch.full_like(real, 0.9), torch.zeros_like(fake)])
    return 2 * F.binary_cross_entropy_with_logits(both, labels)


def g_logistic(fake):
    return F.softplus(-fake).mean()


def d_written(real, fake):
    return -(torch.log(torch.sigmoid(real)) + torch.log(1 - torch.sigmoid(fake))).mean()


def d_network(D, real_images, fake_images):
    return F.softplus(-D(real_images)).mean() + F.softplus(D(fake_images)).mean()


def g_network(netD, fake_images):
    return F.softplus(-netD(fake_images)).mean()


def d_reverse_kl(real, fake):
    return -(real.mean() - (-1 - torch.log(-fake)).mean())


def g_reverse_kl(fake):
    return (1 + torch.log(-fake)).mean()


def d_pieces(real, fake):
    return (torch.where(real < 1, 1 - real, real * 0.0).mean()
            + ((fake > -1).float() * (1 + fake)).mean())  # fmt: skip


def d_noisy(real, fake):
    noisy = torch.empty_like(real).uniform_(0.8, 1.0)
    return F.binary_cross_entropy_with_logits(real, noisy) + F.softplus(fake).mean()


def d_odd(real, fake):
    return -F.logsigmoid(real).mean() - F.logsigmoid(1 - fake).mean()


CASES = {
    "labels in buffers": ((LabelLoss("lsgan", real=0.9),), "least-squares(a=0, b=9/10, c=9/10)"),
    "flags": ((LabelLoss("vanilla"),), "non-saturating"),
    "probabilities": ((LabelLoss("bce"),), "non-saturating"),
    "a mode without a module": ((LabelLoss("wgan"),), "wasserstein"),
    "lists of lists": ((MultiScale(),), "least-squares-01"),
    "zip over heads": ((d_heads, g_heads), "least-squares-01"),
    "methods, dictionaries and try": ((Players(),), "hinge"),
    "smoothed labels, concatenated": (
        (d_logistic, g_logistic), "one-sided-smoothing-non-saturating(a=9/10)",
    ),
    "logarithms of sigmoids": ((d_written, g_logistic), "non-saturating"),
    "networks as arguments": ((d_network, g_network), "non-saturating"),
    "a half-line of scores": ((d_reverse_kl, g_reverse_kl), "f-gan-reverse-kl"),
    "entries that branch": ((d_pieces, lambda fake: -fake.mean()), "hinge"),
    "random labels": ((d_noisy, g_logistic), "one-sided-smoothing-non-saturating(a=9/10)"),
    "modules of torch": ((nn.MSELoss(),), "least-squares-01"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_public_shape_is_read_for_what_it_is(case):
    losses, name = CASES[case]
    found = gt.audit(*losses)
    assert found.recovered, found.reasons
    assert found.equals is not None
    assert found.equals.loss == name
    assert set(found.players) == {"discriminator", "generator"}
    assert not set(found.kinds) - {"overflow"}, found.findings


def test_scores_of_heads_are_summed_where_the_code_sums_them():
    found = gt.audit(d_heads, g_heads)
    assert (found.heads, found.reduction) == ("sum", "mean")


@pytest.mark.parametrize(
    ("d_loss", "coupled", "name"),
    [
        (lambda real, fake: F.softplus(fake - real).mean(), "relativistic-paired", "relativistic"),
        (
            lambda real, fake: F.softplus(fake.mean() - real).mean()
            + F.softplus(fake - real.mean()).mean(),
            "relativistic-average", "relativistic-average",
        ),
        (
            lambda real, fake: ((real - fake.mean() - 1) ** 2).mean()
            + ((fake - real.mean() + 1) ** 2).mean(),
            "relativistic-average", None,
        ),
    ],
)  # fmt: skip
def test_relativistic_losses_are_told_apart_and_not_separated(d_loss, coupled, name):
    found = gt.audit(d_loss, claims="relativistic")
    assert found.not_separable == coupled
    assert (found.equals and found.equals.loss) == name
    assert not found.recovered
    assert found.loss is None
    assert not found.findings


def test_a_loss_without_a_name_is_derived_nevertheless():
    found = gt.audit(d_odd, g_logistic)
    assert found.recovered
    assert found.equals is None
    assert found.loss is not None
    assert found.derivation is not None
    assert found.derivation.status == "derived"
    assert float(found.derivation.equilibrium.generator_loss) == pytest.approx(0.4741, abs=1e-4)


def test_what_has_no_rule_is_named_with_its_line_and_not_guessed():
    def d_loss(real, fake):
        return torch.lgamma(real).mean() - fake.mean()

    found = gt.audit(d_loss, lambda fake: -fake.mean())
    assert not found.recovered
    assert found.equals is None
    assert "lgamma" in found.reasons[0]
    assert "test_audit.py:" in found.reasons[0]


def test_values_that_leave_torch_are_noticed():
    def d_loss(real, fake):
        return real.mean() * float(fake.detach().numpy().mean()) + fake.mean()

    found = gt.audit(d_loss, lambda fake: -fake.mean())
    assert not found.recovered
    assert "discriminator" in found.reasons[0]


def test_numbers_of_single_precision_are_read_as_they_were_typed():
    found = gt.audit(LabelLoss("lsgan", real=0.9, fake=0.1))
    assert found.loss["real"] == "-(t - 9/10)**2"
    assert found.loss["fake"] == "-(t - 1/10)**2"


def test_what_cannot_be_called_says_what_to_give():
    with pytest.raises(GantheoryError, match="needs a value for 'temperature'"):
        gt.audit(lambda real, fake, temperature: real.mean() - fake.mean())
    assert gt.audit(
        lambda real, fake, temperature: (temperature * fake - temperature * real).mean(),
        lambda fake: -fake.mean(),
        call={"temperature": 2.0},
    ).recovered


def test_of_a_discriminators_loss_alone_nothing_is_said_about_a_generator():
    def d_loss(real, fake):
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    found = gt.audit(d_loss)
    assert found.equals.up_to == ("the generator's loss, which is not given",)
    theory = found.derivation
    assert theory.value.divergence == "2*jsd"
    assert (theory.followed, theory.loss, theory.saturation) == (None, None, None)
    assert theory.equilibrium.generator_loss is None
    assert theory.undecided["followed"] == "the code gives no generator's loss"
    said = [line for line in what_it_does(found) if line.startswith(("G follows", "loss reads"))]
    assert all(line.endswith("the code gives no generator's loss [undecided]") for line in said)
