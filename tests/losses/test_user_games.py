"""Games of your own: kinks, ends, limits, no optimum, parameters, the command line, bad input."""

import json
import math

import numpy as np
import pytest
import sympy as sp

from gantheory import GantheoryError, Loss, derive
from gantheory.functions import r

ODD = Loss("odd", "t**5 - t", "-t**6", "-t")  # its stationarity is a quintic


def loss(real, fake, generator="-t", **more):
    return Loss("yours", real, fake, generator, **more)


def test_an_unbounded_game_has_no_optimum_and_says_in_which_direction():
    found = derive(loss("t", "-t"))
    assert found.status == "no optimum"
    assert "t -> oo for 1 < r < oo" in found.no_optimum
    assert "t -> -oo for 0 < r < 1" in found.no_optimum
    assert found.value is None
    assert found.as_dict()["optimal_discriminator"]["t"] is None


def test_a_pole_inside_of_the_domain_makes_a_game_unbounded():
    assert derive(loss("-1/t", "-t", domain="[-1, 1]")).status == "no optimum"


def test_a_bounded_domain_moves_the_optimum_to_its_ends():
    found = derive(loss("log(D)", "log(1 - D)", domain="[-1, 2]"))
    kinds = [branch.kind for branch in found.optimum.branches]
    assert kinds == ["end", "stationary", "end"]
    assert found.optimum.attained
    assert found.value.curvature.subs(r, sp.Rational(1, 9)) == 0
    assert found.value.curvature.subs(r, 1) == sp.Rational(1, 2)


def test_an_open_end_is_approached_and_never_attained():
    found = derive(loss("tanh(t)/2", "-tanh(t)/2", "-tanh(t)/2"))
    assert not found.optimum.attained
    assert found.value.divergence == "tv"


def test_two_hills_are_compared_and_the_optimum_jumps_between_them():
    found = derive(loss("max(2 - (t + 2)**2, 1 - (t - 2)**2)", "-abs(t)/100", "t"))
    assert len({branch.x for branch in found.optimum.branches}) > 1


def test_two_equally_high_hills_leave_the_loss_undetermined_and_the_value_known():
    found = derive(loss("-(t**2 - 1)**2", "-(t**2 - 4)**2"))
    assert found.loss is None
    assert found.followed is None
    assert "two scores are optimal" in found.undecided["loss"]
    assert found.value.is_divergence


def test_constant_payoffs_leave_the_loss_undetermined_and_every_score_optimal():
    found = derive(loss("1", "1"))
    assert found.loss is None
    assert "not determined" in found.undecided["loss"]
    assert found.optimum.plateaus == (((0, sp.oo), -sp.oo, sp.oo),)
    assert found.value.curvature == 0


def test_a_kink_whose_sign_depends_on_parameters_is_undecided():
    assert derive(loss("max(a - 1, 0)*log(D)", "log(1 - D)")).status == "undecided"


def test_a_kink_of_parameters_alone_is_an_absolute_value():
    constant = derive(loss("max(sqrt(3), a) - D", "-D")).value.constant
    (symbol,) = constant.free_symbols
    for a in (1, 2):
        assert float(constant.subs(symbol, a)) == pytest.approx(max(3**0.5, a))


def test_a_flat_optimum_is_reported_with_its_range():
    found = derive("hinge")
    assert found.optimum.flats == ((1, -1, 1),)
    assert found.equilibrium.D_range == (-1, 1)
    assert found.equilibrium.generator_range == (-1, 1)


def test_what_a_time_limit_cuts_off_ends_undecided_with_that_reason():
    found = derive(ODD, seconds=0.01)
    assert found.status == "undecided"
    assert "time limit" in found.undecided["optimum"]


@pytest.mark.parametrize(
    ("score", "most"), [("tanh(t)", math.inf), ("D", math.inf), ("-D", -math.inf)]
)
def test_a_score_that_is_only_approached_has_the_sign_of_its_side(score, most):
    """(r - 1)·a(t) is best at the end of the line where a has the sign of r - 1."""
    below, above = derive(Loss("bounded", score, f"-({score})", f"-({score})")).at(0.5, 3)
    assert (below.t.value, above.t.value) == (-most, most)


