"""Laws of other libraries: each is the same law here, and what is none is refused in one line."""

import numpy as np
import pytest
from scipy import stats

import gantheory
from gantheory import divergence
from gantheory.densities import parse_density
from gantheory.densities.objects import COUNTS, SCIPY, TORCH
from gantheory.errors import GantheoryError
from gantheory.samples import samples

SHAPES = {
    "t": (3.5,), "gennorm": (1.5,), "skewnorm": (2.0,), "gamma": (2.5,), "erlang": (2,),
    "weibull_min": (1.5,), "invgamma": (3.0,), "pareto": (2.5,), "fisk": (3.0,), "chi2": (3.0,),
    "beta": (2.0, 3.0), "triang": (0.3,), "lognorm": (0.7,), "truncnorm": (-1.0, 2.0),
    "vonmises": (2.0,), "powerlaw": (0.3,),
}  # fmt: skip


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize(("loc", "scale"), [(0.0, 1.0), (0.5, 2.0)])
def test_a_frozen_law_of_scipy_is_the_family_that_it_names(name, loc, scale):
    if name == "vonmises":
        scale = 1.0
    theirs = getattr(stats, name)(*SHAPES.get(name, ()), loc=loc, scale=scale)
    ours = parse_density(theirs)
    x = np.array([0.52, 0.6, 1.1, 1.9, 2.6, 3.0])
    x = x[(x > ours.support[0]) & (x < ours.support[1])]
    np.testing.assert_allclose(ours.logpdf(x), theirs.logpdf(x), rtol=1e-10, atol=1e-12)
    assert ours.name != "own"


@pytest.mark.parametrize("name", COUNTS)
def test_a_discrete_law_of_scipy_is_the_family_that_it_names(name):
    shapes = {"binom": (9, 0.3), "nbinom": (2.5, 0.3), "zipf": (2.5,), "poisson": (3.0,)}
    theirs = getattr(stats, name)(*shapes.get(name, (0.3,)))
    k = np.arange(0, 7)
    np.testing.assert_allclose(np.exp(parse_density(theirs).logpdf(k)), theirs.pmf(k), rtol=1e-12)
    geometric = parse_density(stats.geom(0.3, loc=-1))
    np.testing.assert_allclose(geometric.pdf(k), stats.geom(0.3, loc=-1).pmf(k), rtol=1e-12)


@pytest.mark.parametrize("kind", TORCH)
def test_a_law_of_torch_is_the_family_that_it_names(kind):
    torch = pytest.importorskip("torch")
    values = {"Uniform": (0.1, 4.0), "Binomial": (9, 0.3), "NegativeBinomial": (2.5, 0.3)}
    names = TORCH[kind][0]
    given = values.get(kind, (0.4,) if names == ("probs",) else (2.5, 1.5, 0.5)[: len(names)])
    theirs = getattr(torch.distributions, kind)(*(torch.tensor(v).double() for v in given))
    discrete = kind in ("Poisson", "Geometric", "Binomial", "NegativeBinomial", "Bernoulli")
    x = np.array([0.0, 1.0]) if discrete else np.array([0.3, 0.7, 2.2])
    ours = parse_density(theirs)
    x = x if discrete else x[(x > ours.support[0]) & (x < ours.support[1])]
    found = theirs.log_prob(torch.tensor(x)).numpy()
    np.testing.assert_allclose(ours.logpdf(x), found, rtol=1e-6)


def test_kernel_density_estimates_and_the_new_infrastructure_are_read():
    points = np.random.default_rng(0).normal(size=60)
    kde = stats.gaussian_kde(points, weights=np.linspace(1, 2, 60))
    x = np.linspace(-2, 2, 7)
    np.testing.assert_allclose(parse_density(kde).pdf(x), kde(x), rtol=1e-12)
    assert divergence("kl_pq", kde, "normal(0, 1)").error < 1e-12
    if hasattr(stats, "Normal"):
        assert str(parse_density(stats.Normal(mu=1.0, sigma=2.0))) == "normal(1, 2)"
        parts = [stats.Normal(mu=0.0), stats.Normal(mu=3.0)]
        mixture = parse_density(stats.Mixture(parts, weights=[0.25, 0.75]))
        assert str(mixture) == "mixture(0.25*normal(0, 1) + 0.75*normal(3, 1))"


