"""Whole curves: integrated in bulk, they are what one pair at a time gives, within their errors."""

import dataclasses
import json
import math

import numpy as np
import polars
import pytest
from click.testing import CliRunner

from gantheory import GantheoryError
from gantheory.cli.curve import command
from gantheory.integrals import divergence
from gantheory.integrals.bulk.doublexp import Wanted, integrate_rows
from gantheory.integrals.bulk.rows import STANDARD
from gantheory.integrals.curves import Target, curve, curves, vanishing, write_table
from gantheory.integrals.curves.families import FAMILIES, Family, slopes_of
from gantheory.integrals.curves.rows import rows
from gantheory.integrals.kernels.stable import kernel_of

NAMES = ["jsd", "kl_pq", "kl_qp", "tv", "hellinger2", "triangular", "kl_mp", "jsd_gap"]
# d, JSD(N(0,1), N(d,1)) and its derivative: Arb with 26 digits, computed apart from this code
SURVEY = [
    (0.25, 0.00775208859521225794, 0.0615383142422),
    (1.0, 0.111421482184736180, 0.198986433592),
    (2.5, 0.441694472181141099, 0.191703050922),
    (5.0, 0.675942577380979868, 0.0236898085917),
    (8.0, 0.693053645482919929, 1.96437368036e-4),
    (10.0, 0.693146317393984464, 2.23205010723e-6),
]


def at(name, family, d):
    found = curves([Target.of(name)], family, np.asarray(d, float))[0]
    return found


def test_the_survey_figure_has_every_digit():
    found = at("jsd", FAMILIES["distance"], [row[0] for row in SURVEY])
    for k, (_, value, gradient) in enumerate(SURVEY):
        assert found.value[k] == pytest.approx(value, rel=1e-14)
        assert found.gradient[k] == pytest.approx(gradient, rel=2e-12)  # twelve digits are given


@pytest.mark.parametrize("family", ["distance", "scale", "laplace", "logistic"])
def test_bulk_agrees_with_one_pair_at_a_time(family):
    chosen = FAMILIES[family]
    d = np.linspace(*chosen.range, 5)[1:]
    for name in NAMES:
        found = at(name, chosen, d)
        for k, here in enumerate(d):
            ((wrt, slope),) = slopes_of(chosen, here).items()
            value = divergence(name, *chosen.at(here))
            gradient = divergence(name, *chosen.at(here), wrt=wrt)
            assert abs(found.value[k] - value.value) <= found.value_error[k] + value.error + 1e-300
            assert abs(found.gradient[k] - slope * gradient.value) <= (
                found.gradient_error[k] + slope * gradient.error
            )


@pytest.mark.parametrize("family", ["weight", "separation"])
def test_gradients_in_a_mixture_are_the_slopes_of_its_values(family):
    chosen, step = FAMILIES[family], 1e-3
    low, high = chosen.range
    middle = low + 0.4 * (high - low)
    stencil = middle + step * np.array([-2, -1, 0, 1, 2])
    for name in ["jsd", "kl_pq", "hellinger2", "triangular"]:
        found = at(name, chosen, stencil)
        slope = np.dot([1, -8, 0, 8, -1], found.value) / (12 * step)
        assert found.gradient[2] == pytest.approx(slope, rel=1e-8)
        assert found.gradient[2] != pytest.approx(2 * slope, rel=1e-2)


def test_stated_errors_hold_the_truth_and_meet_the_tolerance():
    d = np.linspace(0.01, 10, 60)
    kl, h2 = at("kl_pq", FAMILIES["distance"], d), at("bc", FAMILIES["distance"], d)
    for found, value, slope in [
        (kl, d**2 / 2, d),
        (h2, np.exp(-(d**2) / 8), -d / 4 * np.exp(-(d**2) / 8)),
    ]:
        assert np.all(np.abs(found.value - value) <= found.value_error)
        assert np.all(np.abs(found.gradient - slope) <= found.gradient_error)
        assert np.all(found.value_error <= 1e-10 * np.abs(found.value))
        assert np.all(found.gradient_error <= 1e-10 * np.abs(found.gradient))


