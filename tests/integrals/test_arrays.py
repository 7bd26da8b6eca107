"""Laws whose parameters are arrays: every element is what its pair gives alone."""

import mpmath as mp
import numpy as np
import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli.divergence import command
from gantheory.integrals.bulk.tracked import FUNCTIONS, Tracked
from gantheory.records import Estimates, Status

RNG = np.random.default_rng


def laws(seed, family="normal", n=40, near=False, **fixed):
    rng = RNG(seed)
    loc, scale = rng.normal(size=n) * 3, np.exp(rng.normal(size=n))
    p = {"loc": loc, "scale": scale}
    if near:
        gap = 10.0 ** rng.uniform(-12, -1, (2, n))
        q = {"loc": loc + gap[0] * scale, "scale": scale * (1 + gap[1])}
    else:
        q = {"loc": rng.normal(size=n) * 3, "scale": np.exp(rng.normal(size=n))}
    return gt.density(family, **p, **fixed), gt.density(family, **q, **fixed)


def affinity(m, s, n, t, a):
    spread = (1 - a) * s**2 + a * t**2
    if spread <= 0:
        return mp.inf
    return (
        s ** (1 - a) * t**a / mp.sqrt(spread) * mp.exp(-a * (1 - a) * (m - n) ** 2 / (2 * spread))
    )


def kl(m, s, n, t):
    return mp.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - mp.mpf(1) / 2


TRUTH = {
    "kl_pq": kl,
    "kl_qp": lambda m, s, n, t: kl(n, t, m, s),
    "jeffreys": lambda m, s, n, t: kl(m, s, n, t) + kl(n, t, m, s),
    "bc": lambda *x: affinity(*x, mp.mpf(1) / 2),
    "hellinger2": lambda *x: 1 - affinity(*x, mp.mpf(1) / 2),
    "pearson_chi2": lambda *x: affinity(*x, 2) - 1,
    "power_3": lambda *x: (affinity(*x, 3) - 1) / 6,
    "power_0.3": lambda *x: (affinity(*x, mp.mpf(3) / 10) - 1) / (mp.mpf(3) / 10 * -mp.mpf(7) / 10),
}


def exact(name, p, q, k):
    with mp.workdps(80):
        return TRUTH[name](*(mp.mpf(float(law.given[key][k])) for law in (p, q)
                             for key in ("loc", "scale")))  # fmt: skip


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("name", TRUTH)
def test_closed_forms_of_normals_keep_their_digits_however_close_the_two_are(name, near):
    p, q = laws(len(name), near=near)
    found = gt.divergence(name, p, q)
    for k in range(len(p)):
        truth = exact(name, p, q, k)
        if mp.isinf(truth):
            assert found.status[k] is Status.INFINITE
            continue
        assert abs(mp.mpf(float(found.value[k])) - truth) <= found.error[k]
        assert found.error[k] <= 1e-10 * abs(truth)


@pytest.mark.parametrize("family", ["laplace", "cauchy", "gumbel", "lognormal"])
@pytest.mark.parametrize("wrt", [None, "q.loc", "p.scale"])
def test_every_element_is_what_its_pair_gives_in_forty_digits(family, wrt):
    p, q = laws(len(family), family, 12)
    found = gt.divergence("kl_pq", p, q, wrt=wrt)
    for k in range(len(p)):
        alone = gt.divergence("kl_pq", p[k], q[k], wrt=wrt, method="closed form")
        assert abs(found.value[k] - alone.value) <= found.error[k] + alone.error
        assert found.error[k] <= 1e-10 * abs(alone.value)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (("exponential", {"scale": [0.5, 2, 3]}), ("exponential", {"scale": 1})),
        (("chi_squared", {"df": [1, 3, 5]}), ("gamma", {"shape": 2, "scale": [1, 2, 1.5]})),
        (("beta", {"a": [1, 2, 3], "b": 2}), ("beta", {"a": 2, "b": [0.5, 1, 5]})),
    ],
)
def test_families_under_other_names_have_their_formulas_too(p, q):
    p, q = (gt.density(name, **parameters) for name, parameters in (p, q))
    found = gt.divergence("kl_pq", p, q)
    assert set(found.method) == {"closed form"}
    first = q[0] if isinstance(q, gt.Densities) else q
    alone = gt.divergence("kl_pq", p[0], first)
    assert abs(found.value[0] - alone.value) <= found.error[0] + alone.error


def test_what_has_no_formula_is_integrated_in_bulk_with_its_derivative():
    p, q = laws(5, n=30)
    found = gt.divergence_table(["jsd", "tv"], p, q, wrt=(None, "q.loc", "p.scale"))
    for (name, wrt), column in found.items():
        for k in (0, 11, 29):
            alone = gt.divergence(name, p[k], q[k], wrt=wrt)
            assert abs(column.value[k] - alone.value) <= column.error[k] + alone.error
            assert column.error[k] <= 1e-9 * abs(alone.value)
    mixed = gt.divergence("jsd", "mixture(0.5*normal(-2, 1) + 0.5*normal(2, 1))", q)
    alone = gt.divergence("jsd", "mixture(0.5*normal(-2, 1) + 0.5*normal(2, 1))", q[4])
    assert abs(mixed.value[4] - alone.value) <= mixed.error[4] + alone.error


