"""Which loss of the catalogue a recovered loss equals, and up to what.

Two discriminator's payoffs define the same game up to one positive factor and constants, the
generator's loss up to its own factor and a constant. Parameters are fitted, snapped to short
fractions, and the equality is then judged anew at points that no fit has seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from gantheory.compiled import compiled
from gantheory.errors import GantheoryError
from gantheory.functions import relu, sigmoid, softplus, t, to_sympy
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Loss

POINTS = np.concatenate([np.linspace(-14.7, 14.3, 15), np.linspace(-2.93, 2.87, 16)])
NEAR = 1e-9  # relative: rounding of formulas that are the same function
GUARDED = 3e-3  # relative, between scores of -4 and 4: what an epsilon or a clamp may change
STARTS, EVALUATIONS = 4, 30  # of a fit: families are smooth in their one to three parameters
Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class PayoffFormulas:
    """The three payoffs as expressions in t: D maximises a and b, G minimises c."""

    real: sp.Expr
    fake: sp.Expr
    generator: sp.Expr | None

    @classmethod
    def of(cls, loss: Loss) -> PayoffFormulas:
        """Return the payoffs of a loss without free parameters."""
        return cls(to_sympy(loss.real), to_sympy(loss.fake), to_sympy(loss.generator))

    def at(self, score: sp.Expr) -> PayoffFormulas:
        """Return the payoffs with ``score`` in the place of t."""
        parts = (self.real, self.fake, self.generator)
        return PayoffFormulas(*(None if x is None else x.xreplace({t: score}) for x in parts))


@dataclass(frozen=True)
class Equality:
    """A loss of the catalogue, and what it and the code differ by."""

    loss: str
    up_to: tuple[str, ...]
    entry: Loss | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {"loss": self.loss, "up_to": ", ".join(self.up_to) or "nothing"}


@lru_cache(maxsize=64)
def equal_loss(
    formulas: PayoffFormulas, probabilities: bool = False, fit: bool = True
) -> Equality | None:
    """Return the catalogue's loss that has these payoffs, the plainest first.

    With ``fit=False`` losses with parameters are not tried, which is what takes time.
    """
    critic = _critic(formulas, probabilities)
    if critic is not None:
        return critic
    everywhere = points_of(formulas)
    for tolerance, scores in ((NEAR, everywhere), (GUARDED, POINTS[np.abs(POINTS) < 4])):
        guard = [] if tolerance == NEAR else [_guard(formulas)]
        if guard == [None]:
            return None
        more = tuple(g for g in guard if g is not None)
        for entry, score, said in _candidates(formulas):
            differences = match(formulas, PayoffFormulas.of(entry).at(score), scores, tolerance)
            if differences is not None:
                return Equality(entry.name, (*said, *differences, *more), entry)
        if tolerance == NEAR and fit:
            fitted = _fitted(formulas)
            if fitted is None and not upright(formulas):
                fitted = _fitted(formulas.at(-t))
                if fitted is not None:
                    fitted = replace(fitted, up_to=("the sign of the score", *fitted.up_to))
            if fitted is not None:
                return fitted
    return None


def match(
    formulas: PayoffFormulas,
    known: PayoffFormulas,
    points: np.ndarray = POINTS,
    tolerance: float = NEAR,
) -> tuple[str, ...] | None:
    """Return what two games differ by, a factor or a constant each; None where they differ."""
    pairs = [(formulas.real, known.real), (formulas.fake, known.fake)]
    together = common_factor(pairs, points, tolerance)
    if together is None or together <= 0:
        return None
    close = _one if tolerance == NEAR else _nearly
    differences = [] if close(together) else [f"a factor {_short(together)} of the discriminator's"]
    if formulas.generator is None or known.generator is None:
        return (*differences, "the generator's loss, which is not given")
    alone = common_factor([(formulas.generator, known.generator)], points, tolerance)
    if alone is None or alone <= 0:
        return None
    if not close(alone):
        differences.append(f"a factor {_short(alone)} of the generator's")
    if differences and close(alone / together):
        differences = [f"a factor {_short(together)}"]
    if tolerance == NEAR and _constants(
        [*pairs, (formulas.generator, known.generator)], (together, together, alone)
    ):
        differences.append("constants")
    return tuple(differences)


def common_factor(
    pairs: Sequence[tuple[sp.Expr, sp.Expr]],
    points: np.ndarray = POINTS,
    tolerance: float = NEAR,
) -> float | None:
    """Return the k with left = k·right + constant in every pair, if there is one."""
    left, right, scale = [], [], []
    for one, other in pairs:
        a, b = values(one, points), values(other, points)
        usable = np.isfinite(b) & np.isfinite(a)
        if usable.sum() < 6 or np.isfinite(b).sum() > usable.sum():
            return None
        a, b = a[usable], b[usable]
        left.append(a - a[0])
        right.append(b - b[0])
        scale.append(1 + np.abs(a) + abs(a[0]))
    a, b, size = (np.concatenate(x) for x in (left, right, scale))
    weight = 1 / size
    norm = float(np.sum((np.minimum(np.abs(b * weight), 1e150)) ** 2))
    if not 0 < norm < 1e200:
        return None
    k = float(np.sum(a * b * weight**2) / norm)
    return k if np.max(np.abs(a - k * b) * weight) <= tolerance else None


def _constants(pairs: Sequence[tuple[Any, Any]], factors: Sequence[float]) -> bool:
    for (one, other), k in zip(pairs, factors, strict=True):
        a, b = values(one, POINTS), values(other, POINTS)
        usable = np.isfinite(a) & np.isfinite(b)
        if abs((a - k * b)[usable][-1]) > 1e-6:
            return True
    return False


def points_of(formulas: PayoffFormulas) -> np.ndarray:
    """Return scores on both sides of every number in the formulas, where kinks may be."""
    numbers = [float(n) for n in _numbers(formulas) if 10 < n < 10**4]
    return np.concatenate([POINTS, *(np.array([-n - 1.3, 1.3 - n, n - 1.3, n + 1.3])
                                     for n in numbers)])  # fmt: skip


def upright(formulas: PayoffFormulas) -> bool:
    """Return whether the discriminator's payoffs ask for higher scores on real samples."""
    scores = np.linspace(-6.0, 6.0, 121)
    best = [
        scores[int(np.argmax(np.nan_to_num(values(x, scores), nan=-np.inf)))]
        for x in (formulas.real, formulas.fake)
    ]
    return bool(best[0] > best[1])