def test_a_mixture_of_many_normals_is_the_mixture_of_few_repeated():
    rng = np.random.default_rng(1)
    locs, scales = rng.normal(size=8) * 3, 10 ** rng.uniform(-2, 1, 8)
    few = [f"{1 / 8}*normal({a!r}, {b!r})" for a, b in zip(map(float, locs), map(float, scales))]  # noqa: B905
    many = [term.replace("0.125", str(1 / 64)) for term in few for _ in range(8)]
    p, q = (parse_density(f"mixture({' + '.join(terms)})") for terms in (few, many))
    x = np.linspace(-30, 30, 101)
    np.testing.assert_allclose(p.logpdf(x), q.logpdf(x), rtol=1e-13, atol=1e-14)
    for name in ("tv", "jsd", "kl_pq"):
        one, other = (divergence(name, law, "normal(0, 3)") for law in (p, q))
        assert abs(one.value - other.value) <= one.error + other.error
        assert other.error < 1e-12


def test_density_reads_what_divergence_reads():
    assert gantheory.density(stats.norm(1, 2)) == gantheory.density("normal", loc=1, scale=2)
    assert gantheory.density(([0.0, 1.0], [1.0, 1.0])).cdf(0.25) == 0.25


def test_a_law_without_a_family_is_taken_by_its_functions():
    found = divergence("tv", stats.hypsecant(), "normal(0, 1)")
    x = np.linspace(-40, 40, 400_001)
    truth = 0.5 * np.trapezoid(np.abs(stats.hypsecant.pdf(x) - stats.norm.pdf(x)), x)
    assert found.value == pytest.approx(truth, abs=1e-7)


def test_a_pair_of_arrays_is_the_density_that_is_linear_in_between():
    x = np.array([0.0, 1.0, 2.0])
    law = parse_density((x, [0.0, 1.0, 0.0]))
    for name in ("kl_pq", "jsd", "tv", "w1"):
        found = divergence(name, (x, [0.0, 1.0, 0.0]), "triangular(-1, 1, 3)")
        truth = divergence(name, "triangular(0, 1, 2)", "triangular(-1, 1, 3)")
        assert abs(found.value - truth.value) <= found.error + truth.error
    np.testing.assert_allclose(law.cdf(law.ppf([0.1, 0.5, 0.8])), [0.1, 0.5, 0.8], rtol=1e-12)
    grid = np.linspace(-9, 9, 181)
    fine = divergence("jsd", (grid, stats.norm.pdf(grid)), "normal(1, 1)")
    assert fine.value == pytest.approx(0.111421482184736, rel=1e-2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (stats.beta, "without its shapes"),
        (stats.norm([0.0, 1.0], 1.0), "one law at a time"),
        (stats.geom(0.5), "geom with loc=-1"),
        (stats.vonmises(1.0, scale=2.0), "scale"),
        (3.5, "type 'float' is no density"),
        ((np.arange(3.0), np.ones(3)), "sum to 2"),
        ((np.zeros(3), np.ones(3)), "increase"),
        ((np.arange(3.0), np.ones(2)), "one length"),
        ((np.arange(3.0), [1.0, -1.0, 1.0]), "negative"),
        ((np.arange(3.0), [1.0, np.nan, 1.0]), "finite"),
    ],
)
def test_objects_that_are_no_law_are_refused_in_one_line(given, said):
    with pytest.raises(GantheoryError) as caught:
        parse_density(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_laws_in_space_of_scipy_are_read():
    x = np.array([[0.3, 0.2], [-1.0, 0.7]])
    cov = [[1.0, 0.5], [0.5, 2.0]]
    for theirs in (
        stats.multivariate_normal([0, 1], cov),
        stats.multivariate_t([0, 1], cov, df=4),
        stats.gaussian_kde(np.random.default_rng(0).normal(size=(2, 9))),
    ):
        found = parse_density(theirs).logpdf(x)
        truth = theirs.logpdf(x.T if isinstance(theirs, stats.gaussian_kde) else x)
        np.testing.assert_allclose(found, truth, rtol=1e-11)
    simplex = stats.dirichlet([1.0, 2.0, 3.5])
    found = parse_density(simplex).logpdf(np.array([0.2, 0.3, 0.5]))
    assert found == pytest.approx(simplex.logpdf([0.2, 0.3, 0.5]), rel=1e-12)


def test_what_torch_composes_is_read_as_one_law():
    torch = pytest.importorskip("torch")
    td = torch.distributions
    shares = td.Categorical(torch.tensor([0.3, 0.7]))
    places, widths = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 2.0])
    plane = td.MultivariateNormal(torch.tensor([[0.0, 0], [2, 2]]), torch.eye(2).expand(2, 2, 2))
    normal = td.Normal(0.0, 1.0)
    cases = [
        (td.MixtureSameFamily(shares, td.Normal(places, widths)), torch.tensor([0.4, 1.7])),
        (td.MixtureSameFamily(shares, plane), torch.tensor([[0.4, 1.7], [2.0, 2.5]])),
        (td.MultivariateNormal(torch.zeros(2), 2 * torch.eye(2)), torch.tensor([[0.4, 1.7]])),
        (td.Independent(td.Normal(places, widths), 1), torch.tensor([[0.4, 1.7]])),
        (td.Independent(td.Laplace(places, widths), 1), torch.tensor([[0.4, 1.7]])),
        (td.TransformedDistribution(normal, [td.AffineTransform(1.0, -2.0)]), places),
        (td.TransformedDistribution(normal, [td.ExpTransform()]), torch.tensor([0.2, 0.9])),
        (shares, torch.tensor([0.0, 1.0])),
        (td.NegativeBinomial(3.0, 0.4), torch.tensor([0.0, 4.0])),
    ]
    for theirs, x in cases:
        found = parse_density(theirs).logpdf(x.double().numpy())
        np.testing.assert_allclose(found, theirs.log_prob(x).numpy(), rtol=2e-6, atol=2e-6)
    softplus = td.transforms.SoftplusTransform()
    unknown = td.TransformedDistribution(td.Exponential(1.0), [softplus.inv])
    with pytest.raises(GantheoryError, match="the inverse of SoftplusTransform"):
        parse_density(unknown)


