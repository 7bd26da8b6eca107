"""Recover both players' payoffs from the code: trace, separate, compare with the code again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy as sp
import torch

from gantheory.audits.calls import Call
from gantheory.audits.forms import FORMS, NETWORK_FORMS, Batch, Domain, Runner, Traced
from gantheory.audits.names import player_of
from gantheory.audits.overflow import overflows
from gantheory.audits.penalty import audit_penalty
from gantheory.audits.plan import Plan
from gantheory.audits.recovered import Player, Recovered
from gantheory.audits.results import Selection
from gantheory.audits.separate import (
    Separated,
    coupling,
    expectation,
    numeric,
    ratio,
    same,
    separate,
    without_pieces,
)
from gantheory.errors import GantheoryError
from gantheory.functions import relu, softplus, t, to_sympy

GRID = (-30.0, -10.0, -5.0, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, -1e-3, 1e-3, 0.25, 0.5, 0.75,
        0.999, 1.001, 1.5, 2.0, 5.0, 10.0, 30.0)  # fmt: skip
RAW = np.array([[0.31, 1.72, -0.44], [-0.83, 0.47, -1.36]])  # of three heads' worth, by side
SPREADS = ((0.0, 0.0), (-4.0, -4.0), (4.0, 4.0), (3.0, -3.0), (-3.0, 3.0))  # centres, by side
SPREADS_MORE = 10  # further pairs of centres, tried where the code reads values
VALUE, GRADIENT = 1e-9, 1e-8  # relative, of the formula against the code in double precision


def recover(plan: Plan, name: str) -> Recovered:
    """Recover what can be recovered of the planned calls."""
    if plan.penalty is not None:
        facts = audit_penalty(plan.penalty)
        return Recovered(name, {}, "(-oo, oo)", False, plan.style, penalty=facts)
    runners: dict[str, Runner | str] = {call.player: _runner(call) for call in plan.calls}
    runner: Runner | str = ""
    found = [r for r in runners.values() if isinstance(r, Runner)]
    domain = _meet([r.domain for r in found])
    players = {}
    for call in plan.calls:
        runner = runners[call.player]
        run = runner.call if isinstance(runner, Runner) else call
        player = Player(run.player, run.written, sides=run.sides, parameters=run.parameters,
                        labelled=run.labelled)  # fmt: skip
        if isinstance(runner, str):
            player.missing = runner
        else:
            player.domain = "(0, 1)" if runner.domain.probabilities else runner.domain.text
            _fill(player, replace(runner, domain=domain))
        players[call.player] = player
    if len(plan.calls) == 1 and isinstance(runner, Runner):
        _beside(players, replace(runner, domain=domain), name)
    return Recovered(name, players, domain.text, domain.probabilities, plan.style)


def _beside(players: dict[str, Player], runner: Runner, name: str) -> None:
    """Note the generator's loss, where the same call returned it beside the discriminator's."""
    given = players.get("discriminator")
    if given is None or given.missing or player_of(name.split(".")[-1]) == "discriminator":
        return
    assert runner.selection is not None
    own = runner.traced(batch(runner, 2)).formula
    for path in runner.selection.others:
        call = replace(runner.call, player="generator")
        other = replace(runner, call=call, selection=Selection((path,)))
        traced = other.traced(batch(runner, 2))
        fakes = {leaf for head in traced.fake for leaf in head}
        if not fakes <= traced.used or not fakes & sp.simplify(own - traced.formula).free_symbols:
            continue  # a part of the discriminator's loss
        written = call.written + Selection((path,)).suffix
        player = Player("generator", written, sides=call.sides, parameters=call.parameters)
        player.domain = given.domain
        _fill(player, other)
        given.written += runner.selection.suffix
        if not player.missing:
            players["generator"] = player
        return


def _meet(domains: Sequence[Domain]) -> Domain:
    if not domains:
        return Domain()
    lower, upper = max(d.lower for d in domains), min(d.upper for d in domains)
    return Domain(lower, upper) if lower < upper else domains[0]


# --- the form and the domain


def _runner(call: Call) -> Runner | str:
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
            runner = Runner(call, form, Domain(0.0, 1.0), dtype)
            try:
                traced = runner.traced(batch(runner, 2))
            except GantheoryError:
                raise
            except Exception as error:
                errors.append(_said(error))
                continue
            runner = replace(runner, selection=traced.selection)
            expected = _expected(traced, call)
            whole = expected <= traced.used or _unknown(traced)
            if whole and (form.many or not traced.record.iterated):
                return replace(runner, domain=_domain(runner)), True
            partly = partly or runner
        if partly is not None:
            return replace(partly, domain=_domain(partly)), False
    said = f"raised {errors[0]}" if errors else "gave no loss"
    return f"{call.written} {said}", False


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _unknown(traced: Traced) -> bool:
    return bool(traced.formula.free_symbols & set(traced.record.unknown))


def _expected(traced: Traced, call: Call) -> set[sp.Symbol]:
    sides = {"real": traced.real, "fake": traced.fake}
    wanted = call.sides if call.player == "discriminator" else ("fake",)
    return {leaf for side in wanted for head in sides[side] for leaf in head}


def _domain(runner: Runner) -> Domain:
    """Return the interval of scores on which the loss is a number."""
    free = replace(runner, domain=Domain())
    finite = [_finite(free, point) for point in GRID]
    if all(finite):
        return Domain()
    runs: list[tuple[int, int]] = []
    start = None
    for k, ok in enumerate([*finite, False]):
        if ok and start is None:
            start = k
        elif not ok and start is not None:
            runs.append((start, k - 1))
            start = None
    if not runs:
        return Domain()
    first, last = max(runs, key=lambda run: run[1] - run[0])
    lower = -np.inf if first == 0 else _edge(free, GRID[first - 1], GRID[first])
    upper = np.inf if last == len(GRID) - 1 else _edge(free, GRID[last + 1], GRID[last])
    return Domain(float(lower), float(upper))


def _edge(runner: Runner, outside: float, inside: float) -> float:
    for _ in range(48):
        middle = (outside + inside) / 2
        if _finite(runner, middle):
            inside = middle
        else:
            outside = middle
    return round(inside, 6) + 0.0


def _finite(runner: Runner, point: float) -> bool:
    heads = 2 if runner.form.many else 1
    scores = np.full((heads, 2), point)
    try:
        value, _, _ = runner.plain(Batch(scores, scores))
    except Exception:
        return False
    return bool(np.isfinite(value))


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


# --- one player


def _fill(player: Player, runner: Runner) -> None:
    """Recover one player's payoffs; what cannot be is said, never guessed."""
    player.form, player.form_written = runner.form.name, runner.form.written
    runs = _runs(runner)
    if isinstance(runs, str):
        player.missing = runs
        return
    first = runs[0]
    player.operations = tuple(sorted(first.record.operations))
    player.random = bool(first.record.random)
    player.single = first.record.single or runner.dtype is torch.float32
    player.hidden_state = _remembers(runner)
    if unknown := [u for s, u in first.record.unknown.items() if s in first.formula.free_symbols]:
        player.missing = f"{unknown[0]} has no formula here"
    elif player.hidden_state and _branches(runs):
        player.missing = "it keeps state between calls"
    elif _branches(runs):
        reads = list(dict.fromkeys(line for run in runs for line in run.record.reads))
        player.branches = tuple(reads or ["a line that was not found"])
        player.missing = "the formula changes with the scores: " + (
            f"a value is read at {', '.join(reads)}" if reads else "values leave torch"
        )
    elif any(run.formula.has(sp.nan, sp.zoo) for run in runs):
        player.missing = "it is not a number at some scores"
    if player.missing is None:
        _payoffs(player, runner, first)
    if player.missing is None:
        _compare(player, runner)
    _gradients(player, runner)
    if not runner.domain.probabilities and player.real is not None:
        player.overflows = overflows(player, runner)


