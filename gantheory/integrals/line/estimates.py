"""Divergences between two densities on the line by quadrature in u = log p − log q."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gantheory.densities.univariate import Univariate
from gantheory.divergences.stable import Integrand
from gantheory.integrals.kernels.infinite import SharedEnds, infinite
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.line.axis import is_too_narrow, on_one_axis
from gantheory.integrals.line.breaks import KINKED, TIED, ties, ties_at_kinks
from gantheory.integrals.line.crossings import Term, jump_term, kink_error
from gantheory.integrals.line.disjoint import are_disjoint, has_collapsed, on_disjoint_supports
from gantheory.integrals.line.edges import rounded_ends
from gantheory.integrals.line.inputs import input_noise
from gantheory.integrals.line.integrals import SMALLEST, LineIntegral, Output, Pair, integrals
from gantheory.integrals.line.moving import boundary, moving_points, no_derivative
from gantheory.records import Estimate, Status
from gantheory.wrt import split_parameter

METHOD = "quadrature"
BEYOND = "finite, but beyond the range of binary64; log_value holds its logarithm"
NO_DIGIT = "rounding leaves no digit: the parameters are too extreme for binary64"
# Beyond this relative error a value is flagged: what binary64 loses without any cancellation.
CAREFUL = 1e-12
COLLAPSED = (
    "a piece of {law} is narrower than the spacing of binary64 numbers there; move both laws so "
    "that it lies next to 0"
)
# A user's own density may miss 1 by what single-precision constants would cost.
UNIT = 1e-7
# A share of q's mass on which p/q counts as staying at a jump; less is rounding at a crossing.
STAYS = 1e-6
HOPELESS = 1e100  # times the integral of the absolute value: an error that says nothing
BLIND = "the density states no structure, so a narrow spike may have been missed; state its centers"


@dataclass(frozen=True)
class _Task:
    """One number wanted: a kernel's value, or its derivative in a parameter of q."""

    kernel: Kernel
    parameter: str | None = None


@dataclass(frozen=True)
class Doubt:
    """What is uncertain before any integration.

    Attributes:
        noise: by how much of itself the rounding of the parameters moves a divergence.
        mass: by how much the mass of a user's own law may miss 1.
    """

    noise: float
    mass: float


def estimates(p: Univariate, q: Univariate, tasks: Sequence[_Task]) -> list[Estimate]:
    """Return every number wanted of one pair, from one set of panels."""
    kernels = {task.kernel for task in tasks}
    ends = SharedEnds(p, q)
    known = {kernel: infinite(kernel, ends) for kernel in kernels}
    parameters = {task.parameter for task in tasks} - {None}
    refused = {name: no_derivative(str(name), p, q) for name in parameters}
    answers = {
        k: answer
        for k, task in enumerate(tasks)
        if (answer := _by_rule(task, known[task.kernel], refused.get(task.parameter)))
    }
    if are_disjoint(p, q):
        values = [k for k, t in enumerate(tasks) if k not in answers and not t.parameter]
        found = {k: on_disjoint_supports(tasks[k].kernel) for k in values}
        answers |= {k: answer for k, answer in found.items() if answer}
    open_tasks = [k for k in range(len(tasks)) if k not in answers]
    noise = input_noise(p, q)
    p, q, names = on_one_axis(p, q, {str(name) for name in parameters})
    if law := next((law for law in (p, q) if has_collapsed(law) or is_too_narrow(law)), None):
        refusal = Estimate.undetermined(COLLAPSED.format(law=law), METHOD)
        answers |= dict.fromkeys(open_tasks, refusal)
        open_tasks = []
    if open_tasks:
        there = {
            k: replace(tasks[k], parameter=names.get(str(tasks[k].parameter))) for k in open_tasks
        }
        answers |= _integrated(p, q, there, noise)
    return [answers[k] for k in range(len(tasks))]


