r"""The laws of random names: atoms, and densities with their partial moments.

A piece of a law has a smooth density w on (lower, upper); the antiderivatives of mᵏ·w(m) are what
the mean of a polynomial with kinks needs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp

from gantheory.deadline import Undecided
from gantheory.errors import GantheoryError
from gantheory.exact.assumptions import Assumptions
from gantheory.formulas import law
from gantheory.functions import sigmoid, softplus, to_sympy

M = sp.Symbol("m", real=True)  # stands for the random name in densities


@dataclass(frozen=True)
class MarginPiece:
    """A smooth density on an interval; ``moments`` gives antiderivatives of mᵏ·density.

    ``ends`` gives their values at infinite ends, by order and side; 0 unless given.
    """

    lower: sp.Expr
    upper: sp.Expr
    density: sp.Expr
    moments: Callable[[MarginPiece, int], sp.Expr]
    ends: Callable[[int, int], sp.Expr] = lambda order, side: sp.S.Zero

    def moment(self, order: int, place: sp.Expr) -> sp.Expr:
        """Return the antiderivative of mᵏ·density at a place, which may be an infinite end."""
        if place.is_infinite:
            return self.ends(order, 1 if place > 0 else -1)
        return self.moments(self, order).xreplace({M: place})


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


def _normal(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    r"""∫ mᵏ w = −σ² m^{k−1} w + μ ∫ m^{k−1} w + (k − 1) σ² ∫ m^{k−2} w."""
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

    return MarginLaw((), (MarginPiece(-sp.oo, sp.oo, density, moment, end),))


def _logistic(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    """Orders 0 and 1 alone have elementary antiderivatives."""
    z = (M - mean) / scale

    def moment(piece: MarginPiece, order: int) -> sp.Expr:
        if order > 1:
            raise Undecided("a mean over a logistic law closes where it is linear between kinks")
        return sigmoid(z) if order == 0 else M * sigmoid(z) - scale * softplus(z)

    def end(order: int, side: int) -> sp.Expr:
        return sp.S.Zero if side < 0 else sp.S.One if order == 0 else mean

    density = sigmoid(z) * sigmoid(-z) / scale
    return MarginLaw((), (MarginPiece(-sp.oo, sp.oo, density, moment, end),))


def _laplace(mean: sp.Expr, scale: sp.Expr) -> MarginLaw:
    left, right = (sp.exp(side * (M - mean) / scale) / (2 * scale) for side in (1, -1))
    return MarginLaw(
        (),
        (
            MarginPiece(-sp.oo, mean, left, _by_integration),
            MarginPiece(mean, sp.oo, right, _by_integration),
        ),
    )


def _exponential(scale: sp.Expr) -> MarginLaw:
    return MarginLaw(
        (), (MarginPiece(sp.S.Zero, sp.oo, sp.exp(-M / scale) / scale, _by_integration),)
    )


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
    "normal": (_normal, lambda mean, scale: (scale,), lambda mean, scale: ()),
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
