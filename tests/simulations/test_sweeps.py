"""Sweeps: a table that no crash of anything changes."""

import json
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli
from gantheory.cli.sweep import whole_numbers
from gantheory.errors import GantheoryError
from gantheory.files import locked
from simulations.sweeps import sweep as module
from simulations.sweeps.cells import (
    MEANING,
    Settings,
    blocks_of,
    cells_of,
    measured_cells,
    records_of_block,
)
from simulations.sweeps.engines import Workers
from simulations.sweeps.store import Store
from simulations.sweeps.sweep import finished_cells, sweep

P, Q = "normal(0, 1)", "normal(1, 1)"
SMALL = {"steps": 64, "batch": 32, "hidden": (8,)}
HOW = Settings(**SMALL)


def cells(count, **changes):
    return cells_of(["minimax"], [P], [Q], range(count), replace(HOW, **changes))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The table of a sweep that nothing disturbed."""
    return sweep("minimax", P, Q, seeds=range(4), out=tmp_path_factory.mktemp("w"),
                 workers=1, **SMALL)  # fmt: skip


def test_a_row_holds_the_gap_to_the_optimum_that_the_theory_gives(whole):
    assert whole["status"].to_list() == ["ok"] * 4
    optimum = 2 * float(gt.divergence("jsd", P, Q)) - 2 * np.log(2)
    assert whole["optimum"].to_numpy() == pytest.approx(optimum, abs=1e-10)
    assert (whole["gap"] >= -whole["gap_error"]).all()
    assert whole["gap"].max() < 0.2  # and 0.23 is what D = 1/2 loses
    assert len(set(whole["value"])) == 4  # seeds differ


def test_a_cell_is_bitwise_the_same_in_every_company():
    three = cells(2)
    together = measured_cells(three, HOW)
    assert [measured_cells([cell], HOW)[0] for cell in three] == together
    assert measured_cells(three[::-1], HOW) == together[::-1]


def test_a_sweep_that_is_interrupted_goes_on_to_the_same_table(tmp_path, whole):
    def stop(done, total):
        assert total == 4
        if done == 3:
            raise KeyboardInterrupt

    line = {"seeds": range(4), "out": tmp_path, "workers": 1, **SMALL}
    with pytest.raises(KeyboardInterrupt):
        sweep("minimax", P, Q, progress=stop, **line)
    seen = []
    found = sweep("minimax", P, Q, progress=lambda *at: seen.append(at), **line)
    assert seen == [(3, 4), (4, 4)]  # what is kept is told before the work
    assert found.equals(whole)
    kept = [(tmp_path / f"table.{end}").read_bytes() for end in ("csv", "parquet")]
    assert sweep("minimax", P, Q, **line).equals(whole)
    assert kept == [(tmp_path / f"table.{end}").read_bytes() for end in ("csv", "parquet")]


HELPER = """
import json, os, signal
def records_of_block(text):
    cells = json.loads(text)["cells"]
    flag = os.path.join({folder!r}, "killed")
    if cells[0][3] == 2 and (len(cells) > 1 or {always}) and ({always} or not os.path.exists(flag)):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    print("noise")  # must not stand between answers
    return json.dumps([{{"status": "ok", "value": float(cell[3])}} for cell in cells])
