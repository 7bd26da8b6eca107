"""One record from outside the package, entered by one call, is then seen everywhere by its name."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from outside import P, Q, drawn, listed, said, words
from scipy.integrate import quad
from scipy.stats import multivariate_normal, poisson

import gantheory as gt
from gantheory import testing
from gantheory.densities import Univariate
from gantheory.densities.base import POSITIVE, REAL, parameter
from gantheory.densities.plane import Spatial, Tangent
from gantheory.integrals.curves import Family

# --- a divergence ------------------------------------------------------------------------------

SKEW = gt.FDivergence(
    "skew_js", "(r*log(r) - (r + 3)*log((r + 3)/4))/4", title="JS₁⸝₄(P,Q)", aliases=("skew-jensen",)
)


def test_a_divergence_from_outside_is_seen_everywhere(enter, tables):
    priors = "class-priors(prior=1/4)"  # whose discriminator reports it, though it had no name
    assert gt.derive(priors).value.divergence != "skew_js"
    enter(SKEW)
    assert gt.derive(priors).value.divergence == "skew_js"
    assert gt.explain(priors).bound_rule.startswith("skew_js >= ")
    value, exact = (
        gt.divergence("Skew-JS", P, Q),
        gt.divergence("skew jensen", P, Q, wrt=None, method="certified"),
    )
    direct = quad(lambda x: integrand(SKEW, x), -12, 14, epsabs=0, epsrel=1e-12)[0]
    for found in (value, exact, gt.divergence(f"{priors}.value", P, Q)):
        assert abs(found.value - direct) <= found.error + 1e-11 * direct
    assert gt.divergence("skew_js", P, Q, wrt="q.loc").error < 1e-10
    table = gt.curve(["skew_js", "jsd"], values=[1.0, 2.0])
    assert table["skew_js"][0] == pytest.approx(gt.divergence("skew_js", P, "normal(1, 1)").value)
    assert gt.prove("skew_js <= kl_pq/4").holds
    assert gt.prove("skew_js <= jsd/10").how is gt.How.REFUTED
    assert "skew_js" in listed("divergences")
    assert "skew_js" in gt.list_divergences()
    assert "skew_js = " in said("divergence", "skew_js", P, Q)
    assert "skew_js" in said("curve", "-d", "skew_js", "--points", "3")
    assert "skew_js" in words(tables.DivergencesTable)
    assert drawn(testing.divergences(), "skew_js") is SKEW
    testing.assert_not_negative("skew_js", gt.density(P), gt.density(Q))


def test_a_divergence_from_outside_may_be_claimed_of_a_loss_and_of_a_critic(enter):
    enter(SKEW)
    plain = gt.get_loss("class-priors(prior=1/4)")
    parts = plain.real, plain.fake, plain.generator
    value = "skew_js - 2*log(2) + 3*log(3)/4"
    claim = gt.Claim("a reader", value=value)
    enter(gt.Loss("mine-priors", *parts, claims=(claim,)))
    law, twin = gt.check(["mine-priors.value", "mine-priors.value-twin"])
    assert (law.verdict.how, twin.verdict.how) == (gt.How.PROVED, gt.How.REFUTED)
    claimed = gt.Claim("a reader", value="skew_js")
    (verdict,) = gt.derive(
        gt.Critic("c", "C", gt.Expectations(), gt.Slope("1"), "-t", claims=(claimed,))
    ).claims
    assert verdict.how is gt.How.REFUTED  # it is w1


def integrand(entry, x):
    p = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    q = math.exp(-(((x - 1) / 1.5) ** 2) / 2) / math.sqrt(2 * math.pi) / 1.5
    return q * eval(entry.f, {"r": p / q, "log": math.log}) if p and q else 0.0


def test_a_divergence_that_left_is_unknown_again(enter):
    gt.unregister(enter(SKEW))
    with pytest.raises(gt.GantheoryError, match="unknown divergence"):
        gt.divergence("skew_js", P, Q)
    assert gt.derive("class-priors(prior=1/4)").value.divergence != "skew_js"


@pytest.mark.parametrize(
    ("name", "f", "word"),
    [
        ("jsd", "(r - 1)**2", "already a name of jsd"), ("JS", "(r - 1)**2", "a name of jsd"),
        ("mine", "sqrt(r) - 1", "not convex"), ("mine", "r*log(r) + 1", r"f\(1\) = 1"),
        ("mine", "k*(r - 1)**2", "free parameters"), ("my f", "(r - 1)**2", "letters"),
    ],
)  # fmt: skip
def test_a_divergence_that_is_none_is_refused_in_one_line(name, f, word):
    with pytest.raises(gt.GantheoryError, match=word) as error:
        gt.register(gt.FDivergence(name, f))
    assert "\n" not in str(error.value)


# --- a distance --------------------------------------------------------------------------------


def l2(p, q, wrt):
    if wrt:
        raise gt.GantheoryError("l2 has no derivative here")
    return gt.Estimate(quad(lambda x: float(p.pdf(x) - q.pdf(x)) ** 2, -20, 20)[0], 1e-9)


def test_a_distance_from_outside_is_seen_everywhere(enter, tables):
    enter(gt.Distance("l2", l2, title="∫(p − q)²", aliases=("squared-l2",)))
    truth = (1 - math.exp(-1 / 4)) / math.sqrt(math.pi)
    for name in ("l2", "SQUARED L2"):
        assert gt.divergence(name, P, "normal(1, 1)").value == pytest.approx(truth, rel=1e-8)
    assert gt.divergence_table(["jsd", "l2"], P, "normal(1, 1)")["l2", None].value == pytest.approx(
        truth
    )
    assert gt.curve(["l2"], values=[1.0])["l2"][0] == pytest.approx(truth, rel=1e-8)
    assert "l2" in listed("divergences")
    assert "l2" in gt.list_divergences()
    assert "l2 = " in said("divergence", "l2", P, Q)
    assert "∫(p − q)²" in words(tables.DistancesTable)
    with pytest.raises(gt.GantheoryError, match="certified"):
        gt.divergence("l2", P, Q, method="certified")
    with pytest.raises(gt.GantheoryError, match="did you mean 'l2'"):
        gt.divergence("l22", P, Q)


def largest_gap(p, q, wrt):
    """The largest difference of two distribution functions of counts."""
    k = np.arange(200)
    gap = np.cumsum(np.exp(p.logpdf(k)) - np.exp(q.logpdf(k)))
    return gt.Estimate(float(np.abs(gap).max()), 1e-12)


def test_a_distance_of_counts_from_outside_is_in_tables_and_curves(enter):
    enter(gt.Distance("count_gap", largest_gap))
    gaps = [
        float(np.abs(poisson.cdf(range(99), 3) - poisson.cdf(range(99), d)).max()) for d in (1, 2)
    ]
    table = gt.curve(["count_gap", "jsd"], Family("poisson(3)", "poisson(d)"), values=[1, 2])
    assert table["count_gap"] == pytest.approx(gaps, rel=1e-10)
    k = np.arange(80)
    p, q = poisson.pmf(k, 3), poisson.pmf(k, 2)
    jsd = float((p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2)
    assert table["jsd"][1] == pytest.approx(jsd, rel=1e-9)
    slope = float((-0.5 * q * (k / 2 - 1) * np.log((p + q) / (2 * q))).sum())  # d/d rate
    assert table["jsd_gradient"][1] == pytest.approx(slope, rel=1e-9)
    found = gt.divergence_table(["count_gap", "jsd"], "poisson(3)", "poisson(1)")
    assert found["count_gap", None].value == pytest.approx(gaps[0], rel=1e-10)


@pytest.mark.parametrize(
    ("answer", "word"),
    [(0.3, "no gantheory.Estimate"), (None, "no gantheory"), (gt.Estimate(math.nan), "as nan")],
    ids=["number", "nothing", "nan"],
)
def test_a_distance_that_answers_with_no_estimate_is_refused(enter, answer, word):
    enter(gt.Distance("odd", lambda p, q, wrt: answer))
    for wrt in (None, "q.loc"):
        with pytest.raises(gt.GantheoryError, match=f"'odd' .*{word}"):
            gt.divergence("odd", P, Q, wrt=wrt)
    with pytest.raises(gt.GantheoryError, match="must be a function"):
        gt.Distance("odd", 3)


# --- a density ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secant(Univariate):
    """The hyperbolic secant law: 1/(2·scale·cosh(πz/2))."""

    name: ClassVar[str] = "secant"
    aliases = ("sech",)
    loc: float = parameter(REAL, default=0.0)
    scale: float = parameter(POSITIVE, default=1.0)

    def log_density(self, at):
        z = np.abs(at.minus(self.loc)) * (math.pi / 2 / self.scale)
        return -z - np.log1p(np.exp(-2 * z)) - math.log(self.scale)

    @property
    def pieces(self):
        return ((-math.inf, math.inf),)

    @property
    def centers(self):
        return ((self.loc, self.scale),)

    @property
    def log_magnitude(self):
        return 2.0 + abs(math.log(self.scale))

    def slope(self, at):
        return -np.tanh(at.minus(self.loc) * (math.pi / 2 / self.scale)) * math.pi / 2 / self.scale

    def below(self, at):
        return 2 / math.pi * np.arctan(np.exp(at.minus(self.loc) * (math.pi / 2 / self.scale)))

    def ppf(self, level):
        level = np.asarray(level)
        return self.loc + self.scale * 2 / math.pi * np.log(np.tan(math.pi / 2 * level))


def test_a_density_from_outside_is_seen_everywhere(enter):
    enter(Secant)
    assert (
        str(gt.density("SECH(1, 2)")) == str(gt.density("secant", loc=1, scale=2)) == "secant(1, 2)"
    )
    found = gt.divergence("jsd", "secant(0, 1)", "normal(1, 1)", wrt="p.loc")
    step = [gt.divergence("jsd", f"secant({h}, 1)", "normal(1, 1)").value for h in (-1e-4, 1e-4)]
    assert found.value == pytest.approx((step[1] - step[0]) / 2e-4, rel=1e-6)
    mixed = gt.divergence("tv", "mixture(0.5*secant(-2, 1) + 0.5*N(2, 1))", "cauchy(0, 1)")
    assert 0 < mixed.value < 1
    assert "secant" in listed("densities")
    assert "secant" in gt.list_densities()
    table = gt.curve(["jsd"], Family("secant(0, 1)", "secant(d, 1)"), values=[1.0])
    assert table["jsd"][0] == pytest.approx(gt.divergence("jsd", "sech()", "sech(1)").value)
    assert drawn(testing.densities(), "secant").name == "secant"


@dataclass(frozen=True)
class Crossed(Spatial):
    """Two normal laws across each other, each longer than wide by ``ratio``."""

    name: ClassVar[str] = "crossed"
    dim = 2
    ratio: float = parameter(POSITIVE, default=3.0)

    @property
    def components(self):
        lengths = np.array([1.0, self.ratio**2])
        return [(0.5, np.zeros(2), np.diag(one)) for one in (lengths, lengths[::-1])]

    def tangent(self, name):
        if name != "ratio":
            return super().tangent(name)
        moved = np.array([np.diag([0, 2 * self.ratio]), np.diag([2 * self.ratio, 0])])
        return Tangent(np.zeros(2), np.zeros((2, 2)), moved)


def test_a_density_of_the_plane_from_outside_is_seen_everywhere(enter):
    enter(Crossed)
    assert "crossed" in listed("densities")
    plain = "mvn([0, 0], [[1, 0], [0, 1]])"
    at = np.moveaxis(np.mgrid[-14:14:561j, -14:14:561j], 0, -1)
    p = sum(multivariate_normal.pdf(at, cov=np.diag(one)) for one in ([1, 4], [4, 1])) / 2
    q = multivariate_normal.pdf(at, cov=np.eye(2))
    with np.errstate(all="ignore"):
        terms = np.nan_to_num(p * np.log(2 * p / (p + q))) + np.nan_to_num(
            q * np.log(2 * q / (p + q))
        )
    assert gt.divergence("jsd", "crossed(2)", plain).value == pytest.approx(
        terms.sum() * 0.05**2 / 2, rel=1e-7
    )

    def mmd2(ratio):  # E k of normals with k = exp(-|x - y|^2/2) is det(1 + covariance)^(-1/2)
        crossed = [np.diag([1, ratio**2]), np.diag([ratio**2, 1])]
        laws = [(0.5, one) for one in crossed] + [(-1.0, np.eye(2))]
        return sum(
            a * b / math.sqrt(np.linalg.det(np.eye(2) + one + other))
            for a, one in laws
            for b, other in laws
        )

    family = Family(plain, "crossed(d)")
    table = gt.curve(["mmd2"], family, values=[1, 2])
    assert table["mmd2"] == pytest.approx([mmd2(1), mmd2(2)], rel=1e-12, abs=1e-15)
    slope = (mmd2(2 + 1e-4) - mmd2(2 - 1e-4)) / 2e-4
    assert table["mmd2_gradient"][1] == pytest.approx(slope, rel=1e-6)
    for name in ("jsd", "mmd2"):
        moved = gt.divergence(name, "crossed(2)", plain, wrt="p.ratio").value
        ends = [gt.divergence(name, f"crossed({r})", plain).value for r in (1.9999, 2.0001)]
        assert moved == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-6)


# --- an update rule ----------------------------------------------------------------------------


def slower(field, state, step):
    """Player 1 moves at a third of player 2's rate, and sees where player 2 went."""
    x, y = state
    y = y + step * field.second(x, y)
    return x + step * field.first(x, y) / 3, y


