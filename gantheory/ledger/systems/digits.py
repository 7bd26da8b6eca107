"""DCGAN: a small convolutional generator and discriminator on 8x8 digits, the usual loss.

Radford et al. (2016), arXiv:1511.06434: strided convolutions, batch normalisation, ReLU in G and
leaky ReLU in D, Adam with β₁ = 1/2; the loss is the non-saturating one. A classifier that was
never trained on samples counts the classes that the generator makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from gantheory.errors import require
from gantheory.records import Estimate, Verdict
from gantheory.verify import at_least

if TYPE_CHECKING:
    from torch import nn

LATENT, WIDTH, SAMPLES = 16, 16, 1000


def train_dcgan(least: int = 8, steps: int = 300, p_value: str = "") -> Verdict:
    """How many of the ten digits a trained DCGAN makes, of 1000 samples from one run.

    A digit counts if the classifier finds it in a hundredth of the samples or more, those left
    out that lie farther from all data than 99% of the data do from their neighbours.

    Args:
        least: how many of them are claimed.
        steps: of each player; 0 leaves the generator as it began.
        p_value: where given, the claim is that a classifier cannot tell samples from data: the
            p-value of its test is at least this.
    """
    require("the DCGAN (leave it out with --quick)", "torch", "torch", "sklearn")
    classes, p = _trained(steps)
    if p_value:
        return at_least("samples of a trained DCGAN cannot be told from the data",
                        Estimate(p), Estimate(float(p_value)))  # fmt: skip
    statement = f"a trained convolutional GAN makes at least {least} of the 10 digits"
    return at_least(statement, Estimate(float(classes)), Estimate(float(least)))


@cache
def _trained(steps: int) -> tuple[int, float]:
    """Train; return how many digits are made, and the p-value of a test against the data."""
    import numpy as np
    import torch
    from sklearn.neighbors import KNeighborsClassifier
    from torch.nn.functional import softplus

    from simulations.compare import classifier_test
    from simulations.data import digits

    data = digits()
    images = torch.from_numpy(data.pixels).float().view(-1, 1, 8, 8) * 2 - 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        g, d = _generator(), discriminator()
        rules = [torch.optim.Adam(net.parameters(), 2e-3, betas=(0.5, 0.999)) for net in (d, g)]
        for _ in range(steps):
            real = images[torch.randint(len(images), (64,))]
            fake = g(torch.randn(64, LATENT))
            value = softplus(-d(real)).mean() + softplus(d(fake.detach())).mean()
            _step(rules[0], value)
            _step(rules[1], softplus(-d(g(torch.randn(64, LATENT)))).mean())
        with torch.no_grad():
            made = g(torch.randn(SAMPLES, LATENT))
    samples = ((made.flatten(1) + 1) / 2).double().numpy()
    judge = KNeighborsClassifier(5).fit(data.pixels, data.labels)
    usual = np.quantile(judge.kneighbors(data.pixels, 2)[0][:, 1], 0.99)
    near = judge.kneighbors(samples, 1)[0][:, 0] <= usual
    labels = judge.predict(samples)[near]
    classes = int((np.bincount(labels, minlength=10) >= SAMPLES / 100).sum())
    return classes, classifier_test(samples, data.pixels, 0)[1]


def _step(rule: Any, loss: Any) -> None:
    rule.zero_grad()
    loss.backward()
    rule.step()


def _generator() -> nn.Module:
    """Return G: 16 normal numbers to an 8x8 image in [-1, 1]."""
    from torch import nn

    return nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 2 * WIDTH, 4), nn.BatchNorm2d(2 * WIDTH), nn.ReLU(),
        nn.ConvTranspose2d(2 * WIDTH, WIDTH, 4, stride=2, padding=1), nn.BatchNorm2d(WIDTH),
        nn.ReLU(), nn.Conv2d(WIDTH, 1, 3, padding=1), nn.Tanh(),
    )  # fmt: skip


def discriminator() -> nn.Module:
    """Return D: an 8x8 image to a raw score."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1), nn.BatchNorm2d(2 * WIDTH),
        nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(8 * WIDTH, 1), nn.Flatten(0),
    )  # fmt: skip


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {"train_dcgan": train_dcgan}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "train_dcgan": {"untrained": {"steps": 0}},
}