def _by_rule(task: _Task, known: Estimate | None, refused: Estimate | None) -> Estimate | None:
    if task.parameter is None or known is None:
        return known if task.parameter is None else refused
    return Estimate.undetermined(
        f"{task.kernel.name} has no derivative here: its value is {known}; "
        "differentiate where it is finite"
    )


def _integrated(
    p: Univariate, q: Univariate, tasks: dict[int, _Task], noise: float
) -> dict[int, Estimate]:
    answers = _routed(p, q, tasks, noise, every=False)
    # where the chosen form of a derivative is not sharp, the other one may be
    again = {
        k: task
        for k, task in tasks.items()
        if task.parameter and len(task.kernel.slopes) > 1 and answers[k].status is not Status.OK
    }
    answers |= _routed(p, q, again, noise, every=True) if again else {}
    # an integral that never settles uses up the panels of the others
    unsettled = [k for k, answer in answers.items() if _has_no_number(answer)]
    if len(tasks) > 1:
        for k in unsettled:
            answers |= _integrated(p, q, {k: tasks[k]}, noise)
    return answers


def _has_no_number(answer: Estimate) -> bool:
    return answer.status is Status.UNDETERMINED and answer.log_value is None


def _routed(
    p: Univariate, q: Univariate, tasks: dict[int, _Task], noise: float, every: bool
) -> dict[int, Estimate]:
    """Integrate the tasks, a derivative in ``every`` form or in the one that cancels least."""
    owners = [
        (k, j)
        for k, task in tasks.items()
        for j in range(len(task.kernel.slopes) if task.parameter else 1)
    ]
    outputs = [_output(tasks[k], j, None if every else k) for k, j in owners]
    laws = [(d, k) for k, d in enumerate((p, q)) if not d.normalised]
    outputs += [Output(_mass(k), None, False) for _, k in laws]
    jumping = [k for k, task in tasks.items() if task.kernel.jumps]
    tied = dict(zip(jumping, range(len(outputs), len(outputs) + len(jumping)), strict=True))
    outputs += [Output(ties(tasks[k].kernel), None, False) for k in jumping]
    bent = [k for k, task in tasks.items() if task.parameter and task.kernel.kinks]
    at_kinks = dict(zip(bent, range(len(outputs), len(outputs) + len(bent)), strict=True))
    outputs += [Output(ties_at_kinks(tasks[k].kernel), tasks[k].parameter, False) for k in bent]
    levels = {level for task in tasks.values() for level in task.kernel.levels}
    pair = Pair(p, q)
    found = integrals(pair, outputs, levels)
    masses = [found[k] for k in range(len(owners), len(owners) + len(laws))]
    if laws and (refusal := _not_normalised([d for d, _ in laws], masses)):
        return dict.fromkeys(tasks, refusal)
    routes: dict[int, list[tuple[LineIntegral, int]]] = {k: [] for k in tasks}
    for index, (k, formula) in enumerate(owners):
        if index in found:
            routes[k].append((found[index], formula))
    moving = {w: moving_points(q, w) if w else [] for w in {t.parameter for t in tasks.values()}}
    off = max((_off(found) for found in masses), default=0.0)
    jumps = {k: _of_jumps(tasks[k], pair, found[index]) for k, index in tied.items()}
    for k, index in at_kinks.items():
        jumps[k] = _of_kinks(tasks[k], routes[k], found[index]).plus(jumps.get(k, Term()))
    return {
        k: _estimate(
            task,
            pair,
            routes[k],
            Doubt(noise if task.kernel.touches else 0.0, off),
            moving[task.parameter],
            jumps.get(k, Term()),
        )
        for k, task in tasks.items()
    }


def _of_kinks(task: _Task, routes: list[tuple[LineIntegral, int]], tied: LineIntegral) -> Term:
    """Return what a derivative may be off by where p/q stays at a kink: q·abs(score) there."""
    lost = _scaled(tied.absolute, tied.shift)
    size = min(_scaled(integral.absolute, integral.shift) for integral, _ in routes)
    if lost <= STAYS * size:
        return Term(error=lost)
    return Term(refusal=KINKED.format(name=task.kernel.name, parameter=task.parameter))


