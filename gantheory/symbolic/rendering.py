"""Derivations as text, LaTeX, MathML, HTML and Markdown: pure functions of the record."""

from __future__ import annotations

from html import escape

import sympy as sp

from gantheory.symbolic.derivation import Derivation, Step


def as_text(derivation: Derivation) -> str:
    """Return the derivation as plain text."""
    lines = [derivation.game.title]
    for number, step in enumerate(derivation.steps, 1):
        lines += ["", f"{number}. {step.title}  [{_how(step)}]", f"   {step.text}"]
    lines += _remarks(derivation)
    return "\n".join(lines)


def _how(step: Step) -> str:
    return f"{step.known}: {step.because}" if step.because else step.known


def _remarks(derivation: Derivation) -> list[str]:
    lines: list[str] = []
    if derivation.no_optimum:
        lines += ["", derivation.no_optimum]
    for name, reason in (derivation.undecided or {}).items():
        lines += ["", f"undecided: {name}, because {reason}"]
    if derivation.assumptions:
        lines += ["", "Assumptions:", *(f"  - {one}" for one in derivation.assumptions)]
    return lines


def as_latex(derivation: Derivation) -> str:
    r"""Return the derivation's formulas as one LaTeX ``aligned`` display."""
    rows = [rf"&\text{{{escape_latex(s.title)}}} && {s.latex}" for s in derivation.steps]
    if not rows:
        reason = derivation.no_optimum or "undecided"
        rows = [rf"&\text{{{escape_latex(reason)}}}"]
    return "$\\displaystyle\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}$"


def latex_document(derivation: Derivation) -> str:
    """Return the derivation as LaTeX text, one paragraph and one display for each step."""
    blocks = [rf"\section*{{{escape_latex(derivation.game.title)}}}"]
    for step in derivation.steps:
        how = escape_latex(_how(step))
        blocks.append(
            rf"\paragraph{{{escape_latex(step.title)}.}} \emph{{({how})}}"
            f"\n\\begin{{equation*}}\n{step.latex}\n\\end{{equation*}}"
        )
    remarks = [escape_latex(line) for line in _remarks(derivation) if line]
    return "\n\n".join([*blocks, *([r"\noindent " + r"\\ ".join(remarks)] if remarks else [])])


def escape_latex(text: str) -> str:
    """Escape the characters that LaTeX gives a meaning outside of formulas."""
    special = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "‖": r"$\|$", "−": "-"}
    special |= {c: "\\" + c for c in "&%$#_{}"}
    return "".join(special.get(c, c) for c in text)


def as_markdown(derivation: Derivation, level: int = 2) -> str:
    """Return the derivation as MyST Markdown with display formulas."""
    blocks = []
    for number, step in enumerate(derivation.steps, 1):
        blocks.append(
            f"{'#' * (level + 1)} {number}. {step.title}\n\n{step.text.replace('*', chr(92) + '*')}"
            f"\n\n$$\n{step.latex}\n$$\n\n*{_how(step)}*"
        )
    remarks = [line for line in _remarks(derivation) if line]
    return "\n\n".join([*blocks, "\n".join(remarks)])


def as_html(derivation: Derivation) -> str:
    """Return the derivation as HTML; notebooks typeset the formulas."""
    rows = "".join(
        f"<li><b>{escape(s.title)}</b> <small>({escape(_how(s))})</small>"
        f"<p>$\\displaystyle {s.latex}$</p></li>"
        for s in derivation.steps
    )
    remarks = "".join(f"<p>{escape(line)}</p>" for line in _remarks(derivation) if line)
    return f"<h3>{escape(derivation.game.title)}</h3><ol>{rows}</ol>{remarks}"


def mathml(expr: sp.Expr) -> str:
    """Return one expression as presentation MathML.

    >>> mathml(sp.Symbol("r"))
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>r</mi></math>'
    """
    body = sp.mathml(expr, printer="presentation")
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{body}</math>'