def _runs(runner: Runner) -> list[Traced] | str:
    runs: list[Traced] = []
    more = np.random.default_rng(14).uniform(-5, 5, (SPREADS_MORE, 2))
    for centre in (*SPREADS, *map(tuple, more)):
        if len(runs) >= len(SPREADS) and not any(run.record.reads for run in runs):
            break
        try:
            runs.append(runner.traced(batch(runner, 2, centre)))
        except Exception as error:
            return f"{runner.call.written} raised {_said(error)}"
    return runs


def _branches(runs: Sequence[Traced]) -> bool:
    """Return whether the formula depends on where it was traced."""
    first = _mean_over_draws(runs[0])
    for run in runs[1:]:
        other = _mean_over_draws(run)
        if first != other and sp.simplify(first - other) != 0:
            return True
    return False


def _mean_over_draws(traced: Traced) -> sp.Expr:
    drawn = {s: (d.mean, d.variance) for s, d in traced.record.random.items()}
    found = expectation(traced.formula, drawn) if drawn else traced.formula
    return traced.formula if found is None else found


def _separated(traced: Traced) -> Separated:
    real = [leaf for head in traced.real for leaf in head]
    fake = [leaf for head in traced.fake for leaf in head]
    return separate(_mean_over_draws(traced), real, fake)


