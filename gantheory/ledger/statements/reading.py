"""Ledgers as text: TOML, its formulas through the whitelist parser, errors that name the line.

A ledger has one table ``[source]`` with ``title`` and, for each statement, a table ``[[claim]]``::

    [[claim]]
    id = "mine-1"
    line = "p. 3"
    statement = "The saturating generator follows twice the Jensen-Shannon divergence."
    verdict = "proved"
    check = [{derive = "minimax", followed = "2*jsd"}]

``check`` lists one or several questions, all of which must hold; `MAKERS` are their kinds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gantheory.errors import GantheoryError, unknown_name
from gantheory.ledger.properties import LAWS
from gantheory.ledger.published import CURVATURES, FORMULAS
from gantheory.ledger.statements.entry import UNCHECKABLE, VERDICTS, Correction, Entry, Source, Test
from gantheory.ledger.statements.games import ASKED, PLAYED, Play
from gantheory.ledger.statements.kinds import (
    Code,
    Derived,
    Formula,
    Inequality,
    Integral,
    Known,
    OnLaws,
)
from gantheory.losses import get_loss
from gantheory.losses.loss import REALS, Loss

Table = Mapping[str, Any]
PARTS = (*FORMULAS, *CURVATURES, "law", "zero_sum")
RELATIONS = ("is", "above", "below")
CLAIM_KEYS = ("id", "line", "statement", "kind", "verdict", "assumptions", "check", "corrected",
              "reason", "system")  # fmt: skip


def read_ledger(text: str, name: str, *, trusted: bool = False) -> tuple[Entry, ...]:
    """Return the entries of a ledger.

    Args:
        text: the TOML.
        name: the file's name, for messages.
        trusted: whether checks by code of this package may be asked for.

    Raises:
        GantheoryError: naming the file, the line and the remedy.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GantheoryError(f"{name}: {error}") from None
    source = _source(data.get("source", {}), name)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if _HEADING.match(line)]
    claims = data.get("claim", [])
    if not isinstance(claims, list) or not claims or len(lines) != len(claims):
        raise GantheoryError(f"{name}: no [[claim]] in it; write one table [[claim]] per statement")
    entries = []
    for line, claim in zip(lines, claims, strict=True):
        place = f"{name}, line {line}"
        try:
            entries.append(_entry(claim, source, place, trusted))
        except GantheoryError as error:
            found = _line_of(error, text.splitlines(), lines, line)
            raise GantheoryError(f"{name}, line {found}: {error}") from None
    _check_unique(entries)
    return tuple(entries)


def _line_of(error: GantheoryError, text: list[str], headings: list[int], heading: int) -> int:
    """Return the line of a claim that holds the text that an error quotes first, or its heading."""
    end = next((line for line in headings if line > heading), len(text) + 1)
    quoted = re.search(r"'([^']+)'", str(error))
    lines = range(heading, end)
    return next((n for n in lines if quoted and quoted[1] in text[n - 1]), heading)


_HEADING = re.compile(r"\s*\[\[\s*claim\s*\]\]")