SLOWER = gt.Rule("slower-leader", slower)


def test_an_update_rule_from_outside_is_seen_everywhere(enter):
    enter(SLOWER)
    assert gt.register(SLOWER) is SLOWER  # once more changes nothing
    assert "slower-leader" in gt.list_methods()
    found = gt.analyse(gt.read_game("x*y", "x", "y"), method="slower-leader", step="3/2")
    by_hand = np.array([[1 - 1.5**2 / 3, -0.5], [1.5, 1]])  # y + 3x/2, then x - (3/2)y/3
    (eta,) = found.operator.free_symbols
    assert np.allclose(np.array(found.operator.subs(eta, 1.5), dtype=float), by_hand)
    assert found.spectral_radius == pytest.approx(np.abs(np.linalg.eigvals(by_hand)).max())
    players = "--value", "x*y", "--player1", "x", "--player2", "y"
    text = said("game", *players, "--method", "slower-leader", "--step", "3/2")
    assert "slower-leader" in text
    with pytest.raises(gt.GantheoryError, match="did you mean 'slower-leader'"):
        gt.make_method("slower-leadr")
    with pytest.raises(gt.GantheoryError, match="'optimistic' exists"):
        gt.register(gt.Rule("optimistic", slower))
    with pytest.raises(gt.GantheoryError, match="letters"):
        gt.register(gt.Rule("my rule", slower))


