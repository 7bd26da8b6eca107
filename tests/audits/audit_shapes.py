"""Losses in the shapes of public code, retyped: a module that the tests audit by name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import nowhere.registry
import torch
import torch.nn.functional as F
from elsewhere.losses import helper, register_module
from nowhere import Base, version
from torch import autograd, nn

DEVICE = torch.device("cuda")
Relu = functools.partial(F.relu, inplace=True)
if version >= (1, 2):
    raise ImportError


def loss_hinge_dis(dis_fake, dis_real):
    return torch.mean(Relu(1.0 - dis_real)), torch.mean(Relu(1.0 + dis_fake))


def loss_hinge_gen(dis_fake):
    return -torch.mean(dis_fake)


def on_device_dis(dis_fake, dis_real):
    zeros = torch.tensor(0.0).cuda().expand_as(dis_fake)
    ones = torch.ones(dis_real.shape, device=DEVICE).to("cuda")
    logits = F.binary_cross_entropy_with_logits
    return logits(dis_fake, zeros) + logits(dis_real, ones)


def on_device_gen(dis_fake):
    ones = torch.tensor(1.0).to(DEVICE).expand_as(dis_fake)
    return F.binary_cross_entropy_with_logits(dis_fake, ones)


class CachedLabels(nn.Module):
    """Labels made by a tensor type on first use, and lists of lists of features."""

    def __init__(self, tensor=torch.FloatTensor):
        super().__init__()
        self.tensor, self.cache = tensor, {}

    def label(self, like, real):
        if real not in self.cache or self.cache[real].numel() != like.numel():
            self.cache[real] = self.tensor(like.size()).fill_(float(real))
        return self.cache[real]

    def __call__(self, outputs, target_is_real):
        if not isinstance(outputs[0], list):
            outputs = [outputs]
        return sum(F.mse_loss(x[-1], self.label(x[-1], target_is_real)) for x in outputs)


def get_losses(kind):
    def generator_loss(fake_output):
        return -fake_output.mean() if kind == "w" else torch.mean((fake_output - 1) ** 2)

    def discriminator_loss(real_output, fake_output):
        if kind == "w":
            return fake_output.mean() - real_output.mean()
        return torch.mean((real_output - 1) ** 2) + torch.mean(fake_output**2)

    return generator_loss, discriminator_loss


class Trainer(nn.Module):
    """Losses as methods of an object that needs arguments."""

    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim

    def adversarial_loss(self, y_hat, y):
        return F.binary_cross_entropy_with_logits(y_hat, y)

    @staticmethod
    def d_logistic_loss(real_logits, fake_logits):
        return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()

    @staticmethod
    def g_nonsaturating_loss(fake_logits):
        return F.softplus(-fake_logits).mean()


def labels_first(labels, predictions):
    return F.binary_cross_entropy_with_logits(predictions, labels)


def numbers_as_labels(pred, label):
    return F.mse_loss(pred, torch.full_like(pred, label))


def words_as_labels(pred, target):
    signs = {"real": -1, "fake": 1}
    return signs[target] * pred.mean()


def signs_as_labels(input, target):
    return -torch.mean(input * target)


def slope_penalty(net_d, real, fake):
    alpha = torch.rand(real.size(0), *[1] * (real.dim() - 1)).expand_as(real)
    x = (alpha * real.detach() + (1 - alpha) * fake.detach()).requires_grad_(True)
    out = net_d(x)
    (slope,) = autograd.grad(out, x, torch.ones_like(out), create_graph=True)
    return ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()


def with_penalty_d_loss(net_d, real, fake, weight=10.0):
    penalty = slope_penalty(net_d, real, fake)
    return net_d(fake.detach()).mean() - net_d(real).mean() + weight * penalty


def with_penalty_g_loss(net_d, fake):
    return -net_d(fake).mean()


def three_outputs_d_loss(critic, real_data, generated_data):
    real, _, _ = critic(real_data)
    fake, _, _ = critic(generated_data.detach())
    return F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()


def three_outputs_g_loss(critic, generated_data):
    return -critic(generated_data)[0].mean()


def two_logits_d_loss(real_logits, fake_logits):
    ones = torch.ones(len(real_logits), dtype=torch.long)
    zeros = torch.zeros(len(fake_logits)).long()
    return F.cross_entropy(real_logits, ones) + F.cross_entropy(fake_logits, zeros)


def two_logits_g_loss(fake_logits):
    return nn.CrossEntropyLoss()(fake_logits, torch.ones(len(fake_logits), dtype=torch.long))


class Probabilities:
    def d_loss(self, d_real, d_fake):
        return -(torch.log(d_real) + torch.log1p(-d_fake)).mean()

    def g_loss(self, d_fake):
        return -torch.log(d_fake).mean()


class Reversal(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -grad


def domain_adversarial_loss(source, target):
    logits = F.binary_cross_entropy_with_logits
    first, second = Reversal.apply(source), Reversal.apply(target)
    on_source = logits(first, torch.ones_like(first))
    return 0.5 * (on_source + logits(second, torch.zeros_like(second)))


@dataclass
class Output:
    loss: torch.Tensor
    logs: dict


class Both(NamedTuple):
    d_loss: torch.Tensor
    g_loss: torch.Tensor


def dataclass_d_loss(real, fake):
    return Output(sum(loss_hinge_dis(fake, real)), {})


def dataclass_g_loss(fake):
    return Output(-fake.mean(), {})


def gan_losses(real, fake):
    return Both(sum(loss_hinge_dis(fake, real)), -fake.mean())


def any_d_loss(*args):
    return sum(loss_hinge_dis(*args[::-1]))


def any_g_loss(*args):
    return -args[0].mean()


def keyed_d_loss(real, fake):
    return sum(sum(loss_hinge_dis(fake[k], real[k])) for k in real)


def keyed_g_loss(fake):
    return sum(-head.mean() for head in fake.values())


@torch.jit.script
def scripted_d_loss(real, fake):
    return torch.relu(1.0 - real).mean() + torch.relu(1.0 + fake).mean()


@torch.jit.script
def scripted_g_loss(fake):
    return -fake.mean()


def pairs_d_loss(real_outs, fake_outs):
    pairs = zip(real_outs, fake_outs, strict=True)
    return sum((r - 1.0).pow(2).mean() + f.pow(2).mean() for (r, _), (f, _) in pairs)


def pairs_g_loss(fake_outs):
    return sum((f - 1.0).pow(2).mean() for f, _ in fake_outs)


@register_module(name="mine")
class Networks(Base):
    """A loss that holds its network, of several heads, in a module with absent imports."""

    def __init__(self, discriminator, kind: nowhere.Kind = nowhere.registry.KINDS["a"]):
        self.discriminator = discriminator

    def discriminator_loss(self, fake, real):
        heads = zip(self.discriminator(fake.detach()), self.discriminator(real), strict=True)
        return sum((x[-1] ** 2).mean() + ((1 - y[-1]) ** 2).mean() for x, y in heads)

    def generator_loss(self, fake, real):
        return sum(((1 - x[-1]) ** 2).mean() for x in self.discriminator(fake)), 0.0


def on_real(x):
    return torch.relu(1 - x).mean()


def on_fake(x):
    return torch.relu(1 + x).mean()


def uses_what_is_absent(real, fake):
    return helper(real) - fake.mean()


def detached_d_loss(D, real, fake):
    return torch.relu(1 - D(real)).mean() + torch.relu(1 + D(fake.detach())).mean()


def detached_g_loss(D, fake):
    return -D(fake.detach()).mean()
