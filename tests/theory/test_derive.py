"""What the engine derives, against brute force, direct integrals and finite differences.

The oracles share no code with the engine: payoffs are evaluated by numpy from the formulas' text,
the optimum is found by a search over scores, and divergences are sums over discrete laws.
"""

import math
from functools import reduce

import numpy as np
import pytest
import sympy as sp
from letters import undefined

from gantheory import Loss, derive
from gantheory.losses import CATALOGUE
from gantheory.records import How

NUMPY = {
    "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs, "tanh": np.tanh,
    "atan": np.arctan, "relu": lambda u: np.maximum(u, 0),
    "softplus": lambda u: np.logaddexp(0, u), "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    "max": lambda *u: reduce(np.maximum, u), "min": lambda *u: reduce(np.minimum, u),
}  # fmt: skip
VALUES = {"a": 0.8, "b": 0.3, "c": 0.9, "prior": 0.35, "eps": 0.01, "m": 1.7, "alpha": 1.6,
          "alpha_D": 0.7, "alpha_G": 1.9}  # fmt: skip
OVERRIDES = {"least-squares": {"a": -0.3, "b": 0.8, "c": 0.9}}
RATIOS = (0.3, 0.7, 1.6, 4.0)

YOURS = [
    Loss("clipped", "log(D)", "log(1 - D)", "-log(D)", domain="[-1, 2]"),
    Loss("squared-hinge", "-relu(1 - t)**2", "-relu(1 + t)**2", "relu(1 - t)**2"),
    Loss("steps", "min(t, 1, 2*t)", "-relu(1 + t) - relu(t - 3)", "max(-t, t/2)"),
    Loss("cubes", "-abs(t - 1)**3", "-abs(t + 1)**3", "-t"),
    Loss("half", "log(min(D, 1/2))", "log(1 - D)", "-log(D)"),
    Loss("circle", "sqrt(1 - t**2)", "-t", "-t", domain="[-1, 1]"),
    Loss("two-hills", "max(1 - (t + 1)**2, -(t - 1)**2)", "-(t - 2)**2/4", "t**2"),
    Loss("ratio", "log(t)", "-t", "-log(t)", domain="(0, oo)"),
    Loss("kinked-generator", "D", "-D**2", "min(relu(t), sqrt(1/2))", domain="(0, oo)"),
    Loss("unequal", "-exp(-t/2)", "-exp(t/3)", "-t"),
]
GAMES = [*CATALOGUE.values(), *YOURS]


def names(losses):
    return [loss.name for loss in losses]


def values_of(loss):
    return {
        k: v for k, v in {**VALUES, **OVERRIDES.get(loss.name, {})}.items() if k in loss.parameters
    }


def payoff(text, loss):
    def f(t):
        with np.errstate(all="ignore"):
            scope = {**NUMPY, **values_of(loss), "t": t, "D": 1 / (1 + np.exp(-t))}
            return eval(text, {"__builtins__": {}}, scope) + 0 * t

    return f


def scores(loss):
    ends = [e for e in loss.domain.strip("()[] ").split(",")]
    low, high = (-20.0 if "-oo" in ends[0] else float(sp.Rational(ends[0]))), ends[1].strip()
    high = 20.0 if "oo" in high else float(sp.Rational(high))
    return np.linspace(low, high, 200_001)


def number(expr, loss, r=None):
    symbols = {s: v for s in expr.free_symbols for k, v in values_of(loss).items() if s.name == k}
    if r is not None:
        symbols |= {s: r for s in expr.free_symbols if s.name == "r"}
    return float(expr.subs(symbols))


@pytest.fixture(scope="module")
def derived():
    return {loss.name: derive(loss) for loss in GAMES}


@pytest.mark.parametrize("loss", GAMES, ids=names(GAMES))
def test_no_score_beats_the_optimum_and_the_optimum_is_reached(loss, derived):
    t = scores(loss)
    a, b, c = (payoff(text, loss)(t) for text in (loss.real, loss.fake, loss.generator))
    derivation = derived[loss.name]
    for r in RATIOS:
        total = np.where(np.isfinite(r * a + b), r * a + b, -np.inf)
        best = total.argmax()
        branch = next(
            x
            for x in derivation.optimum.branches
            if number(sp.sympify(x.ratios[0]), loss) < r < number(x.ratios[1], loss)
        )
        assert number(branch.supremum, loss, r) == pytest.approx(total[best], abs=1e-6)
        if branch.attained:
            assert number(branch.generator, loss, r) == pytest.approx(c[best], abs=3e-3)


