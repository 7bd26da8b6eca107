"""Outcomes of every kind for the tests of the report: real verdicts, hostile text, infinities."""

import math

from gantheory.inequalities.inequality import InequalityVerdict
from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check, Outcome, agree, at_most

HOSTILE = "<script>alert('p & q')</script><img src=http://example.invalid/x.png>"


def outcome(id, verdict, expected, **check):
    return Outcome(Check(id, verdict.statement, lambda: verdict, expected, **check), verdict, 0.25)


def measured(value, error, probability=0.0):
    return Estimate(value, error, error_probability=probability)


OUTCOMES = [
    outcome(
        "proved",
        Verdict("D* = p/(p+q)", How.PROVED, left="r/(1+r)", right="r/(1+r)"),
        How.PROVED,
        latex=r"D^{*} = \frac{p}{p+q}",
        source="Goodfellow et al. (2014)",
    ),
    outcome("certified", Verdict("JSD ≤ TV log 2", How.CERTIFIED), How.CERTIFIED),
    outcome(
        "agrees",
        agree("two routes agree", measured(0.336831, 2e-6), measured(0.336832, 1e-6)),
        How.MEASURED,
        latex=r"\log 2 < \sum_{k=1}^{n} \sqrt{k}",
    ),
    outcome(
        "far.below",
        at_most("V(D) ≤ V(D*)", measured(-2.0, 1e-3, 1e-9), measured(-0.7, 1e-3)),
        How.MEASURED,
        trains=True,
    ),
    outcome(
        "infinite",
        agree("KL is infinite", Estimate.infinite("P leaves Q's support"), measured(math.inf, 0)),
        How.MEASURED,
    ),
    outcome(
        "hostile",
        InequalityVerdict(
            HOSTILE,
            How.MEASURED,
            left=-math.inf,
            right=math.nan,
            error=math.inf,
            assumptions=(HOSTILE,),
            p=(HOSTILE, "1"),
            seconds=1e-300,
        ),
        How.MEASURED,
        latex=rf"\text{{{HOSTILE}}}",
        source=HOSTILE,
    ),
    outcome(
        "agrees.twin",
        agree("two routes agree, doubled", measured(0.67, 1e-6), measured(0.34, 1e-6)),
        How.REFUTED,
        twin_of="agrees",
    ),
    outcome(
        "no.answer",
        agree("unknown tails", Estimate.undetermined("state the tails"), measured(1.0, 0.1)),
        How.UNDECIDED,
    ),
]
WRONG = outcome(
    "wrong", Verdict("1 = 2", How.REFUTED, counterexample="1 is not 2"), How.PROVED, source="nobody"
)