def _candidates(formulas: PayoffFormulas) -> Iterator[tuple[Loss, sp.Expr, tuple[str, ...]]]:
    """Yield the entries without parameters, with the scores that people put into them."""
    plain = [entry for entry in CATALOGUE.values() if not entry.parameters]
    for entry in plain:
        yield entry, t, _inside(entry)
    for entry in plain:
        yield entry, -t, ("the sign of the score", *_inside(entry))
    yield CATALOGUE["least-squares-01"], 1 - t, ("the sign of the score",)
    for scale in _scales(formulas):
        yield CATALOGUE["hinge"], t / scale, (f"the score's scale {scale}",)
    yield CATALOGUE["linear"], sigmoid(t), ("a sigmoid of the score",)
    if formulas.real.has(t):
        for entry in plain:
            if entry.real == "t" and formulas.real != t:
                yield entry, formulas.real, (f"the output activation {formulas.real}",)


def _inside(entry: Loss) -> tuple[str, ...]:
    return () if entry.domain == "(-oo, oo)" else (f"scores in {entry.domain}",)


def _scales(formulas: PayoffFormulas) -> list[sp.Rational]:
    numbers = {abs(n) for n in formulas.real.atoms(sp.Rational) | formulas.fake.atoms(sp.Rational)}
    return sorted(n for n in numbers if n > 0 and n != 1)[:6]


def _critic(formulas: PayoffFormulas, probabilities: bool) -> Equality | None:
    """Return the Wasserstein critic for payoffs that are linear in an unbounded score."""
    if probabilities or not all(
        x is None or (sp.Poly(x, t).degree() == 1 if x.is_polynomial(t) else False)
        for x in (formulas.real, formulas.fake, formulas.generator)
    ):
        return None
    linear = PayoffFormulas(t, -t, -t)
    for score, said in ((t, ()), (-t, ("the sign of the score",))):
        differences = match(formulas, linear.at(score), points_of(formulas))
        if differences is not None:
            return Equality("wasserstein", (*said, *differences))
    return None


def _guard(formulas: PayoffFormulas) -> str | None:
    """Return what guards a logarithm, read off the small numbers in the formulas."""
    small: set[sp.Rational] = set()
    for part in (formulas.real, formulas.fake, formulas.generator):
        if part is not None:
            numbers = part.atoms(sp.Rational)
            small |= {n for n in numbers if 0 < n <= sp.Rational(1, 100)}
            small |= {1 - n for n in numbers if 0 < 1 - n <= sp.Rational(1, 100)}
    return f"a guard of {float(max(small)):.0e} inside the logarithm" if small else None


# --- parameters


def _fitted(formulas: PayoffFormulas) -> Equality | None:
    for entry in CATALOGUE.values():
        if not entry.parameters or _kind(_parts(formulas)) != _kind(_entry(entry.name)):
            continue
        for start in _starts(entry, formulas):
            given = _fit(entry, formulas, start)
            if given is None:
                continue
            differences = match(formulas, PayoffFormulas.of(given), points_of(formulas))
            if differences is not None:
                return Equality(given.name, (*_inside(given), *differences), given)
    return None


def _parts(formulas: PayoffFormulas) -> list[sp.Expr]:
    return [x for x in (formulas.real, formulas.fake, formulas.generator) if x is not None]


