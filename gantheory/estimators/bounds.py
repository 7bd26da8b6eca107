r"""Bounds that a critic climbs to estimate a divergence: their optimum, and the gap of any critic.

A separable bound has the gap :math:`E_q[F(r) - r a(t) - b(t)]`, which no critic makes negative.
Donsker–Varadhan and InfoNCE are not separable; with :math:`q_t = q e^t/E_q e^t` and, for K samples
of which one is from p, :math:`\pi_t(i) \propto e^{t(x_i)}`:

.. math:: KL(P\|Q) - V_{DV}(t) = KL(P\|Q_t), \qquad
    I_K - V_{NCE}(t) = E\,KL(\pi_{\log r}\|\pi_t), \quad I_K \le \log K.

Sources: M. D. Donsker, S. R. S. Varadhan (1983); X. Nguyen, M. Wainwright, M. Jordan (2010),
arXiv:0809.0853; A. van den Oord, Y. Li, O. Vinyals (2018), arXiv:1807.03748; B. Poole et al.
(2019), arXiv:1905.06922; T. Kanamori, S. Hido, M. Sugiyama (2009), JMLR 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from gantheory.derivations.engine import derive
from gantheory.derivations.exposition import Exposition, Line, Step, weakest_word
from gantheory.derivations.notation import Letter
from gantheory.derivations.typeset import typeset
from gantheory.derivations.wording import combination_title, constant_text
from gantheory.divergences.symbols import dotted
from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.functions import r, softplus, t, to_sympy
from gantheory.losses.loss import Loss
from gantheory.records import How
from gantheory.theory.records import known, text

SEPARABLE = {
    "nwj": Loss("nwj", "t", "-exp(t - 1)", "-exp(t - 1)", title="Nguyen-Wainwright-Jordan bound"),
    "lsif": Loss("lsif", "t", "-t**2/2", "-t**2/2", title="Least-squares importance fitting"),
    "jsd": Loss("jsd", "log(D)", "log(1 - D)", "log(1 - D)", title="Jensen-Shannon bound"),
}
BOUNDS = (*SEPARABLE, "dv", "infonce")  # by the names that errors and shells offer
MAX_SAMPLES = 6  # for which the gap of InfoNCE is written out; it is alike for any


@dataclass(frozen=True, repr=False)
class BoundDerivation(Exposition):
    """The theory of one bound.

    Attributes:
        title: what people call it.
        objective: what the critic climbs.
        optimum: the best critic, in ``r``; with ``constant`` where any constant may be added.
        value: what it reaches, in words.
        gap: what a critic ``t`` misses, as an integrand under q or in words.
        limit: a number that no critic exceeds, where there is one.

    >>> from gantheory import derive_bound
    >>> print(derive_bound("nwj").title)
    Nguyen-Wainwright-Jordan bound
    """

    LETTERS: ClassVar = (
        Letter("t", "t", "the critic's output; t* is the best critic"),
        Letter("V", "V", "the bound that the critic climbs"),
        Letter("F(r)", "F(r)", "what the bound earns at a ratio, with the best critic"),
        Letter("Q_t, q_t", "Q_t, q_t", "Q weighted by exp(t), and its density"),
        Letter("Z", "Z", "E_q[exp(t)]"),
        Letter("K", "K", "how many samples there are, of which one is from P"),
        Letter("i, j", "i, j", "numbers of samples"),
        Letter("pi", r"\pi^*, \pi_t", "the best guess of which sample is from P, and the critic's"),
        Letter("c", "c", "any constant"),
    )
    title: str
    objective: str
    optimum: sp.Expr | None
    value: str
    gap: str
    limit: sp.Expr | None = None
    free_constant: bool = False
    steps: tuple[Step, ...] = ()
    assumptions: tuple[str, ...] = ("P and Q have densities", "the critic is unrestricted")
    undecided: dict[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> Any:
        """What the terminal shows as the source: none beyond the title."""
        return Loss("bound", "t", "-t", "-t", title=self.title)

    @property
    def no_optimum(self) -> None:
        """Every bound here has an optimum."""
        return

    @property
    def summary(self) -> tuple[Line, ...]:
        """What the bound reaches, by which critic, and what any other misses."""
        known = weakest_word(step.known for step in self.steps)
        constant = " + c for any constant c" if self.free_constant else ""
        lines = [Line("reaches", self.value, known)]
        if self.optimum is not None:
            lines.append(Line("critic", f"t* = {self.optimum}{constant}", known))
        lines.append(Line("gap", self.gap, known))
        if self.limit is not None:
            lines.append(Line("limit", f"no critic exceeds {self.limit}", known))
        return tuple(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys."""
        return {
            "title": self.title,
            "objective": self.objective,
            "optimum": text(self.optimum),
            "free_constant": self.free_constant,
            "value": self.value,
            "gap": self.gap,
            "limit": text(self.limit),
            "steps": [step.as_dict() for step in self.steps],
            "assumptions": list(self.assumptions),
        }  # fmt: skip


