"""A theory as people read it: steps that each say how they are known, in text, LaTeX and HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Protocol

from gantheory.derivations.latex import breakable, document, escape_latex
from gantheory.derivations.notation import Letter, legend
from gantheory.divergences.symbols import in_prose
from gantheory.records import How
from gantheory.shown import Overview, Shown, html_table


@dataclass(frozen=True)
class Step:
    """One step of the derivation: what is found, typeset, and how it is known.

    ``latex`` is empty where a step is a sentence and no formula.
    ``theorem`` is what the step quotes and nothing here computes, with its source: the step and
    whatever rests on it are proved under it alone.
    """

    title: str
    text: str
    latex: str
    how: How
    reason: str = ""
    theorem: str = ""

    def __post_init__(self) -> None:
        """Say everything in one notation, and of an enclosed number as many digits as one reads."""
        for part in ("text", "reason", "theorem"):
            object.__setattr__(self, part, in_prose(getattr(self, part)))
        for part in ("text", "latex", "reason"):
            object.__setattr__(self, part, _DIGITS.sub(_fifteen, getattr(self, part)))

    @property
    def known(self) -> str:
        """How the step is known, in one word: ``"assumed"`` where it quotes a theorem."""
        return "assumed" if self.theorem and self.how is How.PROVED else self.how.value

    @property
    def because(self) -> str:
        """The reason, and the theorem that is quoted."""
        return "; ".join(why for why in (self.reason, self.theorem) if why)

    def as_dict(self) -> dict[str, str]:
        """Return the stable JSON keys."""
        return {
            "title": self.title, "text": self.text, "latex": self.latex, "how": self.known,
            "reason": self.because,
        }  # fmt: skip


_DIGITS = re.compile(r"\d+\.\d{16,}(?!\d| ?±)(e-?\d+)?")


def _fifteen(found: re.Match[str]) -> str:
    return f"{float(found[0]):.15g}"


@dataclass(frozen=True)
class Line:
    """One line of a summary; ``known`` says how, as its steps do."""

    label: str
    text: str
    known: str

    def __post_init__(self) -> None:
        """Say everything in one notation."""
        object.__setattr__(self, "text", in_prose(self.text))

    def __str__(self) -> str:
        return f"{self.label:<12} {self.text}  [{self.known}]"


ORDER = ("undecided", "refuted", "measured", "assumed", "certified", "proved")


def weakest_word(words: Iterable[str]) -> str:
    """Return the weakest of the words that say how something is known; of none, ``"undecided"``.

    >>> weakest_word(["proved", "assumed"])
    'assumed'
    """
    return min(words, key=ORDER.index, default=How.UNDECIDED.value)


class Theory(Protocol):
    """What a theory of one loss has to have so that it can be told."""

    def overview(self) -> Overview:
        """The title, and rows of a label and a text."""

    @property
    def title(self) -> str:
        """The loss's usual name."""

    @property
    def summary(self) -> tuple[Line, ...]:
        """The answer in five lines at most."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation step by step."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why there is no optimum, what is undecided, and the assumptions, line by line."""

    @property
    def notation(self) -> tuple[Letter, ...]:
        """What the letters of the steps stand for."""


