"""`optimal_discriminator`: the best score under a penalty on its slope, in numbers with errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gantheory.densities import Density, parse_density
from gantheory.densities.base import Array
from gantheory.densities.univariate import Univariate
from gantheory.errors import GantheoryError
from gantheory.losses import find, get_loss
from gantheory.losses.critic import Critic, Expectations
from gantheory.losses.function_classes import GradientPenalty, Slope
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Status
from gantheory.regularised.bounds import change, missed_by, moved, off_by
from gantheory.regularised.elements import Solution, climb, start
from gantheory.regularised.energies import Quadratic
from gantheory.regularised.gradient_penalty import exceeding, flat_mass, sharper
from gantheory.regularised.kinks import Kinked, finest
from gantheory.regularised.lipschitz import bounded, refined
from gantheory.regularised.mesh import elements, intervals, mass_outside, supports
from gantheory.regularised.payoffs import PenalisedPayoffs, penalised_payoffs
from gantheory.regularised.regulariser import Regulariser
from gantheory.regularised.resting import Resting, best_at_rest
from gantheory.regularised.symmetric import LINE, reduced
from gantheory.regularised.tails import HEAVY, left_out
from gantheory.rounding import EPS
from gantheory.samples.reading import refuse_samples
from gantheory.shown import Shown
from gantheory.wrt import parameter_of_q

METHOD = "finite elements"
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
ROUNDING = 64 * EPS
LOOSE = 1e-13  # of a law's mass, outside of where the penalty acts
COARSE = 1e-3  # relative: a penalty that two resolutions see so differently is not resolved
FREE = "the scores that come next to the supremum do not agree on it"
SAFETY = 4.0  # the finer of two resolutions is nearer than their difference, by far when smooth


@dataclass(frozen=True, repr=False)
class RegularisedDiscriminator(Shown):
    """The best discriminator under a penalty on its slope.

    Attributes:
        loss: the game.
        p: the data density.
        q: the generator's density.
        regulariser: the penalty.
        value: V(D) = E_p[a] + E_q[b], without the penalty.
        penalty: ½·E[γ·t'²], or the gradient penalty.
        objective: what D maximises, V − penalty; its error is a bound by duality, and so are those
            of value and penalty.
        reason: why there are no numbers, where there are none.
        symmetry: what the score depends on, where p and q stand for laws in more dimensions.

    >>> best = optimal_discriminator("minimax", "normal(0, 1)", "normal(1, 1)", regulariser="r1(1)")
    >>> best.score(-1.0).value > best.score(2.0).value
    True
    """

    loss: Loss
    p: Univariate
    q: Univariate
    regulariser: Regulariser
    value: Estimate
    penalty: Estimate
    objective: Estimate
    reason: str | None = None
    loose: float = 0.0
    pieces: tuple[Solution, ...] = field(default=(), repr=False, compare=False)
    finer: tuple[Solution, ...] = field(default=(), repr=False, compare=False)
    symmetry: str | None = None

    def gradient(self, wrt: str = "q.loc") -> Estimate:
        """Return the derivative of the generator's loss in a parameter of q, with D held.

        It is E_q[c'(t)·t'·v] where the parameter moves each sample at the speed v, and
        E_q[c(t)·∂log q] for any other parameter.
        """
        name = parameter_of_q(wrt)
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        payoffs = penalised_payoffs(self.loss)
        if (why := self._not_followed(payoffs)) is not None:
            return Estimate.undetermined(why, METHOD)
        terms = [moved(self.q, name, payoffs, one) for one in self.finer]
        coarse = [moved(self.q, name, payoffs, one) for one in self.pieces]
        found = _between(sum(map(np.sum, terms)), sum(map(np.sum, coarse)), terms, METHOD)
        held = [one.moving if isinstance(one, Resting) else one for one in self.finer
                if isinstance(one.energy, Quadratic)]  # fmt: skip
        off = sum(missed_by(one, *change(self.q, name, payoffs, one)) for one in held)
        if not math.isfinite(off):
            return Estimate.undetermined(FREE, METHOD)
        return replace(found, error=float(found.error + off))

    def _not_followed(self, payoffs: PenalisedPayoffs) -> str | None:
        """Say where fakes are on which the penalty does not hold D, and its slope is not known."""
        if self.regulariser.everywhere:
            return None
        used = [law for law, weight in ((self.p, self.regulariser.on_real),
                                        (self.q, self.regulariser.on_fake)) if weight]  # fmt: skip
        torn = mass_outside(self.q, supports(self.p, self.q, used))
        if torn > LOOSE:
            where = "where the penalty's weight is 0, so that D may jump"
        elif self.loose > LOOSE and not payoffs.is_flat_on_recognised and not self._rests:
            torn, where = self.loose, "where the penalty's weight is below 1e-260"
        else:
            return None
        return f"q has the mass {torn:.3g} {where}; penalise fake samples too, as in 'both(1)'"

    @property
    def _rests(self) -> bool:
        """Whether D is constant where the penalty hardly holds it, as it rests on a kink."""
        return all(isinstance(one, Resting) and all(one.rests) for one in self.finer)

    def score(self, x: float) -> Estimate:
        """Return t(x); undetermined where nothing holds the score."""
        if self.reason is not None:
            return Estimate.undetermined(self.reason, METHOD)
        place = np.array([float(x)])
        for fine, coarse in zip(self.finer, self.pieces, strict=True):
            if fine.edges[0] <= place[0] <= fine.edges[-1]:
                one, other = (float(s.at(place)[0]) for s in (fine, coarse))
                error = SAFETY * abs(one - other) + 1e3 * ROUNDING * (1 + abs(one))
                return Estimate(one, error, method=METHOD)
        return Estimate.undetermined(
            f"x = {float(place[0]):g} lies where the penalty's weight vanishes", METHOD
        )

    def as_dict(self, wrt: str | None = None) -> dict[str, Any]:
        """Return the stable JSON keys."""
        numbers = {"value": self.value, "penalty": self.penalty, "objective": self.objective}
        if wrt is not None:
            numbers["gradient"] = self.gradient(wrt)
        return {
            "loss": self.loss.name,
            "p": str(self.p),
            "q": str(self.q),
            "regulariser": str(self.regulariser),
            "wrt": wrt,
            "symmetry": self.symmetry,
            **{name: one.as_dict() for name, one in numbers.items()},
        }  # fmt: skip

    def __str__(self) -> str:
        note = "" if self.symmetry is None else f"{self.symmetry}\n"
        head = f"{note}{self.loss.name} with {self.regulariser} on p = {self.p}, q = {self.q}\n"
        if self.reason is None:
            head += f"V(D) = {self.value}\npenalty = {self.penalty}\n"
        elif self.objective.status is not Status.OK:
            return f"{head}undetermined: {self.reason}"
        else:
            return f"{head}{self.reason}\nsupremum of V - penalty = {self.objective}"
        return f"{head}V - penalty = {self.objective}"


def optimal_discriminator(
    loss: str | Loss | Critic, p: Density | str, q: Density | str, *, regulariser: str | Regulariser
) -> RegularisedDiscriminator:
    r"""Return the discriminator that maximises V less a penalty on its slope, on the line.

    Isotropic normal laws in any dimension, of one width or of one mean, are brought to the line;
    under a gradient penalty those of one mean.

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
    if not isinstance(first, Univariate) or not isinstance(second, Univariate):
        raise GantheoryError(
            f"{first} and {second}: a penalised D is solved on the line, and for isotropic normal "
            "laws of one width or one mean"
        )
    payoffs = penalised_payoffs(game)
    laws = first, second
    if (bent := payoffs.why_not_concave()) is not None:
        return _without(game, laws, penalty, bent)
    if penalty.slope is not None:
        solved = [bounded(first, second, payoffs, float(penalty.slope))]
    elif (gp := penalty.between) is not None:
        solved = [exceeding(first, second, payoffs, float(gp.weight), float(gp.target))]
    else:
        pieces = intervals(first, second, penalty.on_real > 0, penalty.on_fake > 0)
        energy = Quadratic(float(penalty.on_real), float(penalty.on_fake))
        solved = [_solve(first, second, payoffs, energy, piece) for piece in pieces]
    if not all(one.converged for one in solved):
        return _without(game, laws, penalty, LOST)
    finer = [_finer(one, penalty) for one in solved if not one.alone]
    if not all(one.converged for one in finer):
        return _without(game, laws, penalty, LOST)
    record = _assembled(game, laws, penalty, payoffs, solved, finer)
    return record if penalty.between is None or penalty.between.one_sided else _two_sided(record)


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
    value = _between(totals[0][0] + free, totals[1][0] + free, values, METHOD)
    cost = _between(totals[0][1], totals[1][1], costs, METHOD)
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
    objective = _between(
        totals[0][0] + free - totals[0][1], totals[1][0] + free - totals[1][1], [*values, *costs],
        f"{METHOD}, bounded by duality",
    )  # fmt: skip
    return RegularisedDiscriminator(
        game, *laws, penalty, value, cost, replace(objective, error=float(objective.error + gap)),
        next((one.reason for one in (value, cost) if one.status is not Status.OK), None),
        loose[1], tuple(coarse), tuple(finer),
    )  # fmt: skip


def _between(fine: float, coarse: float, terms: Sequence[Array], method: str) -> Estimate:
    """Return the finer of two resolutions, with their difference and the rounding as its error."""
    rounding = ROUNDING * float(sum(np.abs(one).sum() for one in terms)) + LOOSE
    error = SAFETY * abs(float(fine) - float(coarse)) + rounding
    if error > COARSE * abs(fine) and error > 1e-8:
        return Estimate.undetermined(
            f"two resolutions give {coarse:.6g} and {fine:.6g}: the laws are not resolved", method
        )
    return Estimate(float(fine), float(error), method=method)
