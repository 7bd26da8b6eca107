"""Charts of lines, with colours and dashes that the colour-blind tell apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from gantheory.report.plots.style import COLOURS
from gantheory.workbench.pages.frame import text_element

# Of the figures' colours each has dashes of its own.
DASHES: tuple[Any, ...] = ("solid", [8, 3], [2, 3], [10, 3, 2, 3], [5, 2], [1, 2])
GREY = "#888888"
# Where the pointer is while its button is down: on the x axis, in pixels, axis units to a pixel.
POINTER = """(e) => {
  const chart = getElement(%(id)d)?.chart;
  if (!chart || !(e.buttons & 1)) return;
  const left = e.currentTarget.getBoundingClientRect().left;
  const at = (pixel) => chart.convertFromPixel({xAxisIndex: 0}, pixel);
  const pixel = e.clientX - left;
  emit(at(pixel), pixel, at(pixel + 1) - at(pixel), e.type === "pointerdown");
}"""
Points = Sequence[Sequence[float | None]]


def _look(of: int) -> dict[str, Any]:
    """Return the line style number ``of``."""
    return {"color": COLOURS[of % 6], "type": DASHES[of % 6], "width": 2}


def line(
    name: str, x: Sequence[float], y: Sequence[float | None], of: int = 0, **more: Any
) -> dict[str, Any]:
    """Return one line; None is a gap."""
    points = [list(pair) for pair in zip(x, y, strict=False)]
    return {
        "type": "line", "name": name, "data": points, "symbol": "none",
        "lineStyle": _look(of), "itemStyle": {"color": COLOURS[of % 6]}, "silent": True, **more,
    }  # fmt: skip


def dots(name: str, points: Points, of: int = 0, size: int = 9, **more: Any) -> dict[str, Any]:
    """Return points; ``more`` replaces options, such as the symbol."""
    return {
        "type": "scatter", "name": name, "data": [list(p) for p in points], "symbolSize": size,
        "itemStyle": {"color": COLOURS[of % 6]}, **more,
    }  # fmt: skip


class Chart:
    """One chart: a title, a sentence for who cannot see it, two axes, and series that change."""

    def __init__(self, title: str, says: str, x: str, y: str, **options: Any) -> None:
        with ui.element("figure").classes(f"chart {options.get('shape', '')}"):
            text_element("figcaption", title)
            self.chart = ui.echart(_options(x, y, options), renderer="svg")
            self.chart.props(f'role="img" aria-label="{title}: {says}"')

    def show(self, series: Sequence[dict[str, Any]], **axes: Any) -> None:
        """Draw other series; ``x``, ``y`` and ``more`` set options."""
        options = self.chart.options
        options["xAxis"].update(axes.get("x", {}))
        options["yAxis"].update(axes.get("y", {}))
        options["series"] = list(series)
        options.update(axes.get("more", {}))
        options["legend"]["data"] = list(dict.fromkeys(
            s["name"] for s in series if s.get("name") and not s["name"].startswith("_")
        ))  # fmt: skip
        self.chart.update()

    def on_drag(self, act: Callable[[float, float, bool], Awaitable[None]]) -> None:
        """Call ``act`` as one drags over the chart.

        It is told the place on the x axis, how far to the right the pointer is of where it was
        pressed, in units of the axis at that time, and whether it has just been pressed.
        """
        pressed: dict[str, float] = {}

        async def moved(event: Any) -> None:
            place, pixel, unit, begins = event.args
            if begins:
                pressed.update(pixel=pixel, unit=unit)
            if pressed:
                await act(place, (pixel - pressed["pixel"]) * pressed["unit"], begins)

        self.chart.classes("draggable")
        for kind in ("pointerdown", "pointermove"):
            script = POINTER % {"id": self.chart.id}
            self.chart.on(kind, moved, throttle=0.08, js_handler=script)


def _options(x: str, y: str, options: dict[str, Any]) -> dict[str, Any]:
    axis = {
        "type": "value", "nameLocation": "middle", "axisLine": {"lineStyle": {"color": GREY}},
        "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}}, "scale": True,
    }  # fmt: skip
    return {
        "animation": False,
        "grid": {"left": 52, "right": 16, "top": options.get("top", 52), "bottom": 44},
        "legend": {"top": 0, "itemWidth": 34, "itemStyle": {"opacity": 0}, "data": [],
                   **options.get("legend", {})},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {**axis, "name": x, "nameGap": 26, **options.get("x_axis", {})},
        "yAxis": {**axis, "name": y, "nameGap": 38, **options.get("y_axis", {})},
        "series": [],
    }  # fmt: skip
