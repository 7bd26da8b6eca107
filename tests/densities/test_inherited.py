"""A class that changes the law of a family is answered by its own density, or refused."""

import math
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import pytest
from scipy.integrate import quad

import gantheory as gt
from gantheory.densities import FAMILIES, density
from gantheory.densities.counts import Binomial, Counts, Decay, Poisson
from gantheory.densities.inherited import of_family
from gantheory.densities.location_scale import Laplace
from gantheory.densities.mixtures import Mixture
from gantheory.densities.normal import Normal
from gantheory.densities.positive import Gamma
from gantheory.densities.renamed import Exponential
from gantheory.densities.univariate import Points, Univariate
from gantheory.integrals.curves import Family

TILT = 0.5
STRUCTURED = {
    "mixture": "mixture(0.4*normal(0, 1) + 0.6*laplace(3, 1))",
    "normal_mixture": "normal_mixture((0.4, 0.6), (0, 3), (1, 0.5))",
    "affine": "affine(laplace(0, 1), 1, 2)",
    "restrict": "restrict(normal(0, 1), -1, 2)",
    "truncnormal": "truncnormal(0, 1, -1, 2)",
    "uniform": "uniform(-1, 2)",
    "triangular": "triangular(-1, 0.3, 2)",
}  # fmt: skip
ON_THE_LINE = sorted(name for name, family in FAMILIES.items() if issubclass(family, Univariate))
SPREAD = (
    "discrete([0.5, 0.3, 0.2])", "dirichlet([1, 2, 3])", "normal_nd((0, 1), ((2, 1), (1, 2)))",
    "normal_2d_iso((0, 1), 1)", "ring_mixture_2d()", "grid_mixture_2d(2)",
    "mixture(0.5*normal_2d_iso((0, 0), 1) + 0.5*normal_2d_iso((2, 0), 1))",
    "student_t_nd(3, (0, 0), ((1, 0), (0, 2)))", "product((normal(0, 1), laplace(0, 1)))",
    "radial(gamma(3, 1), 3)",
)  # fmt: skip


class Tilted:
    """The law with density p·(1 + TILT·(2F − 1)), which has mass 1 whatever p is."""

    def log_density(self, at):
        level = self.original(*self.parameters.values()).below(at)
        return super().log_density(at) + np.log1p(TILT * (2 * level - 1))


def tilted(law, **more):
    family = type(law)
    kind = type("Leaning", (Tilted, family), {"original": family} | more)
    return kind(*law.parameters.values())


def member(name):
    """Return a law of a family at parameters drawn from their typical ranges."""
    if name in STRUCTURED:
        return density(STRUCTURED[name])
    rng = np.random.default_rng(list(name.encode()))
    low_high = {f.name: f.metadata["domain"].typical for f in fields(FAMILIES[name])}
    return density(name, **{key: rng.uniform(*ends) for key, ends in low_high.items()})


def of_levels(f):
    """Return ∫ f(1 + TILT·(2u − 1)) du: a divergence from any law to its tilted one."""
    return quad(lambda u: f(1 + TILT * (2 * u - 1)), 0, 1, epsabs=1e-14)[0]


def refused(question):
    """Whether a question is answered by one line that says why there is no answer."""
    try:
        found = question()
    except gt.GantheoryError as error:
        return "\n" not in str(error)
    return found.status is gt.Status.UNDETERMINED and bool(found.reason)


TRUTH = {
    "kl_pq": of_levels(lambda r: r * math.log(r)),
    "kl_qp": of_levels(lambda r: -math.log(r)),
    "jsd": of_levels(lambda r: 0.5 * (r * math.log(2 * r / (1 + r)) + math.log(2 / (1 + r)))),
    "tv": TILT / 4,
}


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_a_tilted_law_of_any_family_is_answered_by_its_own_density(name):
    law = member(name)
    own = tilted(law)
    assert str(own).startswith("Leaning(")
    found = gt.divergence_table(TRUTH, own, law)
    exchanged = gt.divergence_table(["kl_pq", "tv"], law, own)
    for known, (what, truth) in zip(
        (*found.values(), *exchanged.values()),
        (*TRUTH.items(), ("kl_pq", TRUTH["kl_qp"]), ("tv", TRUTH["tv"])),
        strict=True,
    ):
        if what in ("jsd", "tv"):
            assert known.status is gt.Status.BLIND  # the centers are the family's
        if known.status is gt.Status.UNDETERMINED:
            assert "tail" in known.reason
        else:
            assert abs(known.value - truth) <= known.error + 1e-14
            assert known.error < 1e-9
    for question in (
        lambda: own.cdf(0.3), lambda: own.ppf(0.3), lambda: own.sample(0, 2), own.mean,
        lambda: own.slope(Points.at(0.3)), lambda: gt.divergence("jsd", own, law, wrt="p.loc"),
        lambda: gt.divergence("jsd", law, own, wrt="q.scale"),
        lambda: gt.divergence("mmd2", own, law),
        lambda: gt.divergence("kl_pq", own, law, method="closed form"),
        lambda: gt.divergence("jsd", own, law, method="certified"),
        lambda: gt.divergence("jsd", own, law, method="monte carlo"),
        lambda: gt.divergence("w1", own, law), lambda: gt.divergence("energy", law, own),
    ):  # fmt: skip
        assert refused(question)