def test_an_update_rule_with_memory_from_outside_is_analysed_with_it(enter):
    def advance(field, state, step):
        x, y, u, w = state
        u, w = u / 2 + field.first(x, y), w / 2 + field.second(x, y)
        return x + step * u, y + step * w, u, w

    enter(gt.Rule("velocity", advance, lambda field, x, y: (0 * x, 0 * y)))
    found = gt.analyse(gt.read_game("x*y", "x", "y"), method="velocity", step="1/4")
    h = Fraction(1, 4)  # u = u/2 - y, w = w/2 + x, then x + u/4, y + w/4
    by_hand = np.array(
        [[1, -h, h / 2, 0], [h, 1, 0, h / 2], [0, -1, 0.5, 0], [1, 0, 0, 0.5]], dtype=float
    )
    assert found.spectral_radius == pytest.approx(np.abs(np.linalg.eigvals(by_hand)).max())
    assert "velocity" in said("game", "--help")


@pytest.mark.parametrize(
    "advance",
    [
        lambda field, state, step: (state[0] + step * field.first(*state[:2]), state[1]),
        lambda field, state, step: state[0],
        lambda field, state, step: (state[0].sum(), state[1], state[2], state[3]),
    ],
    ids=["forgets", "one player", "another shape"],
)
def test_an_update_rule_that_loses_its_state_is_refused(advance):
    with pytest.raises(gt.GantheoryError, match="must return a tuple of as many"):
        gt.register(gt.Rule("lossy", advance, lambda field, x, y: (x, y)))


