"""Find how a call runs: in which form of scores, and on which of them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import sympy as sp
import torch

from gantheory.audits.calls import Call
from gantheory.audits.forms import FORMS, NETWORK_FORMS, Batch, Runner, ScoreDomain, Traced
from gantheory.errors import GantheoryError

GRID = (-30.0, -10.0, -5.0, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, -1e-3, 1e-3, 0.25, 0.5, 0.75,
        0.999, 1.001, 1.5, 2.0, 5.0, 10.0, 30.0)  # fmt: skip


GUARD = 0.01  # the largest epsilon beside a probability


def runner_of(call: Call) -> Runner | str:
    """Return how the call, or else one of its variants, runs; or why none does."""
    found, whole = _as_called(call)
    for variant in () if whole else call.variants:
        other, whole = _as_called(variant)
        if whole or (isinstance(found, str) and isinstance(other, Runner)):
            return other
    return found


def _as_called(call: Call) -> tuple[Runner | str, bool]:
    """Return how a call runs, or why not, and whether it then depends on all that it should."""
    errors: list[str] = []
    partly: Runner | None = None
    for dtype in (torch.float64, torch.float32):
        for form in (*FORMS, *(NETWORK_FORMS if call.network else ())):
            runner = Runner(call, form, ScoreDomain(0.0, 1.0), dtype)
            try:
                traced = runner.traced(batch(runner, 2))
            except GantheoryError:
                raise
            except Exception as error:
                errors.append(said(error))
                continue
            runner = replace(runner, selection=traced.selection)
            expected = _expected(traced, call)
            whole = (expected <= traced.used and _alike(traced)) or _unknown(traced)
            if whole and (form.many or not traced.record.iterated):
                return replace(runner, domain=_domain(runner)), True
            partly = partly or runner
        if partly is not None:
            return replace(partly, domain=_domain(partly)), False
    ended = f"raised {errors[0]}" if errors else "gave no loss"
    return f"{call.written} {ended}", False


def said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _unknown(traced: Traced) -> bool:
    return bool(traced.formula.free_symbols & set(traced.record.unknown))


def _alike(traced: Traced) -> bool:
    """Return whether the first two samples of a batch count alike, those of both sides together."""
    if traced.record.random:
        return True
    heads = [head for head in (*traced.real, *traced.fake) if len(head) > 1]
    turned = {a: b for x, y, *_ in heads for a, b in ((x, y), (y, x))}
    drawn = random.Random(11)
    at = {leaf: sp.Float(drawn.uniform(-2, 2), 30) for leaf in traced.leaves}
    try:
        both = (traced.formula, traced.formula.xreplace(turned))
        there = [sp.N(formula.xreplace(at), 20) for formula in both]
        return abs(float(there[0] - there[1])) < 1e-12 * (1 + abs(float(there[0])))
    except (TypeError, ValueError):
        return True


def _expected(traced: Traced, call: Call) -> set[sp.Symbol]:
    sides = {"real": traced.real, "fake": traced.fake}
    wanted = call.sides if call.player == "discriminator" else ("fake",)
    return {leaf for side in wanted for head in sides[side] for leaf in head}


def _domain(runner: Runner) -> ScoreDomain:
    """Return the interval of scores on which the loss is a number."""
    free = replace(runner, domain=ScoreDomain())
    values = [_value(free, point) for point in GRID]
    finite = [bool(np.isfinite(value)) for value in values]
    if all(finite):
        return ScoreDomain(0.0, 1.0) if _held(runner, values) else ScoreDomain()
    runs: list[tuple[int, int]] = []
    start = None
    for k, ok in enumerate([*finite, False]):
        if ok and start is None:
            start = k
        elif not ok and start is not None:
            runs.append((start, k - 1))
            start = None
    if not runs:
        return ScoreDomain()
    first, last = max(runs, key=lambda run: run[1] - run[0])
    lower = -np.inf if first == 0 else _edge(free, GRID[first - 1], GRID[first])
    upper = np.inf if last == len(GRID) - 1 else _edge(free, GRID[last + 1], GRID[last])
    if -GUARD <= lower <= 0.0 and 1.0 <= upper <= 1.0 + GUARD:
        return ScoreDomain(0.0, 1.0)  # an epsilon widens what a logarithm takes
    return ScoreDomain(float(lower), float(upper))


def _held(runner: Runner, values: list[float]) -> bool:
    """Return whether a logarithm takes scores that are kept between 0 and 1: probabilities."""
    below = {v for x, v in zip(GRID, values, strict=True) if x < 0}
    above = {v for x, v in zip(GRID, values, strict=True) if x > 1}
    inner = {v for x, v in zip(GRID, values, strict=True) if 0 < x < 1}
    if len(below) > 1 or len(above) > 1 or len(inner) == 1:
        return False
    return "log" in runner.traced(batch(runner, 2)).record.operations


def _edge(runner: Runner, outside: float, inside: float) -> float:
    for _ in range(48):
        middle = (outside + inside) / 2
        if _finite(runner, middle):
            inside = middle
        else:
            outside = middle
    return round(inside, 6) + 0.0


def _finite(runner: Runner, point: float) -> bool:
    return bool(np.isfinite(_value(runner, point)))


def _value(runner: Runner, point: float) -> float:
    """Return the loss where all scores are at a point; nan where it does not run."""
    heads = 2 if runner.form.many else 1
    scores = np.full((heads, 2), point)
    try:
        value, _, _ = runner.plain(Batch(scores, scores))
    except Exception:
        return float("nan")
    return value


def batch(
    runner: Runner,
    size: int,
    centre: tuple[float, float] | float = 0.0,
    heads: int | None = None,
) -> Batch:
    """Return scores of the given batch size in the domain of a run, all of them distinct."""
    count = heads or (2 if runner.form.many else 1)
    places = centre if isinstance(centre, tuple) else (centre, centre)
    drawn = np.random.default_rng(int(1000 * (places[0] + 10)) + 7 * size + count)
    raw = np.array([place + 1.9 * drawn.random((count, size)) - 0.9 for place in places])
    inside = runner.domain.inside(raw)
    return Batch(inside[0], inside[1])
