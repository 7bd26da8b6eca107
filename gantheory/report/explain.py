"""What a loss curve says: ranges, equilibria, stuck values and certified bounds, all derived.

For people staring at a number that has stopped moving. Everything here is read off the derivation
of the loss; nothing is written for a particular loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from gantheory.critics import derive_critic
from gantheory.deadline import OutOfTime, Undecided
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.derivations.wording import value_text
from gantheory.errors import GantheoryError, require_finite
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.functions import r, to_sympy
from gantheory.losses import find, summed
from gantheory.losses.constrained import MEANS, MINUS
from gantheory.losses.critic import Critic
from gantheory.losses.function_classes import AnyFunction
from gantheory.losses.loss import Loss
from gantheory.report.explanation import GUARDED, Explanation, LossRange, Plateau
from gantheory.theory.cases import in_cases
from gantheory.theory.guards import GUARDS, UNGUARDED, Guard
from gantheory.theory.identify import combination_text
from gantheory.theory.pieces import domain_of
from gantheory.theory.records import text


def explain(
    loss: Loss | str,
    *,
    discriminator_loss: float | None = None,
    stuck: float | None = None,
    heads: int | None = None,
) -> Explanation:
    """Explain what the values of a loss mean.

    The discriminator's loss is −V, both of its terms added, in nats.

    Args:
        loss: a `Loss`, or the name of one, constrained critics included.
        discriminator_loss: a measured loss, to be turned into a bound.
        stuck: a value at which a loss has stopped, to be recognised.
        heads: how many discriminators of the loss are summed; unless given, what the loss says.

    >>> explain("minimax").discriminator.equilibrium
    2*log(2)
    >>> explain("minimax", discriminator_loss=1.0).bound.divergence
    '2*jsd'
    >>> explain("minimax", stuck=1.386).stuck_at[0].when
    'D = 1/2 everywhere'
    """
    stuck = stuck if stuck is None else require_finite("stuck", stuck)
    measured = discriminator_loss
    measured = measured if measured is None else require_finite("discriminator_loss", measured)
    entry = find(loss)
    found = _explanation(entry if heads is None else summed(entry, heads))
    bound = None if measured is None else found.certify(measured)
    return replace(found, bound=bound, stuck=stuck)


def _explanation(entry: Loss | Critic) -> Explanation:
    if isinstance(entry, Critic):
        return _explain_critic(entry)
    found = derive(entry)
    if found.optimum is None:
        reason = found.no_optimum or "; ".join((found.undecided or {}).values())
        raise GantheoryError(f"loss {found.definition.name!r} has no optimum to explain: {reason}")
    return _explain(found)


def _explain(derivation: Derivation) -> Explanation:
    discriminator, generator = _discriminator(derivation), _generator(derivation)
    recognised = _end_of_generator(derivation, False)
    plateaus = (
        *_equilibrium(derivation),
        *_separated(discriminator, recognised),
        *_guarded(derivation),
    )
    saturation = derivation.saturation
    return Explanation(
        derivation.definition,
        discriminator,
        generator,
        plateaus,
        _gradient(derivation),
        None if saturation is None else saturation.vanishing,
        _follows(derivation),
        _reported(derivation),
        vanishing_in_score=None if saturation is None else saturation.vanishing_in_score,
    )


def _discriminator(derivation: Derivation) -> LossRange:
    """The loss −V(D*) falls from its equilibrium by the divergence that V reports."""
    at_equality = derivation.equilibrium and derivation.equilibrium.discriminator_loss
    most = derivation.disjoint and derivation.disjoint.value
    lowest = None
    if at_equality is not None and most is not None:
        lowest = in_cases(lambda level, fall: sp.simplify(level - fall), at_equality, most)
    negative = None if lowest is None else lowest.is_extended_negative  # V(D) <= V(D*) for any D
    return LossRange(at_equality, lowest, at_equality, negative)


def _generator(derivation: Derivation) -> LossRange:
    """At D* the mean loss is E_q h(r), where r has a mean of at most 1 under Q.

    Where h falls it lies between its ends; where h is convex too, not below h(1), by Jensen.
    """
    equilibrium = derivation.equilibrium and derivation.equilibrium.generator_loss
    lowest, highest = _ends_of_generator(derivation)
    if lowest is not None and derivation.loss is not None and derivation.loss.is_divergence:
        lowest = derivation.loss.constant
    return LossRange(equilibrium, lowest, highest, _generator_sign(derivation, lowest))


def _generator_sign(derivation: Derivation, lowest: sp.Expr | None) -> bool | None:
    payoff = to_sympy(derivation.definition.generator)
    if payoff.is_nonnegative:
        return False
    if payoff.is_nonpositive or (lowest is not None and lowest.is_extended_negative):
        return True
    return None


def _ends_of_generator(derivation: Derivation) -> tuple[sp.Expr | None, sp.Expr | None]:
    """The loss of one sample falls from r → 0 (recognised) to r → ∞ where h is monotone."""
    if derivation.followed is None or derivation.followed.is_divergence is not True:
        return None, None  # h is not monotone: its ends are not extreme
    return _end_of_generator(derivation, True), _end_of_generator(derivation, False)


def _end_of_generator(derivation: Derivation, last: bool) -> sp.Expr | None:
    assert derivation.optimum is not None
    branch = derivation.optimum.branches[-1 if last else 0]  # they are in order of their ratios
    if branch.undetermined:
        return None
    if derivation.implicit is not None:
        return derivation.implicit.end_of_loss(last)
    parameters = Assumptions.of(derivation.definition.parameters)
    try:
        point, side = (sp.oo, -1) if last else (sp.S.Zero, 1)
        return limit(branch.generator, r, point, side, parameters)
    except OutOfTime:
        raise
    except Undecided:
        return None


def _equilibrium(derivation: Derivation) -> Iterator[Plateau]:
    even = derivation.equilibrium
    if even is None:
        return
    state = f"D = {value_text(even.D)} everywhere"
    both = (
        "P = Q, or the discriminator has learned nothing: a constant output gives this value "
        "whatever the samples look like, so it is no evidence of convergence on its own"
    )
    variants = tuple(_variants(derivation.definition))
    for loss, value in (
        ("discriminator", even.discriminator_loss),
        ("generator", even.generator_loss),
    ):
        if value is None:
            continue
        yield Plateau(loss, value, state, both)
        for factor, how in variants if value != 0 else ():
            yield Plateau(loss, in_cases(lambda one, k=factor: one / k, value), state + how, both)
    if even.discriminator_loss != 0:
        averaged = f"{state}, where the code averages the two terms of the loss"
        halved = in_cases(lambda one: one / 2, even.discriminator_loss)
        yield Plateau("discriminator", halved, averaged, both)


def _variants(loss: Loss) -> Iterator[tuple[sp.Expr, str]]:
    """Yield the factors that code may leave out, and in which words."""
    heads = loss.typed.heads if loss.typed else 1
    factor = _common_factor(loss) / heads
    if factor != 1:
        yield factor, f", where the code leaves out the factor {factor}"
    if heads > 1:
        yield sp.Integer(heads), f", where the code averages over the {heads} heads"


def _common_factor(loss: Loss) -> sp.Expr:
    """Return the number that all payoffs are multiples of, as 1/2 in front of squares."""
    parts = (to_sympy(text) for text in (loss.real, loss.fake, loss.generator))
    sizes = {abs(part.as_coeff_Mul()[0]) for part in parts}
    return sizes.pop() if len(sizes) == 1 else sp.Integer(loss.typed.heads if loss.typed else 1)


def _separated(discriminator: LossRange, recognised: sp.Expr | None) -> Iterator[Plateau]:
    state = "D separates P from Q perfectly"
    if discriminator.lowest is not None and discriminator.lowest.is_finite:
        yield Plateau(
            "discriminator",
            discriminator.lowest,
            state,
            "the divergence that D reports is at its maximum and says nothing about how far apart "
            "the samples are; on few samples an overfitted D reads the same",
        )
    if recognised is not None and recognised.is_finite:
        yield Plateau(
            "generator",
            recognised,
            state,
            "every fake is recognised; the loss is bounded there, so it is flat in log r",
        )


def _guarded(derivation: Derivation) -> Iterator[Plateau]:
    """What the losses read where D is confidently wrong or right and a guard cuts the logarithm.

    Guards act on probabilities: a loss of the raw score needs none.
    """
    if derivation.definition.link != "sigmoid(t)" or set(derivation.definition.parameters):
        return
    definition, seen = derivation.definition, set()
    real, fake, loss = (
        to_sympy(text) for text in (definition.real, definition.fake, definition.generator)
    )
    for guard in GUARDS:
        low, high = (_is_in_domain(definition, guard, side) for side in (-1, 1))
        for name, value, when in _cut(guard, real, fake, loss, low, high):
            known = value.is_real and abs(float(value)) > UNGUARDED
            if known and (name, value) not in seen:
                seen.add((name, value))
                yield Plateau(name, value, when, GUARDED)


def _cut(
    guard: Guard, real: sp.Expr, fake: sp.Expr, loss: sp.Expr, low: bool, high: bool
) -> Iterator[tuple[str, sp.Expr, str]]:
    """Yield the losses where a guard cuts D, near 0 if ``low`` and near 1 if ``high``."""
    if low:
        yield "discriminator", -guard.at(real, -1), f"real samples are taken for fake; {guard.said}"
        yield "generator", guard.at(loss, -1), f"every fake is recognised; {guard.said}"
    if high:
        yield "discriminator", -guard.at(fake, 1), f"fakes are taken for real; {guard.said}"
        yield "generator", guard.at(loss, 1), f"every fake is taken for real; {guard.said}"
    if low and high:
        both = -guard.at(real, -1) - guard.at(fake, 1)
        wrong = f"D is wrong on real and on fake samples; {guard.said}"
        yield "discriminator", both, wrong
        yield "discriminator", both / 2, f"{wrong}, and the code averages the two terms"


def _is_in_domain(loss: Loss, guard: Guard, side: int) -> bool:
    """Whether the discriminator may output the score at which a guard cuts."""
    lower, upper, _, _ = domain_of(loss, Assumptions.of(loss.parameters))
    score = guard.low if side < 0 else -guard.high  # log(D/(1 - D)), but for one part in 1e-6
    return bool(lower < score) and bool(score < upper)


def _gradient(derivation: Derivation) -> str:
    saturation = derivation.saturation
    if saturation is None:
        return "undecided: " + (derivation.undecided or {}).get(
            "saturation", "no followed curvature"
        )
    in_ratio = _vanishes(
        "in log r", "w(r)", saturation.weight, saturation.limit_at_0, saturation.vanishing
    )
    if saturation.in_score is None:
        return f"per fake sample, {in_ratio}; its slope in the raw score is undecided"
    in_score = _vanishes(
        "in the raw score", "c'(t*)", saturation.in_score, saturation.score_limit_at_0,
        saturation.vanishing_in_score,
    )  # fmt: skip
    return f"per fake sample, {in_ratio}; {in_score}"


def _vanishes(
    place: str, name: str, weight: sp.Expr, end: sp.Expr | None, vanishing: bool | None
) -> str:
    said = f"{place} it is {name} = {text(weight)}"
    if vanishing is None:
        return f"{said}, whose limit where D recognises fakes (r -> 0) is undecided"
    if vanishing:
        return f"{said}, which vanishes where D recognises fakes (r -> 0)"
    return f"{said}, which stays at {text(end)} where D recognises fakes (r -> 0)"


def _follows(derivation: Derivation) -> str:
    followed = derivation.followed
    if followed is None:
        return "undecided"
    if followed.is_divergence is False:
        return f"no divergence: the curvature is negative at r = {text(followed.counterexample)}"
    return followed.divergence


def _reported(derivation: Derivation) -> str:
    if derivation.value is None:
        return "undecided"
    return (
        combination_text(derivation.value.terms)
        if derivation.value.terms
        else derivation.value.divergence
    )


def _explain_critic(loss: Critic) -> Explanation:
    is_difference = loss.objective == MEANS and not isinstance(loss.constraint, AnyFunction)
    if not is_difference or loss.generator != MINUS:
        raise GantheoryError(
            f"loss {loss.name!r} has no loss range to explain; see 'gantheory derive {loss.name}'"
        )
    named = derive_critic(loss).named
    plateau = Plateau(
        "discriminator",
        sp.S.Zero,
        "the critic is constant",
        "P = Q, or the critic has learned nothing",
    )
    return Explanation(
        loss,
        LossRange(sp.S.Zero, -sp.oo, sp.S.Zero, True),
        LossRange(None, -sp.oo, sp.oo, True),  # adding a constant to the critic shifts it
        (plateau,),
        "the critic's slope reaches the generator directly; no sigmoid saturates",
        False,
        named,
        named,
    )
