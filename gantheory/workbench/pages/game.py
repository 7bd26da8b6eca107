"""The page of a small game of two players."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gantheory.workbench.pages.charts import GREY, Chart, dots, line
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
    working,
)

START = {"game": "bilinear", "method": "simultaneous", "step": "0.2", "r1": "0"}
GAMES = {
    "bilinear": "xy", "dirac-minimax": "Dirac-GAN, minimax",
    "dirac-non-saturating": "Dirac-GAN, non-saturating",
    "dirac-least-squares-01": "Dirac-GAN, least squares", "dirac-hinge": "Dirac-GAN, hinge",
}  # fmt: skip
METHODS = ("flow", "simultaneous", "alternating", "extragradient", "optimistic", "consensus")
FLOOR = 1e-12


def build() -> None:
    """Build the page for one window."""
    with page(
        "game",
        "Two players descend their own losses. Near the equilibrium a step multiplies the distance "
        "by the spectral radius: below 1 it converges, above 1 it runs away.",
    ):
        View({**START, **{k: v for k, v in state().items() if k in START}})


class View:
    """One window's fields, verdict and plots."""

    def __init__(self, start: Mapping[str, str]) -> None:
        game = start["game"] if start["game"] in GAMES else START["game"]
        method = start["method"] if start["method"] in METHODS else START["method"]
        with ui.element("div").classes("fields"):
            self.game = chooser("Game", GAMES, game, self.changed)
            self.method = chooser("How the players move", list(METHODS), method, self.changed)
            self.step = slider(
                "step size", 0.01, 2, 0.01, _number(start["step"], 0.2), self.changed
            )
            self.r1 = slider("weight of R1 on D", 0, 3, 0.05, _number(start["r1"], 0), self.changed)
        self.ask = Asker("game", self.show, working())
        self.problems = Problems({"game": self.game, "method": self.method})
        self.table = (
            ui.element("table").classes("summary").props('aria-label="Predicted, measured"')
        )
        with ui.element("div").classes("charts"):
            square = {"min": -1.8, "max": 1.8}
            self.portrait = Chart(
                "Phase portrait", "three trajectories over the field", "", "",
                x_axis=square, y_axis=square, shape="square",
            )  # fmt: skip
            self.distance = Chart(
                "Distance to the equilibrium", "three trajectories, and the predicted rate",
                "steps", "distance", y_axis={"type": "log"},
            )  # fmt: skip
        self.links = Links()
        ui.timer(0, self.changed, once=True)

    async def changed(self) -> None:
        """Ask for what the fields say; R1 is for games with a discriminator's score."""
        dirac = self.game.value != "bilinear"
        self.r1.set_enabled(dirac)
        given = {
            "game": self.game.value, "method": self.method.value, "step": self.step.value,
            "r1": self.r1.value if dirac else 0,
        }  # fmt: skip
        keep("game", given)
        await self.ask(given)

    def show(self, answer: Mapping[str, Any]) -> None:
        """Show the verdict, both rates, and the plots."""
        if self.problems.show(answer):
            return
        self.table.clear()
        rows = {
            "verdict": f"{answer['behaviour']} ({answer['how']}): {answer['reason']}",
            "predicted": answer["predicted"],
            "measured": answer["measured"],
        }
        with self.table, ui.element("tbody"):
            for label, text in rows.items():
                with ui.element("tr"):
                    text_element("th", label).props('scope="row"')
                    text_element("td", text)
        self._portrait(answer)
        self._distances(answer)
        self.links.show(answer)

    def _portrait(self, answer: Mapping[str, Any]) -> None:
        arrows = {
            "type": "scatter", "name": "_field", "symbol": "path://M0 -1L8 0L0 1Z",
            "symbolSize": [13, 4], "itemStyle": {"color": GREY}, "silent": True,
            "data": [
                {"value": [x, y], "symbolRotate": angle}
                for x, y, angle in answer["arrows"]
                if angle is not None
            ],
        }  # fmt: skip
        paths = [
            {**line(f"start {n + 1}", [], [], n), "data": path}
            for n, path in enumerate(answer["paths"])
        ]
        starts = [dots("_start", path[:1], n) for n, path in enumerate(answer["paths"])]
        names = answer["names"]
        self.portrait.show([arrows, *paths, *starts], x={"name": names[0]}, y={"name": names[1]})

    def _distances(self, answer: Mapping[str, Any]) -> None:
        times, flow = answer["times"], self.method.value == "flow"
        lines = [
            line(f"start {n + 1}", times, [_above(y) for y in row], n)
            for n, row in enumerate(answer["distance"])
        ]
        if answer["radius"]:
            rate, first = float(answer["radius"]), answer["distance"][0][0]
            predicted = [_above(first * rate**time) for time in times]
            style = {"color": GREY, "type": [3, 3], "width": 2}
            lines.append(line("predicted", times, predicted, lineStyle=style))
            lines[-1]["itemStyle"] = {"color": GREY}
        self.distance.show(lines, x={"name": "time" if flow else "steps"})


def _above(value: float | None) -> float | None:
    """Return what a logarithmic axis can show of a distance."""
    return value if value is not None and FLOOR < value < 1e6 else None


def _number(text: str, default: float) -> float:
    try:
        return min(max(float(text), 0.0), 3.0)
    except ValueError:
        return default
