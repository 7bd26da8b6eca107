"""A GPU against the CPU: the same recipes by every path and source, within stated bounds."""

from dataclasses import replace

import torch

from simulations.data import Law, as_density, ring
from simulations.ensembles import Member, Recipe, initial_state
from simulations.fast import Fast, is_fast
from simulations.fused import together
from simulations.networks import Affine, Mlp
from simulations.regularisers import ZeroCentred
from simulations.streams import CHUNK
from simulations.train import last, train
from simulations.updates import Adam, RmsProp, Sgd

LOSSES = "minimax", "non-saturating", "minimax", "reverse-kl", "least-squares-01"
LINE = [
    Member(
        Law(as_density(f"normal({1 + k / 2}, 1)")),
        loss,
        seed=k,
        discriminator_rate=1e-2,
        generator_rate=3e-3 * (1 + k),
        noise=0.1 * (k == 1),
    )
    for k, loss in enumerate(LOSSES)
]
PLANE = [replace(member, real=ring(), noise=0.0) for member in LINE]
TOY = Recipe(Mlp((1, 16, 16, 1)), Affine(), steps=70, batch=64)
WIDE = {
    "discriminator": Mlp((2, 128, 128, 1)),
    "generator": Mlp((2, 128, 128, 2)),
    # Adam divides a gradient that cancels to a rounding by its own size, and so moves a parameter
    # by a whole rate this way or that; a larger ε keeps such out of the comparison.
    "rule": Adam(epsilon=1e-3),
}
CASES = {
    "line": (LINE, {}),
    "momentum": (LINE, {"rule": Sgd(0.5), "schedule": "cosine"}),
    "packed": (LINE, {"packing": 2, "discriminator": Mlp((2, 16, 1), "tanh"), "clip": 0.2}),
    "k=3": (LINE, {"discriminator_steps": 3, "latent": "uniform", "annealing": "linear"}),
    "rules": (LINE, {"rule": (RmsProp(epsilon=1e-3), Adam(weight_decay=0.1, decoupled=True)),
                     "generator_steps": 2, "averaging": 0.9}),
    "norms": (PLANE, {"discriminator": Mlp((2, 32, 32, 1), norm="spectral"), "steps": 20,
                      "generator": Mlp((2, 32, 2), norm="batch"), "order": "optimistic",
                      "rule": Sgd()}),
    "wide": (PLANE, {**WIDE, "batch": 128, "steps": 40}),
    "captured": ([replace(member, loss="relativistic") for member in PLANE],
                 {**WIDE, "steps": 20, "regularisers": (ZeroCentred(1.0), ZeroCentred(1.0, "fake")),
                  "averaging": 0.9, "schedule": "linear"}),
    "R1": (PLANE, {**WIDE, "steps": 20, "regularisers": (ZeroCentred(1.0),)}),
}  # fmt: skip
# After 20 to 70 steps at rates of 1e-2, the largest difference of a parameter.
BOUNDS = {torch.float64: 1e-10, torch.float32: 1e-3}


def equality(setting):
    """Train on the device by either path and source, and compare with the CPU's reference path."""
    for name, (members, changes) in CASES.items():
        for source in ("twister", "counter"):
            for dtype in BOUNDS:
                if setting.left < 5:
                    return setting.kept | {"cut short": True}
                recipe = replace(TOY, dtype=dtype, source=source, **changes)
                for row in compared(name, members, recipe, setting):
                    setting.add("cases", row)
    setting.keep("all within bounds", all(row["within"] for row in setting.kept["cases"]))
    return setting.kept


def compared(name, members, recipe, setting):
    """Yield one row for each path that the recipe has on the device."""
    recipe = replace(recipe, steps=3) if setting.quick else recipe
    expected = last(train(members, recipe, path="reference"))
    start = initial_state(members, recipe)
    there = replace(recipe, device=setting.device)
    for path in ("fast", "fused", "reference") if is_fast(recipe) else ("reference",):
        if path == "fused":
            if recipe.source == "twister" or setting.device == "cpu" or setting.left < 20:
                continue  # it compiles, which takes seconds
            found = fused(members, there)
        else:
            found = last(train(members, there, path=path))
        largest = max(
            float((values - found.parameters[player].cpu()).abs().max())
            for player, values in expected.parameters.items()
        )
        moved = min(
            float((expected.parameters[player] - start.parameters[player]).abs().amax(1).min())
            for player in recipe.players
        )
        yield {
            "case": name,
            "path": path,
            "source": recipe.source,
            "dtype": str(recipe.dtype),
            "steps": recipe.steps,
            "difference": largest,
            "least movement": moved,
            "within": largest <= min(BOUNDS[recipe.dtype], moved / 3),
        }


def fused(members, recipe):
    """Train with elementwise calls joined, as runs long enough to repay compiling do."""
    trainer, state = Fast(members, recipe), initial_state(members, recipe)
    trainer._workspace(len(members)).join = together
    while state.step < recipe.steps:
        trainer.advance(state, min(CHUNK, recipe.steps - state.step))
    return state
