"""Conventions asked for by name: square roots that are metrics, and bits."""

import json
import math

import pytest
from click.testing import CliRunner
from scipy.spatial.distance import jensenshannon

import gantheory as gt
from gantheory import GantheoryError, Status
from gantheory.cli.divergence import command

MASSES = [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]
LAWS = [f"discrete({masses})" for masses in MASSES]


@pytest.mark.parametrize(("unit", "base"), [("nats", math.e), ("bits", 2)])
def test_the_root_of_jsd_is_the_distance_of_scipy(unit, base):
    found = gt.divergence("jensenshannon distance", *LAWS, unit=unit)
    assert found.value == pytest.approx(jensenshannon(*MASSES, base=base), rel=1e-14)
    assert found.error < 1e-14


def test_a_root_keeps_its_logarithm_and_its_error():
    far = "normal(0, 1)", "normal(40, 1)"
    near = "normal(0, 1)", "normal(1e-7, 1)"
    for pair in (far, near):
        whole, root = (gt.divergence(n, *pair) for n in ("hellinger2", "hellinger distance"))
        assert root.value == pytest.approx(math.sqrt(whole.value), rel=1e-14)
        assert 0 < root.error <= 1e-9 * root.value
        assert root.log_value == pytest.approx(whole.log_value / 2)
    assert gt.divergence("js_distance", near[0], near[0]).value == 0


def test_the_derivative_of_a_root_is_its_slope_and_has_none_at_equal_laws():
    found = gt.divergence("js_distance", "normal(0, 1)", "normal(1, 2)", wrt="q.loc")
    h = 1e-5
    ends = [
        gt.divergence("js_distance", "normal(0, 1)", f"normal({1 + s * h}, 2)") for s in (1, -1)
    ]
    assert found.value == pytest.approx((ends[0].value - ends[1].value) / (2 * h), rel=1e-9)
    at_kink = gt.divergence("js_distance", "normal(0, 1)", "normal(0, 1)", wrt="q.loc")
    assert at_kink.status is Status.UNDETERMINED


@pytest.mark.parametrize("name", ["kl_pq", "jsd_gap", "jeffreys", "kl_mp", "r*log(r)"])
def test_bits_are_nats_over_log_two(name):
    nats, bits = (gt.divergence(name, "normal(0, 1)", "normal(1, 2)", unit=u)
                  for u in ("nats", "bits"))  # fmt: skip
    assert bits.value * math.log(2) == pytest.approx(nats.value, rel=1e-14)
    assert bits.error * math.log(2) >= nats.error
    assert math.exp(bits.log_value) == pytest.approx(bits.value)
    many = gt.divergence(name, "normal(0, 1)", "normal([1, 2], 2)", unit="bits")
    assert many.value[0] == pytest.approx(bits.value)


@pytest.mark.parametrize("name", ["tv", "w1", "hellinger distance", "pearson_chi2"])
def test_what_is_no_information_has_no_bits(name):
    with pytest.raises(GantheoryError, match="has no bits"):
        gt.divergence(name, "normal(0, 1)", "normal(1, 2)", unit="bits")
    with pytest.raises(GantheoryError, match="unknown unit"):
        gt.divergence("jsd", "normal(0, 1)", "normal(1, 2)", unit="bit")


@pytest.mark.parametrize(
    ("name", "unit"), [("w1", None), ("tv", None), ("jsd_gap", "nats"), ("minimax.value", "nats")]
)
def test_json_has_a_unit_only_for_information(name, unit):
    asked = [name, "normal(0, 1)", "normal(1, 1)", "--json"]
    assert json.loads(CliRunner().invoke(command, asked).output)["unit"] == unit


def test_the_command_says_its_unit():
    asked = ["jsd", "uniform(0, 1)", "uniform(1, 2)", "--unit", "bits"]
    result = CliRunner().invoke(command, asked)
    assert result.output.splitlines()[0].startswith("jsd = 1 ±")
    assert result.output.splitlines()[1].endswith(", in bits")
    result = CliRunner().invoke(command, [*asked, "--method", "certified"])
    assert "all is in nats" in result.output


@pytest.mark.parametrize("name", ["jsd", "w1"])
def test_samples_never_answer_in_nats_where_bits_are_asked_for(name):
    with pytest.raises(GantheoryError, match="leave out unit"):
        gt.divergence(name, [0.0, 1.0, 2.0], [0.5, 1.5, 4.0], unit="bits")


@pytest.mark.parametrize("name", ["jensenshannon", "Jensen-Shannon", "hellinger"])
def test_a_name_of_a_divergence_and_of_its_root_is_neither_silently(name):
    with pytest.raises(GantheoryError, match=r"may mean .*(√JSD|H)\); name one of them"):
        gt.divergence(name, "normal(0, 1)", "normal(1, 1)")
