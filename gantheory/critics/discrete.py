r"""Bounds that generative models descend, as exact identities on laws with rational weights.

The gap of the evidence lower bound is :math:`KL(q(z|x)\|p(z|x))`, and that of InfoGAN's bound on
the mutual information is :math:`E_x KL(p(c|x)\|Q(c|x))`. Every number here is a sum of rationals
times logarithms of rationals, so that both sides are compared exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from gantheory.critics.laws import DiscreteLaw, f_divergence, is_equal
from gantheory.errors import GantheoryError
from gantheory.records import How, Verdict

Number = int | Fraction | str


@dataclass(frozen=True)
class JointTable:
    """A law of pairs: one row for each value of the first variable; all entries positive."""

    rows: tuple[tuple[sp.Rational, ...], ...]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Number]]) -> JointTable:
        """Return the law with these rational weights, which must be positive and add up to 1.

        >>> JointTable.of([["1/2", "1/4"], ["1/8", "1/8"]]).first
        (3/4, 1/4)
        """
        exact = tuple(tuple(_exact(value) for value in row) for row in rows)
        if len({len(row) for row in exact}) != 1 or not exact[0]:
            raise GantheoryError("the rows of a table of pairs must have one length")
        if any(value <= 0 for row in exact for value in row) or sum(map(sum, exact)) != 1:
            raise GantheoryError("the entries of a law of pairs must be positive and add up to 1")
        return cls(exact)

    @property
    def first(self) -> tuple[sp.Rational, ...]:
        """The law of the row."""
        return tuple(sum(row, sp.Integer(0)) for row in self.rows)

    @property
    def second(self) -> tuple[sp.Rational, ...]:
        """The law of the column."""
        return tuple(sum(column, sp.Integer(0)) for column in zip(*self.rows, strict=True))

    @property
    def conditional(self) -> tuple[tuple[sp.Rational, ...], ...]:
        """The law of the column given the row."""
        return tuple(
            tuple(value / total for value in row)
            for row, total in zip(self.rows, self.first, strict=True)
        )


def _exact(value: Number) -> sp.Rational:
    fraction = Fraction(value)
    return sp.Rational(fraction.numerator, fraction.denominator)


def exact_kl(p: Sequence[sp.Rational], q: Sequence[sp.Rational]) -> sp.Expr:
    """Return KL(p‖q) of two positive laws on the same points, exactly."""
    return sum((a * sp.log(a / b) for a, b in zip(p, q, strict=True)), sp.Integer(0))


def mutual_information(pairs: JointTable) -> sp.Expr:
    """Return I = Σ p(x, c) log(p(x, c)/(p(x) p(c))), exactly.

    >>> mutual_information(JointTable.of([["1/4", "1/4"], ["1/4", "1/4"]]))
    0
    """
    product = [a * b for a in pairs.first for b in pairs.second]
    return exact_kl([value for row in pairs.rows for value in row], product)


def elbo(model: JointTable, row: int, encoder: Sequence[Number]) -> sp.Expr:
    """Return E_q[log p(x, z) − log q(z|x)] for the observation ``row`` of a model of (x, z)."""
    q = [_exact(value) for value in encoder]
    _check_law(q, len(model.rows[row]))
    return -exact_kl(q, model.rows[row])


def elbo_gap_identity(model: JointTable, row: int, encoder: Sequence[Number]) -> Verdict:
    """Decide log p(x) − ELBO = KL(q(z|x) ‖ p(z|x)) exactly.

    Source: D. P. Kingma, M. Welling (2013), arXiv:1312.6114, equation 1.
    """
    gap = sp.log(model.first[row]) - elbo(model, row, encoder)
    right = exact_kl([_exact(value) for value in encoder], model.conditional[row])
    return _identity("log p(x) - ELBO = KL(q(z|x) || p(z|x))", gap, right)


def reversed_elbo_gap_identity(model: JointTable, row: int, encoder: Sequence[Number]) -> Verdict:
    """Decide the false twin, with the divergence's arguments exchanged."""
    gap = sp.log(model.first[row]) - elbo(model, row, encoder)
    wrong = exact_kl(model.conditional[row], [_exact(value) for value in encoder])
    return _identity("log p(x) - ELBO = KL(p(z|x) || q(z|x))", gap, wrong)


