"""A loss whose critic is constrained or compares samples: its objective and its class as data.

The objective says what is maximised, the class over which functions. Everything that is derived
follows from these two records; a name or a title is for people alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields, replace

from gantheory.errors import GantheoryError
from gantheory.expressions import Grammar, parse
from gantheory.formulas import FUNCTIONS, PAYOFF, PROBABILITY, SCORE
from gantheory.losses.function_classes import FunctionClass, SolvedClass
from gantheory.losses.loss import Claim, Reference
from gantheory.shown import Overview, Shown

MEANS = {"E_p": (1, 1), "E_q": (1, 1)}
FUNCTIONAL = Grammar(
    "functional", {**FUNCTIONS, **MEANS}, frozenset({SCORE, PROBABILITY}), parameters=True,
    example="E_p(t) - log(E_q(exp(t)))",
)  # fmt: skip


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


Objective = Expectations | Pairs | Averages | Functional


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

    >>> from gantheory.losses.function_classes import Slope
    >>> Critic("mine", "Mine", Expectations(), Slope("2"), "-t").as_dict()["constraint"]
    'f is 2-Lipschitz'
    """

    name: str
    title: str
    objective: Objective
    constraint: FunctionClass
    generator: str
    reference: Reference | None = None
    claims: tuple[Claim, ...] = ()
    aliases: tuple[str, ...] = ()
    generator_on_real: str = ""

    def __post_init__(self) -> None:
        for part, kinds, listed in (
            ("objective", Objective, Objective.__args__),
            ("constraint", FunctionClass, SolvedClass.__subclasses__()),
        ):
            if not isinstance(getattr(self, part), kinds):
                known = ", ".join(kind.__name__ for kind in listed)
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

        >>> from gantheory.losses.function_classes import KernelBall
        >>> Critic("mmd", "MMD", Expectations(), KernelBall(), "-t").given(ell=2).constraint
        KernelBall(kernel='exp(-(x - y) ** 2 / (2 * 2 ** 2))')
        """
        return replace(self, constraint=self.constraint.given(**numbers))

    def overview(self) -> Overview:
        """Return the objective, the class of critics and G's loss in words."""
        words = self.as_dict()
        rows = [
            ("D maximises", words["objective"]),
            ("where", words["constraint"]),
            ("G minimises", words["generator"]),
            ("published", self.reference or ""),
        ]
        return Overview(self.title, tuple((label, str(text)) for label, text in rows))

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