def test_a_quintic_is_decided_by_its_score_and_read_where_one_asks():
    scores = np.linspace(-3, 3, 600_001)
    for at in derive(ODD).at(0.3, 2.5):
        payoff = at.r * (scores**5 - scores) - scores**6
        assert at.t.value == pytest.approx(scores[payoff.argmax()], abs=2e-5)


def test_a_logarithm_that_is_not_real_on_the_domain_is_undecided_with_the_remedy():
    found = derive(loss("log(t)", "-t"))
    assert "restrict the domain" in found.undecided["optimum"]
    assert derive(loss("log(t)", "-t", domain="(0, oo)")).value.divergence == "kl_pq"


def test_a_root_inside_of_a_symbolic_power_that_is_not_real_is_undecided():
    found = derive(loss("(1/2 + sqrt(t))**a", "-1", "-t"))
    assert "restrict the domain" in found.undecided["optimum"]


def test_parameters_must_have_intervals_that_do_not_refer_in_a_circle():
    ranges = {"a": "(0, b)", "b": "(0, a)"}
    with pytest.raises(GantheoryError, match="circle"):
        derive(loss("a*log(D)", "b*log(1 - D)", parameters=ranges))


@pytest.mark.parametrize(
    ("domain", "message"), [("(1, 0)", "empty"), ("(oo, oo)", "empty"), ("[0, 0]", "empty")]
)
def test_empty_domains_are_refused(domain, message):
    with pytest.raises(GantheoryError, match=message):
        derive(loss("t", "-t", domain=domain))


def test_reserved_letters_are_refused_as_parameters():
    with pytest.raises(GantheoryError, match="fixed meaning"):
        derive(loss("r*log(D)", "log(1 - D)"))


@pytest.mark.parametrize(
    ("score", "domain"),
    [("t", "(0, oo)"), ("exp(t)", "(-oo, oo)"), ("(t + 1)", "(-1, oo)"), ("t**3", "(0, oo)"),
     ("(1/t)", "(0, oo)"), ("D/(1 - D)", "(-oo, oo)"), ("sqrt(t)", "(0, oo)")],
)  # fmt: skip
def test_a_reparametrised_score_leaves_value_and_followed_unchanged(score, domain):
    found = derive(loss(f"log({score})", f"-({score})", f"-log({score})", domain=domain))
    assert found.value.divergence == "kl_pq"
    assert found.followed.divergence == "kl_qp"


# The command line (in a process of its own it is tested in tests/cli).


def test_the_command_line_derives_formulas_as_json(command_line):
    formulas = ["--real", "log(D)", "--fake", "log(1 - D)", "--generator", "-log(D + eps)"]
    done = command_line("derive", *formulas, "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["saturation"]["vanishing"] is True
    assert data["value"]["terms"] == {"jsd": "2"}
    assert data["optimal_discriminator"]["D"] == "r/(r + 1)"


def test_the_command_line_tells_a_derivation_as_text_and_as_latex(command_line):
    assert "2·JSD(P, Q)" in command_line("derive", "minimax").stdout
    latex = command_line("derive", "minimax", "--latex").stdout
    assert r"\section*{" in latex
    assert r"\mathrm{JSD}" in latex


BAD = [
    (["derive", "minmax"], "did you mean 'minimax'"),
    (["derive"], "--real, --fake, --generator missing"),
    (["derive", "minimax", "--real", "t"], "not both"),
    (["derive", "minimax", "--seconds", "0"], "seconds = 0 must be above 0"),
    (["cite", "nothing"], "unknown loss"),
    *((["derive", "--real", text, "--fake", "-t", "--generator", "-t"], part) for text, part in [
        ("__import__('os')", "function"),
        ("t.real", "attribute"),
        ("9**9**9**9", "exponent"),
        ("(" * 50_000 + "t" + ")" * 50_000, "characters"),
        ("lоg(D)", "ASCII"),  # a Cyrillic letter, on purpose
        ("", "empty"),
        ("log(0)", "finite"),
        ("sqrt(-1)", "finite"),
        ("t/0", "zero"),
        ("D(t)", "write D alone"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[str(k) for k in range(len(BAD))])
def test_bad_input_is_one_clear_line_and_exit_status_two(command_line, arguments, message):
    done = command_line(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
