"""Papers as links: ``arXiv:1406.2661`` in a line of text leads to the paper."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

PAPER = re.compile(r"arXiv:(\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?:v\d+)?")
UNTOUCHED = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.raw,
)


class Papers(SphinxTransform):
    """Turns each identifier of arXiv in the text of a page into a link."""

    default_priority = 750

    def apply(self, **_):
        for text in list(self.document.findall(nodes.Text)):
            if not any(isinstance(one, UNTOUCHED) for one in ancestors(text)):
                found = linked(text)
                if any(isinstance(one, nodes.reference) for one in found):
                    text.parent.replace(text, found)


def ancestors(node):
    """Yield what a node is in, from the inside."""
    while node.parent is not None:
        node = node.parent
        yield node


def linked(text):
    """Return a text as nodes, its papers as references.

    >>> [type(node).__name__ for node in linked("see arXiv:1406.2661, and more")]
    ['Text', 'reference', 'Text']
    """
    parts, begin = [], 0
    for paper in PAPER.finditer(text):
        parts.append(nodes.Text(text[begin : paper.start()]))
        url = f"https://arxiv.org/abs/{paper[1]}"
        parts.append(nodes.reference("", paper[0], refuri=url, internal=False))
        begin = paper.end()
    return [part for part in (*parts, nodes.Text(text[begin:])) if part.astext()]


def setup(app):
    app.add_transform(Papers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
