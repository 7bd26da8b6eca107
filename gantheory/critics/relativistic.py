r"""Objectives on pairs: relativistic discriminators and the conditional GAN.

The paired objective is the original GAN's on pairs (x, y) ~ P⊗Q against their swap, whose optimal
score log(r(x)/r(y)) happens to be a difference C(x) − C(y): so the pointwise optimum is attained.
The averaged one has no such form; it is concave, and is solved on discrete laws.
"""

from __future__ import annotations

import math
from fractions import Fraction

import sympy as sp
from flint import arb, fmpq

from gantheory.critics.concavity import in_exponentials
from gantheory.critics.drift import unbounded_step
from gantheory.critics.laws import DiscreteLaw
from gantheory.critics.published import judge_value, total_of
from gantheory.critics.record import CriticDerivation
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.derivations.exposition import Step
from gantheory.derivations.extremes import saturation_steps
from gantheory.derivations.wording import combination_latex, constant_latex, constant_text
from gantheory.divergences.symbols import in_symbols
from gantheory.errors import MissingExtraError
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, t, to_sympy
from gantheory.losses.critic import Averages, Critic, Expectations, Pairs, in_place_of_score
from gantheory.losses.function_classes import AnyFunction
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, How, Status, Verdict
from gantheory.theory.identify import combination_text

LOGISTIC = (to_sympy("log(sigmoid(t))"), to_sympy("log(1 - sigmoid(t))"))

WITNESS = (
    DiscreteLaw.of([0, 1, 2], ["1/2", "1/3", "1/6"]),
    DiscreteLaw.of([0, 1, 2], ["1/6", "1/6", "2/3"]),
)  # three points: on two, every critic is an affine function of log r


def derive_paired(loss: Critic) -> CriticDerivation:
    """Derive the optimum over pairs, and see whether it is a difference C(x) − C(y)."""
    assert isinstance(loss.objective, Pairs)
    payoff = loss.objective.payoff
    swapped = in_place_of_score(payoff, "-t")
    game = derive(Loss("pairs", payoff, swapped, swapped))
    if game.optimum is None or game.value is None:
        return _open(loss, game)
    score = game.optimum.score
    first, second = sp.symbols("r_x r_y", positive=True)
    difference = sp.expand_log(score.subs(r, first / second))
    apart = sp.expand_log(score.subs(r, first)) - sp.expand_log(score.subs(r, second))
    additive = not score.has(sp.Piecewise) and sp.simplify(difference - apart) == 0
    half = {name: value / 2 for name, value in game.value.terms.items()}
    constant = sp.simplify(game.value.constant / 2)
    divergence = combination_text(half) if half else f"({game.value.divergence})/2"
    divergence = f"({divergence})" if len(half) > 1 else divergence
    if len(half) == 1 and (factor := next(iter(half.values()))) != 1:
        divergence = f"{factor}*{next(iter(half))}"
    named = f"{divergence}(P x Q, Q x P){constant_text(constant)}"
    steps = _steps_of_pairs(payoff, swapped, difference)
    assumptions = (
        "P and Q have densities that are positive in the same places", "C is unrestricted",
    )  # fmt: skip
    if not additive:
        reason = (
            f"the optimal score of a pair, {difference}, is no difference of scores of single "
            f"samples; V is at most {named}"
        )
        return CriticDerivation(
            loss, None, None, "no closed form", steps, assumptions, undecided={"optimum": reason}
        )
    critic = difference.subs(second, 1).subs(first, r)
    held, follows = _held_step(loss, critic)
    steps = (*steps, *_attained_steps(critic, named), held)
    return CriticDerivation(loss, critic, None, named, steps, assumptions, follows=follows)


