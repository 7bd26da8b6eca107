"""Critics between two points at a distance d: a gradient penalty, and mirrored payoffs."""

from __future__ import annotations

import sympy as sp

from gantheory.critics.published import read_value
from gantheory.critics.record import CriticDerivation, judge_claim
from gantheory.critics.suprema import (
    CALCULUS,
    F_p,
    F_q,
    Linear,
    d,
    positive_size,
    v,
    value_step,
)
from gantheory.derivations.exposition import Step
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import relu, t, to_sympy
from gantheory.losses.critic import Critic, Expectations, in_place_of_score
from gantheory.losses.function_classes import GradientPenalty, Slope
from gantheory.records import How, Verdict
from gantheory.theory.records import known

APART = "P and Q are points at distance d > 0"


CONVEX = (
    "a concave objective on a symmetric convex set is largest at a symmetric point (Boyd and "
    "Vandenberghe 2004, Convex Optimization, exercise 4.4)"
)


def penalised_slope(loss: Critic, linear: Linear) -> CriticDerivation:
    """Two points at distance d: the mean over the segment of real·d·f' − weight(f' − target)²."""
    assert isinstance(loss.constraint, GradientPenalty)
    weight = positive_size(loss.constraint.weight)
    target = positive_size(loss.constraint.target, zero=True)
    gain = sp.Abs(linear.real)
    integrand = gain * d * v - weight * (v - target) ** 2
    (slope,) = map(sp.expand, sp.solve(sp.diff(integrand, v), v))
    second = sp.diff(integrand, v, 2)
    value = sp.expand(sp.simplify(integrand.subs(v, slope))) + linear.constant
    gradient = sp.simplify(sp.diff(value, d))
    steps = (
        Step(
            "Along the segment",
            f"with slope v the objective is the mean over the segment of {integrand}",
            rf"\frac1d\int_0^d {sp.latex(integrand)}\,ds",
            How.PROVED,
            "x is uniform on the segment",
            CALCULUS,
        ),
        Step(
            "Optimal slope",
            f"v = {slope} at every point, a maximum as the second derivative {second} < 0",
            rf"v^* = {sp.latex(slope)}",
            known(second.is_negative, sp.expand(slope - target).is_positive),
            "stationarity of a concave integrand; the slope exceeds the penalty's target",
        ),
        value_step(
            f"{value}, where W1 = d; its derivative in d is {gradient}",
            rf"V = {sp.latex(value)},\quad \partial_d V = {sp.latex(gradient)}",
            "substitution",
        ),
    )
    where = (
        f"{APART}; {weight} > 0 is the penalty's weight; x is the place on the segment, counted "
        "from Q"
    )
    sign = sp.sign(linear.real)
    return CriticDerivation(
        loss,
        sign * slope * sp.Symbol("x", real=True),
        value,
        str(value),
        steps,
        (where,),
        _judge_on_points(loss, value, steps),
        slope=sign * slope,
    )


def _judge_on_points(loss: Critic, value: sp.Expr, steps: tuple[Step, ...]) -> tuple[Verdict, ...]:
    """Judge a published integral of the cdfs for two points at distance d."""
    if not loss.claims or loss.claims[0].value is None:
        return ()
    claimed = read_value(loss.claims[0].value)
    if not claimed.integrand.has(F_p, F_q) or claimed.root:
        raise GantheoryError(
            f"the claim {loss.claims[0].value!r} of critic {loss.name!r} cannot be read on two "
            "points; claim w1 or an integral of the cdfs"
        )
    on_points = claimed.constant + d * claimed.integrand.xreplace({F_p: sp.S.Zero, F_q: sp.S.One})
    same = sp.simplify(value - on_points) == 0
    at = {symbol: sp.Integer(1 if symbol == d else 10) for symbol in value.free_symbols | {d}}
    given = ", ".join(f"{name} = {at[name]}" for name in sorted(at, key=str))
    example = f"at distance {given}: {value.subs(at)} is not {on_points.subs(at)}"
    return judge_claim(loss, same, str(value), steps, example)


def mirrored_payoffs(
    loss: Critic, objective: Expectations, bound: Slope
) -> CriticDerivation | None:
    """Two points at distance d, payoffs with a(t) = b(−t) concave and a increasing: f = ±Kd/2."""
    most, real = positive_size(bound.most), to_sympy(objective.real)
    mirrored = to_sympy(in_place_of_score(objective.fake, "-t"))
    if sp.simplify(real - mirrored) != 0 or not all(map(_rises, sp.Add.make_args(real))):
        return None
    half = most * d / 2
    value = 2 * real.xreplace({t: half})
    pull = sp.diff(to_sympy(loss.generator), t).xreplace({t: -half}) * most
    steps = (
        Step(
            "Symmetry",
            "a(t) = b(-t): exchanging the points and the sign of f changes nothing, and the "
            "objective is concave, so f = s at P and f = -s at Q",
            r"a(t)=b(-t)\ \Rightarrow\ f(x_p)=s=-f(x_q)",
            How.PROVED,
            "exact algebra, and the signs of a' and a''",
            CONVEX,
        ),
        value_step(
            f"2*a(s) grows with s up to s = {half}, where the bound {most} on the slope is "
            f"reached: V = {value}",
            rf"V = 2a\left({sp.latex(half)}\right) = {sp.latex(value)}",
            "a' > 0",
        ),
        Step(
            "The generator's gradient",
            f"with f held its slope towards Q is {-most}: the fake sample is moved by {pull} "
            "towards P",
            rf"-c'(f)\,f' = {sp.latex(pull)}",
            How.PROVED,
            "the chain rule",
        ),
    )
    critic = most * sp.Symbol("x", real=True) - half
    where = f"{APART}; x is the place on the segment, counted from Q"
    return CriticDerivation(loss, critic, value, str(value), steps, (where,), slope=most)


def _rises(term: sp.Expr) -> bool:
    """Whether a term of a payoff is increasing and concave in the score, seen by its signs."""
    kink = next(iter(term.atoms(relu)), None)
    if kink is not None:
        scale, inner = sp.simplify(term / kink), sp.diff(kink.args[0], t)
        return bool(scale.is_negative and inner.is_negative)
    line = {t: (-sp.oo, sp.oo)}
    slope = sp.diff(term, t)
    signs = [Assumptions().sign(part.rewrite(sp.exp), line) for part in (slope, sp.diff(slope, t))]
    return signs[0] in (0, 1) and signs[1] in (0, -1)
