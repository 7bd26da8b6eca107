"""Laws of counts, Zipf and Dirichlet laws at random, against exact sums and textbook formulas.

Masses are written from the textbooks in 70 digits and summed term by term; Zipf's sums are zeta
functions, Dirichlet's integrals gamma functions. W2 pairs the sorted masses step by step. Nothing
of the package is used by the oracle; derivatives are differences of two sums in so many digits.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp

from benchmarks.campaigns.outcome import Outcome, Unresolved, figures_of, try_pairs
from benchmarks.figures import Figure

FIRST = 70_000
SECONDS = 60  # of processor time for one pair
DIGITS, MOST = 110, 12_000
SMALL = mp.mpf(10) ** -48
KNOWN = mp.mpf(10) ** -70  # relative to the value: as well as this a derivative is known
KINDS = ("poisson", "geometric", "negative_binomial", "binomial", "zipf", "dirichlet")
Masses = Callable[[int], Any]


def poisson(rate: Any) -> Masses:
    return lambda k: mp.exp(-rate + k * mp.log(rate) - mp.loggamma(k + 1))


def geometric(p: Any) -> Masses:
    return lambda k: p * (1 - p) ** k


def negative_binomial(r: Any, p: Any) -> Masses:
    c = r * mp.log(p) - mp.loggamma(r)
    return lambda k: mp.exp(c + mp.loggamma(k + r) - mp.loggamma(k + 1) + k * mp.log(1 - p))


def binomial(n: Any, p: Any) -> Masses:
    return lambda k: mp.binomial(n, k) * p**k * (1 - p) ** (n - k) if k <= n else mp.mpf(0)


COUNTS = {"poisson": poisson, "geometric": geometric, "negative_binomial": negative_binomial,
          "binomial": binomial}  # fmt: skip
NAMES = {"poisson": ("rate",), "geometric": ("p",), "negative_binomial": ("r", "p"),
         "binomial": ("n", "p"), "zipf": ("exponent",)}  # fmt: skip


def _log_over(a: Any, b: Any) -> Any:
    return a * mp.log(a / b) if a else mp.mpf(0)


def _js(p: Any, q: Any) -> Any:
    m = (p + q) / 2
    return (_log_over(p, m) + _log_over(q, m)) / 2


TERMS: dict[str, Callable[[Any, Any], Any]] = {
    "kl_pq": _log_over,
    "kl_qp": lambda p, q: _log_over(q, p),
    "jeffreys": lambda p, q: (p - q) * mp.log(p / q),
    "jsd": _js,
    "tv": lambda p, q: abs(p - q) / 2,
    "tv_gap": min,
    "bc": lambda p, q: mp.sqrt(p * q),
    "hellinger2": lambda p, q: (mp.sqrt(p) - mp.sqrt(q)) ** 2 / 2,
    "pearson_chi2": lambda p, q: (p - q) ** 2 / q,
    "neyman_chi2": lambda p, q: (p - q) ** 2 / p,
    "triangular": lambda p, q: (p - q) ** 2 / (p + q),
    "kl_pm": lambda p, q: _log_over(p, (p + q) / 2),
}


def draw(r: random.Random) -> tuple[str, tuple[float, ...], tuple[float, ...] | None, str]:
    """Return two laws: of one family and near each other, of one family, or of two."""
    kind = r.choice(KINDS)
    first = _parameters(kind, r)
    other = kind if kind in ("zipf", "dirichlet") or r.random() < 0.6 else r.choice(KINDS[:4])
    if other == kind and r.random() < 0.5:
        step = 10 ** r.uniform(-10, -0.5)
        second = tuple(
            x if kind == "binomial" and i == 0 else min(x * (1 + step * r.gauss(0, 1)), 0.999999)
            if x < 1 else x * (1 + abs(step * r.gauss(0, 1)))
            for i, x in enumerate(first)
        )  # fmt: skip
    else:
        second = _parameters(other, r, len(first) if other == "dirichlet" else 0)
    return kind, first, second, other


def _parameters(kind: str, r: random.Random, size: int = 0) -> tuple[float, ...]:
    share = r.choice([r.uniform(0.02, 0.98), 10 ** r.uniform(-2, -0.1)])
    return {
        "poisson": (10 ** r.uniform(-4, 2.5),),
        "geometric": (share,),
        "negative_binomial": (10 ** r.uniform(-2, 2), share),
        "binomial": (float(r.choice([1, 2, r.randint(3, 40), r.randint(41, 900)])), share),
        "zipf": (r.choice([r.uniform(1.05, 5), 1 + 10 ** r.uniform(-1.5, 1.5)]),),
        "dirichlet": tuple(10 ** r.uniform(-2, 2.5) for _ in range(size or r.randint(2, 5))),
    }[kind]


def text(kind: str, parameters: tuple[float, ...]) -> str:
    """Return a law as the package reads it."""
    inside = ", ".join(map(repr, parameters))
    return f"dirichlet([{inside}])" if kind == "dirichlet" else f"{kind}({inside})"


def answers(names: list[str], kinds: tuple[str, str], p: Any, q: Any) -> dict[str, Any]:
    """Return the oracle's values; mp.inf where one is infinite."""
    if kinds[0] == "zipf":
        return {name: value for name, value in _zipf(p[0], q[0]).items() if name in names}
    if kinds[0] == "dirichlet":
        return {name: value for name, value in _dirichlet(p, q).items() if name in names}
    return _summed(names, COUNTS[kinds[0]](*p), COUNTS[kinds[1]](*q))


