r"""Published tables as data, and what exact algebra says of each printed entry.

A row of the f-GAN table claims that its f gives a named divergence, that the optimal variational
function is f'(u), and that f* is its conjugate; all of that is checked, and f(1) = 0 too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import sympy as sp
from flint import arb, ctx, fmpq

from gantheory.divergences import DIVERGENCES
from gantheory.exact.signs.balls import enclose
from gantheory.exact.signs.logforms import NotALogForm, log_form, root_of
from gantheory.functions import r
from gantheory.losses.fgan import NOWOZIN_2016
from gantheory.records import How, Verdict
from gantheory.theory.branches import generator

t = sp.Symbol("t", real=True)
alpha = sp.Symbol("alpha", positive=True)
SOURCE = str(NOWOZIN_2016)
BITS = 200  # of the balls in which both sides are evaluated


@dataclass(frozen=True)
class Row:
    """One printed row.

    Attributes:
        name: the row's label.
        f: the printed generator, in r.
        printed: the divergence that its printed integral is: name -> coefficient.
        constant: what the printed divergence adds.
        optimal: the printed optimal variational function.
        conjugate: the printed conjugate, in t.
        text: the printed integral.
    """

    name: str
    f: sp.Expr
    printed: dict[str, sp.Expr]
    optimal: sp.Expr
    conjugate: sp.Expr
    text: str
    constant: sp.Expr = sp.S.Zero


_JS = r * sp.log(r) - (r + 1) * sp.log((r + 1) / 2)
_GAN = r * sp.log(r) - (r + 1) * sp.log(r + 1)
_W = sp.LambertW(sp.exp(1 - t))

FGAN_TABLE = (
    Row("Kullback-Leibler", r * sp.log(r), {"kl_pq": sp.Integer(1)}, 1 + sp.log(r),
        sp.exp(t - 1), "int p log(p/q)"),
    Row("Reverse KL", -sp.log(r), {"kl_qp": sp.Integer(1)}, -1 / r, -1 - sp.log(-t),
        "int q log(q/p)"),
    Row("Pearson chi2", (r - 1) ** 2, {"neyman_chi2": sp.Integer(1)}, 2 * (r - 1), t**2 / 4 + t,
        "int (q - p)^2/p"),
    Row("Neyman chi2", (1 - r) ** 2 / r, {"pearson_chi2": sp.Integer(1)}, 1 - 1 / r**2,
        2 - 2 * sp.sqrt(1 - t), "int (p - q)^2/q"),
    Row("Squared Hellinger", (sp.sqrt(r) - 1) ** 2, {"hellinger2": sp.Integer(2)},
        1 - 1 / sp.sqrt(r), t / (1 - t), "int (sqrt p - sqrt q)^2"),
    Row("Jeffrey", (r - 1) * sp.log(r), {"jeffreys": sp.Integer(1)}, 1 + sp.log(r) - 1 / r,
        _W + 1 / _W + t - 2, "int (p - q) log(p/q)"),
    Row("Jensen-Shannon", _JS, {"jsd": sp.Integer(1)}, sp.log(2 * r / (1 + r)),
        -sp.log(2 - sp.exp(t)), "1/2 int p log(2p/(p+q)) + q log(2q/(p+q))"),
    Row("GAN", _GAN, {"jsd": sp.Integer(2)}, sp.log(r / (1 + r)), -sp.log(1 - sp.exp(t)),
        "int p log(2p/(p+q)) + q log(2q/(p+q)) - log 4", -sp.log(4)),
    Row("alpha", (r**alpha - 1 - alpha * (r - 1)) / (alpha * (alpha - 1)), {},
        (r ** (alpha - 1) - 1) / (alpha - 1),
        ((t * (alpha - 1) + 1) ** (alpha / (alpha - 1)) - 1) / alpha,
        "the power divergence of order alpha"),
)  # fmt: skip


@dataclass(frozen=True)
class RowCheck:
    """The verdicts on one row, and what its f gives where the printed name is wrong."""

    row: Row
    divergence: Verdict
    normalised: Verdict
    optimal: Verdict
    conjugate: Verdict
    correct: str | None

    @property
    def defects(self) -> tuple[Verdict, ...]:
        """The printed statements that are false."""
        checks = (self.divergence, self.normalised, self.optimal, self.conjugate)
        return tuple(check for check in checks if check.how is How.REFUTED)


def check_table(table: tuple[Row, ...] = FGAN_TABLE) -> tuple[RowCheck, ...]:
    """Check every printed statement of a table.

    >>> [check.row.name for check in check_table() if check.defects]
    ['Pearson chi2', 'Neyman chi2', 'Jensen-Shannon', 'GAN']
    """
    return tuple(check_row(row) for row in table)


def check_row(row: Row) -> RowCheck:
    """Check one printed row by exact algebra."""
    correct = name_of(row.f)
    at_one = sp.simplify(row.f.subs(r, 1))
    slope = sp.diff(row.f, r)
    legendre = _at_optimum(row.conjugate, row.optimal) - (r * slope - row.f)
    return RowCheck(
        row,
        _divergence(row, correct),
        _verdict(f"{row.name}: f(1) = 0", at_one, "f(1)"),
        _verdict(f"{row.name}: T = f'", slope - row.optimal, "f' - T"),
        _verdict(f"{row.name}: f*(f'(u)) = u f'(u) - f(u)", legendre, "the difference"),
        correct,
    )


def _divergence(row: Row, correct: str | None) -> Verdict:
    statement = f"{row.name}: E_q f(p/q) = {row.text}"
    if not row.printed:
        bend = sp.diff(row.f, r, 2) - r ** (alpha - 2)
        return replace(_verdict(statement, bend, "f'' - r^(alpha - 2)"), right=correct)
    printed = sum((c * generator(DIVERGENCES[name]) for name, c in row.printed.items()),
                  row.constant)  # fmt: skip
    difference = row.f - printed
    tilt = sp.diff(difference, r).subs(r, 1)
    verdict = _verdict(statement, difference - tilt * (r - 1), "the difference")
    if verdict.how is How.REFUTED:
        verdict = replace(verdict, counterexample=f"its f gives {correct}")
    return replace(verdict, left=str(row.f), right=str(printed))


def _verdict(statement: str, difference: sp.Expr, what: str) -> Verdict:
    """Decide whether a difference is 0 for every r (and order), in balls and by exact algebra.

    Proved where algebra says so and no ball excludes it, refuted where a ball excludes 0.
    """
    where = _separated(difference)
    if where is not None:
        shown = f"{what} is {sp.simplify(difference)}, not 0 {where}"
        return Verdict(statement, How.REFUTED, counterexample=shown)
    if is_zero(difference):
        return Verdict(statement, How.PROVED)
    reason = f"{what} is {difference}: no algebra says that it is 0, and no point that it is not"
    return Verdict(statement, How.UNDECIDED, reason=reason)


PLACES = tuple(sp.Rational(k, 7) for k in (1, 3, 5, 9, 17, 44))  # of r
ORDERS = tuple(sp.Rational(k, 3) for k in (1, 4, 8))  # of alpha; not 0 and 1


def _separated(difference: sp.Expr) -> str | None:
    """Return a place at which a ball excludes 0, or None."""
    for place, order in product(PLACES, ORDERS if difference.has(alpha) else (None,)):
        at = {r: place, **({} if order is None else {alpha: order})}
        balls = {symbol: arb(fmpq(int(x.p), int(x.q))) for symbol, x in at.items()}
        with ctx.workprec(BITS):
            value = enclose(difference, balls)
        if value > 0 or value < 0:
            return "at " + ", ".join(f"{symbol} = {x}" for symbol, x in at.items())
    return None


def is_zero(expression: sp.Expr) -> bool:
    """Return whether an expression in r vanishes identically, by exact algebra."""
    try:
        return log_form(expression, r, root_of(expression, r)).is_zero
    except NotALogForm:  # symbolic orders: powers of r whose exponents must be collected
        return bool(sp.simplify(sp.powdenest(sp.powsimp(sp.expand(expression)), force=True)) == 0)


def _at_optimum(conjugate: sp.Expr, optimal: sp.Expr) -> sp.Expr:
    """Return f*(T(r)), Lambert's W resolved by its definition W(w exp w) = w for w > 0."""
    value = sp.powdenest(sp.simplify(conjugate.subs(t, optimal)), force=True)
    for part in value.atoms(sp.LambertW):
        argument = sp.expand(part.args[0], power_exp=False)
        for exponential in argument.atoms(sp.exp):
            w = exponential.args[0] if exponential.args[0].is_positive else 1 / r
            if sp.simplify(w * sp.exp(w) - argument) == 0:
                value = value.xreplace({part: w})
    return sp.powdenest(sp.simplify(value), force=True)


def name_of(f: sp.Expr) -> str | None:
    """Return c*name + constant where E_q f is c times a named divergence plus f(1).

    >>> name_of(2 * r * sp.log(r) + 3 * (r - 1))
    '2*kl_pq'
    """
    if f.has(alpha):
        gap = sp.simplify(sp.diff(f, r, 2) - r ** (alpha - 2))
        return "power_<alpha>" if gap == 0 else None
    bend = sp.diff(f, r, 2)
    for name, entry in DIVERGENCES.items():
        named = sp.diff(generator(entry), r, 2)
        if name == "tv" or named.subs(r, 1) == 0:
            continue
        scale = sp.simplify(bend.subs(r, 1) / named.subs(r, 1))
        if is_zero(bend - scale * named):
            constant = sp.simplify(f.subs(r, 1))
            shown = name if scale == 1 else f"{scale}*{name}"
            return shown if constant == 0 else f"{shown} + ({constant})"
    return None
