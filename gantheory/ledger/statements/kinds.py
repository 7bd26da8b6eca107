"""The kinds of check that a ledger's entry may ask for: each is a few words of data.

A kind hands the question to an engine and returns the engine's verdict. Its plants are the same
question with one error in it (a sign, a constant, a direction, p and q exchanged).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gantheory.derivations.derivation import Derivation
from gantheory.derivations.exposition import Step
from gantheory.errors import GantheoryError, unknown_name
from gantheory.ledger.statements.entry import Test
from gantheory.ledger.statements.formula import decide_formula, read_relation
from gantheory.ledger.twins import CHANGES, differ
from gantheory.losses.loss import Loss
from gantheory.records import Estimate, Verdict
from gantheory.verify import Check, agree, at_least, at_most

_REVERSED = {"<=": ">", ">=": "<", "<": ">=", ">": "<="}


@dataclass(frozen=True)
class Formula:
    """A comparison of formulas in numbers that have intervals."""

    text: str
    where: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False

    def __str__(self) -> str:
        spans = "".join(f", {name} in {span}" for name, span in self.where.items())
        return f"formula {self.text}{spans}"

    def validate(self) -> None:
        """Refuse text that is no such comparison."""
        read_relation(self.text, self.where)

    def decide(self) -> Verdict:
        """Decide it by exact algebra, or by signs in balls."""
        return decide_formula(self.text, self.where)

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield the other direction; of an identity, 1 more and the sign of its right side."""
        for what, text in _planted_comparison(self.text):
            yield what, replace(self, text=text)


def _planted_comparison(text: str) -> Iterator[tuple[str, str]]:
    left, relation, right = split_comparison(text)
    if relation in _REVERSED:
        yield "the other direction", f"{left} {_REVERSED[relation]} {right}"
    else:
        if "oo" not in right:
            yield "1 more", f"{left} == {right} + 1"
        if right.strip() not in ("0", "-0"):
            yield "the sign reversed", f"{left} == -({right})"


def split_comparison(text: str) -> tuple[str, str, str]:
    """Return the two sides of a comparison and its relation.

    >>> split_comparison("kl_qm <= kl_qp/2")
    ('kl_qm', '<=', 'kl_qp/2')
    """
    for relation in ("<=", ">=", "==", "<", ">"):
        left, found, right = text.partition(relation)
        if found:
            return left.strip(), relation, right.strip()
    raise GantheoryError(f"{text[:60]!r} compares nothing; write one of <= >= < > == in it")


@dataclass(frozen=True)
class Derived:
    """What the engine derives of a loss: one part of it, or a property."""

    loss: Loss
    part: str
    text: str
    slow: bool = False

    def __str__(self) -> str:
        loss = self.loss
        return f"derive {loss.name} ({loss.real}; {loss.fake}; {loss.generator}): " + (
            f"{self.part} = {self.text}"
        )

    def validate(self) -> None:
        """The loss was read already."""

    def decide(self) -> Verdict:
        """Derive the loss's theory, and hold the part against the text."""
        from gantheory.ledger.properties import LAWS, decide_zero_sum
        from gantheory.ledger.published import check_part

        theory = _theory_of(self.loss)
        if self.part == "law":
            law = LAWS[self.text]
            return law.decide(f"{self.loss.name}: {law.says}", theory, False)
        if self.part == "zero_sum":
            return decide_zero_sum(self.loss, theory, self.text == "true")
        return check_part(self.loss, self.part, self.text, theory)

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield the changes that make the formula another one, or the opposite property."""
        if self.part == "law":
            opposite = {"vanishing": "not-vanishing", "not-vanishing": "vanishing"}
            if self.text in opposite:
                yield "the opposite", replace(self, text=opposite[self.text])
        elif self.part == "zero_sum":
            yield "the opposite", replace(self, text="false" if self.text == "true" else "true")
        elif self.text != "no divergence":
            for what, change in CHANGES.items():
                wrong = change(self.text)
                if differ(self.text, wrong) and not (self.part == "followed" and "more" in what):
                    yield what, replace(self, text=wrong)


def _theory_of(loss: Loss) -> Derivation:
    """Return the derivation of a loss, derived once a process."""
    from gantheory.derivations import derive
    from gantheory.ledger import catalogue
    from gantheory.losses import CATALOGUE

    if CATALOGUE.get(loss.name) == loss:
        found: Derivation = catalogue.theory_of(loss.name)
        return found
    return derive(loss)


def steps_behind(check: Test) -> tuple[Step, ...]:
    """Return the derivation's steps that a check of a loss stands on; none of other checks."""
    return _theory_of(check.loss).steps if isinstance(check, Derived) else ()