def _summed(names: list[str], p: Masses, q: Masses) -> dict[str, Any]:
    ours, theirs = [], []
    for k in range(MOST):
        ours.append(p(k))
        theirs.append(q(k))
        falling = k > 4 and max(ours[-1], theirs[-1]) < SMALL**2
        if falling and sum(ours) > 0.5 and sum(theirs) > 0.5:
            break
    else:
        raise Unresolved("too many terms")
    pairs = list(zip(ours, theirs, strict=True))
    further = bool(p(10**6)), bool(q(10**6))
    found = {name: _one(name, pairs, further) for name in names if name in TERMS}
    gaps, gap = [], mp.mpf(0)
    for a, b in pairs:
        gap += a - b
        gaps.append(gap)
    found["w1"] = mp.fsum(map(abs, gaps))
    found["energy"] = 2 * mp.fsum(g * g for g in gaps)
    found["w2"] = mp.sqrt(_squares(ours, theirs))
    return {name: found[name] for name in names}


def _one(name: str, pairs: list[tuple[Any, Any]], further: tuple[bool, bool]) -> Any:
    lone = {"kl_pq": (1, 0), "kl_qp": (0, 1), "pearson_chi2": (1, 0), "neyman_chi2": (0, 1)}
    bad = [lone[name]] if name in lone else [(1, 0), (0, 1)] if name == "jeffreys" else []
    supports = {(bool(a), bool(b)) for a, b in pairs} | {further}
    if supports & set(bad):
        return mp.inf
    terms = [TERMS[name](a, b) for a, b in pairs if a or b]
    total = mp.fsum(terms)
    last = [abs(t) for t in terms[-6:]]
    if not pairs[-1][0] or not pairs[-1][1]:
        return total
    if last[-1] <= SMALL * abs(total):
        return total
    ratio = last[-1] / last[-2]
    if ratio > mp.mpf("1.001") or last[-1] > total / 1000:
        return mp.inf
    raise Unresolved(f"{name}: terms fall slowly")


def _squares(p: list[Any], q: list[Any]) -> Any:
    """Return E (X − Y)² of the pairing in the order of the line."""
    i = j = 0
    a, b, total = p[0], q[0], mp.mpf(0)
    while i < len(p) and j < len(q):
        moved = min(a, b)
        total += moved * (i - j) ** 2
        a, b = a - moved, b - moved
        if a == 0:
            i += 1
            a = p[i] if i < len(p) else mp.mpf(0)
        if b == 0:
            j += 1
            b = q[j] if j < len(q) else mp.mpf(0)
    return total


def _named(kl: Any, reverse: Any, bc: Any, pearson: Any, neyman: Any) -> dict[str, Any]:
    return {"kl_pq": kl, "kl_qp": reverse, "jeffreys": kl + reverse, "bc": bc,
            "hellinger2": 1 - bc, "pearson_chi2": pearson, "neyman_chi2": neyman}  # fmt: skip


def _zipf(s: Any, t: Any) -> dict[str, Any]:
    def log_mean(s: Any) -> Any:
        return -mp.zeta(s, derivative=1) / mp.zeta(s)

    def kl(s: Any, t: Any) -> Any:
        return mp.log(mp.zeta(t) / mp.zeta(s)) + (t - s) * log_mean(s)

    def chi2(s: Any, t: Any) -> Any:
        if 2 * s - t <= 1:
            return mp.inf
        return mp.zeta(2 * s - t) * mp.zeta(t) / mp.zeta(s) ** 2 - 1

    bc = mp.zeta((s + t) / 2) / mp.sqrt(mp.zeta(s) * mp.zeta(t))
    found = _named(kl(s, t), kl(t, s), bc, chi2(s, t), chi2(t, s))
    if s != t:
        crossing = mp.exp(mp.log(mp.zeta(t) / mp.zeta(s)) / (s - t))
        if crossing < 10**5:
            k = int(mp.floor(crossing))
            low = [mp.mpf(j) ** -s / mp.zeta(s) - mp.mpf(j) ** -t / mp.zeta(t)
                   for j in range(1, k + 1)]  # fmt: skip
            found["tv"] = abs(mp.fsum(low))
        means = [mp.zeta(x - 1) / mp.zeta(x) if x > 2 else mp.inf for x in (s, t)]
        found["w1"] = abs(means[0] - means[1]) if max(means) < mp.inf else mp.inf
    return found


