"""Random compositions of the payoffs' functions, derived and held against a search over scores.

The search evaluates the formulas as typed in numpy, on a grid and then by bisection of slopes that
are differences; it shares no code with the engine. Counted: losses with anything wrong (bar none),
undecided in any part (bar 3 %), and those that take over two seconds of CPU (bar none).
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import operator
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from benchmarks.figures import Figure

COUNT, QUICK, SEED = 200, 12, 7000
RATIOS = (0.03, 0.31, 0.8, 1.7, 9.0)
FAR = 30.0  # the search knows scores up to there: beyond it 1 - D has no digits left
FLAT = 1e-12  # heights that the search does not tell apart, relative
NEAR = 1e-11  # of a score
LIMIT, UNDECIDED = 2.0, 0.03
WAIT = 60.0  # seconds on the clock: the bar counts those of the CPU

HILLS = (  # mostly concave, so that most sums have an optimum
    "-softplus({u})", "-softplus(-({u}))", "-({u})**2", "-abs({u})**1.5", "-huber({u}, 1/2)",
    "-relu({u})", "-relu(-({u}))**2", "-sqrt(1 + ({u})**2)", "-logsumexp({u}, -2*t)", "min({u}, 1)",
    "-exp({u})", "log(D)", "log(1 - D)", "-abs({u})", "-leaky_relu({u}, 1/5)", "-({u})**4/8",
)  # fmt: skip
BENDS = (
    "tanh({u})", "atan({u})", "erf({u})", "D", "sigmoid({u})", "sin({u})", "cos({u})/2",
    "clamp({u}, -1, 1)", "max({u}, -1)/2", "{u}", "where(t > 1/3, {u}, t)/3", "sqrt(D)",
    "log1p(({u})**2)", "-D*log(D)", "1/(1 + ({u})**2)", "tanh({u})**2", "D**2", "t*D",
)  # fmt: skip
LOSSES = (
    "-t", "softplus(-t)", "-D", "-log(D)", "log(1 - D)", "exp(-t/2)", "relu(1 - t)", "(t - 1)**2",
    "-atan(t)", "-tanh(t)", "-min(t, 1)", "max(-t, t/2)", "sin(t)", "-t**3/9 - t",
)  # fmt: skip
DOMAINS = ("(-oo, oo)",) * 5 + ("[-2, 2]", "(-1, 3)", "[0, oo)", "(-oo, log(2)]", "[-1/2, 5]")

NUMPY: Mapping[str, Callable[..., Any]] = {
    "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs, "max": np.maximum,
    "min": np.minimum, "relu": lambda x: np.maximum(x, 0), "softplus": lambda x: np.logaddexp(x, 0),
    "sigmoid": special.expit, "tanh": np.tanh, "atan": np.arctan, "sin": np.sin, "cos": np.cos,
    "erf": special.erf, "log1p": np.log1p, "logsumexp": np.logaddexp, "expm1": np.expm1,
    "sign": np.sign,
    "fermi_dirac": lambda k, x: -special.spence(1 + np.exp(x)),  # for k = 1
    "logistic_normal": lambda k, x, s: _mean_softplus(x, s),  # for k = 0
    "logistic_exponential": lambda k, x, p, q: _summed(x, p / q * LAGUERRE[0], LAGUERRE[1]),
    "logistic_logistic": lambda k, x, p, q: _summed(x, p / q * LINE, BELL),
    "clamp": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "huber": lambda x, d: np.where(np.abs(x) <= d, x * x / 2, d * (np.abs(x) - d / 2)),
}  # fmt: skip
HERMITE = np.polynomial.hermite_e.hermegauss(80)


def _mean_softplus(x: Any, s: float) -> Any:
    places, weights = HERMITE
    total = sum(w * np.logaddexp(x + s * z, 0) for z, w in zip(places, weights, strict=True))
    return total / weights.sum()


LAGUERRE = np.polynomial.laguerre.laggauss(80)
LINE = np.arange(-40, 40, 0.05)
BELL = 0.0125 / np.cosh(LINE / 2) ** 2


def _summed(x: Any, places: Any, weights: Any) -> Any:
    """Return a mean of softplus over a law, for k = 0."""
    return sum(w * np.logaddexp(x + at, 0) for at, w in zip(places, weights, strict=True))


BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


def evaluate(node: ast.expr, t: Any) -> Any:
    """Return a formula at scores, as it is written."""
    match node:
        case ast.Constant(value=value):
            return float(value)
        case ast.Name(id=name):
            return t if name == "t" else special.expit(t)
        case ast.UnaryOp(operand=operand):
            return -evaluate(operand, t)
        case ast.BinOp(left=left, op=op, right=right):
            return BINARY[type(op)](evaluate(left, t), evaluate(right, t))
        case ast.Call(args=[ast.Compare(left=left, comparators=[right]), then, otherwise]):
            values = evaluate(then, t), evaluate(otherwise, t)
            return np.where(evaluate(left, t) > evaluate(right, t), *values)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return NUMPY[name](*(evaluate(one, t) for one in arguments))
    raise ValueError(ast.unparse(node))


def function(text: str) -> Callable[[Any], Any]:
    """Return a formula as a function of scores."""
    tree = ast.parse(text, mode="eval").body
    return lambda t: evaluate(tree, np.asarray(t, float)) + np.zeros_like(np.asarray(t, float))


def composed(seed: int) -> dict[str, str]:
    """Return the formulas of a random loss."""
    draw = np.random.default_rng(seed)

    def argument() -> str:
        scale = draw.choice(["t", "t", "2*t", "t/2", "-t"])
        shift = draw.choice(["", "", " - 1", " + 1/2", " + 3/2", " - 0.7"])
        return f"{scale}{shift}"

    def payoff() -> str:
        weights = draw.choice(["", "2*", "1/2*", "3/2*"], 2)
        terms = [weights[0] + str(draw.choice(HILLS)).format(u=argument())]
        if draw.random() < 0.7:
            sign = draw.choice(["+", "-"])
            bend = str(draw.choice(BENDS)).format(u=argument())
            terms.append(f"{sign} {weights[1]}{bend}/{draw.choice([2, 5])}")
        return " ".join(terms)

    parts = {"real": payoff(), "fake": payoff(), "generator": str(draw.choice(LOSSES))}
    domain = str(draw.choice(DOMAINS))
    if "oo" in domain and any("sin" in text or "cos" in text for text in parts.values()):
        domain = "[-5, 4]"  # what oscillates for ever has no limits to find
    return {**parts, "domain": domain}


class Search:
    """The best score for each ratio, looked for on a grid and refined between its neighbours."""

    def __init__(self, formulas: Mapping[str, str]) -> None:
        self.a, self.b, self.c = (function(formulas[k]) for k in ("real", "fake", "generator"))
        ends = formulas["domain"].replace("log(2)", repr(math.log(2))).strip("()[]").split(",")
        low, high = (float(eval_end(end)) for end in ends)
        self.ends = max(low, -FAR), min(high, FAR)
        self.whole = low, high
        places = np.linspace(*self.ends, 6001)
        near = np.linspace(max(self.ends[0], -4), min(self.ends[1], 4), 4001)
        self.grid = np.unique(np.concatenate([places, near]))
        self.values = self.a(self.grid), self.b(self.grid)

    def total(self, ratio: float, t: Any) -> Any:
        return ratio * self.a(t) + self.b(t)

    def best(self, ratio: float) -> tuple[float, float]:
        """Return (score, height); the score is nan where several far apart are nearly as good."""
        total = ratio * self.values[0] + self.values[1]
        k = int(np.argmax(total))
        low, high = self.grid[max(k - 3, 0)], self.grid[min(k + 3, len(self.grid) - 1)]
        for _ in range(60):  # golden enough: the function has one hill between neighbours
            third = (high - low) / 3
            if self.total(ratio, low + third) < self.total(ratio, high - third):
                low = low + third
            else:
                high = high - third
        candidates = np.array([(low + high) / 2, self.grid[k]])
        heights = self.total(ratio, candidates)
        score, height = candidates[np.argmax(heights)], float(np.max(heights))
        scale = 1e-4 * (1 + abs(height))
        near = np.abs(self.grid - score) > 0.2
        rivals = near & (total > height - scale)
        return (math.nan if rivals.any() else float(score)), height


def eval_end(text: str) -> float:
    """Return the number that an end of a domain is."""
    text = text.strip().replace("oo", "inf")
    number, _, below = text.partition("/")
    return float(number) / float(below or 1)


@dataclass
class Trial:
    """What came of one loss."""

    seed: int
    formulas: dict[str, str]
    seconds: float
    status: str
    wrong: list[str] = field(default_factory=list)
    undecided: dict[str, str] = field(default_factory=dict)
    implicit: bool = False


def tried(seed: int, compose: Callable[[int], dict[str, str]] = composed) -> Trial:
    """Derive a random loss and judge all that is said of it."""
    from gantheory import Loss, derive

    formulas = compose(seed)
    start = time.process_time()
    try:
        found = derive(Loss(f"composed-{seed}", **formulas), seconds=WAIT)
        "".join(step.text for step in found.steps)
    except Exception as error:  # a fault of any kind counts
        spent = time.process_time() - start
        return Trial(seed, formulas, spent, "error", [f"{type(error).__name__}: {error}"])
    trial = Trial(seed, formulas, time.process_time() - start, found.status)
    trial.implicit = found.implicit is not None
    trial.undecided = dict(found.undecided or {})
    for name, one in found.curvatures.items():
        if one.is_divergence is None:
            trial.undecided[name] = one.reason
    search = Search(formulas)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        trial.wrong = list(judged(found, search))
    return trial


def judged(found: Any, search: Search) -> Iterator[str]:
    """Yield what the search contradicts."""
    if found.status == "no optimum":
        heights = [max_beyond(search, ratio) for ratio in (1e-3, 0.03, 0.4, 1.0, 2.5, 30.0, 1e3)]
        if not any(grows for grows in heights):
            yield f"no optimum is said, but none of the heights grows: {found.no_optimum}"
        return
    if found.status != "derived":
        return
    yield from rows_judged(found, search)
    yield from laws_judged(found, search)
    yield from limits_judged(found, search)


def max_beyond(search: Search, ratio: float) -> bool:
    """Whether the height grows with the range of scores, or near a point."""
    tops = []
    for reach in (30.0, 300.0, 3000.0):
        low, high = max(search.whole[0], -reach), min(search.whole[1], reach)
        grid = np.linspace(low, high, 3001)
        total = search.total(ratio, grid)
        tops.append(np.max(total[~np.isnan(total)], initial=-np.inf))
    return tops[2] == np.inf or tops[2] > tops[1] + 1 > tops[0] + 1


def rows_judged(found: Any, search: Search) -> Iterator[str]:
    """Hold scores, heights and curvatures at a few ratios against the search."""
    for ratio, row in zip(RATIOS, found.at(*RATIOS), strict=True):
        score, height = search.best(ratio)
        if row.t is None or not math.isfinite(row.t.value) or abs(row.t.value) > FAR:
            continue
        beside_it = row.t.value + NEAR * np.array([-1.0, 0.0, 1.0])  # a jump is only approached
        reached = float(np.nanmax(search.total(ratio, beside_it)))
        if reached < height - 1e-9 * (1 + abs(height)):
            yield f"r = {ratio}: t = {row.t.value!r} gives {reached!r}, not {height!r}"
        if math.isnan(score) or abs(score - row.t.value) > 1e-2:
            continue  # another score is as good
        step = ratio * 1e-3
        beside = [search.best(ratio + k * step)[0] for k in (-1, 1)]
        middle = search.best(ratio)[0]
        if any(math.isnan(one) or abs(one - middle) > 0.2 for one in beside):
            continue
        moved = middle + abs(beside[1] - beside[0])
        if abs(search.total(ratio, moved) - height) < FLAT * (1 + abs(height)):
            continue  # the search does not see so small a move of the score
        h, a = search.c(np.array([*beside, middle])), search.a(np.array(beside))
        expected = {
            "value": (a[1] - a[0]) / (2 * step),
            "followed": (h[0] - h[1]) / 2 / step / ratio,
        }
        for name, truth in expected.items():
            made = getattr(row, name)
            if (
                made is not None
                and abs(made.value - truth) > 2e-2 * (1e-2 + abs(truth)) + made.error
            ):
                yield f"r = {ratio}: {name} {made.value!r}, by differences {truth!r}"


def laws_judged(found: Any, search: Search) -> Iterator[str]:
    """Hold what is said for every ratio against a path of optima."""
    ratios = np.geomspace(0.02, 50, 61)
    path = [search.best(float(ratio))[0] for ratio in ratios]
    h = search.c(np.array(path))
    a = search.a(np.array(path))
    known = ~np.isnan(h) & (np.abs(path) < FAR - 1)
    steps = np.diff(h[known])
    rises = steps > 1e-6 * (1 + np.abs(h[known][1:]))
    if found.followed is not None and found.followed.is_divergence is True and rises.any():
        yield "followed is said to be a divergence, but the loss rises with r"
    if found.followed is not None and found.followed.is_divergence is False and not rises.any():
        place = float(found.followed.counterexample or 1)
        if 0.03 < place < 40 and not rises_at(search, place):
            yield f"followed is said to be none at r = {place:.6g}, where the loss falls"
    if (np.diff(a[known]) < -1e-6 * (1 + np.abs(a[known][1:]))).any():
        yield "the search itself is not monotone"
    even = found.equilibrium
    score, height = search.best(1.0)
    if even is not None and abs(score) < FAR - 1:
        if abs(float(even.discriminator_loss) + height) > 1e-7 * (1 + abs(height)):
            yield f"-V at P = Q is {float(even.discriminator_loss)!r}, not {-height!r}"
        loss = even.generator_loss
        if loss is not None and not math.isnan(score) and even.generator_range is None:
            truth = float(search.c(np.array([score]))[0])
            if not even.others and abs(float(loss) - truth) > 1e-4 * (1 + abs(truth)):
                yield f"G's loss at P = Q is {float(loss)!r}, not {truth!r}"


def rises_at(search: Search, place: float) -> bool:
    """Whether the loss rises across a ratio."""
    for width in (1e-4, 1e-3, 1e-2, 0.1):
        scores = [search.best(place * (1 + side * width))[0] for side in (-1, 1)]
        h = search.c(np.array(scores))
        if np.isnan(h).any() or h[1] > h[0]:
            return True
    return False


def limits_judged(found: Any, search: Search) -> Iterator[str]:
    """Hold limits against the search at small and large ratios, where it still knows the score."""
    ends = {}
    for k in (-1, 1):
        near, far = (search.best(10.0 ** (k * power))[0] for power in (3, 6))
        if math.isnan(near) or math.isnan(far) or max(abs(near), abs(far)) > FAR - 1:
            return
        ends[k] = near, far
    value = found.disjoint and found.disjoint.value
    if value is not None and hasattr(value, "is_finite"):
        even = search.best(1.0)[1]
        made = [
            float(search.b(np.array(ends[-1][j])) + search.a(np.array(ends[1][j])) - even)
            for j in (0, 1)
        ]
        yield from approached("the value on disjoint supports", made, float(value))
    for k, name in ((-1, "score_limit_at_0"), (1, "score_limit_at_inf")):
        stated = found.saturation and getattr(found.saturation, name)
        if stated is not None and stated.is_number:
            step = 1e-9
            slopes = [
                [float(side * (search.c(t + side * step) - search.c(t)) / step) for side in (-1, 1)]
                for t in map(np.array, ends[k])
            ]
            if any(abs(a - b) > 1e-3 * (1 + abs(a)) for a, b in slopes):
                continue  # the score tends to a kink, and the search does not tell from which side
            made = [sum(pair) / 2 for pair in slopes]
            yield from approached(name, made, float(stated))


def approached(what: str, made: list[float], stated: float) -> Iterator[str]:
    """Yield a fault where what is made stays away from a limit."""
    if not all(map(math.isfinite, made)):
        return
    if math.isinf(stated):
        if abs(made[1]) < 1.02 * abs(made[0]) or made[1] * stated < 0:
            yield f"{what} is said to be {stated}, but is {made}"
        return
    gaps = [abs(one - stated) for one in made]
    if gaps[1] > 0.02 * (1 + abs(stated)) and gaps[1] > 0.97 * gaps[0]:
        yield f"{what} is said to be {stated!r}, but is {made}"


def figures(quick: bool) -> Iterator[Figure]:
    """Yield the counts."""
    yield from counted(range(SEED, SEED + (QUICK if quick else COUNT)), composed)


def counted(seeds: Sequence[int], compose: Callable[[int], dict[str, str]]) -> Iterator[Figure]:
    """Try the losses of some seeds, show what is to be looked at, and yield the counts."""
    count, trials = len(seeds), []
    for seed in seeds:
        trial = tried(seed, compose)
        trials.append(trial)
        if trial.wrong or trial.undecided or trial.seconds > LIMIT:
            print(json.dumps(vars(trial)), file=sys.stderr)
    wrong = sum(bool(one.wrong) for one in trials)
    slow = sum(one.seconds > LIMIT for one in trials)
    undecided = sum(bool(one.undecided) for one in trials)
    implicit = sum(one.implicit for one in trials)
    none = sum(one.status == "no optimum" for one in trials)
    note = f"of {count}; {implicit} in the score, {none} without an optimum"
    yield Figure("losses with anything wrong", wrong, "losses", 0, True, note)
    yield Figure("undecided in any part", undecided / count, "of all", UNDECIDED, True)
    yield Figure("over two seconds of CPU", slow, "losses", 0, True)
    yield Figure("the slowest", max(one.seconds for one in trials), "s")


def main(compose: Callable[[int], dict[str, str]]) -> None:
    """Try the losses of the seeds that the command line gives, and print the counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("count", type=int, help="how many seeds")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.count)
    for figure in counted(seeds, compose):
        print(f"{figure.value:9.4g}  {figure.unit:8s}  {figure.what}  {figure.note}")


if __name__ == "__main__":
    main(composed)
