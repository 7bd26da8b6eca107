"""A loss that somebody has as torch code, such as ``nn.BCEWithLogitsLoss()``, as formulas.

The code is run and followed as an audit follows it; what is trained and measured are the formulas
that it computes, compared with it in value and in gradient. A criterion ``(scores, labels)`` is
called with the labels 1 for real and 0 for fake samples (1 and -1 where it asks for signs), and the
generator plays it with the labels of real ones: `Coded.written` says so. Code of which no formula
is found, or whose gradient is another than its value's, is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantheory.audits.calls import Call, one_player
from gantheory.audits.criteria import style_of
from gantheory.audits.plan import Plan, plan_of
from gantheory.audits.recover import recover
from gantheory.audits.recovered import Player, Recovered
from gantheory.audits.signatures import parameters
from gantheory.errors import GantheoryError
from gantheory.functions import sigmoid, softplus, to_sympy
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from simulations.forwards import last_operation, output_of

PLAYERS = "discriminator", "generator"
FORMS = "a column (N, 1)", "a vector (N,)", "a map (N, 1, 1, 1)"  # one score of each sample
GIVE = (
    "give a name such as 'non-saturating', a gantheory.Loss, a criterion such as "
    "nn.BCEWithLogitsLoss(), or two functions (d_loss(real, fake), g_loss(fake))"
)
MOST = 100.0  # logit of a probability that is 0 or 1, as torch's BCELoss bounds its logarithm
LEAST = 1e-12  # of D(1 - D) in a slope, as torch's BCELoss divides


@dataclass(frozen=True)
class Coded:
    """A loss in torch code, as formulas in t.

    Attributes:
        loss: the formulas; its domain is that of the scores which the code takes.
        probabilities: whether the code takes probabilities; t is their logit then.
        summed: whether it sums over a minibatch where the formulas are means.
    """

    loss: Loss
    probabilities: bool = False
    summed: bool = False

    @property
    def written(self) -> str:
        """Return how either player calls the code, and so which labels it is given."""
        return self.loss.title


Code = Coded | Callable[..., Any] | Sequence[Callable[..., Any]]
FOREIGN = ("builtins", "numpy", "torch")  # where objects are from that have no losses as methods


def as_coded(loss: Loss | Critic | str | Code) -> Coded | None:
    """Return what torch code computes, or None for a loss that is no code.

    Raises:
        GantheoryError: for what is no loss, and for code without formulas, saying why.

    >>> found = as_coded(nn.BCEWithLogitsLoss())
    >>> found.loss.real, found.loss.generator
    ('-softplus(-t)', 'softplus(-t)')
    """
    if isinstance(loss, Coded):
        return loss
    if loss is None or isinstance(loss, str | Loss | Critic):
        return None
    given = tuple(loss) if isinstance(loss, tuple | list) else (loss,)
    if not 1 <= len(given) <= 2 or not all(callable(one) or _has_losses(one) for one in given):
        raise GantheoryError(f"an object of type {type(loss).__name__!r} is no loss; {GIVE}")
    if classes := [one.__name__ for one in given if isinstance(one, type)]:
        raise GantheoryError(f"{classes[0]} is a class, not a loss; give one, as {classes[0]}()")
    plan = _planned([_copied(one) for one in given])
    name = " and ".join(dict.fromkeys(_name_of(one) for one in given))
    return _coded(recover(plan, name), name)


def _has_losses(one: object) -> bool:
    return type(one).__module__ not in FOREIGN


def _copied(one: Any) -> Any:
    """Return a copy, where there can be one: code that keeps state does not see that it ran."""
    try:
        return copy.deepcopy(one)
    except Exception:  # a user's own __deepcopy__, locks, handles
        return one


def _name_of(one: Any) -> str:
    found = str(getattr(one, "__name__", None) or type(one).__name__)
    return found if found.isidentifier() else "loss"


def _planned(given: Sequence[Any]) -> Plan:
    """Return how the code is called: by both players alike, or each player's own."""
    if len(given) == 1:
        return plan_of(given[0], None, {}, _name_of(given[0]))
    calls = [_call_of(one, player) for one, player in zip(given, PLAYERS, strict=True)]
    return Plan(tuple(calls), "pair")