def _steps_of_pairs(payoff: str, swapped: str, difference: sp.Expr) -> tuple[Step, ...]:
    return (
        Step(
            "Pairs",
            f"V = 1/2 E[{payoff}] over pairs (x, y) ~ P x Q + 1/2 E[{swapped}] over swapped "
            "pairs, with t = C(x) - C(y)",
            r"V=\tfrac12\mathbb{E}_{P\otimes Q}\,\varphi(t)"
            r"+\tfrac12\mathbb{E}_{Q\otimes P}\,\varphi(-t)",
            How.PROVED,
            "renaming x and y",
        ),
        Step(
            "Optimal score of a pair",
            f"the separable game at the ratio r(x)/r(y): {difference}",
            rf"t^*(x,y)={sp.latex(difference)}",
            How.PROVED,
            "the pointwise optimum",
        ),
    )


def _attained_steps(critic: sp.Expr, named: str) -> tuple[Step, ...]:
    return (
        Step(
            "It is a difference",
            f"it is C(x) - C(y) with C = {critic} + const, which attains it",
            rf"C^*={sp.latex(critic)}+\mathrm{{const}}",
            How.PROVED,
            "the supremum over all functions of the pair is attained by one of this form",
        ),
        Step(
            "Value",
            named,
            r"V^*=\tfrac12\sup_t\,(\mathbb{E}_{P\otimes Q}\,\varphi(t)"
            r"+\mathbb{E}_{Q\otimes P}\,\varphi(-t))",
            How.PROVED,
            "half of the separable game's value on the two laws of pairs",
        ),
    )


def _held_step(loss: Critic, critic: sp.Expr) -> tuple[Step, str]:
    """Return what a generator that minimises the mean of ψ(C(x) − C(y)) descends, in words too."""
    pull, rise = sp.diff(to_sympy(loss.generator), t), sp.diff(critic, r)
    z = sp.Symbol("z", positive=True)  # exp(t)
    image = sp.simplify(in_exponentials(pull).subs(t, sp.log(z)))
    everywhere = (sp.Integer(0), sp.oo)
    parameters = Assumptions()
    pulls, rises = parameters.sign(image, {z: everywhere}), parameters.sign(rise, {r: everywhere})
    sign = None if pulls is None or rises is None else pulls * rises
    said = {
        1: "an f-divergence that depends on the law of p/q under P",
        0: "nothing: no fake is moved",
        -1: "no divergence: its curvature is negative",
        None: "a quantity whose curvature's sign is open",
    }[sign]
    step = Step(
        "With C held",
        f"a generator feels h(r) = E_p[psi(C(x) - C)] at C = {critic}, with psi(t) = "
        f"{loss.generator}, and descends g'' = -h'/r = E_p[psi'(C(x) - C)]*{rise / r}: {said}",
        rf"g''(r)=\mathbb{{E}}_p\,\psi'(C(x)-C)\cdot {sp.latex(rise / r)}",
        How.UNDECIDED if sign is None else How.PROVED,
        "variation of q at y, with p and C held; the signs of psi' and of dC/dr",
    )
    return step, said


def _open(loss: Critic, game: Derivation) -> CriticDerivation:
    """What is left where the separable game of an objective has no optimum, or none was found."""
    reason = game.no_optimum or "; ".join((game.undecided or {}).values())
    return CriticDerivation(
        loss, None, None, "no optimum" if game.no_optimum else "no closed form", (), (),
        undecided={} if game.no_optimum else {"optimum": reason}, no_optimum=game.no_optimum,
    )  # fmt: skip


