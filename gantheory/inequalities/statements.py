"""Comparisons of divergences as people type them, checked and made exact."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from gantheory.divergences import COMPLEMENTS, DIVERGENCES, FDivergence, find_divergence, named
from gantheory.divergences.symbols import DISTANCES
from gantheory.errors import GantheoryError, require_type
from gantheory.expressions import Grammar, parse
from gantheory.functions import to_sympy

_FUNCTIONS = {"log": (1, 1), "sqrt": (1, 1), "exp": (1, 1)}
_RELATIONS = {ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">", ast.Eq: "=="}
_ORDER = r"-?[0-9]+(?:\.[0-9]+)?"
_POWER = re.compile(rf"\b(?:power|alpha)_(?:\(({_ORDER}(?:/[0-9]+)?)\)|({_ORDER}))(\s*/\s*[0-9(])?")
_WORD = re.compile(r"(?<![\w.])[A-Za-z]\w*(?!\w|\s*\()")
_GIVEN = re.compile(
    r"""\b(?!(?:log|sqrt|exp)\b)[a-z]\w*\s*\([^()]*[,'"][^)]*\)?|\w+\.(?:csv|npy|parquet)"""
)
LONGEST = 400  # characters; the longest known inequality has 40


@dataclass(frozen=True)
class Statement:
    """A comparison ``left relation right`` in symbols that stand for divergences.

    Attributes:
        text: as typed.
        left: a sympy expression in the symbols of ``divergences``.
        relation: one of ``<= >= < > ==``.
        right: the other side.
        divergences: what each symbol stands for.
    """

    text: str
    left: sp.Expr
    relation: str
    right: sp.Expr
    divergences: Mapping[sp.Symbol, FDivergence]

    @property
    def margin(self) -> sp.Expr:
        """The expression that the statement says is at least (or exactly, or above) zero."""
        difference = self.right - self.left
        return _cleared(-difference if self.relation in {">=", ">"} else difference)

    @property
    def is_strict(self) -> bool:
        """Whether equality refutes it."""
        return self.relation in {"<", ">"}

    @property
    def is_linear(self) -> bool:
        """Whether it is linear in the divergences."""
        return all(
            sp.diff(self.margin, a, b) == 0 for a in self.divergences for b in self.divergences
        )


def _cleared(difference: sp.Expr) -> sp.Expr:
    """Return a positive multiple without a logarithm among the numbers that divide it.

    >>> _cleared(sp.Symbol("jsd") / sp.log(2) - 1)
    jsd - log(2)
    """
    multiple, divisor = sp.fraction(sp.together(difference))
    if divisor.free_symbols or not divisor.has(sp.log) or divisor.is_positive is None:
        return difference
    return multiple if divisor.is_positive else -multiple


def read_statement(text: str) -> Statement:
    """Parse a comparison between divergences.

    Orders of power divergences are written ``power_0.5``, ``power_-1`` or ``power_(1/3)``;
    complements such as ``jsd_gap`` stand for their maximum minus the divergence.

    Raises:
        GantheoryError: one clear line.

    >>> read_statement("kl_qm <= kl_qp/2").margin
    -kl_qm + kl_qp/2
    """
    require_type("inequality", text, str, "text like 'jsd <= log(2)*tv'")
    if len(text) > LONGEST:
        raise GantheoryError(f"inequality of {len(text)} characters; the limit is {LONGEST}")
    if given := _GIVEN.search(text):
        raise GantheoryError(
            f"{given[0][:60]!r}: a comparison is proved for all laws p and q, so none is "
            "given; write it like 'jsd <= log(2)*tv', or ask for the divergence of given laws"
        )
    if ratio := _RATIO.search(text):
        raise GantheoryError(
            f"{text[:60]!r} holds {ratio[0]!r}: a statement compares divergences by name, as in "
            "'jsd <= log(2)*tv'; of a formula f in r = p/q ask for the divergence of given laws"
        )
    text, powers = _name_powers(_spelled(text))
    table = {**DIVERGENCES, **powers}
    grammar = Grammar(
        "inequality",
        _FUNCTIONS,
        frozenset({*table, *COMPLEMENTS, "pi"}),
        comparisons=True,
        example="jsd <= log(2)*tv",
    )
    tree = parse(text, grammar)
    if not isinstance(tree, ast.Compare):
        raise GantheoryError(
            f"{text[:60]!r} compares nothing; write it like 'jsd <= log(2)/2 * triangular'"
        )
    symbols = {name: sp.Symbol(name, nonnegative=True) for name in table}
    values: dict[str, sp.Expr] = {**symbols, "pi": sp.pi}
    for name, complement in COMPLEMENTS.items():
        values[name] = to_sympy(complement.maximum) - symbols[complement.of]
    left, right = (to_sympy(side, values) for side in (tree.left, tree.comparators[0]))
    used = left.free_symbols | right.free_symbols
    divergences = {symbols[name]: table[name] for name in table if symbols[name] in used}
    relation = _RELATIONS[type(tree.ops[0])]
    return Statement(_restore(text, powers), left, relation, right, divergences)


_RATIO = re.compile(r"(?<![\w.])[rD](?![\w(])")  # a density ratio, or a discriminator
_LAWS = re.compile(r"(?<=\w)\s*\(\s*P\s*(?:,|\|\||‖)\s*Q\s*\)")  # TV(P, Q), as papers write it


def _spelled(text: str) -> str:
    """Return a text in which every divergence has the name of its entry, not an alias."""
    titles = {entry.title: entry.name for entry in DIVERGENCES.values()}
    titles |= {entry.title: entry.name for entry in COMPLEMENTS.values()}
    for title, name in titles.items():
        if not title.isidentifier():
            text = text.replace(title, name).replace(title.replace("‖", "||"), name)
    text = _LAWS.sub("", text).replace("²", "**2")

    def replace(word: re.Match[str]) -> str:
        if word[0] in {*DIVERGENCES, *COMPLEMENTS, *_FUNCTIONS, "pi"}:
            return word[0]
        if word[0].casefold().startswith(("power_", "alpha_")):
            return word[0].casefold()
        if word[0].casefold() in DISTANCES:
            raise GantheoryError(f"{word[0]} is no f-divergence, and a statement compares those")
        return find_divergence(word[0]).name

    return _WORD.sub(replace, text)


def _name_powers(text: str) -> tuple[str, dict[str, FDivergence]]:
    """Replace the power divergences, whose names are no identifiers, by ones that are."""
    found: dict[str, FDivergence] = {}

    def replace(match: re.Match[str]) -> str:
        if match[3] and match[1] is None:
            raise GantheoryError(
                f"{match[0]!r} is ambiguous; write power_(1/3) for the order, "
                f"(power_{match[2]})/3 for the quotient"
            )
        divergence = named(f"power_{match[1] or match[2]}")
        label = divergence.name
        if label not in DIVERGENCES:
            label = "power_" + re.sub(r"\W", lambda c: _SPELLED[c[0]], label[6:])
            found[label] = divergence
        return label + (match[3] or "")

    return _POWER.sub(replace, text), found


_SPELLED = {".": "d", "-": "m", "/": "o"}


def _restore(text: str, powers: Mapping[str, FDivergence]) -> str:
    for label in sorted(powers, key=len, reverse=True):
        name = powers[label].name
        text = text.replace(label, f"power_({name[6:]})" if "/" in name else name)
    return text
