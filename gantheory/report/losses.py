"""What a derivation tells a person: five questions about a loss, answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gantheory.derivations.notation import Letter
from gantheory.records import How
from gantheory.report.maths import combination, curvature_latex


@dataclass(frozen=True)
class Answer:
    """One line of a loss's summary: a formula, words, or both, and how they are known."""

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
    """A loss's formulas, the answers about it, and the steps that lead to them."""

    name: str
    title: str
    real: str
    fake: str
    generator: str
    answers: tuple[Answer, ...]
    steps: tuple[StepView, ...]
    assumptions: tuple[str, ...]
    notation: tuple[Letter, ...] = ()


def view_loss(derivation: Any) -> GameView:
    """Return what the page shows of a `gantheory.theory` derivation."""
    loss = derivation.definition.typed or derivation.definition
    return GameView(
        loss.name,
        loss.title,
        loss.real,
        loss.fake,
        loss.generator,
        answers=tuple(_answers(derivation)),
        steps=tuple(
            StepView(step.title, step.latex, step.how, step.reason or "")
            for step in derivation.steps
        ),
        assumptions=tuple(derivation.assumptions),
        notation=derivation.notation,
    )


def _answers(derivation: Any) -> Iterator[Answer]:
    if derivation.optimum is None:
        yield Answer("Optimal discriminator", words=_why_not(derivation, "optimum"))
        return
    yield _optimum(derivation)
    for name, question in _QUESTIONS:
        curvature = getattr(derivation, name)
        if curvature is None:
            yield Answer(question, words=_why_not(derivation, name))
        else:
            yield _divergence(question, curvature)
    if derivation.followed is not None:
        yield _is_divergence(derivation.followed)
    if derivation.saturation is not None:
        yield from _saturation(derivation.saturation)
    if derivation.equilibrium is not None:
        yield _equilibrium(derivation.equilibrium)


_QUESTIONS = (
    ("value", "The optimal discriminator reports"),
    ("loss", "The printed generator loss then equals"),
    ("followed", "The generator really follows"),
)


def _why_not(derivation: Any, name: str) -> str:
    """Return why a part of a derivation is missing."""
    if derivation.no_optimum:
        return f"There is none: {derivation.no_optimum}."
    reasons = derivation.undecided or {}
    return f"Undecided: {reasons.get(name) or '; '.join(reasons.values())}."


def _optimum(derivation: Any) -> Answer:
    """D* in r, and in the densities where it is a rational function of them."""
    import sympy

    from gantheory.derivations.typeset import typeset
    from gantheory.functions import r

    optimum, second = derivation.optimum, derivation.second_order
    latex = typeset(optimum.D)
    if optimum.D.is_rational_function(r) and optimum.D.has(r):
        p, q = sympy.symbols("p q", positive=True)
        latex = f"{typeset(sympy.factor(sympy.cancel(optimum.D.subs(r, p / q))))} = {latex}"
    words = "" if optimum.attained else "approached, not attained"
    return Answer("Optimal discriminator", f"D^*(x) = {latex}", words, second and second.how)


def _divergence(question: str, curvature: Any) -> Answer:
    """A quantity as every shortest combination of named divergences, or by its curvature."""
    is_constant = curvature.is_named and curvature.is_divergence is not False
    if curvature.terms or is_constant:
        forms = [curvature.terms, *curvature.alternatives][:3]
        latex = " = ".join(combination(form, curvature.constant) for form in forms)
        return Answer(question, latex, how=How.PROVED)  # naming is linear algebra over polynomials
    if curvature.is_divergence is False:
        return Answer(question, words=f"{curvature.divergence}: {curvature.reason}")
    shown = curvature_latex(curvature)
    return Answer(question, shown, f"{curvature.divergence}, with this f″")


def _is_divergence(curvature: Any) -> Answer:
    words = {
        True: "nowhere negative, so this is an f-divergence",
        False: f"negative at r = {curvature.counterexample}: no divergence",
        None: f"whether this is a divergence is undecided: {curvature.reason}",
    }
    return Answer(
        "Its curvature in r = p/q",
        curvature_latex(curvature),
        words[curvature.is_divergence],
        curvature.how,
    )


def _saturation(saturation: Any) -> Iterator[Answer]:
    """The gradient per fake sample in log r, and in the raw score as autograd sees it."""
    from gantheory.derivations.typeset import typeset

    words = {True: "vanishes", False: "does not vanish", None: "tends to a limit not decided"}
    for place, name, weight, end, vanishing in (
        ("log r", "w(r)", saturation.weight, saturation.limit_at_0, saturation.vanishing),
        ("the raw score", "c'(t^*)", saturation.in_score, saturation.score_limit_at_0,
         saturation.vanishing_in_score),
    ):  # fmt: skip
        question = f"On fakes that D recognises, r → 0, the gradient in {place}"
        if weight is None:
            yield Answer(question, words="undecided")
            continue
        tends = "" if end is None else rf",\qquad {name} \to {typeset(end)}"
        yield Answer(question, f"{name} = {typeset(weight)}{tends}", words[vanishing])


def _equilibrium(found: Any) -> Answer:
    from gantheory.derivations.typeset import typeset

    shown = [typeset(e) for e in (found.D, found.discriminator_loss, found.generator_loss)]
    losses = (
        rf"\text{{discriminator loss }} {{{shown[1]}}}",
        rf"\text{{generator loss }} {{{shown[2]}}}",
    )
    return Answer("Where p = q, training reads", r",\qquad ".join((f"D = {shown[0]}", *losses)))