def derive_average(loss: Critic) -> CriticDerivation:
    """Show that log r is not optimal, and give the optimum on a discrete law numerically."""
    assert isinstance(loss.objective, Averages)
    if tuple(map(to_sympy, (loss.objective.real, loss.objective.fake))) != LOGISTIC:
        reason = "the two averages couple every sample; only the payoffs log sigmoid are solved"
        return CriticDerivation(
            loss, None, None, "no closed form", (), (), undecided={"optimum": reason}
        )
    slopes = gradient_at_log_ratio(*WITNESS)
    certified = any(not slope.contains(0) for slope in slopes)
    step = Step(
        "Not log r",
        "at C = log r the objective still has the slope "
        f"{float(max(slopes, key=lambda s: abs(float(s.mid()))).mid()):.6g} on a law of 3 points",
        r"\nabla V(\log r)\ne 0",
        How.CERTIFIED if certified else How.UNDECIDED,
        "enclosed away from zero",
    )
    concave = Step(
        "Concave",
        "log sigmoid of an affine function of C is concave, so a maximum is global; it is unique "
        "up to an additive constant",
        r"C\mapsto V(C)\ \text{concave}",
        How.PROVED,
        "",
        "a concave function of an affine one is concave (Boyd and Vandenberghe 2004, 3.2.2)",
    )
    reason = (
        "the optimum couples every sample through the two averages and is not a function of r "
        "that can be written down; where it is attained, `optimal_critic` gives it on given laws"
    )
    unbounded = unbounded_step(loss.objective)
    steps = (concave, step, _numerical_step(), *([unbounded] if unbounded else []))
    return CriticDerivation(
        loss, None, None, "no closed form", steps,
        ("P and Q have densities",), undecided={"optimum": reason},
    )  # fmt: skip


def _numerical_step() -> Step:
    """Return the optimum on the witness law, against the value that log r has there."""
    p, q = WITNESS
    ratio = [float(sp.log(_ratio(p, q, x))) for x in p.points]
    weights = [[float(w) for w in law.weights] for law in WITNESS]
    there = average_objective(weights[0], weights[1], ratio)
    try:
        best, critic = relativistic_average_optimum(p, q)
    except MissingExtraError as missing:
        return Step("Optimum on that law", str(missing), r"V^*", How.UNDECIDED, "no solver")
    scores = ", ".join(f"{value:.6g}" for value in critic.values())
    return Step(
        "Optimum on that law",
        f"V = {best.value:.7g} at C = ({scores}) + const; log r reaches only {there:.7g}",
        rf"V^* = {best.value:.7g} > {there:.7g} = V(\log r)",
        How.MEASURED,
        f"{best.method}, error {best.error:.1e}",
    )


def derive_unrestricted(loss: Critic) -> CriticDerivation:
    """Read a separable game on samples, or on pairs of a sample and its label."""
    assert isinstance(loss.objective, Expectations)
    assert isinstance(loss.constraint, AnyFunction)
    place = loss.constraint.of
    game = derive(Loss("pairs", loss.objective.real, loss.objective.fake, loss.generator))
    if game.optimum is None or game.value is None:
        return _open(loss, game)
    above, below = (sp.Symbol(f"{name}({place.replace(' ', '')})", positive=True) for name in "pq")
    critic = sp.factor(game.optimum.D.subs(r, above / below))
    divergence = combination_text(game.value.terms) if game.value.terms else game.value.divergence
    named = f"{divergence}{constant_text(game.value.constant)}"
    shown = combination_latex(game.value.terms) if game.value.terms else "D_f"
    reported = f"{shown}{constant_latex(game.value.constant)}"
    steps = [
        Step(
            "Optimal discriminator",
            f"D({place}) = {critic}",
            rf"D^*={sp.latex(critic)}",
            How.PROVED,
            f"the separable game with ({place}) as its sample",
        ),
        Step(
            "Value",
            f"{in_symbols(named)}, of the two laws of ({place})",
            rf"V^*={reported}",
            How.PROVED,
            f"the separable game's value on ({place})",
        ),
    ]
    where = [f"the laws of ({place}) have densities"]
    if "," in place:
        where.append("for the split over labels: P and Q have the same labels")
        steps.append(
            Step(
                "Over the labels",
                "with one law of labels w, p = w*p(x|y) and q = w*q(x|y): the ratio is that of "
                "the conditional laws, and the divergence is the mean over y of theirs",
                r"p(y)=q(y)\ \Rightarrow\ D_f=\mathbb{E}_y\,D_f(p(\cdot|y),q(\cdot|y))",
                How.PROVED,
                "w cancels in p/q and factors out of q f(p/q)",
            )
        )
    claims: tuple[Verdict, ...] = ()
    if game.value.terms:
        total = total_of(game.value.terms, game.value.constant)
        claims = judge_value(loss, total, named, steps)
    steps.extend(saturation_steps(game.saturation))
    return CriticDerivation(
        loss, critic, None, named, tuple(steps), tuple(where), claims,
        followed=game.followed, saturation=game.saturation,
    )  # fmt: skip


