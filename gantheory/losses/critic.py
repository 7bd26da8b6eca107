"""A loss whose critic is constrained or compares samples: its objective and its class as data.

The objective says what is maximised, the class over which functions. Everything that is derived
follows from these two records; a name or a title is for people alone.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse
from gantheory.formulas import FUNCTIONS, PAYOFF, PROBABILITY, SCORE
from gantheory.losses.loss import Claim, Reference
from gantheory.shown import Shown, Told

LAW = Grammar("law", ELEMENTARY, frozenset({"p", "q", "mu"}), parameters=True, example="(p + q)/2")
KERNEL = Grammar(
    "kernel", ELEMENTARY, frozenset({"x", "y"}), parameters=True, example="exp(-(x - y)**2)"
)
SIZE = Grammar("size", ELEMENTARY, parameters=True)
MEANS = {"E_p": (1, 1), "E_q": (1, 1)}
FUNCTIONAL = Grammar(
    "functional", {**FUNCTIONS, **MEANS}, frozenset({SCORE, PROBABILITY}), parameters=True,
    example="E_p(t) - log(E_q(exp(t)))",
)  # fmt: skip
PENALTY_WEIGHT = "lambda"  # the papers' letter, which is a keyword of Python and of the parser


@dataclass(frozen=True)
class Expectations:
    """E_p[real(f)] + E_q[fake(f)], each payoff a formula in the critic's output ``t``.

    >>> str(Expectations())
    'E_p[f(x)] - E_q[f(x)]'
    """

    real: str = "t"
    fake: str = "-t"

    def __post_init__(self) -> None:
        for payoff in (self.real, self.fake):
            parse(payoff, PAYOFF)

    def __str__(self) -> str:
        return f"{_mean('p', self.real, 'f(x)')} {_added(_mean('q', self.fake, 'f(x)'))}"

    def shown(self, generator: str, on_real: str = "") -> str:
        """Return what the generator minimises, given its loss on one fake sample."""
        return _mean("q", generator, "f(x)")


@dataclass(frozen=True)
class Pairs:
    """The mean of payoff(C(x) - C(y)) over real x and fake y.

    >>> str(Pairs("-softplus(-t)"))
    '-E_{x~p, y~q}[softplus(-(C(x) - C(y)))]'
    """

    payoff: str

    def __post_init__(self) -> None:
        parse(self.payoff, PAYOFF)

    def __str__(self) -> str:
        return self.shown(self.payoff)

    def shown(self, generator: str, on_real: str = "") -> str:
        """Return the mean of a formula over the pairs."""
        return _mean("{x~p, y~q}", generator, "C(x) - C(y)")


@dataclass(frozen=True)
class Averages:
    """E_p[real(C(x) - E_q C)] + E_q[fake(C(y) - E_p C)].

    >>> Averages("log(D)", "log(1 - D)").shown("-t")
    '-E_q[C(y) - E_p C]'
    """

    real: str
    fake: str

    def __post_init__(self) -> None:
        for payoff in (self.real, self.fake):
            parse(payoff, PAYOFF)

    def __str__(self) -> str:
        return self.shown(self.fake, self.real)

    def shown(self, generator: str, on_real: str = "") -> str:
        """Return the mean of one formula over fake samples and of another over real ones."""
        on_fake = _mean("q", generator, "C(y) - E_p C")
        return f"{_mean('p', on_real, 'C(x) - E_q C')} {_added(on_fake)}" if on_real else on_fake


@dataclass(frozen=True)
class Functional:
    """Any smooth function of expectations, which may nest: ``"E_p(t) - log(E_q(exp(t)))"``.

    ``E_p`` is the mean over real samples, ``E_q`` over fake ones; inside of them ``t`` is the
    critic's output and ``D`` its sigmoid.

    >>> str(Functional("E_p(t) - log(E_q(exp(t)))"))
    'E_p(t) - log(E_q(exp(t)))'
    """

    formula: str

    def __post_init__(self) -> None:
        _check_inside_means(parse(self.formula, FUNCTIONAL), self.formula, False)

    def __str__(self) -> str:
        return self.formula

    def shown(self, generator: str, on_real: str = "") -> str:
        """Return the generator's loss, which is such a formula itself."""
        return generator


