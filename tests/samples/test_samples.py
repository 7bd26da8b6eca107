"""Samples: their distances, what these say of the laws behind them, and what is refused."""

import math
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

import gantheory
from gantheory import between_samples, divergence, samples
from gantheory.cli import main
from gantheory.densities import density, parse_density
from gantheory.errors import GantheoryError
from gantheory.inequalities.inequality import prove
from gantheory.integrals.curves.formula import tree_in_d
from gantheory.integrals.empirical import entropic, intervals

SIZES = [(1, 1), (2, 5), (50, 50), (120, 77), (300, 8)]


def drawn(seed, n, m, dim=None):
    rng = np.random.default_rng(seed)
    shape = (dim,) if dim else ()
    x, y = rng.normal(size=(n, *shape)), rng.standard_t(3, size=(m, *shape)) * 2 + 0.5
    return np.round(x, 1), np.round(y, 1)  # with ties


def by_program(x, y, order):
    """Optimal transport as a linear program: the oracle of W1 and W2."""
    n, m = len(x), len(y)
    cost = cdist(x.reshape(n, -1), y.reshape(m, -1)) ** order
    rows = [np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))]
    sums = np.concatenate([np.full(n, 1 / n), np.full(m, 1 / m)])
    return linprog(cost.ravel(), A_eq=np.vstack(rows), b_eq=sums).fun ** (1 / order)


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_distances_of_samples_on_the_line_are_those_of_scipy(n, m):
    x, y = drawn(n, n, m)
    found = {name: divergence(name, x, y) for name in ("w1", "energy", "ks")}
    assert abs(found["w1"].value - stats.wasserstein_distance(x, y)) < 1e-13
    assert abs(math.sqrt(found["energy"].value) - stats.energy_distance(x, y)) < 1e-12
    assert found["ks"].value == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-15)
    for estimate in found.values():
        assert estimate.error < 1e-12
        assert estimate.lower <= estimate.value <= estimate.upper


@pytest.mark.parametrize(("n", "m"), [(1, 3), (6, 6), (9, 7)])
@pytest.mark.parametrize("order", [1, 2])
def test_transport_of_samples_is_the_optimum_of_a_linear_program(n, m, order):
    x, y = drawn(n, n, m)
    assert divergence(f"w{order}", x, y).value == pytest.approx(by_program(x, y, order), abs=1e-9)
    x, y = drawn(n, n, n, dim=3)
    found = divergence(f"w{order}", x, y)
    assert found.value == pytest.approx(by_program(x, y, order), abs=1e-9)


def test_transport_of_samples_agrees_with_pot():
    ot = pytest.importorskip("ot")
    for dim, n, m in ((1, 40, 30), (2, 40, 30), (3, 25, 25)):
        x, y = drawn(dim, n, m, dim)
        for order, metric in ((1, "euclidean"), (2, "sqeuclidean")):
            truth = ot.emd2([], [], ot.dist(x, y, metric)) ** (1 / order)
            assert divergence(f"w{order}", x, y).value == pytest.approx(truth, rel=1e-9)
    x, y = drawn(4, 60, 50, 2)
    for order in (1, 2):
        found = divergence(f"sliced_w{order}", x, y)
        truth = ot.sliced_wasserstein_distance(x, y, n_projections=4000, p=order, seed=0)
        assert abs(found.value - truth) < found.error + 0.05 * truth


@pytest.mark.parametrize("kernel", ["gaussian", "laplacian", "imq"])
def test_mmd_and_energy_in_space_are_means_over_all_pairs(kernel):
    x, y = drawn(3, 30, 20, dim=2)
    forms = {
        "gaussian": lambda d: math.exp(-d * d / 4.5),
        "laplacian": lambda d: math.exp(-d / 1.5),
        "imq": lambda d: (1 + d * d / 2.25) ** -0.5,
    }

    def mean(a, b, k):
        return np.mean([[k(math.dist(s, t)) for t in b] for s in a])

    for name, k, sign in (("mmd2", forms[kernel], 1), ("energy", lambda d: d, -1)):
        truth = sign * (mean(x, x, k) + mean(y, y, k) - 2 * mean(x, y, k))
        found = between_samples(name, samples(x), samples(y), kernel=kernel, bandwidth=1.5)
        assert abs(found.value - truth) < found.error + 1e-14


