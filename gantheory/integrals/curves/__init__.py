"""Divergences and their gradients along one-parameter families of pairs of densities."""

from gantheory.integrals.curves.along import (
    TargetCurve,
    Vanishing,
    curve,
    curves,
    penalised_curves,
    tabulate,
    usual,
    vanishing,
    write_table,
)
from gantheory.integrals.curves.families import FAMILIES, Family, find_family
from gantheory.integrals.curves.labelled import Curves
from gantheory.integrals.curves.targets import Target

__all__ = [
    "FAMILIES",
    "Curves",
    "Family",
    "Target",
    "TargetCurve",
    "Vanishing",
    "curve",
    "curves",
    "find_family",
    "penalised_curves",
    "tabulate",
    "usual",
    "vanishing",
    "write_table",
]
