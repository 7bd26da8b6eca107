"""The campaigns notice what is wrong: run where all is right, and with one planted fault."""

from dataclasses import replace

import numpy as np
import pytest
from flint import arb, ctx

import gantheory
from benchmarks.campaigns import (
    coverage,
    distances,
    embeddings,
    functions,
    games,
    inequalities,
    kills,
    losses,
    numbers,
)
from benchmarks.campaigns.families import FAMILIES, phi
from benchmarks.campaigns.integrals import Oracle
from benchmarks.campaigns.laws import Place, in_many_digits
from benchmarks.campaigns.outcome import Outcome
from benchmarks.campaigns.pairs import Draw, ball_law, text
from gantheory.formulas import FUNCTIONS
from gantheory.records import How


@in_many_digits
def test_the_oracle_knows_closed_forms():
    p, q = ball_law(("normal", 0.0, 1.0)), ball_law(("normal", 3.0, 1.0))
    found = Oracle(["kl_pq", "pearson_chi2", "tv"], lambda t: (p, q)).solve()
    assert abs(found["kl_pq"][0].value - arb(9) / 2) < 1e-20
    assert abs(found["pearson_chi2"][0].value / (arb(9).exp() - 1) - 1) < 1e-20
    assert abs(found["tv"][0].value - (1 - 2 * phi(arb(3) / 2, True))) < 1e-20


