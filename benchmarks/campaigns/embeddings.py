r"""MMD² of random pairs on the line, against its integral over frequencies in many digits.

.. math:: \mathrm{MMD}^2 = 2\int_0^\infty \hat k(\omega)\,|\varphi_p(\omega)
          - \varphi_q(\omega)|^2\,d\omega

with closed characteristic functions, integrated by balls over octaves of ω; derivatives are
central differences of the integrand. Source: B. K. Sriperumbudur et al. (2010), Journal of Machine
Learning Research 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from flint import acb, arb, ctx

from benchmarks.campaigns.distances import ask
from benchmarks.campaigns.integrals import Answer
from benchmarks.campaigns.laws import ZERO
from benchmarks.campaigns.outcome import Outcome, Unresolved, figures_of, try_pairs
from benchmarks.campaigns.pairs import Draw, Tree, ball_law, parameters, text
from benchmarks.figures import Figure

FIRST = 70_000
SECONDS = 60  # of processor time for one pair
PRECISION = 300  # bits
STEP = arb("1e-20")
SMALL = arb("1e-21")  # of the whole: what is less does not count
MOST = 4000  # evaluations in one octave
TOLERANCE = arb("1e-23")
KNOWN = ("normal", "laplace", "logistic", "gumbel", "cauchy", "uniform", "exponential", "gamma",
         "chi_squared")  # fmt: skip
SMOOTH = {"normal", "logistic", "gumbel", "cauchy"}  # whose functions fall exponentially
WAVES = 2e4  # more than these between two places are left
UNIT = acb(0, 1)


def transform(tree: Tree, at: Callable[[str, float], arb], side: int) -> Callable[[acb], acb]:
    """Return E exp(side·iωX), for Re ω > 0."""
    head, *rest = tree
    names = {"uniform": ("a", "b"), "exponential": ("scale",), "gamma": ("shape", "scale"),
             "chi_squared": ("df",)}  # fmt: skip
    x = [at(name, v) for name, v in zip(names.get(head, ("loc", "scale")), rest, strict=True)]
    i = side * UNIT
    first, s = x[0], x[-1]
    about: dict[str, Callable[[acb], acb]] = {
        "normal": lambda w: (-((s * w) ** 2) / 2).exp(),
        "laplace": lambda w: 1 / (1 + (s * w) ** 2),
        "logistic": lambda w: acb.pi() * s * w / (acb.pi() * s * w).sinh(),
        "gumbel": lambda w: (1 - i * s * w).gamma(),
        "cauchy": lambda w: (-s * w).exp(),
    }
    if head in about:
        return lambda w: (i * first * w).exp() * about[head](w)
    return {
        "uniform": lambda w: (i * (first + s) / 2 * w).exp() * ((s - first) / 2 * w).sinc(),
        "exponential": lambda w: 1 / (1 - i * s * w),
        "gamma": lambda w: (-first * (1 - i * s * w).log()).exp(),
        "chi_squared": lambda w: (-first / 2 * (1 - 2 * i * w).log()).exp(),
    }[head]  # fmt: skip


def weight(kernel: str, h: arb) -> Callable[[acb], acb]:
    """Return the kernel's transform, doubled."""
    if kernel == "gaussian":
        return lambda w: 2 * h / (2 * acb.pi()).sqrt() * (-((h * w) ** 2) / 2).exp()
    if kernel == "laplacian":
        return lambda w: 2 * h / acb.pi() / (1 + (h * w) ** 2)
    return lambda w: 2 * h / acb.pi() * (h * w).bessel_k(acb(0))


def integrand(
    trees: tuple[Tree, Tree], kernel: str, h: arb, moved: tuple[str, str, arb] | None = None
) -> Callable[[acb], acb]:
    """Return what MMD² integrates, with one parameter moved."""

    def gap(side: int) -> Callable[[acb], acb]:
        parts = []
        for of, tree in zip("pq", trees, strict=True):

            def at(name: str, x: float, of: str = of) -> arb:
                away = moved[2] if moved and moved[:2] == (of, name) else ZERO
                return arb(x) + away

            parts.append(transform(tree, at, side))
        return lambda w: parts[0](w) - parts[1](w)

    ahead, behind, k = gap(1), gap(-1), weight(kernel, h)
    return lambda w: k(w) * ahead(w) * behind(w)


