"""Statements bound to checks: the ``check`` directive and role, and the ledger of all checks.

The pictures of the README are bound too, by a comment ``<!-- bound to: id, id -->`` that follows.

An id that no check has is an error, and so is a statement whose check does not get the verdict
that it should: the page is written from the verdict found while building it. Checks that train
networks are not run here; ``gantheory check`` runs them.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from gantheory.errors import unknown_name
from gantheory.ledger.checks import CHECKS, run
from gantheory.ledger.statements.checks import statement_checks
from gantheory.records import How
from gantheory.report.numbers import show_error, show_number
from gantheory.report.view import MEANINGS, SIGNS, readable

logger = logging.getLogger(__name__)


@cache
def decide(name):
    """Return the outcome of a check, decided once in a build."""
    (outcome,) = run([find(name)])
    return outcome


def find(name):
    """Return the check or the document's statement of that id, or raise with the nearest one."""
    known = CHECKS if name in CHECKS else statement_checks()
    if name not in known:
        raise unknown_name("check", name, [*CHECKS, *known])
    return known[name]


def known_by(check):
    """Return how a check's verdict is known: found now, or the verdict that training must get."""
    return check.expected if check.trains else decide(check.id).verdict.how


def anchor(name):
    """Return the row's fragment; ids hold any character but spaces, as HTML's may."""
    return f"check-{name}"


def link_to_ledger(name):
    target = addnodes.pending_xref(
        "", nodes.literal(name, name), refdomain="std", reftype="ref", refexplicit=True,
        reftarget=f"check-{name}", refwarn=True,
    )  # fmt: skip
    return target


class CheckRole(SphinxRole):
    """Link to a check's row in the ledger."""

    def run(self):
        try:
            find(self.text)
        except ValueError as error:
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [link_to_ledger(self.text)], []


class CheckDirective(SphinxDirective):
    """A numbered statement, how it is known, and the numbers of its verdict."""

    required_arguments = 1
    has_content = True

    def run(self):
        try:
            check = find(self.arguments[0])
        except ValueError as error:
            raise self.error(str(error)) from None
        number = self.env.new_serialno("statement") + 1
        box = nodes.admonition(classes=["check", known_by(check)])
        box += nodes.title("", f"Statement {number} · {title_of(check)}")
        box += nodes.paragraph("", readable(check.statement))
        if check.latex:
            box += nodes.math_block("", check.latex, nowrap=True, number=None, label=None)
        box += self.parse_content_to_nodes()
        box += self.footer(check)
        self.set_source_info(box)
        if not check.trains and not decide(check.id).as_expected:
            raise self.error(f"check {check.id!r} does not get the verdict that it should")
        return [box]

    def footer(self, check):
        line = nodes.paragraph(classes=["how"])
        line += nodes.Text(f"{how_words(check)} Check ")
        line += link_to_ledger(check.id)
        line += nodes.Text(f"; source: {check.source}." if check.source else ".")
        return line


def title_of(check):
    how = known_by(check)
    suffix = ", as it should be" if check.expected is How.REFUTED else ""
    return f"{SIGNS[how]} {how}{suffix}"


def how_words(check):
    """Return one sentence on how the statement is known, with the numbers found."""
    if check.trains:
        return f"Should be {check.expected} by training; gantheory check does it."
    verdict = decide(check.id).verdict
    found = verdict.counterexample or verdict.reason
    if found and verdict.how in (How.REFUTED, How.UNDECIDED):
        return f"{verdict.how.capitalize()}: {found}."
    words = f"{verdict.how.capitalize()}: {MEANINGS[verdict.how]}"
    if isinstance(verdict.left, float) and isinstance(verdict.right, float):
        left, right = (show_number(x, verdict.error) for x in (verdict.left, verdict.right))
        return f"{words}; {left} and {right}, {show_error(verdict.error)}."
    return f"{words}."


class LedgerDirective(SphinxDirective):
    """The table of all checks, or of those whose id starts with the argument.

    Each row is what the role links to.
    """

    optional_arguments = 1

    def run(self):
        prefix = self.arguments[0] if self.arguments else ""
        table = make_table(["Check", "Statement", "Known"], [22, 58, 20])
        body = table[0][-1]
        for check in (check for name, check in CHECKS.items() if name.startswith(prefix)):
            row = nodes.row(ids=[anchor(check.id)])
            row += cell(nodes.literal(check.id, check.id))
            row += cell(nodes.Text(readable(check.statement)))
            row += cell(nodes.Text(title_of(check) + (" (by training)" if check.trains else "")))
            body += row
            place = (self.env.docname, anchor(check.id))
            standard = self.env.get_domain("std")
            standard.anonlabels[f"check-{check.id}"] = place
            standard.labels[f"check-{check.id}"] = (*place, check.statement)
            if not check.trains and not decide(check.id).as_expected:
                logger.warning("check %r does not get the verdict that it should", check.id)
        return [table]


def make_table(headings, widths):
    """Return an empty table node with its heading row."""
    table = nodes.table(classes=["catalogue"])
    group = nodes.tgroup(cols=len(headings))
    group += [nodes.colspec(colwidth=width) for width in widths]
    head = nodes.thead()
    head += nodes.row("", *[cell(nodes.Text(text)) for text in headings])
    group += [head, nodes.tbody()]
    table += group
    return table


def cell(*content):
    return nodes.entry("", nodes.paragraph("", "", *content))


PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)\s*(?:<!--\s*bound to:([^>]*?)-->)?")


def bind_pictures(app):
    """Refuse a README with a picture that no check holds, or that one without its verdict does."""
    readme = Path(app.config.bound_readme)
    if not readme.exists():
        return
    for picture, ids in PICTURE.findall(readme.read_text(encoding="utf-8")):
        if not ids.strip():
            raise ExtensionError(f"{readme.name}: {picture} is bound to no check")
        for name in re.split(r"[,\s]+", ids.strip()):
            try:
                check = find(name)
            except ValueError as error:
                raise ExtensionError(f"{readme.name}: {picture}: {error}") from None
            if not check.trains and not decide(name).as_expected:
                raise ExtensionError(f"{readme.name}: {picture}: {name} is not as it should be")


def digest_of_sources():
    """Return a digest of all the code that the pages speak of."""
    root = Path(__file__).parents[2]
    found = hashlib.sha256()
    for path in sorted([*root.glob("gantheory/**/*.py"), *root.glob("simulations/**/*.py")]):
        found.update(path.read_bytes())
    return found.hexdigest()


def setup(app):
    # A change of the code changes this value, and with it every page is written again.
    app.add_config_value("digest_of_sources", digest_of_sources(), "env")
    app.add_config_value("bound_readme", str(Path(__file__).parents[2] / "README.md"), "env")
    app.connect("builder-inited", bind_pictures)
    app.add_role("check", CheckRole())
    app.add_directive("check", CheckDirective)
    app.add_directive("checks-table", LedgerDirective)
    return {"parallel_read_safe": False}
