"""Expressions as text: as SymPy writes them, a sum's terms sorted once."""

import pytest
import sympy as sp

from gantheory.deadline import Undecided
from gantheory.derivations.typeset import typeset
from gantheory.theory.printing import plain

x, y = sp.symbols("x y", positive=True)
TOTAL = sp.sqrt(2) * x**2 - 3 * y + sp.log(x + y / 7) - 1.5 * x * y + sp.Rational(1, 3)


@pytest.mark.parametrize(
    "expr",
    [
        TOTAL, 1 / TOTAL, sp.exp(-TOTAL) * (x - 1), sp.Integer(-2), sp.oo, sp.Float("0.25"),
        sp.Symbol("x") + x, x + 1, x + 1.0, sp.Piecewise((x - 1, x < 1), (1 + y, True)),
        sp.Integral(x + y**2, (x, 0, 1 + y)), sp.Eq(x + 1, y - 1),
    ],
    ids=range(12),
)  # fmt: skip
def test_text_and_latex_are_sympys_the_first_time_and_later(expr):
    for _ in range(2):
        assert plain(expr) == str(expr)
        assert typeset(expr) == sp.latex(expr)


def test_a_users_order_of_terms_is_kept():
    expr = 1 + x + x**2
    assert plain(expr) == "x**2 + x + 1"
    try:
        sp.StrPrinter.set_global_settings(order="rev-lex")
        assert plain(expr) == "1 + x + x**2"
    finally:
        del sp.StrPrinter._global_settings["order"]
    assert plain(expr) == "x**2 + x + 1"


def test_the_terms_of_a_sum_are_sorted_once_for_text_and_latex(monkeypatch):
    asked, sort = [], sp.Expr.as_ordered_terms

    def counted(*given, **ways):
        asked.append(given)
        return sort(*given, **ways)

    monkeypatch.setattr(sp.Expr, "as_ordered_terms", counted)
    total = sp.Dummy() + y + 1
    shown = plain(total), typeset(total), plain(sp.exp(total)), typeset(sp.exp(total))
    assert asked == [(total,)]
    assert shown[2] == f"exp({shown[0]})"


def test_the_formula_of_what_fails_is_written_when_it_is_read():
    class Formula:
        read = 0

        def __format__(self, _):
            self.read += 1
            return "x**2"

    formula = Formula()
    with pytest.raises(Undecided) as caught:
        raise Undecided("no integral of {}", formula)
    assert not formula.read
    assert str(caught.value) == "no integral of x**2"