def _call_of(one: Any, player: str) -> Call:
    name = _name_of(one)
    if style_of(parameters(one), {}) == "pair":
        return one_player(one, player, {}, name, ordered=True)
    found = plan_of(one, None, {}, name).of(player)
    if found is None:
        raise GantheoryError(f"{name} is no loss of the {player}; {GIVE}")
    return found


def _coded(found: Recovered, name: str) -> Coded:
    """Return what was recovered as a loss, or raise saying what is in the way."""
    for player in PLAYERS:
        if player not in found.players:
            raise GantheoryError(f"{name} gives no {player}'s loss; {GIVE}")
    d, g = (found.players[player] for player in PLAYERS)
    for one in (d, g):
        if why := _obstacle(one):
            raise GantheoryError(f"{one.written} cannot be taken for a loss here: {why}")
    logistic = any(to_sympy(x or "0").has(softplus, sigmoid) for x in (d.real, d.fake))
    loss = Loss(
        name,
        str(-to_sympy(d.real or "0")),
        str(-to_sympy(d.fake or "0") - to_sympy(d.constant)),
        str(to_sympy(g.fake or "0") + to_sympy(g.constant)),
        domain=found.domain,
        link="sigmoid(t)" if logistic else "t",
        title=f"D minimises {d.written}, G minimises {g.written}",
    )
    return Coded(loss, found.probabilities, any(one.sums for one in (d, g)))


def _obstacle(one: Player) -> str | None:
    """Return why one player's code is no loss that is a mean over samples; None where it is."""
    if one.missing:
        return one.missing
    if one.coupled:
        return (
            f"it compares samples with one another ({one.coupled}); 'relativistic' and "
            "'relativistic-average' are such losses by name"
        )
    if one.hidden_state:
        return "the same scores give another value later: it keeps state"
    if one.form not in FORMS or one.heads:
        return f"it takes {one.form}, not one tensor of scores"
    if one.no_gradient or one.partial_gradient or one.gradient_factor != 1.0:
        return "its gradient is not that of its value"
    if one.player == "generator" and to_sympy(one.real or "0") != 0:
        return "the generator's loss has a part in real scores, which no generator moves"
    return None


# --- probabilities -------------------------------------------------------------------------------


class _Logit(torch.autograd.Function):
    """log(p/(1 - p)), bounded, with a slope as torch's BCELoss has it at 0 and 1."""

    generate_vmap_rule = True

    @staticmethod
    def forward(p: Tensor) -> Tensor:
        return (p.log() - torch.log1p(-p)).clamp(-MOST, MOST)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        return slope / (p * (1 - p)).clamp_min(LEAST)


class Logits(nn.Module):
    """A discriminator that returns probabilities, its scores their logits."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Any:
        """Return log(D/(1 - D)); nan where D is no probability."""
        made = self.inner(x)
        return _Logit.apply(made) if isinstance(made, Tensor) else made


def without_sigmoid(discriminator: nn.Module, x: Tensor) -> nn.Module:
    """Return the raw scores' network of a discriminator that ends in a sigmoid.

    Its parameters are the discriminator's own. The last layer of an `nn.Sequential` is left out;
    of any other module the logit is taken.

    Raises:
        GantheoryError: where it does not end in a sigmoid.
    """
    scores = output_of("discriminator", discriminator, x)
    if last_operation(scores) != "Sigmoid":
        raise GantheoryError(
            "the loss takes probabilities, and the discriminator does not end in a sigmoid; let it "
            "end in nn.Sigmoid(), or give the loss of raw scores, such as nn.BCEWithLogitsLoss()"
        )
    layers = list(discriminator) if type(discriminator) is nn.Sequential else []
    if (
        len(layers) > 1
        and type(layers[-1]) is nn.Sigmoid
        and not _hooked(discriminator, layers[-1])
    ):
        return nn.Sequential(*layers[:-1])
    return Logits(discriminator)


def with_sigmoid(scores: nn.Module) -> nn.Module:
    """Return the discriminator of which `without_sigmoid` gave the scores."""
    if isinstance(scores, Logits):
        return scores.inner
    assert isinstance(scores, nn.Sequential)
    return nn.Sequential(*scores, nn.Sigmoid())


def _hooked(*parts: nn.Module) -> bool:
    return any(
        "forward" in vars(part) or part._forward_hooks or part._forward_pre_hooks for part in parts
    )