def test_a_family_that_bulk_does_not_serve_is_integrated_point_by_point():
    done = []
    found = curves(
        [Target.of("jsd"), Target.of("w1")],
        FAMILIES["cauchy"],
        np.array([1.0, 100.0]),
        progress=lambda k, n: done.append((k, n)),
    )
    assert done == [(1, 2), (2, 2)]
    assert found[0].value[1] == pytest.approx(0.673348473663999237, rel=1e-14)
    assert found[1].value == pytest.approx([1.0, 100.0])  # a pure shift, though no mean exists


def test_games_bring_what_their_generator_follows():
    table = curve([], "distance", [1.0, 5.0, 10.0], losses=["minimax", "non-saturating"])
    jsd = curve(["jsd", "kl_qp"], "distance", [1.0, 5.0, 10.0])
    assert table["minimax"] == pytest.approx(2 * jsd["jsd"], rel=1e-13)
    followed = jsd["kl_qp_gradient"] - 2 * jsd["jsd_gradient"]
    assert table["non-saturating_gradient"] == pytest.approx(followed, 1e-12)
    assert table["non-saturating_gradient"] == pytest.approx([0.602, 4.953, 10], rel=1e-3)
    kl_qm = curve(["kl_qm"], "distance", [1.0])["kl_qm_gradient"][0]
    assert table["minimax_gradient"][0] != pytest.approx(kl_qm, rel=1e-2)  # the loss's own value


def test_the_gradient_vanishes_where_the_root_is_and_not_at_five():
    found = vanishing("jsd")
    assert found.peak == pytest.approx(1.636255721, abs=2e-7)
    assert found.peak_gradient == pytest.approx(0.233659879635792, rel=1e-14)
    assert found.falls_at == pytest.approx(6.632, abs=1e-3)
    left = at("jsd", FAMILIES["distance"], [found.falls_at, 5.0]).gradient / found.peak_gradient
    assert left[0] == pytest.approx(0.01, rel=1e-8)
    assert left[1] == pytest.approx(0.1014, abs=1e-4)
    assert vanishing("kl_qp").falls_at is None


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_standard_laws_are_those_of_the_catalogue(name):
    at_d, x = np.array([0.0, 0.5, 1.0]), np.linspace(-4, 6, 41)[None, :]
    family = Family("normal(0, 1)", f"{name}(d**2, 1 + d/3)")
    batch = rows(family.q, at_d)
    for k, d in enumerate(at_d):
        one, law = batch.take(slice(k, k + 1)), family.at(d)[1]
        assert one.log_density(x)[0] == pytest.approx(law.logpdf(x[0]), rel=1e-13)
        score = 2 * d * law.score("loc", x[0]) + law.score("scale", x[0]) / 3
        assert one.score(x)[0] == pytest.approx(score, rel=1e-12, abs=1e-13)


def test_how_a_number_depends_on_d_is_read_from_its_formula():
    cubic = Family("normal(0, 1)", "normal((d-1)*(d-2)*(d-3), 1)")  # 0 at 1, 2 and 3
    found = at("kl_pq", cubic, [1.0, 2.0, 2.5, 4.0])
    assert found.value == pytest.approx([0, 0, 0.0703125, 18], abs=1e-14)
    assert found.gradient == pytest.approx([0, 0, 0.09375, 66], abs=1e-13)
    deep = Family("mixture((1-d)/2*normal(0, 1) + (1+d)/2*affine(laplace(d, 1), 0, -1/d))",
                  "restrict(normal_mixture((0.5, 0.5), (-1, d/4), (1, 1)), -d, inf)")  # fmt: skip
    assert slopes_of(deep, 0.5) == {
        "p.weights[0]": -0.5,
        "p.weights[1]": 0.5,
        "p.components[1].base.loc": 1.0,
        "p.components[1].scale": 4.0,
        "q.base.locs[1]": 0.25,
        "q.a": -1.0,
    }
    assert slopes_of(Family("normal(0, 1)", "normal(0, 1)"), 1.0) == {}