"""


def swept_by_workers(tmp_path, monkeypatch, always):
    """What a sweep finds whose worker dies at the cell of seed 2, once or always."""
    (tmp_path / "dying.py").write_text(HELPER.format(folder=str(tmp_path), always=always))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import dying

    monkeypatch.setattr(module, "records_of_block", dying.records_of_block)
    where = Workers(2)
    six = cells(6)
    try:
        found = dict(finished_cells([six[:2], six[2:4], six[4:]], HOW, where))
    finally:
        where.close()
    del sys.modules["dying"]
    assert not where.children
    return [found[cell] for cell in six]


def test_the_cells_of_a_killed_worker_are_measured_by_another(tmp_path, monkeypatch):
    found = swept_by_workers(tmp_path, monkeypatch, always=False)
    assert (tmp_path / "killed").exists()
    assert [row["value"] for row in found] == [0, 1, 2, 3, 4, 5]


def test_a_cell_that_kills_every_worker_is_set_aside_by_name_and_alone(tmp_path, monkeypatch):
    found = swept_by_workers(tmp_path, monkeypatch, always=True)
    assert [row.get("value") for row in found] == [0, 1, None, 3, 4, 5]
    assert "set aside after 3 tries: its process ended with status -9" in found[2]["reason"]
    assert found[2]["kept"] is False


def test_any_executor_measures_and_stays_open(tmp_path, whole):
    with ThreadPoolExecutor(1) as pool:
        found = sweep("minimax", P, Q, seeds=range(4), out=tmp_path, executor=pool,
                      **SMALL)  # fmt: skip
        assert pool.submit(int, "1").result() == 1
    assert found.equals(whole)


def test_a_broken_executor_is_one_line_and_loses_nothing(tmp_path):
    class Broken(ThreadPoolExecutor):
        def submit(self, function, text):
            if json.loads(text)["cells"][0][3] == 0:
                return super().submit(function, text)

            def fail():
                raise BrokenProcessPool

            return super().submit(fail)

    with Broken(1) as pool, pytest.raises(GantheoryError, match="the executor broke"):
        sweep("minimax", P, Q, seeds=range(4), out=tmp_path, executor=pool, **SMALL)
    store = Store(tmp_path, HOW)
    assert len(store.missing(cells(4))) < 4


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 1, "cell": {"seed": 0}}'])
def test_a_damaged_record_is_named_and_kept(tmp_path, damage):
    store = Store(tmp_path, HOW)
    (cell,) = cells(1)
    store.keep(cell, {"status": "ok"})
    assert store.read(cell) == {"status": "ok"}
    store.place(cell).write_bytes(damage)
    with pytest.raises(GantheoryError, match=r"is no record of a cell .*remove it"):
        sweep("minimax", P, Q, seeds=[0], out=tmp_path, **SMALL)
    assert store.place(cell).read_bytes() == damage


def test_a_cells_name_depends_on_all_that_decides_it_and_on_nothing_else(monkeypatch):
    (cell,) = cells(1)
    key = cell.key(HOW)
    assert replace(cell, loss=("other", *cell.loss[1:])).key(HOW) == key  # a name decides nothing
    others = [
        replace(cell, seed=1), replace(cell, p=Q), replace(cell, q=P),
        replace(cell, loss=(*cell.loss[:-1], "t")), replace(cell, loss=("minimax", *cell.loss[:5])),
    ]  # fmt: skip
    keys = {other.key(HOW) for other in others if other != cell}
    changes = {
        "train": "both", "steps": 65, "batch": 33, "hidden": (9,), "activation": "tanh",
        "rate": 0.5, "generator_rate": 0.5,
    }  # fmt: skip
    assert changes.keys() == Settings.__dataclass_fields__.keys()
    keys |= {cell.key(replace(HOW, **{name: value})) for name, value in changes.items()}
    assert len(keys) == 5 + len(changes)
    assert key not in keys
    monkeypatch.setattr("simulations.sweeps.cells.MEANING", MEANING + 1)
    assert cell.key(HOW) not in {key, *keys}


RECORDS = {2: {("minimax", 1e-2): ("ok", -1.1831092961), ("f-gan-kl", 1e3): ("undetermined", None)}}


def test_what_a_cell_measures_changes_with_its_version_alone():
    """Else the records of an older release are read as if this one had measured them."""
    for (loss, rate), (status, value) in RECORDS[MEANING].items():
        how = replace(HOW, rate=rate)
        (found,) = measured_cells(cells_of([loss], [P], [Q], [0], how), how)
        assert found["status"] == status
        assert found["value"] == (value and pytest.approx(value, rel=1e-6))


def test_a_generator_that_is_trained_ends_nearer_and_its_law_is_in_the_row(tmp_path):
    found = sweep("non-saturating", P, "normal(2, 1)", seeds=[0, 1], out=tmp_path, train="both",
                  steps=256, batch=64, hidden=(8,), rate=1e-2, generator_rate=3e-2,
                  workers=1)  # fmt: skip
    assert (found["loc"].abs() < 1.5).all()
    end = f"normal({found['loc'][0]!r}, {abs(found['scale'][0])!r})"
    truth = 2 * float(gt.divergence("jsd", P, end)) - 2 * np.log(2)
    assert found["optimum"][0] == pytest.approx(truth, abs=1e-9)


def test_blocks_hold_every_cell_once_and_one_start_of_the_generator_each():
    both = replace(HOW, train="both")
    many = cells_of(["minimax"], [P], [Q, "normal(2, 1)"], range(21), both)
    blocks = blocks_of(many, both)
    assert sorted(chain(*blocks), key=many.index) == many
    assert {len({cell.q for cell in block}) for block in blocks} == {1}
    assert max(map(len, blocks)) == 16
    assert [len(block) for block in blocks_of(cells(8), HOW, most=4)] == [2] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "minimx"}, "did you mean 'minimax'"),
        ({"loss": "wgan"}, "constrains its discriminator"),
        ({"loss": []}, "at least one loss"),
        ({"p": "normal_nd((0, 0), ((1, 0), (0, 1)))"}, "densities on the line"),
        ({"seeds": [-1]}, "seed=-1 must be"),
        ({"q": "laplace(0, 1)", "train": "both"}, "starts as a normal law"),
        ({"steps": 0}, "steps=0 must be at least 1"),
        ({"train": "generator"}, "unknown train"),
        ({"workers": 0}, "workers=0 must be at least 1"),
        ({"executor": 3}, "has no submit"),
    ],
)
def test_what_cannot_be_swept_is_one_line_before_any_work(tmp_path, change, message):
    line = {"loss": "minimax", "p": P, "q": Q, "seeds": [0], **change}
    with pytest.raises(GantheoryError, match=message):
        gt.sweep(line.pop("loss"), line.pop("p"), line.pop("q"), out=tmp_path, **line)
    assert not list(tmp_path.glob("cells/*"))


def test_the_command_line_makes_the_same_table(tmp_path, whole):
    line = ["sweep", "--loss", "minimax", "--p", P, "--q", Q, "--seeds", "0:4", "--workers", "1",
            "--steps", "64", "--batch", "32", "--hidden", "8", "--out", str(tmp_path)]  # fmt: skip
    done = CliRunner().invoke(cli, [*line, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    rows = json.loads(done.output)["cells"]
    assert rows == whole.to_dicts()
    again = CliRunner().invoke(cli, line, catch_exceptions=False)
    assert "table.parquet" in again.output


def test_lists_of_seeds_are_read_and_refused():
    assert whole_numbers("0:3,7") == [0, 1, 2, 7]
    with pytest.raises(GantheoryError, match="write 0:100"):
        whole_numbers("0-3")


def test_a_worker_that_starts_while_all_are_ended_is_ended_too(monkeypatch):
    """Ctrl-C finds a process that is there, but not yet among those that are known."""
    engine, start, made = Workers(1), subprocess.Popen, []

    def late(*line, **options):
        made.append(start([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        closing.start()
        closing.join(0.3)  # its round of killing is over
        return made[0]

    closing = threading.Thread(target=engine.close, daemon=True)
    monkeypatch.setattr(subprocess, "Popen", late)
    engine.submit(records_of_block, "")
    until = time.monotonic() + 20
    while (not made or made[0].poll() is None) and time.monotonic() < until:
        time.sleep(0.05)
    closing.join(20)
    assert made[0].poll() == -signal.SIGKILL
    assert not engine.children


@pytest.mark.skipif(threading.current_thread() != threading.main_thread(), reason="no signals")
def test_an_interrupt_ends_a_sweep_in_the_middle_of_its_blocks(request):
    """It may reach a thread of a worker: then nothing wakes the one that waits for a block."""
    never = Future()

    def interrupted():
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        time.sleep(8)
        never.cancel()
        never.set_running_or_notify_cancel()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    threading.Thread(target=interrupted, daemon=True).start()
    begin, engine = time.monotonic(), SimpleNamespace(width=1, submit=lambda *work: never)
    with pytest.raises(KeyboardInterrupt):
        list(finished_cells([cells(1)], HOW, engine))
    assert time.monotonic() - begin < 6


def test_a_folder_that_another_sweep_holds_or_that_cannot_be_written_is_one_line(tmp_path):
    line = {"seeds": [0], **SMALL}
    with locked(tmp_path), pytest.raises(GantheoryError, match="another run is at work"):
        sweep("minimax", P, Q, out=tmp_path, **line)
    (tmp_path / "file").write_text("")
    with pytest.raises(GantheoryError, match=r"cannot write .*; choose another --out"):
        sweep("minimax", P, Q, out=tmp_path / "file", **line)


def test_a_full_disk_is_one_line_and_what_is_kept_is_whole(tmp_path, monkeypatch):
    def full(partial, content):
        raise OSError(28, "No space left on device")

    store = Store(tmp_path, HOW)
    first, second = cells(2)
    store.keep(first, {"status": "ok"})
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GantheoryError, match=r"No space left on device\); choose another --out"):
        store.keep(second, {"status": "ok"})
    assert store.missing([first, second]) == [second]
    assert not list(tmp_path.glob("cells/*/.*"))


def test_a_disk_that_is_full_for_the_table_is_one_line_too(tmp_path, monkeypatch, whole):
    """The writers of polars have errors of their own; the records and the next call are whole."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    line = {"seeds": range(4), "out": tmp_path, "workers": 1, **SMALL}
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, hard))
    try:
        with pytest.raises(GantheoryError, match=r"table.parquet.*File too large.*another --out"):
            sweep("minimax", P, Q, **line)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("**/*.partial*"))
    assert sweep("minimax", P, Q, **line).equals(whole)
