"""Anybody's implementation against the truth: the first difference, named in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np

from gantheory.audits import Audit, audit
from gantheory.audits.equals import PayoffFormulas, common_factor, match
from gantheory.divergences import RATIO, named
from gantheory.expressions import parse
from gantheory.functions import to_sympy
from gantheory.losses import get_loss
from gantheory.losses.loss import Loss
from gantheory.testing.oracles import evaluate

LOUD = ("no-generator-gradient", "no-discriminator-gradient", "gradient-of-another-function",
        "hidden-state", "branch-on-value", "reduction", "epsilon-in-log", "overflow")  # fmt: skip
LABELLED = ("one-sided-smoothing", "two-sided-smoothing", "least-squares", "class-priors")
MASSES: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...] = (
    ((0.5, 0.3, 0.2), (0.2, 0.5, 0.3)),
    ((0.9, 0.1), (0.25, 0.75)),
    ((0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4)),
    ((0.5, 0.5), (0.5000001, 0.4999999)),
    ((0.999, 0.001), (0.001, 0.999)),
)
OTHERS: dict[str, Callable[[float, int], float]] = {
    "the mean over outcomes instead of their sum": lambda x, size: x * size,
    "its square root": lambda x, size: x * x,
    "its square": lambda x, size: math.sqrt(abs(x)),
}
EDGES = (((0.5, 0.5, 0.0), (0.25, 0.25, 0.5)), ((0.25, 0.25, 0.5), (0.5, 0.5, 0.0)))


def check_losses(
    d_loss: Callable[..., Any],
    g_loss: Callable[..., Any],
    loss: Loss | str,
    *,
    factor: float | None = 1.0,
) -> Audit:
    """Assert that two torch losses are those of a loss, and return their audit.

    Args:
        d_loss: ``(real_scores, fake_scores) -> loss``, which minimises −V.
        g_loss: ``fake_scores -> loss``.
        loss: a catalogue name or your own `Loss`, without free parameters.
        factor: what both are multiplied by; None allows any positive factors.

    Raises:
        AssertionError: naming the first difference: what was not recovered, a sign, exchanged
            arguments, a factor, an epsilon, a reduction, or digits that are lost.
    """
    definition = get_loss(loss) if isinstance(loss, str) else loss
    found = audit(d_loss, g_loss)
    assert found.not_separable is None, (
        f"the losses are {found.not_separable}, not a sum over samples"
    )
    assert found.recovered, f"not recovered: {'; '.join(found.reasons)}"
    assert found.loss is not None
    parts = (found.loss["real"], found.loss["fake"], found.loss["generator"])
    ours = PayoffFormulas(*(to_sympy(part or "0") for part in parts))
    _compare(ours, PayoffFormulas.of(definition), definition, factor, _known(found))
    for finding in found.findings:
        assert finding.kind.value not in LOUD, f"{finding.kind.value}: {finding.message}"
    return found


def _known(found: Audit) -> str:
    """Say what losses are instead, where the catalogue has them: with other labels, say."""
    if found.equals is None:
        return ""
    name = found.equals.loss
    labels = ": its labels differ" if name.startswith(LABELLED) else ""
    return f"; together they are {name}{labels}"


def _compare(
    ours: PayoffFormulas, true: PayoffFormulas, loss: Loss, factor: float | None, known: str = ""
) -> None:
    """Raise with the first difference between two games."""
    d = common_factor([(ours.real, true.real), (ours.fake, true.fake)])
    turned = common_factor([(ours.real, true.fake), (ours.fake, true.real)])
    assert d is not None or turned is None or turned < 0, (
        f"the discriminator's loss is that of {loss.name!r} with real and fake exchanged"
    )
    assert d is not None, (
        f"the discriminator's payoffs are {ours.real} on real and {ours.fake} on fake scores; "
        f"those of {loss.name!r} are {loss.real} and {loss.fake}{_guard(ours, true) or known}"
    )
    assert d > 0, f"the discriminator's loss is that of {loss.name!r} with the wrong sign"
    assert ours.generator is not None
    g = common_factor([(ours.generator, true.generator)])
    label = common_factor([(ours.generator, -ours.fake)])
    assert g is not None or label is None or label < 0, (
        "the generator's loss is the discriminator's own on fake scores: its label is exchanged"
    )
    assert g is not None, (
        f"the generator's loss is {ours.generator}; that of {loss.name!r} is "
        f"{loss.generator}{_guard(ours, true) or known}"
    )
    assert g > 0, f"the generator's loss is that of {loss.name!r} with the wrong sign"
    for who, k in (("discriminator", d), ("generator", g)):
        assert factor is None or math.isclose(k, factor, rel_tol=1e-6), (
            f"the {who}'s loss is {k:.6g} times that of {loss.name!r}, not {factor:g} times: "
            f"factor={k:.6g} would make it pass, if both have it"
        )


def _guard(ours: PayoffFormulas, true: PayoffFormulas) -> str:
    """Say where two games agree up to an epsilon inside a logarithm."""
    scores = np.linspace(-3.0, 3.0, 25)
    near = match(ours, true, scores, 3e-3) is not None
    return "; they agree up to an epsilon or a clamp" if near else ""


def check_gradient_penalty(
    penalty: Callable[..., Any],
    *,
    target: float | None = None,
    weight: float | None = None,
    at: str | None = None,
    call: Mapping[str, Any] | None = None,
) -> Audit:
    """Assert that a gradient penalty penalises the slope of each sample's score.

    Args:
        penalty: such as ``(D, real, fake) -> penalty`` or ``(real_pred, real_img) -> penalty``;
            its name should say that it is a penalty.
        target: the slope that costs nothing, 1 for WGAN-GP and 0 for R1; by default any.
        weight: γ of γ/2·E‖∇D‖² for the target 0, else λ of λ·E(‖∇D‖ − target)²; by default any.
        at: where it is taken: ``"real"``, ``"fake"`` or ``"between"``; by default anywhere.
        call: further arguments by name.

    Raises:
        AssertionError: naming the fault: a sign, constant, of the whole batch, through the loss,
            detached, of another norm, or of another target or weight.
    """
    found = audit(penalty, call=call, style="penalty")
    for finding in found.findings:
        raise AssertionError(f"{finding.kind.value}: {finding.message}; {finding.remedy}")
    assert found.penalty is not None
    for name, wanted in (("target", target), ("weight", weight)):
        seen = found.penalty[name]
        values = found.details["penalty"]["values"]
        assert wanted is None or seen is not None, (
            "no weight*(slope - target)^2 is the penalty: at slopes "
            f"{', '.join(f'{k:g} it is {v:.6g}' for k, v in values.items())}"
        )
        assert wanted is None or math.isclose(seen, wanted, abs_tol=1e-6), (
            f"the penalty's {name} is {seen}, not {wanted}{_times(seen, wanted)}"
        )
    place = found.details["penalty"].get("at", "")
    assert at is None or place.startswith(at), (
        f"the penalty is taken {place}, not {at}" + (": its arguments are exchanged"
        if {place, at} == {"real", "fake"} else "")
    )  # fmt: skip
    return found


def _times(seen: float, wanted: float) -> str:
    """Say which factor explains a number."""
    return f": a factor {seen / wanted:.6g}" if seen and wanted else ""


def check_divergence(
    function: Callable[[np.ndarray, np.ndarray], float],
    divergence: str,
    *,
    tolerance: float = 1e-8,
    edges: bool = True,
) -> None:
    """Assert that a function of two probability vectors is a named divergence, in nats.

    Args:
        function: ``(p, q) -> value``, of numpy arrays that sum to 1.
        divergence: such as ``"jsd"`` or ``"kl_pq"``.
        tolerance: relative to the larger of the truth and 1e-8.
        edges: whether outcomes without mass are tried, too.

    Raises:
        AssertionError: naming the difference: exchanged arguments, a factor, the logarithm's
            base, a value at equality, or masses that are 0.
    """
    entry = named(divergence)
    cases = [*MASSES, *(EDGES if edges else ())]
    truths = [_truth(entry.f, p, q) for p, q in cases]
    seen = [float(function(np.array(p), np.array(q))) for p, q in cases]
    same = float(function(np.array(MASSES[0][0]), np.array(MASSES[0][0])))
    assert abs(same) <= 1e-12, f"{divergence} of equal laws is {same!r}, not 0"
    for (p, q), found, true in zip(cases, seen, truths, strict=True):
        agrees = found == true or abs(found - true) <= tolerance * max(abs(true), 1e-8)
        assert agrees, (
            f"{divergence} of p = {p}, q = {q} is {found!r}; it is {true!r}"
            f"{_hint(entry.f, cases, seen, truths)}"
        )


def _truth(f: str, p: Sequence[float], q: Sequence[float]) -> float:
    """Return Σ q·f(p/q) in many digits, with f(0) and f'(∞) where masses are 0."""
    tree = parse(f, RATIO)

    def at(r: Any) -> Any:
        return evaluate(tree, {"r": r})

    with mpmath.workdps(120):
        total = mpmath.mpf(0)
        for a, b in zip(map(mpmath.mpf, p), map(mpmath.mpf, q), strict=True):
            if a > 0 and b > 0:
                total += b * at(a / b)
            elif b > 0:
                total += b * _limit(lambda n: at(mpmath.mpf(10) ** -n))
            elif a > 0:
                total += a * _limit(lambda n: at(mpmath.mpf(10) ** n) / mpmath.mpf(10) ** n)
        return float(total)


