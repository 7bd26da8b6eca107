"""Text and theories as LaTeX that pdflatex takes as it is."""

from __future__ import annotations

import re
import unicodedata

# characters with a meaning of their own outside of formulas
SPECIAL = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "−": "-"}
SPECIAL |= {"~": r"\textasciitilde{}"}
SPECIAL |= {c: "\\" + c for c in "&%$#_{}"} | {"–": "--", "—": "---", "…": r"\dots{}"}
SPECIAL |= {"‘": "`", "’": "'", "“": "``", "”": "''", "‐": "-"}
SPECIAL |= {c: f"${c}$" for c in "<>|"}  # which its oldest letters print as others
SIGNS = {
    "‖": r"\|", "∞": r"\infty", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx",
    "√": r"\surd", "∫": r"\int", "∂": r"\partial", "∇": r"\nabla", "→": r"\to", "←": r"\gets",
    "∝": r"\propto",
    "∘": r"\circ", "∈": r"\in", "∓": r"\mp", "∗": "*", "ℓ": r"\ell", "⊗": r"\otimes",
    "∨": r"\lor", "∧": r"\land", "⟨": r"\langle", "⟩": r"\rangle", "′": "'", "″": "''",
    "⇔": r"\iff", "⇒": r"\Rightarrow", "Σ": r"\Sigma", "ᵀ": r"^{\top}",
}  # fmt: skip
PREAMBLE = r"""\documentclass{article}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath, amssymb}
\sloppy
% a displayed formula; one that is wider than the page goes on below, broken at its signs
\newsavebox{\formulabox}
\newcommand{\formula}[1]{\sbox{\formulabox}{$\displaystyle #1$}%
\ifdim\wd\formulabox>\linewidth
{\par\medskip\raggedright\leftskip=4em\parindent=-2em\relpenalty=100\binoppenalty=0
\lineskiplimit=3pt\lineskip=6pt\indent$\displaystyle #1$\par\medskip}%
\else\begin{equation*}#1\end{equation*}\fi}
\begin{document}
"""


def escape_latex(text: str) -> str:
    r"""Return text as LaTeX has it outside of formulas.

    >>> print(escape_latex("50 % of α ≤ ∞, xᵏ"))
    50 \% of $\alpha$ $\le$ $\infty$, x$^{k}$
    """
    return "".join(SPECIAL.get(c) or _plain(c) for c in text.replace("->", "→"))


WIDE = 80  # characters between brackets, beyond which a line may end there
_PARTS = re.compile(r"(,?)\s*(\\q?quad\b)")
_BRACKET = re.compile(r"\\(left|right)\s*(\\?[(\[{)\]}|.])")


def breakable(formula: str) -> str:
    r"""Return a formula in which a line may end between its parts, and inside of long brackets.

    TeX breaks no line between ``\left`` and ``\right``, so long ones become large brackets.

    >>> print(breakable(r"a = \left(1\right),\quad b = 2"))
    a = \left(1\right),\penalty-50 \quad b = 2
    """
    found = _PARTS.sub(r"\1\\penalty-50 \2", formula)
    opened: list[re.Match[str]] = []
    large: dict[int, str] = {}
    for bracket in _BRACKET.finditer(found):
        if bracket[1] == "left":
            opened.append(bracket)
            continue
        start = opened.pop()
        if bracket.start() - start.end() > WIDE and not _depth(found[: start.start()]):
            large |= {start.start(): rf"\bigl{start[2]}", bracket.start(): rf"\bigr{bracket[2]}"}
    return _BRACKET.sub(lambda one: large.get(one.start(), one[0]), found)


def _depth(formula: str) -> int:
    """Return how many braces are open at the end of a formula."""
    plain = formula.replace(r"\{", "").replace(r"\}", "")
    return plain.count("{") - plain.count("}")


def _plain(character: str) -> str:
    """Return a character, or the command for one that pdflatex has no letter for."""
    if character in SIGNS:
        return f"${SIGNS[character]}$"
    if ord(character) < 0x180:  # ASCII, and Latin letters with accents
        return character
    if greek := _greek(character):
        return f"${greek}$"
    kind, _, code = unicodedata.decomposition(character).partition(" ")
    if kind == "<fraction>":
        return unicodedata.normalize("NFKD", character).replace("\u2044", "/")
    if kind in ("<super>", "<sub>") and code:
        inner = escape_latex(chr(int(code, 16))).strip("$")
        return f"${'^' if kind == '<super>' else '_'}{{{inner}}}$"
    return character


def _greek(character: str) -> str:
    """Return the command of a Greek letter; capitals that look like Latin ones are those."""
    kind, _, letter = unicodedata.name(character, "").partition(" LETTER ")
    name = letter.split(" ")[0].lower().replace("lamda", "lambda")
    if kind == "GREEK SMALL":
        return {"epsilon": r"\varepsilon", "omicron": "o", "phi": r"\varphi"}.get(name, rf"\{name}")
    if kind == "GREEK CAPITAL":
        own = {"gamma", "delta", "theta", "lambda", "xi", "pi", "upsilon", "phi", "psi", "omega"}
        return rf"\{name.capitalize()}" if name in own else letter[0]
    return ""


def document(title: str, blocks: list[str]) -> str:
    """Return blocks below a title as a document that compiles as it is."""
    body = [rf"\section*{{{escape_latex(title)}}}", *blocks]
    return PREAMBLE + "\n" + "\n\n".join(body) + "\n\n\\end{document}"
