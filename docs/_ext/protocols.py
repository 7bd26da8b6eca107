"""Published toys: what was printed of each, what we measured, and what differs, from the data."""

from checks import cell, make_table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from simulations.protocols import get_protocol, list_protocols, outcomes_of, published_of
from simulations.protocols.results import QUANTITIES, table_rows


class ProtocolsDirective(SphinxDirective):
    """A table of all toys, and one section a toy."""

    def run(self):
        protocols = [get_protocol(name) for name in list_protocols()]
        return [summary(protocols), *map(section, protocols)]


def summary(protocols):
    """Return one row a toy: the first printed numbers, and ours where all steps were made."""
    table = make_table(["Toy", "Printed", "gantheory"], [22, 39, 39])
    for protocol in protocols:
        published = published_of(protocol.name)
        printed = first_numbers([row for row in published if row.numbers])
        ours = [found for found in outcomes_of(protocol.name) if found.whole]
        line = nodes.row()
        link = nodes.reference("", "", refid=place(protocol), internal=True)
        link += nodes.literal("", protocol.name)
        line += cell(link)
        line += cell(nodes.Text(printed or "; ".join(row.said for row in published[:1])))
        line += cell(nodes.Text(first_numbers(ours) or "no whole run"))
        table[0][-1] += line
    return table


def first_numbers(found):
    return "".join(numbers_of(one.row()) for one in found[:1])


def numbers_of(row):
    return ", ".join(f"{QUANTITIES[name][0]} {text}" for name, text in row.numbers.items())


def place(protocol):
    return nodes.make_id(f"protocol-{protocol.name}")


def section(protocol):
    made = nodes.section(ids=[place(protocol)])
    made += nodes.title("", "", nodes.literal("", protocol.name))
    made += nodes.paragraph("", f"{protocol.title}: {protocol.source}.")
    rows = dict(protocol.overview().rows)
    how = f"Loss {rows['loss']}, rates {rows['rates']}: {rows['recipe']}."
    made += nodes.paragraph("", how)
    rows = table_rows(published_of(protocol.name), outcomes_of(protocol.name))
    if rows:
        table = make_table(["Who", "Numbers", "Remark"], [34, 36, 30])
        for row in rows:
            line = nodes.row()
            line += cell(nodes.Text(row.who))
            line += cell(nodes.Text(numbers_of(row)))
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
