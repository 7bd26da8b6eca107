"""The letters of a formula, read from its MathML: no code of ours is asked."""

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

FUNCTIONS = {"log", "sign", "relu", "softplus", "exp", "max", "min", "sup", "lim", "for", "const"}


def letters(latex):
    r"""Return the letters of a formula; d of a derivative or of an integral is none.

    >>> sorted(letters(r"\frac{d}{dz} a(t) = \mathbb{E}_p[x] + \int \mu_p\,dx"))
    ['a', 'p', 't', 'x', 'z', 'μ', '𝔼']
    """
    plain = re.sub(r"\\text\{[^{}]*\}|\\begin\{cases\}|\\end\{cases\}", " ", latex)
    plain = re.sub(r"\\operatorname\{\w+\}|\\mathrm\{const\}|&|\\\\", " ", plain)
    plain = re.sub(r"\\frac\{d(\^\{?2\}?)?\}\{d\s?", r"\\frac{1}{", plain)
    plain = re.sub(r"(?<![A-Za-z\\])d(?=[a-z](?![A-Za-z]))|\\,d(?=[a-z] |[a-z]$)", " ", plain)
    if not plain.strip():
        return set()
    tree = ElementTree.fromstring(convert(plain))
    nodes = (node.text or "" for node in tree.iter() if node.tag.endswith("}mi"))
    return {text for text in nodes if text not in FUNCTIONS and text.isalpha()}


def undefined(theory):
    """Return the letters of a theory's steps that its legend does not have."""
    said = set().union(*(letters(one.latex) for one in theory.notation))
    used = set().union(*(letters(step.latex) for step in theory.steps if step.latex))
    return used - said