def derive_bound(bound: str | Loss, *, samples: int = 2) -> BoundDerivation:
    """Derive the optimum of a bound and the gap of any critic.

    Args:
        bound: ``nwj``, ``dv``, ``infonce``, ``lsif``, ``jsd``, or a `Loss` whose payoffs a critic
            climbs.
        samples: how many samples K an InfoNCE batch holds.

    >>> derive_bound("nwj").gap
    'E_q[-r*t + r*log(r) + exp(-1)*exp(t)]'
    >>> derive_bound("infonce", samples=8).limit
    3*log(2)
    """
    if isinstance(bound, Loss):
        return _separable(bound)
    require_type("bound", bound, str, "a gantheory.Loss, or a name such as 'nwj'")
    asked = bound.strip().lower()
    if asked in SEPARABLE:
        return _separable(SEPARABLE[asked])
    others: dict[str, Callable[[], BoundDerivation]] = {
        "dv": _donsker_varadhan, "donsker-varadhan": _donsker_varadhan, "mine": _donsker_varadhan,
        "infonce": lambda: _infonce(samples), "nce": lambda: _infonce(samples),
    }  # fmt: skip
    if asked not in others:
        raise unknown_name("bound", bound, BOUNDS)
    return others[asked]()


def _separable(loss: Loss) -> BoundDerivation:
    found = derive(loss)
    if found.optimum is None or found.value is None or len(found.optimum.branches) != 1:
        reason = found.no_optimum or "its optimum has no single formula"
        raise GantheoryError(f"bound {loss.name!r} has no gap to state: {reason}")
    a, b = to_sympy(loss.real), to_sympy(loss.fake)
    best = found.optimum.score
    supremum = (r * a + b).xreplace({t: best}).replace(softplus, lambda x: sp.log(1 + sp.exp(x)))
    supremum = sp.simplify(sp.expand_log(supremum, force=True))
    gap = sp.expand(supremum - r * a - b)
    reached = combination_title(found.value.terms) or found.value.divergence
    value = f"{reached}{dotted(constant_text(found.value.constant))}"
    steps = (
        Step(
            "The optimal critic",
            f"r*a(t) + b(t) is largest at t* = {best}, where it is F(r) = {supremum}.",
            rf"t^* = {typeset(best)},\qquad F(r) = {typeset(supremum)}",
            How.PROVED,
            found.optimum.branches[0].reason,
        ),
        Step(
            "What it reaches",
            f"V(t*) = E_q[F(r)] = {value}.",
            rf"V(t^*) = \mathbb{{E}}_q[F(r)],\quad F = {typeset(supremum)}",
            How.PROVED,
            "identified by exact algebra",
        ),
        Step(
            "The gap of a critic",
            f"V(t*) - V(t) = E_q[{gap}], which is 0 at t* alone.",
            rf"V(t^*) - V(t) = \mathbb{{E}}_q\left[{typeset(gap)}\right] \ge 0",
            known(found.second_order.holds if found.second_order else None),
            "F(r) is the supremum over t, attained at t* alone",
        ),
    )
    return BoundDerivation(
        loss.title, f"E_p[{loss.real}] + E_q[{loss.fake}]", best, value, f"E_q[{gap}]", steps=steps
    )


