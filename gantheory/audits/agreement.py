"""Compare recovered payoffs with the code again: value, gradient and state."""

from __future__ import annotations

import numpy as np
import sympy as sp

from gantheory.audits.forms import Batch, Runner
from gantheory.audits.recovered import Player
from gantheory.audits.running import batch
from gantheory.audits.separate import numeric
from gantheory.functions import t, to_sympy

VALUE, GRADIENT = 1e-9, 1e-8  # relative, of the formula against the code in double precision


def compare_with_code(player: Player, runner: Runner) -> None:
    """Compare the recovered payoffs with the code in value and gradient at random scores."""
    if player.real is None or player.fake is None:
        return
    loose = 1e4 if player.single else 1.0
    worst = 0.0
    for seed, centre in enumerate((0.13, -1.1, 1.4)):
        given = batch(runner, 3, centre)
        if player.random:
            worst = max(worst, 0.0)
            continue
        value = runner.plain(given, seed)[0]
        said = value_of_formula(player, runner, given)
        if said is None or abs(said - value) > VALUE * loose * max(1.0, abs(value)):
            player.missing = (
                f"the formula found, {player.real} on real and {player.fake} on fake scores, gives "
                f"{said!r} where the code gives {value!r}: state, or values that leave torch"
            )
            player.real = player.fake = None
            return
        worst = max(worst, abs(said - value))
    player.checked = (
        f"value and gradient of the formula agree with the code at 18 random scores (worst "
        f"difference {worst:.1e})"
    )


def value_of_formula(player: Player, runner: Runner, given: Batch) -> float | None:
    """Return what the payoffs say that the code returns."""
    total = float(sp.N(to_sympy(player.constant)))
    for name in ("fake",) if player.player == "generator" else ("real", "fake"):
        scores = getattr(given, name)
        at = numeric(to_sympy(getattr(player, name)))
        values = [at(float(x)) for x in runner.domain.symbol_values(scores).reshape(-1)]
        if any(v is None for v in values):
            return None
        weight = weight_of(player, name, scores.shape)
        total += weight * sum(v for v in values if v is not None)
    return total


def weight_of(player: Player, side: str, shape: tuple[int, ...]) -> float:
    """Return what one score of a side counts in the loss."""
    heads, size = shape
    return (1 if side in player.sums else 1 / size) / (heads if player.heads == "mean" else 1)


def note_gradients(player: Player, runner: Runner) -> None:
    """Note on which sides no gradient flows, and whether it is that of the formula."""
    given = batch(runner, 3, 0.2)
    try:
        value, on_real, on_fake = runner.plain(given)
        moved = {side: runner.plain(_moved(given, side))[0] - value for side in ("real", "fake")}
    except Exception:
        return
    slopes = {"real": on_real, "fake": on_fake}
    wanted = ("fake",) if player.player == "generator" else ("real", "fake")
    player.no_gradient = tuple(
        side for side in wanted if side in player.sides and not slopes[side].any()
        and abs(moved[side]) > 1e-9 and not _flat(player, side)
    )  # fmt: skip
    if player.missing or player.coupled or player.no_gradient or player.random:
        return
    player.gradient_factor = _factor(player, runner, given, slopes)
    player.partial_gradient = player.gradient_factor is None


def _moved(given: Batch, side: str) -> Batch:
    shift = 0.017
    return Batch(given.real + shift * (side == "real"), given.fake + shift * (side == "fake"))


def _flat(player: Player, side: str) -> bool:
    formula = getattr(player, side)
    return formula is not None and not to_sympy(formula).has(t)


def _factor(
    player: Player, runner: Runner, given: Batch, slopes: dict[str, np.ndarray]
) -> float | None:
    """Return the k with gradient = k * (that of the formula), or None; 1 is the usual one."""
    sides = ("real", "fake") if player.player == "discriminator" else ("fake",)
    seen = np.concatenate([slopes[side].reshape(-1) for side in sides])
    true = np.concatenate(
        [
            slopes_of_formula(player, runner, side, getattr(given, side)).reshape(-1)
            for side in sides
        ]
    )
    seen, true = seen[np.isfinite(true)], true[np.isfinite(true)]
    close = GRADIENT * (1e4 if player.single else 1.0) * np.maximum(1.0, np.abs(true))
    if np.all(np.abs(seen - true) <= close):
        return 1.0
    k = float(seen @ true / (true @ true)) if np.any(true) else 1.0
    same = np.count_nonzero(true) > 1 and np.all(np.abs(seen - k * true) <= close)
    return round(k, 6) if same else None


def slopes_of_formula(player: Player, runner: Runner, side: str, scores: np.ndarray) -> np.ndarray:
    """Return the gradient that the payoffs say in each score; nan where it is not real."""
    derivative = numeric(sp.diff(to_sympy(getattr(player, side)), t))
    found = [derivative(float(x)) for x in runner.domain.symbol_values(scores).reshape(-1)]
    slopes = np.array([np.nan if x is None else x for x in found]).reshape(scores.shape)
    chain = 1 / (scores * (1 - scores)) if runner.domain.probabilities else 1.0
    return np.asarray(slopes * weight_of(player, side, scores.shape) * chain)


def remembers(runner: Runner) -> bool:
    """Return whether the same scores give another value after others were seen."""
    given = [batch(runner, 2, centre) for centre in (0.3, (1.4, -1.2), (-1.2, 1.4))]
    other = batch(runner, 2, -2.0)
    before = [runner.plain(one)[0] for one in given]
    runner.plain(other)
    after = [runner.plain(one)[0] for one in given]
    pairs = zip(before, after, strict=True)
    return any(abs(a - b) > 1e-12 * max(1.0, abs(a)) for a, b in pairs)
