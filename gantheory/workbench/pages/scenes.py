"""What the two scenes of a training ensemble show: fields of their own, and charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gantheory.workbench.pages.charts import COLOURS, GREY, Chart, dots, line
from gantheory.workbench.pages.frame import slider, text_field

THIN = {"width": 1, "opacity": 0.75}
DASHED = {"color": GREY, "type": [7, 4], "width": 3}
SQUARE = {"min": -1.5, "max": 1.5, "splitLine": {"show": False}}
PLAYERS = ("discriminator", "generator")
Json = Mapping[str, Any]
Frames = Sequence[Json]


class Scene(Protocol):
    """One kind of ensemble: its fields, its charts, and what its numbers say."""

    fields: dict[str, Any]
    heavy: tuple[str, ...]  # parts of a frame of which only the last is kept

    def charts(self) -> None:
        """Lay out the charts."""

    def draw(self, frames: Frames, now: Json, picture: Json, theory: Json) -> None:
        """Draw the last frame and all before it."""

    def says(self, now: Json) -> str:
        """Return the last frame in words."""

    def also(self, frames: Frames) -> list[dict[str, Any]]:
        """Return what the chart of losses shows beside them."""

    def meaning(self, now: Json) -> str:
        """Return what the theory says of this scene alone."""


class LineScene:
    """Normal laws N(θ, 1) that move towards the data on the line."""

    heavy: tuple[str, ...] = ()

    def __init__(self, start: Mapping[str, str], act: Any, draw: Any) -> None:
        self.fields = {
            "p": text_field("P, the data", start["p"], act),
            "start": text_field("θ at the start", start["start"], act),
        }

    def charts(self) -> None:
        """Lay out the charts."""
        self.line = Chart("On the line", "the data's and each generator's density", "x", "density")
        self.path = Chart("Where the generators are", "θ against steps", "steps", "θ")

    def says(self, now: Json) -> str:
        """Return where the generators are."""
        places = [place for place in now["places"] if place is not None]
        mean = f"{sum(places) / len(places):.4g}" if places else "not a number"
        return f"θ = {mean} on average of {len(now['places'])}"

    def draw(self, frames: Frames, now: Json, picture: Json, theory: Json) -> None:
        """Draw densities on the line, and the paths of θ, with the theory's."""
        path, k = theory.get("path") or [], now["step"] // 64
        x = picture["x"]
        made = [line("generators", x, _normal(x, place), 1, lineStyle=_thin(1))
                for place in now["places"]]  # fmt: skip
        data = line("data", x, picture["p"], 0, areaStyle={"opacity": 0.2})
        at = [dashed("theory", x, _normal(x, path[k]))] if k < len(path) else []
        self.line.show([data, *made, *at])
        steps = [frame["step"] for frame in frames]
        whole = [dashed("theory", theory["steps"], path)] if path else []
        self.path.show([*_members("generators", steps, frames, "places", 1), *whole])

    def also(self, frames: Frames) -> list[dict[str, Any]]:
        """Return nothing: the path of θ stands beside the theory's."""
        return []

    def meaning(self, now: Json) -> str:
        """Return nothing more."""
        return ""


