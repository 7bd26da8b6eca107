"""Games from papers and code whose theory is known: by a search over scores in many digits.

The file holds the optimal score and D, the three curvatures at six ratios, whether each is a
divergence, and what is read at P = Q. None of its numbers was computed by the engine.
"""

import json
import math
from pathlib import Path

import pytest
import sympy as sp

from gantheory import Loss, derive
from gantheory.functions import r

KNOWN = json.loads((Path(__file__).parents[1] / "data" / "games.json").read_text())


def number(expr, given, ratio=1):
    """Return an expression's value at a ratio, with the parameters' numbers."""
    values = {s: sp.Rational(given[s.name]) for s in expr.free_symbols if s.name in given}
    return float(expr.xreplace({**values, r: sp.Rational(ratio)}).evalf(30))


def near(value):
    return pytest.approx(float(value), rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module", params=KNOWN, ids=lambda case: case["id"])
def solved(request):
    case = request.param
    parts = (case[part] for part in ("real", "fake", "generator"))
    return case, derive(Loss("known", *parts, domain=case["domain"]))


def test_the_optimum_and_the_curvatures_are_right_at_every_ratio(solved):
    case, found = solved
    shown = {"D(r)": found.optimum.D, "score": found.optimum.score}
    shown |= {name: one.curvature for name, one in found.curvatures.items()}
    for name, values in case["expected"].items():
        if name in ("is_divergence", "at_equality"):
            continue
        for ratio, value in zip(case["r"], values, strict=True):
            assert number(shown[name], case["numbers"], ratio) == near(value)


def test_each_is_a_divergence_or_is_not(solved):
    case, found = solved
    told = {name: one.is_divergence for name, one in found.curvatures.items()}
    for name, holds in case["expected"]["is_divergence"].items():
        assert told[name] is holds, found.curvatures[name].reason


def test_what_is_read_at_equality_is_right(solved):
    case, found = solved
    expected, even = case["expected"]["at_equality"], found.equilibrium
    assert -number(even.discriminator_loss, case["numbers"]) == near(expected["V"])
    if expected["D"] == "any":
        assert all(math.isinf(end) for end in even.D_range)
        return
    assert number(even.D, case["numbers"]) == near(expected["D"])
    assert number(even.generator_loss, case["numbers"]) == near(expected["generator_loss"])
    others = [number(other.D, case["numbers"]) for other in even.others]
    another = expected["another_optimal_score"]
    assert others == ([] if another is None else [near(another)])
