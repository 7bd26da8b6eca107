"""Critics of constrained classes between laws, against SciPy's quadrature and differences."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.integrate import quad

import gantheory as gt
from gantheory import Critic, Expectations, GantheoryError, GradientMoment, KernelBall, SecondMoment
from gantheory.cli import cli
from gantheory.functionals.kernels import mean_of_kernel
from gantheory.functionals.nodes import Nodes
from gantheory.functionals.unbounded import ratios

P, Q = "normal(0, 1)", "laplace(0.7, 0.8)"


class Gauss:
    """A normal law in scalars: SciPy's are slow one by one."""

    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def pdf(self, x):
        z = (x - self.mean) / self.std
        return math.exp(-z * z / 2) / self.std / math.sqrt(2 * math.pi)

    def cdf(self, x):
        return math.erfc((self.mean - x) / self.std / math.sqrt(2)) / 2

    def sf(self, x):
        return self.cdf(2 * self.mean - x)


class Laplace:
    """A Laplace law."""

    def __init__(self, mean, scale):
        self.mean, self.scale = mean, scale

    def pdf(self, x):
        return math.exp(-abs(x - self.mean) / self.scale) / self.scale / 2

    def cdf(self, x):
        tail = math.exp(-abs(x - self.mean) / self.scale) / 2
        return tail if x < self.mean else 1 - tail

    def sf(self, x):
        return self.cdf(2 * self.mean - x)


REAL, FAKE = Gauss(0, 1), Laplace(0.7, 0.8)
BREAKS = (-9, -3, -1, 0, 0.3, 0.7, 1.2, 2, 4, 9)


def total(function, reach=30.0):
    ends = (-reach, *BREAKS, reach)
    return sum(
        quad(function, a, b, epsabs=0, epsrel=1e-12, limit=200)[0] for a, b in pairwise(ends)
    )


def gap(x):
    return REAL.cdf(x) - FAKE.cdf(x) if x < 0.5 else FAKE.sf(x) - REAL.sf(x)


def mixture(x):
    return 0.5 * (REAL.pdf(x) + FAKE.pdf(x))


def critic(constraint, real="t", fake="-t", generator="-t"):
    return Critic("mine", "Mine", Expectations(real, fake), constraint, generator)


def close(found, truth, least=1e-8):
    assert abs(found.value - truth) <= found.error + 1e-9 * abs(truth)
    assert found.error <= least * (1 + abs(truth))


@pytest.fixture(scope="module")
def held():
    """The norm of a Fisher critic, and what its mean loses as q moves."""
    norm = math.sqrt(total(lambda x: (REAL.pdf(x) - FAKE.pdf(x)) ** 2 / mixture(x)))
    slope = total(lambda x: -np.sign(x - 0.7) / -0.8 * FAKE.pdf(x) *
                  (REAL.pdf(x) - FAKE.pdf(x)) / mixture(x) / norm)  # fmt: skip
    return norm, slope


def test_fisher_has_the_value_the_critic_and_the_gradient_of_quadrature(held):
    found = gt.optimal_critic("fisher", P, Q)
    close(found.value, held[0])
    for x in (-2.0, 0.2, 1.1):
        close(found.score(x), (REAL.pdf(x) - FAKE.pdf(x)) / mixture(x) / held[0])
    close(found.gradient("q.loc"), -held[1])


def test_a_multiple_of_the_objective_keeps_the_critic_and_scales_the_value(held):
    found = gt.optimal_critic(critic(SecondMoment(), "3*t", "-3*t", "-2*t"), P, Q)
    close(found.value, 3 * held[0])
    close(found.score(0.2), gt.optimal_critic("fisher", P, Q).score(0.2).value)
    close(found.gradient("q.loc"), -2 * held[1])


@pytest.mark.parametrize("law", ["mu", "(p + q)/2"])
def test_sobolev_has_the_value_and_the_slope_of_quadrature(law):
    wide = Laplace(0.2, 1.5)

    def weight(x):
        p, q, mu = REAL.pdf(x), FAKE.pdf(x), wide.pdf(x)
        return {"mu": mu, "(p + q)/2": (p + q) / 2}[law]

    found = gt.optimal_critic(critic(GradientMoment(law)), P, Q, mu="laplace(0.2, 1.5)")
    norm = math.sqrt(total(lambda x: gap(x) ** 2 / weight(x)))
    close(found.value, norm)
    close(found.slope(1.3), -gap(1.3) / weight(1.3) / norm)
    moved = total(lambda x: FAKE.pdf(x) * -gap(x) / weight(x)) / norm
    close(found.gradient("q.loc"), -moved)


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("mmd(ell=1/2)", lambda u: math.exp(-2 * u * u)),
        ("2*exp(-abs(x - y)/3)", lambda u: 2 * math.exp(-abs(u) / 3)),
        ("1/sqrt(1 + (x - y)**2)", lambda u: 1 / math.sqrt(1 + u * u)),
        ("-abs(x - y)/2", lambda u: -abs(u) / 2),
    ],
)
def test_a_kernel_has_the_value_of_double_integrals(name, kernel):
    loss = name if name.startswith("mmd") else critic(KernelBall(name))
    p, q = Gauss(0, 1), Gauss(0.8, 0.5)
    found = gt.optimal_critic(loss, "normal(0, 1)", "normal(0.8, 0.5)")

    def mean(one, other):  # of the difference, which is normal
        law = Gauss(one.mean - other.mean, math.hypot(one.std, other.std))
        return 2 * sum(
            quad(lambda u: kernel(u) * (law.pdf(u) + law.pdf(-u)) / 2, *ends)[0]
            for ends in ((0, 1), (1, 12))
        )

    square = mean(p, p) + mean(q, q) - 2 * mean(p, q)
    close(found.value, math.sqrt(square))
    ends = [gt.optimal_critic(loss, "normal(0, 1)", f"normal({m}, 0.5)").value.value
            for m in (0.799, 0.801)]  # fmt: skip
    assert found.gradient("q.loc").value == pytest.approx((ends[1] - ends[0]) / 0.002, rel=1e-5)
    if "abs(x - y)/2" not in name:
        x = 0.4
        witness = quad(lambda y: kernel(x - y) * (p.pdf(y) - q.pdf(y)), -9, x)[0]
        witness += quad(lambda y: kernel(x - y) * (p.pdf(y) - q.pdf(y)), x, 9)[0]
        close(found.score(x), witness / math.sqrt(square))


