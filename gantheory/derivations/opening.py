"""The first steps of every derivation: the game, and one point at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp

from gantheory.derivations.exposition import Step
from gantheory.derivations.typeset import typeset
from gantheory.functions import to_sympy
from gantheory.losses.loss import Loss
from gantheory.records import How

if TYPE_CHECKING:
    from gantheory.derivations.derivation import Derivation


def game(derivation: Derivation) -> Step:
    loss = derivation.definition
    names = {"D": sp.Symbol("D")}
    a, b, c = (typeset(to_sympy(one, names)) for one in (loss.real, loss.fake, loss.generator))
    return Step(
        "The game",
        _sentence(loss),
        rf"V = \mathbb{{E}}_p[{a}] + \mathbb{{E}}_q[{b}], \qquad \min_G \mathbb{{E}}_q[{c}]",
        How.PROVED,
        "by definition",
    )


def pointwise() -> Step:
    return Step(
        "One point at a time",
        "V is the integral of q*(r*a(t) + b(t)) with r = p/q, so an unrestricted D maximises "
        "r*a(t) + b(t) at each x.",
        r"V = \int q\,\bigl(r\,a(t) + b(t)\bigr)\,dx, \qquad r = p/q",
        How.PROVED,
        "the integrand depends on t(x) alone",
    )


def _sentence(loss: Loss) -> str:
    """Say the game as typed and, where it has means or heads, as it is worked out."""
    typed = loss.typed or loss
    said = f"D maximises V = E_p[{typed.real}] + E_q[{typed.fake}]"
    if typed.heads > 1:
        said += f", summed over {typed.heads} heads, each with its own score"
    if typed.laws:
        said += ", with " + ", ".join(f"{name} ~ {law}" for name, law in typed.laws.items())
    said += f"; G minimises E_q[{typed.generator}]."
    if loss.typed is not None:
        said += f" Worked out: a = {loss.real}, b = {loss.fake}, c = {loss.generator}."
    return said