def _donsker_varadhan() -> BoundDerivation:
    Z, p, q = sp.symbols("Z p q", positive=True)
    tilted = q * sp.exp(t) / Z
    rest = sp.expand_log(sp.log(p / q) - (t - sp.log(Z)) - sp.log(p / tilted), force=True)
    steps = (
        Step(
            "The gap of a critic",
            "with q_t = q*exp(t)/Z, Z = E_q exp(t): log(p/q) - (t - log Z) = log(p/q_t), so "
            "KL(P||Q) - V(t) = KL(P||Q_t).",
            r"\mathrm{KL}(P\|Q) - V(t) = \mathrm{KL}(P\|Q_t),\qquad q_t = q\,e^{t}/Z",
            known(sp.simplify(rest) == 0),
            "exact algebra under the integral",
        ),
        Step(
            "The optimal critic",
            "the gap is 0 where q_t = p: t* = log r + c for any constant c.",
            r"t^* = \log r + c",
            How.PROVED,
            "KL vanishes at equality alone (Gibbs)",
        ),
    )
    return BoundDerivation(
        "Donsker-Varadhan bound", "E_p[t] - log(E_q[exp(t)])", sp.log(r), "kl_pq",
        "KL(P||Q_t), q_t = q*exp(t)/E_q[exp(t)]", free_constant=True, steps=steps,
    )  # fmt: skip


def _infonce(samples: int) -> BoundDerivation:
    if samples != int(samples) or samples < 2:
        raise GantheoryError(f"samples={samples} must be a whole number of at least 2")
    weights = sp.symbols(f"w1:{min(samples, MAX_SAMPLES) + 1}", positive=True)
    total = sum(weights, sp.S.Zero)
    room = sp.simplify(len(weights) - weights[0] * len(weights) / total)  # K - exp(t_1)/mean
    limit = sp.expand_log(sp.log(sp.Integer(samples)))
    two = "; for K = 2 that is jsd(P x Q, Q x P)" if samples == 2 else ""
    steps = (
        Step(
            "A posterior",
            f"With x_1 ~ p among K = {samples} samples, the others ~ q, in random order: V(t) = "
            "log K - E[-log pi_t(i)], the log score of the guess pi_t(i) = exp(t(x_i))/sum of "
            "exp(t(x_j)) of which one is x_1.",
            r"V(t) = \log K - \mathbb{E}\left[-\log\frac{e^{t(x_1)}}{\sum_j e^{t(x_j)}}\right]",
            How.PROVED,
            "log(exp(t_1)/mean) = log K + log(exp(t_1)/sum)",
        ),
        Step(
            "The optimal critic",
            "the posterior of which sample is from p is proportional to r(x_i): t* = log r + c.",
            r"\pi^*(i) \propto r(x_i),\qquad t^* = \log r + c",
            How.PROVED,
            "Bayes: p(x_i) times q of the others, divided by q of all",
            "the log score is least at the posterior (van den Oord, Li, Vinyals 2018, "
            "arXiv:1807.03748)",
        ),
        Step(
            "The gap of a critic",
            "V(t*) - V(t) = E[KL(pi*||pi_t)], and V(t*) is the mutual information of the index "
            f"and the samples{two}.",
            r"V(t^*) - V(t) = \mathbb{E}\,\mathrm{KL}(\pi^*\|\pi_t) \ge 0",
            How.PROVED,
            "cross entropy less entropy",
            "Gibbs' inequality (Cover, Thomas 2006, Elements of Information Theory, 2.6.3)",
        ),
        Step(
            "The bound log K",
            f"exp(t_1) is at most the sum of all: no critic exceeds log K = {limit}, whatever "
            "KL(P||Q) is.",
            r"V(t) \le \log K",
            known(bool(sp.factor(room).is_positive)),
            f"K - exp(t_1)/mean = {sp.factor(room)} is positive"
            + (f" for K = {len(weights)}, and alike for any" if samples > MAX_SAMPLES else ""),
        ),
    )
    return BoundDerivation(
        f"InfoNCE with {samples} samples", "E[log(exp(t(x_1))/mean_j exp(t(x_j)))]", sp.log(r),
        f"I(index; samples) <= {limit}", "E KL(pi*||pi_t), pi_t(i) = exp(t(x_i))/sum_j exp(t(x_j))",
        limit, True, steps,
    )  # fmt: skip
