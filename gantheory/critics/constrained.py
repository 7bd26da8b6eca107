r"""Critics under a constraint: the optimal critic and the value, by exact calculus.

The derivation is chosen by the class of functions and reads the objective's formulas: a linear
objective real·E_p f − fake·E_q f is solved in each class; one that is not has its stationarity
condition stated, and on two points a solution where the game is symmetric.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from gantheory.critics import kernels, means, relativistic
from gantheory.critics.published import Total, judge_value
from gantheory.critics.record import CriticDerivation
from gantheory.critics.suprema import (
    F_p,
    F_q,
    Linear,
    bounded_supremum,
    by_parts,
    density_of_law,
    follows_value,
    from_slope,
    g,
    linear_part,
    p,
    positive_size,
    q,
    value_step,
    w,
    weighted_supremum,
)
from gantheory.critics.two_points import mirrored_payoffs, penalised_slope
from gantheory.deadline import DEFAULT_SECONDS
from gantheory.derivations.exposition import Step
from gantheory.divergences.symbols import in_symbols
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, t, to_sympy
from gantheory.losses import CRITICS
from gantheory.losses.critic import Averages, Critic, Expectations, Functional, Pairs
from gantheory.losses.function_classes import (
    AnyFunction,
    FunctionClass,
    GradientMoment,
    GradientPenalty,
    KernelBall,
    SecondMoment,
    Slope,
)
from gantheory.naming import find_entry
from gantheory.records import How
from gantheory.theory.identify import combination_text, identify

ONE_DIMENSION = "P and Q are laws on the line with finite means"
LIPSCHITZ = (
    "f is 1-Lipschitz iff it is an integral of some f' with |f'| <= 1 (Folland 1999, Real "
    "Analysis, 3.35)"
)


def derive_critic(loss: str | Critic, seconds: float = DEFAULT_SECONDS) -> CriticDerivation:
    """Derive the optimal critic and the value of a constrained loss from its objective and class.

    >>> derive_critic("wgan-gp").value
    d**2/(4*lambda) + d
    >>> derive_critic("fisher").named
    'sqrt(2*triangular)'
    >>> derive_critic(Critic("mine", "Mine", Expectations(), SecondMoment("q"), "-t")).named
    'sqrt(pearson_chi2)'
    """
    critic = (
        find_entry("constrained loss", loss, CRITICS.values()) if isinstance(loss, str) else loss
    )
    if isinstance(critic.constraint, AnyFunction):
        if isinstance(critic.objective, Functional):
            return means.derive_means(critic, seconds)
        return _UNRESTRICTED[type(critic.objective)](critic)
    linear = linear_part(critic)
    if linear is None:
        return _not_linear(critic)
    if linear.real == 0 and linear.fake == 0:
        raise GantheoryError(
            f"the objective {critic.objective} of critic {critic.name!r} does not depend on f"
        )
    if critic.constraint.keeps_constants and not linear.balanced:
        return _unbounded(critic, linear)
    kinds = type(critic.constraint).__mro__
    derive = next((_LINEAR[kind] for kind in kinds if kind in _LINEAR), critic.constraint.supremum)
    return derive(critic, linear)


def _unbounded(loss: Critic, linear: Linear) -> CriticDerivation:
    """The class holds every constant c, and the objective moves by (real − fake)·c."""
    drift = sp.simplify((linear.real - linear.fake) * sp.Symbol("c", real=True))
    step = Step(
        "Constants",
        f"with f + c for f the objective grows by {drift}, and the class holds every f + c",
        rf"V(f+c)=V(f)+{sp.latex(drift)}",
        How.PROVED,
        "the objective is linear",
    )
    return CriticDerivation(
        loss, None, sp.oo, "infinite", (step,), (),
        no_optimum=f"no optimum: the objective grows by {drift} with a constant c: without bound",
    )  # fmt: skip


def _slope(loss: Critic, linear: Linear) -> CriticDerivation:
    assert isinstance(loss.constraint, Slope)
    most = positive_size(loss.constraint.most)
    best, value, lemma = bounded_supremum(most)
    gain = sp.Symbol("gain", real=True)  # of f' at one place, for the objective E_p f - E_q f
    factor = sp.simplify(value.subs(g, linear.real * gain) / sp.Abs(gain))
    direction = sp.simplify(best.subs(g, linear.real * gain) / sp.sign(gain))
    slope, total = direction * sp.sign(F_q - F_p), factor * sp.Abs(F_q - F_p)
    named = combination_text({"w1": factor})
    of = "" if factor == 1 else rf"{sp.latex(factor)}\,"
    steps = (
        by_parts(),
        lemma,
        value_step(
            f"f' = {slope}; the value is the integral of {total}: {named}, the distance W1"
            f"{'' if factor == 1 else f' times {factor}'}",
            rf"f'^*={sp.latex(slope)},\quad V=\int {sp.latex(total)}\,dx={of}W_1(P,Q)",
            "f' is measurable and bounded, so its integral is in the class",
            LIPSCHITZ,
        ),
    )
    return _done(
        loss, linear, Total(total, linear.constant), named, steps, slope=slope, value=total
    )


def _second_moment(loss: Critic, linear: Linear) -> CriticDerivation:
    assert isinstance(loss.constraint, SecondMoment)
    weight = density_of_law(loss.constraint.law)
    gain = linear.real * p - linear.fake * q
    best, square, lemma = weighted_supremum()
    critic = sp.simplify(best.subs({g: gain, w: weight}))
    integrand = sp.simplify(square.subs({g: gain, w: weight}))
    f = sp.simplify(integrand.subs(p, r * q) / q)
    name = None if f.free_symbols - {r} else _name_of(f)
    means = (
        "" if name is None else f", the f-divergence with f = {f}, which is {in_symbols(str(name))}"
    )
    steps = (
        lemma,
        Step(
            "Optimal critic",
            f"with g = {gain} and w = {weight}: f = {critic}",
            rf"f^* = {sp.latex(critic)}",
            How.PROVED,
            "substitution",
        ),
        value_step(
            f"lambda**2 is the integral of {integrand}{means}",
            rf"V=\Big(\int {sp.latex(integrand)}\Big)^{{1/2}}",
            "identified by exact algebra" if name else "substitution",
        ),
    )
    named = f"sqrt({name or f'integral({integrand})'})"
    shown = sp.Function("Integral")(integrand) if name is None else sp.Function("D_f")(f)
    return _done(
        loss, linear, Total(integrand, linear.constant, root=True), named, steps, critic=critic,
        value=sp.sqrt(shown), where="P and Q have densities",
    )  # fmt: skip


def _name_of(f: sp.Expr) -> str | None:
    """Return ∫ q f(p/q) as a combination of named divergences and a constant."""
    terms = identify(sp.simplify(sp.diff(f, r, 2)), (), Assumptions()).terms
    constant = sp.simplify(f.subs(r, 1))
    if not terms and sp.simplify(sp.diff(f, r, 2)) != 0:
        return None
    added = "" if constant == 0 and terms else f" + {constant}"
    return f"{combination_text(terms)}{added}" if terms else str(constant)


def _gradient_moment(loss: Critic, linear: Linear) -> CriticDerivation:
    assert isinstance(loss.constraint, GradientMoment)
    weight = density_of_law(loss.constraint.law)
    best, square, lemma = weighted_supremum()
    gain = linear.real * (F_q - F_p)
    slope = best.subs({g: gain, w: weight})
    integrand = sp.factor(square.subs({g: gain, w: weight}))
    steps = (
        by_parts(),
        lemma,
        value_step(
            f"f' = {slope}; the value is the root of the integral of {integrand}",
            rf"f'^*={sp.latex(slope)},\quad V=\Big(\int {sp.latex(integrand)}\,dx\Big)^{{1/2}}",
            f"substitution of g = {gain} and w = {weight}",
        ),
    )
    named = f"sqrt(integral({integrand}))"
    value = sp.sqrt(sp.Function("Integral")(integrand))
    total = Total(integrand, linear.constant, root=True)
    return _done(loss, linear, total, named, steps, slope=slope, value=value)


def _done(
    loss: Critic,
    linear: Linear,
    total: Total,
    named: str,
    steps: tuple[Step, ...],
    *,
    value: sp.Expr,
    critic: sp.Expr | None = None,
    slope: sp.Expr | None = None,
    where: str = ONE_DIMENSION,
) -> CriticDerivation:
    """Add the objective's constant, the judged claim and what the generator follows."""
    if linear.constant != 0:
        named = f"{named} + {linear.constant}"
    follows, undecided = follows_value(loss)
    return CriticDerivation(
        loss,
        critic if slope is None else from_slope(slope),
        value + linear.constant,
        named,
        steps,
        (where, *follows),
        judge_value(loss, total, named, steps),
        undecided,
        slope=slope,
    )