def least_information(pairs: JointTable, guess: Sequence[Sequence[Number]]) -> sp.Expr:
    """Return InfoGAN's bound E log Q(c|x) + H(c) for pairs (x, c) and a guess Q(c|x)."""
    total = -sum((c * sp.log(c) for c in pairs.second), sp.Integer(0))
    for row, law in zip(pairs.rows, guess, strict=True):
        exact = [_exact(value) for value in law]
        _check_law(exact, len(row))
        total += sum(p * sp.log(q) for p, q in zip(row, exact, strict=True))
    return total


def information_gap_identity(pairs: JointTable, guess: Sequence[Sequence[Number]]) -> Verdict:
    """Decide I(x; c) − bound = E_x KL(p(c|x) ‖ Q(c|x)) exactly.

    Source: X. Chen et al. (2016), InfoGAN, arXiv:1606.03657, equation 4, which states the
    inequality; the gap is this.
    """
    gap = mutual_information(pairs) - least_information(pairs, guess)
    right = sum(
        (
            weight * exact_kl(posterior, [_exact(value) for value in law])
            for weight, posterior, law in zip(pairs.first, pairs.conditional, guess, strict=True)
        ),
        sp.Integer(0),
    )
    return _identity("I(x; c) - bound = E KL(p(c|x) || Q(c|x))", gap, right)


def conditional_value_identity(p: JointTable, q: JointTable) -> Verdict:
    """Decide V(D*) = 2 JSD − 2 log 2 for the conditional GAN on two laws of pairs, exactly."""
    value = sp.Integer(0)
    for row_p, row_q in zip(p.rows, q.rows, strict=True):
        for a, b in zip(row_p, row_q, strict=True):
            value += a * sp.log(a / (a + b)) + b * sp.log(b / (a + b))
    right = 2 * f_divergence("jsd", _flat(p), _flat(q)) - 2 * sp.log(2)
    return _identity("V(D*) = 2 JSD(p(x, y), q(x, y)) - 2 log 2", value, right)


def conditional_split_identity(p: JointTable, q: JointTable) -> Verdict:
    """Decide JSD of the pairs = mean over the first variable of the JSD of the conditionals.

    It holds where both laws have the same first marginal (the labels), and not otherwise.
    """
    right = sp.Integer(0)
    for weight, a, b in zip(p.first, p.conditional, q.conditional, strict=True):
        right += weight * f_divergence("jsd", _law(a), _law(b))
    return _identity(
        "JSD(pairs) = E_y JSD(given y)", f_divergence("jsd", _flat(p), _flat(q)), right
    )


def _flat(table: JointTable) -> DiscreteLaw:
    return _law([value for row in table.rows for value in row])


def _law(weights: Sequence[sp.Rational]) -> DiscreteLaw:
    return DiscreteLaw.of(
        range(len(weights)), [Fraction(int(value.p), int(value.q)) for value in weights]
    )


def _check_law(weights: Sequence[sp.Rational], length: int) -> None:
    if len(weights) != length or any(value <= 0 for value in weights) or sum(weights) != 1:
        raise GantheoryError(
            f"{[str(value) for value in weights]} is not a positive law on {length} points"
        )


def _identity(statement: str, left: sp.Expr, right: sp.Expr) -> Verdict:
    holds = is_equal(left, right)
    a, b = float(left), float(right)
    return Verdict(
        statement,
        How.PROVED if holds else How.REFUTED,
        left=a,
        right=b,
        counterexample=None if holds else f"{a:.10g} is not {b:.10g}",
        reason="both sides as exact sums of rationals times logarithms of primes",
    )