def test_a_tilted_part_of_a_mixture_is_answered_by_its_own_density():
    law = Laplace(0.3, 1.2)
    rest = Normal(9.0, 0.1)
    ours, theirs = (Mixture((0.25, 0.75), (one, rest)) for one in (tilted(law), law))
    for pair in ((ours, theirs), (theirs, ours)):
        known = gt.divergence("tv", *pair)
        assert abs(known.value - TILT / 16) <= known.error + 1e-12


def test_what_a_class_restates_is_used_again():
    tails, places = {"end_tail": Laplace.end_tail}, {"centers": Laplace.centers.fget}
    law = Laplace(0.3, 1.2)
    known = gt.divergence("kl_pq", tilted(law, **tails), law)
    assert abs(known.value - TRUTH["kl_pq"]) <= known.error < 1e-9
    own = tilted(law, centers=property(places["centers"]))
    assert gt.divergence("tv", own, law).status is gt.Status.OK


class Bare(Laplace):
    """The same law under a name of its own, with a way to draw of its own."""

    name: ClassVar[str] = "bare"

    def sample(self, rng, n):
        return np.zeros(n)


def test_a_class_that_keeps_the_law_keeps_what_is_known_of_it():
    assert of_family(Bare(0, 1), Laplace)
    assert Bare.aliases == ()
    found = gt.divergence("kl_pq", Bare(0, 1), Laplace(1, 2))
    assert found.value == gt.divergence("kl_pq", Laplace(0, 1), Laplace(1, 2)).value
    assert found.status is gt.Status.OK
    assert gt.divergence("w1", Bare(0, 1), Laplace(1, 1)).value == pytest.approx(1, abs=1e-12)


@dataclass(frozen=True)
class Rate(Gamma):
    """A gamma law that reads its scale as a rate."""

    @property
    def _about(self):
        return super()._about

    def log_density(self, at):
        return Gamma(self.shape, 1 / self.scale).log_density(at)


@dataclass(frozen=True)
class Hasty(Exponential):
    """An exponential law of half the scale."""

    @property
    def law(self):
        return Gamma(1.0, self.scale / 2)


def test_parameters_that_mean_something_else_are_read_by_the_class():
    for own, same in ((Rate(2.0, 4.0), Gamma(2.0, 0.25)), (Hasty(1.0), Exponential(0.5))):
        assert gt.divergence("tv", own, same).value == 0
        for other in (Gamma(2.0, 1.0), Exponential(1.0)):
            expected = gt.divergence("jsd", same, other)
            for found in (gt.divergence("jsd", own, other), gt.divergence("jsd", other, own)):
                assert abs(found.value - expected.value) <= found.error + expected.error


@dataclass(frozen=True)
class Doubled(Poisson):
    """The Poisson law of twice the rate."""

    def log_mass(self, k):
        return Poisson(2 * self.rate).log_mass(k)


class Falling(Doubled):
    """The same, with what is needed for its sums."""

    decay = property(lambda self: Decay(-1, 2 * self.rate))
    center = property(lambda self: (2 * self.rate, 1 + math.sqrt(2 * self.rate)))


@dataclass(frozen=True)
class Mirrored(Binomial):
    """The number of failures."""

    def log_mass(self, k):
        return Binomial(self.n, 1 - self.p).log_mass(k)