def _of_jumps(task: _Task, pair: Pair, tied: LineIntegral) -> Term:
    """Return what the jumps of a kernel add; ``tied`` is what it may differ by where p/q stays."""
    lost = _scaled(tied.value, tied.shift)
    stays = lost > STAYS * max(abs(height) for _, height in task.kernel.jumps)
    if not task.parameter:
        term = Term() if stays else jump_term(task.kernel, None, pair)
        return Term(0.0, term.error + lost, TIED if stays else term.refusal)
    if not stays:
        return jump_term(task.kernel, task.parameter, pair)
    return Term(
        refusal="p/q stays at a jump on a set of positive probability, which splits at once when "
        f"{task.parameter} moves: there is no derivative; move one of the laws"
    )


def _output(task: _Task, formula: int, number: int | None) -> Output:
    kernel = task.kernel
    gated = bool(kernel.kinks or kernel.jumps)
    if not task.parameter:
        return Output(kernel.value, None, kernel.touches, gated=gated)
    return Output(kernel.slopes[formula], task.parameter, True, number, gated)


def _mass(k: int) -> Integrand:
    """Return the integrand p (k = 0) or q (k = 1) itself."""
    return lambda n: ((n.log_p, n.log_q)[k], np.ones_like(n.u))


def _off(mass: LineIntegral) -> float:
    """Return how far a law's mass is from 1, or 0 where that is within the integral's error."""
    return off if (off := abs(_scaled(mass.value, mass.shift) - 1)) > mass.error else 0.0


def _not_normalised(laws: Sequence[Univariate], masses: Sequence[LineIntegral]) -> Estimate | None:
    for law, found in zip(laws, masses, strict=True):
        log_mass = math.log(found.value) + found.shift if found.value > 0 else -math.inf
        if not abs(log_mass) <= UNIT + found.error / abs(found.value or 1.0):
            return Estimate.undetermined(
                f"{law} integrates to {math.exp(min(log_mass, 700.0)):.9g} and not to 1; subtract "
                f"{log_mass:.12g} from its log-density",
                METHOD,
            )
    return None


def _estimate(
    task: _Task,
    pair: Pair,
    routes: list[tuple[LineIntegral, int]],
    doubt: Doubt,
    moving: list[tuple[float, float]],
    jumps: Term,
) -> Estimate:
    if jumps.refusal and jumps.refusal != TIED:
        return Estimate.undetermined(jumps.refusal, METHOD)
    candidates = []
    for integral, formula in routes:
        ends = boundary(task.kernel, formula, pair, moving) if moving else Term()
        if ends is not None:
            whole = task.kernel.slopes[formula] if task.parameter else task.kernel.value
            own = rounded_ends(whole, pair, task.parameter)
            if task.parameter:
                own += kink_error(task.kernel, task.parameter, formula, pair)
            added = Term(ends.value + jumps.value, ends.error + jumps.error + own)
            candidates.append(_added(integral, added, task.kernel.sign if task.parameter else 1))
    if not candidates:
        return Estimate.undetermined(f"a boundary term of {task.kernel.name} is not finite", METHOD)
    best = min(candidates, key=lambda c: c.shift + math.log(c.error + 1e-300))
    if not best.resolved or not math.isfinite(best.error):
        return Estimate.undetermined(
            f"the integral of {task.kernel.name} does not converge within the range of binary64; "
            "its tails may decay too slowly, or not at all",
            METHOD,
        )
    if doubt.mass:
        error = doubt.mass * (4 * best.absolute + math.exp(min(-best.shift, 700.0)))
        best = replace(best, error=best.error + error)
    answer = finished(best, doubt.noise, pair.p, pair.q)
    return replace(answer, reason=TIED) if jumps.refusal else answer


