"""The page of two densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gantheory.workbench.pages.charts import Chart, dots, line
from gantheory.workbench.pages.frame import (
    Asker,
    Links,
    Problems,
    chooser,
    keep,
    page,
    slider,
    state,
    text_element,
    text_field,
    working,
)

START = {"p": "normal(0, 1)", "q": "normal(d, 1)", "d": "2"}
FAR, NOTCHES = 10.0, 20  # of the slider: its end, and its places a unit
AXIS = {"min": 0, "max": FAR}
OWN = "your own"
PAIRS = {
    "two normals": ("normal(0, 1)", "normal(d, 1)"),
    "two uniforms, disjoint beyond d = 1": ("uniform(0, 1)", "uniform(d, d + 1)"),
    "two Laplace laws": ("laplace(0, 1)", "laplace(d, 1)"),
    "another width": ("normal(0, 1)", "normal(0, 1 + d)"),
    "two modes, of which Q has one": (
        "mixture(0.5*normal(-d/2, 1) + 0.5*normal(d/2, 1))", "normal(d/2, 1)",
    ),
}  # fmt: skip


def build() -> None:
    """Build the page for one window."""
    with page(
        "densities",
        "P is the data and Q the generator's density. Write d for the number that the slider "
        "moves, and watch what the best discriminator sees and what generators follow.",
    ):
        View({**START, **{k: v for k, v in state().items() if k in START}})


class View:
    """One window's fields, table and plots."""

    def __init__(self, start: Mapping[str, str]) -> None:
        self.curves: list[dict[str, Any]] = []
        self.d: list[float] = []
        self.held = 0.0  # d where a drag began
        pair = {texts: name for name, texts in PAIRS.items()}.get((start["p"], start["q"]), OWN)
        with ui.element("div").classes("fields"):
            self.pair = chooser("A pair to begin with", [*PAIRS, OWN], pair, self.fill)
            self.p = text_field("P, the data", start["p"], self.typed)
            self.q = text_field("Q, the generator", start["q"], self.typed)
            self.moving = slider("d", 0, FAR, 1 / NOTCHES, _number(start["d"]), self.moved)
        self.here = Asker("densities", self.show)
        self.along = Asker("distance", self.draw, working())
        self.problems = Problems({"p": self.p, "q": self.q})
        self.apart = ui.label().classes("note").props('role="status"')
        with ui.element("div").classes("charts"):
            self.laws = Chart(
                "P, Q and the optimal D*: drag to move Q",
                "both densities, and D* = p/(p + q); the slider d moves Q too",
                "x",
                "density, D*",
            )
            self.slopes = Chart(
                "Gradient against distance", "the slope in d of what each generator follows",
                "d", "nats per unit", top=72, x_axis=AXIS,
            )  # fmt: skip
            self.values = Chart(
                "What each generator follows", "the divergence followed, against d", "d", "nats",
                top=72, x_axis=AXIS,
            )  # fmt: skip
        self.laws.on_drag(self.drag)
        for chart in (self.slopes, self.values):
            chart.on_drag(self.put)
        text_element("h2", "Divergences at this d")
        self.table = ui.element("table").props('aria-label="Divergences"')
        self.links = Links()
        ui.timer(0, self.typed, once=True)

    async def fill(self) -> None:
        """Put the chosen pair into the fields."""
        if self.pair.value != OWN:
            self.p.value, self.q.value = PAIRS[self.pair.value]

    async def typed(self) -> None:
        """Ask for both: what is at this d, and the curves along d."""
        await self.moved()
        if not self.problems.line.visible and not (self.p.error or self.q.error):
            await self.along({"p": self.p.value, "q": self.q.value})

    async def moved(self) -> None:
        """Ask for what is at this d, and move the points along the curves there."""
        given = {"p": self.p.value, "q": self.q.value, "d": self.moving.value}
        keep("densities", given)
        self.place()
        await self.here(given)

    async def drag(self, place: float, right: float, begins: bool) -> None:
        """Move d by as much as the pointer has moved along x, as where Q is shifted by d."""
        if begins:
            self.held = float(self.moving.value)
        self._set(self.held + right)

    async def put(self, place: float, right: float, begins: bool) -> None:
        """Set d to where the pointer is, on an axis of d."""
        self._set(place)

    def _set(self, d: float) -> None:
        self.moving.value = round(min(max(d, 0.0), FAR) * NOTCHES) / NOTCHES

    def show(self, answer: Mapping[str, Any]) -> None:
        """Show the laws at one d, and their divergences."""
        if self.problems.show(answer):
            return
        self.apart.text = answer["apart"]
        x = answer["x"]
        self.laws.show(
            [
                line("P", x, answer["p"], 0, areaStyle={"opacity": 0.15}),
                line("Q", x, answer["q"], 1, areaStyle={"opacity": 0.15}),
                line("D*", x, answer["D"], 2),
            ]
        )
        self.table.clear()
        with self.table:
            self.heads()
            with ui.element("tbody"):
                for row in answer["rows"]:
                    with ui.element("tr"):
                        text_element("th", row["name"]).props('scope="row"')
                        text_element("td", f"{row['value']} {row['error']}").classes("number")
                        text_element("td", row["reason"]).classes("reason")
        self.links.show(answer)

    def heads(self) -> None:
        """Name the columns."""
        with ui.element("thead"), ui.element("tr"):
            for head in ("divergence", "value ± error", "why"):
                text_element("th", head).props('scope="col"')

    def draw(self, answer: Mapping[str, Any]) -> None:
        """Keep the curves and draw them."""
        if not self.problems.show(answer):
            self.curves, self.d = answer["curves"], answer["d"]
            self.place()

    def place(self) -> None:
        """Draw the curves with a point at the slider's d."""
        d = float(self.moving.value)
        for chart, part in ((self.slopes, "gradient"), (self.values, "value")):
            lines = [line(c["name"], self.d, c[part], n) for n, c in enumerate(self.curves)]
            at = [(n, _at(self.d, c[part], d)) for n, c in enumerate(self.curves)]
            chart.show([*lines, *(dots("_now", [[d, y]], n) for n, y in at if y is not None)])


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), FAR)
    except ValueError:
        return float(START["d"])


def _at(x: list[float], y: list[float | None], place: float) -> float | None:
    """Return a curve at a place, between its points."""
    for k in range(1, len(x)):
        if x[k - 1] <= place <= x[k]:
            low, high = y[k - 1], y[k]
            if low is None or high is None:
                return None
            share = (place - x[k - 1]) / (x[k] - x[k - 1])
            return low + share * (high - low)
    return None
