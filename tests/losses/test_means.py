"""Means over random names and sums over heads, against quadrature and quantiles of SciPy's."""

from itertools import cycle, pairwise

import numpy as np
import pytest
import sympy as sp
from click.testing import CliRunner
from flint import arb
from scipy import stats
from scipy.integrate import quad

import gantheory as gt
from gantheory.cli.derive import command
from gantheory.derivations.engine import derive
from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.functions import to_sympy
from gantheory.losses import get_loss, plain, summed
from gantheory.losses.file import read_loss
from gantheory.report.explain import explain
from gantheory.theory.jets import jet, variable

LAWS = {
    "uniform(4/5, 1)": stats.uniform(0.8, 0.2),
    "uniform(-1, 2)": stats.uniform(-1, 3),
    "normal(1, 1/2)": stats.norm(1, 0.5),
    "laplace(1, 1/2)": stats.laplace(1, 0.5),
    "logistic(1, 1/3)": stats.logistic(1, 1 / 3),
    "exponential(2)": stats.expon(scale=2),
    "triangular(0, 1/2, 2)": stats.triang(0.25, 0, 2),
    "triangular(0, 0, 2)": stats.triang(0, 0, 2),
}
FORMULAS = {
    "relu(m - t)": lambda m, t: max(m - t, 0),
    "abs(t - 2*m) - m": lambda m, t: abs(t - 2 * m) - m,
    "where(t > m, t, 3)": lambda m, t: t if t > m else 3,
}
OF_UNIFORM = {
    "relu(m - t)**2": lambda m, t: max(m - t, 0) ** 2,
    "m*exp(m - t)": lambda m, t: m * np.exp(m - t),
    "m**2*log(3 + m + t**2)": lambda m, t: m**2 * np.log(3 + m + t**2),
    "tanh(m - t) + sigmoid(t - 2*m)": lambda m, t: np.tanh(m - t) + 1 / (1 + np.exp(2 * m - t)),
    "sqrt(m + exp(t))*m": lambda m, t: np.sqrt(m + np.exp(t)) * m,
    "atan(3*m - t) + m*sin(m + t)": lambda m, t: np.arctan(3 * m - t) + m * np.sin(m + t),
    "1/(m + exp(t))": lambda m, t: 1 / (m + np.exp(t)),
}


def written(formula, law):
    loss = gt.Loss("mine", "t", f"-E[{formula}]", "-t", laws={"m": law})
    tree = parse(plain(loss).fake, PAYOFF)
    return lambda t: -float(jet(tree, {"t": variable(arb(t))})[0].mid())


def by_quadrature(function, law, t):
    low, high = (float(law.ppf(share)) for share in (1e-13, 1 - 1e-13))
    kinks = sorted(x for x in (t, t / 2, law.median(), law.mean(), 0.5, 1) if low < x < high)
    ends = [low, *kinks, high]
    return sum(
        quad(lambda m: function(m, t) * law.pdf(m), a, b, epsabs=1e-11)[0]
        for a, b in pairwise(ends)
    )


