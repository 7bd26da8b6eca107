"""One self-contained HTML page: maths as MathML, plots as SVG, no network.

One small script, held by its hash, filters the verdicts; nothing else runs.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from gantheory.errors import MissingExtraError
from gantheory.files import write_atomically
from gantheory.records import How
from gantheory.report import view
from gantheory.report.losses import view_loss
from gantheory.report.maths import mathml, split_beside
from gantheory.report.svg import Picture, inline_svg
from gantheory.verify import Outcome


def render(
    outcomes: Iterable[Outcome],
    derivations: Iterable[Any] = (),
    figures: Iterable[Picture] = (),
    *,
    environment: Mapping[str, str] | None = None,
    seed: int = 0,
    command: str = "gantheory check",
    created: str = "",
    planned: int | None = None,
) -> str:
    """Return the report as one HTML page, a function of its arguments alone.

    Args:
        outcomes: the checks that were run, with their verdicts, in reading order.
        derivations: the `gantheory.theory` derivations to tell.
        figures: the pictures, in reading order.
        environment: versions and machine, see `gantheory.report.environment`.
        seed: what the random part was seeded with.
        command: what to type to get this page again.
        created: when the run ended, as the reader should see it.
        planned: how many checks were meant to run; more than there are outcomes means an
            interrupted run, which the page says.

    >>> from gantheory.records import Verdict
    >>> from gantheory.verify import Check
    >>> check = Check("one", "1 = 1", lambda: Verdict("1 = 1", How.PROVED), How.PROVED)
    >>> "1 = 1" in render([Outcome(check, check.run())])
    True
    """
    outcomes = list(outcomes)
    sections = view.group(outcomes)
    documents = view.by_document(sections)
    script = _read("page.js")
    return _template().render(
        css=_read("page.css"),
        js=script,
        js_hash=b64encode(sha256(script.encode()).digest()).decode(),
        headline=view.headline(outcomes, planned),
        all_right=_all_right(outcomes, planned),
        words=view.in_plain_words(outcomes),
        remarks=view.remarks_on_run(outcomes, planned),
        wrong=[outcome for outcome in outcomes if not outcome.as_expected],
        tally=_tally(outcomes),
        refutations=view.refutations(outcomes),
        groups=sections[: len(sections) - len(documents)],
        documents=documents,
        losses=[view_loss(derivation) for derivation in derivations],
        figures=_figures(figures),
        environment=environment or {},
        seconds=sum(outcome.seconds for outcome in outcomes),
        seed=seed,
        command=command,
        created=created,
    )


def render_check(
    outcomes: Sequence[Outcome], *, planned: int, command: str = "gantheory check"
) -> str:
    """Return the page of ``gantheory check``: these outcomes, the three classic losses, plots."""
    from gantheory.derivations import derive
    from gantheory.losses.classic import CLASSIC
    from gantheory.report.environment import environment
    from gantheory.report.pictures import original_gan

    derivations = [derive(loss.name) for loss in CLASSIC]
    return render(
        outcomes,
        derivations,
        original_gan(),
        environment=environment(),
        command=command,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        planned=planned,
    )


def write_check(out: Path | str, outcomes: Sequence[Outcome], *, planned: int) -> Path:
    """Write the page of ``gantheory check`` into a folder, and return where it is."""
    page = Path(out) / "index.html"
    write_atomically(page, render_check(outcomes, planned=planned))
    return page


def _all_right(outcomes: Sequence[Outcome], planned: int | None) -> bool:
    complete = planned is None or planned <= len(outcomes)
    return bool(outcomes) and complete and all(outcome.as_expected for outcome in outcomes)


def _tally(outcomes: Sequence[Outcome]) -> dict[How, int]:
    counts = {how: sum(outcome.verdict.how is how for outcome in outcomes) for how in How}
    return {how: count for how, count in counts.items() if count}


def _figures(figures: Iterable[Picture]) -> list[dict[str, Any]]:
    from markupsafe import Markup

    return [
        {
            "title": figure.title,
            "caption": figure.caption,
            "svg": Markup(inline_svg(figure, f"figure-{number}")),
        }
        for number, figure in enumerate(figures, start=1)
    ]


def _read(name: str) -> Any:
    """Return a file of this package, marked as not to be escaped."""
    from markupsafe import Markup

    return Markup((files("gantheory.report") / name).read_text(encoding="utf-8"))


@cache
def _template() -> Any:
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("the HTML report", "report") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gantheory.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(
        maths=_maths,
        split_beside=split_beside,
        signs=view.SIGNS,
        meanings=view.MEANINGS,
        gauge=view.gauge,
        sides=view.sides,
        details=view.details,
        document_words=view.DOCUMENT,
        judgement=view.judgement,
        readable=view.readable,
        counted=view.counted,
        reason_label=view.reason_label,
    )
    return environment.get_template("page.html")


def _maths(latex: str) -> Any:
    from markupsafe import Markup

    return Markup(mathml(latex, display=True))