def read_file(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a user's ledger; it may not ask for code."""
    try:
        return read_ledger(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise GantheoryError(f"{path}: no UTF-8 text; save it as UTF-8") from None


def _check_unique(entries: Iterable[Entry]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        if entry.id in seen:
            raise GantheoryError(f"{entry.place}: id {entry.id!r} is that of {seen[entry.id]} too")
        seen[entry.id] = entry.place


def _source(table: Any, name: str) -> Source:
    if not isinstance(table, dict):
        raise GantheoryError(f"{name}: source is a table; write [source] and title = '...'")
    _known_keys("source", table, ("key", "title", "author"))
    key = str(table.get("key", Path(name).stem))
    return Source(key, str(table.get("title", key)), str(table.get("author", "")))


def _entry(claim: Any, source: Source, place: str, trusted: bool) -> Entry:
    _known_keys("key of a claim", claim, CLAIM_KEYS)
    id, statement, verdict = (_text(claim, key) for key in ("id", "statement", "verdict"))
    if verdict not in VERDICTS:
        raise unknown_name("verdict", verdict, VERDICTS)
    checks = _checks(claim.get("check", []), trusted)
    reason = str(claim.get("reason", ""))
    if not checks and not reason:
        raise GantheoryError(f"claim {id!r} has no check; add one, or a reason why there is none")
    if checks and verdict == UNCHECKABLE:
        raise GantheoryError(f"claim {id!r} is {UNCHECKABLE} and has a check; drop one of the two")
    corrected = claim.get("corrected")
    correction = None
    if corrected is not None:
        _known_keys("key of corrected", corrected, ("statement", "check"))
        proofs = _checks(corrected.get("check", []), trusted)
        if not proofs:
            raise GantheoryError(f"what corrects claim {id!r} has no check; add one")
        correction = Correction(_text(corrected, "statement"), proofs)
    return Entry(
        id, source, str(claim.get("line", "")), statement, str(claim.get("kind", "")), verdict,
        _texts(claim, "assumptions"), checks, correction, reason, place,
        str(claim.get("system", "")),
    )  # fmt: skip


def _checks(tables: Any, trusted: bool) -> tuple[Test, ...]:
    tables = [tables] if isinstance(tables, dict) else tables
    if not isinstance(tables, list):
        raise GantheoryError('check is a table or a list of tables, as in {prove = "jsd >= 0"}')
    return tuple(_check(table, trusted) for table in tables)


def _check(table: Any, trusted: bool) -> Test:
    kinds = [kind for kind in MAKERS if isinstance(table, dict) and kind in table]
    if len(kinds) != 1:
        raise GantheoryError(f"a check has one of the keys {', '.join(MAKERS)}; this has {kinds}")
    if kinds[0] == "code" and not trusted:
        raise GantheoryError("checks by code belong to the toolkit's own ledger; write a formula")
    made = MAKERS[kinds[0]](table)
    if not trusted:  # the tests validate the toolkit's own
        made.validate()
    return made


def _formula(table: Table) -> Test:
    _known_keys("key of a formula", table, ("formula", "where", "slow"))
    return Formula(_text(table, "formula"), _pairs(table, "where"), _slow(table))


def _derived(table: Table) -> Test:
    _known_keys("key of derive", table, ("derive", "slow", *PARTS))
    part = _one_of(table, PARTS)
    value = table[part]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if part == "law" and text not in LAWS:
        raise unknown_name("law", text, LAWS)
    return Derived(_loss(table["derive"]), part, text, _slow(table))


def _loss(given: Any) -> Loss:
    if isinstance(given, dict):
        keys = ("name", "real", "fake", "generator", "domain", "link", "parameters")
        _known_keys("key of a loss", given, keys)
        real, fake, generator = (_text(given, key) for key in ("real", "fake", "generator"))
        name, domain = str(given.get("name", "the loss")), str(given.get("domain", REALS))
        return Loss(name, real, fake, generator, domain, str(given.get("link", "")),
                    _pairs(given, "parameters"))  # fmt: skip
    return get_loss(_text({"derive": given}, "derive"))


def _inequality(table: Table) -> Test:
    _known_keys("key of prove", table, ("prove", "restricted", "slow"))
    return Inequality(_text(table, "prove"), bool(table.get("restricted", False)), _slow(table))


def _on_laws(table: Table) -> Test:
    _known_keys("key of laws", table, ("laws", "p", "q", "slow"))
    p, q = (_texts(table, side) for side in "pq")
    return OnLaws(_text(table, "laws"), p, q, _slow(table))


def _integral(table: Table) -> Test:
    keys = ("integrate", "p", "q", "wrt", "method", "slow", *RELATIONS)
    _known_keys("key of integrate", table, keys)
    relation = _one_of(table, RELATIONS)
    number = str(table[relation])
    try:
        float(number)
    except ValueError:
        raise GantheoryError(f"{relation} = {number[:40]!r} is no number") from None
    p, q = _text(table, "p"), _text(table, "q")
    wrt = _text(table, "wrt") if "wrt" in table else None
    return Integral(_text(table, "integrate"), p, q, relation, number, wrt,
                    str(table.get("method", "auto")), _slow(table))  # fmt: skip


def _play(table: Table) -> Test:
    options = (*PLAYED, "r1", "r2", "noise")
    _known_keys("key of game", table, ("game", "players", "method", "step", "slow", *ASKED,
                                       *options))  # fmt: skip
    asked = _one_of(table, ASKED)
    value = table[asked]
    return Play(
        _text(table, "game"),
        asked,
        str(value).lower() if isinstance(value, bool) else str(value),
        _texts(table, "players"),
        str(table.get("method", "simultaneous")),
        str(table.get("step", "0.1")),
        {name: str(table[name]) for name in options if name in table},
        _slow(table),
    )


def _known(table: Table) -> Test:
    _known_keys("key of known", table, ("known",))
    return Known(_text(table, "known"))


def _code(table: Table) -> Test:
    return Code(_text(table, "code"), {k: v for k, v in table.items() if k != "code"})


MAKERS: Mapping[str, Callable[[Table], Test]] = {
    "formula": _formula,
    "derive": _derived,
    "prove": _inequality,
    "laws": _on_laws,
    "integrate": _integral,
    "game": _play,
    "known": _known,
    "code": _code,
}


def _slow(table: Table) -> bool:
    return bool(table.get("slow", False))


def _text(table: Table, key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise GantheoryError(f"{key} = {value!r} is no text; write {key} = '...'")
    return value


def _texts(table: Table, key: str) -> tuple[str, ...]:
    """Return a list of texts or numbers as texts; nothing where the key is absent."""
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str | int | float) for v in values):
        raise GantheoryError(f"{key} = {values!r} is no list of texts; write {key} = ['...', ...]")
    return tuple(map(str, values))


def _pairs(table: Table, key: str) -> dict[str, str]:
    """Return a table of names and texts; empty where the key is absent."""
    values = table.get(key, {})
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise GantheoryError(f"{key} = {values!r} is no table of texts, as in {{x = '(0, 1)'}}")
    return values


def _one_of(table: Table, keys: Iterable[str]) -> str:
    found = [key for key in keys if key in table]
    if len(found) != 1:
        raise GantheoryError(f"give exactly one of {', '.join(keys)}; this check has {found}")
    return found[0]


def _known_keys(kind: str, table: Any, known: Iterable[str]) -> None:
    if not isinstance(table, dict):
        raise GantheoryError(f"{table!r} is no table of {kind}s; write it like {{key = 'text'}}")
    for key in table:
        if key not in known:
            raise unknown_name(kind, key, known)