def _payoffs(player: Player, runner: Runner, first: Traced) -> None:
    drawn = {s: (d.mean, d.variance) for s, d in first.record.random.items()}
    if drawn and expectation(first.formula, drawn) is None:
        player.missing = "it draws random numbers that do not enter linearly"
        return
    if first.how == "number" and not first.used:
        player.missing = "it returns a Python number, which has no gradient"
        return
    small, large = _separated(first), _separated(runner.traced(batch(runner, 3)))
    if small.coupled:
        real = [leaf for head in first.real for leaf in head]
        fake = [leaf for head in first.fake for leaf in head]
        player.coupled = coupling(small, real, fake)
        together = sp.Add(*small.coupled)
        player.kernel = str(together)[:400]
        player.logistic = (
            together.has(softplus)
            and all(
                atom.args[0].is_polynomial(*atom.free_symbols) for atom in together.atoms(softplus)
            )
            and not together.has(relu)
        )
        return
    if small.real is None or small.fake is None:
        player.missing = "the samples of a batch, or the heads, are weighted differently"
        return
    if player.player == "generator":  # what real samples add has no gradient in G
        small, large = (replace(one, real=sp.Integer(0)) for one in (small, large))
    reductions = [_reduction(a, b, first.how) for a, b in
                  ((small.real, large.real), (small.fake, large.fake))]  # fmt: skip
    said = {kind for kind in reductions if kind}
    player.reduction = said.pop() if len(said) == 1 else "mixed" if said else "mean"
    if "unknown" in reductions:
        player.reduction = None
        player.missing = "the weight of a sample depends on the batch size in an unknown way"
        return
    scales = [1 if kind == "sum" else 2 for kind in reductions]
    heads = 2 if runner.form.many else 1
    if heads == 2:
        single = _separated(runner.traced(batch(runner, 2, heads=1)))
        player.heads = _heads(small, single)
        scales = [k * (heads if player.heads == "mean" else 1) for k in scales]
    player.sums = tuple(side for side, kind in zip(("real", "fake"), reductions, strict=True)
                        if kind == "sum")  # fmt: skip
    _write(player, small, scales)


def _reduction(two: sp.Expr | None, three: sp.Expr | None, how: str) -> str:
    """Return how one side is reduced, from what a sample adds in batches of two and of three."""
    if two is None or three is None:
        return "unknown"
    if not (two.has(t) or three.has(t)):
        return ""
    if same(two * 2, three * 3):
        return "none" if how == "none" else "mean"
    return "sum" if same(two, three) else "unknown"


def _heads(two: Separated, one: Separated) -> str | None:
    for a, b in ((two.fake, one.fake), (two.real, one.real)):
        if a is not None and b is not None and b.has(t):
            k = ratio(a, b)
            return None if k is None else ("sum" if abs(k - 1) < 1e-9 else "mean")
    return None


def _write(player: Player, small: Separated, scales: Sequence[int]) -> None:
    written = []
    for side, scale in zip((small.real, small.fake), scales, strict=True):
        assert side is not None
        formula = without_pieces(side * scale)
        if formula is None:
            player.missing = "its formula jumps at a score, and has no form without branches"
            return
        written.append(_tidy(formula))
    player.real, player.fake = (str(formula) for formula in written)
    player.constant = str(small.constant)


