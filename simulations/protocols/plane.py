"""Toys of modes and rolls in the plane: VEEGAN's, PacGAN's, unrolled, WGAN-GP's, R3GAN's."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from simulations.data import SwissRoll, grid, ring
from simulations.ensembles import Recipe
from simulations.modules import as_network
from simulations.networks import Mlp, Network
from simulations.protocols.protocol import DrawnLinear, DrawnMaxout, Protocol
from simulations.regularisers import GradientPenalty, ZeroCentred
from simulations.streams import Sampler
from simulations.updates import Adam

PACGAN = "Lin et al. (2018), arXiv:1712.04086, after Srivastava et al. (2017), arXiv:1705.07761"
UNROLLED = "Metz et al. (2017), arXiv:1611.02163, by the authors' notebook"
PENALISED = "Gulrajani et al. (2017), arXiv:1704.00028"


def network_of(module: nn.Module, inputs: int) -> Network:
    """Return modules as a network whose members draw their own initial numbers.

    What the modules themselves hold is part of a run's record, so it is drawn from a fixed seed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for layer in module.modules():
            redraw = getattr(layer, "reset_parameters", None)
            if redraw is not None:
                redraw()
    return as_network(module, (inputs,), fresh=True)[0]


def pacgan(shape: str, packing: int) -> Protocol:
    """Return PacGAN's ring or grid: G of 4·400 with batch norm, D of 3·200 with maxout of 5."""
    std = 0.02  # of initial weights
    maker: list[nn.Module] = []
    for inputs in (2, 400, 400, 400):
        layer = DrawnLinear(inputs, 400, deviation=std, bias=False)
        maker += [layer, nn.BatchNorm1d(400), nn.ReLU()]
    seen = 2 * packing
    maxouts = [DrawnMaxout(inputs, 200, 5, std) for inputs in (seen, 200, 200)]
    recipe = Recipe(
        network_of(nn.Sequential(*maxouts, DrawnLinear(200, 1, deviation=std)), seen),
        network_of(nn.Sequential(*maker, DrawnLinear(400, 2, deviation=std)), 2),
        steps=400_000,
        batch=100 * packing,
        rule=Adam(beta1=0.8),
        packing=packing,
        dtype=torch.float32,
    )
    name = f"pacgan-{shape}" + (f"-{packing}" if packing > 1 else "")
    title = f"PacGAN's {shape}, {packing} packed" if packing > 1 else f"the GAN on PacGAN's {shape}"
    differs = (
        "fresh samples in place of a training set of 100 000 points, 400 000 steps in place of its "
        "400 epochs; both players move on minibatches of their own, the authors' code on one; "
        "samples are made with their own batch's moments"
    )
    law = ring() if shape == "ring" else grid()
    return Protocol(name, title, PACGAN, law, "non-saturating", (1e-4, 1e-4), recipe,
                    differs=differs)  # fmt: skip


def unrolled(steps: int) -> Protocol:
    """Return the ring with D unrolled through so many steps: tanh, orthogonal weights."""

    def chain(*widths: int) -> Network:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [DrawnLinear(inputs, outputs, gain=1.4), nn.Tanh()]
        return network_of(nn.Sequential(*layers[:-1]), widths[0])

    recipe = Recipe(
        chain(2, 128, 128, 1),
        chain(256, 128, 128, 2),
        steps=25_000,
        batch=512,
        rule=Adam(beta1=0.5),
        unrolling=steps,
        dtype=torch.float32,
    )
    differs = (
        "D is unrolled by plain gradient descent at its rate, as the paper's formula (8) has it, "
        "where the notebook unrolls Adam; the players move in turn, the notebook's at once; eight "
        "modes, where the notebook draws seven, one of them twice as often; the notebook says "
        "itself that its networks and numbers are not quite the paper's"
    )
    return Protocol(
        f"unrolled-ring-{steps}", f"the ring with {steps} unrolled steps", UNROLLED, ring(),
        "minimax", (1e-4, 1e-3), recipe, differs=differs,
    )  # fmt: skip


def wgan_gp(name: str) -> Protocol:
    """Return one of WGAN-GP's toys: three layers of 512, five steps of D, a penalty of 0.1."""
    laws: dict[str, Sampler] = {
        "8gaussians": ring(8, 2**0.5, 0.02 / 1.414),
        "25gaussians": grid(5, 2 / 2.828, 0.05 / 2.828),
        "swissroll": SwissRoll(),
    }
    recipe = Recipe(
        Mlp((2, 512, 512, 512, 1)),
        Mlp((2, 512, 512, 512, 2)),
        steps=100_000,
        batch=256,
        discriminator_steps=5,
        rule=Adam(0.5, 0.9),
        regularisers=(GradientPenalty(0.1),),
        dtype=torch.float32,
    )
    return Protocol(
        f"wgan-gp-{name}", f"WGAN-GP on {name}", PENALISED, laws[name], "wgan-gp", (1e-4, 1e-4),
        recipe, metric="transport" if name == "swissroll" else "coverage",
        differs=(
            "the numbers of the authors' code for toys, with a penalty of 0.1 where the paper says "
            "10 of all its experiments; torch's initial values; fresh samples, also on the 25 "
            "normals; the paper's figure shows critics and trains no generator"
        ),
    )  # fmt: skip


def r3gan_grid() -> Protocol:
    """Return the best recipe that is known here for the grid: it is not solved by it.

    On one GPU it covered 25 modes on seven of eight seeds, 24 on the other, with 62 to 73 % of high
    quality; eight times the steps made four seeds better and lost modes on the other four.
    """
    hidden = (128,) * 4
    recipe = Recipe(
        Mlp((2, *hidden, 1), activation="leaky", scale=0.1),
        Mlp((2, *hidden, 2), activation="leaky", scale=0.1),
        steps=9_280,
        batch=1024,
        rule=Adam(0.0, 0.99),
        schedule="linear",
        annealing="early",
        regularisers=(ZeroCentred(0.002, "real"), ZeroCentred(0.002, "fake")),
        averaging=0.999,
        dtype=torch.float32,
    )
    return Protocol(
        "r3gan-grid", "relativistic with R1 and R2 on the grid",
        "Huang et al. (2024), arXiv:2501.05441 (loss and penalties)",
        grid(spacing=0.5, scale=0.0125), "relativistic", (1e-3, 1e-3), recipe, noise=0.35,
        differs="networks, rates, weights and falling noise are ours; the grid is divided by four",
    )  # fmt: skip
