r"""The laws of random names: atoms, and densities with their partial moments.

A piece of a law has a smooth density w on (lower, upper); the antiderivatives of mᵏ·w(m) are what
the mean of a polynomial with kinks needs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.formulas import law
from gantheory.functions import fermi_dirac, sigmoid, to_sympy

M = sp.Symbol("m", real=True)  # stands for the random name in densities


@dataclass(frozen=True)
class MarginPiece:
    """A smooth density on an interval; ``moments`` gives antiderivatives of mᵏ·density.

    ``ends`` gives their values at infinite ends, by order and side; 0 unless given. ``tilts``
    gives density·exp(a·m² + b·m) as a factor and a piece of the same kind, ``whole`` the integral
    of mᵏ·exp(b·m)·density over the whole line where no antiderivative is elementary, and
    ``normal`` and ``logistic`` the mean and the scale of such a density.
    """

    lower: sp.Expr
    upper: sp.Expr
    density: sp.Expr
    moments: Callable[[MarginPiece, int], sp.Expr]
    ends: Callable[[int, int], sp.Expr] = lambda order, side: sp.S.Zero
    tilts: Callable[[MarginPiece, sp.Expr, sp.Expr, Assumptions], Tilted] | None = None
    whole: Callable[[int, sp.Expr, Assumptions], sp.Expr] | None = None
    normal: tuple[sp.Expr, sp.Expr] | None = None
    logistic: tuple[sp.Expr, sp.Expr] | None = None

    def moment(self, order: int, place: sp.Expr) -> sp.Expr:
        """Return the antiderivative of mᵏ·density at a place, which may be an infinite end."""
        if place.is_infinite:
            return self.ends(order, 1 if place > 0 else -1)
        return self.moments(self, order).xreplace({M: place})


Tilted = tuple[sp.Expr, MarginPiece]


def _infinite(rate: sp.Expr) -> Undecided:
    return Undecided(
        f"a payoff's mean is infinite, or not known to be finite: over its law the mean of an "
        f"exponential of the random name times {rate} is"
    )


def _tilted_exponential(
    piece: MarginPiece, square: sp.Expr, rate: sp.Expr, parameters: Assumptions
) -> Tilted:
    """Multiply a density that falls like an exponential by exp(rate·m)."""
    if square != 0:
        raise Undecided("a square of the random name in an exponential closes over a normal law")
    density = sp.powsimp(piece.density * sp.exp(rate * M))
    slope = sp.simplify(sp.diff(sp.log(piece.density), M) + rate)
    side = 1 if piece.upper == sp.oo else -1
    if parameters.sign(-side * slope) != 1:
        raise _infinite(rate)
    return sp.S.One, replace(piece, density=density)


@dataclass(frozen=True)
class MarginLaw:
    """A law on the line.

    Attributes:
        atoms: pairs (place, weight).
        pieces: where it has a density.
    """

    atoms: tuple[tuple[sp.Expr, sp.Expr], ...] = ()
    pieces: tuple[MarginPiece, ...] = ()


@lru_cache(maxsize=256)
def _integrated(density: sp.Expr, order: int) -> sp.Expr:
    return sp.integrate(sp.expand(M**order * density), M)


def _by_integration(piece: MarginPiece, order: int) -> sp.Expr:
    return _integrated(piece.density, order)


def _uniform(lower: sp.Expr, upper: sp.Expr) -> MarginLaw:
    return MarginLaw((), (MarginPiece(lower, upper, 1 / (upper - lower), _by_integration),))


def normal_law(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    r"""Return a normal law. ∫ mᵏ w = −σ² m^{k−1} w + μ ∫ m^{k−1} w + (k − 1) σ² ∫ m^{k−2} w."""
    density = sp.exp(-(((M - mean) / scale) ** 2) / 2) / (scale * sp.sqrt(2 * sp.pi))

    def moment(piece: MarginPiece, order: int) -> sp.Expr:
        if order == 0:
            return sp.erf((M - mean) / (scale * sp.sqrt(2))) / 2
        found = mean * moment(piece, order - 1) - scale**2 * M ** (order - 1) * density
        if order > 1:
            found += (order - 1) * scale**2 * moment(piece, order - 2)
        return found

    def end(order: int, side: int) -> sp.Expr:
        if order == 0:
            return sp.Rational(side, 2)
        before = end(order - 2, side) if order > 1 else sp.S.Zero
        return mean * end(order - 1, side) + (order - 1) * scale**2 * before

    def tilted(
        piece: MarginPiece, square: sp.Expr, rate: sp.Expr, parameters: Assumptions
    ) -> Tilted:
        """Complete the square."""
        narrowing = 1 - 2 * square * scale**2
        if parameters.sign(narrowing) != 1:
            raise _infinite(square)
        moved = (mean + rate * scale**2) / narrowing
        grown = moved**2 * narrowing / (2 * scale**2) - mean**2 / (2 * scale**2)
        other = normal_law(moved, scale / sp.sqrt(narrowing)).pieces[0]
        factor = sp.exp(sp.expand(grown)) / sp.sqrt(narrowing)
        return factor, replace(other, lower=piece.lower, upper=piece.upper)

    whole = MarginPiece(-sp.oo, sp.oo, density, moment, end, tilted, normal=(mean, scale))
    return MarginLaw((), (whole,))


def _logistic(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    """Moments by Fermi-Dirac integrals; E[exp(bm)] = e^(bμ)·πbs/sin(πbs)."""
    z = (M - mean) / scale
    free = sp.Dummy("b")

    def whole(order: int, rate: sp.Expr, parameters: Assumptions) -> sp.Expr:
        if any(parameters.sign(1 + side * rate * scale) != 1 for side in (1, -1)):
            raise _infinite(rate)
        generated = sp.exp(free * mean) * sp.pi * free * scale / sp.sin(sp.pi * free * scale)
        if rate == 0:
            near = sp.series(generated, free, 0, order + 1).removeO()
            return sp.Integer(1) if order == 0 else sp.diff(near, free, order).subs(free, 0)
        return sp.diff(generated, free, order).xreplace({free: rate})

    def moment(piece: MarginPiece, order: int) -> sp.Expr:
        """Return mᵏ·σ(z) − k·∫ mᵏ⁻¹·σ(z), the integral by parts."""
        total = M**order * sigmoid(z)
        for i in range(order):
            parts = sp.ff(order - 1, i) * M ** (order - 1 - i) * (-1) ** i * scale ** (i + 1)
            total -= order * parts * fermi_dirac(sp.Integer(i), z)
        return total

    def end(order: int, side: int) -> sp.Expr:
        return sp.S.Zero if side < 0 else whole(order, sp.S.Zero, Assumptions())

    density = sigmoid(z) * sigmoid(-z) / scale
    own = (mean, scale)
    made = MarginPiece(-sp.oo, sp.oo, density, moment, end, whole=whole, logistic=own)
    return MarginLaw((), (made,))


def _laplace(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    left, right = (sp.exp(side * (M - mean) / scale) / (2 * scale) for side in (1, -1))
    return MarginLaw(
        (),
        (
            MarginPiece(-sp.oo, mean, left, _by_integration, tilts=_tilted_exponential),
            MarginPiece(mean, sp.oo, right, _by_integration, tilts=_tilted_exponential),
        ),
    )


def _exponential(scale: sp.Expr) -> MarginLaw:
    density = sp.exp(-M / scale) / scale
    tilts = _tilted_exponential
    return MarginLaw((), (MarginPiece(sp.S.Zero, sp.oo, density, _by_integration, tilts=tilts),))


def _triangular(lower: sp.Expr, mode: sp.Expr, upper: sp.Expr) -> MarginLaw:
    top = 2 / (upper - lower)
    sides = []
    if lower != mode:
        sides.append(MarginPiece(lower, mode, top * (M - lower) / (mode - lower), _by_integration))
    if mode != upper:
        sides.append(MarginPiece(mode, upper, top * (upper - M) / (upper - mode), _by_integration))
    return MarginLaw((), tuple(sides))


def _bernoulli(chance: sp.Expr) -> MarginLaw:
    return MarginLaw(((sp.S.Zero, 1 - chance), (sp.S.One, chance)))


# name -> (what makes it, what must be positive, what must not be negative)
Arguments = Callable[..., tuple[sp.Expr, ...]]
KINDS: dict[str, tuple[Callable[..., MarginLaw], Arguments, Arguments]] = {
    "uniform": (_uniform, lambda a, b: (b - a,), lambda a, b: ()),
    "normal": (normal_law, lambda mean, scale: (scale,), lambda mean, scale: ()),
    "laplace": (_laplace, lambda mean, scale: (scale,), lambda mean, scale: ()),
    "logistic": (_logistic, lambda mean, scale: (scale,), lambda mean, scale: ()),
    "exponential": (_exponential, lambda scale: (scale,), lambda scale: ()),
    "triangular": (_triangular, lambda a, c, b: (b - a,), lambda a, c, b: (c - a, b - c)),
    "bernoulli": (_bernoulli, lambda p: (), lambda p: (p, 1 - p)),
}
ORDERED = {
    "uniform": "its ends must be in order", "normal": "its scale must be positive",
    "laplace": "its scale must be positive", "logistic": "its scale must be positive",
    "exponential": "its scale must be positive", "triangular": "write (lower, mode, upper)",
    "bernoulli": "its chance must lie between 0 and 1",
}  # fmt: skip


def law_of(text: str, parameters: Assumptions) -> MarginLaw:
    """Return the law that a text describes.

    Raises:
        GantheoryError: where there is no such law for any of the legal parameters.
    """
    tree = law(text)
    assert isinstance(tree.func, ast.Name)
    made, positive, nonnegative = KINDS[tree.func.id]
    arguments = [to_sympy(one, parameters.symbols) for one in tree.args]
    for bound, least in ((positive, 1), (nonnegative, 0)):
        for one in bound(*arguments):
            sign = parameters.sign(one)
            if sign is None or sign < least:
                raise GantheoryError(f"law {text[:60]!r}: {ORDERED[tree.func.id]}")
    return made(*arguments)