def _tidy(formula: sp.Expr) -> sp.Expr:
    """Return a payoff with its common factor in front, as a person writes it."""
    if not formula.has(t):
        return formula
    number, rest = formula.as_independent(t, as_Add=False)
    factored = sp.factor_terms(rest) if rest.is_Add else rest
    return sp.Mul(number, factored, evaluate=False) if number not in (1, -1) else formula


def _compare(player: Player, runner: Runner) -> None:
    """Compare the recovered payoffs with the code in value and gradient at random scores."""
    if player.real is None or player.fake is None:
        return
    sides = [to_sympy(player.real), to_sympy(player.fake)]
    loose = 1e4 if player.single else 1.0
    worst = 0.0
    for seed, centre in enumerate((0.13, -1.1, 1.4)):
        given = batch(runner, 3, centre)
        if player.random:
            worst = max(worst, 0.0)
            continue
        value = runner.plain(given, seed)[0]
        told = _told(player, runner, sides, given)
        if told is None or abs(told - value) > VALUE * loose * max(1.0, abs(value)):
            player.missing = (
                f"the formula found, {player.real} on real and {player.fake} on fake scores, gives "
                f"{told!r} where the code gives {value!r}: state, or values that leave torch"
            )
            player.real = player.fake = None
            return
        worst = max(worst, abs(told - value))
    player.checked = (
        f"value and gradient of the formula agree with the code at 18 random scores (worst "
        f"difference {worst:.1e})"
    )


def _told(player: Player, runner: Runner, sides: Sequence[sp.Expr], given: Batch) -> float | None:
    """Return what the payoffs say that the code returns."""
    total = float(sp.N(sp.sympify(player.constant)))
    for name, formula in zip(("real", "fake"), sides, strict=True):
        if player.player == "generator" and name == "real":
            continue
        scores = getattr(given, name)
        at = numeric(formula)
        values = [at(float(x)) for x in runner.domain.symbol_values(scores).reshape(-1)]
        if any(v is None for v in values):
            return None
        weight = _weight(player, name, scores.shape)
        total += weight * sum(v for v in values if v is not None)
    return total


def _weight(player: Player, side: str, shape: tuple[int, ...]) -> float:
    """Return what one score of a side counts in the loss."""
    heads, size = shape
    return (1 if side in player.sums else 1 / size) / (heads if player.heads == "mean" else 1)


def _gradients(player: Player, runner: Runner) -> None:
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
    found, expected = [], []
    for side in ("real", "fake") if player.player == "discriminator" else ("fake",):
        formula, scores = getattr(player, side), getattr(given, side)
        derivative = numeric(sp.diff(to_sympy(formula), t))
        weight = _weight(player, side, scores.shape)
        for x, slope in zip(scores.reshape(-1), slopes[side].reshape(-1), strict=True):
            told = derivative(float(runner.domain.symbol_values(x)))
            chain = 1 / (x * (1 - x)) if runner.domain.probabilities else 1.0
            if told is not None:
                found.append(float(slope))
                expected.append(told * weight * chain)
    seen, true = np.array(found), np.array(expected)
    close = GRADIENT * (1e4 if player.single else 1.0) * np.maximum(1.0, np.abs(true))
    if np.all(np.abs(seen - true) <= close):
        return 1.0
    k = float(seen @ true / (true @ true)) if np.any(true) else 1.0
    same = np.count_nonzero(true) > 1 and np.all(np.abs(seen - k * true) <= close)
    return round(k, 6) if same else None


def _remembers(runner: Runner) -> bool:
    """Return whether the same scores give another value after others were seen."""
    given = [batch(runner, 2, centre) for centre in (0.3, (1.4, -1.2), (-1.2, 1.4))]
    other = batch(runner, 2, -2.0)
    before = [runner.plain(one)[0] for one in given]
    runner.plain(other)
    after = [runner.plain(one)[0] for one in given]
    pairs = zip(before, after, strict=True)
    return any(abs(a - b) > 1e-12 * max(1.0, abs(a)) for a, b in pairs)
