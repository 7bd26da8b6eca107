"""The classes of functions that a critic is from: each a record whose fields are formulas.

A class of your own is one more such record, with the supremum of a linear objective over it; a
`Critic` takes it as any other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse

LAW = Grammar("law", ELEMENTARY, frozenset({"p", "q", "mu"}), parameters=True, example="(p + q)/2")
KERNEL = Grammar(
    "kernel", ELEMENTARY, frozenset({"x", "y"}), parameters=True, example="exp(-(x - y)**2)"
)
SIZE = Grammar("size", ELEMENTARY, parameters=True)
PENALTY_WEIGHT = "lambda"  # the papers' letter, which is a keyword of Python and of the parser


@dataclass(frozen=True)
class FunctionClass:
    """A class of functions: subclass it with a frozen dataclass to have one of your own.

    Its fields are formulas of the class's ``grammar``, ``str`` says in words which functions are in
    it, and ``supremum`` what the best of them reaches. Nothing needs to be registered.

    Attributes:
        grammar: what the fields are written in; None where they are no formulas.
        keeps_constants: whether f + c is in the class with f, for every constant c.

    >>> @dataclass(frozen=True)
    ... class Bounded(FunctionClass):
    ...     most: str = "1"
    ...     grammar = SIZE
    ...     def __str__(self):
    ...         return f"|f| <= {self.most}"
    >>> str(Bounded("k").given(k="2"))
    '|f| <= 2'
    """

    grammar: ClassVar[Grammar | None] = None
    keeps_constants: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.grammar is not None:
            for part in fields(self):
                parse(getattr(self, part.name), self.grammar)

    def supremum(self, critic: Any, linear: Any) -> Any:
        """Return the `gantheory.CriticDerivation` of a linear objective over this class.

        Args:
            critic: the loss.
            linear: its objective as real·E_p f − fake·E_q f + constant, with sympy coefficients.
        """
        raise GantheoryError(
            f"the class {str(self)!r} of critic {critic.name!r} does not say what its best "
            "function reaches; give it a method supremum(critic, linear)"
        )

    def given(self, **numbers: str | float) -> Self:
        """Return the class with numbers in the place of parameters of its formulas.

        Raises:
            GantheoryError: for a name that no formula has, or no number.
        """
        grammar = self.grammar
        texts = {part.name: getattr(self, part.name) for part in fields(self) if grammar}
        for name, number in numbers.items():
            value = str(number).strip()
            parse(value, SIZE)
            known = [key for key, text in texts.items() if name in _names(text)]
            if grammar is None or not known or name in grammar.names:
                raise GantheoryError(f"{name!r} is no parameter of the class {str(self)!r}")
            for key in known:
                text = texts[key]
                texts[key] = value if text == name else ast.unparse(
                    _Numbers(name, value).visit(parse(text, grammar))
                )  # fmt: skip
        return replace(self, **texts)


def _names(text: str) -> set[str]:
    """Return the names in a formula."""
    if text == PENALTY_WEIGHT:
        return {text}
    return {one.id for one in ast.walk(ast.parse(text, mode="eval")) if isinstance(one, ast.Name)}


class _Numbers(ast.NodeTransformer):
    """Puts a number in the place of a name."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, parse(value, SIZE)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name else node


@dataclass(frozen=True)
class SolvedClass(FunctionClass):
    """A class of functions whose theory and numbers are known here, by its fields alone.

    >>> @dataclass(frozen=True)
    ... class Wide(KernelBall):
    ...     kernel: str = "exp(-(x - y)**2/18)"
    >>> str(Wide()) == str(KernelBall("exp(-(x - y)**2/18)"))
    True
    """

    def __init_subclass__(cls) -> None:
        """Refuse a class derived from one of them that changes more than its defaults."""
        super().__init_subclass__()
        known = next(base for base in cls.__mro__[1:] if issubclass(base, FunctionClass))
        if known is SolvedClass:
            return
        stated = {*vars(cls), *vars(cls).get("__annotations__", ())}
        inner = {name for name in stated if name.startswith("__")} - {"__str__", "__post_init__"}
        if changed := sorted(stated - inner - {part.name for part in fields(known)}):
            raise GantheoryError(
                f"{cls.__name__} changes {', '.join(changed)} of {known.__name__}, so its "
                "functions are others than are solved here: derive it from FunctionClass"
            )


@dataclass(frozen=True)
class Slope(SolvedClass):
    """Functions whose slope is at most ``most`` in absolute value.

    >>> str(Slope("2"))
    'f is 2-Lipschitz'
    """

    grammar = SIZE
    keeps_constants = True
    most: str = "1"

    def __str__(self) -> str:
        return f"f is {self.most}-Lipschitz"


@dataclass(frozen=True)
class SecondMoment(SolvedClass):
    """Functions with E_m[f^2] at most 1; the density m is a formula in p, q and another law mu.

    >>> str(SecondMoment("q"))
    'E_m[f(x)^2] <= 1 under m = q'
    """

    grammar = LAW
    law: str = "(p + q)/2"

    def __str__(self) -> str:
        return f"E_m[f(x)^2] <= 1 under m = {self.law}"


@dataclass(frozen=True)
class GradientMoment(SolvedClass):
    """Functions on the line with E_m[f'^2] at most 1; m is a formula in p, q and another law mu.

    >>> GradientMoment("(p + q)/2").law
    '(p + q)/2'
    """

    grammar = LAW
    keeps_constants = True
    law: str = "mu"

    def __str__(self) -> str:
        return (
            f"E_m[f'(x)^2] <= 1 for a density m = {self.law} that is positive between the supports"
        )


@dataclass(frozen=True)
class KernelBall(SolvedClass):
    """The unit ball of the Hilbert space of a kernel, a formula in x and y.

    >>> KernelBall("exp(-abs(x - y))").kernel
    'exp(-abs(x - y))'
    """

    grammar = KERNEL
    kernel: str = "exp(-(x - y)**2/(2*ell**2))"

    def __str__(self) -> str:
        return f"f is in the unit ball of the Hilbert space of k(x, y) = {self.kernel}"


@dataclass(frozen=True)
class GradientPenalty(SolvedClass):
    """Any differentiable function, less weight·(abs(f') - target)^2 averaged between two points.

    >>> GradientPenalty("10").target
    '1'
    """

    grammar = SIZE
    keeps_constants = True
    weight: str = PENALTY_WEIGHT
    target: str = "1"

    def __post_init__(self) -> None:
        for size in {self.weight, self.target} - {PENALTY_WEIGHT}:
            parse(size, SIZE)

    def __str__(self) -> str:
        return (
            f"any differentiable f, less {self.weight}*E[(|f'| - {self.target})^2], averaged over "
            "the segment between x and y"
        )


@dataclass(frozen=True)
class AnyFunction(SolvedClass):
    """Any function of one sample, or of a sample and its label.

    >>> str(AnyFunction())
    'any function of x'
    """

    of: str = "x"

    def __str__(self) -> str:
        return f"any function of {self.of}"