@dataclass(frozen=True)
class Inequality:
    """A comparison of divergences for all laws."""

    text: str
    restricted: bool = False
    slow: bool = False

    def __str__(self) -> str:
        return f"prove {self.text}" + (", Q being P restricted" if self.restricted else "")

    def validate(self) -> None:
        """Refuse text that is no comparison of divergences."""
        from gantheory.inequalities.statements import read_statement

        read_statement(self.text)

    def decide(self) -> Verdict:
        """Prove or refute it."""
        from gantheory.inequalities import prove

        return prove(self.text, restricted=self.restricted)

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield the other direction; of an identity, twice the right side."""
        left, relation, right = split_comparison(self.text)
        if relation == "==":
            yield "twice as much", replace(self, text=f"{left} == 2*({right})")
        elif right.strip() == "0":
            yield "the sign reversed", replace(self, text=f"-({left}) {relation} {right}")
        else:
            yield "the other direction", replace(self, text=f"{left} {_REVERSED[relation]} {right}")


@dataclass(frozen=True)
class OnLaws:
    """A comparison of divergences on two given discrete laws."""

    text: str
    p: tuple[str, ...]
    q: tuple[str, ...]
    slow: bool = False

    def __str__(self) -> str:
        return f"laws {self.text}, P = ({', '.join(self.p)}), Q = ({', '.join(self.q)})"

    def validate(self) -> None:
        """Refuse what are no probabilities, or no comparison."""
        from gantheory.ledger.statements.laws import read_comparison

        read_comparison(self.text, self.p, self.q)

    def decide(self) -> Verdict:
        """Evaluate both sides in balls; an infinite side is infinite exactly."""
        from gantheory.ledger.statements.laws import compare_on_laws

        return compare_on_laws(self.text, self.p, self.q)

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield the other direction."""
        left, relation, right = split_comparison(self.text)
        if relation in _REVERSED:
            yield "the other direction", replace(self, text=f"{left} {_REVERSED[relation]} {right}")


@dataclass(frozen=True)
class Integral:
    """A divergence of two densities, or its derivative, against a number as printed."""

    quantity: str
    p: str
    q: str
    relation: str  # "is", "above" or "below"
    number: str
    wrt: str | None = None
    method: str = "auto"
    slow: bool = False

    def __str__(self) -> str:
        derivative = f", derivative in {self.wrt}" if self.wrt else ""
        asked = f"{self.quantity} of {self.p} and {self.q}{derivative} {self.relation}"
        return f"integrate {asked} {self.number} ({self.method})"

    def validate(self) -> None:
        """Refuse what are no densities."""
        from gantheory.densities import parse_density

        for law in (self.p, self.q):
            parse_density(law)

    def decide(self) -> Verdict:
        """Integrate it; a printed number is known to half a unit of its last digit."""
        from gantheory.integrals import divergence
        from gantheory.ledger.survey import half_unit

        found = divergence(self.quantity, self.p, self.q, wrt=self.wrt, method=self.method)
        statement = str(self)
        if self.relation == "is":
            digits = half_unit(self.number) if self.number not in ("0", "inf") else 0.0
            printed = Estimate(float(self.number), digits, method="printed")
            return agree(statement, found, printed, apart=1.0 if printed.value == 0 else None)
        judge = at_least if self.relation == "above" else at_most
        return judge(statement, found, Estimate(float(self.number)))

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield a unit more in the last digit, or the other direction."""
        from gantheory.ledger.survey import next_digit

        if self.relation != "is":
            other = {"above": "below", "below": "above"}[self.relation]
            yield "the other direction", replace(self, relation=other)
        elif self.number not in ("0", "inf"):
            yield "a digit", replace(self, number=next_digit(next_digit(self.number)))


@dataclass(frozen=True)
class Known:
    """A check that the toolkit's own ledger has already, by its id."""

    id: str

    @property
    def slow(self) -> bool:
        """Whether it trains."""
        return self._check().trains

    def __str__(self) -> str:
        return f"the toolkit's check {self.id}"

    @property
    def statement(self) -> str:
        """What that check states."""
        return self._check().statement

    def _check(self) -> Check:
        from gantheory.ledger.checks import CHECKS

        if self.id not in CHECKS:
            raise unknown_name("check", self.id, CHECKS)
        return CHECKS[self.id]

    def validate(self) -> None:
        """Refuse an unknown id."""
        self._check()

    def decide(self) -> Verdict:
        """Run it."""
        return self._check().run()

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield its false twins."""
        from gantheory.ledger.checks import CHECKS

        for check in CHECKS.values():
            if check.twin_of == self.id and not check.trains:
                yield "its twin", Known(check.id)


@dataclass(frozen=True)
class Code:
    """A check that needs code: an enumeration, or a training."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def slow(self) -> bool:
        """Whether it trains."""
        from gantheory.ledger.statements import code

        return self.name in code.TRAINED

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {value}" for name, value in self.arguments.items())
        return f"code {self.name}({given})"

    def validate(self) -> None:
        """Refuse code that is not of this package."""
        from gantheory.ledger.statements import code

        if self.name not in code.FUNCTIONS:
            raise unknown_name("code", self.name, code.FUNCTIONS)

    def decide(self) -> Verdict:
        """Run it."""
        from gantheory.ledger.statements import code

        self.validate()
        return code.FUNCTIONS[self.name](**self.arguments)

    def plants(self) -> Iterator[tuple[str, Test]]:
        """Yield the function's own wrong inputs."""
        from gantheory.ledger.statements import code

        for what, arguments in code.PLANTS.get(self.name, {}).items():
            yield what, replace(self, arguments={**self.arguments, **arguments})