def test_a_number_that_d_cannot_make_is_refused():
    for text in ("normal(1/d, 1)", "normal(d**(1/2), 1)", "normal(0, d)"):
        with pytest.raises(GantheoryError):
            curves([Target.of("jsd")], Family("normal(0, 1)", text), np.array([0.0, 1.0]))


def test_a_curve_of_one_point_takes_any_legal_scale():
    found = at("jsd", Family("normal(0, 1)", "normal(0, d)"), [2.0])
    assert found.value[0] == pytest.approx(0.0927333816664, rel=1e-11)


SPIKED = "mixture(0.9*normal(0, 1) + 0.1*normal(0.3, d))"
# 77 digits by adaptive Gauss-Legendre, apart from this code
WRONG_ONCE = [
    ("jsd", SPIKED, "normal(0, 1)", 1e-3, "value", 0.0324990370667816),
    ("tv", SPIKED, "normal(0, 1)", 3e-4, "gradient", -0.308084268268606653),
    ("kl_qp", "laplace(0, 1)", "mixture(0.5*laplace(d, 1) + 0.5*normal(0, 0.1))",
     5.366666666666666, "value", 2.326386809834658470),
]  # fmt: skip


@pytest.mark.parametrize(("name", "p", "q", "d", "part", "truth"), WRONG_ONCE)
def test_a_curve_that_came_out_wrong_is_right_within_its_error(name, p, q, d, part, truth):
    found = at(name, Family(p, q), [d])
    error = getattr(found, f"{part}_error")[0]
    assert abs(getattr(found, part)[0] - truth) <= error + 1e-15 * abs(truth)
    assert error <= 1e-10 * abs(truth)


def one_law(rng):
    name = rng.choice(sorted(STANDARD))
    return f"{name}({rng.normal(0, 2):.3g}, {10 ** rng.uniform(-0.3, 0.5):.3g})"


def test_the_stated_error_of_random_curves_in_bulk_holds_what_one_pair_at_a_time_gives():
    rng, d = np.random.default_rng(7), np.array([0.3, 1.7])
    stated = []
    for _ in range(8):
        w, scale = rng.uniform(0.05, 0.95), 10 ** rng.uniform(-0.3, 0.5)
        p = f"mixture({w:.3g}*{one_law(rng)} + (1 - {w:.3g})*{one_law(rng)})"
        family = Family(p, f"mixture(0.5*{one_law(rng)} + 0.5*normal(d, {scale:.3g}))")
        laws = rows(family.p, d), rows(family.q, d)
        for name in ("jsd", "tv", "kl_pm"):
            for derivative, wrt in ((False, None), (True, "q.components[1].loc")):
                ones = [divergence(name, *family.at(value), wrt=wrt) for value in d]
                for count in (16, 44, 176):  # the rule errs most at a few steps
                    wanted = [Wanted(kernel_of(name), derivative)]
                    bulk = integrate_rows(*laws, wanted, 2, count)[0]
                    for k, one in enumerate(ones):
                        assert abs(bulk.value[k] - one.value) <= bulk.error[k] + one.error
                        stated.append(bulk.error[k])
    assert np.isfinite(stated).mean() > 0.7  # what is not served has the error inf, and is no test


