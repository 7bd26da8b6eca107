"""What people bring that looks right and would be misread: indices, tiny units, lone points."""

import math

import numpy as np
import pytest
from scipy import stats

import gantheory as gt

TRAPS = [
    (
        ",x\n0,1.5\n1,2.5\n",
        None,
        "first column has no name, as an index has; leave it out, or name",
    ),
    ("Unnamed: 0,x\n0,1.5\n1,2.5\n", None, "first column is called 'Unnamed: 0', as an index has"),
    ("x,y,\n1,2,\n3,4,\n", None, "last column has no name, as an index has"),
    ("x,y\n1,0.5,7\n2,0.25,8\n", "x", "names 2 column(s), and the rows have 3 cells"),  # of R
    ("a,a\n1,2\n3,4\n", "a", "has 2 columns 'a'; rename one"),
    ("a;b\n1,5;2\n3;4\n", None, "columns are parted by semicolons; save it with commas"),
    ("a\tb\n1\t2\n", None, "columns are parted by tabs"),
    ("x\n1\n2\n", 0, "column=0 must be the name of a column"),
    ("x,y\n1,2\n,4\n", "x", "row 3 has no number in column 'x'"),
]


@pytest.mark.parametrize(("text", "column", "said"), TRAPS)
def test_tables_that_would_be_misread_are_refused(tmp_path, text, column, said):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(gt.GantheoryError, match=r"^[^\n]*$") as caught:
        gt.samples(path, column=column)
    assert said in str(caught.value)


def test_an_index_beside_a_named_column_is_left_out(tmp_path):
    (tmp_path / "a.csv").write_text(",x\n0,1.5\n1,2.5\n")
    np.testing.assert_array_equal(gt.samples(tmp_path / "a.csv", column="x").points, [1.5, 2.5])


@pytest.mark.parametrize("name", ["w1", "w2", "energy", "sliced_w1", "sliced_w2"])
@pytest.mark.parametrize("unit", [1e-170, 1e-300, 1e140])
def test_distances_of_samples_grow_with_the_unit_of_length(name, unit):
    rng = np.random.default_rng(2)
    for shape in ((30,), (30, 2)):
        x, y = rng.normal(size=shape), 1 + rng.normal(size=shape)
        found, plain = gt.divergence(name, unit * x, unit * y), gt.divergence(name, x, y)
        assert found.value == pytest.approx(unit * plain.value, rel=1e-12)
        assert abs(found.value - unit * plain.value) <= 2 * found.error
        assert found.upper == pytest.approx(unit * plain.upper, rel=1e-9)


@pytest.mark.parametrize("name", ["w1", "w2", "energy", "mmd2", "sinkhorn(eps=1)"])
def test_of_points_that_are_all_one_no_interval_is_made(name):
    """A bootstrap of them never moves; a law with a tenth of its mass elsewhere may have sent
    them."""
    for x in ([3.0], [3.0] * 10):
        found = gt.divergence(name, x, [1.0, 2.0, 5.0])
        assert found.upper == (2.0 if name == "mmd2" else math.inf)
        assert found.lower <= 0 or name.startswith("sinkhorn")
    known = gt.divergence("ks", [3.0], "normal(0, 1)")
    assert known.value == pytest.approx(stats.norm.cdf(3))
    assert known.lower == 0 or known.lower <= known.value
