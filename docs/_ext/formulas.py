"""Formulas as MathML: the pages need neither a network nor a script to show them."""

from docutils import nodes

from gantheory.report.maths import mathml, split_beside


def visit_inline(self, node):
    self.body.append(f'<span class="math">{mathml(node.astext())}</span>')
    raise nodes.SkipNode


def visit_block(self, node):
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    target = f' id="{node["ids"][0]}"' if node.get("ids") else ""
    parts = (mathml(part, display=True) for part in split_beside(_bare(node.astext())))
    shown = "".join(f'<div class="part">{part}</div>' for part in parts)
    self.body.append(f'<div class="math"{target}>{number}{shown}</div>\n')
    raise nodes.SkipNode


def _bare(latex):
    """Return ``latex`` without the environment that some writers put around a display."""
    text = latex.strip().removeprefix("$$").removesuffix("$$").strip("$")
    return text.replace(r"\displaystyle", "").strip()


def setup(app):
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(visit_inline, None),
        block_renderers=(visit_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
