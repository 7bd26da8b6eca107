"""What closed forms in r leave undecided, decided with the score as parameter."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp
from flint import ctx

from gantheory.deadline import OutOfTime, Undecided, time_limit
from gantheory.derivations.confirmation import confirm
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.families import of_concave_family
from gantheory.derivations.weighted import of_weighted
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.signs.balls import NoEnclosure
from gantheory.functions import t
from gantheory.implicit.isolation import BITS
from gantheory.implicit.reals import Real
from gantheory.implicit.sections import sections_of, vanishes
from gantheory.implicit.solution import Implicit
from gantheory.losses.loss import Loss
from gantheory.records import How
from gantheory.theory.records import Curvature, Equilibrium, SecondOrder

PARTS = ("loss", "followed", "equilibrium")
# The limits of a saturation, and what they are called where they are undecided.
ENDS = {
    "limit_at_0": "saturation limit_at_0",
    "limit_at_inf": "saturation limit_at_inf",
    "score_limit_at_0": "saturation in the score limit_at_0",
    "score_limit_at_inf": "saturation in the score limit_at_inf",
}


def completed(derivation: Derivation, seconds: float) -> Derivation:
    """Decide in the score what a derivation leaves undecided, where that can be done."""
    if not _is_open(derivation):
        return derivation
    try:
        with time_limit(seconds), ctx.workprec(BITS):
            parameters = Assumptions.of(derivation.definition.parameters)
            if parameters.ranges:
                return _with_parameters(derivation, parameters)
            implicit = Implicit.of(derivation.definition)
            return (
                _whole(derivation, implicit)
                if derivation.optimum is None
                else _filled(derivation, implicit)
            )
    except (Undecided, NoEnclosure) as reason:
        if derivation.optimum is not None:
            return derivation
        both = f"{(derivation.undecided or {})['optimum']}; with the score as parameter: {reason}"
        return replace(derivation, undecided={"optimum": both})


def _with_parameters(derivation: Derivation, parameters: Assumptions) -> Derivation:
    """Decide a loss with free parameters, by one without where these only weigh its payoffs."""
    if derivation.optimum is not None:
        missing = [name for name in PARTS if getattr(derivation, name) is None]
        made = of_weighted(derivation, parameters, _plain) if missing else None
        if made is None or made.no_optimum:
            return derivation
        changes = {name: getattr(made, name) for name in missing}
        decided = {name for name, part in changes.items() if part is not None}
        undecided = {k: v for k, v in (derivation.undecided or {}).items() if k not in decided}
        return confirm(replace(derivation, undecided=undecided, **changes))
    made = of_weighted(derivation, parameters, _plain) or of_concave_family(
        derivation, parameters, _plain
    )
    return confirm(made)


def _plain(loss: Loss) -> Derivation:
    """Return the theory of a loss without parameters, with the score as parameter."""
    return _whole(Derivation(loss, assumptions=()), Implicit.of(loss))


def _is_open(derivation: Derivation) -> bool:
    if derivation.no_optimum:
        return False
    return bool(derivation.undecided) or any(
        one.is_divergence is None for one in derivation.curvatures.values()
    )


def _whole(derivation: Derivation, implicit: Implicit) -> Derivation:
    """Return the theory of a loss whose optimum has no closed form."""
    loss = implicit.loss
    zero_sum = _is_zero_sum(implicit)
    if implicit.path.unbounded:
        return replace(
            derivation, no_optimum=f"no optimum: {implicit.path.unbounded}", undecided=None,
            zero_sum=zero_sum,
        )  # fmt: skip
    level = _real(implicit.attempt("loss", implicit.determined))
    value = _curvature(implicit.attempt("value", implicit.value))
    return confirm(
        replace(
            derivation,
            optimum=implicit.optimum(),
            second_order=SecondOrder(
                True, How.CERTIFIED, "the signs of a', b' and a'b'' - b'a'' along the scores"
            ),
            value=value,
            loss=None
            if level is None
            else _curvature(implicit.attempt("loss", implicit.loss_curvature, level)),
            followed=None
            if level is None
            else _curvature(implicit.attempt("followed", implicit.followed)),
            zero_sum=zero_sum,
            saturation=None if level is None else implicit.saturation(),
            disjoint=implicit.disjoint(level),
            equilibrium=_equilibrium(implicit.attempt("equilibrium", implicit.equilibrium)),
            undecided=implicit.undecided,
            implicit=implicit,
            definition=loss,
        )
    )


def _real(found: object) -> Real | None:
    return found if isinstance(found, Real) else None


def _curvature(found: object) -> Curvature | None:
    return found if isinstance(found, Curvature) else None


def _equilibrium(found: object) -> Equilibrium | None:
    return found if isinstance(found, Equilibrium) else None


def _filled(derivation: Derivation, implicit: Implicit) -> Derivation:
    """Return a closed theory with what only the score decides."""
    if implicit.path.unbounded:
        return derivation
    level = _real(implicit.attempt("loss", implicit.determined))
    undecided = dict(derivation.undecided or {})
    changes: dict[str, object] = {}
    for name, function, arguments in (
        ("followed", implicit.followed, ()),
        ("loss", implicit.loss_curvature, (level,)),
    ):
        now = getattr(derivation, name)
        if (now is not None and now.is_divergence is not None) or level is None:
            continue
        made = _curvature(implicit.attempt(name, function, *arguments))
        if made is None:
            continue
        undecided.pop(name, None)
        changes[name] = made if now is None else replace(
            now, is_divergence=made.is_divergence, counterexample=made.counterexample,
            how=made.how, reason=made.reason, condition=None,
            zero_only_at_equality=made.zero_only_at_equality,
        )  # fmt: skip
    if derivation.saturation is not None and any(key.startswith("saturation") for key in undecided):
        made_saturation = implicit.saturation()
        ends = {
            part: getattr(made_saturation, part)
            for part in ENDS
            if getattr(derivation.saturation, part) is None
            and getattr(made_saturation, part) is not None
        }
        changes["saturation"] = replace(derivation.saturation, **ends)
        for part in ends:
            undecided.pop(ENDS[part], None)
    if derivation.disjoint is not None and any(key.startswith("disjoint") for key in undecided):
        made_disjoint = implicit.disjoint(level)
        parts = {
            part: getattr(made_disjoint, part)
            for part in ("value", "loss", "followed")
            if getattr(derivation.disjoint, part) is None
            and getattr(made_disjoint, part) is not None
        }
        for part in parts:
            undecided.pop(f"disjoint {part}", None)
        changes["disjoint"] = replace(derivation.disjoint, **parts)
    return replace(derivation, undecided=undecided, **changes)  # type: ignore[arg-type]


def _is_zero_sum(implicit: Implicit) -> bool | None:
    """Return whether c − b is one constant on the whole domain."""
    constants = []
    for section in sections_of(implicit.loss):
        rest = section.payoffs.generator - section.payoffs.fake
        try:
            slope = sp.diff(rest, t)
            if slope != 0 and not vanishes(slope, section.lower, section.upper):
                return False
        except OutOfTime:
            raise
        except Undecided:
            return None
        constants.append(
            sp.N(rest.xreplace({t: sp.Float(str(section.middle.str(20, radius=False)))}))
        )
    return all(abs(one - constants[0]) < 1e-12 for one in constants)
