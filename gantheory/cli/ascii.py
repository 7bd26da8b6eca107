"""What a terminal's code page lacks, in ASCII: ``+-`` for ±, ``->`` for an arrow, names of letters.

A Windows console of code page 1252 or 437, or a log in ASCII, gets every line whole.
"""

from __future__ import annotations

import codecs
import io
import unicodedata

HANDLER, ENCODING = "gantheory.ascii", "gantheory_ascii"
SIGNS = {
    "±": "+-", "·": "*", "−": "-", "–": "-", "—": "-", "→": "->", "∞": "oo", "‖": "||",
    "≤": "<=", "≥": ">=", "≠": "!=", "√": "sqrt ", "∂": "d", "∇": "grad ", "½": "1/2", "×": "x",
    "²": "2", "³": "3", "…": "...", "“": '"', "”": '"', "’": "'", "■": "*", "◆": "+", "●": "o",
    "✕": "x", "○": "?", "━": "-", "╸": "-", "╺": "-", "█": "#", "□": "[]", "≈": "~", "←": "<-",
    "∓": "-+", "∗": "*", "∘": "o", "⊗": "(x)", "∝": "~", "∧": "and", "∨": "or", "∫": "int ",
    "⟨": "<", "⟩": ">", "″": "''", "′": "'", "‘": "'",
    "‐": "-", "⇒": "=>", "⇔": "<=>", "∈": "in", "⁻": "-", "₋": "-", "µ": "u", "ø": "o",
}  # fmt: skip


def in_ascii(text: str) -> str:
    """Return a text in ASCII: signs as people type them, letters by name, and else the escape.

    >>> in_ascii("0.5 ± 1e-9, KL(P‖Q) → ∞, χ², é, Δ")
    '0.5 +- 1e-9, KL(P||Q) -> oo, chi2, e, Delta'
    """
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter in SIGNS or letter.isascii():
        return SIGNS.get(letter, letter)
    if unicodedata.combining(letter):
        return ""
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if plain:
        return plain
    name = unicodedata.name(letter, "")
    if name.startswith("GREEK") and " LETTER " in name:
        word = name.rpartition(" LETTER ")[2].split()[-1]
        return word.capitalize() if "CAPITAL" in name else word.lower()
    if name.startswith("BOX DRAWINGS"):
        return "-" if "HORIZONTAL" in name and "VERTICAL" not in name else "|"
    return letter.encode("ascii", "backslashreplace").decode()


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


def _renamed(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under another name: click takes a stream called so for one set up wrongly."""
    if name != ENCODING:
        return None
    plain = codecs.lookup("ascii")
    return codecs.CodecInfo(
        plain.encode, plain.decode, plain.streamreader, plain.streamwriter,
        plain.incrementalencoder, plain.incrementaldecoder, name=ENCODING,
    )  # fmt: skip


def write_in_ascii(stream: io.TextIOWrapper) -> None:
    """Make a stream write what its encoding lacks in ASCII."""
    plain = codecs.lookup(stream.encoding).name == "ascii"
    stream.reconfigure(encoding=ENCODING if plain else stream.encoding, errors=HANDLER)


codecs.register_error(HANDLER, _replace)
codecs.register(_renamed)
