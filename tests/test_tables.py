"""The published f-GAN table, and planted errors in it."""

from dataclasses import replace

import mpmath
import pytest
import sympy as sp

from gantheory.claims.tables import FGAN_TABLE, alpha, check_row, check_table, name_of, t
from gantheory.functions import r
from gantheory.records import How

ROWS = {row.name: row for row in FGAN_TABLE}


def test_the_three_known_defects_are_found_and_no_others():
    found = {c.row.name: [d.statement.split(": ")[1] for d in c.defects] for c in check_table()}
    broken = {name: defects for name, defects in found.items() if defects}
    assert set(broken) == {"Pearson chi2", "Neyman chi2", "Jensen-Shannon", "GAN"}
    assert broken["GAN"] == ["f(1) = 0"]
    assert all(len(defects) == 1 for defects in broken.values())


@pytest.mark.parametrize(
    ("name", "correct"),
    [
        ("Pearson chi2", "pearson_chi2"),
        ("Neyman chi2", "neyman_chi2"),
        ("Jensen-Shannon", "2*jsd"),
        ("Squared Hellinger", "2*hellinger2"),
        ("alpha", "power_<alpha>"),
    ],
)
def test_the_divergence_that_the_printed_f_gives_is_named(name, correct):
    assert check_row(ROWS[name]).correct == correct


@pytest.mark.parametrize("name", ["Kullback-Leibler", "Jensen-Shannon", "Neyman chi2"])
def test_a_planted_error_in_each_printed_entry_is_found(name):
    row = ROWS[name]
    plants = {
        "optimal": replace(row, optimal=row.optimal + 1),
        "conjugate": replace(row, conjugate=row.conjugate * 2),
        "normalised": replace(row, f=row.f + 1),
    }
    for part, planted in plants.items():
        assert getattr(check_row(planted), part).how is How.REFUTED, part
    if row.printed:
        doubled = replace(row, printed={key: 2 * value for key, value in row.printed.items()})
        swapped = check_row(doubled).divergence
        assert (swapped.how is How.REFUTED) == (name != "Jensen-Shannon")  # printed as half


@pytest.mark.parametrize("name", ROWS)
def test_the_conjugate_is_the_supremum_by_numerical_search(name):
    """f*(t) = sup_u t·u − f(u), at points of its domain that the formula is not used to find."""
    row = ROWS[name]
    order = sp.Rational(3, 2)
    f = sp.lambdify(r, row.f.subs(alpha, order), "mpmath")
    conjugate = sp.lambdify(t, row.conjugate.subs(alpha, order), "mpmath")
    slope = sp.lambdify(r, sp.diff(row.f.subs(alpha, order), r), "mpmath")
    for place in (mpmath.mpf("0.37"), mpmath.mpf("1.9")):
        at = slope(place)
        grid = [mpmath.mpf(2) ** (mpmath.mpf(k) / 64) for k in range(-640, 641)]
        best = max(at * u - f(u) for u in grid)
        assert conjugate(at) >= best - mpmath.mpf(10) ** -12
        assert conjugate(at) - best < 1e-3


def test_a_generator_without_a_name_has_none():
    assert name_of((r - 1) ** 4) is None
    assert name_of(3 * r * sp.log(r)) == "3*kl_pq"