def test_what_transforms_of_torch_make_is_read():
    torch = pytest.importorskip("torch")
    td = torch.distributions
    x = torch.tensor([0.2, 0.5, 0.9]).double()
    numbers = torch.tensor([0.3, 1.2]).double()
    normal, unit = td.Normal(*numbers), td.Uniform(*torch.tensor([0.0, 1.0]).double())
    composed = td.ComposeTransform([td.AffineTransform(1.0, 2.0), td.ExpTransform()])
    for base, transforms in [
        (normal, [td.TanhTransform()]),
        (normal, [td.SigmoidTransform()]),
        (normal, [composed]),
        (normal, [td.AffineTransform(1.0, 2.0).inv]),
        (normal, [td.ExpTransform(), td.PowerTransform(torch.tensor(2.0).double())]),
        (unit, [td.ExpTransform(), td.ExpTransform().inv]),
        (unit, [td.SigmoidTransform().inv]),
    ]:
        theirs = td.TransformedDistribution(base, transforms)
        found = parse_density(theirs).logpdf(x.numpy())
        np.testing.assert_allclose(found, theirs.log_prob(x).numpy(), rtol=1e-9, atol=1e-12)
    low_rank = td.LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2))
    assert parse_density(low_rank).parameters["cov"] == ((2, 1), (1, 2))
    assert str(parse_density(td.Independent(td.Normal(0.0, 2.0), 0))) == "normal(0, 2)"
    assert str(parse_density(td.OneHotCategorical(torch.ones(2)))) == "discrete((0.5, 0.5))"


def new_laws():
    """Yield what SciPy's new infrastructure makes, and whether a family is known for it."""
    normal = stats.Normal(mu=1.0, sigma=2.0)
    gamma = stats.make_distribution(stats.gamma)(a=2.5)
    uniform = stats.Uniform(a=1.0, b=3.0)
    yield from [
        (gamma, "gamma"), (normal + 1, "normal"), (1 - 3 * normal, "normal"),
        (2 * gamma + 1, "affine"), (stats.truncate(normal, lb=0.0, ub=3.0), "restrict"),
        (stats.exp(normal), "lognormal"), (stats.exp(stats.Logistic()), "pushforward"),
        (stats.log(gamma), "pushforward"), (stats.abs(stats.Normal()), "half_normal"),
        (stats.abs(normal), "pushforward"), (stats.Normal() ** 2, "pushforward"),
        (normal**3, "pushforward"), (1 / uniform, "pushforward"), (3 / uniform, "affine"),
        (stats.order_statistic(uniform, r=2, n=5), "affine"), (stats.Logistic(), "logistic"),
        (stats.order_statistic(normal, r=2, n=5), "own"),
        (stats.make_distribution(stats.betaprime)(a=2.0, b=3.0), "own"),
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(stats, "make_distribution"), reason="needs SciPy 1.15 or later")
def test_what_the_new_infrastructure_makes_is_the_law_that_it_stands_for():
    for theirs, name in new_laws():
        ours = parse_density(theirs)
        assert ours.name == name, theirs
        low, high = (float(end) for end in theirs.support())
        x = np.array([0.35, 0.6, 1.1, 1.9, 2.9])
        x = x[(x > low) & (x < high)]
        np.testing.assert_allclose(ours.logpdf(x), theirs.logpdf(x), rtol=1e-10, atol=1e-12)
    counts = stats.make_distribution(stats.nbinom)(n=3, p=0.4)
    assert str(parse_density(counts)) == "negative_binomial(3, 0.4)"
    with pytest.raises(GantheoryError, match="Normal of arrays: give one law at a time"):
        parse_density(stats.Normal(mu=[0.0, 1.0], sigma=1.0))


