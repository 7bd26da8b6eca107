"""Limits on the discriminator's slope, read from text: penalties of several kinds, or a bound."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction

from gantheory.errors import GantheoryError, require_type
from gantheory.expressions import Grammar, number, parse

ZERO_CENTRED = {"r1": ("r1",), "r2": ("r2",), "both": ("r1", "r2")}
ARGUMENTS = {**dict.fromkeys((*ZERO_CENTRED, "slope"), (1, 1)), "gp": (1, 2), "one_sided": (1, 2)}
REGULARISER = Grammar("regulariser", ARGUMENTS, example="r1(1) + r2(2)")
HOW = (
    "write it like 'r1(1)', 'r2(0.5)', 'both(1)', 'r1(1) + r2(2)', 'slope(1)', 'gp(10)' or "
    "'one_sided(10)'"
)


@dataclass(frozen=True)
class GradientPenalty:
    """λ·E[(|t'| − k)²] between real and fake samples; one-sided, slopes below k cost nothing."""

    weight: Fraction
    target: Fraction
    one_sided: bool

    def __str__(self) -> str:
        return f"{'one_sided' if self.one_sided else 'gp'}({self.weight}, {self.target})"


@dataclass(frozen=True)
class Regulariser:
    """½·E_p[on_real·|t'|²] + ½·E_q[on_fake·|t'|²], or |t'| ≤ slope, or a gradient penalty.

    >>> Regulariser.of("r1(1) + r2(0.5)")
    Regulariser(on_real=Fraction(1, 1), on_fake=Fraction(1, 2), slope=None, between=None)
    >>> print(Regulariser.of("gp(10)"))
    gp(10, 1)
    """

    on_real: Fraction
    on_fake: Fraction
    slope: Fraction | None = None
    between: GradientPenalty | None = None

    @classmethod
    def given(cls, regulariser: object) -> Regulariser:
        """Return a regulariser, or the one that a text says."""
        if isinstance(regulariser, Regulariser):
            return regulariser
        require_type("regulariser", regulariser, str, "text like 'r1(1)'")
        return cls.of(str(regulariser))

    @classmethod
    def of(cls, text: str) -> Regulariser:
        """Read a sum of penalties, a bound or a gradient penalty.

        Raises:
            GantheoryError: for anything else, and for weights that are not positive.
        """
        weights = {"r1": Fraction(0), "r2": Fraction(0)}
        if text.strip().lower() in REGULARISER.functions:
            raise GantheoryError(f"regulariser {text.strip()!r} lacks its weight; {HOW}")
        terms = _terms(parse(text.lower(), REGULARISER), text)
        for term in terms:
            assert isinstance(term.func, ast.Name)
            name, numbers = term.func.id, [_weight(part, text) for part in term.args]
            if name not in ZERO_CENTRED:
                if len(terms) > 1:
                    raise GantheoryError(f"regulariser {text[:60]!r}: {name} stands alone; {HOW}")
                return cls._alone(name, numbers)
            for one in ZERO_CENTRED[name]:
                weights[one] += numbers[0]
        return cls(weights["r1"], weights["r2"])

    @classmethod
    def _alone(cls, name: str, numbers: list[Fraction]) -> Regulariser:
        zero = Fraction(0)
        if name == "slope":
            return cls(zero, zero, slope=numbers[0])
        target = numbers[1] if len(numbers) > 1 else Fraction(1)
        return cls(zero, zero, between=GradientPenalty(numbers[0], target, name == "one_sided"))

    @property
    def everywhere(self) -> bool:
        """Whether slopes are held wherever one of the laws has mass: by a bound, or between."""
        return self.slope is not None or self.between is not None

    def __str__(self) -> str:
        if self.between is not None:
            return str(self.between)
        if self.slope is not None:
            return f"slope({self.slope})"
        parts = (("r1", self.on_real), ("r2", self.on_fake))
        return " + ".join(f"{name}({weight})" for name, weight in parts if weight)


def _weight(node: ast.expr, text: str) -> Fraction:
    found = number(node)
    if found is None or found <= 0 or not 1e-12 <= found <= 1e12:
        raise GantheoryError(
            f"regulariser {text[:60]!r}: its weight must be a number from 1e-12 to 1e12"
        )
    return found


def _terms(node: ast.expr, text: str) -> list[ast.Call]:
    if isinstance(node, ast.Call):
        return [node]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left, text), *_terms(node.right, text)]
    raise GantheoryError(f"regulariser {text[:60]!r} is no sum of penalties; {HOW}")