def test_what_a_window_cuts_off_is_in_the_error(monkeypatch):
    short = dataclasses.replace(STANDARD["laplace"], reach=(-6.0, 6.0))
    monkeypatch.setitem(STANDARD, "laplace", short)
    d = np.array([1.0])
    pair = rows("laplace(0, 1)", d), rows("laplace(d, 1)", d)
    # at that many steps the rule itself errs far less than what is cut off
    bulk = integrate_rows(*pair, [Wanted(kernel_of("bc"))], 1, 40_000)[0]
    off = abs(bulk.value[0] - divergence("bc", "laplace(0, 1)", "laplace(1, 1)").value)
    assert 1e-4 < off <= bulk.error[0] <= 100 * off


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_are_written_whole_and_read_back(tmp_path, ending):
    table = curve(["jsd", "tv"], "distance", [0.5, 1.0])
    path = write_table(table, tmp_path / f"table{ending}")
    read = polars.read_csv(path) if ending == ".csv" else polars.read_parquet(path)
    assert read.columns[:5] == ["d", "jsd", "jsd_error", "jsd_gradient", "jsd_gradient_error"]
    assert read["tv"].to_list() == table["tv"].tolist()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: curve(["jsd"], "distence"), "distance"),
        (lambda: curve(["jds"]), "jsd"),
        (lambda: curve(["jsd"], values=[]), "finite"),
        (lambda: curve(["jsd"], values=[1.0, math.inf]), "finite"),
        (lambda: curve([], losses=["minimaxx"]), "minimax"),
        (lambda: curve(["jsd"], Family("normal(0, 1)", "normal(0, d)"), [-1.0]), "scale=-1"),
        (lambda: write_table(curve(["jsd"], values=[1.0]), "x.xlsx"), "csv"),
    ],
)
def test_bad_input_is_named(call, word):
    with pytest.raises(GantheoryError, match=word):
        call()


def run(*arguments):
    return CliRunner().invoke(command, arguments)


def test_the_command_writes_figures_tables_and_json(tmp_path):
    figure, table = tmp_path / "a.svg", tmp_path / "a.csv"
    done = run("-d", "jsd", "-d", "tv", "--to", "8", "--points", "17", "--out", str(figure),
               "--out", str(table), "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["d"][2] == 1.0
    assert answer["curves"]["jsd"]["value"][2] == pytest.approx(0.11142148218473618, rel=1e-14)
    assert answer["vanishing"][0]["falls_at"] == pytest.approx(6.632, abs=1e-3)
    assert answer["files"] == [str(figure), str(table)]
    assert "<svg" in figure.read_text()[:600]
    assert "6.63" in figure.read_text()
    assert polars.read_csv(table).height == 17


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--out", "a.gif"], "a.gif"),
        (["--out", "/nowhere/a.png"], "does not exist"),
        (["--figure", "losses"], "--out"),
        (["--from", "3", "--to", "1"], "less than"),
        (["-d", "jsd", "--measure"], "needs a loss"),
    ],
)
def test_the_command_refuses_before_any_work(arguments, word):
    done = run(*arguments)
    assert isinstance(done.exception, GantheoryError)
    assert word in str(done.exception)


def test_curves_are_columns_a_plot_and_tables_for_others(tmp_path):
    found = curve(["jsd", "kl_pq"], "distance", [0.5, 1.0, 1 / 3])
    assert repr(found) == "Curves(d = 0.5 to 0.333333, 3 points: jsd, kl_pq)"
    assert found.to_polars()["kl_pq"].to_list() == found["kl_pq"].tolist()
    rows = (found.to_csv(tmp_path / "own.csv")).read_text().splitlines()
    assert rows[0].split(",") == found.columns
    for row, *numbers in zip(rows[1:], *found.numbers.values(), strict=True):
        assert [float(text) for text in row.split(",")] == numbers  # every digit
    for gradient, name in ((False, "jsd"), (True, "jsd_gradient")):
        axes = found.plot(gradient=gradient)
        assert [line.get_label() for line in axes.lines] == ["jsd", "kl_pq"]
        assert axes.lines[0].get_ydata().tolist() == found[name].tolist()
        assert found.plot(axes, gradient=gradient) is axes
    assert "<caption>P = normal(0, 1)" in found._repr_html_()
    with pytest.raises(GantheoryError, match="no column 'tv'"):
        found["tv"]
