"""Densities written as text: ``"mixture(0.5*normal(-2, 0.1) + 0.5*normal(2, 0.1))"``."""

from __future__ import annotations

import ast
import dataclasses
import math
import re
from functools import lru_cache
from typing import Any

from gantheory.densities.arrays import Densities, laws
from gantheory.densities.base import FAMILIES, Density, families_by_name, make
from gantheory.densities.fitted import fitted_law
from gantheory.errors import GantheoryError
from gantheory.expressions import Grammar, number, parse

NAMES = frozenset({"inf", "oo"})
MAX_LENGTH = 20_000  # a mixture of several hundred components
NORMAL, MIXTURE = "normal(0, 1)", "mixture(0.5*normal(-2, 0.1) + 0.5*normal(2, 0.1))"
EXAMPLE = f"write it like {NORMAL!r} or {MIXTURE!r}"


def parse_density(text: Any) -> Density:
    """Return the density that ``text`` describes; a `Density` is returned as it is.

    Distributions of SciPy and torch and pairs (x, pdf) are read too: see
    `gantheory.densities.objects`.

    A family's parameters are given in order or by name; lists in round or square brackets. In
    ``mixture(...)`` weighted densities are added; ``affine(d, loc, scale)`` is the law of
    loc + scale·X and ``restrict(d, a, b)`` that of X given a <= X <= b.

    Raises:
        GantheoryError: one line, naming the value and the remedy.

    >>> print(parse_density("normal(loc=1, scale=1/2)"))
    normal(1, 0.5)
    """
    found = read_laws(text)
    if isinstance(found, Densities):
        raise GantheoryError(f"{found}: one law is needed here; take one of them, like laws[0]")
    return found


def read_laws(text: Any) -> Density:
    """Return the density that ``text`` describes, or the densities of arrays of parameters."""
    if isinstance(text, Density):
        return text
    if not isinstance(text, str):
        from gantheory.densities.objects import recognised  # loads what it reads

        return recognised(text)
    fitted = fitted_law(text)
    return _parsed(text) if fitted is None else fitted


@lru_cache(maxsize=256)  # densities are immutable, and loops ask for the same few texts
def _parsed(text: str) -> Density:
    return _density(tree_of(text))


def tree_of(text: str, letters: frozenset[str] = frozenset()) -> ast.Call:
    """Return the syntax tree of a density's text, with every family under its own name.

    ``letters`` are names that may stand where a number does.
    """
    if not text.strip() or _WORD.fullmatch(text.strip()):
        raise GantheoryError(_not_called(text.strip()))
    if _SAMPLES.search(text):
        raise GantheoryError(
            f"{text[:60]!r}: samples(...).kde() is a law of its own, and stands in no other"
        )
    text = _CALLED.sub(lambda called: _spelled(called[0]), text)
    first = _WORD.match(text.strip())
    tree = parse(text, _grammar(letters, first[0] if first else ""))
    if not isinstance(tree, ast.Call):
        raise GantheoryError(f"{text[:60]!r} is no density; {EXAMPLE}")
    return tree


def _not_called(word: str) -> str:
    """Return what is said of a word that stands where a law should."""
    call = _call_of(word)
    if call is None:
        return f"{word[:60]!r} is no density; {EXAMPLE}"
    return f"{word!r} lacks its parameters; write {call} with numbers"


def _call_of(word: str) -> str | None:
    """Return a family with its parameters' names, as one writes it; None for no family's name."""
    family = families_by_name().get(word.casefold())
    if family is None:
        return None
    return f"{family.name}({', '.join(f.name for f in dataclasses.fields(family))})"  # type: ignore[arg-type]


def _spelled(called: str) -> str:
    """Return a family's own name; a name of none as it is, which the parser then refuses."""
    family = families_by_name().get(called.casefold())
    return called.casefold() if family is None else family.name


def _grammar(letters: frozenset[str], first: str) -> Grammar:
    """Return what the text of a density that begins so may contain; aliases are for hints alone."""
    functions = {name: (0, 100) for name in families_by_name()} | {"mixture": (1, 2)}
    names = NAMES | letters
    return Grammar("density", functions, names, keywords=True, tuples=True, length=MAX_LENGTH,
                   example=_example(first))  # fmt: skip


