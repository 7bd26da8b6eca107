"""What all views share: the frame of a page, fields, reproducing links, and asking for answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import run, ui
from nicegui.elements.mixins.text_element import TextElement

from gantheory.errors import GantheoryError
from gantheory.workbench.pages import ANSWERS, VIEWS

CSS = Path(__file__).with_name("page.css")


@contextmanager
def page(view: str, says: str) -> Iterator[None]:
    """Lay out a page: links to the views, the heading, and one sentence of what it shows."""
    ui.add_css(CSS)
    ui.add_head_html("<script>document.documentElement.lang = 'en'</script>")
    ui.add_head_html('<meta name="viewport" content="width=device-width, initial-scale=1">')
    with ui.element("header"), ui.element("nav").props('aria-label="Views"'):
        for name, title in VIEWS.items():
            link = ui.link(title, f"/{name}")
            if name == view:
                link.props('aria-current="page"')
    with ui.element("div").classes("view"):
        text_element("h1", VIEWS[view])
        ui.label(says).classes("says")
        yield


def text_element(tag: str, text: str) -> TextElement:
    """Return an element that holds text, and nothing but text."""
    return TextElement(tag=tag, text=text)


def state() -> dict[str, str]:
    """Return what the address says that the fields hold."""
    request = ui.context.client.request
    return dict(request.query_params) if request is not None else {}


def keep(view: str, fields: Mapping[str, Any]) -> None:
    """Put what the fields hold into the address, so that a reload or a bookmark finds it."""
    ui.navigate.history.replace(f"/{view}?{urlencode(fields)}")


class Asker:
    """Asks for the latest input only: what is typed meanwhile takes the place of what waits."""

    def __init__(self, view: str, show: Callable[[Any], None], working: Any = None) -> None:
        self.view, self.show, self.working = view, show, working
        self._waiting: dict[str, Any] | None = None
        self._busy = False

    async def __call__(self, given: dict[str, Any]) -> None:
        """Ask, and show the answer unless something newer waits."""
        self._waiting = given
        if self._busy:
            return
        self._busy = True
        self._say("working ...")
        try:
            while self._waiting is not None:
                asked, self._waiting = self._waiting, None
                answer = await run.io_bound(_ask, self.view, asked)
                if self._waiting is None and answer is not None:
                    self.show(answer)
        finally:
            self._busy = False
            self._say("")

    def _say(self, text: str) -> None:
        if self.working is not None:
            self.working.text = text


def _ask(view: str, given: dict[str, Any]) -> Any:
    try:
        return ANSWERS.ask(view, given)
    except GantheoryError as error:
        return {"error": str(error), "field": ""}


class Problems:
    """Shows a refusal beside the field that it is about, or above all where it is about none."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self.line = ui.label().classes("problem").props('role="alert"')
        self.line.visible = False

    def show(self, answer: Mapping[str, Any]) -> bool:
        """Show an answer's refusal, if it is one, and say whether it is."""
        error, place = answer.get("error"), answer.get("field")
        for name, field in self.fields.items():
            field.error = error if error and name == place else None
        self.line.text = error if error and place not in self.fields else ""
        self.line.visible = bool(self.line.text)
        return bool(error)


def working() -> Any:
    """Return the line that says that an answer is being worked out."""
    return ui.label().classes("working").props('role="status"')


def text_field(label: str, value: str, act: Callable[..., Any]) -> Any:
    """Return a line to type in; ``act`` is called a moment after the last key."""
    field = ui.input(label, value=value, on_change=act, validation=lambda _: None)
    field.without_auto_validation()
    field.props("debounce=350 outlined dense hide-bottom-space spellcheck=false autocomplete=off")
    return field.classes("field")


def chooser(label: str, options: Any, value: Any, act: Callable[..., Any]) -> Any:
    """Return a chooser."""
    return ui.select(options, label=label, value=value, on_change=act).props(
        f'outlined dense aria-label="{label}" options-dense'
    ).classes("field")  # fmt: skip


def slider(label: str, low: float, high: float, step: float, value: float, act: Any) -> Any:
    """Return a slider under its label, which says the value too."""
    with ui.element("div").classes("slider field"):
        said = ui.label()
        found = ui.slider(min=low, max=high, step=step, value=value, on_change=act)
        found.props(f'aria-label="{label}" throttle=80')
        said.bind_text_from(found, "value", lambda number: f"{label}: {number:g}")
    return found


class Links:
    """The command and the Python that give the same without the page, with buttons to copy them."""

    def __init__(self) -> None:
        self.section = ui.element("section").classes("links")
        self.section.visible = False
        with self.section.props('aria-label="The same without the page"'):
            text_element("h2", "The same without this page")
            self.command = self._block("command")
            self.python = self._block("Python")

    def _block(self, what: str) -> Any:
        with ui.element("div").classes("code"):
            ui.label(f"As a {what}" if what == "command" else f"In {what}").classes("title")
            text = ui.label().classes("text").props(f'tabindex=0 role="region" aria-label="{what}"')
            copy = ui.button("Copy", on_click=lambda: ui.clipboard.write(text.text))
            copy.props(f'flat dense no-caps aria-label="Copy the {what}"')
        return text

    def show(self, answer: Mapping[str, Any]) -> None:
        """Show an answer's links."""
        self.section.visible = True
        self.command.text, self.python.text = answer["command"], answer["python"]