def test_an_update_rule_that_symbols_cannot_follow_is_said_to_be_so(enter):
    def advance(field, state, step):
        x, y = state
        return x + step * np.sign(field.first(x, y)), y + step * field.second(x, y)

    enter(gt.Rule("by-sign", advance))
    with pytest.raises(gt.GantheoryError, match="'by-sign' cannot be analysed"):
        gt.analyse(gt.read_game("x*y", "x", "y"), method="by-sign", step="1/4")


def test_networks_are_trained_by_an_update_rule_from_outside(enter):
    pytest.importorskip("torch")
    from simulations.ensembles import Recipe
    from simulations.networks import Affine, Mlp

    with pytest.raises(gt.GantheoryError, match="unknown order 'slower-leader'"):
        Recipe(Mlp((1, 1)), Affine(), 4, order="slower-leader")
    enter(SLOWER)
    assert Recipe(Mlp((1, 1)), Affine(), 4, order="slower-leader").order == "slower-leader"


# --- an experiment -----------------------------------------------------------------------------


def test_an_experiment_from_outside_is_listed_and_loaded():
    pytest.importorskip("torch")
    from simulations import experiments

    mine = experiments.Experiment(
        "coin", "A coin", "It is fair.", ("1/2",), 1.0, 1.0, lambda quick: ("toss",),
        lambda case, setting: experiments.Measurement(case, (), {"heads": 0.5}), lambda _: None,
    )  # fmt: skip
    experiments.register(mine)
    try:
        assert experiments.load("coin") is mine
        assert "coin" in said("simulate")
        (measured,) = mine.run(experiments.Setting(quick=True))
        assert measured.numbers["heads"] == 0.5
        with pytest.raises(gt.GantheoryError, match="taken"):
            experiments.register(experiments.load("training"))
    finally:
        experiments.unregister(mine)
    with pytest.raises(gt.GantheoryError, match="unknown experiment"):
        experiments.load("coin")