def _dirichlet(a: Any, b: Any) -> dict[str, Any]:
    def log_norm(a: Any) -> Any:
        return mp.fsum(map(mp.loggamma, a)) - mp.loggamma(mp.fsum(a))

    def kl(a: Any, b: Any) -> Any:
        total = mp.digamma(mp.fsum(a))
        moved = mp.fsum((x - y) * (mp.digamma(x) - total) for x, y in zip(a, b, strict=True))
        return log_norm(b) - log_norm(a) + moved

    def mixed(order: Any) -> Any:
        inner = [order * x + (1 - order) * y for x, y in zip(a, b, strict=True)]
        if min(inner) <= 0:
            return mp.inf
        return mp.exp(log_norm(inner) - order * log_norm(a) - (1 - order) * log_norm(b))

    bc = mixed(mp.mpf(1) / 2)
    return _named(kl(a, b), kl(b, a), bc, mixed(2) - 1, mixed(-1) - 1)


def run(seeds: range, outcome: Outcome) -> None:
    """Try the pairs of the seeds."""
    try_pairs(seeds, outcome, SECONDS, try_pair)


def try_pair(seed: int, outcome: Outcome) -> None:
    """Compare what the package says of one pair with the oracle."""
    import gantheory

    r = random.Random(seed)
    kind, first, second, other = draw(r)
    p, q = text(kind, first), text(other, second)
    names = [*TERMS, "w1", "w2", "energy"]
    if kind in ("zipf", "dirichlet"):
        names = ["kl_pq", "kl_qp", "jeffreys", "bc", "hellinger2", "pearson_chi2", "neyman_chi2",
                 *(["tv", "w1"] if kind == "zipf" else [])]  # fmt: skip
    moving = [i for i in range(len(second)) if other != "binomial" or i]
    i = r.choice(moving)
    what = f"q.concentration[{i}]" if kind == "dirichlet" else f"q.{NAMES[other][i]}"
    outcome.note("pairs")
    with mp.workdps(DIGITS):
        truth, slopes = _truths(names, (kind, other), first, second, i)
    for wrt, known in ((None, truth), (what, slopes)):
        for name, value in known.items():
            if wrt and name == "w2":
                continue
            _compare(outcome, gantheory, (seed, name, wrt, p, q), value)


def _truths(
    names: list[str], kinds: tuple[str, str], first: Any, second: Any, i: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    p, q = (tuple(map(mp.mpf, x)) for x in (first, second))
    found = answers(names, kinds, p, q)
    step = mp.mpf(10) ** -30 * q[i]
    moved = [
        answers(names, kinds, p, (*q[:i], q[i] + side * step, *q[i + 1 :])) for side in (1, -1)
    ]
    slopes = {
        name: mp.inf if mp.isinf(found[name]) else (moved[0][name] - moved[1][name]) / (2 * step)
        for name in found
    }
    flat = {  # a kink, where one-sided derivatives differ
        name
        for name in found
        if not mp.isinf(found[name])
        and abs(moved[0][name] + moved[1][name] - 2 * found[name]) > step * mp.mpf(10) ** -12
    }
    lost = {name for name, x in slopes.items() if abs(x) * q[i] < KNOWN * (1 + abs(found[name]))}
    return found, {name: x for name, x in slopes.items() if name not in flat | lost}


def _compare(outcome: Outcome, gantheory: Any, where: tuple[Any, ...], truth: Any) -> None:
    _, name, wrt, p, q = where
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = gantheory.divergence(name, p, q, wrt=wrt)
    except gantheory.GantheoryError as reason:
        outcome.note("refused", *where, reason)
        return
    status = found.status.name
    outcome.note("derivatives" if wrt else "values")
    if mp.isinf(truth):
        right = "UNDETERMINED" if wrt else "INFINITE"
        if status != right:
            word = "infinite, undetermined" if status == "UNDETERMINED" else "WRONG"
            outcome.note(word, *where, "is infinite, said", found)
    elif status == "UNDETERMINED":
        outcome.note("undetermined", *where, mp.nstr(truth, 17), found)
    else:
        off = abs(truth - mp.mpf(found.value))
        if not off <= mp.mpf(found.error) * mp.mpf("1.000001") + mp.mpf("5e-324"):
            outcome.note("WRONG", *where, mp.nstr(truth, 17), found)
        elif found.error > abs(truth) / 1000 and abs(truth) > mp.mpf("1e-300"):
            outcome.note("vague", *where, mp.nstr(truth, 17), found)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (6 if quick else 120)), "masses")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