class Exposition(Shown):
    """What a terminal, a notebook and a LaTeX document show of a theory."""

    LETTERS: ClassVar[tuple[Letter, ...]] = ()  # of this kind of theory, before the general ones

    @property
    def notation(self: Any) -> tuple[Letter, ...]:
        """What the letters of the steps stand for, each said once."""
        formulas = (step.latex for step in self.steps)
        return legend(formulas, self.LETTERS, getattr(self, "definition", None))

    def overview(self: Theory) -> Overview:
        """Return the loss, and below it the answer in five lines at most."""
        lines = ((one.label, f"{one.text}  [{one.known}]") for one in self.summary)
        definition = getattr(self, "definition", None)
        stated = definition.overview().rows if isinstance(definition, Shown) else ()
        game = tuple(row for row in stated if row[0] in ("D maximises", "where", "G minimises"))
        return Overview(self.title, (*game, *lines))

    @property
    def summary(self) -> tuple[Line, ...]:
        """The answer in five lines at most; none where the steps are as short."""
        return ()

    @property
    def remarks(self: Any) -> tuple[str, ...]:
        """Why there is no optimum, what is undecided, and the assumptions, line by line."""
        no_optimum = getattr(self, "no_optimum", None)
        lines = ["", no_optimum] if no_optimum else []
        for name, reason in (self.undecided or {}).items():
            lines += ["", f"undecided: {name}, because {reason}"]
        listed = [f"  - {one}" for one in map(in_prose, self.assumptions)]
        return (*lines, *(["", "Assumptions:", *listed] if listed else []))

    def __str__(self: Theory) -> str:
        lines = [self.title, *map(str, self.summary)]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"{number}. {step.title}  [{_how(step)}]", f"   {step.text}"]
        return "\n".join([*lines, *self.remarks])

    def _repr_latex_(self: Theory) -> str:
        rows = [rf"&\text{{{escape_latex(s.title)}}} && {_shown(s)}" for s in self.steps]
        rows += [rf"&\text{{{escape_latex(one.meaning)}}} && {one.latex}" for one in self.notation]
        rows = rows or [rf"&\text{{{escape_latex(line)}}}" for line in self.remarks if line]
        return "$\\displaystyle\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$"

    def _repr_html_(self: Theory) -> str:
        rows = "".join(
            f"<li><b>{escape(s.title)}</b> <small>({escape(_how(s))})</small>"
            f"<p>{_in_html(s)}</p></li>"
            for s in self.steps
        )
        said = "".join(f"<li>${one.latex}$: {escape(one.meaning)}</li>" for one in self.notation)
        rows = f"<ol>{rows}</ol><p><b>Notation</b></p><ul>{said}</ul>" if rows else ""
        remarks = "".join(f"<p>{escape(line)}</p>" for line in self.remarks if line)
        steps = f"<details><summary>Step by step</summary>{rows}</details>" if rows else ""
        return f"{html_table(*self.overview())}{steps}{remarks}"


def latex_document(theory: Theory) -> str:
    """Return a theory as a LaTeX document: its answer, then a display for each step."""
    blocks = [_overview_in_latex(theory)] if theory.summary else []
    blocks += [_notation_in_latex(theory.notation)] if theory.notation else []
    for step in theory.steps:
        how = escape_latex(_how(step))
        blocks.append(
            rf"\paragraph{{{escape_latex(step.title)}.}} \emph{{({how})}}"
            + "\n"
            + (rf"\formula{{{breakable(step.latex)}}}" if step.latex else escape_latex(step.text))
        )
    remarks = [escape_latex(line) for line in theory.remarks if line]
    blocks += [r"\noindent " + "\\\\\n".join(remarks)] if remarks else []
    return document(theory.title, blocks)


def _overview_in_latex(theory: Theory) -> str:
    rows = theory.overview().rows
    return _described((escape_latex(label), escape_latex(text)) for label, text in rows)


def _notation_in_latex(letters: Iterable[Letter]) -> str:
    rows = ((f"${one.latex}$", escape_latex(one.meaning)) for one in letters)
    return "\\paragraph{Notation.}\n" + _described(rows)


def _described(rows: Iterable[tuple[str, str]]) -> str:
    items = (rf"\item[{label}] {text}" for label, text in rows)
    return "\n".join([r"\begin{description}", *items, r"\end{description}"])


def _in_html(step: Step) -> str:
    return rf"$\displaystyle {step.latex}$" if step.latex else escape(step.text)


def _shown(step: Step) -> str:
    """Return a step's formula, or its words where it has none."""
    return step.latex or rf"\text{{{escape_latex(step.text)}}}"


def _how(step: Step) -> str:
    return f"{step.known}: {step.because}" if step.because else step.known
