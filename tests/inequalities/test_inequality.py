"""Inequalities between divergences: proved, and their false twins refuted by laws one can check."""

import json
import pickle
import random
from fractions import Fraction

import mpmath
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gantheory.cli.prove import command
from gantheory.errors import GantheoryError
from gantheory.inequalities.inequality import prove
from gantheory.inequalities.statements import read_statement
from gantheory.records import How

# Independent definitions, straight from the integrals, for laws on finitely many points.


def _kl(p, q):
    total = mpmath.mpf(0)
    for x, y in zip(p, q, strict=True):
        if x:
            total += x * mpmath.log(x / y) if y else mpmath.inf
    return total


def _over(p, q, weight):
    total = mpmath.mpf(0)
    for x, y in zip(p, q, strict=True):
        if x != y:
            w = weight(x, y)
            total += (x - y) ** 2 / w if w else mpmath.inf
    return total


def _mid(p, q):
    return [(x + y) / 2 for x, y in zip(p, q, strict=True)]


ORACLE = {
    "kl_pq": _kl,
    "kl_qp": lambda p, q: _kl(q, p),
    "kl_pm": lambda p, q: _kl(p, _mid(p, q)),
    "kl_qm": lambda p, q: _kl(q, _mid(p, q)),
    "kl_mp": lambda p, q: _kl(_mid(p, q), p),
    "kl_mq": lambda p, q: _kl(_mid(p, q), q),
    "jsd": lambda p, q: (_kl(p, _mid(p, q)) + _kl(q, _mid(p, q))) / 2,
    "tv": lambda p, q: sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2,
    "hellinger2": lambda p, q: 1 - sum(mpmath.sqrt(x * y) for x, y in zip(p, q, strict=True)),
    "triangular": lambda p, q: _over(p, q, lambda x, y: x + y),
    "pearson_chi2": lambda p, q: _over(p, q, lambda x, y: y),
    "neyman_chi2": lambda p, q: _over(p, q, lambda x, y: x),
    "jeffreys": lambda p, q: _kl(p, q) + _kl(q, p),
}
ORACLE |= {
    "jsd_gap": lambda p, q: mpmath.log(2) - ORACLE["jsd"](p, q),
    "tv_gap": lambda p, q: sum(min(x, y) for x, y in zip(p, q, strict=True)),
    "bc": lambda p, q: sum(mpmath.sqrt(x * y) for x, y in zip(p, q, strict=True)),
    "half_pearson": lambda p, q: ORACLE["pearson_chi2"](p, q) / 2,
}


def sides(statement, p, q):
    """Evaluate both sides by the independent definitions; the texts here are this file's own."""
    scope = {name: f(p, q) for name, f in ORACLE.items()}
    scope |= {"log": mpmath.log, "sqrt": mpmath.sqrt, "exp": mpmath.exp, "pi": mpmath.pi}
    for relation in ("<=", ">=", "==", "<", ">"):
        if relation in statement:
            left, right = statement.replace("power_2", "half_pearson").split(relation)
            return eval(left, {}, scope), eval(right, {}, scope), relation
    raise AssertionError(statement)