def whole(f: Callable[[acb], acb], low: arb, beyond: arb) -> tuple[arb, arb]:
    """Return an integral from 0 by octaves, to where they no longer count beyond a frequency."""
    total, size, quiet, a = arb(0), arb(0), 0, low
    for k in count():
        one = acb.integral(
            lambda w, _: f(w), acb(a), acb(2 * a), rel_tol=TOLERANCE, abs_tol=TOLERANCE * size,
            eval_limit=MOST,
        ).real  # fmt: skip
        size += abs(one.mid())
        if not one.rad() <= SMALL * size or k > 2000:
            raise Unresolved("an octave")
        total, a = total + one, 2 * a
        quiet = quiet + 1 if a > beyond and abs(one) < SMALL * size else 0
        if quiet > 2:
            return total.mid(), (total.rad() + 10 * SMALL * size).mid()
    raise AssertionError


@ctx.workprec(PRECISION)
def solved(
    trees: tuple[Tree, Tree], kernel: str, h: float, wrt: tuple[str, str, float | None]
) -> tuple[Answer, Answer]:
    """Return MMD² and its derivative."""
    bandwidth = arb(h)
    laws = [ball_law(tree) for tree in trees]
    widths = [abs(width) for law in laws for _, width in law.anchors]
    places = [place for law in laws for place, _ in law.anchors]
    apart = max(places) - min(places)
    fastest = 1 / min([bandwidth, *widths]) if kernel == "laplacian" else 1 / bandwidth
    if float(apart * 200 * fastest) > WAVES * 200 or float(max(widths) * fastest) > 1e12:
        raise Unresolved("too many waves")
    low = (arb(2) ** -40 / max([bandwidth, *widths, apart])).mid()
    side, name, x = wrt
    size = (arb(x) if x else min(widths)).mid()
    step = (size * STEP).mid()
    there, back, here = (
        integrand(trees, kernel, bandwidth, (side, name, k * step)) for k in (1, -1, 0)
    )
    beyond = (1 / bandwidth).mid()
    value = whole(here, low, beyond)
    slope = whole(lambda w: (there(w) - back(w)) / (2 * step), low, beyond)
    bend = ZERO
    return Answer(*value, bend), Answer(*slope, bend)


def run(seeds: range, outcome: Outcome) -> None:
    """Try the pairs of the seeds."""
    try_pairs(seeds, outcome, SECONDS, try_pair)


def try_pair(seed: int, outcome: Outcome) -> None:
    """Compare what the package says of one pair with the oracle."""
    import gantheory
    from gantheory.errors import GantheoryError

    draw = Draw(seed)
    kernel = draw.random.choice(["gaussian", "laplacian", "imq"])
    heads = tuple(sorted(SMOOTH)) if kernel == "laplacian" else KNOWN
    p = draw.law(heads)
    near = draw.random.random() < 0.45
    q = draw.neighbour(p, 10 ** draw.random.uniform(-12, 0)) if near else draw.law(heads)
    side, tree = draw.random.choice([("p", p), ("q", q)])
    named = [x for x in parameters(tree) if x[0] != "loc" or tree[0] in SMOOTH | {"laplace"}]
    name, size = draw.random.choice(named)
    width = float(abs(ball_law(p).anchors[-1][1]))
    h = width * 10 ** draw.random.choice([draw.random.uniform(-1, 1), draw.random.uniform(-3, 3)])
    try:
        laws = [gantheory.density(text(t)) for t in (p, q)]
    except GantheoryError:
        outcome.note("illegal pairs")
        return
    told = solved((p, q), kernel, h, (side, name, size))
    outcome.note("pairs")
    asked = f"mmd2(kernel={kernel}, bandwidth={h!r})"
    for what, truth in zip((None, f"{side}.{name}"), told, strict=True):
        where = (seed, kernel, what, text(p), text(q), h)
        ask(outcome, where, truth, asked, laws, what)


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (6 if quick else 120)), "embeddings")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