def test_sliced_distances_turn_with_the_plane_and_keep_their_stated_error():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1, 3))
    move = np.array([1.0, -2.0, 0.5])
    # one point against another: the mean of abs cos over directions
    for dim, share in ((2, 2 / math.pi), (3, 0.5)):
        found = divergence("sliced_w1", x[:, :dim], x[:, :dim] + move[:dim])
        truth = share * float(np.linalg.norm(move[:dim]))
        assert abs(found.value - truth) <= found.error < 0.2
        square = divergence("sliced_w2", x[:, :dim], x[:, :dim] + move[:dim])
        assert abs(square.value - float(np.linalg.norm(move[:dim])) / math.sqrt(dim)) < 0.1


@pytest.mark.parametrize("law", ["normal(0, 1)", "gamma(2, 1)", "student_t(4)", "uniform(-1, 3)"])
def test_samples_against_a_known_law_are_its_limit_of_many_points(law):
    rng = np.random.default_rng(5)
    x, known = rng.normal(size=9), parse_density(law)
    n = 4000
    many = known.ppf((np.arange(n) + 0.5) / n)
    for name, tolerance in (("w1", 2e-3), ("energy", 1e-5), ("ks", 2e-4)):
        found = divergence(name, x, law)
        assert found.value == pytest.approx(divergence(name, x, many).value, abs=tolerance)
        assert found.error < 1e-8
        assert divergence(name, law, x).value == found.value
    assert divergence("ks", x, law).value == pytest.approx(stats.kstest(x, known.cdf).statistic)
    exact = divergence("w1", np.zeros(1), "laplace(0, 1)")
    assert abs(exact.value - 1) <= exact.error < 1e-10  # E abs(X)


