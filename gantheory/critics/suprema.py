r"""The objective's linear part, and the two suprema that every linear objective rests on.

Each linear objective is :math:`\sup_v \int g\,v` over a ball for v, which is f itself or its
derivative: integration by parts writes :math:`E_p f - E_q f = \int (F_q - F_p) f'\,dx` on the
line. Two lemmas do the rest, |v| ≤ K and :math:`\int w v^2 \le 1`, both derived here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy as sp

from gantheory.critics.record import ZERO_SUM
from gantheory.derivations.exposition import Step
from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.functions import t, to_sympy
from gantheory.losses.critic import Averages, Critic, Expectations, Functional, Pairs
from gantheory.losses.function_classes import LAW, PENALTY_WEIGHT, SIZE
from gantheory.records import How
from gantheory.theory.records import known

g = sp.Symbol("g", real=True)
v = sp.Symbol("v", real=True)
w, lam, d = sp.symbols("w lambda d", positive=True)
p, q, mu = sp.symbols("p q mu", positive=True)
F_p, F_q = sp.symbols("F_p F_q", nonnegative=True)
DENSITIES = {"p": p, "q": q, "mu": mu}
BY_PARTS = "integration by parts with a bounded variation (Folland 1999, Real Analysis, 3.36)"
GENERIC = (sp.Rational(1, 3), sp.Rational(3, 2), sp.Rational(7, 5))
CALCULUS = "the fundamental theorem of calculus (Folland 1999, Real Analysis, 3.35)"


@dataclass(frozen=True)
class Linear:
    """The objective real·E_p f − fake·E_q f + constant; constants in f drop out where balanced."""

    real: sp.Expr
    fake: sp.Expr
    constant: sp.Expr

    @property
    def balanced(self) -> bool:
        """Whether adding a constant to f changes nothing."""
        return bool(sp.simplify(self.real - self.fake) == 0)


def linear_part(loss: Critic) -> Linear | None:
    """Return the objective's coefficients; None where a payoff is not linear in the score."""
    objective = loss.objective
    if isinstance(objective, Functional):
        return None
    if isinstance(objective, Pairs):
        parts = to_sympy(objective.payoff), sp.Integer(0)
    else:
        parts = to_sympy(objective.real), to_sympy(objective.fake)
    slopes = [sp.simplify(sp.diff(part, t)) for part in parts]
    if any(slope.has(t) for slope in slopes):
        return None
    constant = sp.simplify(sum(part.subs(t, 0) for part in parts))
    if isinstance(objective, Pairs):
        return Linear(slopes[0], slopes[0], constant)
    if isinstance(objective, Averages):  # each payoff subtracts the other law's mean
        both = sp.simplify(slopes[0] - slopes[1])
        return Linear(both, both, constant)
    return Linear(slopes[0], -slopes[1], constant)


