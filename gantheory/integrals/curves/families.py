"""One-parameter families of pairs of densities: two texts in which the letter ``d`` varies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from gantheory.densities import Density, parse_density
from gantheory.errors import GantheoryError, require_type, shown, unknown_name
from gantheory.integrals.curves.formula import dual, leaves, tree_in_d

_LETTER = re.compile(r"\bd\b")


@dataclass(frozen=True)
class Family:
    """A pair of laws that depends on one number, written ``d`` in their texts.

    Attributes:
        p: the data density; its parameters may contain ``d``, as in ``"normal(d/2, 1)"``.
        q: the generator's density.
        axis: what d measures, for the axis of a plot.
        range: the values of d that a figure shows.

    >>> print(*Family("normal(0, 1)", "normal(d, 1)").at(0.5))
    normal(0, 1) normal(0.5, 1)
    """

    p: str
    q: str
    axis: str = "d"
    range: tuple[float, float] = (0.0, 10.0)

    def at(self, value: float) -> tuple[Density, Density]:
        """Return the two laws at one value of d."""
        number = repr(float(value))
        p, q = (_LETTER.sub(f"({number})", text) for text in (self.p, self.q))
        return parse_density(p), parse_density(q)

    def __str__(self) -> str:
        return f"P = {self.p}, Q = {self.q}"


_PAIR = "mixture(0.5*normal(-2, {s}) + 0.5*normal(2, {s}))"
FAMILIES = {
    "distance": Family("normal(0, 1)", "normal(d, 1)", "distance d between the means, in σ"),
    "scale": Family("normal(0, 1)", "normal(0, d)", "ratio d of the standard deviations", (0.2, 5)),
    "weight": Family(
        "mixture(0.5*normal(-3, 1) + 0.5*normal(3, 1))",
        "mixture((1 - d)*normal(-3, 1) + d*normal(3, 1))",
        "weight d of the right mode in Q",
        (0.01, 0.99),
    ),
    "separation": Family(
        "mixture(0.5*normal(-d/2, 1) + 0.5*normal(d/2, 1))",
        "normal(0, 1)",
        "separation d of the two modes of P, in σ",
    ),
    "laplace": Family("laplace(0, 1)", "laplace(d, 1)", "distance d between the medians"),
    "logistic": Family("logistic(0, 1)", "logistic(d, 1)", "distance d between the means"),
    "cauchy": Family("student_t(df=1)", "student_t(df=1, loc=d)", "distance d between the medians"),
}


def find_family(family: Family | str, p: str | None = None, q: str | None = None) -> Family:
    """Return a family, or one by its name in `FAMILIES`, with laws of one's own in their places.

    >>> print(find_family("distance", q="laplace(d, 1)"))
    P = normal(0, 1), Q = laplace(d, 1)
    """
    if not isinstance(family, Family):
        require_type("family", family, str, f"a Family, or a name such as {'distance'!r}")
        if "(" in family:
            raise GantheoryError(
                f"{shown(family)} is a law and no family of pairs; give the laws by name, as "
                'p="normal(0, 1)", q="normal(d, 1)"'
            )
        if family not in FAMILIES:
            raise unknown_name("family", family, FAMILIES)
        family = FAMILIES[family]
    if p is None and q is None:
        return family
    for law in (p, q):
        if law is not None:
            require_type("law in which d varies", law, str, "text like 'normal(d, 1)'")
    return replace(family, p=p or family.p, q=q or family.q, axis="d")


def slopes_of(family: Family, value: float) -> dict[str, float]:
    """Return how fast each number in the two laws moves with d there, as ``{"q.loc": 1.0}``.

    >>> slopes_of(Family("normal(0, 1)", "mixture(0.5*normal(d**2, 1) + 0.5*normal(0, 1))"), 3.0)
    {'q.components[0].loc': 6.0}
    """
    d = Fraction(repr(float(value)))
    trees = {law: tree_in_d(text) for law, text in (("p", family.p), ("q", family.q))}
    return {
        f"{law}.{path}": float(dual(node, d)[1])
        for law, tree in trees.items()
        for path, node in leaves(tree)
    }
