"""A GAN loss is one small record of formulas; everything else is derived from it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction

from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.expressions import number, parse
from gantheory.formulas import (
    LAW,
    PAYOFF,
    PROBABILITY,
    RANDOM,
    REALS,
    RESERVED,
    SCORE,
    interval,
    law,
    means_in,
    names_in,
    names_of,
    numbered,
    substituted,
)
from gantheory.shown import Overview, Shown, constructor

MOST_HEADS = 1000  # a multi-scale or multi-head discriminator has a few


@dataclass(frozen=True, repr=False)
class Reference(Shown):
    """Where a loss was published.

    >>> str(Reference("A. Author", 2026, "A paper", arxiv="2601.00001"))
    'A. Author (2026). A paper. arXiv:2601.00001'
    """

    authors: str
    year: int
    title: str
    arxiv: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        where = f"arXiv:{self.arxiv}" if self.arxiv else self.url or ""
        return f"{self.authors} ({self.year}). {self.title}. {where}".strip()

    def bibtex(self) -> str:
        """Return it as a BibTeX entry, as ``gantheory cite`` prints it."""
        from gantheory.losses.citation import bibtex

        return bibtex(self)


@dataclass(frozen=True, repr=False)
class Claim(Shown):
    """What a publication says of its loss: data to be checked, never an input to a derivation.

    Each part is text, or None where nothing is claimed. A part is printed as it was published;
    where that is false, ``corrected`` says what is true instead, and both are checked.

    Attributes:
        source: where it is stated.
        value: V(D*), a combination of named divergences such as ``"2*jsd - 2*log(2)"``.
        loss: the generator's loss at D*, as such a combination.
        followed: the divergence whose gradient the generator follows with D held at D*.
        optimal_discriminator: D* as a formula in r = p/q.
        equilibrium: D* at p = q.
        discriminator_loss: the discriminator's loss at p = q.
        generator_loss: the generator's loss at p = q.
        disjoint: what the generator follows where the supports are disjoint.
        f: the generator of the f-divergence, sup_t r·a(t) + b(t), as a formula in r.
        laws: names of further properties, of `gantheory.ledger.properties.LAWS`.
        corrected: part -> what is true, for the parts that are false as published.

    >>> Claim("Author (2026), Theorem 1", value="2*jsd - 2*log(2)").value
    '2*jsd - 2*log(2)'
    """

    source: str
    value: str | None = None
    loss: str | None = None
    followed: str | None = None
    optimal_discriminator: str | None = None
    equilibrium: str | None = None
    discriminator_loss: str | None = None
    generator_loss: str | None = None
    disjoint: str | None = None
    f: str | None = None
    laws: tuple[str, ...] = ()
    corrected: Mapping[str, str] = field(default_factory=dict)

    def overview(self) -> Overview:
        """Return the source, what it claims as it was published, and what is true instead."""
        rows = [(f.name.replace("_", " "), getattr(self, f.name)) for f in fields(self)[1:-2]]
        rows += [("laws", ", ".join(self.laws))]
        rows += [(f"{name}, corrected", text) for name, text in self.corrected.items()]
        return Overview(self.source, tuple((label, text) for label, text in rows if text))


@dataclass(frozen=True, repr=False)
class Loss(Shown):
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
        typical: the value at which each parameter is usually played; experiments and random tests
            take it. Unless declared it is the middle of the interval, or 2 beyond its one end.
        title: the loss's usual name.
        reference: where it was published.
        claims: what publications say of it, to be checked.
        aliases: what else people call it.
        laws: the law of each random name, ``{"m": "uniform(0.8, 1)"}``; payoffs average over it
            in ``E[...]``, as in ``"-E[relu(m - t)]"``.
        heads: how many discriminators of this loss are summed, each with its own score.
        general: the loss with parameters that `given` made this one from, if any.
        numbers: the numbers it gave them.
        typed: the loss with means and heads that `written_out` made this one from, if any.

    Raises:
        GantheoryError: for malformed formulas; the message names the text and the remedy.

    >>> Loss("mine", real="log(D)", fake="log(1 - D)", generator="-log(D)").link
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
    typical: Mapping[str, str] = field(default_factory=dict)
    laws: Mapping[str, str] = field(default_factory=dict)
    heads: int = 1
    typed: Loss | None = field(default=None, repr=False, compare=False)
    general: Loss | None = field(default=None, repr=False, compare=False)
    numbers: Mapping[str, Fraction] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_type("name of a loss", self.name, str, "text")
        require_type("domain", self.domain, str, "an interval as text, like '(-oo, oo)'")
        require_type("parameters", self.parameters, Mapping, "intervals by name, {'c': '(0, oo)'}")
        trees = [parse(getattr(self, part), RANDOM) for part in ("real", "fake", "generator")]
        used = {name for tree in trees for name in names_in(tree)}
        link = self.link or ("sigmoid(t)" if PROBABILITY in used else "t")
        free = (used | names_in(parse(link, PAYOFF))) - {SCORE, PROBABILITY}
        free |= names_of(self.domain)
        for text in self.parameters.values():
            free |= names_of(text, constants=False)
        free = (free | self._check_laws(trees)) - {*self.laws}
        for parameter in self.parameters:
            if parameter not in free:
                raise GantheoryError(
                    f"parameter {parameter!r} of loss {self.name!r} occurs in no payoff and in no "
                    f"domain; free names: {', '.join(sorted(free)) or 'none'}"
                )
        if taken := sorted(free & RESERVED):
            raise GantheoryError(
                f"parameter {taken[0]!r} of loss {self.name!r} has a fixed meaning "
                f"({', '.join(sorted(RESERVED))} are taken); rename it"
            )
        everything = {name: self.parameters.get(name, "(0, oo)") for name in sorted(free)}
        for name in self.typical:
            if name not in everything:
                raise unknown_name(f"parameter of loss {self.name!r}:", name, everything)
        object.__setattr__(self, "link", link)
        object.__setattr__(self, "parameters", everything)
        object.__setattr__(self, "title", self.title or self.name)
        if self.typical:
            numbers = self._typical_numbers()
            for name in self.typical:
                _check_inside(name, numbers[name], self.parameters[name], numbers)

    def overview(self) -> Overview:
        """Return what each player minimises or maximises, on which scores, with which numbers."""
        ranges = ", ".join(f"{name} in {span}" for name, span in self.parameters.items())
        rows = [
            ("D maximises", f"E_p[{self.real}] + E_q[{self.fake}]"),
            ("G minimises", f"E_q[{self.generator}]"),
            ("scores t in", self.domain),
            ("D is", self.link),
            ("parameters", ranges),
            ("laws", ", ".join(f"{name} ~ {law}" for name, law in self.laws.items())),
            ("heads", str(self.heads) if self.heads > 1 else ""),
            ("published", str(self.reference or "")),
        ]
        return Overview(self.title, tuple(rows))

    def __repr__(self) -> str:
        return constructor(self)

    def _check_laws(self, trees: list[ast.expr]) -> set[str]:
        """Return the names in the laws, and see that random names stand in means alone."""
        if type(self.heads) is not int or not 1 <= self.heads <= MOST_HEADS:
            raise GantheoryError(f"heads={self.heads!r} must be a whole number from 1 to 1000")
        means = [node for tree in trees for node in means_in(tree)]
        averaged = {name for node in means for name in names_in(node)}
        outside = {name for tree in trees for name in names_in(tree, in_means=False)}
        for name in self.laws:
            if name in RESERVED:
                raise GantheoryError(f"{name!r} has a fixed meaning and is not random; rename it")
            if name not in averaged:
                raise unknown_name(f"random name of loss {self.name!r} in E[...]:", name, averaged)
            if name in outside | names_of(self.domain):
                raise GantheoryError(
                    f"{name!r} of loss {self.name!r} is random and stands outside of a mean; "
                    f"write E[...] around what it is in"
                )
        for node in means:
            if not names_in(node) & {*self.laws}:
                raise GantheoryError(
                    f"{ast.unparse(node)[:60]!r} averages over no name with a law; declare one, "
                    'as in laws={"m": "uniform(0.8, 1)"} or --law "m=uniform(0.8, 1)"'
                )
        names = {name for text in self.laws.values() for name in names_in(law(text))}
        if names & {*self.laws}:
            raise GantheoryError("the law of a random name may name parameters, not random names")
        return names

    def at_typical(self) -> Loss:
        """Return the loss with every parameter at its typical value.

        >>> Loss("mine", real="a*t", fake="-b*t**2", generator="-t", typical={"b": "3"},
        ...      parameters={"a": "(0, b)"}).at_typical().name
        'mine(a=3/2, b=3)'
        """
        return self.given(**self._typical_numbers())

    def _typical_numbers(self) -> dict[str, Fraction]:
        numbers = {name: _exact(name, value) for name, value in self.typical.items()}
        waiting = [name for name in self.parameters if name not in numbers]
        while waiting:  # an interval may name other parameters
            ready = [name for name in waiting if not names_of(self.parameters[name]) - {*numbers}]
            if not ready:
                raise GantheoryError(
                    f"the intervals of {', '.join(waiting)} of loss {self.name!r} need each other; "
                    "state typical values"
                )
            numbers |= {name: _inside(numbered(self.parameters[name], numbers)) for name in ready}
            waiting = [name for name in waiting if name not in numbers]
        return {name: numbers[name] for name in self.parameters}

    def given(self, **numbers: float | Fraction | str) -> Loss:
        """Return the loss with numbers in the place of all its parameters.

        Args:
            numbers: the value of each parameter; text may be a fraction such as ``"1/3"``.

        Raises:
            GantheoryError: for a parameter that is missing, unknown or outside its legal interval.

        >>> Loss("mine", real="a*t", fake="-t**2", generator="-t").given(a="1/2").real
        '1 / 2 * t'
        """
        exact = {name: _exact(name, value) for name, value in numbers.items()}
        for name in exact:
            if name not in self.parameters:
                raise unknown_name(f"parameter of loss {self.name!r}:", name, self.parameters)
        if missing := [name for name in self.parameters if name not in exact]:
            raise GantheoryError(
                f"loss {self.name!r} needs a number for {', '.join(missing)}; write it like "
                f"{self.name}({missing[0]}=0.5)"
            )
        for name, text in self.parameters.items():
            _check_inside(name, exact[name], text, exact)
        real, fake, generator, link = (
            substituted(formula, RANDOM, exact)
            for formula in (self.real, self.fake, self.generator, self.link)
        )
        listed = ", ".join(f"{name}={value}" for name, value in exact.items())
        try:
            return replace(
                self,
                name=f"{self.name}({listed})" if listed else self.name,
                title=f"{self.title} ({listed})" if listed else self.title,
                real=real,
                fake=fake,
                generator=generator,
                link=link,
                domain=numbered(self.domain, exact),
                parameters={},
                typical={},
                laws={name: substituted(text, LAW, exact) for name, text in self.laws.items()},
                claims=(),
                general=self if exact else None,
                numbers=exact,
            )
        except GantheoryError as error:
            raise GantheoryError(f"loss {self.name!r} with {listed}: {error}") from None

    def partly(self, **numbers: float | Fraction | str) -> Loss:
        """Return the loss with numbers in the place of some parameters, the others still free.

        >>> Loss("mine", real="a*t", fake="-b*t**2", generator="-t").partly(b=2).parameters
        {'a': '(0, oo)'}
        """
        rest = {*self.parameters} - {*numbers}
        exact = {name: _exact(name, value) for name, value in numbers.items()}
        if not rest:
            return self.given(**numbers)
        for name in exact:
            if name not in self.parameters:
                raise unknown_name(f"parameter of loss {self.name!r}:", name, self.parameters)
            if not names_of(self.parameters[name]) & rest:
                _check_inside(name, exact[name], self.parameters[name], exact)
        real, fake, generator, link = (
            substituted(formula, RANDOM, exact)
            for formula in (self.real, self.fake, self.generator, self.link)
        )
        return replace(
            self,
            real=real,
            fake=fake,
            generator=generator,
            link=link,
            domain=numbered(self.domain, exact),
            parameters={
                n: numbered(text, exact) for n, text in self.parameters.items() if n in rest
            },
            typical={name: text for name, text in self.typical.items() if name in rest},
            laws={name: substituted(text, LAW, exact) for name, text in self.laws.items()},
            claims=(),
        )

    def as_dict(self) -> dict[str, object]:
        """Return the formulas as typed under their field names, for printing and JSON."""
        loss = self.typed or self
        shown = ["name", "title", "real", "fake", "generator", "domain", "link", "parameters"]
        shown += ["laws"] * bool(loss.laws) + ["heads"] * (loss.heads > 1)
        return {f.name: getattr(loss, f.name) for f in fields(loss) if f.name in shown}


def _exact(name: str, value: float | Fraction | str) -> Fraction:
    """Return a parameter's value as the exact number that its decimals say."""
    found = number(parse(str(value), PAYOFF))
    if found is None:
        raise GantheoryError(f"{name}={str(value)[:40]!r} is no number; write it like {name}=0.5")
    return found


def _inside(text: str) -> Fraction:
    """Return the middle of an interval, or the number 2 beyond its one end; 2 for the real line."""
    legal = interval(text)
    lower, upper = number(legal.lower), number(legal.upper)  # None: infinite
    if lower is not None and upper is not None:
        return (lower + upper) / 2
    return upper - 2 if upper is not None else (lower or Fraction(0)) + 2


def _check_inside(name: str, value: Fraction, text: str, numbers: Mapping[str, Fraction]) -> None:
    """Refuse a value outside the legal interval of its parameter."""
    legal = interval(numbered(text, numbers))
    lower, upper = number(legal.lower), number(legal.upper)  # None: infinite
    above = lower is None or value > lower or (value == lower and legal.closed_lower)
    below = upper is None or value < upper or (value == upper and legal.closed_upper)
    if not (above and below):
        raise GantheoryError(f"{name}={value} is outside its legal interval {text}")
