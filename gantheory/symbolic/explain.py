"""What a loss curve says: ranges, equilibria, stuck values and certified bounds, all derived.

For people staring at a number that has stopped moving. Everything here is read off the derivation
of the game; nothing is written for a particular loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import sympy as sp

from gantheory.errors import GantheoryError, unknown_name
from gantheory.game import Game
from gantheory.games import CATALOGUE, CRITICS
from gantheory.games.constrained import MINUS, Critic
from gantheory.symbolic.asymptotics import limit
from gantheory.symbolic.atoms import r, sigmoid, softplus, t, to_sympy
from gantheory.symbolic.critics import derive_critic
from gantheory.symbolic.derivation import Derivation, text
from gantheory.symbolic.engine import derive
from gantheory.symbolic.explanation import GUARDED, Explanation, LossRange, Plateau
from gantheory.symbolic.identify import combination_text
from gantheory.symbolic.limits import Undecided
from gantheory.symbolic.positivity import Parameters

# What implementations add inside logarithms, or clamp probabilities to; the plateau at
# 13.8 = -log(1e-6) is the one reported most often.
GUARDS = tuple(sp.Rational(1, 10**k) for k in (6, 7, 8, 10, 12))
UNGUARDED = 10.0  # a mean loss beyond exp(-10) = 5e-5 is a guard's, not a discriminator's


def explain(game: Game | str, *, discriminator_loss: float | None = None) -> Explanation:
    """Explain what the losses of a game mean.

    The discriminator's loss is −V, both of its terms added, in nats.

    Args:
        game: a game, or the name of one, constrained critics included.
        discriminator_loss: a measured loss, to be turned into a bound.

    >>> explain("minimax").discriminator.equilibrium
    2*log(2)
    >>> explain("minimax", discriminator_loss=1.0).bound.divergence
    '2*jsd'
    """
    found = _explanation(game)
    return (
        found
        if discriminator_loss is None
        else replace(found, bound=found.certify(discriminator_loss))
    )


def _explanation(game: Game | str) -> Explanation:
    if isinstance(game, str) and game in CRITICS:
        return _explain_critic(CRITICS[game])
    if isinstance(game, str) and game not in CATALOGUE:
        raise unknown_name("game", game, [*CATALOGUE, *CRITICS])
    found = derive(game)
    if found.optimum is None:
        reason = found.no_optimum or "; ".join((found.undecided or {}).values())
        raise GantheoryError(f"game {found.game.name!r} has no optimum to explain: {reason}")
    return _explain(found)


def _explain(found: Derivation) -> Explanation:
    discriminator, generator = _discriminator(found), _generator(found)
    recognised = _end_of_generator(found, False)
    plateaus = (*_equilibrium(found), *_separated(discriminator, recognised), *_guarded(found))
    saturation = found.saturation
    return Explanation(
        found.game,
        discriminator,
        generator,
        plateaus,
        _gradient(found),
        None if saturation is None else saturation.vanishing,
        _follows(found),
        _reported(found),
    )


def _discriminator(found: Derivation) -> LossRange:
    """The loss −V(D*) falls from its equilibrium by the divergence that V reports."""
    at_equality = None if found.value is None else -found.value.constant
    most = found.disjoint and found.disjoint.value
    lowest = None if at_equality is None or most is None else sp.simplify(at_equality - most)
    negative = None if lowest is None else lowest.is_extended_negative  # V(D) <= V(D*) for any D
    return LossRange(at_equality, lowest, at_equality, negative)


def _generator(found: Derivation) -> LossRange:
    """At D* the mean loss is E_q h(r), where r has a mean of at most 1 under Q.

    Where h falls it lies between its ends; where h is convex too, not below h(1), by Jensen.
    """
    equilibrium = found.equilibrium and found.equilibrium.generator_loss
    lowest, highest = _ends_of_generator(found)
    if lowest is not None and found.loss is not None and found.loss.is_divergence:
        lowest = found.loss.constant
    return LossRange(equilibrium, lowest, highest, _generator_sign(found, lowest))


def _generator_sign(found: Derivation, lowest: sp.Expr | None) -> bool | None:
    payoff = to_sympy(found.game.generator)
    if payoff.is_nonnegative:
        return False
    if payoff.is_nonpositive or (lowest is not None and lowest.is_extended_negative):
        return True
    return None


def _ends_of_generator(found: Derivation) -> tuple[sp.Expr | None, sp.Expr | None]:
    """The loss of one sample falls from r → 0 (recognised) to r → ∞ where h is monotone."""
    if found.followed is None or found.followed.is_divergence is not True:
        return None, None  # h is not monotone: its ends are not extreme
    return _end_of_generator(found, True), _end_of_generator(found, False)


def _end_of_generator(found: Derivation, last: bool) -> sp.Expr | None:
    assert found.optimum is not None
    branches = sorted(found.optimum.branches, key=lambda branch: float(branch.ratios[0]))
    branch = branches[-1 if last else 0]
    parameters = Parameters.of(found.game)
    try:
        point, side = (sp.oo, -1) if last else (sp.S.Zero, 1)
        return limit(branch.generator, r, point, side, parameters)
    except Undecided:
        return None


def _equilibrium(found: Derivation) -> Iterator[Plateau]:
    even = found.equilibrium
    if even is None:
        return
    state = f"D = {text(even.D)} everywhere"
    both = (
        "P = Q, or the discriminator has learned nothing: a constant output gives this value "
        "whatever the samples look like, so it is no evidence of convergence on its own"
    )
    yield Plateau("discriminator", even.discriminator_loss, state, both)
    yield Plateau("generator", even.generator_loss, state, both)
    if even.discriminator_loss != 0:
        averaged = f"{state}, where the code averages the two terms of the loss"
        yield Plateau("discriminator", even.discriminator_loss / 2, averaged, both)


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
            "every fake is recognised; the loss is bounded there, so it is flat in the logit",
        )


def _guarded(found: Derivation) -> Iterator[Plateau]:
    """What the losses read where D is confidently wrong or right and a guard cuts the logarithm."""
    if found.game.link != "sigmoid(t)" or set(found.game.parameters):
        return
    seen = set()
    for loss, formula, sign in (
        ("discriminator", found.game.real, -1),
        ("discriminator", found.game.fake, -1),
        ("generator", found.game.generator, 1),
    ):
        payoff = sign * _in_logs(to_sympy(formula))
        for guard, side in product(GUARDS, (1, -1)):
            value = payoff.subs(t, side * sp.log(guard))
            if value.is_real and float(value) > UNGUARDED and (loss, value) not in seen:
                seen.add((loss, value))
                yield Plateau(loss, value, _guarded_at(guard), GUARDED)


def _guarded_at(guard: sp.Rational) -> str:
    return f"probabilities are kept {float(guard):.0e} away from 0 and 1"


def _in_logs(payoff: sp.Expr) -> sp.Expr:
    return payoff.replace(softplus, lambda u: sp.log(1 + sp.exp(u))).replace(
        sigmoid, lambda u: 1 / (1 + sp.exp(-u))
    )


def _gradient(found: Derivation) -> str:
    saturation = found.saturation
    if saturation is None:
        return "undecided: " + (found.undecided or {}).get("saturation", "no followed curvature")
    weight = f"the gradient per fake sample in the logit is w(r) = {text(saturation.weight)}"
    if saturation.vanishing is None:
        return f"{weight}; its limit where D recognises fakes (r -> 0) is undecided"
    if saturation.vanishing:
        return f"{weight}, which vanishes where D recognises fakes (r -> 0)"
    return (
        f"{weight}, which stays at {text(saturation.limit_at_0)} where D recognises fakes (r -> 0)"
    )


def _follows(found: Derivation) -> str:
    followed = found.followed
    if followed is None:
        return "undecided"
    if followed.is_divergence is False:
        return f"no divergence: the curvature is negative at r = {text(followed.counterexample)}"
    return followed.divergence


def _reported(found: Derivation) -> str:
    if found.value is None:
        return "undecided"
    return combination_text(found.value.terms) if found.value.terms else found.value.divergence


def _explain_critic(game: Critic) -> Explanation:
    if game.objective.startswith("E_{") or game.generator != MINUS:
        raise GantheoryError(
            f"game {game.name!r} has no loss range to explain; see 'gantheory derive {game.name}'"
        )
    named = derive_critic(game).named
    plateau = Plateau(
        "discriminator",
        sp.S.Zero,
        "the critic is constant",
        "P = Q, or the critic has learned nothing",
    )
    return Explanation(
        game,
        LossRange(sp.S.Zero, -sp.oo, sp.S.Zero, True),
        LossRange(None, -sp.oo, sp.oo, True),  # adding a constant to the critic shifts it
        (plateau,),
        "the critic's slope reaches the generator directly; no sigmoid saturates",
        False,
        named,
        named,
    )
