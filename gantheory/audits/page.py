"""An audit as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from gantheory.audits.description import what_it_does, what_it_is

if TYPE_CHECKING:
    from gantheory.audits.record import Audit

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
pre{background:#8881;padding:.6rem;overflow-x:auto}.error{color:#b00}.warning{color:#a60}
@media(prefers-color-scheme:dark){body{background:#111;color:#eee}.error{color:#f77}
.warning{color:#fb6}}"""


def audit_page(audit: Audit) -> str:
    """Return the page; every text of the audited code is escaped."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        f"<title>Audit of {escape(audit.name)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style>"
        f"{body(audit)}</html>\n"
    )


def body(audit: Audit) -> str:
    """Return what a page, or a notebook, shows of an audit."""
    findings = "".join(
        f"<h3 class='{f.severity.value}'>{escape(f.kind.value)}</h3><p>{escape(f.message)}</p>"
        f"<p>Remedy: {escape(f.remedy)}</p><pre>{escape(f.evidence)}</pre>"
        for f in audit.findings
    )
    return (
        f"<h1>Audit of {escape(audit.name)}</h1>"
        f"<h2>What it is</h2>{_list(what_it_is(audit))}"
        f"<h2>What it does</h2>{_list(what_it_does(audit))}"
        f"<h2>What is wrong or surprising</h2>{findings or '<p>Nothing was found.</p>'}"
    )


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
