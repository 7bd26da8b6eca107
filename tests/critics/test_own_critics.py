"""A critic of one's own is derived from its objective and class, whatever it is called."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import sympy as sp

import gantheory as gt
from gantheory.critics import derive_critic
from gantheory.critics.published import difference_of, is_same, read_value
from gantheory.losses import CRITICS
from gantheory.records import How

MEANS = gt.Expectations("t", "-t")
LAWS = ("p", "q", "(p + q)/2", "(3*p + q)/4", "sqrt(p*q)", "mu", "(p + mu)/2")


def critic(objective, constraint, generator="-t", name="mine", **more):
    return gt.Critic(name, "Mine", objective, constraint, generator, **more)


def drawn_laws(draw, cells=6):
    return {name: draw.dirichlet(np.ones(cells)) for name in ("p", "q", "mu")}


def integral(expr, laws):
    """The sum over cells of an integrand whose free names are laws."""
    names = sorted(expr.free_symbols, key=str)
    return sum(np.broadcast_to(sp.lambdify(names, expr)(*(laws[str(n)] for n in names)), 6))


def value_of(found, laws):
    """The number that a derived value stands for on laws of six cells."""
    (inner,) = found.value.atoms(sp.core.function.AppliedUndef)
    integrand = inner.args[0]
    if inner.func.__name__ == "D_f":
        (r,) = integrand.free_symbols
        p, q = sp.symbols("p q", positive=True)
        integrand = q * integrand.subs(r, p / q)
    return float(found.value.subs(inner, integral(integrand, laws)))


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_second_moment_class_of_ones_own_is_derived_from_its_law_and_objective(seed):
    draw = np.random.default_rng(seed)
    law, (real, fake) = LAWS[seed % len(LAWS)], draw.integers(1, 5, 2)
    found = derive_critic(critic(gt.Expectations(f"{real}*t", f"-{fake}*t"), gt.SecondMoment(law)))
    laws = drawn_laws(draw)
    weight = eval(law, {"sqrt": np.sqrt, **laws})
    gain = real * laws["p"] - fake * laws["q"]
    value = value_of(found, laws)
    assert value == pytest.approx(np.linalg.norm(gain / np.sqrt(weight)), rel=1e-12)
    for _ in range(50):
        f = draw.normal(size=6)
        assert gain @ f / np.sqrt(weight @ f**2) <= value


def test_the_same_class_with_another_objective_has_another_theory():
    loss = replace(CRITICS["fisher"], objective=gt.Expectations("2*t", "-t"), claims=())
    assert derive_critic(loss).named != derive_critic("fisher").named
    for name in ("wasserstein", "sobolev", "wgan-gp"):
        loss = replace(CRITICS[name], objective=gt.Expectations("2*t", "-t"), claims=())
        assert "without bound" in derive_critic(loss).no_optimum


@pytest.mark.parametrize("name", ["wasserstein", "wgan-gp", "mmd", "cramer", "fisher", "sobolev"])
def test_an_objective_that_does_not_see_the_critic_is_refused(name):
    with pytest.raises(gt.GantheoryError, match="does not depend on f"):
        derive_critic(replace(CRITICS[name], objective=gt.Expectations("0*t", "1")))
    with pytest.raises(gt.GantheoryError, match="is no record"):
        replace(CRITICS[name], objective="E_p[f(x)] - E_q[f(x)]")


def test_a_name_decides_nothing():
    renamed = [replace(CRITICS[name], name="wasserstein") for name in ("fisher", "cramer", "mmd")]
    assert [derive_critic(one).named for one in renamed] == [
        "sqrt(2*triangular)", "sqrt(integral(2*(F_p - F_q)**2))", "mmd",
    ]  # fmt: skip


@pytest.mark.parametrize(("most", "scale"), [("2", 1), ("1/3", 2), ("1", -3)])
def test_a_slope_bound_and_a_factor_multiply_the_wasserstein_distance(most, scale):
    objective = gt.Expectations(f"{scale}*t", f"-({scale}*t)")
    found = derive_critic(critic(objective, gt.Slope(most)))
    draw = np.random.default_rng(abs(scale))
    p, q = draw.dirichlet(np.ones(5)), draw.dirichlet(np.ones(5))
    steps = np.tril(np.ones((5, 5)), -1)[:, :4]  # f(x_i) is the sum of the slopes before it
    bound = float(sp.Rational(most))
    best = scipy.optimize.linprog(-scale * (p - q) @ steps, bounds=[(-bound, bound)] * 4)
    gap = np.abs(np.cumsum(p - q))[:-1].sum()
    factor = float(found.value.subs({s: int(s.name == "F_p") for s in found.value.free_symbols}))
    assert factor * gap == pytest.approx(-best.fun)


@pytest.mark.parametrize("kernel", ["(1 + x*y)**2", "x*y", "1 + x*y + (x*y)**3", "-(x - y)**2"])
def test_a_polynomial_kernel_compares_moments(kernel):
    found = derive_critic(critic(MEANS, gt.KernelBall(kernel)))
    draw = np.random.default_rng(3)
    x, p, q = draw.normal(size=6), draw.dirichlet(np.ones(6)), draw.dirichlet(np.ones(6))
    gram = eval(kernel, {"x": x[:, None], "y": x[None, :]})
    moments = {
        s: float((p if s.name[0] == "m" else q) @ x ** int(s.name[2:]))
        for s in found.value.free_symbols
    }
    assert float(found.value.subs(moments)) == pytest.approx(np.sqrt((p - q) @ gram @ (p - q)))


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        ("x - y", "not symmetric"),
        ("(x - y)**2", "not conditionally positive definite"),
        ("abs(x - y)", "not conditionally positive definite"),
        ("-exp(-(x - y)**2)", "not conditionally positive definite"),
        ("x + y - 3*x*y", "not conditionally positive definite"),
    ],
)
def test_a_kernel_of_no_hilbert_space_is_refused(kernel, says):
    with pytest.raises(gt.GantheoryError, match=says):
        derive_critic(critic(MEANS, gt.KernelBall(kernel)))
    unbalanced = gt.Expectations("2*t", "-t")
    with pytest.raises(gt.GantheoryError, match="not positive definite"):
        derive_critic(critic(unbalanced, gt.KernelBall("-abs(x - y)")))


@pytest.mark.parametrize(
    ("real", "fake", "payoff"),
    [
        ("log(D)", "log(1 - D)", lambda t: -np.logaddexp(0, -t)),
        ("-relu(1 - t)", "-relu(1 + t)", lambda t: -max(1 - t, 0)),
        ("t - exp(-t)", "-t - exp(t)", lambda t: t - np.exp(-t)),
    ],
)
def test_a_divergence_under_a_slope_bound_is_solved_on_two_points(real, fake, payoff):
    found = derive_critic(critic(gt.Expectations(real, fake), gt.Slope("3")))
    for apart in (0.2, 0.5, 1.5):
        value = float(found.value.subs({s: apart for s in found.value.free_symbols}))
        best = scipy.optimize.minimize(
            lambda v: -payoff(v[0]) - payoff(-v[1]),
            [0.0, 0.0],
            constraints={"type": "ineq", "fun": lambda v, a=apart: 3 * a - abs(v[0] - v[1])},
            options={"ftol": 1e-12},
        )
        assert value == pytest.approx(-best.fun, abs=1e-4)
        assert value >= -best.fun - 1e-4


def test_a_kinked_score_of_pairs_is_no_difference():
    found = derive_critic(critic(gt.Pairs("-relu(1 - t)"), gt.AnyFunction()))
    assert "no difference of scores" in found.undecided["optimum"]
    assert found.critic is None
    assert derive_critic(critic(gt.Pairs("t"), gt.Slope())).named == "w1"


@pytest.mark.parametrize(
    ("value", "same", "other"),
    [
        ("w1", "integral(abs(F_q - F_p))", "2*w1"),
        ("sqrt(2*triangular)", "sqrt(2)*0 + sqrt(integral(2*(p - q)**2/(p + q)))", "triangular"),
        ("2*jsd - 2*log(2)", "kl_pm + kl_qm - log(4)", "2*jsd - log(2)"),
        ("sqrt(integral((F_p - F_q)**2/mu))", "sqrt(integral((F_q - F_p)**2/mu))",
         "sqrt(integral((F_p - F_q)**2))"),
    ],
)  # fmt: skip
def test_published_values_are_compared_as_formulas(value, same, other):
    one = read_value(value)
    assert is_same(one, read_value(same.removeprefix("sqrt(2)*0 + ")))
    assert not is_same(one, read_value(other))
    assert difference_of(one, read_value(other))


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("fisher", "sqrt(triangular)"),
        ("sobolev", "sqrt(integral((F_p - F_q)**2))"),
        ("cramer", "sqrt(integral((F_p - F_q)**2))"),
        ("wasserstein", "2*w1"),
        ("conditional", "jsd - 2*log(2)"),
        ("wgan-gp", "2*w1"),
    ],
)
def test_a_false_published_value_is_refuted_by_an_example(name, twin):
    claim = replace(CRITICS[name].claims[0], value=twin)
    (verdict,) = derive_critic(replace(CRITICS[name], claims=(claim,))).claims
    assert verdict.how is How.REFUTED
    assert verdict.counterexample


def test_a_published_value_in_other_words_is_proved():
    reworded = replace(CRITICS["fisher"].claims[0], value="sqrt(integral((p-q)**2/((p+q)/2)))")
    (verdict,) = derive_critic(replace(CRITICS["fisher"], claims=(reworded,))).claims
    assert verdict.how is How.PROVED


@pytest.mark.parametrize("name", CRITICS)
def test_a_critics_record_is_data(name):
    entry = CRITICS[name]
    assert pickle.loads(pickle.dumps(entry)) == entry
    data = json.loads(json.dumps(entry.as_data()))
    kind = data["objective"].pop("kind")
    assert getattr(gt, kind)(**data["objective"]) == entry.objective
    kind = data["constraint"].pop("kind")
    assert getattr(gt, kind)(**data["constraint"]) == entry.constraint


def test_the_generators_gradient_is_a_multiple_of_the_values_or_open():
    whole, half, other = (
        derive_critic(critic(MEANS, gt.Slope(), generator))
        for generator in ("-t", "-t/2", "-log(D)")
    )
    assert any("zero-sum" in line for line in whole.assumptions)
    assert any("1/2 times" in line for line in half.assumptions)
    assert "followed" in other.undecided