# (law, its false twin): a constant moved a little, or a direction reversed.
LAWS = [
    ("triangular/4 <= jsd", "0.2501*triangular <= jsd"),
    ("jsd <= log(2)/2 * triangular", "jsd <= 0.3465*triangular"),
    ("triangular/2 <= kl_pq", "triangular <= 0.9*kl_pq"),
    ("jsd <= kl_pq/2", "jsd <= 0.30*kl_pq"),
    ("jsd <= kl_qp/2", "jsd <= kl_pq/4"),
    ("jsd <= log(2)*tv", "jsd <= 0.693*tv"),
    ("kl_qm <= kl_qp/2", "kl_qm <= 0.49*kl_qp"),
    ("tv**2 <= kl_pq/2", "tv**2 <= kl_pq/2.01"),
    ("tv <= sqrt(kl_pq/2)", "tv <= sqrt(kl_pq/3)"),
    ("tv**2 <= kl_qp/2", "tv**2 <= 0.45*kl_qp"),
    ("tv**2 <= 2*jsd", "tv**2 <= 1.99*jsd"),
    ("tv <= sqrt(1 - exp(-kl_pq))", "tv <= sqrt(1 - exp(-kl_pq/2))"),
    ("tv**2 <= hellinger2*(2 - hellinger2)", "tv**2 <= 1.9*hellinger2"),
    ("kl_pq <= log(1 + pearson_chi2)", "kl_pq <= log(1 + pearson_chi2/2)"),
    ("hellinger2 <= tv", "hellinger2 <= 0.99*tv"),
    ("hellinger2 >= triangular/4", "hellinger2 >= 0.26*triangular"),
    ("kl_pq <= pearson_chi2", "kl_pq <= pearson_chi2/2"),
    ("jeffreys >= 8*jsd", "jeffreys >= 8.01*jsd"),
    ("jsd <= log(2)", "jsd <= 0.6931471"),
    ("jsd < 0.7", "jsd < log(2)"),
    ("tv <= 1", "tv < 1"),
    ("tv_gap <= bc", "tv_gap <= 0.99*bc"),
    ("jsd_gap >= 0", "jsd_gap >= 0.01"),
    ("kl_mp <= kl_qp/2", "kl_mp >= kl_qp/2"),
    ("kl_pq >= 0", "kl_pq > 0"),
    ("jeffreys == kl_pq + kl_qp", "jeffreys == kl_pq + kl_pq"),
    ("2*kl_mp == kl_qp - 2*jsd", "kl_mp == kl_qp - 2*jsd"),
    ("jsd == (kl_pm + kl_qm)/2", "jsd == (kl_pm + kl_pm)/2"),
    ("hellinger2 <= jsd/log(2)", "tv <= jsd/(2*log(2))"),
    ("tv/(log(2) - log(3)) >= -3*tv", "tv/(log(2) - log(3)) >= -2*tv"),
    ("kl_pq/log(2) >= 2*tv**2/log(2)", "tv**2/log(2) <= 0.72*kl_pq"),
    ("pi*tv >= 3.14*tv", "pi*tv >= 3.15*tv"),
    ("power_2 >= kl_pq/2", "power_2 >= kl_pq"),
    ("power_2 == pearson_chi2/2", "power_2 == pearson_chi2"),
    ("power_0.5 == 4*hellinger2", "power_0.5 == 3*hellinger2"),
    ("power_-1 == neyman_chi2/2", "power_-1 == pearson_chi2/2"),
    ("power_(1/3) <= 4.5*tv", "power_(1/3) <= 4.4*tv"),
    ("power_0.99 >= 0", "power_0.99 <= power_0.98"),
]


@pytest.mark.parametrize("law", [law for law, _ in LAWS])
def test_a_true_statement_is_proved_or_certified(law):
    verdict = prove(law)
    assert verdict.how in {How.PROVED, How.CERTIFIED}, verdict.reason
    assert verdict.counterexample is None


@pytest.mark.parametrize("twin", [twin for _, twin in LAWS])
def test_its_false_twin_is_refuted_by_laws_that_really_violate_it(twin):
    verdict = prove(twin)
    assert verdict.how is How.REFUTED, verdict.reason
    if "power_" in twin and "power_2" not in twin:
        return  # the oracle knows no fractional orders
    with mpmath.workdps(60):
        p, q = (
            [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in law]
            for law in (verdict.p, verdict.q)
        )
        left, right, relation = sides(twin, p, q)
        violated = {"<=": left > right, ">=": left < right, "==": abs(left - right) > 1e-30,
                    "<": left >= right - mpmath.mpf(10) ** -50,
                    ">": left <= right + mpmath.mpf(10) ** -50}  # fmt: skip
        assert violated[relation], (left, right)
        assert verdict.left == pytest.approx(float(left), rel=1e-12)
        assert verdict.right == pytest.approx(float(right), rel=1e-12)


