"""A GAN loss is one small record of formulas; everything else is derived from it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction

from gantheory.errors import GantheoryError, unknown_name
from gantheory.expressions import ELEMENTARY, Grammar, number, parse

SCORE, PROBABILITY = "t", "D"
PAYOFF = Grammar("payoff", ELEMENTARY, frozenset({SCORE, PROBABILITY}), parameters=True)
INFINITIES = frozenset({"oo", "inf"})
CONSTANTS = {"log": (1, 1), "exp": (1, 1), "sqrt": (1, 1)}
DOMAIN = Grammar("domain", CONSTANTS, INFINITIES, parameters=True, tuples=True)
# Letters with a fixed meaning in formulas and in the output; E is Euler's number in sympy's.
RESERVED = frozenset({"r", "x", "z", "E", "I", "p", "q", "u", "t", "D", "pi", "nan"}) | INFINITIES
REALS = "(-oo, oo)"


@dataclass(frozen=True)
class Reference:
    """Where a loss was published."""

    authors: str
    year: int
    title: str
    arxiv: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        where = f"arXiv:{self.arxiv}" if self.arxiv else self.url or ""
        return f"{self.authors} ({self.year}). {self.title}. {where}".strip()


@dataclass(frozen=True)
class Claim:
    """What a publication says of its loss: data to be checked, never an input to a derivation.

    Each text is a combination of named divergences, such as ``"2*jsd - 2*log(2)"``, or None
    where nothing is claimed. ``source`` says where it is stated.
    """

    source: str
    value: str | None = None
    loss: str | None = None
    followed: str | None = None
    optimal_discriminator: str | None = None


@dataclass(frozen=True)
class Game:
    r"""A separable two-player game between a discriminator and a generator.

    With p the data density and q the generator's, the discriminator maximises

    .. math:: V = E_p[a(t(x))] + E_q[b(t(x))]

    and the generator minimises :math:`E_q[c(t(x))]`, where :math:`t(x)` is the discriminator's
    raw score and :math:`D = \sigma(t)`. Order is always (real, fake), (p, q).

    Args:
        name: identifier, as typed on the command line.
        real: the payoff a on real samples, in ``t`` or ``D`` and parameters.
        fake: the payoff b on fake samples.
        generator: the generator's loss c on fake samples.
        domain: the interval of scores t that the discriminator may output, ``"(a, b)"`` or,
            with attained ends, ``"[a, b]"``.
        link: what the publication calls the discriminator's output, as a function of t; by
            default the sigmoid where a payoff is written in ``D``, else t itself.
        parameters: the legal interval of each free parameter; positive unless declared.
        title: the loss's usual name.
        reference: where it was published.
        claims: what publications say of it, to be checked.
        aliases: what else people call it.
        general: the game with parameters that `given` made this one from, if any.
        numbers: the numbers it gave them.

    Raises:
        GantheoryError: for malformed formulas; the message names the text and the remedy.

    >>> Game("mine", real="log(D)", fake="log(1 - D)", generator="-log(D)").link
    'sigmoid(t)'
    """

    name: str
    real: str
    fake: str
    generator: str
    domain: str = REALS
    link: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    reference: Reference | None = None
    claims: tuple[Claim, ...] = ()
    aliases: tuple[str, ...] = ()
    general: Game | None = field(default=None, repr=False, compare=False)
    numbers: Mapping[str, Fraction] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        trees = {part: parse(getattr(self, part), PAYOFF) for part in ("real", "fake", "generator")}
        used = {name for tree in trees.values() for name in names_in(tree)}
        link = self.link or ("sigmoid(t)" if PROBABILITY in used else "t")
        free = (used | names_in(parse(link, PAYOFF))) - {SCORE, PROBABILITY}
        free |= names_of(self.domain)
        for text in self.parameters.values():
            free |= names_of(text, constants=False)
        for parameter in self.parameters:
            if parameter not in free:
                raise GantheoryError(
                    f"parameter {parameter!r} of game {self.name!r} occurs in no payoff and in no "
                    f"domain; free names: {', '.join(sorted(free)) or 'none'}"
                )
        if taken := sorted(free & RESERVED):
            raise GantheoryError(
                f"parameter {taken[0]!r} of game {self.name!r} has a fixed meaning "
                f"({', '.join(sorted(RESERVED))} are taken); rename it"
            )
        everything = {name: self.parameters.get(name, "(0, oo)") for name in sorted(free)}
        object.__setattr__(self, "link", link)
        object.__setattr__(self, "parameters", everything)
        object.__setattr__(self, "title", self.title or self.name)

    def given(self, **numbers: float | Fraction | str) -> Game:
        """Return the game with numbers in the place of all its parameters.

        Args:
            numbers: the value of each parameter; text may be a fraction such as ``"1/3"``.

        Raises:
            GantheoryError: for a parameter that is missing, unknown or outside its legal interval.

        >>> Game("mine", real="a*t", fake="-t**2", generator="-t").given(a="1/2").real
        '1 / 2 * t'
        """
        exact = {name: _exact(name, value) for name, value in numbers.items()}
        for name in exact:
            if name not in self.parameters:
                raise unknown_name(f"parameter of game {self.name!r}:", name, self.parameters)
        if missing := [name for name in self.parameters if name not in exact]:
            raise GantheoryError(
                f"game {self.name!r} needs a number for {', '.join(missing)}; write it like "
                f"{self.name}({missing[0]}=0.5)"
            )
        for name, text in self.parameters.items():
            _check_inside(name, exact[name], text, exact)
        real, fake, generator, link = (
            _substituted(formula, PAYOFF, exact)
            for formula in (self.real, self.fake, self.generator, self.link)
        )
        listed = ", ".join(f"{name}={value}" for name, value in exact.items())
        return replace(
            self,
            name=f"{self.name}({listed})" if listed else self.name,
            title=f"{self.title} ({listed})" if listed else self.title,
            real=real,
            fake=fake,
            generator=generator,
            link=link,
            domain=_numbered(self.domain, exact),
            parameters={},
            claims=(),
            general=self if exact else None,
            numbers=exact,
        )

    def as_dict(self) -> dict[str, object]:
        """Return the formulas under their field names, for printing and JSON."""
        shown = ("name", "title", "real", "fake", "generator", "domain", "link", "parameters")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in shown}


class _Numbers(ast.NodeTransformer):
    """Puts numbers in the place of names."""

    def __init__(self, numbers: Mapping[str, Fraction]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.numbers.get(node.id)
        return node if value is None else ast.parse(f"({value})", mode="eval").body


def _substituted(text: str, grammar: Grammar, numbers: Mapping[str, Fraction]) -> str:
    """Return a formula as text with numbers in the place of names."""
    return ast.unparse(_Numbers(numbers).visit(parse(text, grammar)))


def _numbered(text: str, numbers: Mapping[str, Fraction]) -> str:
    """Return an interval as text with numbers in the place of names."""
    body = text.strip()
    inner = _substituted(f"({body[1:-1]})", DOMAIN, numbers)
    return f"{body[0]}{inner[1:-1]}{body[-1]}"


def _exact(name: str, value: float | Fraction | str) -> Fraction:
    """Return a parameter's value as the exact number that its decimals say."""
    found = number(parse(str(value), PAYOFF))
    if found is None:
        raise GantheoryError(f"{name}={str(value)[:40]!r} is no number; write it like {name}=0.5")
    return found


def _check_inside(name: str, value: Fraction, text: str, numbers: Mapping[str, Fraction]) -> None:
    """Refuse a value outside the legal interval of its parameter."""
    legal = interval(_numbered(text, numbers))
    lower, upper = number(legal.lower), number(legal.upper)  # None: infinite
    above = lower is None or value > lower or (value == lower and legal.closed_lower)
    below = upper is None or value < upper or (value == upper and legal.closed_upper)
    if not (above and below):
        raise GantheoryError(f"{name}={value} is outside its legal interval {text}")


def names_in(tree: ast.expr) -> set[str]:
    """Return the identifiers of a checked tree that are not function names."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {node.id for node in found if id(node) not in called}


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
