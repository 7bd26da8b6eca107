"""Rewards of imitation learning: what a policy follows, and of which sign its reward is.

A reward R is a function of the optimal discriminator of the original GAN, D = p/(p + q) with p
the expert: the policy maximises E_q[R], a game with the generator's loss −R. A reward that is
never negative pays for staying alive, one that is never positive pays for ending the episode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from gantheory.deadline import DEFAULT_SECONDS, Undecided, time_limit
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.errors import require_type
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.functions import r, sigmoid, softplus, t, to_sympy
from gantheory.losses.loss import Loss
from gantheory.records import How
from gantheory.theory.records import Curvature, text

REWARDS = {
    "gail": "-log(1 - D)",
    "negative-gail": "log(D)",
    "airl": "log(D) - log(1 - D)",
    "fairl": "exp(log(D) - log(1 - D))*(log(1 - D) - log(D))",
}
SAYS = {
    "positive": "never negative: every step pays, so a long episode pays whatever it does",
    "negative": "never positive: every step costs, so an early end pays whatever comes before",
    "both": "of both signs: neither survival nor an early end pays by itself",
}


@dataclass(frozen=True, repr=False)
class RewardDerivation(Exposition):
    """The theory of one reward.

    Attributes:
        derivation: of the game with the generator's loss −R.
        reward: R as written.
        range: its infimum and supremum over all scores; None where not found.
        sign: ``"positive"``, ``"negative"``, ``"both"``, or None where undecided.
        steps: of the game, and of the sign.
    """

    LETTERS: ClassVar = (
        Letter("R", "R", "the reward"), Letter("z", "z", "the score in another form, exp(t)"),
    )  # fmt: skip
    derivation: Derivation
    reward: str
    range: tuple[sp.Expr, sp.Expr] | None
    sign: str | None
    steps: tuple[Step, ...]

    @property
    def definition(self) -> Loss:
        """The game that the reward belongs to."""
        return self.derivation.definition

    @property
    def value(self) -> Curvature | None:
        """The divergence that the discriminator reports."""
        return self.derivation.value

    @property
    def followed(self) -> Curvature | None:
        """The divergence that the policy follows."""
        return self.derivation.followed

    @property
    def title(self) -> str:
        """The reward."""
        return f"Reward {self.reward}"

    @property
    def no_optimum(self) -> str | None:
        """Why the discriminator has no optimum."""
        return self.derivation.no_optimum

    @property
    def undecided(self) -> dict[str, str]:
        """What is missing -> why."""
        return self.derivation.undecided or {}

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What is assumed."""
        return self.derivation.assumptions

    @property
    def summary(self) -> tuple[Line, ...]:
        """What D reports, what the policy follows, and the sign of the reward."""
        game = {line.label: line for line in self.derivation.summary}
        shown = [game[label] for label in ("D reports", "G follows") if label in game]
        sign = Line("reward", SAYS.get(self.sign or "", "of a sign that is not decided"),
                    self.steps[-1].known)  # fmt: skip
        return (*(shown or self.derivation.summary), sign)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is undecided, and the assumptions, line by line."""
        return self.derivation.remarks

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys of the game, and the reward's."""
        ends = self.range and [text(end) for end in self.range]
        return {
            **self.derivation.as_dict(), "reward": self.reward, "range": ends, "sign": self.sign,
        }  # fmt: skip


def derive_reward(reward: str, *, seconds: float = DEFAULT_SECONDS) -> RewardDerivation:
    """Derive what a policy follows that is paid a function of the discriminator.

    Args:
        reward: a formula in ``D`` or ``t``, or one of ``gail``, ``negative-gail``, ``airl``,
            ``fairl``.
        seconds: the time limit.

    >>> found = derive_reward("airl")
    >>> found.followed.divergence, found.sign
    ('kl_qp', 'both')
    """
    require_type("reward", reward, str, "a name such as 'gail', or a formula in D or t")
    formula = REWARDS.get(reward.strip().lower(), reward)
    game = Loss("reward", "log(D)", "log(1 - D)", f"-({formula})", title=f"Reward {formula}")
    found = derive(game, seconds)
    try:
        with time_limit(seconds):
            ends, sign, how = _range(formula, Assumptions.of(game.parameters))
    except Undecided:
        ends, sign, how = None, None, How.UNDECIDED
    steps = (*found.steps, _step(sign, ends, how))
    return RewardDerivation(found, formula, ends, sign, steps)


Ends = tuple[sp.Expr, sp.Expr]
PLACES = tuple(map(sp.Rational, ("1/50", "1/5", "2/3", "3/2", "5", "50")))


def _range(formula: str, parameters: Assumptions) -> tuple[Ends | None, str | None, How]:
    """Return the range of a reward over all scores, and its sign; the score is log r."""
    reward = to_sympy(formula, parameters.symbols).xreplace({t: sp.log(r)})
    reward = reward.replace(softplus, lambda x: sp.log(1 + sp.exp(x)))
    reward = reward.replace(sigmoid, lambda x: 1 / (1 + sp.exp(-x)))
    cell = (sp.S.Zero, sp.oo)
    rising = parameters.sign(sp.diff(reward, r), {r: cell})
    if rising in (1, -1):
        ends = limit(reward, r, cell[0], 1, parameters), limit(reward, r, cell[1], -1, parameters)
        low, high = ends if rising == 1 else ends[::-1]
        signs = [1 if end == sp.oo else -1 if end == -sp.oo else parameters.sign(end)
                 for end in (low, high)]  # fmt: skip
        found = {(0, 1): "positive", (1, 1): "positive", (-1, 0): "negative",
                 (-1, -1): "negative", (-1, 1): "both"}.get((signs[0], signs[1]))  # type: ignore[arg-type]  # fmt: skip
        return (low, high), found, How.PROVED if found else How.UNDECIDED
    whole = parameters.sign(reward, {r: cell})
    if whole in (1, -1):
        return None, "positive" if whole == 1 else "negative", How.PROVED
    if reward.free_symbols <= {r}:
        values = [sp.N(reward.xreplace({r: place}), 15) for place in PLACES]
        if all(value.is_real for value in values) and min(values) < 0 < max(values):
            return None, "both", How.PROVED
    return None, None, How.UNDECIDED


def _step(sign: str | None, ends: tuple[sp.Expr, sp.Expr] | None, how: How) -> Step:
    where = "" if ends is None else f"it lies between {text(ends[0])} and {text(ends[1])}: "
    shown = "" if ends is None else rf"{typeset(ends[0])} < R < {typeset(ends[1])}"
    said = SAYS.get(sign or "", "of a sign that is not decided")
    return Step(
        "The sign of the reward", f"Over all scores {where}{said}.", shown or r"\text{sign of }R",
        how, "monotone in the score" if ends else "values at single scores",
    )  # fmt: skip
