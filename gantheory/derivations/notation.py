"""What every letter of a derivation stands for: a legend of those that its formulas use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sympy as sp

from gantheory.derivations.typeset import typeset
from gantheory.divergences.symbols import in_prose


class Letter(NamedTuple):
    """An entry of a legend: letters as text and in LaTeX, and what they stand for."""

    text: str
    latex: str
    meaning: str


GENERAL = (
    Letter("P, Q; p, q", "P, Q; p, q", "laws of real samples and of fakes; their densities"),
    Letter("x", "x", "a sample"),
    Letter("E", r"\mathbb{E}", "the mean over all that is random in it"),
    Letter("E_p, E_q", r"\mathbb{E}_p, \mathbb{E}_q", "means over real samples and over fakes"),
    Letter("r", "r", "p/q, the ratio of the densities"),
    Letter("t", "t", "the raw score, what D's network puts out; t* is the best one"),
    Letter("G", "G", "the generator"),
    Letter("V", "V", "what D maximises"),
    Letter("a(t), b(t)", "a(t), b(t)", "what a score pays D on a real sample and on a fake"),
    Letter("c(t)", "c(t)", "G's loss on a fake"),
    Letter("F(r)", "F(r)", "r·a(t*) + b(t*): V at the best D is its mean over fakes"),
    Letter("h(r)", "h(r)", "c(t*), G's loss on a fake at which the ratio is r"),
    Letter("D_g, g", "D_g, g", "the divergence E_q[g(r)] whose gradient G gets, with D held"),
    Letter("D_f, f", "D_f, f", "the f-divergence E_q[f(r)], f convex, f(1) = 0"),
    Letter("M", "M", "the even mixture (P + Q)/2"),
    Letter("KL(P‖Q)", r"\mathrm{KL}(P\|Q)", "the Kullback-Leibler divergence, E_p[log(p/q)]"),
    Letter(
        "JSD(P, Q)", r"\mathrm{JSD}(P,Q)", "the Jensen-Shannon divergence, KL(P‖M)/2 + KL(Q‖M)/2"
    ),
    Letter("TV(P, Q)", r"\mathrm{TV}(P,Q)", "the total variation, half the integral of |p - q|"),
    Letter("χ²(P‖Q)", r"\chi^2(P\|Q)", "Pearson's divergence, E_q[(r - 1)^2]; χ²(Q‖P): Neyman's"),
    Letter("H²(P, Q)", "H^2(P,Q)", "the squared Hellinger distance, 1 - E_q[sqrt(r)]"),
    Letter("Δ(P, Q)", r"\Delta(P,Q)", "the triangular divergence, E_q[(r - 1)^2/(r + 1)]"),
    Letter("J(P, Q)", "J(P,Q)", "Jeffreys's divergence, KL(P‖Q) + KL(Q‖P)"),
    Letter("delta", r"\delta", "a point mass at 0"),
    Letter("exp(1)", "e", "2.718..., Euler's number"),
    Letter("log", r"\log", "the natural logarithm"),
    Letter("relu(u)", r"\operatorname{relu}(u)", "max(u, 0)"),
    Letter("softplus(u)", r"\operatorname{softplus}(u)", "log(1 + exp(u))"),
    Letter("fermi_dirac(k, u)", r"\mathrm{Fermi}", "the k-th antiderivative of softplus"),
    Letter(
        "logistic_normal(k, u, s)",
        r"\mathrm{LN}",
        "E[softplus(u + s*Z)] for a standard normal Z, differentiated k times in u",
    ),
    Letter(
        "logistic_exponential(k, u, p, q)",
        r"\mathrm{LE}",
        "E[softplus(u + p*X/q)] for X exponential of the scale 1, differentiated k times in u",
    ),
    Letter(
        "logistic_logistic(k, u, p, q)",
        r"\mathrm{LL}",
        "E[softplus(u + p*X/q)] for X logistic of the scale 1, differentiated k times in u",
    ),
    Letter("sign", r"\operatorname{sign}", "1 above 0, -1 below"),
)

_WORDS = re.compile(r"\\text\{(?:[^{}]|\{[^{}]*\})*\}|\\(?:begin|end)\{\w+\}|\\\\")
_DERIVATIVE = re.compile(r"\\frac\{d(?:\^\{?\d\}?)?\}\{d ?")
_DIFFERENTIAL = re.compile(r"\\[,!]d(?=[a-z]\b)|(?<![a-zA-Z\\])d(?=[a-z]\b)")
_ARGUMENTS = re.compile(r"\([^()]*\)")
_TOKEN = re.compile(
    r"(?:\\(mathrm|operatorname|mathbb|mathcal)\{(\w+)\}|\\([A-Za-z]+)|([A-Za-z]))"
    r"(?:_(?:\{(\w+)\}|(\w)))?"
)
# macros that set letters and stand for nothing themselves
MARKS = re.compile(
    "frac|tfrac|int|sum|sup|inf|min|max|to|iff|left|right|bigl|bigr|big|Big|quad|qquad|infty|neq|"
    "ne|le|ge|lim|partial|nabla|sqrt|cdot|sim|propto|mapsto|otimes|Rightarrow"
)


def letters_in(latex: str) -> Iterator[str]:
    r"""Yield the letters of a formula with their index, words and differentials left out.

    >>> sorted(letters_in(r"\frac{d}{dz} a(t) = \mathrm{KL}(P\|M) + \int \mu_p\,dx"))
    ['KL', 'M', 'P', 'a', 'mu_p', 't', 'x', 'z']
    """
    plain = _DIFFERENTIAL.sub(" ", _DERIVATIVE.sub(" ", _WORDS.sub(" ", latex)))
    for found in _TOKEN.finditer(plain):
        style, word, macro, letter, *index = found.groups()
        below = index[0] or index[1] or ""
        if macro and MARKS.fullmatch(macro):
            yield from below if below.isalpha() else ()
            continue
        name = f"script {word}" if style == "mathcal" else word or macro or letter
        yield f"{name}_{below}" if below and not below.isdigit() else name


def legend(
    formulas: Iterable[str], own: Iterable[Letter] = (), definition: Any = None
) -> tuple[Letter, ...]:
    """Return what the letters of formulas stand for, each said once.

    Args:
        formulas: in LaTeX.
        own: entries that go before those of all derivations.
        definition: the loss, for its link, its parameters and the laws of its random names.
    """
    used = {letter for formula in formulas for letter in letters_in(formula)}
    left, rows = set(used), []
    for entry in (*_discriminator(definition), *own, *GENERAL):
        said = set(letters_in(_ARGUMENTS.sub("", entry.latex)))
        if said & left:
            rows.append(entry)
            left -= said
    declared = (one for one in _declared(definition) if set(letters_in(one.latex)) & used)
    return (*rows, *declared)


def _discriminator(definition: Any) -> Iterator[Letter]:
    link = getattr(definition, "link", None)
    if link:
        yield Letter("D", "D", f"what D puts out, {link}; D* is the best one")


def _declared(definition: Any) -> Iterator[Letter]:
    """Yield the parameters of a loss with their ranges, and random names with their laws."""
    given: Mapping[str, str] = getattr(definition, "parameters", None) or {}
    for name, values in given.items():
        yield Letter(name, typeset(sp.Symbol(name)), f"a parameter, in {in_prose(values)}")
    typed = getattr(definition, "typed", None) or definition
    for name, law in (getattr(typed, "laws", None) or {}).items():
        yield Letter(name, typeset(sp.Symbol(name)), f"random, its law {law}")