@pytest.mark.parametrize("loss", GAMES, ids=names(GAMES))
def test_curvatures_and_weight_are_the_differences_of_the_optimum(loss, derived):
    derivation, step = derived[loss.name], 1e-4

    def along(part, r):
        branch = next(
            x
            for x in derivation.optimum.branches
            if number(sp.sympify(x.ratios[0]), loss) < r < number(x.ratios[1], loss)
        )
        return number(getattr(branch, part), loss, r)

    for r in RATIOS:
        near = {
            part: [along(part, r + k * step) for k in (-1, 0, 1)]
            for part in ("supremum", "generator")
        }
        second = {k: (v[0] - 2 * v[1] + v[2]) / step**2 for k, v in near.items()}
        slope = (near["generator"][2] - near["generator"][0]) / (2 * step)
        for found, expected in [
            (derivation.value, second["supremum"]),
            (derivation.loss, second["generator"]),
            (derivation.followed, -slope / r),
        ]:
            assert number(found.curvature, loss, r) == pytest.approx(expected, rel=1e-4, abs=1e-5)
        weight = number(derivation.saturation.weight, loss, r)
        assert weight == pytest.approx(-slope * r, rel=1e-4, abs=1e-5)


def direct(name, p, q, loss):
    """A divergence between discrete laws, from its textbook sum."""
    m = (p + q) / 2
    kl = lambda x, y: np.sum(x * np.log(x / y))  # noqa: E731
    table = {
        "kl_pq": kl(p, q), "kl_qp": kl(q, p), "kl_pm": kl(p, m), "kl_qm": kl(q, m),
        "kl_mp": kl(m, p), "kl_mq": kl(m, q), "jsd": (kl(p, m) + kl(q, m)) / 2,
        "tv": np.abs(p - q).sum() / 2, "hellinger2": ((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2,
        "pearson_chi2": ((p - q) ** 2 / q).sum(), "neyman_chi2": ((p - q) ** 2 / p).sum(),
        "triangular": ((p - q) ** 2 / (p + q)).sum(), "jeffreys": kl(p, q) + kl(q, p),
    }  # fmt: skip
    if name in table:
        return table[name]
    order = sp.sympify(name.removeprefix("power_"))
    alpha = float(order.subs({s: values_of(loss)[s.name] for s in order.free_symbols}))
    return (np.sum(p**alpha * q ** (1 - alpha)) - 1) / (alpha * (alpha - 1))


@pytest.mark.parametrize("loss", CATALOGUE.values(), ids=list(CATALOGUE))
def test_named_divergences_are_what_the_losses_equal_on_discrete_laws(loss, derived):
    rng = np.random.default_rng(7)
    p, q = (rng.dirichlet(np.ones(6)) for _ in range(2))
    derivation = derived[loss.name]
    for found, part in [(derivation.value, "supremum"), (derivation.loss, "generator")]:
        if found.is_divergence is False or not found.is_named:
            continue
        total = 0.0
        for x, y in zip(p, q, strict=True):
            branch = next(
                b
                for b in derivation.optimum.branches
                if number(sp.sympify(b.ratios[0]), loss) < x / y < number(b.ratios[1], loss)
            )
            total += y * number(getattr(branch, part), loss, x / y)
        expected = number(found.constant, loss) + sum(
            number(value, loss) * direct(name, p, q, loss) for name, value in found.terms.items()
        )
        assert total == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("loss", CATALOGUE.values(), ids=list(CATALOGUE))
def test_vanishing_agrees_with_the_numeric_limit_of_the_weight(loss, derived):
    saturation = derived[loss.name].saturation
    if saturation.vanishing is None:
        assert saturation.limit_at_0 is None
        return
    small = [abs(number(saturation.weight, loss, 10.0**-k)) for k in (12, 24, 48)]
    assert saturation.vanishing == (small[-1] < 1e-3 and small[-1] <= small[0])


@pytest.mark.parametrize("loss", CATALOGUE.values(), ids=list(CATALOGUE))
def test_zero_sum_games_follow_their_value(loss, derived):
    derivation = derived[loss.name]
    if derivation.zero_sum:
        assert derivation.followed.curvature == derivation.value.curvature
        assert derivation.followed.atoms == derivation.value.atoms


@pytest.mark.parametrize("loss", CATALOGUE.values(), ids=list(CATALOGUE))
def test_no_divergence_comes_with_a_ratio_where_the_curvature_is_negative(loss, derived):
    for found in derived[loss.name].curvatures.values():
        if found.is_divergence is False:
            assert found.how is How.REFUTED
            negative = number(found.curvature, loss, float(found.counterexample))
            assert negative < 0 or "jumps" in found.reason or "mass" in found.reason
        elif found.is_divergence:
            assert min(number(found.curvature, loss, 10.0**k) for k in range(-6, 7)) >= 0


THEORY = {
    "minimax": ("2*jsd", "kl_qm", "2*jsd"),
    "non-saturating": ("2*jsd", "kl_pm + 2*kl_mp", "2*kl_mp"),
    "reverse-kl": ("2*jsd", "kl_qp", "kl_qp"),
    "one-sided-smoothing-non-saturating": (None, "kl_pm + 2*kl_mp", "2*kl_mp"),
    "least-squares-pearson": ("triangular/2", "no divergence", "no divergence"),
    "hinge": ("2*tv", "no divergence", "2*tv"),
    "energy-based": ("m*tv", "no divergence", "m*tv"),
    "f-gan-power": ("power_alpha", None, "power_alpha"),
    "f-gan-power-alternative": ("power_alpha", None, "power_(alpha-1)"),
    "f-gan-kl-alternative": ("kl_pq", "kl_qp", "kl_qp"),
    "boundary-seeking": ("2*jsd", "no divergence", "no divergence"),
    "exponential": ("2*hellinger2", "hellinger2", "2*hellinger2"),
}


@pytest.mark.parametrize("name", THEORY)
def test_the_known_divergences_are_found_from_the_formulas(name, derived):
    found = derived[name]
    for expected, one in zip(THEORY[name], (found.value, found.loss, found.followed), strict=True):
        assert expected is None or one.divergence == expected


CURVATURES = {
    "least-squares-01": "1/(r*(r + 1)**3)",
    "least-squares-pearson": "2*(1 - r)/(r*(r + 1)**3)",
    "two-sided-smoothing-non-saturating": "(a - b)/(r*(r + 1)*(a*r + b))",
    "one-sided-smoothing": "a/(r*(r + 1)*(1 + (1 - a)*r))",
    "dual-alpha": "alpha_D*r**(alpha_D - 2)*(1 + r**alpha_D)**(1/alpha_G - 2)",
    "dual-alpha-non-saturating":
        "alpha_D*r**(alpha_D - alpha_D/alpha_G - 2)*(1 + r**alpha_D)**(1/alpha_G - 2)",
    "boundary-seeking": "-log(r)/r**2",
    "least-squares": "(b - a)*((c - a) + (c - b)*r)/(r*(r + 1)**3)",
}  # fmt: skip


@pytest.mark.parametrize("name", CURVATURES)
def test_followed_curvatures_are_those_of_the_theory(name, derived):
    loss = CATALOGUE[name]
    for r in RATIOS:
        scope = {**NUMPY, **values_of(loss), "r": r}
        expected = eval(CURVATURES[name], {"__builtins__": {}}, scope)
        assert number(derived[name].followed.curvature, loss, r) == pytest.approx(expected)


EQUILIBRIA = {
    "minimax": (2 * math.log(2), -math.log(2)),
    "non-saturating": (2 * math.log(2), math.log(2)),
    "least-squares-01": (1 / 4, 1 / 8),
    "hinge": (2, 0),
}


@pytest.mark.parametrize("name", EQUILIBRIA)
def test_equilibrium_losses_are_the_numbers_that_people_see(name, derived):
    found = derived[name].equilibrium
    losses = (float(found.discriminator_loss), float(found.generator_loss))
    assert losses == pytest.approx(EQUILIBRIA[name], rel=1e-14, abs=1e-14)


def test_every_positive_dual_alpha_is_a_divergence(derived):
    assert derived["dual-alpha"].followed.is_divergence
    assert derived["dual-alpha"].followed.how is How.PROVED


def test_the_epsilon_inside_the_logarithm_makes_the_loss_saturate(derived):
    assert derived["non-saturating-epsilon"].saturation.vanishing is True
    assert derived["non-saturating"].saturation.vanishing is False


def test_least_squares_is_a_divergence_exactly_when_the_target_is_beyond_both_labels(derived):
    found = derived["least-squares"].followed
    assert found.is_divergence is None
    assert found.condition == "-a + c >= 0 and -b + c >= 0"


DISJOINT = {
    "minimax": ("2*log(2)", "log(2)", "2*log(2)"),
    "non-saturating": ("2*log(2)", "inf", "inf"),
    "linear": ("1", None, "1"),
    "hinge": ("2", None, "2"),
}


@pytest.mark.parametrize("name", DISJOINT)
def test_divergences_on_disjoint_supports(name, derived):
    found = derived[name].as_dict()["disjoint"]
    for expected, part in zip(DISJOINT[name], ("value", "loss", "followed"), strict=True):
        assert expected is None or found[part] == expected


KEYS = {"optimal_discriminator", "second_order", "value", "loss", "followed", "zero_sum",
        "saturation", "disjoint", "equilibrium", "assumptions"}  # fmt: skip


@pytest.mark.parametrize("loss", GAMES, ids=names(GAMES))
def test_json_keys_are_stable_and_every_step_says_how_it_is_known(loss, derived):
    data = derived[loss.name].as_dict()
    assert set(data) >= KEYS
    assert set(data["optimal_discriminator"]) >= {"t", "D", "attained"}
    for part in ("value", "loss", "followed"):
        assert set(data[part]) >= {"curvature", "atoms", "constant", "divergence", "terms",
                                   "is_divergence", "counterexample", "how"}  # fmt: skip
    assert data["second_order"]["holds"] is True
    steps = derived[loss.name].steps
    assert len(steps) >= 10
    assert all(step.how in How and step.reason and step.latex for step in steps)
    assert not undefined(derived[loss.name])


def test_where_many_outputs_are_optimal_the_steps_say_which():
    hinge = {step.title: step.text for step in derive("hinge").steps}
    assert any("Any D from -1 to 1 is optimal" in text for text in hinge.values())
    assert not any("Any D from" in step.text for step in derive("minimax").steps)