def test_arrays_pair_like_those_of_numpy_and_other_questions_are_asked_pair_by_pair():
    p = gt.density("student_t", df=3, loc=[[0.0], [1.0]], scale=1)
    q = gt.density("normal", loc=0, scale=[1.0, 2.0, 3.0])
    for name in ("hellinger2", "w1"):
        found = gt.divergence(name, p, q)
        assert isinstance(found, Estimates)
        assert found.shape == (2, 3)
        assert found[1, 2].value == gt.divergence(name, p[1, 0], q[2]).value
    assert found[0].shape == (3,)
    infinite = gt.divergence("pearson_chi2", p, q)
    assert all(status is Status.INFINITE for status in infinite.status.ravel())


def test_equal_laws_are_at_zero_and_rounding_of_unequal_scales_is_no_formula_for_tv():
    law = gt.density("normal", loc=[0.0, 1.0], scale=[1.0, 2.0])
    assert gt.divergence("kl_pq", law, law).value.tolist() == [0, 0]
    found = gt.divergence("tv", law, "normal(0, 1)")
    assert found.value[0] == 0
    assert found.value[1] == pytest.approx(gt.divergence("tv", law[1], "normal(0, 1)").value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.density("normal", loc=[0, 1], scale=[1, -1]), r"scale\[1\]=-1 must be pos"),
        (lambda: gt.density("normal", loc=[0, np.nan]), r"loc\[1\] is not a number \(nan\)"),
        (lambda: gt.density("normal", loc=["a"]), "loc of type list is not a number"),
        (lambda: gt.density("normal", loc=[]), "empty array"),
        (lambda: gt.density("normal", loc=[0, 1], scale=[1, 2, 3]), "do not broadcast"),
        (lambda: gt.density("uniform", a=[0, 2], b=1), r"element \(1,\): uniform: a=2 must be"),
        (lambda: gt.density("mixture(0.5*normal([0, 1], 1) + 0.5*normal(0, 1))"), "outermost"),
        (lambda: gt.divergence("kl_pq", "normal([0, 1], 1)", "normal([0, 1, 2], 1)"), "broadcast"),
        (lambda: gt.divergence("kl_pq", "normal([0, 1], 1)", "normal(0, 1)", wrt="q.df"), "df"),
        (lambda: gt.optimal_discriminator("minimax", "normal([0, 1], 1)", "normal(0, 1)",
                                          regulariser="r1(1)"), "one law is needed"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_one_line_and_never_dumped(call, said):
    with pytest.raises(gt.GantheoryError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_bound_holds_what_cancellation_leaves():
    x = RNG(1).uniform(1, 2, 500)
    start = float(np.log(1e8))
    nearly = FUNCTIONS["log"](Tracked(x) + 1e8) - Tracked(np.full_like(x, start)) - Tracked(x) / 1e8
    with mp.workdps(50):
        truth = [mp.log(mp.mpf(v) + 10**8) - mp.mpf(start) - mp.mpf(v) / 10**8 for v in x]
    off = np.array([abs(float(mp.mpf(a) - b)) for a, b in zip(nearly.value, truth, strict=True)])
    assert np.all(off <= nearly.error)
    assert np.all(nearly.error < 1e-13)


def test_the_command_takes_lists_of_parameters():
    result = CliRunner().invoke(command, ["kl_pq", "normal([0, 1], 1)", "normal(0, 1)"])
    assert result.output.splitlines()[:2] == ["kl_pq[0] = 0 (exact)", "kl_pq[1] = 0.5 ± 3.6e-15"]
    result = CliRunner().invoke(command, ["kl_pq", "normal([0, 1], 1)", "normal(0, 1)", "--json"])
    assert '"value": [\n    0.0,\n    0.5\n  ]' in result.output


@pytest.mark.parametrize(
    ("law", "other"),
    [
        (gt.density("gamma", shape=[1.0, 0.4, 3.0], scale=1), "gamma(1, 1)"),
        (gt.density("exponential", scale=[1.0, 0.4, 3.0]), "exponential(1)"),
        (gt.density("laplace", loc=0, scale=[1.0, 0.4, 3.0]), "laplace(0, 1)"),
    ],
    ids=["gamma", "exponential", "laplace"],
)
def test_an_array_is_infinite_exactly_where_one_pair_alone_is(law, other):
    found = gt.divergence("pearson_chi2", law, other)
    alone = [gt.divergence("pearson_chi2", law[k], other) for k in range(3)]
    assert [one.status for one in alone] == found.status.tolist()
    assert Status.INFINITE in found.status
    assert np.isinf([one.value for one in alone]).tolist() == np.isinf(found.value).tolist()