def _kind(parts: Sequence[sp.Expr]) -> str:
    """Return which functions payoffs are made of, so that few families are fitted."""
    if any(x.has(relu) for x in parts):
        return "kinks"
    if any(x.has(sigmoid, softplus, sp.log, sp.tanh) for x in parts):
        return "logistic"
    return "exponential" if any(x.has(sp.exp) for x in parts) else "polynomial"


def _starts(entry: Loss, formulas: PayoffFormulas) -> list[list[float]]:
    names = list(entry.parameters)
    typical = {"a": (0.1, 0.9, -1.0), "b": (0.1, 1.0), "c": (0.0, 1.0), "eps": (),
               "prior": (0.4,)}  # fmt: skip
    written = [float(n) for n in _numbers(formulas)]
    options = []
    for name in names:
        if name == "eps":
            options.append([n for n in written if 0 < n < 0.1])
        elif name == "m":
            options.append(sorted({n for n in written if n > 1}, reverse=True) or [1.0])
        else:
            options.append(list(typical.get(name, (0.4, 3.0))))
    return [
        list(combination) for combination in itertools.islice(itertools.product(*options), STARTS)
    ]


def _numbers(formulas: PayoffFormulas) -> set[sp.Rational]:
    return {abs(n) for x in _parts(formulas) for n in x.atoms(sp.Rational)}


def _fit(entry: Loss, formulas: PayoffFormulas, start: list[float]) -> Loss | None:
    """Return the entry with the numbers that fit best, as short fractions."""
    names = list(entry.parameters)
    known = _functions(entry.name)
    scores = np.linspace(-2.9, 2.7, 17)
    ours = [values(x, scores) if x is not None else None
            for x in (formulas.real, formulas.fake, formulas.generator)]  # fmt: skip
    if any(x is not None and not np.isfinite(x).all() for x in ours):
        return None

    def misfit(given: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            theirs = [np.broadcast_to(f(scores, *given), scores.shape) for f in known]
        left = _residual(ours[:2], theirs[:2])
        right = _residual(ours[2:], theirs[2:]) if ours[2] is not None else np.zeros(0)
        return np.nan_to_num(np.concatenate([left, right]), nan=10.0, posinf=10.0, neginf=10.0)

    if names == ["eps"]:
        best = np.array(start)
    else:
        from scipy.optimize import least_squares  # half a second, for families alone

        with np.errstate(all="ignore"):
            best = least_squares(
                misfit, start, xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=EVALUATIONS
            ).x
    if np.max(np.abs(misfit(best))) > 1e-6:
        return None
    simple = [_simple(x) for x in best]
    try:
        return entry.given(**dict(zip(names, simple, strict=True)))
    except GantheoryError:
        return None


def _residual(ours: Sequence[Any], theirs: Sequence[np.ndarray]) -> np.ndarray:
    """Return what is left of ours after the best multiple of theirs and constants."""
    a = np.concatenate([x - x.mean() for x in ours])
    b = np.concatenate([x - x.mean() for x in theirs])
    norm = float(b @ b)
    k = float(a @ b) / norm if norm > 1e-12 else 0.0
    residual: np.ndarray = (a - max(k, 0.0) * b) / (1e-9 + np.linalg.norm(a))
    return residual


def _simple(value: float) -> str:
    """Return the shortest fraction within the accuracy of a fit.

    >>> _simple(0.8999999998), _simple(0.3333333334)
    ('9/10', '1/3')
    """
    for digits in (1, 2, 3, 6):
        near = Fraction(value).limit_denominator(10**digits)
        if abs(float(near) - value) <= 1e-7 * max(abs(value), 1e-3):
            return str(near)
    return repr(float(value))


@lru_cache(maxsize=64)
def _functions(name: str) -> tuple[Callable[..., Any], ...]:
    symbols = [t, *(sp.Symbol(p, real=True) for p in CATALOGUE[name].parameters)]
    return tuple(compiled(symbols, formula) for formula in _entry(name))


@lru_cache(maxsize=64)
def _entry(name: str) -> tuple[sp.Expr, ...]:
    entry = CATALOGUE[name]
    symbols: Mapping[str, sp.Symbol] = {p: sp.Symbol(p, real=True) for p in entry.parameters}
    return tuple(to_sympy(x, symbols) for x in (entry.real, entry.fake, entry.generator))


def values(formula: sp.Expr, points: np.ndarray) -> np.ndarray:
    """Return a formula of t at each of the points; nan where it is not real."""
    with np.errstate(all="ignore"):
        found = _lambda(formula)(points)
    return np.broadcast_to(np.asarray(found, dtype=float), points.shape)


@lru_cache(maxsize=512)
def _lambda(formula: sp.Expr) -> Function:
    return compiled([t], formula)


def _one(value: float) -> bool:
    return abs(value - 1) < 1e-6


def _nearly(value: float) -> bool:
    """Return whether a factor is 1 but for what a guard does to it."""
    return abs(value - 1) < 0.01


def _short(value: float) -> str:
    return str(Fraction(value).limit_denominator(1000))