PAIRS = {
    "equal": ("normal(0, 1)", "normal(0, 1)", 0.0),
    "moved": ("normal(0, 1)", "normal(1, 1)", 1.0),
    "heavy": ("student_t(4)", "student_t(4, 0, 2)", 1.0),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_intervals_of_the_laws_miss_no_more_often_than_stated(pair):
    p, q, w1 = PAIRS[pair]
    p, q = parse_density(p), parse_density(q)
    truth = {"w1": w1 if pair != "heavy" else divergence("w1", p, q).value}
    if pair != "heavy":
        truth |= {name: divergence(name, p, q).value for name in ("energy", "mmd2", "w2")}
    missed = dict.fromkeys(truth, 0)
    for seed in range(40):
        x, y = p.sample(seed, 60), q.sample(1000 + seed, 50)
        for name, value in truth.items():
            found = divergence(name, x, y)
            missed[name] += not found.lower <= value + 1e-9 <= found.upper + 2e-9
            assert found.upper < math.inf
    assert max(missed.values()) <= 5, missed  # 40 · 0.05 = 2, and 6 of them in 1 of 70


def test_a_small_sample_of_heavy_tails_is_as_near_as_its_interval_says():
    """W1 is ∫ abs(F_n - F), decided by few large draws: a plain bootstrap misses 1 in 8."""
    law = stats.t(5)
    places = np.linspace(-40, 40, 8001)
    levels, step = law.cdf(places), places[1] - places[0]
    missed, radii = 0, []
    for seed in range(100):
        x = np.sort(law.rvs(40, random_state=seed))
        apart = np.sum(np.abs(np.searchsorted(x, places) / 40 - levels)) * step
        radii.append(intervals.joint_radius("w1", [x], None, 0.05, seed))
        missed += apart > radii[-1]
    assert missed <= 7  # 12.5 of the plain one; 2.5 where half of the probability is used
    assert np.mean(radii) < 0.75  # 0.46 of the plain one


def test_one_samples_distribution_function_has_its_bound_for_every_size():
    x = drawn(3, 25, 25)[0]
    found = divergence("ks", x, "normal(0, 1)")
    assert found.interval_method == intervals.CONCENTRATION
    assert found.upper - found.value == pytest.approx(math.sqrt(math.log(40) / 50))


def test_a_kernel_density_estimate_is_the_one_of_scipy():
    x = np.random.default_rng(0).gamma(2, size=30)
    for rule in ("scott", "silverman"):
        ours, theirs = samples(x).kde(rule), stats.gaussian_kde(x, rule)
        places = np.linspace(-1, 8, 9)
        np.testing.assert_allclose(ours.pdf(places), theirs(places), rtol=1e-12)


def test_samples_are_read_from_files(tmp_path):
    x, y = drawn(0, 12, 9, dim=2)
    np.save(tmp_path / "x.npy", x)
    rows = "\n".join(f"{a},{b}" for a, b in y)
    (tmp_path / "y.csv").write_text(f"first,second\n{rows}\n")
    (tmp_path / "bare.csv").write_text(rows)
    np.testing.assert_array_equal(samples(tmp_path / "x.npy").points, x)
    np.testing.assert_array_equal(samples(str(tmp_path / "y.csv")).points, y)
    np.testing.assert_array_equal(samples(tmp_path / "bare.csv").points, y)
    np.testing.assert_array_equal(samples(tmp_path / "y.csv", column="second").points, y[:, 1])
    polars = pytest.importorskip("polars")
    polars.DataFrame({"a": y[:, 0], "b": y[:, 1]}).write_parquet(tmp_path / "y.parquet")
    np.testing.assert_array_equal(samples(tmp_path / "y.parquet").points, y)
    np.testing.assert_array_equal(samples(tmp_path / "y.parquet", "b").points, y[:, 1])


def run(arguments, monkeypatch):
    """Run the command line in this process and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["gantheory", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_the_command_line_compares_two_files(tmp_path, capsys, monkeypatch):
    x, y = drawn(0, 12, 9)
    for name, z in (("a", x), ("b", y)):
        (tmp_path / f"{name}.csv").write_text("x\n" + "\n".join(map(str, z)))
    files = [str(tmp_path / f"{name}.csv") for name in "ab"]
    assert run(["divergence", "w1", *files, "--column", "x"], monkeypatch) in (0, None)
    said = capsys.readouterr().out
    assert f"{stats.wasserstein_distance(x, y):.10g}"[:8] in said
    assert "of the laws in [" in said
    assert run(["divergence", "w1", *files, "--column", "z"], monkeypatch) == 2
    assert "unknown column of a.csv 'z'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: samples(["a"]), "must be real numbers, not text"),
        (lambda: samples(np.ma.array([1.0, 2.0], mask=[0, 1])), "masked; drop these"),
        (lambda: samples([1.5e150]), "beyond 1e150"),
        (lambda: samples([[1.0], [1.0, 2.0]]), "must be numbers"),
        (lambda: samples([]), "there is none"),
        (lambda: samples([1.0, math.nan] * 500), "500 of 1000 numbers are nan or infinite"),
        (lambda: samples([1j]), "must be real numbers, not complex ones"),
        (lambda: samples("nothing.csv"), "is no file"),
        (lambda: between_samples("ks", np.array([1j]), "normal(0, 1)"), "must be real numbers"),
        (lambda: density("dirichlet", concentration=np.array([1j, 2])), "must be real"),
        (lambda: density("normal_nd", loc=(0, 0), cov=np.array(3.0)), "2 by 2"),
        (lambda: prove("samples('a.csv') <= 1"), "proved for all laws p and q"),
        (lambda: prove("jsd(normal(0, 1), q) <= 1"), "proved for all laws p and q"),
        (lambda: tree_in_d("samples('a.csv')"), "fit a law to them"),
        (lambda: tree_in_d("mixture(1*samples('a.csv').kde())"), "stands in no other"),
        (lambda: samples("a.txt"), "samples are read from"),
        (lambda: divergence("w1", np.ones(3), np.ones((3, 2))), "differ in dimension"),
        (lambda: divergence("w1", np.ones(3), "normal(0, 1)", wrt="q.loc"), "no parameters"),
        (lambda: divergence("ks", np.ones((3, 2)), np.ones((3, 2))), "distance on the line"),
        (lambda: divergence("jsd", np.ones(30), "normal(0, 1)"), "samples have no density"),
        (lambda: divergence("jsd", np.ones(3), np.ones(3)), "at least 20 points"),
        (lambda: parse_density("Gamma"), "'Gamma' lacks its parameters; write gamma(shape, scale)"),
        (lambda: parse_density("Weibull(1: 2)"), "write it like 'weibull(shape, scale)'"),
        (lambda: divergence("nonsense", np.ones(3), np.ones(3)), "unknown"),
        (lambda: divergence("jsd_gap", np.ones(30), np.ones(30)), "only a lower bound"),
        (lambda: between_samples("mmd2", samples([1.0]), samples([2.0]), kernel="x"), "kernel"),
        (lambda: samples(np.ones(9)).kde(), "all points are equal"),
        (lambda: parse_density("normal_nd((0, 0), 1)"), "must be symmetric, 2 by 2"),
    ],
)
def test_samples_that_cannot_be_compared_are_refused_in_one_line(call, said):
    with pytest.raises(GantheoryError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_two_points_have_an_interval_too():
    found = divergence("w1", np.array([1, 2], dtype=object), [0.0, 1.0])
    assert found.value == 1
    assert 2 < found.upper < 20


@pytest.mark.parametrize("order", [1, 2])
def test_points_of_unequal_numbers_are_moved_as_mass_or_refused(order):
    few, many = [[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]
    for pair in ((few, many), (many, few)):
        try:
            found = divergence(f"w{order}", *map(np.array, pair))
        except GantheoryError as error:
            assert "different sizes" in str(error)  # noqa: PT017
        else:  # a quarter of the mass moves by 2
            assert found.value == pytest.approx((2**order / 4) ** (1 / order))


def test_samples_are_exported():
    assert gantheory.samples is samples


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with files of samples, in which the test is."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(3).normal(size=40)
    rows = "\n".join(f"{value},n{k}" for k, value in enumerate(x))
    (tmp_path / "a.csv").write_text(f"x,name\n{rows}\n")
    (tmp_path / "holes.csv").write_text("x\n1\nnan\n3\n")
    return x


@pytest.mark.parametrize(
    "text",
    ["samples('a.csv', column='x')", 'samples("a.csv", "x")', "samples(a.csv, column=x)",
     " sample('a.csv',column=\"x\") "],
)  # fmt: skip
def test_files_are_called_samples_as_people_write_it(folder, text, capsys, monkeypatch):
    truth = stats.energy_distance(folder, np.zeros(1)) ** 2
    assert divergence("energy", text, [0.0]).value == pytest.approx(truth)
    assert divergence("energy", text, "normal(0, 1)").lower >= 0
    fitted = divergence("jsd", f"{text.strip()}.kde(silverman)", "normal(0, 1)")
    assert fitted.value == divergence("jsd", samples(folder).kde("silverman"), "normal(0, 1)").value
    assert run(["divergence", "energy", text, "normal(0, 1)"], monkeypatch) in (0, None)
    assert "a.csv (40 points on the line)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("samples('b.csv')", "'b.csv' is no file"),
        ("samples('a.txt')", "samples are read from"),
        ("samples('a.csv')", "name a column of numbers (known: x, name)"),
        ("samples('a.csv', column='y')", "unknown column of a.csv 'y'; known: name, x"),
        ("samples('a.csv', column='name')", "no number in column 'name'"),
        ("samples('holes.csv')", "1 of 3 numbers are nan"),
        ("samples('a.csv', 'x').pdf()", "what may follow samples(...) is .kde()"),
    ],
)
def test_files_that_are_no_samples_are_refused_in_one_helpful_line(folder, text, said):
    with pytest.raises(GantheoryError, match=r"^[^\n]*$") as caught:
        divergence("w1", text, "normal(0, 1)")
    assert said in str(caught.value)


def test_elsewhere_samples_are_told_to_have_no_density(folder):
    for text in ("samples('a.csv', column='x')", "a.csv"):
        with pytest.raises(GantheoryError, match=r"have no density.*\.kde\(\)"):
            parse_density(text)


def test_no_message_holds_a_list_of_numbers(folder):
    fitted = samples(folder).kde()
    with pytest.raises(GantheoryError) as caught:
        divergence("w1", fitted, "normal_nd((0, 0), ((1, 0), (0, 1)))")
    assert "(40 numbers)" in str(caught.value)
    assert len(str(caught.value)) < 250


def test_whatever_turns_into_an_array_is_samples(folder):
    polars = pytest.importorskip("polars")
    torch = pytest.importorskip("torch")
    truth = divergence("w1", folder, [0.0, 1.0]).value
    tensor = torch.tensor(folder, requires_grad=True)
    for given in (polars.Series("x", folder), tensor, folder.tolist(), samples(folder)):
        assert divergence("w1", given, [0.0, 1.0]).value == truth


@pytest.mark.parametrize(("eps", "order"), [(5.0, 2), (0.5, 2), (0.2, 1)])
def test_the_sinkhorn_cost_is_pots_within_the_gap_of_its_dual(eps, order):
    ot = pytest.importorskip("ot")
    x, y = drawn(7, 30, 20, dim=2)
    cost = cdist(x, y) ** order
    theirs = ot.solve(cost, reg=eps, tol=1e-12, max_iter=20_000)
    found = divergence(f"sinkhorn(eps={eps}, order={order})", x, y)
    assert abs(found.value - theirs.value) <= found.error + 1e-8 * theirs.value
    assert found.error < 1e-6 * found.value
    assert f"{theirs.value_linear:.9g}"[:5] in found.warnings[0]
    assert found.lower < found.value < found.upper
    assert "limit law" in found.interval_method


def test_what_is_no_plan_yet_leaves_a_gap():
    """The error of the Sinkhorn cost holds the optimum for any potentials."""
    x, y = drawn(7, 30, 20, dim=2)
    cost = cdist(x, y)
    potential = np.zeros(len(x))
    rough = entropic._bounded(cost, potential, 0.5)
    for _ in range(400):
        g = -0.5 * np.log(np.mean(np.exp((potential[:, None] - cost) / 0.5), axis=0))
        potential = -0.5 * np.log(np.mean(np.exp((g - cost) / 0.5), axis=1))
    sharp = entropic._bounded(cost, potential, 0.5)
    assert sharp.error < 1e-9 < rough.error
    assert rough.value - 1e-12 <= sharp.value <= rough.value + rough.error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sinkhorn", "say the regularisation, like sinkhorn(eps=0.1)"),
        ("sinkhorn(eps=-1)", "say the regularisation"),
        ("sinkhorn(eps=1, order=3)", "must be 1 or 2"),
        ("sinkhorn(reg=1)", "unknown option of sinkhorn"),
    ],
)
def test_a_sinkhorn_cost_without_a_legal_regularisation_is_refused(name, said):
    with pytest.raises(GantheoryError) as caught:
        divergence(name, np.zeros((3, 2)), np.ones((3, 2)))
    assert said in str(caught.value)
    with pytest.raises(GantheoryError, match="it is known between samples"):
        divergence("sinkhorn(eps=1)", "normal(0, 1)", "normal(1, 1)")


def test_bounds_for_samples_of_any_size_are_wider_than_those_of_the_bootstrap():
    x, y = drawn(1, 60, 60)
    for name in ("ks", "mmd2"):
        near, sure = (
            between_samples(name, samples(x), samples(y), guaranteed=wide) for wide in (False, True)
        )
        assert sure.lower <= near.lower <= near.value <= near.upper < sure.upper
        assert "concentration" in sure.interval_method
    with pytest.raises(GantheoryError, match="known for ks and mmd2, not w1"):
        between_samples("w1", samples(x), samples(y), guaranteed=True)
