r"""A combination of f-divergences as an exact function on either side of r = 1.

``h = Σ c_k f_k + c_0`` is one `LogForm` in x = r^(1/n) for r < 1 and one for r > 1; a kink at
r = 1 (total variation) is what tells the two apart. Values, slopes and limits are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from flint import arb, fmpq, fmpq_poly

from gantheory.divergences import FDivergence
from gantheory.exact.signs.enclosure import expand, form_at, leading_term, sign_of_logs
from gantheory.exact.signs.logforms import (
    ONE,
    LogForm,
    NotALogForm,
    constant,
    log_form,
    rational,
    root_of,
)
from gantheory.functions import r, relu
from gantheory.theory.generator import formula


@dataclass(frozen=True)
class Branches:
    """A function of r > 0: ``below`` in x for r < 1, ``above`` in x for r > 1, with r = x^root."""

    below: LogForm
    above: LogForm
    root: int

    def __add__(self, other: Branches) -> Branches:
        return Branches(self.below + other.below, self.above + other.above, self.root)

    def scaled(self, factor: LogForm) -> Branches:
        """Return the function times a constant."""
        return Branches(self.below * factor, self.above * factor, self.root)

    def tilted(self, slope: LogForm) -> Branches:
        """Return the function plus slope·(r − 1), which no f-divergence feels."""
        line = slope * (_power_of_x(self.root) - rational(1))
        return Branches(self.below + line, self.above + line, self.root)

    @property
    def is_zero(self) -> bool:
        """Whether it is identically zero."""
        return self.below.is_zero and self.above.is_zero

    @property
    def is_rational(self) -> bool:
        """Whether both branches are rational in x."""
        return self.below.is_rational and self.above.is_rational

    def at_one(self) -> LogForm:
        """Return the exact value at r = 1."""
        return _evaluate(self.below, fmpq(1))

    def slopes(self) -> tuple[LogForm, LogForm]:
        """Return the exact derivatives in r at 1 from below and from above."""
        inner = rational(fmpq(1, self.root))
        below, above = (_evaluate(form.derivative(), fmpq(1)) for form in (self.below, self.above))
        return below * inner, above * inner

    def at_zero(self) -> LogForm | int:
        """Return the limit at r → 0, or 1 or -1 for +∞ or −∞."""
        return limit_at_zero(self.below)

    def slope_at_infinity(self) -> LogForm | int:
        """Return the limit of h(r)/r at r → ∞, or 1 or -1 for +∞ or −∞."""
        return limit_at_zero(self.above.invert() * _power_of_x(self.root))

    def value(self, x: fmpq) -> arb:
        """Return an enclosure at r = x^root."""
        return form_at(self.below if x <= 1 else self.above, x)


def combined_generator(
    coefficients: Mapping[FDivergence, sp.Expr], free: sp.Expr | int = 0
) -> Branches:
    """Return Σ coefficient·f + free as an exact function.

    Raises:
        NotALogForm: for generators outside that class, and kinks elsewhere than at r = 1.
    """
    root = sp.ilcm(1, 1, *(root_of(generator_formula(entry), r) for entry in coefficients))
    total = Branches(constant(sp.sympify(free)), constant(sp.sympify(free)), int(root))
    for entry, coefficient in coefficients.items():
        total = total + branches(entry, int(root)).scaled(constant(coefficient))
    return total


@lru_cache(maxsize=256)
def generator_formula(entry: FDivergence) -> sp.Expr:
    """Return the generator f of a divergence as an expression in r."""
    return formula(entry)


@lru_cache(maxsize=256)
def branches(entry: FDivergence, root: int) -> Branches:
    """Return the generator of a divergence on either side of r = 1."""
    below, above = branch(entry, sp.Rational(1, 2)), branch(entry, sp.Integer(2))
    return Branches(log_form(below, r, root), log_form(above, r, root), root)


def branch(entry: FDivergence, side: sp.Rational) -> sp.Expr:
    """Return the generator on the side of r = 1 where ``side`` is, every relu replaced."""
    f, chosen = generator_formula(entry), {}
    for kink in f.atoms(relu):
        argument = kink.args[0]
        if argument.free_symbols != {r} or sp.cancel(argument / (r - 1)).has(r):
            raise NotALogForm(f"{kink} has its kink elsewhere than at r = 1")
        chosen[kink] = argument if argument.subs(r, side) > 0 else sp.Integer(0)
    return f.xreplace(chosen)


def _power_of_x(power: int) -> LogForm:
    return LogForm({ONE: fmpq_poly([0] * power + [1])}, fmpq_poly([1]))


def _evaluate(form: LogForm, point: fmpq) -> LogForm:
    """Return the exact value at a rational point x > 0, a constant form."""
    return form.substitute(lambda poly: fmpq_poly([poly(point)]))


def limit_at_zero(form: LogForm) -> LogForm | int:
    """Return the exact limit at x → 0, or 1 or -1 for +∞ or −∞."""
    if form.is_zero:
        return rational(0)
    top = LogForm(form.terms, fmpq_poly([1]))
    end = leading_term(top)
    order = next(k for k, c in enumerate(form.denominator.coeffs()) if c != 0)
    scale = form.denominator[order]
    if end.power < order or (end.power == order and end.logs > 0):
        return end.sign if scale > 0 else -end.sign
    if end.power > order:
        return rational(0)
    terms = {
        key[1]: fmpq_poly([series[order] / scale])
        for key, series in expand(top, order + 1).items()
        if key[0] == 0 and series[order] != 0
    }
    return LogForm(terms, fmpq_poly([1]))


def sign_of_form(form: LogForm) -> int:
    """Return the exact sign of a constant form: zero only where it has no terms."""
    if form.is_zero:
        return 0
    sign = sign_of_logs({key: poly[0] for key, poly in form.terms.items()})
    return sign if form.denominator[0] > 0 else -sign


def enclose_form(form: LogForm) -> arb:
    """Return an enclosure of a constant form."""
    return form_at(form, fmpq(1))


def number_of_form(form: LogForm) -> sp.Expr:
    """Return a constant form as an exact sympy number.

    >>> number_of_form(constant(sp.log(6) / 2))
    log(2)/2 + log(3)/2
    """
    total = sp.Integer(0)
    for monomial, poly in form.terms.items():
        value = poly[0] / form.denominator[0]
        factors = [
            (sp.log(generator[0]) if isinstance(generator, tuple) else generator) ** exponent
            for generator, exponent in monomial
        ]
        total += sp.Rational(int(value.p), int(value.q)) * sp.Mul(*factors)
    return total
