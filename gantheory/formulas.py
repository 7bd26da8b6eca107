"""The formulas of losses: payoffs in the score t or the probability D, and intervals."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from gantheory.errors import GantheoryError
from gantheory.expressions import CHOICE, ELEMENTARY, ONE, Grammar, parse

SCORE, PROBABILITY = "t", "D"
FUNCTIONS = {
    **ELEMENTARY,
    "sin": ONE, "cos": ONE, "erf": ONE, "log1p": ONE, "expm1": ONE, "sign": ONE,
    "logsumexp": (2, 2), "clamp": (3, 3), "leaky_relu": (1, 2), "huber": (1, 2), CHOICE: (3, 3),
    "logistic_exponential": (4, 4), "logistic_logistic": (4, 4),  # see gantheory.residues
    "fermi_dirac": (2, 2), "logistic_normal": (3, 3),  # means of softplus, see gantheory.smoothed
}  # fmt: skip
PAYOFF = Grammar(
    "payoff", FUNCTIONS, frozenset({SCORE, PROBABILITY}), parameters=True, example="log(1 - D)",
    length=4000,  # a mean that is written out has more than its 60 to 200
)  # fmt: skip
# A payoff with E[...], a mean over random names; and the laws that these may have.
RANDOM = replace(PAYOFF, means=True)
LAWS = {
    "uniform": (2, 2), "normal": (2, 2), "laplace": (2, 2), "logistic": (2, 2),
    "exponential": ONE, "triangular": (3, 3), "bernoulli": ONE,
}  # fmt: skip
LAW = Grammar("law", LAWS, parameters=True)
INFINITIES = frozenset({"oo", "inf"})
CONSTANTS = {"log": (1, 1), "exp": (1, 1), "sqrt": (1, 1)}
DOMAIN = Grammar("domain", CONSTANTS, INFINITIES, parameters=True, tuples=True)
# Letters with a fixed meaning in formulas and in the output; E is Euler's number in sympy's.
RESERVED = frozenset({"r", "x", "z", "E", "I", "p", "q", "u", "t", "D", "pi", "nan"}) | INFINITIES
REALS = "(-oo, oo)"


def names_in(tree: ast.expr, *, in_means: bool = True) -> set[str]:
    """Return the identifiers of a checked tree that are not function names, nor the E of a mean.

    ``in_means=False`` leaves out those that stand inside of means only.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        match waiting.pop():
            case ast.Name(id=name):
                found.add(name)
            case ast.Call(args=arguments):
                waiting += arguments
            case ast.Subscript(slice=inner):
                waiting += [inner] if in_means else []
            case node:
                waiting += ast.iter_child_nodes(node)
    return found


def means_in(tree: ast.expr) -> list[ast.Subscript]:
    """Return the means E[...] of a checked tree, outer ones before those inside of them."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]


def law(text: str) -> ast.Call:
    """Parse the law of a random name, as ``"uniform(0.8, 1)"``.

    >>> len(law("normal(1, 0.1)").args)
    2
    """
    tree = parse(text, LAW)
    if not isinstance(tree, ast.Call) or any(
        isinstance(node, ast.Call) for node in ast.walk(tree) if node is not tree
    ):
        raise GantheoryError(
            f"law {text[:40]!r} is no law; write it like 'uniform(0.8, 1)' "
            f"(known: {', '.join(sorted(LAWS))})"
        )
    return tree


@dataclass(frozen=True)
class Interval:
    """An interval as written: its ends as checked trees, and whether each is attained."""

    lower: ast.expr
    upper: ast.expr
    closed_lower: bool
    closed_upper: bool


def interval(text: str) -> Interval:
    """Parse ``"(a, b)"``, ``"[a, b]"`` or a half-open mixture of the two.

    >>> interval("[0, 1)").closed_lower
    True
    """
    body = text.strip()
    if len(body) < 2 or body[0] not in "([" or body[-1] not in ")]":
        raise GantheoryError(
            f"malformed domain {body[:40]!r}; write it like '(-oo, oo)' or '[0, 1]'"
        )
    tree = parse(f"({body[1:-1]})", DOMAIN)
    if not isinstance(tree, ast.Tuple) or len(tree.elts) != 2:
        raise GantheoryError(f"domain {body[:40]!r} needs two ends, as in '(-oo, oo)' or '[0, 1]'")
    return Interval(tree.elts[0], tree.elts[1], body[0] == "[", body[-1] == "]")


def names_of(text: str, constants: bool = True) -> set[str]:
    """Return the parameters that the ends of an interval name; with or without log, exp, sqrt.

    >>> names_of("(0, k + 1]")
    {'k'}
    """
    declared = interval(text)
    for end in (declared.lower, declared.upper):
        if not constants and any(isinstance(node, ast.Call) for node in ast.walk(end)):
            raise GantheoryError(
                f"interval {text[:40]!r} of a parameter: write its ends as fractions or names"
            )
    return (names_in(declared.lower) | names_in(declared.upper)) - INFINITIES


class _Numbers(ast.NodeTransformer):
    """Puts numbers in the place of names."""

    def __init__(self, numbers: Mapping[str, Fraction]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.numbers.get(node.id)
        return node if value is None else ast.parse(f"({value})", mode="eval").body


def substituted(text: str, grammar: Grammar, numbers: Mapping[str, Fraction]) -> str:
    """Return a formula as text with numbers in the place of names."""
    return ast.unparse(_Numbers(numbers).visit(parse(text, grammar)))


def numbered(text: str, numbers: Mapping[str, Fraction]) -> str:
    """Return an interval as text with numbers in the place of names."""
    body = text.strip()
    inner = substituted(f"({body[1:-1]})", DOMAIN, numbers)
    return f"{body[0]}{inner[1:-1]}{body[-1]}"
