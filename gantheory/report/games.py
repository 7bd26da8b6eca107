"""What a derivation tells a person: five questions about a loss, answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gantheory.records import How
from gantheory.report.maths import combination, curvature_latex


@dataclass(frozen=True)
class Answer:
    """One line of a game's summary: a formula, words, or both, and how they are known."""

    question: str
    latex: str = ""
    words: str = ""
    how: How | None = None


@dataclass(frozen=True)
class StepView:
    """One step of a derivation as the page shows it."""

    title: str
    latex: str
    how: How
    reason: str


@dataclass(frozen=True)
class GameView:
    """A game's formulas, the answers about it, and the steps that lead to them."""

    name: str
    title: str
    real: str
    fake: str
    generator: str
    answers: tuple[Answer, ...]
    steps: tuple[StepView, ...]
    assumptions: tuple[str, ...]


def view_game(derivation: Any) -> GameView:
    """Return what the page shows of a `gantheory.symbolic` derivation."""
    game = derivation.game
    return GameView(
        game.name,
        game.title,
        game.real,
        game.fake,
        game.generator,
        answers=tuple(_answers(derivation)),
        steps=tuple(
            StepView(step.title, step.latex, step.how, step.reason or "")
            for step in derivation.steps
        ),
        assumptions=tuple(derivation.assumptions),
    )


def _answers(derivation: Any) -> Iterable[Answer]:
    yield _optimum(derivation)
    yield _divergence("The optimal discriminator reports", derivation.value)
    yield _divergence("The printed generator loss then equals", derivation.loss)
    yield _divergence("The generator really follows", derivation.followed)
    if derivation.followed is not None:
        yield Answer(
            "Its curvature in r",
            latex=curvature_latex(derivation.followed),
            words=_verdict_on(derivation.followed),
        )


def _optimum(derivation: Any) -> Answer:
    import sympy

    question = "Optimal discriminator"
    optimum = derivation.optimum
    if optimum is None or optimum.D is None:
        return Answer(question, words=getattr(optimum, "reason", None) or "there is none")
    p, q = sympy.symbols("p q", positive=True)
    (ratio,) = optimum.D.free_symbols & {sympy.Symbol("r", positive=True)} or {None}
    latex = f"D^*(x) = {sympy.latex(optimum.D)}"
    if ratio is not None:
        in_densities = sympy.factor(sympy.cancel(optimum.D.subs(ratio, p / q)))
        latex = f"D^*(x) = {sympy.latex(in_densities)} = {sympy.latex(optimum.D)}"
    return Answer(question, latex=latex, how=derivation.second_order.how)


def _divergence(question: str, curvature: Any) -> Answer:
    if curvature is None:
        return Answer(question, words="nothing: there is no optimum")
    if not curvature.terms:
        return Answer(question, words=curvature.divergence or "", how=curvature.how)
    return Answer(question, combination(curvature.terms, curvature.constant), how=curvature.how)


def _verdict_on(curvature: Any) -> str:
    if curvature.is_divergence is None:
        return "whether it is a divergence is undecided"
    if curvature.is_divergence:
        return "nowhere negative: an f-divergence"
    return f"negative at r = {curvature.counterexample}: no divergence"
