"""Runs: a record without pickle, checkpoints that are whole or absent, and death at any instant."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gantheory.errors import GantheoryError, MissingExtraError
from gantheory.records import Estimate, Status
from simulations.data import Law, ring
from simulations.ensembles import Member, Recipe
from simulations.networks import Affine, Mlp
from simulations.runs import (
    CHECKPOINT,
    RECORD,
    Run,
    as_plain,
    load_checkpoint,
    save_checkpoint,
    train_run,
)
from simulations.updates import Sgd

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_runs import MEMBERS, RECIPE, measure
from simulations.runs import train_run
train_run(Path(sys.argv[1]), MEMBERS, RECIPE, measure=measure, every=64)
"""


def law(loc):
    from gantheory.densities import parse_density

    return Law(parse_density(f"normal({loc}, 1)"))


MEMBERS = [Member(law(k), seed=k, noise=0.1 * k, generator_rate=1e-2) for k in range(3)]
RECIPE = Recipe(Mlp((1, 16, 16, 1)), Affine(), steps=64 * 30 + 7, batch=32)


def measure(state):
    loc = state.parameters["generator"][:, 0]
    return {"loc": loc, "mean": Estimate(float(loc.mean()), 0.1), "worst": float("inf")}


def small(steps=200, **changes):
    return replace(RECIPE, steps=steps, **changes)


def test_a_run_killed_at_any_instant_ends_bitwise_as_one_that_was_not(tmp_path):
    whole = train_run(tmp_path / "whole", MEMBERS, RECIPE, measure=measure, every=64)
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    place = tmp_path / "killed" / CHECKPOINT
    child = subprocess.Popen([sys.executable, "-c", script, str(place.parent)])
    seen = set()
    while child.poll() is None and len(seen) < 4:  # then kill; where it strikes is up to chance
        if place.exists():
            seen.add(place.stat().st_mtime_ns)
        time.sleep(0.002)
    assert child.poll() is None, "the run ended before it could be killed"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    run, state = load_checkpoint(place.parent)  # whole, whenever the kill came
    assert run.step == state.step
    assert 0 < state.step < RECIPE.steps
    resumed = train_run(place.parent, MEMBERS, RECIPE, measure=measure, every=64)
    assert resumed == whole
    for name in (CHECKPOINT, RECORD):
        assert (place.parent / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = train_run(tmp_path, MEMBERS, small(), measure=measure, every=64)
    steps = []
    again = train_run(tmp_path, MEMBERS, small(), progress=lambda done, _: steps.append(done))
    assert again == first
    assert steps == []


def test_the_record_is_strict_json_and_reads_back(tmp_path):
    run = train_run(tmp_path, MEMBERS, small(), measure=measure, every=64)
    text = (tmp_path / RECORD).read_text()
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [entry["step"] for entry in data["measurements"]] == [64, 128, 192, 200]
    assert data["measurements"][0]["worst"] == "inf"
    assert data["measurements"][0]["mean"]["status"] == Status.OK
    assert data["members"][1]["real"] == {"type": "Law", "density": "normal(1, 1)", "block": 1}
    assert Run.from_json(text) == run


@pytest.mark.parametrize(
    ("members", "recipe"),
    [
        (MEMBERS[:2], small()),
        ([replace(MEMBERS[0], seed=9), *MEMBERS[1:]], small()),
        ([replace(MEMBERS[0], real=law(7)), *MEMBERS[1:]], small()),
        (MEMBERS, small(batch=64)),
        (MEMBERS, small(steps=300)),
        (MEMBERS, small(dtype=torch.float32)),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_kept(tmp_path, members, recipe):
    train_run(tmp_path, MEMBERS, small())
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(GantheoryError, match="belongs to another run"):
        train_run(tmp_path, members, recipe)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b"", lambda b: b"x" * len(b)])
def test_a_damaged_checkpoint_is_named_and_nothing_is_overwritten(tmp_path, damage):
    train_run(tmp_path, MEMBERS, small(64))
    place = tmp_path / CHECKPOINT
    place.write_bytes(damage(place.read_bytes()))
    with pytest.raises(GantheoryError, match=r"checkpoint.safetensors is no checkpoint"):
        train_run(tmp_path, MEMBERS, small(64))


def test_records_that_are_none_are_refused():
    for text in ("", "[]", '{"format": 99}', '{"format": 1}'):
        with pytest.raises(GantheoryError, match="not the record of a run"):
            Run.from_json(text)


def test_what_cannot_be_recorded_is_refused_before_training(tmp_path):
    class Opaque:
        dim = 1

        def sample(self, n, generator, dtype):
            raise AssertionError("trained")

    with pytest.raises(GantheoryError, match="Opaque cannot be recorded"):
        train_run(tmp_path / "none", [Member(Opaque())], small())
    assert not (tmp_path / "none").exists()


def test_an_unwritable_folder_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GantheoryError, match=r"cannot write .*choose another folder"):
        train_run(tmp_path / "file" / "below", MEMBERS, small())


