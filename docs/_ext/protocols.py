"""Published toys: what was printed of each, what we measured, and what differs, from the data."""

from checks import cell, make_table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from simulations.protocols import get_protocol, list_protocols, outcomes_of, published_of
from simulations.protocols.results import QUANTITIES, table_rows


class ProtocolsDirective(SphinxDirective):
    """One section a toy."""

    def run(self):
        return [section(get_protocol(name)) for name in list_protocols()]


def section(protocol):
    made = nodes.section(ids=[nodes.make_id(f"protocol-{protocol.name}")])
    made += nodes.title("", "", nodes.literal("", protocol.name))
    made += nodes.paragraph("", f"{protocol.title}: {protocol.source}.")
    rows = table_rows(published_of(protocol.name), outcomes_of(protocol.name))
    if rows:
        table = make_table(["Who", "Numbers", "Remark"], [34, 36, 30])
        for row in rows:
            line = nodes.row()
            numbers = (f"{QUANTITIES[name][0]} {value}" for name, value in row.numbers.items())
            line += cell(nodes.Text(row.who))
            line += cell(nodes.Text(", ".join(numbers)))
            line += cell(nodes.Text(row.remark))
            table[0][-1] += line
        made += table
    if not outcomes_of(protocol.name):
        made += nodes.paragraph("", "Not measured here yet.")
    made += nodes.paragraph("", f"What differs: {protocol.differs}.")
    return made


def setup(app):
    app.add_directive("protocols", ProtocolsDirective)
    return {"parallel_read_safe": True}
