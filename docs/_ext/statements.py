"""The pages of statements: every sentence of the sources, and every system, with its verdict.

A verdict that is not the recorded one, or a correction that does not hold, is an error of the
build. Trainings are not run here: their rows show the recorded verdict, and how to run them.
"""

from functools import cache
from itertools import groupby

from checks import cell, make_table
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from gantheory.ledger.statements.deciding import all_entries, decide_entry
from gantheory.ledger.statements.entry import Row
from gantheory.report.statements import mark_of, remarks_on_row
from gantheory.report.view import readable

logger = logging.getLogger(__name__)
HEADINGS = {
    "proved": "Proved",
    "certified": "Certified",
    "measured": "Measured",
    "refuted": "Refuted",
}


@cache
def decided(id):
    """Return the row of a statement, decided once in a build; of a training as recorded."""
    entry = next(entry for entry in all_entries() if entry.id == id)
    if entry.slow:
        return Row(entry, entry.verdict, (), (), 0.0)
    row = decide_entry(entry)
    if not row.as_expected:
        logger.error("statement %s is %s: %s", row.entry.id, row.how, row.reason)
    return row


def told(row, prefix):
    """Return the table row of a statement: where it stands, what it says, its verdict."""
    line = nodes.row(ids=[f"{prefix}-{row.entry.id}"])
    line += cell(nodes.literal(row.entry.id, row.entry.id), nodes.Text(f" {row.entry.line}"))
    words = [nodes.Text(readable(row.entry.statement))]
    for label, text in remarks_on_row(row):
        words += [nodes.Text(" "), nodes.emphasis("", f"{label.capitalize()}:")]
        words += [nodes.Text(f" {readable(text)}")]
    line += cell(*words)
    trained = "; gantheory claims trains it" if row.entry.slow else ""
    line += cell(nodes.Text(f"{mark_of(row.how)} {row.how}: {row.verdict}{trained}"))
    return line


def statements_table(rows, prefix):
    table = make_table(["Line", "Statement", "Verdict"], [12, 68, 20])
    table[0][-1].extend(told(row, prefix) for row in rows)
    return table


class StatementsDirective(SphinxDirective):
    """One section for each source, or for the one named, its statements in reading order."""

    optional_arguments = 1

    def run(self):
        sections = []
        wanted = self.arguments[0] if self.arguments else None
        entries = [entry for entry in all_entries() if wanted in (None, entry.source.key)]
        for source, group in groupby(entries, key=lambda entry: entry.source):
            section = nodes.section(ids=[f"source-{source.key}"])
            author = f" ({source.author})" if source.author else ""
            section += nodes.title("", f"{source.title}{author}")
            rows = [decided(entry.id) for entry in group]
            section += statements_table(rows, "statement")
            for row in rows:
                self.label(row.entry)
            sections.append(section)
        return sections

    def label(self, entry):
        """Let a page's bound statement link to the row."""
        place = (self.env.docname, f"statement-{entry.id}")
        standard = self.env.get_domain("std")
        standard.anonlabels[f"check-{entry.id}"] = place
        standard.labels[f"check-{entry.id}"] = (*place, entry.statement)


def systems():
    """Return system -> its statements, in the order of the ledger."""
    found = {}
    for entry in all_entries():
        if entry.system:
            found.setdefault(entry.system, []).append(entry)
    return found


class SystemsDirective(SphinxDirective):
    """The table of systems by what is known of each, then a section for each system."""

    def run(self):
        table = make_table(["System", *HEADINGS.values()], [16, 21, 21, 21, 21])
        sections = []
        for number, (system, entries) in enumerate(systems().items()):
            rows = [decided(entry.id) for entry in entries]
            line = nodes.row()
            line += cell(self.link(system, f"system-{number}"))
            for how in HEADINGS:
                line += cell(*self.links(row for row in rows if row.how == how))
            table[0][-1].append(line)
            section = nodes.section(ids=[f"system-{number}"])
            section += nodes.title("", system)
            section += statements_table(rows, "of-system")
            sections.append(section)
        return [table, *sections]

    def links(self, rows):
        found = []
        for row in rows:
            found += [nodes.Text(", ")] if found else []
            found.append(self.link(row.entry.id, f"of-system-{row.entry.id}"))
        return found or [nodes.Text("–")]

    def link(self, text, place):
        return nodes.reference("", text, refid=place, internal=True)


def setup(app):
    app.add_directive("statements", StatementsDirective)
    app.add_directive("systems", SystemsDirective)
    return {"parallel_read_safe": True}
