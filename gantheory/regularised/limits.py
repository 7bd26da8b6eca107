r"""What V − penalty tends to for little and much penalty, as statements with false twins.

V − penalty does not grow with γ, as the penalty does not fall. And where a and b are concave, they
lie below their tangents at the best constant k, so that for every γ

.. math:: V - \tfrac\gamma2\int w\,t'^2 \le a(k) + b(k)
    + \frac{a'(k)^2}{2\gamma}\int\frac{(F_p-F_q)^2}{w}\,dx :

one pair of laws at one γ refutes what claims less for little penalty, or more for much of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, How, Status, Verdict
from gantheory.regularised.penalised import optimal_discriminator
from gantheory.theory.records import text

NAMES = {"r1": "R1", "r2": "R2", "both": "R1 and R2"}
PAIR = "normal(0, 1)", "normal(1/2, 1)"
LITTLE, MUCH = "1/100", "100"
LINEAR = Loss("linear", "t", "-t", "-t")  # whose V − penalty is half of the integral, over γ


def limits(
    game: Loss, kind: str, ways: dict[str, tuple[sp.Expr, str]], factor: sp.Expr
) -> Iterator[Verdict]:
    """Yield both limits of V − penalty and their refuted twins, where numbers are to be had.

    Args:
        game: the loss.
        kind: the penalty.
        ways: ``small`` and ``large`` -> the limit, and the theorem that it rests on.
        factor: of (1/γ)·∫(F_p − F_q)²/w for much penalty.
    """
    (small, dense), (large, smooth) = ways["small"], ways["large"]
    try:
        little, much = (
            optimal_discriminator(game, *PAIR, regulariser=f"{kind}({weight})").objective
            for weight in (LITTLE, MUCH)
        )
        integral = optimal_discriminator(LINEAR, *PAIR, regulariser=f"{kind}(1)").objective
    except GantheoryError:
        return
    if any(one.status is not Status.OK for one in (little, much, integral)):
        return
    name, here = NAMES[kind], f"at p = {PAIR[0]}, q = {PAIR[1]}"
    yield Verdict(
        f"with {name}, V - penalty tends to {small} as gamma -> 0", How.ASSUMED,
        assumptions=(dense,), reason="it does not fall as gamma does, and never exceeds V(D*)",
    )  # fmt: skip
    yield Verdict(
        f"with {name}, V - penalty stays {text(large)} as gamma -> 0", _refuted(little, large),
        counterexample=f"{here} it is {little.value:.6f} at gamma = {LITTLE}, and no less below",
    )  # fmt: skip
    bound = 2 * integral.value * float(factor)
    gained = float(MUCH) * (much.value - float(large))
    yield Verdict(
        f"with {name}, {_expansion(large, factor)}", How.ASSUMED, assumptions=(smooth,),
        reason=f"{here}, gamma = {MUCH}, what is gained is {gained:.6f}/gamma, and the first "
        f"order {bound:.6f}/gamma, below which concave payoffs keep it",
    )  # fmt: skip
    yield Verdict(
        f"with {name}, {_expansion(large, 2 * factor)}",
        How.REFUTED if gained <= bound else How.UNDECIDED,
        counterexample=f"{here} that is {2 * bound:.6f}/gamma to first order; concave payoffs keep "
        f"what is gained below {bound:.6f}/gamma at every gamma",
    )  # fmt: skip


def over_gamma(factor: sp.Expr | None) -> str:
    """Return a factor over gamma as text.

    >>> over_gamma(sp.Rational(1, 8))
    '1/(8*gamma)'
    """
    return str(text(factor / sp.Symbol("gamma"))) if factor is not None else "an unknown factor"


def _expansion(level: sp.Expr, factor: sp.Expr) -> str:
    return (
        f"V - penalty = {text(level)} + {over_gamma(factor)} * integral of (F_p - F_q)^2/w + "
        "O(1/gamma^2) as gamma -> oo"
    )


def _refuted(estimate: Estimate, level: sp.Expr) -> How:
    """Return that a number is certainly above a level, or that it is not known to be."""
    return How.REFUTED if estimate.value - estimate.error > float(level) else How.UNDECIDED
