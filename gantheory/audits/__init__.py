"""From somebody's torch code to its theory and its faults.

`audit` runs the code, recovers the payoffs, and says what they are, what they do, and what is
wrong. Torch is loaded when an audit starts, and by nothing else here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from gantheory.audits.record import Audit, Finding, Kind, Severity
from gantheory.audits.target import AuditTarget
from gantheory.deadline import check_seconds
from gantheory.errors import GantheoryError, require

if TYPE_CHECKING:
    from gantheory.audits.plan import Plan

__all__ = ["Audit", "Finding", "Kind", "Severity", "audit", "audit_target"]

Style = Literal["pair", "target_is_real", "labels", "penalty"]


def audit(
    *losses: Any,
    style: Style | None = None,
    call: Mapping[str, Any] | None = None,
    claims: str | None = None,
    name: str | None = None,
    witness: bool = False,
    samples_frozen: bool = False,
) -> Audit:
    """Audit torch losses: what they are, what they do, and what is wrong with them.

    Args:
        losses: the discriminator's loss ``(real, fake) -> loss`` and the generator's
            ``fake -> loss``, in this order; or one criterion that serves both
            players: a module, a function, or an object whose methods are the two losses.
        style: how a criterion is called: ``"target_is_real"`` for ``(scores, bool)``,
            ``"labels"`` for ``(scores, labels)``, ``"penalty"`` for a gradient penalty; by
            default as its signature and name say.
        call: further arguments by name.
        claims: the loss that it is said to be; by default as the names say.
        name: how to call it in the answer.
        witness: whether to ask torch's ``make_fx`` as a second witness of the formula, in value
            and gradient; loading it takes two seconds more.
        samples_frozen: whether the samples are detached: an estimator of log probabilities of a
            trained and a reference model, a preference loss, or a reward of a score.

    Raises:
        GantheoryError: for an object that cannot be called as a loss.

    >>> import torch.nn.functional as F
    >>> def d_loss(real, fake): return F.softplus(-real).mean() + F.softplus(fake).mean()
    >>> def g_loss(fake): return F.softplus(-fake).mean()
    >>> audit(d_loss, g_loss).equals.loss
    'non-saturating'
    """
    require("an audit of torch code", "torch", "torch")
    from gantheory.audits.judge import judge
    from gantheory.audits.recover import recover

    if not 1 <= len(losses) <= 2 or (len(losses) == 2 and not all(map(callable, losses))):
        raise GantheoryError("audit takes a criterion, or the discriminator's and the generator's "
                             "loss: gantheory.audit(d_loss, g_loss)")  # fmt: skip
    options = dict(call or {})
    if samples_frozen:
        return _frozen(losses, options, name)
    called = name or " and ".join(_name_of(loss, "loss") for loss in losses)
    found = replace(
        recover(_plan(losses, style, options), called, witness),
        origin=_origin(losses),
        said=tuple(_name_of(loss, "") for loss in losses),
        options=options,
    )
    return judge(found, claims)


def _frozen(losses: tuple[Any, ...], options: dict[str, Any], name: str | None) -> Audit:
    """Return the audit of a loss with frozen samples."""
    from gantheory.audits.frozen import recover_frozen
    from gantheory.audits.judge import judge
    from gantheory.audits.recovered import Recovered
    from gantheory.audits.roles import roles_of

    if len(losses) != 1 or not callable(losses[0]):
        raise GantheoryError("a loss with frozen samples is one function, such as k3(log_q, log_p)")
    called = name or _name_of(losses[0], "loss")
    facts = recover_frozen(roles_of(losses[0], _name_of(losses[0], called), options))
    return judge(Recovered(called, {}, "(-oo, oo)", False, "samples frozen", _origin(losses),
                           frozen=facts))  # fmt: skip


def audit_target(
    target: AuditTarget,
    *,
    claims: str | None = None,
    seconds: float = 60.0,
    megabytes: int = 4096,
) -> Audit:
    """Audit a loss in a module, which runs in a process of its own.

    Raises:
        GantheoryError: where the module fails, hangs, crashes or has no such loss.
    """
    require("an audit of torch code", "torch", "torch")
    check_seconds(seconds)
    if not 256 <= megabytes <= 1_000_000:
        raise GantheoryError(f"megabytes={megabytes} must be between 256 and 1000000")
    from gantheory.audits.sandbox import recover_apart

    if claims is not None:
        from gantheory.audits.judge import claim_of

        claim_of(claims, ())
    found = recover_apart(target, seconds, megabytes)
    from gantheory.audits.judge import judge  # loaded while the other process ran

    return judge(found, claims)


def _plan(losses: tuple[Any, ...], style: Style | None, options: dict[str, Any]) -> Plan:
    """Return how the losses are called: two of them in order, or one criterion by its style."""
    from gantheory.audits.calls import one_player
    from gantheory.audits.loading import plan_or_penalty
    from gantheory.audits.plan import Plan

    if len(losses) == 1:
        return plan_or_penalty(losses[0], style, options, _name_of(losses[0], "criterion"))
    players = ("discriminator", "generator")
    calls = tuple(
        one_player(loss, player, options, _name_of(loss, f"{player[0]}_loss"), ordered=True)
        for loss, player in zip(losses, players, strict=True)
    )
    return Plan(calls, "pair", options=options)


def _name_of(loss: Any, otherwise: str) -> str:
    found = getattr(loss, "__name__", None) or type(loss).__name__
    return found if str(found).isidentifier() else otherwise


def _origin(losses: tuple[Any, ...]) -> str:
    """Return the import of what was given, where it has one."""
    lines = []
    for loss in losses:
        name = getattr(loss, "__qualname__", "")
        module = getattr(loss, "__module__", "")
        if inspect.isfunction(loss) and name.isidentifier() and module != "__main__":
            lines.append(f"from {module} import {name}")
        else:
            lines.append(f"# {_name_of(loss, 'loss')}: the one you gave")
    return "\n".join(lines)
