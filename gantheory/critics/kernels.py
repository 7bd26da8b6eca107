r"""Critics in the unit ball of a kernel's Hilbert space: the norm of a difference of embeddings.

.. math:: \sup_{\|f\|\le 1} \alpha E_p f - \beta E_q f = \|\alpha\mu_p - \beta\mu_q\|,
    \qquad \langle\mu_p, \mu_q\rangle = E\,k(X, Y)
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from gantheory.critics.published import Total, judge_value
from gantheory.critics.record import CriticDerivation, judge_claim
from gantheory.critics.suprema import F_p, F_q, Linear, follows_value, value_step
from gantheory.derivations.exposition import Step
from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.functions import relu, to_sympy
from gantheory.losses.critic import Critic
from gantheory.losses.function_classes import KERNEL, KernelBall
from gantheory.records import How, Verdict

X, Y = sp.symbols("x y", real=True)
ONE_DIMENSION = "P and Q are laws on the line with finite means"
LEVELS = "Fubini's theorem (Folland 1999, Real Analysis, 2.37)"
EMBEDDING = (
    "the reproducing property and Cauchy-Schwarz: the supremum over the unit ball is the distance "
    "of the mean embeddings (Gretton et al. 2012, JMLR 13, Lemma 4)"
)
POINTS = np.array([-2.3, -1.1, -0.4, 0.0, 0.7, 1.3, 2.9])
NEGATIVE = 1e-9  # of the largest eigenvalue: beyond the rounding of a matrix of this size


def derive_ball(loss: Critic, linear: Linear) -> CriticDerivation:
    """Derive the norm of the embeddings' difference, in closed form where the kernel has one."""
    assert isinstance(loss.constraint, KernelBall)
    kernel = _kernel_of(loss.constraint.kernel, linear.balanced)
    follows, undecided = follows_value(loss)
    solved = _energy(kernel, linear) or _gaussian(kernel, linear) or _polynomial(kernel, linear)
    total, named, value, steps, where = solved or _any(kernel, linear)
    if linear.constant != 0:
        named = f"{named} + {linear.constant}"
        value = None if value is None else value + linear.constant
    assumed = (where, f"k(x, y) = {kernel} is positive definite on the laws' supports", *follows)
    claims: tuple[Verdict, ...] = ()
    if loss.claims and total is not None:
        claims = judge_value(loss, total, named, steps)
    elif loss.claims:
        claims = judge_claim(loss, loss.claims[0].value == named, named, steps)
    return CriticDerivation(loss, None, value, named, steps, assumed, claims, undecided)


Solved = tuple[Total | None, str, sp.Expr | None, tuple[Step, ...], str]


def _kernel_of(text: str, balanced: bool) -> sp.Expr:
    """Return a kernel that is symmetric, and positive definite on a set of points.

    Where constants drop out of the objective, weights that add up to 0 are enough.

    Raises:
        GantheoryError: with what is wrong.

    >>> _kernel_of("-abs(x - y)", balanced=True)
    -Abs(x - y)
    """
    kernel = to_sympy(parse(text, KERNEL), {"x": X, "y": Y})
    kernel = kernel.replace(relu, lambda u: (u + sp.Abs(u)) / 2)
    if sp.simplify(kernel - kernel.xreplace({X: Y, Y: X})) != 0:
        raise GantheoryError(f"kernel {text!r} is not symmetric: k(x, y) must equal k(y, x)")
    sample = {s: sp.Rational(3, 2) for s in kernel.free_symbols - {X, Y}}
    values = [[float(kernel.xreplace({X: a, Y: b, **sample})) for b in _exact()] for a in _exact()]
    gram = np.array(values)
    centre = np.eye(len(gram)) - 1 / len(gram) if balanced else np.eye(len(gram))
    eigenvalues = np.linalg.eigvalsh(centre @ gram @ centre)
    if eigenvalues[0] < -NEGATIVE * abs(eigenvalues).max():
        kind = "conditionally positive definite" if balanced else "positive definite"
        raise GantheoryError(
            f"kernel {text!r} is not {kind}: on the points {POINTS.tolist()} its matrix has the "
            f"eigenvalue {eigenvalues[0]:.3g}, so it is the kernel of no Hilbert space"
        )
    return kernel


def _exact() -> list[sp.Rational]:
    return [sp.Rational(str(point)) for point in POINTS]


def _embedding(linear: Linear, critic: str, latex: str) -> Step:
    return Step(
        "Optimal critic",
        critic,
        latex,
        How.PROVED,
        "equality for parallel elements",
        EMBEDDING,
    )


def _difference(linear: Linear) -> str:
    first = "mu_p" if linear.real == 1 else f"{linear.real}*mu_p"
    second = "mu_q" if linear.fake == 1 else f"{linear.fake}*mu_q"
    return f"{first} - {second}"


def _parallel(linear: Linear) -> Step:
    difference = _difference(linear)
    shown = difference.replace("mu_", r"\mu_").replace("*", r"\,")
    return _embedding(
        linear,
        f"f = ({difference})/|{difference}|, mu_p(x) = E_p k(x, X)",
        rf"f^*=\frac{{{shown}}}{{\|{shown}\|}},\quad V=\|{shown}\|",
    )


