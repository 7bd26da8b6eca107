"""Every experiment, on its small budget, ends in the verdicts that it should; records survive."""

import json
import pickle
from dataclasses import replace

import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli
from gantheory.errors import GantheoryError
from gantheory.ledger.simulated import judge_comparison, outcomes
from gantheory.records import Estimate, How, Status
from simulations.experiments import NAMES, load
from simulations.experiments.base import Comparison, Experiment, Measurement, Record, Setting

QUICK = Setting(quick=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_quick_run_ends_in_the_expected_verdicts_and_a_figure(name, tmp_path):
    import matplotlib as mpl

    mpl.use("Agg")
    experiment = load(name)
    record = Record(name, QUICK, tuple(experiment.run(QUICK)))
    record.write(tmp_path / "record.json")
    kept = Record.read(tmp_path / "record.json")
    judged = outcomes(experiment, kept.measurements)
    assert judged
    assert [o.check.id for o in judged if not o.as_expected] == []
    assert len({o.check.id for o in judged}) == len(judged)
    assert any(o.check.expected is How.REFUTED for o in judged)  # a twin that must fail
    every = {c.id: c for m in kept.measurements for c in m.comparisons}
    every |= {c.id: c for c in experiment.conclude(kept.measurements)}
    for c in every.values():
        blind = judge_comparison(replace(c, left=Estimate.undetermined("nothing was measured")))
        assert blind.how is not c.expected, c.id  # what is expected was fixed beforehand
        if c.twin_of:
            law = every[c.twin_of]
            mirrored = {law.left.value, law.right.value} == {c.left.value, c.right.value}
            assert not mirrored, c.id
    figure = experiment.draw(kept.measurements)
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_says_what_it_claims_and_expects(name):
    experiment = load(name)
    assert experiment.name == name
    assert experiment.claim
    assert experiment.expected
    assert experiment.source
    assert 0 < experiment.quick_minutes <= experiment.minutes
    every = experiment.cases(False)
    assert set(experiment.cases(True)) <= set(every)
    assert len(set(map(str, every))) == len(every)  # labels are the keys of a record
    assert pickle.loads(pickle.dumps(every)) == every


# --- records ------------------------------------------------------------------------------------


def made(case="a", left=1.0):
    comparison = Comparison(
        f"toy.{case}", "left = right", Estimate(left, 0.1), "=", Estimate.infinite("far away")
    )
    return Measurement(case, (comparison,), {"list": [1, 2.5], "none": None}, 0.25)


def toy(log, fail_at=None):
    def measure(case, setting):
        log.append(case)
        if case == fail_at:
            raise KeyboardInterrupt
        return made(case, setting.seed_of(case))

    return Experiment(
        "toy", "Toy", "a claim", ("a number",), 1, 1, lambda quick: ("a", "b", "c"), measure,
        lambda measured: None,
    )  # fmt: skip


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "deep" / "record.json"
    record = Record("toy", QUICK, (made(), made("b")))
    record.write(path)
    assert Record.read(path) == record
    assert Record.read(path).measurements[0].comparisons[0].right.status is Status.INFINITE
    json.loads(path.read_text(), parse_constant=pytest.fail)  # strict: no NaN, no Infinity


def test_what_was_measured_survives_an_interrupt_and_is_not_measured_again(tmp_path):
    path = tmp_path / "record.json"
    record, log = Record("toy", QUICK), []
    try:
        for measurement in toy(log, fail_at="b").run(QUICK):
            record = record.extended(measurement)
            record.write(path)
        pytest.fail("the run was not interrupted")
    except KeyboardInterrupt:
        pass
    kept = Record.resume(path, "toy", QUICK)
    assert [m.case for m in kept.measurements] == ["a"]
    log.clear()
    rest = tuple(toy(log).run(QUICK, kept.measurements))
    assert log == ["b", "c"]
    whole = tuple(toy([]).run(QUICK))
    resumed = [replace(m, seconds=0) for m in (*kept.measurements, *rest)]
    assert resumed == [replace(m, seconds=0) for m in whole]


@pytest.mark.parametrize("other", [Setting(seed=1, quick=True), Setting()])
def test_a_record_under_another_setting_is_refused(tmp_path, other):
    path = tmp_path / "record.json"
    Record("toy", QUICK).write(path)
    with pytest.raises(GantheoryError, match="choose another --out"):
        Record.resume(path, "toy", other)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_file_that_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(GantheoryError, match="is no record"):
        Record.read(path)


def test_an_unfinished_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    Record("toy", QUICK, (made(),)).write(path)
    before = path.read_bytes()

    def torn(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", torn)
    with pytest.raises(GantheoryError, match="No space left"):
        Record("toy", QUICK, (made(), made("b"))).write(path)
    assert path.read_bytes() == before


def test_seeds_differ_between_cases_and_repeat_for_one():
    assert QUICK.seed_of("a") == Setting(quick=True).seed_of("a") != QUICK.seed_of("b")
    assert Setting(seed=1).seed_of("a") != QUICK.seed_of("a")


# --- verdicts -----------------------------------------------------------------------------------

JUDGED = [
    (Estimate(1.0, 0.04), "=", Estimate(1.02), How.MEASURED),
    (Estimate(1.0, 0.1), "=", Estimate(1.05), How.UNDECIDED),  # allows a tenth of the theory
    (Estimate(1.0, 0.1), "=", Estimate(1.2), How.REFUTED),
    (Estimate(1.0, 0.1), "<=", Estimate(0.95), How.MEASURED),
    (Estimate(1.0, 0.1), "<=", Estimate(0.8), How.REFUTED),
    (Estimate(0.0, 0.1), "<=", Estimate(5.0), How.MEASURED),
    (Estimate.undetermined("too few"), "=", Estimate(1.0), How.UNDECIDED),
]


@pytest.mark.parametrize(("left", "relation", "right", "how"), JUDGED)
def test_a_comparison_gets_its_verdict(left, relation, right, how):
    assert judge_comparison(Comparison("id", "statement", left, relation, right)).how is how
    if relation == "<=":
        turned = (replace(e, value=-e.value) for e in (left, right))
        found, bound = turned
        assert judge_comparison(Comparison("id", "statement", found, ">=", bound)).how is how


@pytest.mark.parametrize(
    ("found", "how"), [(0.95, How.MEASURED), (0.6, How.UNDECIDED), (0.4, How.REFUTED)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_sure_bound_holds_for_the_whole_interval_or_is_undecided(found, how, sign):
    left, bound = Estimate(sign * found, 0.05), Estimate(sign * 0.6, 0.1)
    relation = ">=" if sign > 0 else "<="
    verdict = judge_comparison(Comparison("id", "statement", left, relation, bound, surely=True))
    assert verdict.how is how
    assert (verdict.left, verdict.error) == (left.value, pytest.approx(0.15))
    assert how is not How.UNDECIDED or "too few samples: the interval" in verdict.reason


def test_nothing_is_as_it_should_be_where_no_gradient_was_measured(monkeypatch):
    from simulations.experiments import frozen_gradient as module

    blind = Estimate.undetermined("nothing was measured")
    monkeypatch.setattr(module.measure, "frozen_gradient", lambda *rest, **how: blind)
    monkeypatch.setattr(module, "_fitted", lambda *rest: None)
    for case in module.cases(True):
        comparisons = module.compare(case, QUICK).comparisons
        assert len(comparisons) >= 4
        assert not any(judge_comparison(c).how is c.expected for c in comparisons)


def test_what_is_out_of_reach_names_cases_and_none_of_the_quick_ones():
    from simulations.experiments.frozen_gradient import OUT_OF_REACH, WRT, Gradient, cases
    from simulations.experiments.pairs import LossOnPair

    places = {
        Gradient(case.loss, case.pair, wrt, kind)
        for case in cases(False) for wrt in WRT for kind in ("optimal", "trained")
    }  # fmt: skip
    assert places >= OUT_OF_REACH
    assert not {LossOnPair(place.loss, place.pair) for place in OUT_OF_REACH} & set(cases(True))


@pytest.mark.parametrize(("how", "status"), [(How.MEASURED, 0), (How.REFUTED, 1)])
def test_simulate_exits_by_its_verdicts(tmp_path, how, status):
    found = Comparison("toy.law", "1 = 1", Estimate(1.0), "=", Estimate(1.0), how)
    Record("sensitivity", QUICK, (Measurement("k=1", (found,), {}),)).write(
        tmp_path / "record.json"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantheory.cli.simulate._draw", lambda *rest: None)
        result = CliRunner().invoke(
            cli, ["simulate", "sensitivity", "--quick", "--out", str(tmp_path)],
            standalone_mode=False,
        )  # fmt: skip
    assert result.return_value == status
    assert ("should be refuted" in result.output) == bool(status)


def test_simulate_from_python_goes_on_from_the_record_and_judges_it(tmp_path):
    found = Comparison("toy.law", "1 = 1", Estimate(1.0), "=", Estimate(1.0), How.MEASURED)
    done = Record("sensitivity", QUICK, (Measurement("k=1", (found,), {}),))
    done.write(tmp_path / "record.json")
    simulation = gt.simulate("sensitivity", quick=True, out=tmp_path)
    assert simulation.record == done
    assert simulation.as_expected
    (verdict,) = simulation.as_dict()["verdicts"]
    assert (verdict["id"], verdict["how"]) == ("toy.law", "measured")
    with pytest.raises(GantheoryError, match="reads no data"):
        gt.simulate("sensitivity", quick=True, data=tmp_path)


def test_simulate_refuses_a_folder_in_which_another_is_at_work(tmp_path):
    from gantheory.files import locked

    with locked(tmp_path, "--out"):
        result = CliRunner().invoke(
            cli, ["simulate", "digits", "--quick", "--out", str(tmp_path)], standalone_mode=False
        )
    assert isinstance(result.exception, GantheoryError)
    assert "another run is at work in" in str(result.exception)
    assert "choose another --out" in str(result.exception)


# --- the command line ---------------------------------------------------------------------------


def test_simulate_lists_the_experiments():
    result = CliRunner().invoke(cli, ["simulate", "--json"])
    listed = json.loads(result.output)["experiments"]
    assert [entry["name"] for entry in listed] == list(NAMES)


def test_simulate_runs_resumes_and_reports(tmp_path):
    arguments = ["simulate", "digits", "--quick", "--json", "--out", str(tmp_path)]
    Record("digits", QUICK, (Measurement("train"),)).write(tmp_path / "record.json")
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    data = json.loads(result.output)
    assert result.return_value == 0
    assert data["as_expected"] is True
    assert [v["id"] for v in data["verdicts"]] == [
        "digits.forms.equal", "digits.forms.compiled", "digits.forms.written",
    ]  # fmt: skip
    assert (tmp_path / "figure.svg").exists()
    kept = Record.read(tmp_path / "record.json").measurements
    assert sorted(one.case for one in kept) == ["forms", "train"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimal-discriminater"], "did you mean 'optimal-discriminator'"),
        (["digits", "--device", "abacus"], "device 'abacus' is not available"),
        (["sensitivity", "--data", "mnist"], "sensitivity reads no data; leave it out"),
    ],
)
def test_simulate_refuses_what_it_cannot_do(tmp_path, arguments, message):
    place = ["--out", str(tmp_path / "new")]
    result = CliRunner().invoke(cli, ["simulate", *arguments, *place], standalone_mode=False)
    assert isinstance(result.exception, GantheoryError)
    assert message in str(result.exception)
    assert not (tmp_path / "new").exists()  # nothing half-written


def test_simulate_writes_the_curves_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    numbers = {"step": [0, 64], "jsd": [[0.5, 0.4], [0.1, float("inf")]], "share": 0.25}
    measured = tuple(Measurement(case, (), numbers) for case in load("training").cases(True))
    Record("training", QUICK, measured).write(tmp_path / "record.json")
    place = ["--out", str(tmp_path), "--tensorboard", str(tmp_path / "board")]
    arguments = ["simulate", "training", "--quick", "--json", *place]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantheory.cli.simulate._draw", lambda *rest: None)
        assert CliRunner().invoke(cli, arguments, standalone_mode=False).return_value == 0
    (file,) = (tmp_path / "board").glob("events.*")
    content = file.read_bytes()
    for tag in (b"minimax/jsd/0", b"plane/jsd/1", b"line/share"):
        assert tag in content


def test_simulate_refuses_a_place_that_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(
        cli, ["simulate", "digits", "--out", str(tmp_path / "file")], standalone_mode=False
    )
    assert isinstance(result.exception, GantheoryError)
    assert "choose another --out" in str(result.exception)