def _not_linear(loss: Critic) -> CriticDerivation:
    """An objective with curved payoffs: solved on two points where the game is symmetric."""
    objective = loss.objective
    if isinstance(objective, Expectations) and isinstance(loss.constraint, Slope):
        found = mirrored_payoffs(loss, objective, loss.constraint)
        if found is not None:
            return found
    if not isinstance(objective, Expectations):
        condition = "the objective compares samples, and no class but all functions is solved then"
    else:
        a, b = (sp.diff(to_sympy(part), t) for part in (objective.real, objective.fake))
        kinds = type(loss.constraint).__mro__
        rule = next((_CONDITIONS[kind] for kind in kinds if kind in _CONDITIONS), ON_ITS_OWN)
        condition = rule.format(a=a, b=b, t=t)
    return CriticDerivation(
        loss, None, None, "no closed form", (), (),
        undecided={"optimum": f"the payoffs are not linear in f: {condition}"},
    )  # fmt: skip


ON_ITS_OWN = "and no rule for them is known of a class of your own, where a' = {a}, b' = {b}"
_CONDITIONS: dict[type[FunctionClass], str] = {
    Slope: "where |f'| is below its bound, p*a'(f) + q*b'(f) = 0 with a' = {a}, b' = {b} at t = f; "
    "where the bound is reached depends on the laws",
    SecondMoment: "f solves p*a'(f) + q*b'(f) = lambda*m*f with a' = {a}, b' = {b} at t = f, and "
    "lambda follows from E_m[f^2] = 1",
    GradientMoment: "f solves -(lambda*m*f')' = p*a'(f) + q*b'(f) with a' = {a}, b' = {b} at t = f",
    KernelBall: "f solves lambda*f(x) = E_p[a'(f)*k(x, .)] + E_q[b'(f)*k(x, .)] with a' = {a}, "
    "b' = {b} at t = f",
    GradientPenalty: "f balances p*a'(f) + q*b'(f), with a' = {a}, b' = {b} at t = f, against the "
    "penalty",
}


_LINEAR: dict[type[FunctionClass], Callable[[Critic, Linear], CriticDerivation]] = {
    Slope: _slope,
    SecondMoment: _second_moment,
    GradientMoment: _gradient_moment,
    GradientPenalty: penalised_slope,
    KernelBall: kernels.derive_ball,
}
_UNRESTRICTED: dict[type, Callable[[Critic], CriticDerivation]] = {
    Pairs: relativistic.derive_paired,
    Averages: relativistic.derive_average,
    Expectations: relativistic.derive_unrestricted,
}
