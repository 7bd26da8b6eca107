"""An analysis of a game in rows: the verdict first, and below what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gantheory.divergences.symbols import in_prose
from gantheory.shown import Overview

if TYPE_CHECKING:
    from gantheory.dynamics.analysis import Analysis
    from gantheory.dynamics.rates import BestRate
    from gantheory.dynamics.verdict import Decision


_IMAGINARY = re.compile(r"(?<![\w'])I(?![\w'])")  # sympy's letter


def describe(analysis: Analysis, decision: Decision) -> Overview:
    """Return the game, and rows: verdict, method, field, equilibria, spectrum, step sizes."""
    data = analysis.as_dict()
    rows = [*_verdict(data, decision), *_field(data), *_spectrum(data, analysis.best)]
    return Overview(
        data["title"] or data["game"],
        tuple((name, _IMAGINARY.sub("i", in_prose(text))) for name, text in rows),
    )


def _verdict(data: dict[str, Any], decision: Decision) -> Iterator[tuple[str, str]]:
    update = data["update"]
    yield "verdict", f"{decision.behaviour} ({decision.how}: {decision.reason})"
    if decision.theorem:
        yield "by", f"{decision.theorem}, which is quoted"
    yield "method", f"{_method(update)}, step eta = {update['step']:g}"


def _field(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the field, and each equilibrium with the field's eigenvalues and what it is."""
    for variable, component in data["field"].items():
        yield f"d{variable}/dt", component
    for found in data["equilibria"]:
        point = ", ".join(f"{name} = {value}" for name, value in found["point"].items())
        values = ", ".join(found["eigenvalues"] or ["none: the field jumps here"])
        yield "equilibrium", f"{point}: {found['classification']}"
        yield "  eigenvalues", f"{values} (of the field)"
    if not data["equilibria"]:
        yield "equilibrium", "none found"
    if not data["equilibria_complete"]:
        yield "", data["equilibria_scope"]


def _spectrum(data: dict[str, Any], best: BestRate | None) -> Iterator[tuple[str, str]]:
    """Yield the eigenvalues of the update, and for which steps it converges."""
    update = data["update"]
    if update["spectral_radius"] is not None:
        yield "spectral radius", f"{update['spectral_radius']:.12g}"
    if update["eigenvalues"]:
        yield "  eigenvalues", f"{', '.join(update['eigenvalues'])} (of the update)"
    if update["eigenvalues_in_step"] and update["method"] != "flow":
        yield "  in the step", ", ".join(update["eigenvalues_in_step"])
    if update["converges_for"] is not None:
        linear = update["linear"] or update["method"] == "flow"
        near = "" if linear else " (linearised at the equilibrium)"
        for name, key in (("converges for", "converges_for"), ("bounded for", "bounded_for")):
            steps = "no step" if update[key] == "none" else f"eta in {update[key]}"
            yield name, f"{steps}{near}"
    if best is not None:
        exact, number = str(best.radius), f"{float(best.radius):.6g}"
        radius = exact if exact == number else f"{exact} = {number}"
        yield "best step", f"eta = {best.step}, of spectral radius {radius}"


def _method(update: dict[str, Any]) -> str:
    options = ", ".join(f"{key} {value}" for key, value in update["options"].items())
    return f"{update['method']} ({options})" if options else str(update["method"])