def test_wasserstein_has_slopes_of_one_and_the_gradient_of_its_value():
    found = gt.optimal_critic("wgan", P, Q)
    close(found.value, total(lambda x: abs(gap(x)), 40.0))
    assert {found.slope(x).value for x in (-2.0, 0.5, 3.0)} <= {-1.0, 1.0}
    assert found.slope(0.5).value == np.sign(-gap(0.5))
    ends = [gt.optimal_critic("wgan", P, f"laplace({m}, 0.8)").value.value for m in (0.699, 0.701)]
    assert found.gradient().value == pytest.approx((ends[1] - ends[0]) / 0.002, rel=1e-5)


def test_cramer_is_known_by_its_slope():
    found = gt.optimal_critic("cramer", P, Q)
    norm = math.sqrt(total(lambda x: 2 * gap(x) ** 2))
    close(found.value, norm)
    close(found.slope(1.3), -2 * gap(1.3) / norm)


@pytest.mark.parametrize(
    ("loss", "laws", "said"),
    [
        ("sobolev", (P, Q), "give mu"),
        ("mmd", (P, Q), "numbers in the place of ell"),
        ("wgan-gp", (P, Q), "optimal_discriminator"),
        (critic(KernelBall("1 + x*y")), (P, Q), "none of"),
        ("wgan", (np.zeros(5), Q), "of samples x and y"),
        (critic(SecondMoment(), "t", "-2*t"), (P, Q), "only objectives"),
    ],
)
def test_what_has_no_numbers_is_refused_with_the_remedy(loss, laws, said):
    with pytest.raises(GantheoryError, match=said):
        gt.optimal_critic(loss, *laws)


def test_equal_laws_and_infinite_values_have_no_critic():
    same = gt.optimal_critic("fisher", P, P)
    assert same.value.value == 0
    assert "0 within its error" in same.score(1.0).reason
    apart = gt.optimal_critic(critic(SecondMoment("q")), P, "normal(0, 0.4)")
    assert math.isinf(apart.value.value)
    assert apart.gradient().value != apart.gradient().value
    wild = gt.optimal_critic("wgan", P, "cauchy(0, 1)")
    assert math.isinf(wild.value.value)
    far = gt.optimal_critic(critic(GradientMoment("p")), P, "normal(0, 2)")
    assert not far.value.is_finite
    light = gt.optimal_critic("sobolev", P, Q, mu="normal(0, 3)")
    assert "lighter" in light.value.reason
    bare = gt.optimal_critic("sobolev", P, Q, mu="uniform(-1, 1)")
    assert "no mass" in bare.value.reason
    assert math.isinf(bare.value.value)


def test_the_command_line_says_the_same():
    laws = ["normal(0, 1)", "normal(1, 1)"]
    asked = [
        "divergence",
        "sobolev.value",
        *laws,
        "--mu",
        "normal(0, 2)",
        "--wrt",
        "q.loc",
        "--json",
    ]
    done = CliRunner().invoke(cli, asked)
    found = gt.optimal_critic("sobolev", *laws, mu="normal(0, 2)")
    assert json.loads(done.output) == json.loads(json.dumps(found.as_dict("q.loc")))
    refused = CliRunner().invoke(cli, ["divergence", "jsd", *laws, "--mu", "normal(0, 2)"])
    assert refused.exit_code == 2


@pytest.mark.parametrize("name", ["wgan(m=2)", "ragan(x=2)", "mmd(x=2)", "fisher(p=1)"])
def test_only_parameters_of_a_class_take_numbers(name):
    with pytest.raises(GantheoryError, match="is no parameter"):
        gt.find(name)


@pytest.mark.parametrize(
    ("formula", "name"),
    [("exp(-abs(x - y)**2/8)", "gaussian"), ("3/sqrt(1 + abs(x - y)**2/4)", "imq"),
     ("2*exp(-sqrt((x - y)**2)/2)", "laplacian")],
)  # fmt: skip
def test_a_kernel_of_the_distance_is_known_however_the_distance_is_written(formula, name):
    assert mean_of_kernel(formula).name == f"mmd2(kernel={name}, bandwidth=2.0)"


def test_the_ratios_that_are_seen_are_those_of_p_to_q():
    """Of N(0, 1) and N(0, 2): log 2 − 3x²/8, from log 2 down without an end."""
    nothing = np.zeros((1, 1))
    lowest, highest = ratios(*map(gt.density, ("normal(0, 1)", "normal(0, 2)")),
                             Nodes(nothing, nothing, nothing, nothing))  # fmt: skip
    assert highest == pytest.approx(math.log(2) - 3 / 8, abs=1e-9)
    assert lowest < -1e17
