"""The page of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from gantheory.losses import get_loss, list_losses
from gantheory.losses.loss import Loss
from gantheory.workbench.pages.charts import Chart, line
from gantheory.workbench.pages.frame import (
    Asker,
    Links,
    Problems,
    chooser,
    keep,
    page,
    state,
    text_element,
    text_field,
    working,
)

OWN = "your own"
START = {
    "real": "log(D)", "fake": "log(1 - D)", "generator": "-log(D)", "domain": "(-oo, oo)",
    "link": "",
}  # fmt: skip
LABELS = {
    "real": "a: payoff on real samples",
    "fake": "b: payoff on fake samples",
    "generator": "c: loss of the generator",
    "domain": "scores that D may output",
    "link": "link: what D is, in t",
}
NAMES = {"value": "D reports", "loss": "loss reads", "followed": "G follows"}


def build() -> None:
    """Build the page for one window."""
    with page(
        "loss",
        "D maximises E_p[a] + E_q[b] and G minimises E_q[c]. Write t for the raw score and D for "
        "its sigmoid; what follows is derived while you type.",
    ):
        View({**START, **{k: v for k, v in state().items() if k in START}}, state().get("loss"))


class View:
    """One window's fields, answer and plots."""

    def __init__(self, start: Mapping[str, str], name: str | None) -> None:
        self.filling = False
        names = [OWN, *list_losses()]
        with ui.element("div").classes("fields"):
            chosen = name if name in names else "non-saturating" if dict(start) == START else OWN
            self.name = chooser("Loss of the catalogue", names, chosen, self.fill)
            self.fields = {
                part: text_field(label, start[part], self.typed) for part, label in LABELS.items()
            }
        self.problems = Problems(self.fields)
        self.ask = Asker("loss", self.show, working())
        self.summary = ui.element("table").classes("summary").props('aria-label="The theory"')
        self.note = ui.label().classes("note")
        with ui.element("div").classes("charts"):
            self.payoffs = Chart(
                "Payoffs", "a, b and c against the raw score", "raw score t", "nats"
            )
            self.weights = Chart(
                "How strongly fakes are moved, r²·f''(r)",
                "the three curvatures against the density ratio, each as its pull in log r",
                "log10 of r = p/q", "",
            )  # fmt: skip
            self.optimum = Chart(
                "The optimal discriminator D*", "D* against the density ratio",
                "log10 of r = p/q", "D*",
            )  # fmt: skip
        self.links = Links()
        ui.timer(0, self.fill if name in names else self.typed, once=True)

    async def fill(self) -> None:
        """Put the chosen loss's formulas into the fields."""
        if self.name.value == OWN:
            return
        found = _formulas(self.name.value)
        self.filling = True
        for part, field in self.fields.items():
            field.value = found[part]
        self.filling = False
        await self.typed()

    async def typed(self) -> None:
        """Ask for the theory of what stands in the fields."""
        if self.filling:
            return
        given = {part: field.value or "" for part, field in self.fields.items()}
        keep("loss", given)
        await self.ask(given)

    def show(self, answer: Mapping[str, Any]) -> None:
        """Show the theory, or the refusal beside its field."""
        if self.problems.show(answer):
            return
        self.summary.clear()
        with self.summary, ui.element("tbody"):
            for label, text, known in answer["summary"]:
                with ui.element("tr"):
                    text_element("th", label).props('scope="row"')
                    text_element("td", text)
                    text_element("td", known).classes("known")
        named = ", ".join(answer["parameters"])
        self.note.text = f"Give {named} numbers to see plots." if named else ""
        t, r = answer["payoffs"].pop("t"), answer["along"].pop("r")
        letters = zip("abc", answer["payoffs"].items(), strict=False)
        self.payoffs.show(
            [line(f"{k}: {part}", t, y, n) for n, (k, (part, y)) in enumerate(letters)]
        )
        D = answer["along"].pop("D", [])
        self.optimum.show([line("D*", r, D)])
        self.weights.show(
            [line(NAMES[part], r, y, n) for n, (part, y) in enumerate(answer["along"].items())]
        )
        self.links.show(answer)


def _formulas(name: str) -> dict[str, str]:
    """Return a catalogue loss's formulas, parameters at their typical values."""
    loss = get_loss(name).at_typical()
    own = Loss("", loss.real, loss.fake, loss.generator).link
    link = "" if loss.link == own else loss.link
    return {part: getattr(loss, part) for part in ("real", "fake", "generator", "domain")} | {
        "link": link
    }