@pytest.mark.parametrize(("law", "formula"), [*zip(LAWS, cycle(FORMULAS), strict=False)])
def test_a_mean_of_kinks_is_its_integral(law, formula):
    found = written(formula, law)
    for t in (-0.7, 0.93, 2.6):
        truth = by_quadrature(FORMULAS[formula], LAWS[law], t)
        assert float(found(t)) == pytest.approx(truth, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("formula", OF_UNIFORM)
def test_a_mean_over_a_uniform_law_is_its_integral(formula):
    found, law = written(formula, "uniform(1/2, 2)"), stats.uniform(0.5, 1.5)
    for t in (-0.7, 1.3):
        truth = by_quadrature(OF_UNIFORM[formula], law, t)
        assert float(found(t)) == pytest.approx(truth, rel=1e-8, abs=1e-9)


def test_a_bernoulli_mean_has_two_values_and_two_names_are_independent():
    both = gt.Loss(
        "mine", "t", "-E[(m - t)**2*n]", "-t", laws={"m": "bernoulli(1/4)", "n": "uniform(0, 4)"}
    )
    t = sp.Symbol("t", real=True)
    assert sp.expand(to_sympy(plain(both).fake) + (1 - t) ** 2 / 2 + 3 * t**2 / 2) == 0


@pytest.mark.parametrize("law", ["uniform(4/5, 1)", "normal(1, 1/2)", "exponential(2)"])
def test_a_random_margin_has_the_quantile_as_optimum(law):
    """r·(−1) + P(m > t) = 0, so that t* = F⁻¹(1 − r) and g'' = 1/(r·F'(t*))."""
    loss = gt.Loss("mine", "-t", "-E[relu(m - t)]", "t", domain="[0, oo)", laws={"m": law})
    found = derive(loss)
    for ratio in (0.21, 0.83):
        (at,) = found.at(ratio)
        place = LAWS[law].ppf(1 - ratio)
        assert at.t.value == pytest.approx(place, rel=1e-9)
        followed = 1 / (ratio * LAWS[law].pdf(place))
        assert at.followed.value == pytest.approx(followed, rel=1e-8)
    assert found.definition.typed == loss
    assert "m ~ " in found.steps[0].text


def test_a_law_may_have_a_parameter_that_numbers_replace():
    loss = gt.Loss("mine", "-t", "-E[relu(m - t)]", "t", "[0, oo)", laws={"m": "uniform(0, k)"})
    k, r = sp.Symbol("k", positive=True), sp.Symbol("r", positive=True)
    curvature = derive(loss).value.curvature
    assert sp.simplify(curvature.subs(r, sp.Rational(1, 3)) - k) == 0
    assert loss.given(k=3).laws == {"m": "uniform(0, 3)"}


@pytest.mark.parametrize("name", ["minimax", "hinge"])
def test_heads_multiply_what_one_reads(name):
    one, many = derive(get_loss(name)), derive(summed(get_loss(name), 5))
    assert many.value.terms == {term: 5 * c for term, c in one.value.terms.items()}
    for part in ("value", "loss", "followed"):
        was, now = getattr(one, part), getattr(many, part)
        assert sp.simplify(now.curvature - 5 * was.curvature) == 0
        assert sp.simplify(now.constant - 5 * was.constant) == 0
    even = one.equilibrium.discriminator_loss
    assert sp.simplify(many.equilibrium.discriminator_loss - 5 * even) == 0
    assert many.optimum.D == one.optimum.D


def test_eight_least_squares_heads_rest_at_four():
    found = explain("least-squares(a=0, b=1, c=1)", heads=8)
    assert found.discriminator.equilibrium == 2
    assert {one.when for one in found.meanings(4.0)} >= {
        "D = 1/2 everywhere, where the code leaves out the factor 1/2"
    }
    (averaged,) = [one for one in found.plateaus if "over the 8 heads" in one.when][:1]
    assert averaged.value == sp.Rational(1, 4)


REFUSED = [
    ({"fake": "-E[relu(m - t)]"}, "no name with a law"),
    ({"fake": "-relu(m - t)", "laws": {"m": "uniform(0, 1)"}}, "random name"),
    ({"fake": "-E[m*t]*m", "laws": {"m": "uniform(0, 1)"}}, "outside of a mean"),
    ({"fake": "-E[m*t]", "laws": {"m": "uniforn(0, 1)"}}, "uniform"),
    ({"fake": "-E[m*t]", "laws": {"m": "1/2"}}, "is no law"),
    ({"fake": "-E[D*t]", "laws": {"D": "uniform(0, 1)"}}, "fixed meaning"),
    ({"fake": "-t**2", "heads": 0}, "whole number"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_a_wrong_mean_is_refused_in_one_line(changes, said):
    with pytest.raises(GantheoryError, match=said):
        gt.Loss("mine", **{"real": "t", "generator": "-t", **changes})


@pytest.mark.parametrize("law", ["uniform(1, 0)", "normal(0, -1)", "bernoulli(2)"])
def test_a_law_that_is_none_is_refused(law):
    with pytest.raises(GantheoryError, match="law"):
        plain(gt.Loss("mine", "t", "-E[m*t**2]", "-t", laws={"m": law}))


def test_a_mean_without_a_closed_form_is_undecided_with_the_reason():
    loss = gt.Loss("mine", "t", "-E[1/(m - t)**2]", "-t", laws={"m": "uniform(0, 1)"})
    assert "pole" in derive(loss).undecided["optimum"]
    with pytest.raises(GantheoryError, match="pole"):
        plain(loss)


def test_files_and_the_command_line_have_laws_and_heads(tmp_path, capsys):
    path = tmp_path / "margin.toml"
    path.write_text(
        'real = "-t"\nfake = "-E[relu(m - t)]"\ngenerator = "t"\nheads = 2\n'
        '[laws]\nm = "uniform(4/5, 1)"\n'
    )
    assert read_loss(path).heads == 2
    assert read_loss(path).laws == {"m": "uniform(4/5, 1)"}
    path.write_text(path.read_text().replace("uniform", "unifrom"))
    with pytest.raises(GantheoryError, match="line 6"):
        read_loss(path)
    formulas = ["--real", "-t", "--fake", "-E[relu(m - t)]", "--generator", "t"]
    options = ["--law", "m=bernoulli(1/2)", "--heads", "3", "--json"]
    shown = CliRunner().invoke(command, [*formulas, *options]).output
    assert '"fake": "-E[relu(m - t)]"' in shown
    assert '"heads": 3' in shown
