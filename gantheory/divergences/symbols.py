"""Names of divergences as people write them: 2·JSD(P, Q) where code says 2*jsd."""

from __future__ import annotations

import re

from gantheory.divergences.table import COMPLEMENTS, DIVERGENCES

# Of transport and kernels, which this folder does not know.
DISTANCES = {"w1": "W1(P, Q)", "w2": "W2(P, Q)", "mmd": "MMD(P, Q)"}
_WORD = re.compile(r"\b[A-Za-z]\w*\b(?P<call>\(?)")
_INFINITY = re.compile(r"\b(oo|inf)\b")
# sympy's letter; an expectation is followed by what it is taken of
_EULER = re.compile(r"(?<![\w'])E(?! ?[\w\[(|]|')")
_TIMES = re.compile(r"(?<=[\w)])(?:\*| \* )(?=[\wΔχ(])")
_POWER = re.compile(r" ?\*\* ?")


def in_symbols(text: str) -> str:
    """Return a text with the symbols of divergences in the place of their names.

    >>> in_symbols("its value is 2*jsd - kl_qm/2")
    'its value is 2·JSD(P, Q) - KL(Q‖M)/2'
    >>> in_symbols("jsd(P x Q, Q x P) - log(2)")
    'JSD(P x Q, Q x P) - log(2)'
    """
    found = _WORD.sub(_symbol, text)
    return found if found == text else dotted(found)


def in_prose(text: str) -> str:
    """Return a text as people read it: symbols of divergences, ·, ^, ∞, no letter for exp(1).

    >>> in_prose("f'(oo) is inf: kl_pq, not KL(P||Q), at log(E*r), E[t] and E_q[t]")
    "f'(∞) is ∞: KL(P‖Q), not KL(P‖Q), at log(exp(1)·r), E[t] and E_q[t]"
    >>> in_prose("E/(E + 1), 2 E|X - Y| and E f(X)")
    'exp(1)/(exp(1) + 1), 2 E|X - Y| and E f(X)'
    """
    said = _EULER.sub("exp(1)", _INFINITY.sub("∞", text)).replace("||", "‖")
    return dotted(in_symbols(said))


def dotted(text: str) -> str:
    """Return a text with · for products and ^ for powers, which the parser reads as well.

    >>> dotted("2*log(2) at D* = x**2 * (1 - x)")
    '2·log(2) at D* = x^2·(1 - x)'
    """
    return _TIMES.sub("·", _POWER.sub("^", text))


def _symbol(word: re.Match[str]) -> str:
    name, call = word[0].removesuffix("("), word["call"]
    entry = DIVERGENCES.get(name) or COMPLEMENTS.get(name)
    title = DISTANCES.get(name) if entry is None else entry.title
    if title is None:
        return word[0]
    return f"{title.split('(')[0]}(" if call else title