def _limit(at: Callable[[int], Any]) -> Any:
    """Return the limit that two far values agree on, or infinity."""
    near, far = at(40), at(80)
    return far if abs(far - near) < mpmath.mpf(10) ** -15 * (1 + abs(far)) else mpmath.inf


def _hint(f: str, cases: Sequence[Any], seen: Sequence[float], truths: Sequence[float]) -> str:
    """Say what would explain all values inside the simplex."""
    inner = range(len(MASSES))
    for name, turned in OTHERS.items():
        pairs = [(turned(seen[k], len(cases[k][0])), truths[k]) for k in inner if k != 3]
        if all(math.isclose(a, b, rel_tol=1e-6) for a, b in pairs):
            return f": it is {name}"
    exchanged = [_truth(f, q, p) for p, q in cases]
    lopsided = any(not math.isclose(exchanged[k], truths[k], rel_tol=1e-9) for k in inner)
    if lopsided and all(
        math.isclose(seen[k], exchanged[k], rel_tol=1e-6, abs_tol=1e-12) for k in inner
    ):
        return ": the arguments are exchanged"
    ratios = [seen[k] / truths[k] for k in inner if k != 3 and truths[k]]
    if ratios and max(ratios) - min(ratios) <= 1e-6 * abs(ratios[0]) and abs(ratios[0] - 1) > 1e-6:
        names = {1 / math.log(2): ", the logarithm's base being 2", -1.0: ", a sign"}
        why = next((said for k, said in names.items() if math.isclose(ratios[0], k)), "")
        return f": it is {ratios[0]:.6g} times the truth{why}"
    edges = range(len(MASSES), len(cases))
    if any(math.isinf(truths[k]) and math.isfinite(seen[k]) for k in edges):
        return ": it is finite where the truth is not, as with an epsilon inside"
    if all(math.isclose(seen[k], truths[k], rel_tol=1e-6) for k in inner if k != 3):
        if seen[3] != truths[3] and not math.isclose(seen[3], truths[3], rel_tol=1e-6):
            return ": digits are lost between nearly equal laws"
        return ": masses of 0 are not allowed for"
    return ""
