"""`optimal_discriminator`: the best score under a penalty on its slope, in numbers with errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.plane import Spatial
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.losses import find, get_loss
from gantheory.losses.critic import Critic, Expectations
from gantheory.losses.function_classes import GradientPenalty, Slope
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from gantheory.regularised import plane
from gantheory.regularised.bounds import off_by
from gantheory.regularised.elements import Solution, climb, start
from gantheory.regularised.energies import Quadratic
from gantheory.regularised.gradient_penalty import exceeding, flat_mass, sharper
from gantheory.regularised.kinks import Kinked, finest
from gantheory.regularised.lipschitz import bounded, refined
from gantheory.regularised.mesh import elements, intervals, mass_outside
from gantheory.regularised.payoffs import PenalisedPayoffs, penalised_payoffs
from gantheory.regularised.plane import Grid
from gantheory.regularised.record import (
    IN_PLANE,
    LOOSE,
    METHOD,
    PlaneDiscriminator,
    RegularisedDiscriminator,
    between,
    extrapolated,
)
from gantheory.regularised.regulariser import Regulariser
from gantheory.regularised.resting import Resting, best_at_rest
from gantheory.regularised.symmetric import LINE, reduced
from gantheory.regularised.tails import HEAVY, left_out
from gantheory.samples.reading import refuse_samples

LOST = (
    "Newton's method did not come to rest: the laws may be too far apart for rounding, singular at "
    "an end, or the payoffs without an optimum"
)
UNBOUNDED = (
    "no optimum: one of the laws has mass where the penalty holds nothing, and its payoff grows "
    "without bound there"
)
ROUNDS = 14
STALLED = 0.7  # of the gap before: cutting no longer helps against rounding
ENOUGH = 1e-22  # the gap's bound, a sum of squares: its root is what other numbers are off by
MOST_ELEMENTS = 3000
ONLY_SMOOTH = (
    "in the plane a penalised D is solved under 'r1', 'r2' and 'both', for payoffs without kinks; "
    "slopes are bounded, and gradient penalties and kinks solved, on the line"
)


def optimal_discriminator(
    loss: str | Loss | Critic, p: Density | str, q: Density | str, *, regulariser: str | Regulariser
) -> RegularisedDiscriminator:
    r"""Return the discriminator that maximises V less a penalty on its slope.

    It is solved on the line; under R1, R2 and both in the plane too, for normal laws and their
    mixtures, where errors are from three resolutions and no bound by duality. Isotropic normal laws
    in any dimension, of one width or of one mean, are brought to the line; under a gradient penalty
    those of one mean.

    R1 penalises on real samples, R2 on fake ones: with w = γ_p·p + γ_q·q the score solves
    :math:`(w t')' = -(p\,a'(t) + q\,b'(t))` with no flux at the ends.

    Args:
        loss: a loss with concave payoffs, or its name; of a critic whose class holds its
            slope, such as ``"wgan-gp"``, a bound or a gradient penalty takes the class's place.
        p: the data density, or its text.
        q: the generator's density, or its text.
        regulariser: ``"r1(1)"``, ``"r2(0.5)"``, ``"both(1)"``, or a sum such as
            ``"r1(1) + r2(2)"``, the weight is γ of γ/2·E[t'²]; ``"slope(K)"`` for −K ≤ t' ≤ K; or
            ``"gp(λ, k)"`` for ``λ·E[(|t'| − k)²]`` between real and fake samples, k = 1 where it
            is left out, ``"one_sided(λ, k)"`` where slopes below k are free. Two-sided, there may
            be no best discriminator: then ``objective`` is the supremum, and the rest is
            undetermined.

    >>> p, q = "normal(0, 1)", "normal(1, 1)"
    >>> found = optimal_discriminator("minimax", p, q, regulariser="r1(1)")
    >>> print(f"{found.value.value:.6f} {found.penalty.value:.6f} {found.gradient().value:.6f}")
    -1.251709 0.048300 0.175918
    """
    penalty = Regulariser.given(regulariser)
    game = _separable(loss, penalty)
    refuse_samples("penalised discriminators", p, q)
    first, second = parse_density(p), parse_density(q)
    found = reduced(first, second)
    if found is not None and not (penalty.between and found.why == LINE):
        on_line = optimal_discriminator(game, found.p, found.q, regulariser=penalty)
        return replace(on_line, symmetry=found.why)
    payoffs = penalised_payoffs(game)
    if isinstance(first, Spatial) and isinstance(second, Spatial) and first.dim == second.dim == 2:
        return _in_plane(game, (first, second), penalty, payoffs)
    if not isinstance(first, Univariate) or not isinstance(second, Univariate):
        raise GantheoryError(
            f"{first} and {second}: a penalised D is solved on the line, in the plane for normal "
            "laws and their mixtures, and for isotropic normal laws of one width or one mean"
        )
    return _on_line(game, (first, second), penalty, payoffs)


def _on_line(
    game: Loss, laws: tuple[Univariate, Univariate], penalty: Regulariser, payoffs: PenalisedPayoffs
) -> RegularisedDiscriminator:
    """Solve by elements of high degree, twice: the second time on elements of half the length."""
    if (bent := payoffs.why_not_concave()) is not None:
        return _without(game, laws, penalty, bent)
    if penalty.slope is not None:
        solved = [bounded(*laws, payoffs, float(penalty.slope))]
    elif (gp := penalty.between) is not None:
        solved = [exceeding(*laws, payoffs, float(gp.weight), float(gp.target))]
    else:
        pieces = intervals(*laws, penalty.on_real > 0, penalty.on_fake > 0)
        energy = Quadratic(float(penalty.on_real), float(penalty.on_fake))
        solved = [_solve(*laws, payoffs, energy, piece) for piece in pieces]
    if not all(one.converged for one in solved):
        return _without(game, laws, penalty, LOST)
    finer = [_finer(one, penalty) for one in solved if not one.alone]
    if not all(one.converged for one in finer):
        return _without(game, laws, penalty, LOST)
    record = _assembled(game, laws, penalty, payoffs, solved, finer)
    return record if penalty.between is None or penalty.between.one_sided else _two_sided(record)


def _in_plane(
    game: Loss, laws: tuple[Spatial, Spatial], penalty: Regulariser, payoffs: PenalisedPayoffs
) -> PlaneDiscriminator:
    """Solve on three grids, and extrapolate."""
    if payoffs.kinks or penalty.slope is not None or penalty.between is not None:
        raise GantheoryError(f"{game.name} under {penalty}: {ONLY_SMOOTH}")
    weights = float(penalty.on_real), float(penalty.on_fake)
    grids: tuple[Grid, ...] = (plane.start(*laws, payoffs, weights),)
    reason = payoffs.why_not_concave() or plane.unheld(grids[0])
    if reason is None:
        grids = plane.solved(grids[0])
        reason = None if grids[-1].converged else LOST
    if reason is not None:
        none = Estimate.undetermined(reason, IN_PLANE)
        return PlaneDiscriminator(game, *laws, penalty, none, none, none, reason)
    value, cost = (extrapolated(grids, number) for number in (Grid.value, Grid.penalty))
    objective = extrapolated(grids, lambda grid: grid.value() - grid.penalty())
    reason = next((one.reason for one in (value, cost) if one.status is not Status.OK), None)
    return PlaneDiscriminator(game, *laws, penalty, value, cost, objective, reason, grids=grids)


def _finer(solution: Solution, penalty: Regulariser) -> Solution:
    """Return the optimum on elements of half the length."""
    if isinstance(solution, Resting):
        return solution.finer()
    if isinstance(solution, Kinked):
        return finest(solution)
    return refined(solution) if penalty.between is None else sharper(solution)


def _separable(loss: str | Loss | Critic, penalty: Regulariser) -> Loss:
    """Return a loss; of a critic of bounded slope, its payoffs under a penalty that bounds it."""
    entry = find(loss)
    if isinstance(entry, Critic) and isinstance(entry.constraint, Slope | GradientPenalty):
        if not penalty.everywhere:
            raise GantheoryError(
                f"loss {entry.name!r}: its class holds D's slope; give regulariser='gp(10)', "
                "'one_sided(10)' or 'slope(1)' in its place"
            )
        if isinstance(entry.objective, Expectations):
            payoffs = entry.objective.real, entry.objective.fake
            return Loss(entry.name, *payoffs, entry.generator, title=entry.title)
    return entry if isinstance(entry, Loss) else get_loss(entry.name)  # which says what is lacking


def _without(
    game: Loss, laws: tuple[Univariate, Univariate], penalty: Regulariser, reason: str
) -> RegularisedDiscriminator:
    """Return a record that says why there are no numbers."""
    empty = Estimate.undetermined(reason, METHOD)
    return RegularisedDiscriminator(game, *laws, penalty, empty, empty, empty, reason)


def _two_sided(best: RegularisedDiscriminator) -> RegularisedDiscriminator:
    """Return the best score under a one-sided penalty where it is that of the two-sided one too."""
    between = best.regulariser.between
    assert between is not None
    mass = sum(flat_mass(one) for one in best.finer)
    if not mass:
        return best
    reason = (
        "no best discriminator: the two-sided penalty is not convex below its target, and on a "
        f"share of {mass:.3g} of the points between samples |t'| would be less than "
        f"{between.target}; zigzags of that slope come as near as one likes to V - penalty = "
        f"{best.objective.value:.6g}, which one_sided({between.weight}, {between.target}) reaches"
    )
    none = Estimate.undetermined(reason, METHOD)
    return replace(best, value=none, penalty=none, reason=reason)


def _solve(
    p: Univariate,
    q: Univariate,
    payoffs: PenalisedPayoffs,
    energy: Quadratic,
    piece: tuple[float, float],
) -> Solution:
    """Solve on one interval, cutting elements until duality bounds what is missed."""

    def densities(x: Array) -> tuple[Array, Array]:
        return p.pdf(x), q.pdf(x)

    edges = elements(p, q, *piece)
    found = start(edges, payoffs, densities, energy)
    if found.alone:
        return replace(found, converged=True)
    if payoffs.kinks:
        return best_at_rest(edges, payoffs, densities, energy)
    found = climb(found)
    if not found.converged:
        found = climb(start(edges, payoffs, densities, energy, level=True))
    total = np.inf
    for _ in range(ROUNDS):
        if not found.converged:
            return found
        gap, before = found.gap, total
        total = float(gap.sum())
        if total <= ENOUGH or total > STALLED * before or len(gap) > MOST_ELEMENTS:
            return found
        found = climb(found.cut(gap > min(ENOUGH / len(gap), 0.1 * float(gap.max()))))
    return found


def _assembled(
    game: Loss,
    laws: tuple[Univariate, Univariate],
    penalty: Regulariser,
    payoffs: PenalisedPayoffs,
    solved: list[Solution],
    finer: list[Solution],
) -> RegularisedDiscriminator:
    coarse = [one for one in solved if not one.alone]
    held = [(float(one.edges[0]), float(one.edges[-1])) for one in solved]
    loose = [0.0 if penalty.everywhere else mass_outside(law, held) for law in laws]
    alone = [sum(float(one.mass(k)) for one in solved if one.alone) for k in (0, 1)]
    free = sum(
        (mass + other) * payoffs.most(part)
        for part, mass, other in zip(("real", "fake"), loose, alone, strict=True)
        if mass + other > LOOSE
    )
    if math.isinf(free):
        return _without(game, laws, penalty, UNBOUNDED)
    values, costs = [s.value for s in finer], [s.penalty for s in finer]
    totals = [[float(sum(map(np.sum, one))) for one in (values, costs)]]
    totals.append([float(sum(getattr(s, n).sum() for s in coarse)) for n in ("value", "penalty")])
    value = between(totals[0][0] + free, totals[1][0] + free, values, METHOD)
    cost = between(totals[0][1], totals[1][1], costs, METHOD)
    missed = [left_out(laws, finer, part) for part in ("value", "penalty")]
    if not math.isfinite(sum(missed)):
        return _without(game, laws, penalty, HEAVY)
    value, cost = (
        replace(one, error=one.error + beyond)
        for one, beyond in zip((value, cost), missed, strict=True)
    )
    gap = float(sum(s.gap.sum() for s in finer)) + sum(missed)
    off = off_by(gap, cost)
    cost = replace(cost, error=float(cost.error + off))
    value = replace(value, error=float(value.error + gap + off))
    objective = between(
        totals[0][0] + free - totals[0][1], totals[1][0] + free - totals[1][1], [*values, *costs],
        f"{METHOD}, bounded by duality",
    )  # fmt: skip
    return RegularisedDiscriminator(
        game, *laws, penalty, value, cost, replace(objective, error=float(objective.error + gap)),
        next((one.reason for one in (value, cost) if one.status is not Status.OK), None),
        loose[1], tuple(coarse), tuple(finer),
    )  # fmt: skip
