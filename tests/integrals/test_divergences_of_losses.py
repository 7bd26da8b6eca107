"""What a loss reads and follows, as divergences between densities."""

import mpmath
import pytest
import sympy as sp

import gantheory
from gantheory.densities import density
from gantheory.divergences import FDivergence
from gantheory.errors import GantheoryError
from gantheory.functions import r
from gantheory.integrals import divergence
from gantheory.integrals.curvature.general import kernel_of_formula, tabulated
from gantheory.records import Status


def test_a_game_follows_its_derived_divergence_and_not_its_loss():
    """At P = N(0, 1), Q = N(1.7, 1): the values of theory section 2, to every digit given."""
    p, q = "normal(0, 1)", "normal(1.7, 1)"
    minimax, other = gantheory.derive("minimax"), gantheory.derive("non-saturating")
    assert round(divergence(minimax.followed, p, q, wrt="q.loc").value, 5) == 0.46672
    assert round(divergence(minimax.loss, p, q, wrt="q.loc").value, 5) == 0.23336
    assert round(divergence(other.followed, p, q, wrt="q.loc").value, 5) == 1.23328
    assert round(divergence(other.loss, p, q, wrt="q.loc").value, 5) == 1.46664


def test_a_loss_that_jumps_is_integrated_and_its_crossing_moves():
    """The hinge loss reads Q(p < q) − Q(p > q) = 2Φ(d/2) − 1 between N(0, 1) and N(d, 1)."""
    loss = gantheory.derive("hinge").loss
    # at 8.4 the crossing lies on a seam between panels, and rounds to either side of it
    for d in ("1e-6", "0.5", "1.7", "8.4", "10", "40"):
        p, q = "normal(0, 1)", f"normal({d}, 1)"
        half = mpmath.mpf(d) / 2
        found = divergence(loss, p, q)
        assert abs(found.value - (2 * mpmath.ncdf(half) - 1)) <= found.error
        for wrt, sign in (("q.loc", 1), ("p.loc", -1)):
            slope = divergence(loss, p, q, wrt=wrt)
            assert abs(slope.value - sign * mpmath.npdf(half)) <= 10 * slope.error
            assert slope.status is Status.OK


def test_a_loss_that_jumps_is_undecided_where_p_equals_q():
    """Where p = q on a set, any score between the two sides of the jump is optimal."""
    loss = gantheory.derive("hinge").loss
    found = divergence(loss, "uniform(0, 1)", "uniform(0.25, 1.25)")
    assert (found.value, found.error) == (pytest.approx(0.25), pytest.approx(0.75))
    assert found.status is Status.ILL_CONDITIONED
    moved = divergence(loss, "uniform(0, 1)", "uniform(0.25, 1.25)", wrt="q.loc")
    assert moved.status is Status.UNDETERMINED
    masses = divergence(loss, "discrete([1/2, 1/2])", "discrete([1/2, 1/4, 1/4])")
    assert (masses.value, masses.error) == (pytest.approx(0.0), pytest.approx(0.5))


def test_a_loss_that_jumps_has_no_derivative_where_p_over_q_crosses_at_a_kink():
    """N(2s², s) meets the Laplace density at its kink, where log p/q falls by 3 and by 1."""
    s = float(
        mpmath.findroot(lambda s: mpmath.exp(-2 * s * s) / s - mpmath.sqrt(mpmath.pi / 2), 0.5)
    )
    loss, q = gantheory.derive("hinge").loss, f"normal({2 * s * s!r}, {s!r})"
    assert divergence(loss, "laplace(0, 1)", q).status is Status.OK
    found = divergence(loss, "laplace(0, 1)", q, wrt="q.loc")
    assert found.status is Status.UNDETERMINED
    assert "kink" in found.reason


def test_free_parameters_and_odd_curvatures_are_refused():
    class Given:
        curvature = sp.Symbol("a") / r
        atoms = ()

    with pytest.raises(GantheoryError, match="free parameters"):
        kernel_of_formula(Given())
    with pytest.raises(GantheoryError, match="no divergence"):
        kernel_of_formula(3)
    for second, why in (
        (1 / (r * sp.log(r + 2)), "does not grow like a power"),
        (sp.exp(-r), "falls faster than any power"),
        ((1 + r ** sp.Rational(1, 10**6)) ** -3 / r, "settles too slowly"),
        (sp.Abs(r - 1) ** sp.Rational(-1, 2), "has a corner"),
        (1 / (r - 2) ** 2, "a spike, jump or singularity"),
    ):
        with pytest.raises(GantheoryError, match=why):
            tabulated(second)


def test_a_kink_away_from_one_is_a_level_of_its_own():
    """f = max(r − 2, 0) gives the hockey-stick divergence ∫ (p − 2q)⁺."""
    p, q = density("uniform(0, 1)"), density("uniform(0.25, 5.25)")
    found = divergence(FDivergence("stick", "max(r - 2, 0)"), p, q)
    # f(1) = 0 already; p = 1 and q = 0.2 on [0.25, 1], q = 0 on [0, 0.25]
    assert found.value == pytest.approx(0.25 + 0.75 * 0.6, rel=1e-14)
    low = divergence(FDivergence("low", "max(1/2 - r, 0)"), p, q)
    assert low.value == pytest.approx(0.5 * 4.25 / 5, rel=1e-13)


@pytest.mark.parametrize(
    ("f", "said"),
    [("log(r)", "change its sign"), ("-abs(r - 1)", "change its sign"),
     ("(r - 1)**3", "is convex in r"), ("max(r-2, 0) - max(r-3, 0)", "is convex in r")],
)  # fmt: skip
@pytest.mark.parametrize("method", ["auto", "certified", "monte carlo"])
def test_an_f_that_is_not_convex_is_no_divergence(f, said, method):
    with pytest.raises(GantheoryError, match=f"it is not convex; .*{said}"):
        divergence(f, "normal(0, 1)", "normal(1, 1)", method=method)