def _ratio(p: DiscreteLaw, q: DiscreteLaw, x: Fraction) -> sp.Rational:
    return _rational(p.mass(x)) / _rational(q.mass(x))


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def average_objective(p: list[float], q: list[float], critic: list[float]) -> float:
    """Return the relativistic average objective of a critic on finitely many points."""
    mean_p = sum(a * c for a, c in zip(p, critic, strict=True))
    mean_q = sum(b * c for b, c in zip(q, critic, strict=True))
    total = 0.0
    for a, b, c in zip(p, q, critic, strict=True):
        total += a * -_softplus(mean_q - c) + b * -_softplus(c - mean_p)
    return total


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def gradient_at_log_ratio(p: DiscreteLaw, q: DiscreteLaw) -> list[arb]:
    """Return enclosures of the derivatives of the average objective at C = log r."""
    points = p.points
    a = [arb(fmpq(w.numerator, w.denominator)) for w in p.weights]
    b = [arb(fmpq(q.mass(x).numerator, q.mass(x).denominator)) for x in points]
    critic = [(u / t).log() for u, t in zip(a, b, strict=True)]
    mean_p = sum((u * c for u, c in zip(a, critic, strict=True)), arb(0))
    mean_q = sum((t * c for t, c in zip(b, critic, strict=True)), arb(0))
    pull = [u / (1 + (c - mean_q).exp()) for u, c in zip(a, critic, strict=True)]
    push = [t / (1 + (mean_p - c).exp()) for t, c in zip(b, critic, strict=True)]
    total_pull, total_push = sum(pull, arb(0)), sum(push, arb(0))
    return [pull[k] - b[k] * total_pull - push[k] + a[k] * total_push for k in range(len(points))]


def relativistic_average_optimum(
    p: DiscreteLaw, q: DiscreteLaw
) -> tuple[Estimate, dict[Fraction, float]]:
    """Maximise the relativistic average objective over critics on finitely many points.

    Returns:
        The value with the solver's error, and the optimal critic with its mean under P at zero.

    Raises:
        MissingExtraError: without the extra "convex".
    """
    try:
        import cvxpy as cp
        import numpy as np
    except ImportError:
        raise MissingExtraError("the relativistic average optimum", "convex") from None

    points = sorted({*p.points, *q.points})
    a = np.array([float(p.mass(x)) for x in points])
    b = np.array([float(q.mass(x)) for x in points])
    critic = cp.Variable(len(points))
    objective = -a @ cp.logistic(b @ critic - critic) - b @ cp.logistic(critic - a @ critic)
    problem = cp.Problem(cp.Maximize(objective), [a @ critic == 0])
    problem.solve(solver=cp.CLARABEL)
    found = dict(zip(points, map(float, np.asarray(critic.value)), strict=True))
    value = average_objective(a.tolist(), b.tolist(), list(found.values()))
    # CLARABEL stops at a duality gap of 1e-8; the reported gap is between two of its own numbers.
    error = abs(value - float(problem.value)) + 1e-7
    status = Status.OK if problem.status == "optimal" else Status.ILL_CONDITIONED
    return Estimate(value, error, status, "convex optimisation (CLARABEL)"), found
