"""The page of an ensemble in training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import Client, ui

from gantheory.errors import require
from gantheory.losses import list_losses
from gantheory.workbench.answers.links import command
from gantheory.workbench.answers.processes import Child, serve_training
from gantheory.workbench.pages.charts import Chart
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
from gantheory.workbench.pages.scenes import LineScene, PlaneScene, Scene, losses_of_members

START = {
    "where": "line", "loss": "non-saturating", "members": "4", "seed": "0",
    "p": "normal(0, 1)", "start": "4", "noise": "0.3",
}  # fmt: skip
SCENES: dict[str, Callable[..., Scene]] = {"line": LineScene, "plane": PlaneScene}
WHERE = {"line": "on the line: N(θ, 1) moves", "plane": "in the plane: a ring of 8 modes"}
MOST_RUNS = 4
RUNS: dict[Child, Client] = {}  # which window each belongs to
LOOK = 0.1  # seconds between two looks at what came


def build() -> None:
    """Build the page for one window."""
    with page(
        "train",
        "Real GANs, trained from several seeds. Dashed is what the theory says with D at its "
        "optimum; D has to learn first, so real ones lag behind.",
    ):
        view = View({**START, **{k: v for k, v in state().items() if k in START}})
        ui.context.client.on_delete(view.end)


class View:
    """One window's ensemble, which a child process trains."""

    def __init__(self, start: Mapping[str, str]) -> None:
        self.child: Child | None = None
        self.running, self.owed, self.waited = False, 0, 0.0
        self.forget()
        place = start["where"] if start["where"] in WHERE else START["where"]
        with ui.element("div").classes("fields"):
            self.where = chooser("Where", WHERE, place, self.move)
            names = list(list_losses())
            loss = start["loss"] if start["loss"] in names else START["loss"]
            self.loss = chooser("Loss", names, loss, self.restart)
            self.members = text_field("how many seeds (1 to 32)", start["members"], self.restart)
            self.seed = text_field("first seed", start["seed"], self.restart)
            self.speed = slider("looks per second, at most", 1, 10, 1, 10, lambda: None)
            self.own = ui.element("div").classes("own")
        self.problem_line = ui.element("div")
        with ui.element("div").classes("buttons"):
            self.go = ui.button("Train", on_click=self.toggle).props("no-caps")
            self.one = ui.button("One step of 64", on_click=self.step).props("no-caps outline")
            ui.button("From the start", on_click=self.restart).props("no-caps outline")
        self.status = ui.label().classes("note").props('role="status"')
        with ui.element("div").classes("charts"):
            self.drawn = ui.element("div").classes("own")
            self.losses = Chart(
                "Losses, with what they read at P = Q", "both losses against steps", "steps",
                "nats", top=96,
            )  # fmt: skip
        self.meaning = ui.label().classes("note")
        self.links = Links()
        self.scene = self.lay_out(start)
        ui.timer(LOOK, self.look)
        ui.timer(0, self.restart, once=True)

    def lay_out(self, start: Mapping[str, str]) -> Scene:
        """Lay out the fields and charts of the chosen scene."""
        for part in (self.own, self.drawn, self.problem_line):
            part.clear()
        with self.own:
            scene = SCENES[self.where.value](start, self.restart, self.draw)
        with self.drawn:
            scene.charts()
        shared = {"loss": self.loss, "members": self.members, "seed": self.seed}
        with self.problem_line:
            self.problems = Problems({**shared, **scene.fields})
        return scene

    def move(self) -> None:
        """Show the other scene, and start there."""
        self.end()
        self.forget()
        self.scene = self.lay_out(START)
        self.restart()

    def forget(self) -> None:
        """Forget what has been seen."""
        self.frames: list[dict[str, Any]] = []
        self.now: dict[str, Any] = {}
        self.picture: dict[str, Any] = {}
        self.theory: dict[str, Any] = {}

    def settings(self) -> dict[str, Any]:
        """Return what the fields say, numbers as numbers where they are."""
        numbers = {"members": self.members, "seed": self.seed, **self.scene.fields}
        given = {name: _number(field.value) for name, field in numbers.items()}
        return {"where": self.where.value, "loss": self.loss.value, **given}

    def texts(self) -> dict[str, str]:
        """Return what the fields say, as one would type it."""
        given = self.settings()
        return {k: f"{v:g}" if isinstance(v, float) else str(v) for k, v in given.items()}

    def restart(self) -> None:
        """Start again from the seeds, in a new child."""
        self.end()
        self.problems.show({})
        self.forget()
        keep("train", self.texts())
        try:
            require("training", "torch", "torch", "simulations")
        except ValueError as error:
            self.problems.show({"error": str(error), "field": ""})
            return
        end_abandoned()
        if len(RUNS) >= MOST_RUNS:
            busy = f"{MOST_RUNS} windows train already; close one and reload"
            self.problems.show({"error": busy, "field": ""})
            return
        self.status.text = "starting ..."
        self.child, self.owed = Child(serve_training), 1
        RUNS[self.child] = ui.context.client
        self.child.send(self.settings())

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
            self.now = found["frame"]
            light = {k: v for k, v in self.now.items() if k not in self.scene.heavy}
            self.frames.append(light)
            self.owed = 0
        if "python" in found:
            state = [f"{name}={text}" for name, text in self.texts().items()]
            self.links.show(
                {"python": found["python"], "command": command("workbench", "train", set=state)}
            )
        if "done" in found:
            self.running = False
            self._tell()
        self.draw()

    def draw(self) -> None:
        """Draw the last frame and all before it."""
        if self.now:
            self.status.text = f"step {self.now['step']}: {self.scene.says(self.now)}"
            self.scene.draw(self.frames, self.now, self.picture, self.theory)
            self.losses.show(
                losses_of_members(self.frames, self.theory, self.scene.also(self.frames))
            )
            self._explain()

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
        own = self.scene.meaning(self.now)
        self.meaning.text = stuck + warn + own + follows + self.theory["why"]

    def end(self) -> None:
        """End the child, if there is one."""
        if self.child is not None:
            RUNS.pop(self.child, None)
            self.child.end()
        self.child, self.running, self.owed = None, False, 0
        self._tell()


def end_abandoned() -> None:
    """End the children of windows that are closed or reloaded, before others are refused."""
    for child, client in list(RUNS.items()):
        if len(RUNS) >= MOST_RUNS and not client.has_socket_connection:
            del RUNS[child]
            child.end()


def _number(text: str) -> float | str:
    try:
        return float(text)
    except (TypeError, ValueError):
        return text
