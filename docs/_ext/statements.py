"""The page of statements: every sentence of the sources with the verdict that was computed.

A verdict that is not the recorded one, or a correction that does not hold, is an error of the
build.
"""

from functools import cache
from itertools import groupby

from checks import cell, make_table
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from gantheory.ledger.statements.deciding import all_entries, decide_entry
from gantheory.report.statements import remarks, sign_of
from gantheory.report.view import readable

logger = logging.getLogger(__name__)


@cache
def decided(key):
    """Return the quick statements of one source, or of all, decided once in a build."""
    return tuple(
        decide_entry(entry)
        for entry in all_entries()
        if not entry.slow and key in (None, entry.source.key)
    )


class StatementsDirective(SphinxDirective):
    """One section for each source, or for the one named, its statements in reading order."""

    optional_arguments = 1

    def run(self):
        sections = []
        key = self.arguments[0] if self.arguments else None
        for source, group in groupby(decided(key), key=lambda row: row.entry.source):
            section = nodes.section(ids=[f"source-{source.key}"])
            author = f" ({source.author})" if source.author else ""
            section += nodes.title("", f"{source.title}{author}")
            table = make_table(["Line", "Statement", "Verdict"], [12, 68, 20])
            for row in group:
                if not row.as_expected:
                    logger.error("statement %s is %s: %s", row.entry.id, row.how, row.reason)
                table[0][-1].append(self.row(row))
            section += table
            sections.append(section)
        return sections

    def row(self, row):
        line = nodes.row(ids=[f"statement-{row.entry.id}"])
        line += cell(nodes.literal(row.entry.id, row.entry.id), nodes.Text(f" {row.entry.line}"))
        told = [nodes.Text(readable(row.entry.statement))]
        for label, text in remarks(row):
            told += [nodes.Text(" "), nodes.emphasis("", f"{label.capitalize()}:")]
            told += [nodes.Text(f" {readable(text)}")]
        line += cell(*told)
        line += cell(nodes.Text(f"{sign_of(row.how)} {row.how}: {row.verdict}"))
        return line


def setup(app):
    app.add_directive("statements", StatementsDirective)
    return {"parallel_read_safe": True}
