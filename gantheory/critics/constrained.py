r"""Critics under a constraint: the optimal critic and the value, by exact calculus.

Each of these objectives is :math:`\sup_v \int g\,v` over a ball for v, which is f itself or its
derivative: integration by parts writes :math:`E_p f - E_q f = \int (F_q - F_p) f'\,dx` in one
dimension. Two lemmas do the rest, |v| ≤ 1 and :math:`\int w v^2 \le 1`, both derived here.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from gantheory.critics import relativistic
from gantheory.critics.record import CriticDerivation, judge_claim
from gantheory.derivations.told import Step
from gantheory.divergences import DIVERGENCES
from gantheory.errors import unknown_name
from gantheory.functions import r
from gantheory.losses import CRITICS
from gantheory.losses.constrained import Critic
from gantheory.naming import find_entry
from gantheory.records import How
from gantheory.theory.branches import generator
from gantheory.theory.records import known

g = sp.Symbol("g", real=True)
v = sp.Symbol("v", real=True)
w, lam, d = sp.symbols("w lambda d", positive=True)
p, q, mu = sp.symbols("p q mu", positive=True)
F_p, F_q = sp.symbols("F_p F_q", nonnegative=True)
ONE_DIMENSION = "P and Q are laws on the line with finite means"
BY_PARTS = "integration by parts with a bounded variation (Folland 1999, Real Analysis, 3.36)"
LIPSCHITZ = (
    "f is 1-Lipschitz iff it is an integral of some f' with |f'| <= 1 (Folland 1999, Real "
    "Analysis, 3.35)"
)
CALCULUS = "the fundamental theorem of calculus (Folland 1999, Real Analysis, 3.35)"
EMBEDDING = (
    "the reproducing property and Cauchy-Schwarz: the supremum over the unit ball is the distance "
    "of the mean embeddings (Gretton et al. 2012, JMLR 13, Lemma 4)"
)
LEVELS = "Fubini's theorem (Folland 1999, Real Analysis, 2.37)"
ENVELOPE = "the game is zero-sum: with f held at its optimum, G descends the gradient of the value"


def derive_critic(loss: str | Critic) -> CriticDerivation:
    """Derive the optimal critic and the value of a constrained loss.

    >>> derive_critic("wgan-gp").value
    d**2/(4*lambda) + d
    >>> derive_critic("fisher").named
    'sqrt(2*triangular)'
    """
    critic = (
        find_entry("constrained loss", loss, CRITICS.values()) if isinstance(loss, str) else loss
    )
    if critic.name not in CRITICS:
        raise unknown_name("constrained loss", critic.name, CRITICS)
    derivers: dict[str, Callable[[Critic], CriticDerivation]] = {
        "wasserstein": _wasserstein, "wgan-gp": _gradient_penalty, "mmd": _mmd,
        "cramer": _cramer, "fisher": _fisher, "sobolev": _sobolev,
        "relativistic": relativistic.derive_paired,
        "relativistic-average": relativistic.derive_average,
        "conditional": relativistic.derive_conditional,
    }  # fmt: skip
    return derivers[critic.name](critic)


def bounded_supremum() -> tuple[sp.Expr, sp.Expr, Step]:
    """Return the maximiser and the maximum of g·v over |v| ≤ 1, for every real g."""
    ends = g * 1, g * (-1)
    best = sp.Max(*ends).rewrite(sp.Abs)
    linear = sp.simplify(sp.diff(g * v, v, 2)) == 0  # so the maximum is at an end
    step = Step(
        "Pointwise supremum",
        "g*v is linear in v, so over |v| <= 1 it is largest at v = sign(g), where it is |g|",
        r"\sup_{|v|\le 1} g\,v = |g|,\quad v^* = \operatorname{sign} g",
        known(linear, sp.simplify(best - sp.Abs(g)) == 0),
        "a linear function is largest at an end of an interval",
    )
    return sp.sign(g), sp.Abs(g), step


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


def _by_parts() -> Step:
    return Step(
        "Integration by parts",
        "E_p f - E_q f = integral of (F_q - F_p)*f'",
        r"E_p f - E_q f = \int (F_q-F_p)\,f'\,dx",
        How.PROVED,
        "F_q - F_p vanishes at both ends",
        BY_PARTS,
    )


def _value_step(text: str, latex: str, reason: str, theorem: str = "") -> Step:
    return Step("Value", text, latex, How.PROVED, reason, theorem)


def _wasserstein(loss: Critic) -> CriticDerivation:
    best, value, lemma = bounded_supremum()
    slope, total = (found.subs(g, F_q - F_p) for found in (best, value))
    same = sp.simplify(total - sp.Abs(F_p - F_q)) == 0
    steps = (
        _by_parts(),
        lemma,
        _value_step(
            f"f' = {slope}; the value is the integral of |F_p - F_q|, the distance W1",
            r"f'^*=\operatorname{sign}(F_q-F_p),\quad V=\int|F_p-F_q|\,dx=W_1(P,Q)",
            "f' is measurable and bounded by 1, so its integral is 1-Lipschitz",
            LIPSCHITZ,
        ),
    )
    claim = judge_claim(loss, same, "integral of |F_p - F_q|", steps)
    critic, assumptions = from_slope(slope), (ONE_DIMENSION, ENVELOPE)
    return CriticDerivation(loss, critic, total, "w1", steps, assumptions, claim, slope=slope)


def from_slope(slope: sp.Expr) -> sp.Expr:
    """Return the critic with this slope in the laws' functions F_p, F_q, mu; f(0) = 0.

    >>> from_slope(sp.sign(F_q - F_p))
    Integral(sign(-F_p(s) + F_q(s)), (s, 0, x))
    """
    s, x = sp.symbols("s x", real=True)
    at_s = {symbol: sp.Function(symbol.name)(s) for symbol in (F_p, F_q, mu)}
    return sp.Integral(slope.xreplace(at_s), (s, 0, x))


def _gradient_penalty(loss: Critic) -> CriticDerivation:
    """Two points at distance d: the mean over the segment of d·f' − λ(f' − 1)²."""
    integrand = d * v - lam * (v - 1) ** 2
    (slope,) = map(sp.expand, sp.solve(sp.diff(integrand, v), v))
    second = sp.diff(integrand, v, 2)
    value = sp.expand(sp.simplify(integrand.subs(v, slope)))
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
            known(second.is_negative, (slope - 1).is_positive),
            "stationarity of a concave integrand; the slope exceeds 1, the penalty's target",
        ),
        _value_step(
            f"{value}, where W1 = d; its derivative in d is {gradient}",
            rf"V = {sp.latex(value)},\quad \partial_d V = {sp.latex(gradient)}",
            "substitution",
        ),
    )
    example = f"at distance d = 1, lambda = 10: {value.subs({d: 1, lam: 10})} is not 1"
    claim = judge_claim(loss, sp.simplify(value - d) == 0, str(value), steps, example)
    where = (
        "P and Q are points at distance d > 0; lambda > 0 is the penalty's weight; x is the place "
        "on the segment, counted from Q"
    )
    critic = slope * sp.Symbol("x", real=True)
    return CriticDerivation(loss, critic, value, str(value), steps, (where,), claim, slope=slope)


def _fisher(loss: Critic) -> CriticDerivation:
    best, square, lemma = weighted_supremum()
    weight = (p + q) / 2
    critic = sp.simplify(best.subs({g: p - q, w: weight}))
    integrand = sp.simplify(square.subs({g: p - q, w: weight}))
    f = sp.cancel(integrand.subs(p, r * q) / q)
    name = _multiple_of_named(f)
    steps = (
        lemma,
        Step(
            "Optimal critic",
            f"with g = p - q and w = (p + q)/2: f = {critic}",
            rf"f^* = {sp.latex(critic)}",
            How.PROVED,
            "substitution",
        ),
        _value_step(
            f"lambda**2 is the f-divergence with f = {f}, which is {name}",
            rf"V=\Big(\int {sp.latex(integrand)}\Big)^{{1/2}}",
            "identified by exact algebra",
        ),
    )
    named = f"sqrt({name})"
    claim = judge_claim(loss, loss.claims[0].value == named, named, steps)
    value = sp.sqrt(sp.Function("D_f")(f))
    return CriticDerivation(
        loss, critic, value, named, steps, ("P and Q have densities", ENVELOPE), claim
    )


def _multiple_of_named(f: sp.Expr) -> str:
    """Return c*name where f is c times a named generator up to a multiple of r − 1."""
    for name, entry in DIVERGENCES.items():
        if generator(entry).is_rational_function(r):
            scale = sp.cancel(sp.diff(f, r, 2) / sp.diff(generator(entry), r, 2))
            if not scale.free_symbols and f.subs(r, 1) == 0:
                return f"{scale}*{name}"
    raise AssertionError("the weighted square has no name")


def _sobolev(loss: Critic) -> CriticDerivation:
    best, square, lemma = weighted_supremum()
    slope = best.subs({g: F_q - F_p, w: mu})
    integrand = sp.factor(square.subs({g: F_q - F_p, w: mu}))
    steps = (
        _by_parts(),
        lemma,
        _value_step(
            f"f' = {slope}; the value is the root of the integral of {integrand}",
            rf"f'^*={sp.latex(slope)},\quad V=\Big(\int {sp.latex(integrand)}\,dx\Big)^{{1/2}}",
            "substitution of g = F_q - F_p and w = mu",
        ),
    )
    named = f"sqrt(integral({integrand}))"
    claim = judge_claim(loss, loss.claims[0].value == named, named, steps)
    value = sp.sqrt(sp.Function("Integral")(integrand))
    critic, assumptions = from_slope(slope), (ONE_DIMENSION, ENVELOPE)
    return CriticDerivation(loss, critic, value, named, steps, assumptions, claim, slope=slope)


def _cramer(loss: Critic) -> CriticDerivation:
    """|x − y| counts the levels z between x and y; the mean of that is a polynomial in the cdfs."""
    cross = F_p * (1 - F_q) + F_q * (1 - F_p)
    own_p, own_q = 2 * F_p * (1 - F_p), 2 * F_q * (1 - F_q)
    energy = sp.factor(sp.expand(2 * cross - own_p - own_q))
    named = f"sqrt(integral({energy}))"
    steps = (
        Step(
            "Optimal critic",
            "f(x) = (E|x - Y_q| - E|x - X_p|)/V: the difference of the mean embeddings of the "
            "kernel -|x - y|, divided by its norm V",
            r"f^*(x) = \frac{E|x-Y_q|-E|x-X_p|}{V},\quad V = \|\mu_p-\mu_q\|",
            How.PROVED,
            "equality for parallel elements",
            EMBEDDING,
        ),
        Step(
            "Levels",
            f"E|X - Y| is the integral of {cross}",
            rf"E|X-Y|=\int {sp.latex(cross)}\,dz",
            How.PROVED,
            "z lies between X and Y iff exactly one of them is at most z",
            LEVELS,
        ),
        _value_step(
            f"V**2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'|, the energy distance, is the integral of "
            f"{energy}; the supremum over the unit ball is its root",
            rf"V^2 = \mathcal E = \int {sp.latex(energy)}\,dz",
            "bilinearity of the norm, and expansion of a polynomial in the two cdfs",
        ),
    )
    claim = judge_claim(loss, loss.claims[0].value == named, named, steps)
    value = sp.sqrt(sp.Function("Integral")(energy))
    return CriticDerivation(loss, None, value, named, steps, (ONE_DIMENSION, ENVELOPE), claim)


def _mmd(loss: Critic) -> CriticDerivation:
    bandwidth = sp.Symbol("ell", positive=True)
    scale_p, scale_q = sp.symbols("sigma_p sigma_q", positive=True)
    apart = sp.Symbol("d", real=True)
    own = [mean_gaussian_kernel(sp.Integer(0), 2 * s**2, bandwidth) for s in (scale_p, scale_q)]
    cross = mean_gaussian_kernel(apart, scale_p**2 + scale_q**2, bandwidth)
    square = own[0] + own[1] - 2 * cross
    steps = (
        Step(
            "Optimal critic",
            "f = (mu_p - mu_q)/|mu_p - mu_q|, mu_p(x) = E_p k(x, X)",
            r"f^*=\frac{\mu_p-\mu_q}{\|\mu_p-\mu_q\|},\quad V=\|\mu_p-\mu_q\|=\mathrm{MMD}",
            How.PROVED,
            "equality for parallel elements",
            EMBEDDING,
        ),
        Step(
            "Mean of the kernel",
            f"X - Y is normal, so E k(X, Y) = {cross}",
            rf"E\,k(X,Y) = {sp.latex(cross)}",
            How.PROVED,
            "a Gaussian integral, by completing the square",
        ),
        _value_step(
            f"MMD**2 = {square}",
            rf"\mathrm{{MMD}}^2 = {sp.latex(square)}",
            "bilinearity of the norm",
        ),
    )
    where = (
        "k(x, y) = exp(-(x - y)^2/(2 ell^2)); the closed form is for P = N(m, sigma_p^2), "
        "Q = N(m + d, sigma_q^2)"
    )
    return CriticDerivation(loss, None, sp.sqrt(square), "mmd", steps, (where, ENVELOPE))


def mean_gaussian_kernel(apart: sp.Expr, variance: sp.Expr, bandwidth: sp.Expr) -> sp.Expr:
    """Return E exp(−Z²/(2ℓ²)) for Z ~ N(apart, variance), by completing the square.

    >>> mean_gaussian_kernel(sp.Integer(0), sp.Integer(0), sp.Symbol("ell", positive=True))
    1
    """
    z, spread = sp.Symbol("z", real=True), sp.Symbol("s", positive=True)
    exponent = sp.Poly(-(z**2) / (2 * bandwidth**2) - (z - apart) ** 2 / (2 * spread), z)
    a, b, c = exponent.all_coeffs()
    scale = sp.simplify(sp.pi / -a / (2 * sp.pi * spread))
    gaussian = sp.sqrt(scale) * sp.exp(sp.factor(c - b**2 / (4 * a)))
    return gaussian.subs(spread, variance)