class PlaneScene:
    """Networks that learn a ring of eight modes in the plane."""

    heavy: tuple[str, ...] = ("samples", "scores")

    def __init__(self, start: Mapping[str, str], act: Any, draw: Any) -> None:
        self.fields = {"noise": text_field("noise on what D sees", start["noise"], act)}
        self.shown = slider("which of the seeds is drawn", 1, 4, 1, 1, draw)

    def charts(self) -> None:
        """Lay out the charts."""
        self.plane = Chart(
            "In the plane, over what D holds for real (blue) and fake (orange)",
            "samples of the data and of one generator, and where D holds points for real or fake",
            "", "", shape="square", x_axis=SQUARE, y_axis=SQUARE,
            legend={"itemStyle": {"opacity": 1}, "itemWidth": 10},
        )  # fmt: skip
        self.kept = Chart(
            "Modes covered, and good samples",
            "shares of modes covered and of samples near one, against steps",
            "steps", "share", y_axis={"min": 0, "max": 1}, top=72,
        )  # fmt: skip

    def says(self, now: Json) -> str:
        """Return what is covered."""
        good = [value for value in now["quality"] if value is not None]
        least, most = min(now["modes"]), max(now["modes"])
        modes = f"{least if least == most else f'{least} to {most}'} of 8 modes covered"
        share = f", {100 * sum(good) / len(good):.0f} % of samples good" if good else ""
        return modes + share

    def draw(self, frames: Frames, now: Json, picture: Json, theory: Json) -> None:
        """Draw one generator's samples over its D, and what each seed covers."""
        self.plane.show(self._plane(now, picture), more={"visualMap": _believed()})
        steps = [frame["step"] for frame in frames]
        total = len(picture["centres"])
        shares = [{**frame, "modes": [m / total for m in frame["modes"]]} for frame in frames]
        series = _members("modes covered", steps, shares, "modes", 1)
        series += _members("good samples", steps, shares, "quality", 2)
        if theory:
            ends = theory["steps"]
            series.append(dashed("good, of a perfect sampler", ends, [theory["ceiling"]] * 2))
        self.kept.show(series)

    def _plane(self, now: Json, picture: Json) -> list[dict[str, Any]]:
        self.shown.props(f"max={len(now['samples'])}")
        k = min(int(self.shown.value), len(now["samples"])) - 1
        held = [[*point, score] for point, score in
                zip(picture["square"], now["scores"][k], strict=True)]  # fmt: skip
        still: dict[str, Any] = {"silent": True, "tooltip": {"show": False}}
        return [
            dots("_D", held, size=5, itemStyle={"opacity": 0.5}, **still),
            dots("data", picture["data"], 0, 4, symbol="triangle", **still),
            dots("generator", now["samples"][k], 1, 4, **still),
        ]

    def also(self, frames: Frames) -> list[dict[str, Any]]:
        """Return the bound that counting cells sets to what D's loss reads at its optimum."""
        steps = [frame["step"] for frame in frames]
        name = "D's loss at its optimum is at most"
        return [
            {**one, "lineStyle": {**DASHED, "width": 1.5}, "itemStyle": {"color": GREY}}
            for one in _members(name, steps, frames, "best", 0)
        ]

    def meaning(self, now: Json) -> str:
        """Return what the bound says."""
        if all(value is None for value in now["best"]):
            return ""
        return (
            "Good samples lie within 3 standard deviations of a mode. "
            "Grey: counting which mode each of 1024 samples is near already tells P from Q so "
            "well that the loss of the best D is at most this. Where D's loss lies above, D has "
            "not seen it yet, however near to its value at P = Q. "
        )


def losses_of_members(
    frames: Frames, theory: Json, also: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return every member's losses, with what they read at P = Q."""
    steps = [frame["step"] for frame in frames]
    series = list(also)
    even = theory.get("equilibrium") or (None, None)
    for n, (who, value) in enumerate(zip(PLAYERS, even, strict=True)):
        name = f"{who[0].upper()}'s loss"
        series += _members(name, steps, frames, who, 2 * n)
        if value is not None:
            ends = theory["steps"][0], theory["steps"][-1]
            style = {"color": COLOURS[2 * n], "type": [7, 4], "width": 2}
            series.append(line(f"{name} at P = Q", ends, [value] * 2, 2 * n, lineStyle=style))
    return series


def dashed(name: str, x: Any, y: Any) -> dict[str, Any]:
    """Return a line of the theory."""
    return line(name, x, y, lineStyle=DASHED, itemStyle={"color": GREY}, z=5)


def _members(
    name: str, steps: list[int], frames: Frames, part: str, of: int
) -> list[dict[str, Any]]:
    """Return one thin line for each member."""
    return [
        line(name, steps, [frame[part][k] for frame in frames], of, lineStyle=_thin(of))
        for k in range(len(frames[0][part]))
    ]


def _believed() -> dict[str, Any]:
    """Return the colours of D's scores: orange for fake, blue for real."""
    return {
        "show": False, "seriesIndex": 0, "dimension": 2, "min": -3, "max": 3,
        "inRange": {"color": [COLOURS[1], "#bbbbbb", COLOURS[0]]},
    }  # fmt: skip


def _thin(of: int) -> dict[str, Any]:
    return {"color": COLOURS[of], **THIN}


def _normal(x: Sequence[float], place: float | None) -> list[float | None]:
    if place is None:
        return [None] * len(x)
    top = math.sqrt(2 * math.pi)
    return [round(math.exp(-0.5 * (v - place) ** 2) / top, 5) for v in x]
