"""LaTeX to MathML that is safe inside a page, and combinations of divergences as LaTeX."""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gantheory.errors import MissingExtraError

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
# fmt: off
TAGS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mfrac", "msqrt", "mroot",
    "msup", "msub", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mpadded",
})
ATTRIBUTES = frozenset({
    "display", "mathvariant", "stretchy", "fence", "form", "width", "height", "depth", "lspace",
    "rspace", "columnalign", "displaystyle", "scriptlevel", "linethickness", "accent", "separator",
    "movablelimits", "columnspacing", "rowspacing", "minsize", "maxsize", "symmetric", "largeop",
})
# fmt: on
LONG_ARROWS = frozenset(map(chr, range(0x27F5, 0x27FD)))  # which the converter takes for letters
FUNCTIONS = frozenset({"log", "exp", "tanh", "max", "min", "sup", "inf", "lim"})


@lru_cache(maxsize=4096)
def mathml(latex: str, *, display: bool = False) -> str:
    """Return presentation MathML for ``latex``, or the escaped source where that fails.

    ``display`` gives fractions and sums their full size. Only elements and attributes of
    presentation MathML pass: the converter copies text through, and a formula may hold what a
    person typed.

    >>> mathml("a < b")
    '<math display="inline"><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow></math>'
    >>> mathml(r"\\text{<script>alert(1)</script>}")
    '<code>\\\\text{&lt;script&gt;alert(1)&lt;/script&gt;}</code>'
    """
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise MissingExtraError("the report's mathematics", "report") from None
    try:
        tree = ElementTree.fromstring(convert(latex))
    except Exception:  # the converter has no base exception; the source is shown instead
        return f"<code>{html.escape(latex)}</code>"
    if not _is_plain(tree):
        return f"<code>{html.escape(latex)}</code>"
    _join_words(tree)
    _space_functions(tree)
    _tighten(tree)
    _fit_brackets(tree)
    if display:
        tree.set("displaystyle", "true")
    for node in tree.iter():
        node.tag = node.tag.removeprefix(f"{{{NAMESPACE}}}")
    return ElementTree.tostring(tree, encoding="unicode")


_SPLIT = re.compile(
    r"\\left(?![a-z])|\\right(?![a-z])|\\begin|\\end(?![a-z])|\\.|[{}]|,\s*\\q?quad\b\s*"
)


def split_beside(latex: str) -> list[str]:
    """Return formulas that stand beside each other apart, so that a narrow page can break there.

    >>> split_beside(r"F(r) = {a,\\quad b},\\quad F(1) = 0, \\qquad c")
    ['F(r) = {a,\\\\quad b}', 'F(1) = 0', 'c']
    """
    parts, depth, start = [], 0, 0
    for found in _SPLIT.finditer(latex):
        if found[0].startswith(","):
            if depth == 0:
                parts.append(latex[start : found.start()])
                start = found.end()
        elif found[0] in ("{", r"\left", r"\begin"):
            depth += 1
        elif found[0] in ("}", r"\right", r"\end"):
            depth -= 1
    return [part for part in (*parts, latex[start:]) if part.strip()]


def _is_plain(tree: ElementTree.Element) -> bool:
    return all(
        node.tag.removeprefix(f"{{{NAMESPACE}}}") in TAGS and set(node.attrib) <= ATTRIBUTES
        for node in tree.iter()
    )


def _join_words(tree: ElementTree.Element) -> None:
    """Make one identifier of upright letters, so that KL is read as a word, not as K times L."""
    for row in tree.iter(f"{{{NAMESPACE}}}mrow"):
        letters = list(row)
        upright = [node.get("mathvariant") == "normal" for node in letters]
        if len(letters) > 1 and all(upright):
            letters[0].text = "".join(node.text or "" for node in letters)
            del letters[0].attrib["mathvariant"]  # more than one letter is upright by default
            for node in letters[1:]:
                row.remove(node)


def _space_functions(tree: ElementTree.Element) -> None:
    """Put a thin space around log 2 and 2 log, which identifiers of MathML do not bring."""
    for row in tree.iter(f"{{{NAMESPACE}}}mrow"):
        for node in [child for child in row if child.text in FUNCTIONS]:
            place = list(row).index(node)
            after = row[place + 1] if place + 1 < len(row) else None
            if after is not None and not _is_bracket(after):
                row.insert(place + 1, _thin_space())
            if place and not row[place - 1].tag.endswith("mo"):
                row.insert(place, _thin_space())


def _tighten(tree: ElementTree.Element) -> None:
    """Write p/q and |v| without gaps, ∞ and the star of D* as symbols, and arrows as operators."""
    for node in tree.iter(f"{{{NAMESPACE}}}mi"):
        if node.text in LONG_ARROWS:
            node.tag = f"{{{NAMESPACE}}}mo"
            node.attrib = {"lspace": "0.278em", "rspace": "0.278em"}
    for node in tree.iter(f"{{{NAMESPACE}}}mo"):
        if node.text in ("/", "|"):
            node.set("lspace", "0")
            node.set("rspace", "0")
        elif node.text in ("∞", "*", "∗"):
            node.tag = f"{{{NAMESPACE}}}mi"
            node.attrib.clear()


def _fit_brackets(tree: ElementTree.Element) -> None:
    """Stretch a bracket only around what is tall: around 2 a browser leaves gaps beside it."""
    tall = {f"{{{NAMESPACE}}}{tag}" for tag in ("mfrac", "msqrt", "mtable", "munderover", "msup")}
    for row in tree.iter(f"{{{NAMESPACE}}}mrow"):
        brackets = [node for node in row if node.get("fence") == "true"]
        if brackets and not any(node.tag in tall for node in row.iter()):
            for node in brackets:
                node.attrib.pop("form", None)
                node.set("stretchy", "false")


def _is_bracket(node: ElementTree.Element) -> bool:
    first = next((inner for inner in node.iter() if inner.text), None)
    return first is not None and (first.text or "") in "([{|"


def _thin_space() -> ElementTree.Element:
    return ElementTree.Element(f"{{{NAMESPACE}}}mspace", width="0.167em")


def combination(terms: Mapping[str, Any], constant: Any = 0) -> str:
    """Return ``Σ coefficient · divergence + constant`` as LaTeX; coefficients are exact.

    >>> import sympy
    >>> combination({"jsd": sympy.Integer(2)}, -2 * sympy.log(2))
    '2\\\\,\\\\mathrm{JSD}(P,Q) - 2 \\\\log{\\\\left(2 \\\\right)}'
    """
    from gantheory.derivations.typeset import typeset
    from gantheory.derivations.wording import combination_latex, constant_latex

    return combination_latex(dict(terms)) + constant_latex(constant) if terms else typeset(constant)


def curvature_latex(curvature: Any) -> str:
    """Return f'' as LaTeX, with a point mass for each kink."""
    from gantheory.derivations.wording import atoms_latex

    return f"f''(r) = {atoms_latex(curvature)}"
