"""The linear map that an update rule applies near an equilibrium, and its eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from sympy.polys.polyerrors import CoercionFailed

from gantheory.dynamics.rules import Rule, State
from gantheory.errors import GantheoryError

eta = sp.Symbol("eta", positive=True)  # the step size
lamda = sp.Symbol("lamda")


@dataclass(frozen=True)
class LinearField:
    """The field ``v(z) = J z`` near an equilibrium placed at the origin."""

    jacobian: sp.Matrix
    split: int  # number of variables of player 1

    def first(self, x: sp.Matrix, y: sp.Matrix) -> sp.Matrix:
        return self.jacobian[: self.split, :] * sp.Matrix.vstack(x, y)

    def second(self, x: sp.Matrix, y: sp.Matrix) -> sp.Matrix:
        return self.jacobian[self.split :, :] * sp.Matrix.vstack(x, y)

    def implicit(self, x: sp.Matrix, y: sp.Matrix, step: sp.Expr) -> State:
        system = sp.eye(self.jacobian.rows) - step * self.jacobian
        z = (system.inv() * sp.Matrix.vstack(x, y)).applyfunc(sp.cancel)
        return z[: self.split, :], z[self.split :, :]


def operator(rule: Rule, jacobian: sp.Matrix, split: int, step: sp.Expr = eta) -> sp.Matrix:
    """Return the Jacobian of one update at an equilibrium whose field has ``jacobian``.

    The rule is a composition of smooth maps that fix the equilibrium, so by the chain rule its
    Jacobian is the rule applied to the linear field. The state is (x, y) and the memory.

    >>> from gantheory.dynamics.rules import alternating
    >>> operator(alternating(), sp.Matrix([[0, -1], [1, 0]]), 1)
    Matrix([
    [  1,       -eta],
    [eta, 1 - eta**2]])
    """
    field = LinearField(jacobian, split)
    n = jacobian.rows
    x, y = sp.Matrix(sp.symbols(f"x:{split}")), sp.Matrix(sp.symbols(f"y:{n - split}"))
    slots = [sp.zeros(*part.shape) for part in rule.initial(field, x, y)]
    state = [
        sp.Matrix(part.rows, 1, lambda i, _, k=k: sp.Symbol(f"s{k}_{i}"))
        for k, part in enumerate(slots)
    ]
    try:
        after = sp.Matrix.vstack(*rule.advance(field, tuple(state), step))
    except (TypeError, ValueError, AttributeError) as error:
        raise GantheoryError(
            f"update rule {rule.name!r} cannot be analysed: its step must be made of +, -, * and "
            f"the field alone ({type(error).__name__}: {str(error)[:80]})"
        ) from error
    matrix = after.jacobian(sp.Matrix.vstack(*state))
    if not jacobian.has(sp.Float):  # then any float is an option of the rule, taken as written
        matrix = matrix.applyfunc(_as_written)
    return matrix.applyfunc(sp.cancel)


def _as_written(expression: sp.Expr) -> sp.Expr:
    """Return an expression with every float as the rational number that its decimals say."""
    return expression.xreplace({x: sp.Rational(str(x)) for x in expression.atoms(sp.Float)})


def characteristic(matrix: sp.Matrix) -> sp.Poly:
    """Return the characteristic polynomial in `lamda`, cleared of denominators."""
    raw = matrix.charpoly(lamda).as_expr()
    return sp.Poly(sp.numer(sp.together(raw)), lamda)


def eigenvalues(matrix: sp.Matrix) -> list[sp.Expr] | None:
    """Return the exact eigenvalues with multiplicity, or None where no formula is found.

    The characteristic polynomial is factored over the rationals and, failing degree 2, over
    the Gaussian rationals; quadratic factors are solved.

    >>> eigenvalues(sp.Matrix([[1, -eta], [eta, 1]]))
    [I*eta + 1, -I*eta + 1]
    """
    if matrix.has(sp.Float):
        return None
    found: list[sp.Expr] = []
    for factor, multiplicity in sp.factor_list(characteristic(matrix).as_expr(), lamda)[1]:
        roots = _roots(sp.Poly(factor, lamda))
        if roots is None:
            return None
        found += roots * multiplicity
    return found


def _roots(factor: sp.Poly) -> list[sp.Expr] | None:
    if factor.degree() <= 2:
        return _quadratic(factor)
    others = sorted(factor.free_symbols - {lamda}, key=str)
    try:
        split = sp.factor_list(factor.as_expr(), lamda, *others, extension=sp.I)[1]
    except CoercionFailed:  # coefficients outside the Gaussian rationals
        return None
    parts = [sp.Poly(part, lamda) for part, _ in split if part.has(lamda)]
    if any(part.degree() > 2 for part in parts):
        return None
    return [root for part in parts for root in _quadratic(part)]


def _quadratic(factor: sp.Poly) -> list[sp.Expr]:
    """Roots of a polynomial of degree 1 or 2 in `lamda`."""
    if factor.degree() == 1:
        a, b = factor.all_coeffs()
        return [sp.cancel(-b / a)]
    a, b, c = factor.all_coeffs()
    middle, root = sp.cancel(-b / (2 * a)), _square_root(sp.cancel((b**2 - 4 * a * c) / (4 * a**2)))
    return [middle + root, middle - root]


def _square_root(square: sp.Expr) -> sp.Expr:
    """The principal root, with even powers pulled out (symbols are positive)."""
    if not square.free_symbols or not square.is_rational_function(*square.free_symbols):
        return sp.sqrt(sp.simplify(square))
    numerator, denominator = (sp.factor_list(part) for part in sp.fraction(sp.together(square)))
    outside, inside = sp.S.One, numerator[0] / denominator[0]
    for sign, factors in ((1, numerator[1]), (-1, denominator[1])):
        for base, k in factors:
            outside *= base ** (sign * (k // 2))
            inside *= base ** (sign * (k % 2))
    return sp.cancel(outside) * sp.sqrt(sp.expand(inside))