def _energy(kernel: sp.Expr, linear: Linear) -> Solved | None:
    """k = −s|x − y|: it counts the levels z between x and y, a polynomial in the cdfs."""
    scale = sp.simplify(-kernel / sp.Abs(X - Y))
    if scale.has(X, Y) or not scale.is_positive or not linear.balanced:
        return None
    cross = F_p * (1 - F_q) + F_q * (1 - F_p)
    own_p, own_q = 2 * F_p * (1 - F_p), 2 * F_q * (1 - F_q)
    energy = sp.factor(linear.real**2 * scale * sp.expand(2 * cross - own_p - own_q))
    named = f"sqrt(integral({energy}))"
    steps = (
        _embedding(
            linear,
            "f(x) = (E|x - Y| - E|x - X|)/V: the difference of the mean embeddings of the "
            "kernel, divided by its norm V",
            r"f^*(x) = \frac{\mathbb{E}|x-Y|-\mathbb{E}|x-X|}{V},\quad V = \|\mu_p-\mu_q\|",
        ),
        Step(
            "Levels",
            f"E|X - Y| is the integral of {cross}",
            rf"\mathbb{{E}}|X-Y|=\int {sp.latex(cross)}\,dz",
            How.PROVED,
            "z lies between X and Y iff exactly one of them is at most z",
            LEVELS,
        ),
        value_step(
            "V**2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'|, the energy distance, is the integral of "
            f"{energy}; the supremum over the unit ball is its root",
            rf"V^2 = \mathcal{{E}} = \int {sp.latex(energy)}\,dz",
            "bilinearity of the norm, and expansion of a polynomial in the two cdfs",
        ),
    )
    total = Total(energy, linear.constant, root=True)
    return total, named, sp.sqrt(sp.Function("Integral")(energy)), steps, ONE_DIMENSION


def _gaussian(kernel: sp.Expr, linear: Linear) -> Solved | None:
    """k = s·exp(−(x − y)²/(2ℓ²)) between normals: a Gaussian integral."""
    exponent = sp.expand(sp.expand_log(sp.log(kernel), force=True))
    if not exponent.is_polynomial(X, Y) or sp.Poly(exponent, X, Y).total_degree() != 2:
        return None
    curve = -exponent.coeff(X, 2)
    scale = sp.simplify(sp.exp(sp.expand(exponent + curve * (X - Y) ** 2)))
    if scale.has(X, Y) or not curve.is_positive:
        return None
    bandwidth = sp.sqrt(1 / (2 * curve))
    scale_p, scale_q = sp.symbols("sigma_p sigma_q", positive=True)
    apart = sp.Symbol("d", real=True)
    own = [mean_gaussian_kernel(sp.S.Zero, 2 * s**2, bandwidth) for s in (scale_p, scale_q)]
    cross = mean_gaussian_kernel(apart, scale_p**2 + scale_q**2, bandwidth)
    square = scale * (
        linear.real**2 * own[0] + linear.fake**2 * own[1] - 2 * linear.real * linear.fake * cross
    )
    steps = (
        _parallel(linear),
        Step(
            "Mean of the kernel",
            f"X - Y is normal, so E k(X, Y) = {scale * cross}",
            rf"\mathbb{{E}}\,k(X,Y) = {sp.latex(scale * cross)}",
            How.PROVED,
            "a Gaussian integral, by completing the square",
        ),
        value_step(
            f"MMD**2 = {square}",
            rf"\mathrm{{MMD}}^2 = {sp.latex(square)}",
            "bilinearity of the norm",
        ),
    )
    where = (
        f"k(x, y) = {kernel}; the closed form is for P = N(m, sigma_p^2), Q = N(m + d, sigma_q^2)"
    )
    plain = linear.real == 1 and linear.fake == 1
    return None, "mmd" if plain else _means(linear), sp.sqrt(square), steps, where


def _polynomial(kernel: sp.Expr, linear: Linear) -> Solved | None:
    """A polynomial kernel compares moments alone: V² = Σ c_ij Δ_i Δ_j."""
    if not kernel.is_polynomial(X, Y):
        return None
    square = sp.S.Zero
    for (i, j), c in sp.Poly(kernel, X, Y).terms():
        square += c * _moment(i, linear) * _moment(j, linear)
    square = sp.factor(sp.expand(square))
    step = value_step(
        f"V**2 = {square}: laws with the same moments are not told apart",
        rf"V^2 = {sp.latex(square)}",
        "the kernel is a polynomial, so that its means are moments",
    )
    value = sp.sqrt(square)
    where = "m_i and n_i are the moments of P and of Q, all finite"
    return None, _means(linear), value, (_parallel(linear), step), where


def _moment(order: int, linear: Linear) -> sp.Expr:
    if order == 0:
        return linear.real - linear.fake
    of_p, of_q = (sp.Symbol(f"{name}_{order}", real=True) for name in "mn")
    return linear.real * of_p - linear.fake * of_q


def _any(kernel: sp.Expr, linear: Linear) -> Solved:
    named = _means(linear)
    step = value_step(
        f"V = {named} with k(x, y) = {kernel}",
        r"V^2=\mathbb{E}\,k(X,X')-2\,\mathbb{E}\,k(X,Y)+\mathbb{E}\,k(Y,Y')"
        if named.count("*") == 1
        else r"V=\|f^*\|",
        "bilinearity of the norm",
    )
    where = "X, X' ~ P and Y, Y' ~ Q are independent and the means of k are finite"
    return None, named, None, (_parallel(linear), step), where


def _means(linear: Linear) -> str:
    """Return the norm of the difference in words."""
    a, b = linear.real, linear.fake
    terms = ((a**2, "E k(X, X')"), (-2 * a * b, "E k(X, Y)"), (b**2, "E k(Y, Y')"))
    parts = [text if factor == 1 else f"{factor}*{text}" for factor, text in terms if factor != 0]
    return "sqrt(" + " + ".join(parts).replace("+ -", "- ") + ")"


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