def _check_inside_means(node: ast.AST, text: str, inside: bool) -> None:
    """Refuse a score of which no mean is taken."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inside = inside or node.func.id in MEANS
        for part in node.args:
            _check_inside_means(part, text, inside)
        return
    if isinstance(node, ast.Name) and node.id in (SCORE, PROBABILITY) and not inside:
        raise GantheoryError(
            f"functional {text[:60]!r} has {node.id} outside of a mean; write E_p({node.id}) for "
            f"real samples or E_q({node.id}) for fake ones"
        )
    for child in ast.iter_child_nodes(node):
        _check_inside_means(child, text, inside)


@dataclass(frozen=True)
class Slope:
    """Functions whose slope is at most ``most`` in absolute value.

    >>> str(Slope("2"))
    'f is 2-Lipschitz'
    """

    most: str = "1"

    def __post_init__(self) -> None:
        parse(self.most, SIZE)

    def __str__(self) -> str:
        return f"f is {self.most}-Lipschitz"


@dataclass(frozen=True)
class SecondMoment:
    """Functions with E_m[f^2] at most 1; the density m is a formula in p, q and another law mu.

    >>> str(SecondMoment("q"))
    'E_m[f(x)^2] <= 1 under m = q'
    """

    law: str = "(p + q)/2"

    def __post_init__(self) -> None:
        parse(self.law, LAW)

    def __str__(self) -> str:
        return f"E_m[f(x)^2] <= 1 under m = {self.law}"


@dataclass(frozen=True)
class GradientMoment:
    """Functions on the line with E_m[f'^2] at most 1; m is a formula in p, q and another law mu.

    >>> GradientMoment("(p + q)/2").law
    '(p + q)/2'
    """

    law: str = "mu"

    def __post_init__(self) -> None:
        parse(self.law, LAW)

    def __str__(self) -> str:
        return (
            f"E_m[f'(x)^2] <= 1 for a density m = {self.law} that is positive between the supports"
        )


@dataclass(frozen=True)
class KernelBall:
    """The unit ball of the Hilbert space of a kernel, a formula in x and y.

    >>> KernelBall("exp(-abs(x - y))").kernel
    'exp(-abs(x - y))'
    """

    kernel: str = "exp(-(x - y)**2/(2*ell**2))"

    def __post_init__(self) -> None:
        parse(self.kernel, KERNEL)

    def __str__(self) -> str:
        return f"f is in the unit ball of the Hilbert space of k(x, y) = {self.kernel}"


@dataclass(frozen=True)
class GradientPenalty:
    """Any differentiable function, less weight·(abs(f') - target)^2 averaged between two points.

    >>> GradientPenalty("10").target
    '1'
    """

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
class AnyFunction:
    """Any function of one sample, or of a sample and its label.

    >>> str(AnyFunction())
    'any function of x'
    """

    of: str = "x"

    def __str__(self) -> str:
        return f"any function of {self.of}"


Objective = Expectations | Pairs | Averages | Functional
Class = Slope | SecondMoment | GradientMoment | KernelBall | GradientPenalty | AnyFunction


@dataclass(frozen=True, repr=False)
class Critic(Shown):
    """A loss that a payoff on the raw score alone does not define.

    Attributes:
        name: identifier, as typed on the command line.
        title: the loss's usual name.
        objective: what the discriminator maximises.
        constraint: the class of functions that it is from.
        generator: the generator's loss, in what the objective's payoffs are in.
        generator_on_real: its loss on real samples, where these are compared with fake ones.
        reference: where it was published.
        claims: what publications say of it, to be checked.
        aliases: what else people call it.

    >>> Critic("mine", "Mine", Expectations(), Slope("2"), "-t").as_dict()["constraint"]
    'f is 2-Lipschitz'
    """

    name: str
    title: str
    objective: Objective
    constraint: Class
    generator: str
    reference: Reference | None = None
    claims: tuple[Claim, ...] = ()
    aliases: tuple[str, ...] = ()
    generator_on_real: str = ""

    def __post_init__(self) -> None:
        for part, kinds in (("objective", Objective), ("constraint", Class)):
            if not isinstance(getattr(self, part), kinds):
                known = ", ".join(kind.__name__ for kind in kinds.__args__)
                raise GantheoryError(
                    f"{part} {str(getattr(self, part))[:60]!r} of critic {self.name!r} is no "
                    f"record; give one of {known}"
                )
        if isinstance(self.objective, Functional):
            Functional(self.generator)
            return
        for formula in filter(None, (self.generator, self.generator_on_real)):
            parse(formula, PAYOFF)

    def given(self, **numbers: str | float) -> Critic:
        """Return the critic with numbers in the place of parameters of its class.

        >>> KernelBall().kernel, with_numbers(KernelBall(), {"ell": "2"}).kernel
        ('exp(-(x - y)**2/(2*ell**2))', 'exp(-(x - y) ** 2 / (2 * 2 ** 2))')
        """
        return replace(self, constraint=with_numbers(self.constraint, numbers))

    def told(self) -> Told:
        """Return the objective, the class of critics and G's loss in words."""
        words = self.as_dict()
        rows = [
            ("D maximises", words["objective"]),
            ("where", words["constraint"]),
            ("G minimises", words["generator"]),
            ("published", self.reference or ""),
        ]
        return Told(self.title, tuple((label, str(text)) for label, text in rows))

    def __repr__(self) -> str:
        return f"Critic({self.name!r}, {self.objective!r}, {self.constraint!r}, {self.generator!r})"

    def as_dict(self) -> dict[str, object]:
        """Return the definition in words, for printing and JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "objective": str(self.objective),
            "constraint": str(self.constraint),
            "generator": self.objective.shown(self.generator, self.generator_on_real),
        }

    def as_data(self) -> dict[str, object]:
        """Return the objective and the class, each as its kind and its formulas."""
        parts = {"objective": self.objective, "constraint": self.constraint}
        return {
            name: {"kind": type(part).__name__}
            | {field.name: getattr(part, field.name) for field in fields(part)}
            for name, part in parts.items()
        }


def with_numbers(constraint: Class, numbers: Mapping[str, str | float]) -> Class:
    """Return a class with numbers in the place of parameters of its formulas.

    Raises:
        GantheoryError: for a name that no formula has, or no number.
    """
    grammar = _GRAMMARS.get(type(constraint))
    found = {f.name: getattr(constraint, f.name) for f in fields(constraint) if grammar}
    for name, number in numbers.items():
        value = str(number).strip()
        parse(value, SIZE)
        known = [key for key, text in found.items() if name in _names(text)]
        if grammar is None or not known or name in grammar.names:
            raise GantheoryError(f"{name!r} is no parameter of the class {str(constraint)!r}")
        for key in known:
            text = found[key]
            found[key] = value if text == name else ast.unparse(
                _Numbers(name, value).visit(parse(text, grammar))
            )  # fmt: skip
    return replace(constraint, **found)


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


_GRAMMARS: dict[type, Grammar] = {
    Slope: SIZE, SecondMoment: LAW, GradientMoment: LAW, KernelBall: KERNEL, GradientPenalty: SIZE,
}  # fmt: skip


class _Outputs(ast.NodeTransformer):
    """Puts what the critic returns in the place of t, and its sigmoid in the place of D."""

    def __init__(self, score: ast.expr) -> None:
        sigmoid = ast.Call(ast.Name("sigmoid"), [score], [])
        self.replaced = {SCORE: score, PROBABILITY: sigmoid}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.replaced.get(node.id, node)


def in_place_of_score(payoff: str, score: str) -> str:
    """Return a payoff with a formula in the place of the score.

    >>> in_place_of_score("log(D)", "-t")
    'log(sigmoid(-t))'
    """
    return ast.unparse(_Outputs(parse(score, PAYOFF)).visit(parse(payoff, PAYOFF)))


def _mean(law: str, payoff: str, shown: str) -> str:
    """Return the expectation of a payoff in words, its minus in front."""
    tree = parse(payoff, PAYOFF)
    minus = ""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        minus, tree = "-", tree.operand
    outputs = [ast.Name(output) for output in shown.split(" - ")]
    score = outputs[0] if len(outputs) == 1 else ast.BinOp(outputs[0], ast.Sub(), outputs[1])
    return f"{minus}E_{law}[{ast.unparse(_Outputs(score).visit(tree))}]"


def _added(term: str) -> str:
    return f"- {term[1:]}" if term.startswith("-") else f"+ {term}"
