"""Samples against a law in space, and two laws in space, by draws: against closed forms."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import gantheory as gt
from gantheory.integrals.transport.catalogue import Distance

PLANE = "normal_nd([0.5, 0], [[1, 0], [0, 1]])"


def near_law(points):
    """E‖x − Y‖ over the points, Y normal around (0.5, 0), by its integral over the circle."""
    r = np.linspace(0.0, 9.0, 4001)
    turn = np.linspace(0, 2 * np.pi, 65)[:-1]
    places = np.array([0.5, 0]) + (r[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], -1))
    weight = r * np.exp(-r * r / 2) * (r[1] - r[0])
    return np.mean([
        float(weight @ np.linalg.norm(x - places, axis=-1).mean(1)) for x in points
    ])  # fmt: skip


def test_the_energy_of_samples_and_a_law_in_space_holds_the_mean_over_the_law():
    x = np.random.default_rng(3).normal(size=(20, 2))
    found = gt.divergence("energy", x, PLANE)
    exact = 2 * near_law(x) - cdist(x, x).mean() - math.sqrt(math.pi)
    assert abs(found.value - exact) <= found.error < 0.2
    assert found.error_probability == 0.05
    assert found.lower <= 2 * 1.8128 - 2 * math.sqrt(math.pi) <= found.upper  # of the laws behind


@pytest.mark.parametrize("name", ["w2", "sliced_w2", "mmd2"])
def test_draws_of_the_law_itself_are_near_it(name):
    law = gt.density("dirichlet([2, 3, 4])")
    found = gt.divergence(name, law.sample(0, 60), law)
    assert found.lower == 0
    assert found.value <= found.upper < {"w2": 0.5, "sliced_w2": 0.4, "mmd2": 0.2}[name]
    assert "draws" in found.method


def test_two_laws_in_space_hold_the_truth_of_their_draws():
    laws = "student_t_nd(5, [0, 0], [[1, 0], [0, 1]])", "normal_nd([4, 0], [[1, 0], [0, 1]])"
    found = gt.divergence("w1", *laws)
    assert abs(found.value - 4.0) <= found.error < 2  # by symmetry the means are 4 apart: W1 >= 4
    shares = gt.divergence("w1", "dirichlet([1, 1])", "dirichlet([3, 1])")
    assert (
        abs(shares.value - math.sqrt(2) * 0.25) <= shares.error
    )  # on the line from (1,0) to (0,1)


def test_a_translate_of_a_law_is_as_far_as_it_moved():
    laws = [f"student_t_nd(3, [{a}, {b}], [[2, 1], [1, 3]])" for a, b in ((0, 1), (3, 5))]
    for name in ("w1", "w2"):
        found = gt.divergence(name, *laws)
        assert found.value == 5
        assert found.method == "closed form"


def test_draws_answer_only_where_a_distance_has_no_rule():
    """What a rule finds wrong with its laws, or with itself, is said and never drawn over."""
    laws = "dirichlet([2, 3, 4])", "dirichlet([1, 1, 2])"

    def faulty(p, q, wrt):
        raise gt.GantheoryError("this law has a fault")

    with pytest.raises(gt.GantheoryError, match="has a fault"):
        gt.divergence(Distance("w1", faulty), *laws)
    assert "draws" in gt.divergence("w1", *laws).method
    with pytest.raises(gt.GantheoryError, match="bandwidth=-1"):
        gt.divergence("mmd2(bandwidth=-1)", *laws)
    with pytest.raises(gt.GantheoryError, match="different dimensions"):
        gt.divergence("energy", PLANE, "normal_nd([0, 0, 0], [[1, 0, 0], [0, 1, 0], [0, 0, 1]])")


LINE = "normal(0, 1)"
PARTS = "product((normal(0, 1), laplace(0, 1)))", "product((normal(3, 1), laplace(1, 3)))"


def test_w1_and_w2_of_products_and_radial_laws_are_made_of_those_on_the_line():
    """E(X + Y)² of Laplace laws: they move by 1 and stretch from 1 to 3, so that W2² = 1 + 2·4."""
    assert gt.divergence("w2", *PARTS).value == pytest.approx(math.sqrt(9 + 9), rel=1e-12)
    one = PARTS[0], "product((normal(0, 1), laplace(2, 1)))"
    assert gt.divergence("w1", *one).value == pytest.approx(2, rel=1e-12)
    radial = [f"radial(gamma({shape}, 1), 3)" for shape in (3, 4)]
    assert gt.divergence("w1", *radial).value == pytest.approx(1, rel=1e-12)  # of the means
    assert gt.divergence("w1", *radial, wrt="q.radius.shape").value == pytest.approx(1, rel=1e-9)
    drawn = [gt.density(law).sample(k, 300) for k, law in enumerate(radial)]
    assert gt.divergence("w1", *drawn).lower < 1 < gt.divergence("w1", *drawn).upper


@pytest.mark.parametrize("name", ["w1", "w2", "energy", "mmd2"])
def test_a_law_in_space_is_no_distance_from_itself(name):
    for law in (PARTS[0], "radial(gamma(3, 1), 3)", "dirichlet([2, 3, 4])"):
        found = gt.divergence(name, law, law)
        assert (found.value, found.error) == (0, 0)


@pytest.mark.parametrize("name", ["jsd", "kl_pq", "w1", "energy"])
def test_radial_laws_and_products_of_other_dimensions_are_refused(name):
    pairs = (
        ("radial(gamma(3, 1), 3)", "radial(gamma(4, 1), 2)"),
        (f"product(({LINE}, {LINE}))", f"product(({LINE}, {LINE}, {LINE}))"),
    )
    for p, q in pairs:
        with pytest.raises(gt.GantheoryError, match="dimension"):
            gt.divergence(name, p, q)
