"""Files that are replaced whole."""

import os
import stat

import pytest

from gantheory.errors import GantheoryError
from gantheory.files import locked, replacing, write_atomically


def test_others_may_read_what_was_written_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "new" / "a.json", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "a.json").stat().st_mode) == 0o644


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as partial:
        partial.write_bytes(b"half" + None)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_folder_in_the_way_is_one_line(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(GantheoryError, match=r"cannot write '.*a\.csv' \(.*\); choose another"):
        write_atomically(tmp_path / "a.csv", b"")
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_folder_is_locked_with_those_above_it_still_to_be_made(tmp_path):
    with locked(tmp_path / "new" / "inner"):
        assert (tmp_path / "new" / "inner").is_dir()