def test_counts_of_another_law_are_summed_by_their_own_masses():
    pairs = (
        (Falling(3.0), Poisson(6.0), Poisson(3.0)),
        (Mirrored(9, 0.2), Binomial(9, 0.8), Binomial(9, 0.2)),
    )
    for own, same, other in pairs:
        for name in ("kl_pq", "kl_qp", "tv", "w1", "w2", "energy"):
            expected = gt.divergence(name, same, other)
            found = gt.divergence(name, own, other)
            back = gt.divergence({"kl_pq": "kl_qp", "kl_qp": "kl_pq"}.get(name, name), other, own)
            assert abs(found.value - expected.value) <= found.error + expected.error
            assert abs(back.value - expected.value) <= back.error + expected.error
        for what in ("q.rate", "q.p"):
            with pytest.raises(gt.GantheoryError):
                gt.divergence("kl_pq", other, own, wrt=what)


@pytest.mark.parametrize(
    "text", ["poisson(3)", "geometric(0.3)", "negative_binomial(2, 0.3)", "zipf(2)"]
)
def test_counts_whose_fall_is_not_known_are_refused(text):
    law = density(text)

    def log_mass(self, k):
        return law.log_mass(k) + 0.1 * np.cos(k)

    own = type("Wavy", (type(law),), {"log_mass": log_mass})(*law.parameters.values())
    fall = {"decay": type(law).decay, "log_mass": log_mass}
    unequal = type("Unequal", (type(law),), fall)(*law.parameters.values())
    for name in ("kl_pq", "tv", "w1"):
        for one in (own, unequal):  # the second falls as it says, and does not sum to 1
            with pytest.raises(gt.GantheoryError, match=r"decay|sum to|a power"):
                gt.divergence(name, one, law)


@pytest.mark.parametrize("text", SPREAD)
def test_laws_in_space_and_of_masses_are_refused_where_a_class_changes_them(text):
    law = density(text)

    def logpdf(self, x):
        return law.logpdf(np.asarray(x) + 1)

    own = type("Moved", (type(law),), {"logpdf": logpdf})(*law.parameters.values())
    questions = [(name, own, law) for name in ("kl_pq", "tv", "w1", "w2", "energy", "mmd2")]
    for question in (*questions, ("kl_pq", law, own), ("energy", law, own)):
        assert refused(lambda question=question: gt.divergence(*question))


def test_a_name_belongs_to_one_law():
    with pytest.raises(gt.GantheoryError, match="name of its own"):
        type("Leaning", (Tilted, Normal), {"original": Normal, "name": "normal"})
    with pytest.raises(gt.GantheoryError, match="name of another law"):
        type("Mine", (Univariate,), {"name": "laplace"})
    for wrapper in ("logpdf", "pdf"):
        with pytest.raises(gt.GantheoryError, match="override log_density"):
            type("Leaning", (Normal,), {wrapper: lambda self, x: x})
    with pytest.raises(gt.GantheoryError, match="override log_mass"):
        type("Leaning", (Poisson,), {"logpdf": lambda self, k: k})
    with pytest.raises(gt.GantheoryError, match="a name of a density already"):
        gt.register(type("Mine", (Univariate,), {"name": "mine", "aliases": ("gaussian",)}))


def test_a_registered_law_is_answered_by_its_own_density_along_a_curve():
    kind = gt.register(
        dataclass(frozen=True)(type("leaning", (Tilted, Normal), {"original": Normal}))
    )
    try:
        curve = gt.curve(["tv", "jsd"], Family("leaning(0, 1)", "normal(d, 1)"), values=[0.0, 1.0])
        for k, d in enumerate((0.0, 1.0)):
            for name in ("tv", "jsd"):
                alone = gt.divergence(name, kind(0.0, 1.0), Normal(d, 1.0))
                assert curve[name][k] == pytest.approx(alone.value, abs=1e-12)
        assert curve["tv"][0] == pytest.approx(TRUTH["tv"], abs=1e-12)
        with pytest.raises(gt.GantheoryError, match="score in loc is not known"):
            gt.divergence("jsd", "normal(0, 1)", "leaning(1, 1)", wrt="q.loc")
        assert type(density("gaussian(0, 1)")) is Normal
    finally:
        gt.unregister(kind)


def test_every_kind_of_law_knows_what_is_said_of_a_density_alone():
    for family in FAMILIES.values():
        facts = {name for name in vars(family.known_alone) if not name.startswith("__")}
        assert facts <= set(dir(family))
        assert "sample" in facts
    assert "log_ratio" in vars(Univariate.known_alone)
    assert "log_ratio" in vars(Counts.known_alone)