@pytest.mark.parametrize("name", sorted(FAMILIES))
@in_many_digits
def test_the_textbook_densities_are_those_of_the_families(name):
    tree = Draw(7).law((name,))
    known, ours = gantheory.density(text(tree)), ball_law(tree)
    place, width = ours.anchors[-1]
    for share in (-0.4, 0.3):
        x = float(place + share * width)
        value = ours.log(Place(arb(x), arb(0)))
        expected = -np.inf if value is None else float(value)
        assert float(known.logpdf(x)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_package_is_asked_in_its_own_precision(monkeypatch):
    seen = []
    monkeypatch.setattr(
        gantheory, "divergence", lambda *a, **k: seen.append(ctx.prec) or gantheory.Estimate(1.0)
    )
    numbers.run(range(5, 6), Outcome())
    assert set(seen) == {ctx.prec} == {53}


def test_a_number_outside_of_its_bar_is_noticed(monkeypatch):
    right, wrong, divergence = Outcome(), Outcome(), gantheory.divergence
    numbers.run(range(5, 6), right)
    assert right.counts["values"] > 5
    assert not right.counts["WRONG"]

    def off(*laws, **options):
        found = divergence(*laws, **options)
        return replace(found, value=found.value * (1 + 1e-6))

    monkeypatch.setattr(gantheory, "divergence", off)
    numbers.run(range(5, 6), wrong)
    assert wrong.counts["WRONG"] >= right.counts["values"] // 2


def test_a_curvature_that_is_off_is_noticed(monkeypatch):
    right, wrong, derive = Outcome(), Outcome(), gantheory.derive
    losses.run(range(7, 8), right)
    assert right.counts["compared"] > 15
    assert not right.counts["WRONG"]

    def off(loss, **options):
        found = derive(loss, **options)
        return replace(found, value=found.followed, followed=found.value)

    monkeypatch.setattr(gantheory, "derive", off)
    losses.run(range(7, 8), wrong)
    assert wrong.counts["WRONG"] > 3


def test_a_missing_equilibrium_and_a_false_behaviour_are_noticed(monkeypatch):
    right = Outcome()
    games.run(range(2, 3), right)
    assert not right.counts["WRONG"]
    wrong = Outcome()
    away = np.full(8, 1e3)
    for behaviour, greatest, last in (
        ("converges", away, away),
        ("diverges", np.ones(8), 0.1 * np.ones(8)),
        ("bounded orbit", away, away),
    ):
        games.judge(behaviour, greatest, last, (), wrong)
    assert wrong.counts["WRONG"] == 3
    monkeypatch.setattr(games, "zeros", lambda field: [(0.25, 0.25)])
    games.run(range(2, 3), wrong)
    assert wrong.counts["WRONG"] == 4


def test_a_false_proof_and_a_false_counterexample_are_noticed(monkeypatch):
    right, wrong, prove = Outcome(), Outcome(), gantheory.prove
    seeds = range(50_000, 50_008)
    inequalities.run(seeds, right)
    assert not right.counts["WRONG"]

    def proved(statement, **options):
        return replace(prove(statement, **options), how=How.PROVED)

    monkeypatch.setattr(gantheory, "prove", proved)
    inequalities.run(seeds, wrong)
    assert wrong.counts["WRONG"] == right.counts["refuted, false"] > 0


def test_distances_of_disjoint_intervals_are_those_of_a_drawing():
    told = distances.solved((("uniform", 0.0, 1.0), ("uniform", 5.0, 6.5)), ("q", "a", None))
    shift, spread = 5.25, 0.5  # of the means, and of the quantiles from first to last
    truth = {
        "w1": shift,
        "energy": 2 * (1 / 3 + 4 + 1.5 / 3),
        "w2": (shift**2 + spread**2 / 12) ** 0.5,
    }
    for name, value in truth.items():
        assert float(told[name][0].value) == pytest.approx(value, rel=1e-12)
    assert float(told["w1"][1].value) == pytest.approx(0.5)


def test_every_function_of_the_language_has_its_turn():
    assert {*functions.ATOMS} == {*FUNCTIONS, ""}
    for part in ("real", "fake", "generator"):
        tried = [functions.composed(seed)[part] for seed in range(len(functions.ATOMS))]
        for name in FUNCTIONS:
            assert any(f"{name}(" in text for text in tried), (part, name)


def test_mmd_by_frequencies_is_that_of_normal_laws_and_a_wrong_one_is_noticed(monkeypatch):
    h, trees = 0.75, (("normal", 0.0, 1.0), ("normal", 1.0, 2.0))
    value, slope = embeddings.solved(trees, "gaussian", h, ("q", "loc", None))

    def mean(apart, variance):  # of the kernel, for a normal difference
        total = h**2 + variance
        return h / total**0.5 * np.exp(-(apart**2) / (2 * total))

    cross = mean(1, 5)
    assert float(value.value) == pytest.approx(mean(0, 2) + mean(0, 8) - 2 * cross, rel=1e-13)
    assert float(slope.value) == pytest.approx(2 * cross / (h**2 + 5), rel=1e-13)
    wrong = Outcome()
    found = gantheory.divergence(f"mmd2(bandwidth={h})", "normal(0, 1)", "normal(1, 2.0001)")
    distances.compare(wrong, (0, "mmd2", None), value, found)
    assert wrong.counts["WRONG"] == 1


@pytest.mark.parametrize(("held", "named"), [(190, 0), (184, 0), (170, 1)])
def test_a_cell_whose_coverage_is_below_by_more_than_chance_is_named(held, named):
    outcome, cells = Outcome(), [f"w1|pair {k}|40" for k in range(20)]
    for k, cell in enumerate(cells):
        outcome.counts[f"tried|{cell}"] = 200
        outcome.counts[f"held|{cell}"] = 190 if k else held
    found = coverage.below(outcome, cells)
    assert (found.value, found.met) == (named, not named)


def test_a_sweep_that_ends_in_another_table_or_in_none_is_noticed(tmp_path):
    alone, same, other, none = (kills.Swept(tmp_path / name, 1) for name in "ason")
    for swept, content in ((alone, "1"), (same, "1"), (other, "2")):
        swept.folder.mkdir()
        for kind in ("csv", "parquet"):
            (swept.folder / f"table.{kind}").write_text(content)
    outcome = Outcome()
    for swept in (same, other, none):
        kills.compare(swept, alone, swept.folder.name, outcome)
    assert outcome.counts == {"tables compared": 3, "WRONG": 2}
    assert outcome.lines == ["WRONG: o | another table", "WRONG: n | no table, 0 of 1 cells kept"]