def _example(first: str) -> str:
    """Return how to write a law whose text begins with a word."""
    return {"normal": NORMAL, "mixture": MIXTURE}.get(first.casefold()) or _call_of(first) or NORMAL


_SAMPLES = re.compile(r"\bsamples?\s*\(")
_WORD = re.compile(r"[A-Za-z_]\w*")
_CALLED = re.compile(r"\b[A-Za-z_]\w*(?=\s*\()")


def _density(node: ast.expr) -> Density:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise GantheoryError(f"{ast.unparse(node)[:60]!r} is no density; {EXAMPLE}")
    family = node.func.id
    if family == "mixture":
        return _mixture(_weighted(node))
    names = [f.name for f in dataclasses.fields(FAMILIES[family])]  # type: ignore[arg-type]
    if len(node.args) > len(names):
        raise GantheoryError(
            f"{family} takes {len(names)} parameters ({', '.join(names)}), got {len(node.args)}"
        )
    given = {name: _value(arg) for name, arg in zip(names, node.args, strict=False)}
    for keyword in node.keywords:
        if keyword.arg in given:
            raise GantheoryError(f"{family}: the parameter {keyword.arg} is given twice")
        given[str(keyword.arg)] = _value(keyword.value)
    return laws(family, **given)


def _one(node: ast.expr) -> Density:
    """Return a law inside of another."""
    found = _density(node)
    if isinstance(found, Densities):
        raise GantheoryError(f"{found}: arrays stand in the outermost law alone")
    return found


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Call():
            return _one(node)
        case ast.Name(id="inf" | "oo"):
            return math.inf
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name()):
            return -math.inf
    value = number(node)
    if value is None:
        raise GantheoryError(f"{ast.unparse(node)[:60]!r} is not a number; {EXAMPLE}")
    return float(value)


def _weighted(call: ast.Call) -> list[tuple[float, Density]]:
    """Return the parts of ``mixture(0.9*P + 0.1*Q)``, or of ``mixture([0.9, 0.1], [P, Q])``."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if len(given) == 1:
        return _terms(given[0])
    names = [*("weights", "components")[: len(call.args)], *(word.arg for word in call.keywords)]
    lists = {name: getattr(node, "elts", None) for name, node in zip(names, given, strict=True)}
    weights, laws = lists.get("weights"), lists.get("components")
    if not weights or not laws or len(weights) != len(laws):
        raise GantheoryError(f"mixture takes as many weights as components; {EXAMPLE}")
    shares = [number(weight) for weight in weights]
    if None in shares or not all(isinstance(law, ast.Call) for law in laws):
        raise GantheoryError(f"mixture takes numbers and laws; {EXAMPLE}")
    return [(float(share or 0), _one(law)) for share, law in zip(shares, laws, strict=True)]


def _mixture(terms: list[tuple[float, Density]]) -> Density:
    if any(component.dim > 1 for _, component in terms):
        weights, laws = zip(*terms, strict=True)
        return make("mixture_2d", weights_of=weights, laws=laws)
    return make(
        "mixture",
        weights=tuple(weight for weight, _ in terms),
        components=tuple(component for _, component in terms),
    )


def _terms(node: ast.expr) -> list[tuple[float, Density]]:
    """Return (weight, component) of each summand; chains of + are walked without recursion."""
    terms = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        terms.append(_term(node.right))
        node = node.left
    return [_term(node), *reversed(terms)]


def _term(node: ast.expr) -> tuple[float, Density]:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Call() as right):
            weight = number(left)
            if weight is not None:
                return float(weight), _one(right)
        case ast.BinOp(left=ast.Call() as left, op=ast.Mult() | ast.Div() as op, right=right):
            weight = number(right)
            if weight is not None and weight > 0:
                return float(weight if isinstance(op, ast.Mult) else 1 / weight), _one(left)
        case ast.Call():
            return 1.0, _one(node)
    raise GantheoryError(f"{ast.unparse(node)[:60]!r} is no weighted density; {EXAMPLE}")
