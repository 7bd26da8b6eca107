"""A loss or a class of critics from outside, entered by one call, is then seen everywhere."""

import pickle
from dataclasses import dataclass

import pytest
import sympy as sp
from outside import P, Q, drawn, listed, said

import gantheory as gt
from gantheory import testing
from gantheory.critics.suprema import p, positive_size, q
from gantheory.derivations.exposition import Step
from gantheory.losses.function_classes import SIZE

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


@dataclass(frozen=True)
class Polynomial(gt.KernelBall):
    """The unit ball of the kernel (1 + x y)^2: another default, and nothing else."""

    kernel: str = "(1 + x*y)**2"


def test_a_class_with_another_default_is_the_class_that_it_is_of(enter):
    enter(gt.Critic("poly-gan", "Poly GAN", gt.Expectations(), Polynomial(), "-t", None))
    m1, m2, n1, n2 = sp.symbols("m_1 m_2 n_1 n_2")
    square = 2 * (m1 - n1) ** 2 + (m2 - n2) ** 2  # of the features 1, sqrt(2) x, x^2
    found = gt.derive("poly-gan").value
    assert (
        sp.expand(found.subs({s: sp.Symbol(s.name) for s in found.free_symbols}) ** 2 - square) == 0
    )
    assert "poly-gan" in listed("losses")
    assert "the kernel is a polynomial" in said("derive", "poly-gan", "--steps")


@pytest.mark.parametrize(
    ("changed", "value"),
    [("__str__", lambda self: "f >= 0"), ("supremum", lambda *_: None), ("least", "0")],
)
def test_a_class_that_changes_what_is_solved_is_refused(changed, value):
    """Its theory would be its own, and its numbers the other's."""
    with pytest.raises(gt.GantheoryError, match=f"Odd changes {changed} of KernelBall"):
        type("Odd", (gt.KernelBall,), {changed: value, "__annotations__": {"kernel": "str"}})
