"""Limits on the discriminator's slope, read from text: R1, R2, both, or a bound."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction

from gantheory.errors import GantheoryError
from gantheory.expressions import Grammar, number, parse

REGULARISER = Grammar(
    "regulariser", dict.fromkeys(("r1", "r2", "both", "slope"), (1, 1)), example="r1(1) + r2(2)"
)
HOW = "write it like 'r1(1)', 'r2(0.5)', 'both(1)', 'r1(1) + r2(2)' or 'slope(1)'"


@dataclass(frozen=True)
class Regulariser:
    """The penalty ½·E_p[on_real·|t'|²] + ½·E_q[on_fake·|t'|²], or the bound |t'| ≤ slope.

    >>> Regulariser.of("r1(1) + r2(0.5)")
    Regulariser(on_real=Fraction(1, 1), on_fake=Fraction(1, 2), slope=None)
    """

    on_real: Fraction
    on_fake: Fraction
    slope: Fraction | None = None

    @classmethod
    def of(cls, text: str) -> Regulariser:
        """Read a sum of penalties.

        Raises:
            GantheoryError: for anything else, and for weights that are not positive.
        """
        weights, slope = {"r1": Fraction(0), "r2": Fraction(0)}, None
        terms = _terms(parse(text.lower(), REGULARISER), text)
        for term in terms:
            assert isinstance(term.func, ast.Name)
            weight = number(term.args[0])
            if weight is None or weight <= 0 or not 1e-12 <= weight <= 1e12:
                raise GantheoryError(
                    f"regulariser {text[:60]!r}: its weight must be a number from 1e-12 to 1e12"
                )
            if term.func.id == "slope":
                if len(terms) > 1:
                    raise GantheoryError(f"regulariser {text[:60]!r}: a bound stands alone; {HOW}")
                slope = weight
                continue
            for name in ("r1", "r2") if term.func.id == "both" else (term.func.id,):
                weights[name] += weight
        return cls(weights["r1"], weights["r2"], slope)

    def __str__(self) -> str:
        if self.slope is not None:
            return f"slope({self.slope})"
        parts = (("r1", self.on_real), ("r2", self.on_fake))
        return " + ".join(f"{name}({weight})" for name, weight in parts if weight)


def _terms(node: ast.expr, text: str) -> list[ast.Call]:
    if isinstance(node, ast.Call):
        return [node]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left, text), *_terms(node.right, text)]
    raise GantheoryError(f"regulariser {text[:60]!r} is no sum of penalties; {HOW}")
