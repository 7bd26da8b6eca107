"""Recover both players' payoffs from the code: trace, separate, compare with the code again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy as sp
import torch

from gantheory.audits.agreement import compare_with_code, note_gradients, remembers
from gantheory.audits.calls import Call
from gantheory.audits.forms import Runner, ScoreDomain, Traced
from gantheory.audits.kinks import by_relu
from gantheory.audits.names import player_of
from gantheory.audits.overflow import overflows
from gantheory.audits.penalty import audit_penalty
from gantheory.audits.plan import Plan
from gantheory.audits.recovered import Player, Recovered
from gantheory.audits.results import Selection
from gantheory.audits.running import batch, runner_of, said
from gantheory.audits.separate import (
    Separated,
    coupling,
    mean_of_draws,
    numeric,
    ratio,
    same_up_to_constant,
    separate,
)
from gantheory.functions import relu, softplus, t, to_sympy

SPREADS = ((0.0, 0.0), (-4.0, -4.0), (4.0, 4.0), (3.0, -3.0), (-3.0, 3.0))  # centres, by side
SPREADS_MORE = 10  # further pairs of centres, tried where the code reads values


def recover(plan: Plan, name: str, witness: bool = False) -> Recovered:
    """Recover what can be recovered of the planned calls; with a second witness if asked."""
    if plan.penalty is not None:
        facts = audit_penalty(plan.penalty)
        return Recovered(name, {}, "(-oo, oo)", False, plan.style, penalty=facts)
    runners: dict[str, Runner | str] = {call.player: runner_of(call) for call in plan.calls}
    runner: Runner | str = ""
    found = [r for r in runners.values() if isinstance(r, Runner)]
    domain = _meet([r.domain for r in found])
    players = {}
    for call in plan.calls:
        runner = runners[call.player]
        if isinstance(runner, str):
            player = _player(call)
            player.missing = runner
        else:
            own, runner = runner.domain, replace(runner, domain=domain)
            player = _recovered(runner, own)
            other = runner.call.exchanged
            if other is not None and _asks_low(player):
                runner = replace(runner, call=other)
                player = _recovered(runner, own)
                player.taken = "no name says which argument is real; it raises the scores of that"
            if witness:
                from gantheory.audits.witness import testimony

                player.witness = testimony(player, runner)
        players[call.player] = player
    if len(plan.calls) == 1 and isinstance(runner, Runner):
        _beside(players, runner, name)
    return Recovered(name, players, domain.text, domain.probabilities, plan.style)


def _player(call: Call) -> Player:
    return Player(call.player, call.written, sides=call.sides, parameters=call.parameters,
                  labelled=call.labelled)  # fmt: skip


def _recovered(runner: Runner, own: ScoreDomain) -> Player:
    player = _player(runner.call)
    player.domain = "(0, 1)" if own.probabilities else own.text
    _fill(player, runner)
    return player


def _asks_low(player: Player) -> bool:
    """Return whether a discriminator's loss is least at lower scores of what is taken for real."""
    best = []
    for formula in (player.real, player.fake):
        at = numeric(to_sympy(formula or "0"))
        found = {x: at(x) for x in (k / 4 for k in range(-24, 25))}
        best.append(min((v, x) for x, v in found.items() if v is not None)[1])
    return player.real is not None and best[0] < best[1]


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


def _meet(domains: Sequence[ScoreDomain]) -> ScoreDomain:
    if not domains:
        return ScoreDomain()
    lower, upper = max(d.lower for d in domains), min(d.upper for d in domains)
    return ScoreDomain(lower, upper) if lower < upper else domains[0]


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
    player.hidden_state = remembers(runner)
    if first.record.ordered and player.missing is None:
        places = ", ".join(dict.fromkeys(first.record.ordered))
        player.coupled = f"couples the samples by their order ({places})"
        note_gradients(player, runner)
        return
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
        compare_with_code(player, runner)
    note_gradients(player, runner)
    if not runner.domain.probabilities and player.real is not None:
        player.overflows = overflows(player, runner)


def _runs(runner: Runner) -> list[Traced] | str:
    runs: list[Traced] = []
    try:
        runner.plain(batch(runner, 2))
    except Exception as error:  # backward, such as through a label that was written over
        return f"{runner.call.written} raised {said(error)}"
    more = np.random.default_rng(14).uniform(-5, 5, (SPREADS_MORE, 2))
    for centre in (*SPREADS, *map(tuple, more)):
        if len(runs) >= len(SPREADS) and not any(run.record.reads for run in runs):
            break
        try:
            runs.append(runner.traced(batch(runner, 2, centre)))
        except Exception as error:
            return f"{runner.call.written} raised {said(error)}"
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
    found = mean_of_draws(traced.formula, drawn) if drawn else traced.formula
    return traced.formula if found is None else found


def _separated(traced: Traced) -> Separated:
    real = [leaf for head in traced.real for leaf in head]
    fake = [leaf for head in traced.fake for leaf in head]
    return separate(_mean_over_draws(traced), real, fake)


def _payoffs(player: Player, runner: Runner, first: Traced) -> None:
    drawn = {s: (d.mean, d.variance) for s, d in first.record.random.items()}
    if drawn and mean_of_draws(first.formula, drawn) is None:
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
    if same_up_to_constant(two * 2, three * 3):
        return "none" if how == "none" else "mean"
    return "sum" if same_up_to_constant(two, three) else "unknown"


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
        formula = by_relu(side * scale)
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