def test_masses_and_histograms_of_scipy_are_read():
    for theirs in (
        stats.randint(0, 6), stats.hypergeom(20, 7, 12), stats.poisson_binom([0.1, 0.5]),
        stats.rv_discrete(values=([0, 1, 3], [0.2, 0.3, 0.5])),
    ):  # fmt: skip
        k = np.arange(5)
        np.testing.assert_allclose(parse_density(theirs).pdf(k), theirs.pmf(k), atol=1e-14)
    histogram = stats.rv_histogram(np.histogram([0.1, 0.4, 0.5, 2.0], bins=3))
    x = np.array([0.2, 1.0, 1.9])
    np.testing.assert_allclose(parse_density(histogram).pdf(x), histogram.pdf(x), atol=1e-14)
    for name, shapes in (("levy", ()), ("powerlaw", (0.3,)), ("arcsine", ())):
        theirs = getattr(stats, name)(*shapes, loc=0.5, scale=2)
        ours = parse_density(theirs)
        assert ours.logpdf([0.9, 1.4]) == pytest.approx(theirs.logpdf([0.9, 1.4]), rel=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (stats.gamma, "without its shapes"),
        (stats.dgamma(0.5), "scipy.stats.dgamma is read by its functions as one smooth bump"),
        (stats.geom(0.3), "has no family here"),
    ],
)
def test_objects_that_are_no_law_here_say_what_to_do(given, said):
    with pytest.raises(GantheoryError, match=r"^[^\n]*$") as caught:
        parse_density(given)
    assert said in str(caught.value)


def test_a_law_whose_own_quantiles_fail_is_still_read_by_its_density():
    found = divergence("tv", stats.norminvgauss(1.25, 0.5), "normal(0.5, 2)")
    x = np.linspace(-60, 60, 600_001)
    apart = np.abs(stats.norminvgauss(1.25, 0.5).pdf(x) - stats.norm(0.5, 2).pdf(x))
    assert found.value == pytest.approx(0.5 * np.trapezoid(apart, x), abs=1e-7)


def test_quantiles_of_a_kernel_density_estimate_are_the_least_that_reach_their_level():
    points = np.random.default_rng(3).normal(size=50)
    kde = stats.gaussian_kde(points)
    law = parse_density(kde)
    level = np.array([1e-300, 1e-12, 0.01, 0.5, 0.99])
    for x, u in zip(law.ppf(level), level, strict=True):
        near = [
            np.mean(stats.norm.cdf(y, points, kde.covariance[0, 0] ** 0.5)) for y in (x, x - 1e-9)
        ]
        assert near[0] == pytest.approx(u, rel=1e-11)
        assert near[1] < u
    gap = parse_density("mixture(0.5*uniform(0, 1) + 0.5*uniform(3, 4))")
    np.testing.assert_allclose(gap.ppf([0.2, 0.5, 0.7]), [0.4, 1.0, 3.4], rtol=1e-15)
    np.testing.assert_allclose(gap.isf([0.3, 0.5, 0.8]), [3.4, 1.0, 0.4], rtol=1e-15)


def test_numbers_in_a_row_are_samples_and_what_is_none_says_what_to_give():
    for x in (range(1, 4), (1, 2, 3), [1, 2, 3]):
        assert divergence("w1", x, [3, 4, 5]).value == pytest.approx(2.0, abs=1e-14)
    assert divergence("w1", (1, 2), (2, 4)).value == pytest.approx(1.5, abs=1e-14)
    with pytest.raises(GantheoryError, match="there is none; give at least one"):
        divergence("w1", np.array([]), [1.0])
    with pytest.raises(GantheoryError, match=r"'generator' is no density; give .* samples in an"):
        divergence("w1", (k for k in range(3)), [1.0])


def test_a_histogram_of_numpy_is_said_to_be_one():
    with pytest.raises(GantheoryError, match="rv_histogram"):
        divergence("w1", np.histogram([1.0, 2.0, 4.0], 3), "normal(0, 1)")


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_of_one_row_or_column_is_points_on_the_line():
    x, y = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0, 7.0])
    wanted = divergence("w1", x, y).value
    for turned in (np.matrix(x), np.matrix(x).T, x[:, None]):
        assert divergence("w1", turned, y).value == wanted
    assert samples(np.matrix([[1.0, 2.0], [3.0, 4.0]])).dim == 2
