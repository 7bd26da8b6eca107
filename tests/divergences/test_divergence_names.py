"""Divergences and distances are found as people type them: one resolver for every route."""

from fractions import Fraction

import pytest

import gantheory as gt
from gantheory.divergences import COMPLEMENTS, DIVERGENCES, FDivergence, named, power
from gantheory.errors import GantheoryError
from gantheory.integrals import divergence
from gantheory.integrals.kernels.stable import kernel_of
from gantheory.integrals.resolve import resolve
from gantheory.integrals.transport.catalogue import DISTANCES

P, Q = "normal(0, 1)", "normal(1.5, 1.2)"
ENTRIES = [*DIVERGENCES.values(), *COMPLEMENTS.values(), *DISTANCES.values()]
SHARED = {"kl", "hellinger", "wasserstein"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_answers_to_its_name_title_and_aliases_in_any_case(entry):
    own = [alias for alias in entry.aliases if sum(alias in e.aliases for e in ENTRIES) == 1]
    for said in (entry.name, entry.title, *own):
        for typed in (said, said.upper(), said.replace("_", "-"), f" {said.replace('-', ' ')} "):
            assert resolve(typed).name == entry.name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("JS", "jsd"), ("chi2", "pearson_chi2"), ("KL(P||Q)", "kl_pq"), ("kl(Q || P)", "kl_qp"),
        ("reverse KL", "kl_qp"), ("forward_kl", "kl_pq"), ("TVD", "tv"), ("EMD", "w1"),
        ("Power_(1/2)", "power_0.5"), ("alpha_2/1", "power_2"), ("power_0", "kl_qp"),
    ],
)  # fmt: skip
def test_common_names_mean_what_they_commonly_mean(typed, name):
    assert resolve(typed).name == name


@pytest.mark.parametrize(
    ("typed", "choices"),
    [
        ("KL", ["kl_pq (KL(P‖Q): f = r*log(r))", "kl_qp (KL(Q‖P): f = -log(r))"]),
        ("Hellinger", ["hellinger2 (H²(P, Q)", "bc (BC(P, Q) = 1 - hellinger2)"]),
        ("wasserstein", ["w1 (W1)", "w2 (W2)"]),
    ],
)
def test_an_ambiguous_name_is_answered_with_what_each_choice_is(typed, choices):
    with pytest.raises(GantheoryError, match="may mean") as error:
        divergence(typed, P, Q)
    assert all(choice in str(error.value) for choice in choices)


@pytest.mark.parametrize(
    "typed", ["kl_pp", "kl_gp", "kll", "kl_pg", "kl(q,p)", "rklq", "revers kl"]
)
def test_a_slip_in_a_direction_is_never_answered_with_one_direction_alone(typed):
    with pytest.raises(GantheoryError, match="did you mean") as error:
        divergence(typed, P, Q)
    assert ("'kl_pq'" in str(error.value)) == ("'kl_qp'" in str(error.value))


@pytest.mark.parametrize("route", ["value", "closed form", "certified", "monte carlo"])
def test_every_route_takes_every_spelling(route):
    method = "auto" if route == "value" else route
    by_name = divergence("kl_pq", P, Q, method=method)
    assert divergence(" Forward-KL", P, Q, method=method) == by_name
    assert divergence(named("kl_pq"), P, Q, method=method) == by_name


@pytest.mark.parametrize("name", ["kl_qp", "jsd", "tv", "pearson_chi2", "power_-1.5"])
def test_a_formula_that_is_typed_is_the_divergence_that_it_generates(name):
    typed = divergence(f"{named(name).f} + 3*(r - 1)", P, Q)
    entry = divergence(name, P, Q)
    assert abs(typed.value - entry.value) <= 1e-12 * entry.value + typed.error + entry.error


def test_a_formula_that_is_no_generator_is_refused_with_its_value_at_one():
    with pytest.raises(GantheoryError, match=r"f\(1\) = 1"):
        divergence("r*log(r) + 1", P, Q)
    with pytest.raises(GantheoryError, match="free parameters"):
        divergence("k*r*log(r)", P, Q)


def test_a_loss_is_answered_with_its_three_divergences():
    with pytest.raises(GantheoryError, match=r"derive\(loss\)\.followed"):
        divergence(gt.get_loss("minimax"), P, Q)


@pytest.mark.parametrize("name", [*DIVERGENCES, "power_0.3", "power_1.5"])
def test_the_reverse_of_an_entry_is_the_divergence_of_its_reverse(name):
    entry = named(name)
    again = named(entry.reverse)
    assert named(again.reverse) == entry
    there, back = divergence(entry, P, Q), divergence(again, Q, P)
    assert abs(there.value - back.value) <= there.error + back.error


@pytest.mark.parametrize(
    "name",
    [
        "hinge.followed", "lsgan.Value", "non-saturating.loss",
        "(r - 1)^2/(r + 2)", "r*ln(r) - ln(r)/2", "max(r - 1, 0)",
    ],
)  # fmt: skip
def test_what_has_a_formula_is_enclosed_by_balls_and_met_by_quadrature(name):
    pair = (
        ("uniform(0, 1)", "laplace(0, 1)") if name in ("max(r - 1, 0)", "lsgan.Value") else (P, Q)
    )
    found, ball = divergence(name, *pair), divergence(name, *pair, method="certified")
    assert ball.error <= 1e-15 * max(abs(ball.value), 1)
    assert abs(found.value - ball.value) <= found.error + ball.error


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("hinge.loss", "jumps"), ("boundary-seeking.followed", "no f is known"), ("w1", "w1"),
        ("log(r)", "convex"), ("r**3 - 1", "bound the tails"), ("2*r - 1", r"f\(1\) = 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_enclosed_says_why(name, word):
    with pytest.raises(GantheoryError, match=word):
        divergence(name, P, Q, method="certified")


def test_an_unnamed_copy_of_the_catalogue_is_the_catalogues():
    copy = FDivergence("jsd", named("jsd").f)
    assert resolve(copy) is kernel_of("jsd")
    other = FDivergence("jsd", "(r - 1)**2")
    assert divergence(other, P, Q, method="quadrature").value == pytest.approx(
        divergence("pearson_chi2", P, Q).value, rel=1e-12
    )
    with pytest.raises(GantheoryError, match="no closed form"):
        divergence(other, P, Q, method="closed form")


def test_a_power_is_found_by_any_order_and_refused_beyond_the_largest():
    assert named("power_0.5") == power(Fraction(1, 2)) == named("alpha_1/2")
    with pytest.raises(GantheoryError, match="within"):
        named("power_61")
    with pytest.raises(GantheoryError, match="zero"):
        named("power_1/0")