def _added(integral: LineIntegral, term: Term, sign: int) -> LineIntegral:
    """Return the integral with a term of its own error, times a sign."""
    if not term.value and not term.error:
        return integral if sign > 0 else replace(integral, value=-integral.value)
    shift = max(integral.shift, math.log(max(abs(term.value), term.error)))
    scale = math.exp(integral.shift - shift)
    value, error = _scaled(term.value, -shift), _scaled(term.error, -shift)
    return LineIntegral(
        sign * (integral.value * scale + value),
        integral.error * scale + error,
        integral.absolute * scale + abs(value),
        shift,
        integral.evaluations,
        integral.resolved,
    )


def finished(best: LineIntegral, noise: float, p: Univariate, q: Univariate) -> Estimate:
    """Return the estimate that an integral amounts to: scale, error, conditioning, status."""
    error = best.error + noise * abs(best.value)
    flushed = best.evaluations * SMALLEST if p != q else 0.0  # squares of u below 1e-154
    if 0 < abs(best.value) < sys.float_info.min:
        error += flushed
    value, bound = _scaled(best.value, best.shift), _scaled(error or flushed, best.shift)
    log_value = math.log(best.value) + best.shift if best.value > 0 else None
    lost = error >= abs(best.value)
    hopeless = error > HOPELESS * best.absolute > 0 and bound > SMALLEST
    if not math.isfinite(value) or hopeless:
        return Estimate(
            math.nan,
            math.inf,
            Status.UNDETERMINED,
            METHOD,
            NO_DIGIT if lost else BEYOND,
            log_value=None if lost else log_value,
            evaluations=best.evaluations,
        )
    status, reason = Status.OK, None
    if error > CAREFUL * abs(best.value):
        status = Status.ILL_CONDITIONED
        reason = _why(best, noise)
    warnings = tuple(f"{d}: {BLIND}" for d in (p, q) if d.opaque)
    if warnings:
        status = Status.BLIND
    if abs(value) < sys.float_info.min and best.value:
        bound = max(bound, SMALLEST)
        reason = reason or "below the range of binary64; see log_value"
    return Estimate(
        value, bound, status, METHOD, reason, 0.0, log_value, best.evaluations, warnings
    )


def _scaled(mantissa: float, shift: float) -> float:
    if mantissa == 0:
        return 0.0
    size = math.log(abs(mantissa)) + shift
    if size > 709.7:
        return math.copysign(math.inf, mantissa)
    if abs(shift) < 700:
        return mantissa * math.exp(shift)
    return math.copysign(math.exp(size), mantissa)


def _why(best: LineIntegral, noise: float) -> str:
    if noise > 1e-13:
        return (
            "the two laws are so close that the rounding of their parameters to binary64 moves the "
            f"value by {noise:.0e} of itself"
        )
    if not best.value:
        return "the value is zero within its error"
    ratio = best.absolute / abs(best.value)
    if ratio > 50:
        return f"cancellation: the integral of the absolute value is {ratio:.1e} times the value"
    return "rounding of the log-densities"


def sweep_line(
    kernels: Mapping[Any, Kernel], p: Univariate, q: Univariate, wrt: Iterable[str | None]
) -> dict[tuple[Any, str | None], Estimate]:
    """Return every kernel's value and derivatives for one pair, by (its key, parameter)."""
    forward, backward = {}, {}
    for parameter in wrt:
        law, inner = split_parameter(parameter) if parameter else ("q", None)
        for name, kernel in kernels.items():
            if law == "q":
                forward[name, parameter] = _Task(kernel, inner)
            else:
                backward[name, parameter] = _Task(kernel.exchanged(), inner)
    found = dict(zip(forward, estimates(p, q, list(forward.values())), strict=True))
    return found | dict(zip(backward, estimates(q, p, list(backward.values())), strict=True))
