"""The view of a loss: D*, three curvatures with their names, where the gradient vanishes."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp
from flint import arb

from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.assumptions import end as end_of_domain
from gantheory.exact.signs.balls import NoEnclosure, enclose
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF, interval
from gantheory.functions import t
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import payoffs_of
from gantheory.workbench.answers import Refused, chart_numbers, reading
from gantheory.workbench.answers.links import command, python

SECONDS = 8.0
SCORES = [k / 8 for k in range(-48, 49)]
DECADES = [k / 20 for k in range(-60, 61)]  # log10 of the ratio r = p/q
PAYOFFS = ("real", "fake", "generator")
CURVATURES = ("value", "loss", "followed")


def answer(real: str, fake: str, generator: str, domain: str = "(-oo, oo)", link: str = "") -> Any:
    """Return the theory of a loss: its summary, and the numbers of three plots."""
    loss = _read(real, fake, generator, domain, link)
    derivation = derive(loss, SECONDS)
    given = {"real": real, "fake": fake, "generator": generator}
    given |= {} if domain == "(-oo, oo)" else {"domain": domain}
    given |= {"link": link} if link else {}
    return {
        "summary": [[line.label, line.text, line.known] for line in derivation.summary],
        "undecided": list((derivation.undecided or {}).values()),
        "payoffs": {"t": SCORES, **_payoffs(loss)},
        "along": {"r": DECADES, **_along(derivation)},
        "parameters": sorted(loss.parameters),
        "command": command("derive", **given),
        "python": python(
            f"theory = gt.derive({_record(given)})", "theory.summary", "theory.followed"
        ),
    }


def _read(real: str, fake: str, generator: str, domain: str, link: str = "") -> Loss:
    """Return the loss that was typed.

    Raises:
        Refused: naming the field that is wrong.
    """
    texts = dict(zip(PAYOFFS, (real, fake, generator), strict=True))
    for field, text in texts.items():
        if not text.strip():
            raise Refused(field, "write a formula in t, the raw score, or D, its sigmoid")
        with reading(field):
            parse(text, PAYOFF)
    with reading("domain"):
        interval(domain)
    return Loss("yours", real, fake, generator, domain=domain, link=link, title="Your loss")


def _record(given: dict[str, str]) -> str:
    return f"gt.Loss('yours', {', '.join(f'{key}={text!r}' for key, text in given.items())})"


def _payoffs(loss: Loss) -> dict[str, list[float | None]]:
    """Return the three payoffs at the scores of a plot; nothing with free parameters."""
    if loss.parameters:
        return {}
    found = payoffs_of(loss, Assumptions.of(loss.parameters))
    legal = interval(loss.domain)
    ends = [_end(end) for end in (legal.lower, legal.upper)]
    inside = [score if ends[0] <= score <= ends[1] else math.nan for score in SCORES]
    return {
        part: chart_numbers(_at(getattr(found, part), score) for score in inside)
        for part in PAYOFFS
    }


def _end(end: Any) -> float:
    """Return an end of a domain as a float."""
    return float(end_of_domain(end, {}))


def _at(expr: sp.Expr, score: float) -> float:
    if math.isnan(score):
        return score
    try:
        return float(enclose(expr, {t: arb(score)}).mid())
    except (NoEnclosure, ValueError):
        return math.nan


def _along(derivation: Derivation) -> dict[str, list[float | None]]:
    """Return D*, and r²·f'' of the three curvatures, at the ratios of a plot.

    r²·f''(r) is how strongly a sample of Q at that ratio is moved in log r.
    """
    if derivation.optimum is None or set(derivation.definition.parameters):
        return {}
    ratios = [10.0**decade for decade in DECADES]
    rows = derivation.at(*ratios)
    found = {"D": chart_numbers(math.nan if row.D is None else row.D.value for row in rows)}
    for name in CURVATURES:
        read_off = [getattr(row, name) for row in rows]
        if getattr(derivation, name) is not None:
            pairs = zip(ratios, read_off, strict=True)
            found[name] = chart_numbers(
                math.nan if e is None else ratio**2 * e.value for ratio, e in pairs
            )
    return found