def random_laws(pairs=60, points=4, seed=7):
    """Yield pairs of laws; the sixth power makes some weights tiny and ratios extreme."""
    generator = random.Random(seed)
    for _ in range(pairs):
        weights = [[generator.random() ** 6 + 1e-9 for _ in range(points)] for _ in "pq"]
        yield [[mpmath.mpf(x) / mpmath.fsum(xs) for x in xs] for xs in weights]


LAWS_ON_FOUR = list(random_laws())


@pytest.mark.parametrize("law", [law for law, _ in LAWS if "==" not in law and "power_(" not in law
                                 and "power_0" not in law and "power_-" not in law])  # fmt: skip
def test_a_proved_statement_holds_on_random_laws_of_four_points(law):
    for p, q in LAWS_ON_FOUR:
        left, right, relation = sides(law, p, q)
        slack = 1e-12 * (1 + abs(left))
        assert left <= right + slack if "<" in relation else left >= right - slack


NAMES = ["kl_pq", "kl_qp", "jsd", "tv", "hellinger2", "triangular", "pearson_chi2", "kl_qm"]
GRID = [(mpmath.mpf(i) / 24, mpmath.mpf(j) / 24) for i in range(1, 24) for j in range(1, 24)]
TABLE = {
    name: [ORACLE[name]([p, 1 - p], [q, 1 - q]) for p, q in GRID] for name in NAMES
}  # 529 pairs of laws on two points


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 12), st.integers(1, 12))
def test_random_comparisons_agree_with_a_search_over_laws_on_two_points(small, large, top, bottom):
    verdict = prove(f"{top}*{small} <= {bottom}*{large}")
    pairs = zip(TABLE[small], TABLE[large], strict=True)
    violated = any(top * x > bottom * y + mpmath.mpf(10) ** -12 for x, y in pairs)
    if violated:
        assert verdict.how is How.REFUTED
    if verdict.how in {How.PROVED, How.CERTIFIED}:
        assert not violated
    assert verdict.how is not How.UNDECIDED, verdict.reason


def test_the_best_constant_is_told_from_one_that_is_off_in_the_tenth_digit():
    assert prove("jsd <= log(2)/2*triangular").holds
    assert prove("jsd <= 0.3465735903*triangular").holds
    assert prove("jsd <= 0.3465735902*triangular").holds is False


def test_a_constant_that_is_off_in_the_thirtieth_digit_fails_at_an_extreme_ratio():
    assert prove("kl_qm <= kl_qp/2").holds
    assert prove(f"kl_qm <= {10**30 // 2 + 1}/{10**30}*kl_qp").holds
    assert prove(f"kl_qm <= {10**30 // 2 - 1}/{10**30}*kl_qp").holds is False


def test_equality_on_disjoint_supports_is_exact():
    verdict = prove("jsd < log(2)")
    assert verdict.how is How.REFUTED
    assert (verdict.p, verdict.q) == (("0", "1"), ("1", "0"))
    assert pickle.loads(pickle.dumps(verdict)) == verdict == prove("jsd < log(2)")


def test_mode_dropping_makes_one_half_of_jsd_larger_than_the_other():
    assert prove("kl_qm > kl_pm", restricted=True).how is How.CERTIFIED
    assert prove("kl_qm < kl_pm", restricted=True).how is How.REFUTED
    assert prove("kl_qm >= kl_pm").how is How.REFUTED
    assert prove("kl_pq >= jsd", restricted=True).holds  # infinite


