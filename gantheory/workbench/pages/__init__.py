"""The pages: one file a view, and what they share."""

from __future__ import annotations

from importlib import import_module

from gantheory.workbench.answers.processes import Answers

ANSWERS = Answers()
VIEWS = {
    "loss": "Loss",
    "densities": "Densities",
    "train": "Train",
    "game": "Game",
}


def register_view() -> None:
    """Give every view its address; the first is also the start page."""
    from nicegui import ui

    for view, title in VIEWS.items():
        build = import_module(f"gantheory.workbench.pages.{view}").build
        ui.page(f"/{view}", title=f"{title} · gantheory workbench")(build)
    ui.page("/", title="gantheory workbench")(import_module("gantheory.workbench.pages.loss").build)
