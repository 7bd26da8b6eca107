"""One record from outside the package, entered by one call, is then seen everywhere by its name."""

import json
import math
import pickle
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import hypothesis
import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner
from scipy.integrate import quad

import gantheory as gt
from gantheory import testing
from gantheory.cli import cli
from gantheory.critics.suprema import p, positive_size, q
from gantheory.densities import Univariate
from gantheory.densities.base import POSITIVE, REAL, parameter
from gantheory.derivations.exposition import Step
from gantheory.integrals.curves import Family
from gantheory.losses.function_classes import SIZE

P, Q = "normal(0, 1)", "normal(1, 1.5)"


@pytest.fixture(scope="module")
def loaded():
    """Load what reads the catalogues first, so that nothing copied at import goes unnoticed."""
    for name in gt.__all__:
        getattr(gt, name)
    import_module("gantheory.ledger.checks")


@pytest.fixture
def enter(loaded):
    entered = []

    def enter(entry):
        entered.append(gt.register(entry))
        return entered[-1]

    yield enter
    for entry in entered:
        gt.unregister(entry)


def said(*arguments):
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def listed(command):
    return [row["name"] for row in json.loads(said(command, "--json"))]


def drawn(strategy, name):
    return hypothesis.find(strategy, lambda entry: entry.name == name)


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "docs" / "_ext"))
    import catalogues

    yield catalogues
    sys.modules.pop("catalogues", None)


def words(directive):
    return directive.run(None)[0].astext()


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


# --- losses ------------------------------------------------------------------------------------

MINE = gt.Loss(
    "soft-margin", real="-softplus(-k*t)", fake="-softplus(k*t)", generator="-k*t",
    aliases=("smgan",), parameters={"k": "(0, 5)"}, typical={"k": "2"},
)  # fmt: skip
PLAIN = gt.Loss("plain", real="log(D)", fake="log(1 - D)", generator="-2*log(D)")


@pytest.mark.parametrize(
    ("loss", "typed", "follows"),
    [
        (PLAIN, "Plain", "4*kl_mp"),
        (MINE, "SMGAN(k=3)", "kl_qp"),
        (MINE, "soft_margin(k=1/2)", "kl_qp"),
    ],
)
def test_a_loss_from_outside_is_seen_everywhere(enter, tables, loss, typed, follows):
    enter(loss)
    name = gt.get_loss(typed).name
    derived = gt.derive(typed)
    assert derived.followed.divergence == follows
    assert gt.explain(typed).definition.name == name
    assert gt.divergence(f"{typed}.followed", P, Q).value == pytest.approx(
        gt.divergence(derived.followed, P, Q).value
    )
    assert name in gt.curve([], values=[1.0], losses=[name]).columns
    assert loss.name in gt.list_losses()
    assert loss.name in listed("losses")
    assert "follows" in said("derive", typed)
    assert f"dirac-{loss.name}" in gt.list_games()
    assert loss.real in tables.page_of(loss)
    assert drawn(testing.losses(), loss.at_typical().name) == loss.at_typical()
    with pytest.raises(gt.GantheoryError, match=f"did you mean '{loss.name}'"):
        gt.derive(f"{loss.name}s")


def test_a_loss_from_outside_is_played_at_its_typical_values(enter):
    pytest.importorskip("torch")
    from simulations.experiments.pairs import objectives, played, played_numbers

    enter(MINE)
    assert played("soft-margin").real == "-softplus(-2 * t)"
    assert played_numbers("soft-margin") == {"k": 2.0}
    assert "soft-margin" in objectives()


def test_a_parameter_is_declared_once_with_its_interval_and_its_typical_value():
    assert MINE.given(k="1/2").numbers["k"] == 0.5
    for wrong in ("0", "5", "-1"):
        with pytest.raises(gt.GantheoryError, match="outside its legal interval"):
            MINE.given(k=wrong)
    with pytest.raises(gt.GantheoryError, match="outside its legal interval"):
        gt.Loss("mine", "k*t", "-k*t**2", "-t", parameters={"k": "(0, 1)"}, typical={"k": "2"})
    with pytest.raises(gt.GantheoryError, match="did you mean"):
        gt.Loss("mine", "kk*t", "-t**2", "-t", typical={"k": "2"})


@pytest.mark.parametrize("name", gt.list_losses())
def test_every_parameter_of_the_catalogue_declares_a_typical_value(name):
    loss = gt.get_loss(name)
    assert set(loss.typical) == set(loss.parameters)
    assert not loss.at_typical().parameters


def test_a_name_of_another_loss_is_refused():
    with pytest.raises(gt.GantheoryError, match="already a name of least-squares-01"):
        gt.register(gt.Loss("LSGAN", "t", "-t", "-t"))


def test_a_constrained_loss_from_outside_is_seen_everywhere(enter, tables):
    steep = gt.Critic("steep-wgan", "Steep WGAN", gt.Expectations(), gt.Slope("3"), "-t", None)
    enter(steep)
    found = gt.derive("Steep WGAN")
    assert found.named == gt.derive(steep).named == "3*w1"
    assert "steep-wgan" in listed("losses")
    assert "3-Lipschitz" in tables.critic_page_of(steep)


@dataclass(frozen=True)
class Bounded(gt.FunctionClass):
    """Functions with values in [-most, most]: E_p f - E_q f is largest at f = most·sign(p - q)."""

    most: str = "1"
    grammar = SIZE

    def __str__(self):
        return f"|f(x)| <= {self.most}"

    def supremum(self, critic, linear):
        size, gain = positive_size(self.most), linear.real * p - linear.fake * q
        step = Step("Pointwise", "f = most*sign(gain)", "", gt.How.PROVED, "the largest term")
        named = f"{2 * size * linear.real}*tv"
        value = 2 * size * linear.real * sp.Symbol("tv")
        return gt.CriticDerivation(critic, size * sp.sign(gain), value, named, (step,), ())


def test_a_class_of_functions_from_outside_is_derived_like_ours(enter, tables):
    tv = gt.Critic("tv-gan", "TV GAN", gt.Expectations("2*t", "-2*t"), Bounded("k"), "-t")
    enter(tv)
    found = gt.derive(tv.given(k="3/2"))
    assert found.named == "6*tv"
    assert pickle.loads(pickle.dumps(found)) == found
    assert "tv-gan" in listed("losses")
    assert "|f(x)| <= k" in tables.critic_page_of(tv)
    assert gt.derive(
        gt.Critic("c", "C", gt.Expectations("log(D)", "-t"), Bounded(), "-t")
    ).undecided
    with pytest.raises(gt.GantheoryError, match="has no numbers here"):
        gt.optimal_critic(tv.given(k=1), P, Q)
    with pytest.raises(gt.GantheoryError, match="malformed size"):
        Bounded("1 +")
    with pytest.raises(gt.GantheoryError, match="give it a method supremum"):
        gt.derive(gt.Critic("c", "C", gt.Expectations(), gt.FunctionClass(), "-t"))
    with pytest.raises(gt.GantheoryError, match="give one of Slope"):
        gt.Critic("c", "C", gt.Expectations(), "anything", "-t")


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
