"""A loss of one's own in a TOML file: the fields of `Loss` under their names.

.. code-block:: toml

    name = "my-loss"
    real = "log(D)"
    fake = "log(1 - D)"
    generator = "-k*log(D)"
    [parameters]
    k = "(0, 5)"
    [typical]
    k = "2"

``[laws]`` gives random names their laws, and ``heads = 8`` sums eight discriminators.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.expressions import parse
from gantheory.files import write_atomically
from gantheory.formulas import PAYOFF, RANDOM, interval, law
from gantheory.losses.critic import Critic, Functional
from gantheory.losses.function_classes import AnyFunction
from gantheory.losses.loss import Loss

LARGEST = 100_000  # bytes; the catalogue's longest loss has a thousand
NEEDED = ("real", "fake", "generator")
TABLES = ("parameters", "typical", "laws")
MEANS = ("name", "title", "objective", "generator")
TEXTS = ("name", "title", *NEEDED, "domain", "link")
EXAMPLES = {"parameters": 'k = "(0, 5)"', "typical": 'k = "2"', "laws": 'm = "uniform(0.8, 1)"'}
READERS: Mapping[str, Callable[[str], object]] = {"parameters": interval, "laws": law}
CHECKS: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(NEEDED, lambda text: parse(text, RANDOM)),
    "link": lambda text: parse(text, PAYOFF),
    "domain": interval,
}


def read_loss(path: Path | str) -> Loss:
    r"""Return the loss that a TOML file defines; without a name it is called after the file.

    Raises:
        GantheoryError: one line with the file and the line number, for anything that is no loss.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "linear.toml")
    ...     _ = file.write_text('real = "t"\nfake = "-t"\ngenerator = "-t"')
    ...     read_loss(file).name
    'linear'
    """
    entry = read_entry(path)
    if isinstance(entry, Critic):
        raise GantheoryError(f"{Path(path).name} has an objective: read it by read_entry")
    return entry


def read_entry(path: Path | str) -> Loss | Critic:
    """Return the loss, or the function of means, that a TOML file defines.

    A file with the key ``objective``, as in ``objective = "E_p(t) - log(E_q(exp(t)))"``, is the
    latter; its ``generator`` is the objective unless it is given.

    Raises:
        GantheoryError: one line with the file and the line number, for anything else.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "dv.toml")
    ...     _ = file.write_text('objective = "E_p(t) - log(E_q(exp(t)))"')
    ...     str(read_entry(file).objective)
    'E_p(t) - log(E_q(exp(t)))'
    """
    require_type("file", path, (str, Path), "the path of a TOML file")
    path = Path(path)
    text = _text_of(path)
    data = _data_of(path, text)
    return _of_means(path, text, data) if "objective" in data else _separable(path, text, data)


def write_loss(loss: Loss, path: Path | str) -> None:
    r"""Write a loss as the file that `read_loss` reads, its formulas as they were typed.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "linear.toml")
    ...     write_loss(Loss("linear", real="t", fake="-t", generator="-t"), file)
    ...     read_loss(file).fake
    '-t'
    """
    typed = loss.typed or loss
    found = loss.as_dict() | {"typical": typed.typical, "aliases": list(typed.aliases)}
    given = {key: value for key, value in found.items() if value}
    tables = {key: value for key, value in given.items() if isinstance(value, Mapping)}
    lines = [f"{key} = {_toml(value)}" for key, value in given.items() if key not in tables]
    for key, rows in tables.items():
        lines += ["", f"[{key}]", *(f"{name} = {_toml(text)}" for name, text in rows.items())]
    write_atomically(Path(path), "\n".join(lines) + "\n")


def _toml(value: object) -> str:
    """Return a value in TOML, whose strings, lists and numbers are those of JSON here."""
    return json.dumps(value if isinstance(value, list | int) else str(value), ensure_ascii=False)


def _data_of(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", where)
        raise _wrong(path, int(line[1]) if line else text.count("\n") + 1, what) from None


def _of_means(path: Path, text: str, data: dict[str, Any]) -> Critic:
    for key, value in data.items():
        try:
            if key not in MEANS:
                raise unknown_name("key", key, MEANS)
            if not isinstance(value, str):
                raise GantheoryError(f"{key} must be text in quotes, not {str(value)[:40]}")
            if key in ("objective", "generator"):
                Functional(value)
        except GantheoryError as error:
            raise _wrong(path, _line_of(text, key), str(error)) from None
    name, objective = data.get("name", path.stem), data["objective"]
    minimised = data.get("generator", objective)
    return Critic(name, data.get("title", name), Functional(objective), AnyFunction(), minimised)


def _separable(path: Path, text: str, data: dict[str, Any]) -> Loss:
    for key, value in data.items():
        _check(path, text, key, value)
    if missing := [part for part in NEEDED if part not in data]:
        raise _wrong(path, text.count("\n") + 1, f"{', '.join(missing)} missing; add it as text")
    aliases = tuple(data.pop("aliases", ()))
    try:
        return Loss(**{"name": path.stem, **data}, aliases=aliases)
    except GantheoryError as error:
        named = (key for table in TABLES for key in data.get(table, {}) if f"{key}" in str(error))
        raise _wrong(path, _line_of(text, next(named, "real")), str(error)) from None


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise GantheoryError(f"{str(path)!r} has over {LARGEST} bytes: no loss is so long")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GantheoryError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise GantheoryError(f"cannot read {str(path)!r}: it is not text in UTF-8") from None


def _check(path: Path, text: str, key: str, value: Any) -> None:
    """Refuse a key that no loss has, a value that is no text, and a formula that is malformed."""
    known = (*TEXTS, *TABLES, "aliases", "heads")
    line = _line_of(text, key)
    try:
        if key not in known:
            raise unknown_name("key", key, known)
        if key == "heads" and type(value) is int:
            return
        if key in TABLES:
            _check_table(path, text, key, value)
        elif key == "aliases":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise GantheoryError('aliases must be a list of texts, as in ["mine"]')
        elif not isinstance(value, str) or key == "heads":
            raise GantheoryError(f"{key} must be text in quotes, not {str(value)[:40]}")
        elif key in CHECKS:
            CHECKS[key](value)
    except _WrongLine:
        raise
    except GantheoryError as error:
        raise _wrong(path, line, str(error)) from None


def _check_table(path: Path, text: str, table: str, value: Any) -> None:
    shown = f"[{table}] and below it {EXAMPLES[table]}"
    if not isinstance(value, dict):
        raise GantheoryError(f"{table} must be a table: {shown}")
    for name, given in value.items():
        if not isinstance(given, str):
            line = _line_of(text, name)
            raise _wrong(path, line, f"{name} must be text in quotes: {shown}")
        if table in READERS:
            try:
                READERS[table](given)
            except GantheoryError as error:
                raise _wrong(path, _line_of(text, name), str(error)) from None


class _WrongLine(GantheoryError):
    """A fault whose line is known."""


def _wrong(path: Path, line: int, what: str) -> GantheoryError:
    return _WrongLine(f"{path.name}, line {line}: {what}")


def _line_of(text: str, key: str) -> int:
    """Return the number of the line that sets a key, or opens its table."""
    here = re.compile(rf"(?:^|[\s,{{.\[])[\"']?{re.escape(key)}[\"']?\s*(?:=|\]|\.)")
    return next((k for k, line in enumerate(text.splitlines(), 1) if here.search(line)), 1)
