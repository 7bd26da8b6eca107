"""Games beyond separable ones: functions of means, derived from the formula of the objective."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from gantheory.critics.concavity import (
    RULES,
    concave_where_held,
    curvature_of,
    grows_with_concave,
    in_exponentials,
)
from gantheory.critics.functional import Means, as_functional, read_means
from gantheory.critics.published import judge_value, total_of
from gantheory.critics.record import CriticDerivation
from gantheory.critics.stationary import (
    Closed,
    Integrals,
    closed_score,
    moments_of_score,
    stationary_formula,
    without,
)
from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.derivations.exposition import Step
from gantheory.derivations.extremes import saturation_steps
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import constant_text
from gantheory.exact.assumptions import Assumptions
from gantheory.functions import r, t
from gantheory.losses.critic import Critic
from gantheory.records import How, Verdict
from gantheory.theory import consequences
from gantheory.theory.curvature import Curve, followed_curvature, loss_curvature
from gantheory.theory.identify import combination_text
from gantheory.theory.pieces import smooth_parts
from gantheory.theory.records import Curvature, Saturation, known

WHERE = (
    "P and Q have densities that are positive in the same places, and every mean is finite",
    "the critic is unrestricted",
)
DANSKIN = "the envelope theorem (Milgrom and Segal 2002, Econometrica 70, theorem 2)"
RANGE = (
    "the pairs of means of all scores are a convex set, as those of a vector measure without "
    "atoms are (Lyapunov 1940; Hiai and Umegaki 1977, J. Multivariate Analysis 7)"
)
CONVEX = (
    "V is a convex function of the score, and one that is bounded above is constant: the supremum "
    "is infinite wherever V tells two scores apart"
)
POSITIVE = (sp.Integer(0), sp.oo)


def derive_means(loss: Critic, seconds: float = DEFAULT_SECONDS) -> CriticDerivation:
    """Derive the best score, the value and what G follows where the objective is V = Φ(means)."""
    objective, generator = as_functional(loss)
    means, minimised = read_means(objective), read_means(generator)
    steps = list(_condition(means))
    undecided: dict[str, str] = {}
    closed, bent = None, None
    try:
        with time_limit(seconds):
            bent = curvature_of(means, _parameters(means))
            score = stationary_formula(means)
            closed = None if score is None else closed_score(means, score)
            if (why := _unbounded(means, bent)) is not None:
                return CriticDerivation(
                    loss, None, None, "no optimum", (*steps, _bends(bent)), WHERE,
                    no_optimum=f"no optimum: {why}",
                )  # fmt: skip
            if closed is None:
                undecided["optimum"] = _open(means, score)
                steps.append(_bends(bent))
                return CriticDerivation(
                    loss, score if score is not None and not _moments_in(score, means) else None,
                    None, "no closed form", tuple(steps), WHERE, undecided=undecided,
                )  # fmt: skip
            return _solved(loss, means, minimised, closed, bent, steps)
    except OutOfTime as reason:
        undecided["optimum"] = str(reason)
    return CriticDerivation(
        loss, None, None, "no closed form", tuple(steps), WHERE, undecided=undecided
    )


def _unbounded(means: Means, bent: int | None) -> str | None:
    """Say why no score is best, whatever the laws are."""
    if means.is_homogeneous():
        return "V(c*t) = c*V(t), so that the supremum is 0 or infinite"
    return CONVEX if bent in (0, 1) else None


def _parameters(means: Means) -> Assumptions:
    names = means.outer.free_symbols.union(*(m.integrand.free_symbols for m in means.moments))
    free = names - set(means.symbols) - {t}
    return Assumptions.of({symbol.name: "(0, oo)" for symbol in sorted(free, key=str)})


def _moments_in(expr: sp.Expr, means: Means) -> bool:
    return bool(expr.free_symbols & {moment.symbol for moment in means.unknowns})


def _open(means: Means, score: sp.Expr | None) -> str:
    """Say which numbers are left to be found on given laws."""
    names = ", ".join(map(str, means.unknowns))
    shape = "" if score is None else f"t = {score}; "
    return f"{shape}the numbers {names} depend on the laws: `optimal_critic` solves for them"


def _condition(means: Means) -> Iterator[Step]:
    listed = "; ".join(map(str, means.moments))
    yield Step(
        "Moments",
        f"V = {means.outer} with {listed}",
        rf"V = {typeset(means.outer)}",
        How.PROVED,
        "by definition",
    )
    real, fake = means.force("p"), means.force("q")
    further = means.adjoints[1]
    added = f", with {'; '.join(map(str, further))}" if further else ""
    yield Step(
        "The condition",
        f"{r * real + fake} = 0 at every x{added}: the best score is a function of r = p/q and "
        "of the moments",
        rf"{typeset(r * real + fake)} = 0",
        How.PROVED,
        "variation of V in the score, by the chain rule through every mean",
    )


def _bends(bent: int | None) -> Step:
    said = {
        -1: "V is a concave function of the score: a score that solves the condition is best",
        0: "V is an affine function of the score",
        1: "V is a convex function of the score: a stationary score is worst",
        None: "no rule says whether V is concave in the score",
    }[bent]
    how = How.UNDECIDED if bent is None else How.PROVED
    return Step("Concavity", said, r"t \mapsto V(t)", how, "", RULES if bent is not None else "")


def _best(means: Means, closed: Closed, bent: int | None) -> Step:
    """Say why the stationary score is the best of all."""
    if bent == -1:
        return _bends(bent)
    if concave_where_held(means, _parameters(means)):
        return Step(
            "Concavity",
            "t -> t + c changes no value, and where a mean of t is held at 0 V is a concave "
            "function of the score: a stationary score is best",
            r"V(t + c) = V(t)",
            How.PROVED,
            "",
            RULES,
        )
    if grows_with_concave(means, _parameters(means)):
        return Step(
            "Concavity",
            "V is an increasing function of a concave one: a stationary score is best",
            r"V = \varphi(u(t)),\quad \varphi' > 0",
            How.PROVED,
            "",
            RULES,
        )
    if closed.invariance is not None and _is_best_of_frontier(means, closed):
        return Step(
            "The best of all",
            "V is monotone in both means, so that only scores matter that maximise k*(the first) + "
            f"the second for some k: for each k that is the same score up to t -> "
            f"{closed.invariance}, which changes no value",
            r"\sup_t V = \sup_k V(t_k)",
            How.PROVED,
            "the signs of the derivatives, and one stationary score, a maximum, for each k",
            RANGE,
        )
    return _bends(bent)


def _is_best_of_frontier(means: Means, closed: Closed) -> bool:
    """Whether V rises or falls with each of two means, and every k gives the same score.

    Where a mean may be negative, V must be negative too, and is then below the optimum's.
    """
    plain = not means.adjoints[1] and not any(
        moment.integrand.free_symbols & set(means.symbols) for moment in means.moments
    )
    if not plain or sorted(moment.law for moment in means.moments) != ["p", "q"]:
        return False
    positive = {s: sp.Symbol(s.name, positive=True) for s in means.symbols}
    names = [*_parameters(means).symbols, *(s.name for s in positive.values())]
    parameters = Assumptions.of(dict.fromkeys(names, "(0, oo)"))
    outer = means.outer.xreplace(positive)
    unsigned = [s for s in means.symbols if not s.is_positive]
    if len(unsigned) > 1 or (unsigned and parameters.sign(outer) != 1):
        return False
    for symbol in unsigned:
        if parameters.sign(outer.xreplace({positive[symbol]: -positive[symbol]})) != -1:
            return False
    k = sp.Symbol("k", positive=True)
    slopes = [
        sp.factor(sp.diff(outer, positive[s])).as_independent(*positive.values(), as_Add=False)
        for s in means.symbols
    ]
    signs = [parameters.sign(rest) for _, rest in slopes]
    if None in signs or 0 in signs:
        return False
    weights = (k, 1) if means.moments[0].law == "p" else (1, k)
    directions = [sign * factor for sign, (factor, _) in zip(signs, slopes, strict=True)]
    terms = zip(directions, weights, means.symbols, strict=True)
    frontier = Means(sum(one * other * s for one, other, s in terms), means.moments)
    score = stationary_formula(frontier)
    if score is None:
        return False
    bare = without(score, {k}, shift=closed.invariance == "t + c")
    payoff = in_exponentials(r * frontier.force("p") + frontier.force("q"))
    bend = sp.simplify(sp.diff(payoff, t).subs(t, score))
    ranges = Assumptions.of(dict.fromkeys([*names, "k"], "(0, oo)"))
    same = bare is not None and sp.simplify(bare - closed.score) == 0
    return same and ranges.sign(bend, {r: POSITIVE}) == -1


def _solved(
    loss: Critic,
    means: Means,
    minimised: Means,
    closed: Closed,
    bent: int | None,
    steps: list[Step],
) -> CriticDerivation:
    value, named, curvature = _value(means, closed.integrals)
    best = _best(means, closed, bent)
    free = f", and so does every t -> {closed.invariance} of it" if closed.invariance else ""
    steps += [
        best,
        Step(
            "Optimal critic",
            f"t = {closed.score} solves the condition with its own moments{free}",
            rf"t^* = {typeset(closed.score)}",
            How.PROVED,
            "substitution; E_P[g] = E_Q[r*g], and E_Q[a*r + b] = a + b",
        ),
        Step(
            "Value",
            f"V = {named}",
            rf"V^* = {typeset(value)}",
            How.PROVED,
            "substitution, identified by exact algebra",
        ),
    ]
    undecided: dict[str, str] = {}
    if best.how is not How.PROVED:
        undecided["optimum"] = "whether the stationary score is the best of all is not shown"
    followed, step, saturation = _followed(minimised, closed)
    steps += [step, *saturation_steps(saturation)]
    where = [*WHERE, *_zero_sum(means, minimised), *_numbers(followed, minimised, closed)]
    claims: tuple[Verdict, ...] = ()
    if curvature is not None and curvature.terms:
        claims = judge_value(loss, total_of(curvature.terms, curvature.constant), named, steps[:5])
    return CriticDerivation(
        loss, closed.score, value, named, tuple(steps), tuple(where), claims, undecided,
        followed=followed, saturation=saturation,
    )  # fmt: skip


def _value(means: Means, integrals: Integrals) -> tuple[sp.Expr, str, Curvature | None]:
    """Return V at the optimum as an expression, in words, and as a curvature where it is linear."""
    outer = sp.simplify(integrals.at(means.outer))
    inside = {s: g for s, g in integrals.densities.items() if outer.has(s)}
    slopes = {s: sp.diff(outer, s) for s in inside}
    if not any(slope.free_symbols & set(inside) for slope in slopes.values()):
        rest = outer.xreplace(dict.fromkeys(inside, sp.S.Zero))
        g = sp.simplify(sum((slopes[s] * inside[s] for s in inside), sp.S.Zero) + rest)
        named, curvature = _named(g)
        if curvature is None or not curvature.terms:
            return sp.Function("E_q")(g), str(named), None
        text = f"{combination_text(curvature.terms)}{constant_text(curvature.constant)}"
        return sp.Function("E_q")(g), text, curvature
    names = {s: _named(g)[0] for s, g in inside.items()}
    shown = outer.xreplace({s: sp.Function("E_q")(g) for s, g in inside.items()})
    return shown, str(sp.simplify(outer.xreplace(names))), None


def _curve(expr: sp.Expr, parameters: Assumptions) -> Curve:
    return Curve(tuple(smooth_parts(in_exponentials(expr), r, POSITIVE, parameters)))


def _named(g: sp.Expr) -> tuple[sp.Expr, Curvature | None]:
    """Return E_q[g(r)] as a combination of named divergences, or as it stands."""
    alone = sp.Symbol(f"E_q[{g}]", positive=True)
    if g.free_symbols - {r}:
        return alone, None
    parameters = Assumptions()
    try:
        constant = sp.simplify(g.subs(r, 1))
        found = consequences.describe_curvature(
            loss_curvature(_curve(g, parameters), parameters), constant, parameters
        )
    except OutOfTime:
        raise
    except Undecided:
        return alone, None
    if not found.terms:
        return alone, None
    total = sum((k * sp.Symbol(name, positive=True) for name, k in found.terms.items()), constant)
    return total, found


def _followed(minimised: Means, closed: Closed) -> tuple[Curvature | None, Step, Saturation | None]:
    """Return the curvature −h'(r)/r, where h is what a fake sample adds to G's loss."""
    integrals = moments_of_score(minimised.unknowns, closed.score)
    h = sp.expand(integrals.at(minimised.felt("q")).subs(t, closed.score))
    left = sorted(
        h.free_symbols & set(integrals.densities), key=str
    )  # numbers that the laws decide: they scale or shift, and D does not move them
    free = sorted(h.free_symbols - {r} - set(left), key=str)
    named = {
        s: sp.Symbol(s.name, positive=True)
        for s in left
        if Assumptions().sign(integrals.densities[s], {r: POSITIVE}) == 1 or s.is_positive
    }
    parameters = Assumptions.of({symbol.name: "(0, oo)" for symbol in (*free, *named.values())})
    shown = sp.simplify(in_exponentials(h))
    numbers = ", ".join(f"{s} = E_q[{integrals.densities[s]}]" for s in left)
    added = f" with the numbers {numbers}" if numbers else ""
    latex = rf"h(r) = {typeset(shown)},\qquad g'' = -\frac{{h'(r)}}{{r}}"
    reason = "with D held, a change of q at x moves G's loss by h(r(x))"
    if len(named) < len(left):
        text = f"h(r) = {shown}{added}"
        step = Step("With D held", text, latex, How.UNDECIDED, f"{reason}; signs are open")
        return None, step, None
    try:
        felt = _curve(h.xreplace(named), parameters)
        curve = followed_curvature(felt, parameters)
        found = consequences.describe_curvature(curve, sp.S.Zero, parameters)
    except OutOfTime:
        raise
    except Undecided as why:
        text = f"h(r) = {shown}{added}"
        return None, Step("With D held", text, latex, How.UNDECIDED, f"{reason}; {why}"), None
    text = (
        f"a generator feels h(r) = {shown}{added} and descends g'' = -h'/r = {found.curvature}: "
        f"{found.divergence}"
    )
    how = How.PROVED if found.is_divergence is not None else How.UNDECIDED
    slope = integrals.at(minimised.force("q")).subs(t, closed.score).xreplace(named)
    saturation = consequences.saturation(felt, _curve(slope, parameters), parameters, {})
    return found, Step("With D held", text, latex, how, f"{reason}; {found.reason}"), saturation


def _numbers(curvature: Curvature | None, minimised: Means, closed: Closed) -> Iterator[str]:
    """Say what the numbers in a curvature are."""
    if curvature is None:
        return
    names = {symbol.name for symbol in curvature.curvature.free_symbols}
    for symbol, g in moments_of_score(minimised.unknowns, closed.score).densities.items():
        if symbol.name in names:
            yield f"{symbol} = E_q[{g}] at the laws where the gradient is taken"


def _zero_sum(means: Means, minimised: Means) -> tuple[str, ...]:
    """Say that G descends the value where what it feels is what the value feels."""
    if known(sp.simplify(means.outer - minimised.outer) == 0) is not How.PROVED:
        return ()
    if [(m.law, m.integrand) for m in means.moments] != [
        (m.law, m.integrand) for m in minimised.moments
    ]:
        return ()
    return (f"the game is zero-sum: with D held, G descends the gradient of the value ({DANSKIN})",)