def follows_value(loss: Critic) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return what G's gradient is, with f held at its optimum, or why that is open.

    The gradient of the maximised value in Q is that of the fake payoff (envelope theorem), so it
    is enough that the generator's loss is a multiple of that payoff; but not where the class
    itself moves with Q, as Fisher GAN's does, whose law is (p + q)/2.
    """
    objective = loss.objective
    if isinstance(objective, Averages | Functional):
        return (), {}  # each payoff feels both laws
    fake = objective.fake if isinstance(objective, Expectations) else f"-({objective.payoff})"
    slopes = [sp.simplify(sp.diff(to_sympy(part), t)) for part in (loss.generator, fake)]
    factor = sp.simplify(slopes[0] / slopes[1]) if slopes[1] != 0 else sp.nan
    if re.search(r"\bq\b", getattr(loss.constraint, "law", "")):
        return (
            "the class of critics moves with Q: with f held at its optimum, G descends its own "
            "loss's gradient, which is not that of the value",
        ), {}
    if factor == 1:
        return (ZERO_SUM,), {}
    if factor.is_number and factor.is_finite:
        return (
            f"with f held at its optimum, G descends {factor} times the gradient of the value",
        ), {}
    return (), {
        "followed": f"the generator's loss {loss.generator} is no multiple of the fake payoff "
        f"{fake}, so that G does not descend the value"
    }


def positive_size(text: str, zero: bool = False) -> sp.Expr:
    """Return a positive size as an expression; ``zero`` admits 0 too.

    Raises:
        GantheoryError: where it is not positive.
    """
    found = lam if text == PENALTY_WEIGHT else to_sympy(parse(text, SIZE))
    if not (found.is_positive or (zero and found == 0)):
        raise GantheoryError(f"size {text!r} must be positive for every value of its parameters")
    return found


def density_of_law(text: str) -> sp.Expr:
    """Return the density of a law, which must not be negative where p, q and mu are positive.

    Raises:
        GantheoryError: with the point at which it is negative.
    """
    found = to_sympy(parse(text, LAW), DENSITIES)
    names = sorted(found.free_symbols, key=str)
    for shift in range(3):
        at = {name: GENERIC[(k + shift) % 3] * (1 + k) for k, name in enumerate(names)}
        if sp.N(found.xreplace(at)) <= 0:
            shown = ", ".join(f"{name} = {value}" for name, value in at.items())
            raise GantheoryError(
                f"law {text!r} is not positive at {shown or 'any point'}; "
                "give a density, such as '(p + q)/2'"
            )
    return found


def bounded_supremum(most: sp.Expr = sp.S.One) -> tuple[sp.Expr, sp.Expr, Step]:
    """Return the maximiser and the maximum of g·v over |v| ≤ ``most``, for every real g."""
    ends = g * most, g * (-most)
    best = sp.Max(*ends).rewrite(sp.Abs)
    linear = sp.simplify(sp.diff(g * v, v, 2)) == 0  # so the maximum is at an end
    factor = "" if most == 1 else f"{most}*"
    shown = "" if most == 1 else sp.latex(most)
    step = Step(
        "Pointwise supremum",
        f"g*v is linear in v, so over |v| <= {most} it is largest at v = {factor}sign(g), where "
        f"it is {factor}|g|",
        rf"\sup_{{|v|\le {sp.latex(most)}}} g\,v = {shown}|g|,"
        rf"\quad v^* = {shown}\operatorname{{sign}} g",
        known(linear, sp.simplify(best - most * sp.Abs(g)) == 0),
        "a linear function is largest at an end of an interval",
    )
    return most * sp.sign(g), most * sp.Abs(g), step


def weighted_supremum() -> tuple[sp.Expr, sp.Expr, Step]:
    """Return the maximiser of ∫ g·v over ∫ w·v² ≤ 1 for multiplier λ, and the integrand of λ²."""
    lagrangian = g * v - lam / 2 * w * v**2
    (stationary,) = sp.solve(sp.diff(lagrangian, v), v)
    second = sp.diff(lagrangian, v, 2)
    square = sp.simplify((w * stationary**2) * lam**2)  # the constraint makes its integral λ²
    same = sp.simplify(g * stationary * lam - square) == 0  # so ∫ g·v = λ
    step = Step(
        "Lagrangian",
        f"d/dv (g*v - lambda/2*w*v**2) = 0 at v = {stationary}, a maximum as the second "
        f"derivative {second} < 0; the constraint gives lambda**2 = integral of {square}, "
        "and the value is lambda",
        rf"v^*={sp.latex(stationary)},\quad \lambda^2=\int {sp.latex(square)},"
        r"\quad \int g\,v^*=\lambda",
        known(second.is_negative, same),
        "stationarity of a concave integrand at every point",
    )
    return stationary, square, step


def by_parts() -> Step:
    """Return the step that moves the derivative onto the critic."""
    return Step(
        "Integration by parts",
        "E_p f - E_q f = integral of (F_q - F_p)*f'",
        r"\mathbb{E}_p[f] - \mathbb{E}_q[f] = \int (F_q-F_p)\,f'\,dx",
        How.PROVED,
        "F_q - F_p vanishes at both ends",
        BY_PARTS,
    )


def value_step(text: str, latex: str, reason: str, theorem: str = "") -> Step:
    """Return the step that states the value."""
    return Step("Value", text, latex, How.PROVED, reason, theorem)


def from_slope(slope: sp.Expr) -> sp.Expr:
    """Return the critic with this slope in the laws' functions F_p, F_q, p, q, mu; f(0) = 0.

    >>> from_slope(sp.sign(F_q - F_p))
    Integral(sign(-F_p(s) + F_q(s)), (s, 0, x))
    """
    s, x = sp.symbols("s x", real=True)
    at_s = {symbol: sp.Function(symbol.name)(s) for symbol in (F_p, F_q, p, q, mu)}
    return sp.Integral(slope.xreplace(at_s), (s, 0, x))
