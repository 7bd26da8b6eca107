"""A GAN loss is one small record of formulas; everything else is derived from it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from gantheory.errors import GantheoryError
from gantheory.expressions import ELEMENTARY, Grammar, parse

SCORE, PROBABILITY = "t", "D"
PAYOFF = Grammar("payoff", ELEMENTARY, frozenset({SCORE, PROBABILITY}), parameters=True)
DOMAIN = Grammar("domain", {}, frozenset({"oo", "inf"}), parameters=True, tuples=True)
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

    def __post_init__(self) -> None:
        trees = {part: parse(getattr(self, part), PAYOFF) for part in ("real", "fake", "generator")}
        used = {name for tree in trees.values() for name in names_in(tree)}
        free = used - {SCORE, PROBABILITY}
        _check_domain(self.domain)
        for parameter, interval in self.parameters.items():
            if parameter not in free:
                raise GantheoryError(
                    f"parameter {parameter!r} of game {self.name!r} occurs in no payoff; "
                    f"free names: {', '.join(sorted(free)) or 'none'}"
                )
            _check_domain(interval)
        link = self.link or ("sigmoid(t)" if PROBABILITY in used else "t")
        parse(link, PAYOFF)
        everything = {name: self.parameters.get(name, "(0, oo)") for name in sorted(free)}
        object.__setattr__(self, "link", link)
        object.__setattr__(self, "parameters", everything)
        object.__setattr__(self, "title", self.title or self.name)

    def as_dict(self) -> dict[str, object]:
        """Return the formulas under their field names, for printing and JSON."""
        shown = ("name", "title", "real", "fake", "generator", "domain", "link", "parameters")
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in shown}


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


def _check_domain(text: str) -> None:
    interval(text)
