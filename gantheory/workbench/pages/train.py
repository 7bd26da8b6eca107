"""The page of an ensemble in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gantheory.errors import require
from gantheory.losses import list_losses
from gantheory.workbench.answers.links import command
from gantheory.workbench.answers.processes import Child, serve_training
from gantheory.workbench.pages.charts import COLOURS, GREY, Chart, line
from gantheory.workbench.pages.frame import (
    Links,
    Problems,
    chooser,
    keep,
    page,
    slider,
    state,
    text_field,
)

START = {"loss": "non-saturating", "p": "normal(0, 1)", "start": "4", "members": "8", "seed": "0"}
MOST_RUNS = 4
RUNS: set[Child] = set()
LOOK = 0.1  # seconds between two looks at what came
THIN = {"width": 1, "opacity": 0.75}
DASHED = {"color": GREY, "type": [7, 4], "width": 3}


def build() -> None:
    """Build the page for one window."""
    with page(
        "train",
        "Real GANs, trained from several seeds: each generator x = θ + z moves its N(θ, 1) "
        "towards the data. Dashed is the theory's path, with D at its optimum; D has to learn "
        "first, so real paths lag behind.",
    ):
        view = View({**START, **{k: v for k, v in state().items() if k in START}})
        ui.context.client.on_delete(view.end)


class View:
    """One window's ensemble, which a child process trains."""

    def __init__(self, start: Mapping[str, str]) -> None:
        self.child: Child | None = None
        self.running, self.owed, self.waited = False, 0, 0.0
        self.frames: list[dict[str, Any]] = []
        self.picture: dict[str, Any] = {}
        self.theory: dict[str, Any] = {}
        with ui.element("div").classes("fields"):
            names = list(list_losses())
            loss = start["loss"] if start["loss"] in names else START["loss"]
            self.loss = chooser("Loss", names, loss, self.restart)
            self.p = text_field("P, the data", start["p"], self.restart)
            self.start = text_field("θ at the start", start["start"], self.restart)
            self.members = text_field("how many seeds (1 to 32)", start["members"], self.restart)
            self.seed = text_field("first seed", start["seed"], self.restart)
            self.speed = slider("looks per second, at most", 1, 10, 1, 10, lambda: None)
        self.problems = Problems(
            {"loss": self.loss, "p": self.p, "start": self.start, "members": self.members,
             "seed": self.seed}
        )  # fmt: skip
        with ui.element("div").classes("buttons"):
            self.go = ui.button("Train", on_click=self.toggle).props("no-caps")
            self.one = ui.button("One step of 64", on_click=self.step).props("no-caps outline")
            ui.button("From the start", on_click=self.restart).props("no-caps outline")
        self.status = ui.label().classes("note").props('role="status"')
        with ui.element("div").classes("charts"):
            self.line = Chart(
                "On the line", "the data's and each generator's density", "x", "density"
            )
            self.path = Chart("Where the generators are", "θ against steps", "steps", "θ")
            self.losses = Chart(
                "Losses, with what they read at P = Q", "both losses against steps", "steps", "nats"
            )
        self.meaning = ui.label().classes("note")
        self.links = Links()
        ui.timer(LOOK, self.look)
        ui.timer(0, self.restart, once=True)

    def settings(self) -> dict[str, Any]:
        """Return what the fields say, numbers as numbers where they are."""
        return {
            "loss": self.loss.value, "p": self.p.value, "start": _number(self.start.value),
            "members": _number(self.members.value), "seed": _number(self.seed.value),
        }  # fmt: skip

    def texts(self) -> dict[str, str]:
        """Return what the fields say, as one would type it."""
        given = self.settings()
        return {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in given.items()}

    def restart(self) -> None:
        """Start again from the seeds, in a new child."""
        self.end()
        self.problems.show({})
        self.frames, self.picture, self.theory = [], {}, {}
        given = self.settings()
        keep("train", self.texts())
        try:
            require("training", "torch", "torch", "simulations")
        except ValueError as error:
            self.problems.show({"error": str(error), "field": ""})
            return
        if len(RUNS) >= MOST_RUNS:
            busy = f"{MOST_RUNS} windows train already; close one and reload"
            self.problems.show({"error": busy, "field": ""})
            return
        self.status.text = "starting ..."
        self.child, self.owed = Child(serve_training), 1
        RUNS.add(self.child)
        self.child.send(given)

    def toggle(self) -> None:
        """Train, or pause."""
        self.running = not self.running
        self._tell()

    def step(self) -> None:
        """Pause, and train for 64 steps."""
        self.running = False
        self._ask()
        self._tell()

    def _ask(self) -> None:
        if self.child is not None and self.theory and not self.owed:
            self.owed, self.waited = 1, 0.0
            self.child.send({})

    def _tell(self) -> None:
        self.go.text = "Pause" if self.running else "Train"

    def look(self) -> None:
        """Take in what the child has sent, and ask for more while training."""
        self.waited += LOOK
        try:
            while self.child is not None and (found := self.child.receive(0)) is not None:
                self.take(found)
        except (EOFError, OSError):
            self.end()
            self.problems.show({"error": "the training ended without an answer", "field": ""})
        if self.running and self.waited >= 1 / self.speed.value:
            self._ask()

    def take(self, found: Mapping[str, Any]) -> None:
        """Take in one message."""
        if self.problems.show(found):
            self.end()
            return
        self.picture = found.get("picture", self.picture)
        self.theory = found.get("theory", self.theory)
        if "frame" in found:
            self.frames.append(found["frame"])
            self.owed = 0
        if "python" in found:
            state = [
                f"{k}={v:g}" if isinstance(v, float) else f"{k}={v}"
                for k, v in self.settings().items()
            ]
            self.links.show(
                {"python": found["python"], "command": command("workbench", "train", set=state)}
            )
        if "done" in found:
            self.running = False
            self._tell()
        self.draw()

    def draw(self) -> None:
        """Draw the last frame and all before it."""
        if not self.frames:
            return
        now, steps = self.frames[-1], [frame["step"] for frame in self.frames]
        where = sum(now["places"]) / len(now["places"])
        self.status.text = f"step {now['step']}: θ = {where:.4g} on average of {len(now['places'])}"
        self._line(now)
        self._path(steps)
        self._losses(steps)
        self._explain()

    def _line(self, now: Mapping[str, Any]) -> None:
        x = self.picture["x"]
        made = [
            line("generators", x, [_normal(v, place) for v in x], 1, lineStyle=_thin(1))
            for place in now["places"]
        ]
        data = line("data", x, self.picture["p"], 0, areaStyle={"opacity": 0.2})
        at = self._theory_at(now["step"])
        theory = [] if at is None else [_dashed("theory", x, [_normal(v, at) for v in x])]
        self.line.show([data, *made, *theory])

    def _theory_at(self, step: int) -> float | None:
        path = self.theory.get("path") or []
        k = step // 64
        return path[k] if k < len(path) else None

    def _path(self, steps: list[int]) -> None:
        count = len(self.frames[0]["places"])
        lines = [
            line("generators", steps, [f["places"][k] for f in self.frames], 1, lineStyle=_thin(1))
            for k in range(count)
        ]
        path = self.theory.get("path") or []
        theory = [_dashed("theory", self.theory["steps"], path)] if path else []
        self.path.show([*lines, *theory])

    def _losses(self, steps: list[int]) -> None:
        lines = []
        even = self.theory.get("equilibrium") or (None, None)
        for n, (who, value) in enumerate(zip(("discriminator", "generator"), even, strict=True)):
            name = f"{who[0].upper()}'s loss"
            for k in range(len(self.frames[0]["places"])):
                seen = [frame[who][k] for frame in self.frames]
                lines.append(line(name, steps, seen, 2 * n, lineStyle=_thin(2 * n)))
            if value is not None:
                ends = self.theory["steps"][0], self.theory["steps"][-1]
                style = {"color": COLOURS[2 * n], "type": [7, 4], "width": 2}
                lines.append(line(f"{name} at P = Q", ends, [value] * 2, 2 * n, lineStyle=style))
        self.losses.show(lines)

    def _explain(self) -> None:
        if not self.theory:
            return
        critic, maker = self.theory["equilibrium"]
        numbers = ", ".join(
            f"the {who}'s loss {value:.4g}"
            for who, value in (("discriminator", critic), ("generator", maker))
            if value is not None
        )
        stuck = f"At P = Q D cannot tell, and reads {numbers}. " if numbers else ""
        warn = "A loss stuck there says P = Q, or that D has learned nothing. " if numbers else ""
        follows = f"With D at its optimum, G follows {self.theory['follows']}. "
        why = f"No path of the theory: {self.theory['why']}" if self.theory["why"] else ""
        self.meaning.text = stuck + warn + follows + why

    def end(self) -> None:
        """End the child, if there is one."""
        if self.child is not None:
            RUNS.discard(self.child)
            self.child.end()
        self.child, self.running, self.owed = None, False, 0
        self._tell()


def _thin(of: int) -> dict[str, Any]:
    return {"color": COLOURS[of], **THIN}


def _dashed(name: str, x: Any, y: Any) -> dict[str, Any]:
    return line(name, x, y, lineStyle=DASHED, itemStyle={"color": GREY}, z=5)


def _normal(x: float, place: float | None) -> float | None:
    if place is None:
        return None
    return round(math.exp(-0.5 * (x - place) ** 2) / math.sqrt(2 * math.pi), 5)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