def test_descriptions_hold_every_field_of_games_and_laws():
    described = as_plain(Member(ring(), seed=3))
    assert described["loss"] == "non-saturating"
    assert len(described["real"]["centres"]) == 8
    assert json.loads(json.dumps(as_plain(RECIPE)))["discriminator"]["sizes"] == [
        1,
        16,
        16,
        1,
    ]


def test_tensorboard_files_are_written_or_the_extra_is_named(tmp_path):
    board = tmp_path / "board"
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"gantheory\[tensorboard\]"):
            train_run(tmp_path / "run", MEMBERS, small(), tensorboard=board)
        return
    train_run(tmp_path / "run", MEMBERS, small(), measure=measure, every=64, tensorboard=board)
    (file,) = board.glob("events.*")
    content = file.read_bytes()
    for tag in (b"loc/0", b"loc/2", b"mean"):
        assert tag in content


# --- two at work, another measure, members that left the numbers, full disks --------------------


def test_a_second_run_in_a_folder_at_work_is_refused_in_one_line_and_changes_nothing(tmp_path):
    refused = []

    def measure_and_disturb(state):
        before = (tmp_path / CHECKPOINT).read_bytes()
        with pytest.raises(
            GantheoryError, match=r"another run is at work in .*wait for it"
        ) as caught:
            train_run(tmp_path, MEMBERS, small(), measure=measure)
        assert "\n" not in str(caught.value)
        assert (tmp_path / CHECKPOINT).read_bytes() == before
        refused.append(state.step)
        return measure(state)

    train_run(tmp_path, MEMBERS, small(), measure=measure_and_disturb, every=64)
    assert refused == [64, 128, 192, 200]
    train_run(tmp_path, MEMBERS, small(), measure=measure)  # free again


def test_a_second_process_is_refused_too(tmp_path):
    from gantheory.files import LOCK

    held = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
        "print(1, flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", held, str(tmp_path / LOCK)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "1\n"
    with pytest.raises(GantheoryError, match="another run is at work"):
        train_run(tmp_path, MEMBERS, small())
    holder.communicate("\n")
    assert not (tmp_path / CHECKPOINT).exists()


OTHER_MEASURES = [
    None,
    lambda state: {**measure(state), "more": 1.0},
    lambda state: {**measure(state), "loc": state.parameters["generator"][:, 1]},
    lambda state: {**measure(state), "mean": Estimate(0.0, 0.2)},
    lambda state: {},
]


@pytest.mark.parametrize("other", OTHER_MEASURES)
def test_a_run_is_not_taken_up_again_with_another_measure(tmp_path, other):
    with pytest.raises(KeyboardInterrupt):
        train_run(tmp_path, MEMBERS, small(), measure=measure, every=64, progress=interrupt(128))
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(GantheoryError, match="measured otherwise before"):
        train_run(tmp_path, MEMBERS, small(), measure=other, every=64)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    run = train_run(tmp_path, MEMBERS, small(), measure=lambda state: measure(state), every=64)
    assert [entry["step"] for entry in run.measurements] == [64, 128, 192, 200]


def test_a_run_without_a_measure_is_not_taken_up_with_one(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_run(tmp_path, MEMBERS, small(), every=64, progress=interrupt(128))
    with pytest.raises(GantheoryError, match="measured otherwise before"):
        train_run(tmp_path, MEMBERS, small(), measure=measure, every=64)
    assert train_run(tmp_path, MEMBERS, small(), every=64).step == 200


def interrupt(at):
    def progress(done, steps):
        if done > at:
            raise KeyboardInterrupt

    return progress


def test_a_member_that_leaves_the_numbers_has_a_status_and_the_others_keep_theirs(tmp_path):
    wild = replace(MEMBERS[1], generator_rate=1e308, discriminator_rate=1e308)
    recipe = small(rule=Sgd())
    run = train_run(tmp_path, [MEMBERS[0], wild, MEMBERS[2]], recipe, every=64)
    assert [entry["status"] for entry in run.statuses] == ["ok", "undetermined", "ok"]
    assert run.statuses[1]["reason"].startswith("its parameters were not all finite after step 64")
    assert Run.from_json((tmp_path / RECORD).read_text()) == run


@pytest.mark.parametrize("broken", ["os.replace", "os.fsync"])
def test_a_full_disk_leaves_the_old_checkpoint_and_no_temporary_file(tmp_path, monkeypatch, broken):
    train_run(tmp_path, MEMBERS, small(64))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(broken, full)
    run, state = load_checkpoint(tmp_path)
    with pytest.raises(GantheoryError, match=r"cannot write .*No space left on device"):
        save_checkpoint(tmp_path, run, state)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_a_killed_process_left_half_written_is_removed_by_the_next(tmp_path):
    left = tmp_path / f".{CHECKPOINT}.x8s7f.partial"
    left.write_text("half")
    train_run(tmp_path, MEMBERS, small(64))
    assert not left.exists()
