"""Digits: read from files, and the experiment on them."""

import gzip
import struct

import numpy as np
import pytest
from click.testing import CliRunner

from gantheory.cli import cli
from gantheory.errors import GantheoryError
from gantheory.ledger.simulated import judge_comparison
from gantheory.records import How
from simulations.data import digits, read_idx
from simulations.ensembles import initial_state
from simulations.experiments import load
from simulations.experiments.base import Record, Setting


def idx(array):
    head = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_digits_are_read_from_idx_files(tmp_path, packed):
    images = np.arange(3 * 4 * 4).reshape(3, 4, 4)
    files = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": np.array([7, 1, 2])}
    for name, array in files.items():
        data = gzip.compress(idx(array)) if packed else idx(array)
        (tmp_path / (name + ".gz" if packed else name)).write_bytes(data)
    found = digits(tmp_path)
    assert (found.pixels * 255 == images.reshape(3, 16)).all()
    assert (found.side, found.labels.tolist()) == (4, [7, 1, 2])


WHOLE = idx(np.zeros((2, 28, 28)))


DAMAGED = {
    "empty": ("file", b"", "is no IDX file"),
    "wrong magic": ("file", b"\x00\x00\x09\x01" + WHOLE[4:], "is no IDX file"),
    "short header": ("file", WHOLE[:9], "is no IDX file"),
    "truncated": ("file", WHOLE[:-1], "holds 1567 bytes where its header says"),
    "too long": ("file", WHOLE + b"1", "holds 1569 bytes where its header says"),
    "truncated gzip": ("file.gz", gzip.compress(WHOLE)[:-9], "not a whole gzip file"),
    "no gzip": ("file.gz", WHOLE, "not a whole gzip file"),
    "broken gzip": ("file.gz", gzip.compress(WHOLE)[:12] + b"\xff" * 99, "not a whole gzip file"),
}


@pytest.mark.parametrize(("name", "raw", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_is_no_idx_is_refused_in_one_line(tmp_path, name, raw, message):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(GantheoryError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def write_idx(folder, images, labels):
    folder.mkdir(exist_ok=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(images))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((3, 28, 28)), np.zeros(2)),
        (np.zeros((3, 28, 27)), np.zeros(3)),
        (np.zeros((3, 784)), np.zeros(3)),
        (np.zeros((3, 28, 28)), np.zeros((3, 1))),
        (np.zeros((3, 28, 28)), np.array([0, 10, 1])),
        (np.zeros((0, 28, 28)), np.zeros(0)),
    ],
)
def test_images_and_labels_that_do_not_belong_together_are_refused(tmp_path, images, labels):
    with pytest.raises(GantheoryError, match=r"must be (one digit|\(n, side, side\))"):
        digits(write_idx(tmp_path / "set", images, labels))


def enlarged(count=400):
    """Return scikit-learn's digits as 28×28 bytes, and their labels."""
    from scipy.ndimage import zoom

    small = digits()
    images = zoom(small.pixels[:count].reshape(-1, 8, 8), (1, 3.5, 3.5), order=1)
    return np.round(images.clip(0, 1) * 255), small.labels[:count]


def test_the_whole_digits_experiment_runs_on_idx_files_of_784_pixels(tmp_path, monkeypatch):
    from simulations.experiments import digits as module

    monkeypatch.setattr(module, "STEPS", (512, 512))  # what it makes is judged elsewhere
    folder = write_idx(tmp_path / "set", *enlarged())
    setting = Setting(quick=True, data=str(folder))
    measured = tuple(load("digits").run(setting))
    numbers = {m.case: m.numbers for m in measured}["train"]
    assert numbers["side"] == 28
    assert str(folder) in numbers["origin"]
    assert sum(numbers["counts"]) == module.SAMPLES
    assert np.shape(numbers["samples"]) == (64, 784)
    assert np.shape(numbers["walk"])[1:] == (9, 784)
    assert set(numbers["paths"]) == {"linear", "spherical", "pixels"}
    assert load("digits").draw(measured).axes[0].get_title().endswith(f"({numbers['origin']})")
    path = tmp_path / "record.json"
    Record("digits", setting, measured).write(path)
    assert Record.resume(path, "digits", setting).measurements
    with pytest.raises(GantheoryError, match=r"holds digits with .*data of .*, not digits with"):
        Record.resume(path, "digits", Setting(quick=True))


def test_a_generator_that_makes_one_class_is_measured_and_drawn(monkeypatch):
    from simulations.experiments import digits as module

    def collapsed(members, how):
        state = initial_state(members, how)
        state.parameters["generator"].zero_()
        return iter([state])

    monkeypatch.setattr(module, "train", collapsed)
    measured = tuple(load("digits").run(Setting(quick=True)))
    train = next(m for m in measured if m.case == "train")
    assert sum(count > 0 for count in train.numbers["counts"]) == 1
    assert train.numbers["paths"] == {}
    assert load("digits").draw(measured).axes
    modes = next(c for c in train.comparisons if c.id == "digits.modes")
    assert judge_comparison(modes).how is How.REFUTED


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(GantheoryError, match="no train-images"):
        digits(tmp_path)


def test_without_a_folder_the_digits_are_those_of_scikit_learn():
    found = digits()
    assert found.pixels.shape == (1797, 64)
    assert 0 == found.pixels.min() < found.pixels.max() == 1


def test_simulate_reads_idx_files_where_the_flag_or_the_environment_says(tmp_path):
    empty = {"MNIST_DIR": str(tmp_path / "elsewhere")}
    place = ["--quick", "--out", str(tmp_path / "out")]
    flag = ["--data", str(tmp_path)]
    for arguments, named in ((flag, tmp_path), ([], tmp_path / "elsewhere")):
        result = CliRunner(env=empty).invoke(
            cli, ["simulate", "digits", *place, *arguments], standalone_mode=False
        )
        assert f"no train-images-idx3-ubyte in {named}" in str(result.exception)
        assert not (tmp_path / "out").exists()
