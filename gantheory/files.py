"""Files that a killed process, a full disk or a second process cannot leave half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gantheory.errors import GantheoryError, shown

LOCK, PARTIAL = ".lock", ".partial"


@contextmanager
def replacing(path: Path, place: str = "folder") -> Iterator[Path]:
    """Write the file that is yielded; after the block, and only then, it replaces ``path``.

    Raises:
        GantheoryError: where it cannot be written; nothing is left behind.
    """
    partial: Path | None = None
    try:
        handle, name = tempfile.mkstemp(PARTIAL + path.suffix, f".{path.name}.", path.parent)
        os.close(handle)
        partial = Path(name)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # on disk before it has its name
        partial.chmod(0o666 & ~_mask())  # as any other file of this user
        os.replace(partial, path)
    except OSError as error:
        raise GantheoryError(
            f"cannot write {str(path)!r} ({error.strerror}); choose another {place}"
        ) from None
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)  # replaced already, or never to be


def write_atomically(path: Path, content: bytes | str, place: str = "folder") -> None:
    """Replace ``path``: a reader sees the old content or the new one; its folder is made.

    Raises:
        GantheoryError: where it cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GantheoryError(
            f"cannot write {str(path)!r} ({error.strerror}); choose another {place}"
        ) from None
    with replacing(path, place) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def _mask() -> int:
    """Return the mode bits that the umask takes away; asking sets it, so it is set back."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def as_folder(given: object, name: str = "out") -> Path:
    """Return the path of a folder that a caller names; whether it can be written shows later.

    Raises:
        GantheoryError: for what is no path.

    >>> as_folder("runs/a").name
    'a'
    """
    if not isinstance(given, str | os.PathLike):
        raise GantheoryError(f"{name}={shown(given)} must be the path of a folder, as 'runs/mine'")
    return Path(given)


@contextmanager
def locked(folder: Path, place: str = "folder") -> Iterator[None]:
    """Hold ``folder`` for this process alone; what a killed one left half-written is removed.

    Raises:
        GantheoryError: where another run holds it, or it cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise GantheoryError(
            f"another run is at work in {folder}; wait for it, or choose another {place}"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GantheoryError(f"cannot write {folder}: {reason}; choose another {place}") from None
    try:
        for left in folder.glob(f".*{PARTIAL}*"):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