def test_what_is_not_decided_says_why():
    verdict = prove("jsd*tv <= 0.3*kl_pq", seconds=0.5)
    assert verdict.how is How.UNDECIDED
    assert verdict.holds is None
    assert "multiplies" in verdict.reason or "time limit" in verdict.reason


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "empty"),
        ("jsd", "compares nothing"),
        ("jsd <= kl", "may mean kl_pq"),
        ("jsd <= kl_pq <= 1", "compare two sides"),
        ("jsd <= __import__('os')", "unknown divergence 'os'"),
        ("jsd <= kl_pq.real", "attribute"),
        ("jsd <= 9**9**9**9", "beyond"),
        ("(" * 10**5 + "jsd" + ")" * 10**5 + " <= tv", "limit"),
        ("power_1/3 <= tv", "ambiguous"),
        ("power_(1/0) <= tv", "zero"),
        ("jsd <= ｔv", "ASCII"),
        ("w1 <= tv", "w1 is no f-divergence"),
        ("kl_qm <= 0.49999999999999999999*kl_qp", "more digits"),  # the double nearest is 0.5
        ("jsd <= log(0)*tv", "finite"),
    ],
)
def test_bad_input_is_one_clear_line(text, remedy):
    with pytest.raises(GantheoryError) as error:
        prove(text)
    assert remedy in str(error.value)
    assert "\n" not in str(error.value)


def test_the_command_prints_stable_keys():
    done = CliRunner().invoke(command, ["jsd <= kl_pq/4", "--json"])
    data = json.loads(done.output)
    assert data["verdict"] == "refuted"
    assert set(data["counterexample"]) == {"r", "p", "q", "left", "right"}
    assert data["counterexample"]["left"] > data["counterexample"]["right"]
    done = CliRunner().invoke(command, ["jsd <= kl_pq/2"])
    assert done.output.startswith("certified: jsd <= kl_pq/2")


def test_a_statement_may_begin_with_a_minus_sign():
    done = CliRunner().invoke(command, ["-log(bc) >= hellinger2", "--seconds", "3"])
    assert done.output.startswith("certified: -log(bc) >= hellinger2")
    done = CliRunner().invoke(command, ["--secnds", "3", "jsd <= kl_pq"])
    assert done.exit_code == 2


@settings(max_examples=6, derandomize=True, deadline=None)
@given(st.sampled_from(NAMES), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["tv", "jsd"]))
def test_random_squares_agree_with_a_search_over_laws_on_two_points(large, top, bottom, squared):
    verdict = prove(f"{top}*{squared}**2 <= {bottom}*{large}")
    pairs = zip(TABLE[squared], TABLE[large], strict=True)
    violated = any(top * x**2 > bottom * y + mpmath.mpf(10) ** -12 for x, y in pairs)
    if violated:
        assert verdict.how is How.REFUTED
    if verdict.holds:
        assert not violated


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_what_is_called_nonnegative_on_the_triangle_is(weights):
    import sympy as sp

    from gantheory.inequalities.triangle import P, Q, is_nonnegative_on_triangle

    basis = [sp.Integer(1), P, Q, P**2, P * Q, Q**2]
    form = sum((w * b for w, b in zip(weights, basis, strict=True)), sp.Integer(0))
    if is_nonnegative_on_triangle(form / (Q * (1 - P))):
        places = [(Fraction(i, 16), Fraction(j, 16)) for i in range(1, 16) for j in range(1, i)]
        assert all(
            sum(w * b for w, b in zip(weights, [1, p, q, p * p, p * q, q * q], strict=True)) >= 0
            for p, q in places
        )


def test_a_statement_beyond_the_longest_is_refused():
    with pytest.raises(GantheoryError, match="the limit is 400"):
        prove("jsd <= " + "1" + " + 1" * 100)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("2·TV(P, Q)² <= KL(P‖Q)", "2*tv**2 <= kl_pq"), ("H²(P, Q) <= TV(P,Q)", "hellinger2 <= tv"),
     ("TV(P,Q)^2 − JSD(P, Q) <= KL(P||Q)/2", "tv**2 - jsd <= kl_pq/2")],
)  # fmt: skip
def test_a_statement_may_be_written_as_papers_print_it(typed, plain):
    assert read_statement(typed).margin == read_statement(plain).margin
