"""Rewards of imitation learning: what a policy follows, and of which sign its reward is.

A reward R is a function of the optimal discriminator of the original GAN, D = p/(p + q) with p
the expert: the policy maximises E_q[R], a game with the generator's loss −R. A reward that is
never negative pays for staying alive, one that is never positive pays for ending the episode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp
from flint import ctx

from gantheory.deadline import DEFAULT_SECONDS, OutOfTime, Undecided, time_limit
from gantheory.derivations.derivation import Derivation
from gantheory.derivations.engine import derive
from gantheory.derivations.exposition import Exposition, Line, Step
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.errors import require_type
from gantheory.exact.assumptions import Assumptions
from gantheory.exact.limits import limit
from gantheory.functions import r, sigmoid, softplus, t, to_sympy
from gantheory.implicit.atscore import as_expression
from gantheory.implicit.isolation import BITS, Function, zeros
from gantheory.implicit.reals import Real
from gantheory.implicit.stationary import limit_at
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

    >>> from gantheory import derive_reward
    >>> derive_reward("gail").followed
    Curvature(2·JSD(P, Q))
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
    except OutOfTime:
        ends, sign, how = None, None, How.UNDECIDED
    steps = (*found.steps, _step(sign, ends, how))
    return RewardDerivation(found, formula, ends, sign, steps)


MEANS = {How.PROVED: "monotone in the score", How.CERTIFIED: "its extremes, by ball arithmetic"}
Ends = tuple[sp.Expr, sp.Expr]
Found = tuple[Ends | None, str | None, How]
CELL = (sp.S.Zero, sp.oo)
PLACES = tuple(map(sp.Rational, ("1/50", "1/5", "2/3", "3/2", "5", "50")))


def _range(formula: str, parameters: Assumptions) -> Found:
    """Return the range of a reward over all scores, and its sign."""
    reward = to_sympy(formula, parameters.symbols)
    ways = [lambda: _monotone(reward, parameters)]
    if reward.free_symbols <= {t}:
        ways.append(lambda: _between_extremes(reward))
    for way in (*ways, lambda: _by_signs(reward, parameters)):
        try:
            return way()
        except OutOfTime:
            raise
        except Undecided:
            continue
    return None, None, How.UNDECIDED


def _in_ratio(reward: sp.Expr) -> sp.Expr:
    """Return a reward with the score log r."""
    reward = reward.xreplace({t: sp.log(r)})
    reward = reward.replace(softplus, lambda x: sp.log(1 + sp.exp(x)))
    return reward.replace(sigmoid, lambda x: 1 / (1 + sp.exp(-x)))


def _monotone(reward: sp.Expr, parameters: Assumptions) -> Found:
    reward = _in_ratio(reward)
    rising = parameters.sign(sp.diff(reward, r), {r: CELL})
    if rising not in (1, -1):
        raise Undecided("it is not monotone")
    ends = limit(reward, r, CELL[0], 1, parameters), limit(reward, r, CELL[1], -1, parameters)
    low, high = ends if rising == 1 else ends[::-1]
    signs = [1 if end == sp.oo else -1 if end == -sp.oo else parameters.sign(end)
             for end in (low, high)]  # fmt: skip
    found = {(0, 1): "positive", (1, 1): "positive", (-1, 0): "negative",
             (-1, -1): "negative", (-1, 1): "both"}.get((signs[0], signs[1]))  # type: ignore[arg-type]  # fmt: skip
    return (low, high), found, How.PROVED if found else How.UNDECIDED


def _by_signs(reward: sp.Expr, parameters: Assumptions) -> Found:
    reward = _in_ratio(reward)
    if reward.free_symbols <= {r}:
        values = [sp.N(reward.xreplace({r: place}), 15) for place in PLACES]
        if all(value.is_real for value in values) and min(values) < 0 < max(values):
            return None, "both", How.PROVED
    whole = parameters.sign(reward, {r: CELL})
    if whole in (1, -1):
        return None, "positive" if whole == 1 else "negative", How.PROVED
    raise Undecided("the sign of the reward is not known")


def _between_extremes(reward: sp.Expr) -> Found:
    """Return the range of a smooth reward from its limits and the zeros of its derivative."""
    with ctx.workprec(BITS):
        return _extremes(reward)


def _extremes(reward: sp.Expr) -> Found:
    line = Real.of(-sp.oo), Real.of(sp.oo)
    function = Function(reward, t)
    found = [limit_at(reward, end, side) for end, side in zip(line, (1, -1), strict=True)]
    for place in zeros(Function(sp.diff(reward, t), t), *line):
        exact = None if place.exact is None else reward.xreplace({t: place.exact})
        found.append(Real(function.value(place.ball), exact))
    ordered = sorted(found, key=lambda one: float(one.ball.mid()))
    low, high = ordered[0], ordered[-1]
    signs = (
        all(one.ball >= 0 for one in found), all(one.ball <= 0 for one in found),
        low.ball < 0 < high.ball,
    )  # fmt: skip
    sign = next((s for s, holds in zip(("positive", "negative", "both"), signs, strict=True)
                 if holds), None)  # fmt: skip
    return (as_expression(low), as_expression(high)), sign, How.CERTIFIED


def _step(sign: str | None, ends: tuple[sp.Expr, sp.Expr] | None, how: How) -> Step:
    where = "" if ends is None else f"it lies between {text(ends[0])} and {text(ends[1])}: "
    below = r"\le" if how is How.CERTIFIED else "<"  # an extreme is reached, a limit is not
    shown = "" if ends is None else f"{typeset(ends[0])} {below} R {below} {typeset(ends[1])}"
    said = SAYS.get(sign or "", "of a sign that is not decided")
    return Step(
        "The sign of the reward", f"Over all scores {where}{said}.", shown or r"\text{sign of }R",
        how, MEANS.get(how, "values at single scores") if ends else "values at single scores",
    )  # fmt: skip
