"""What the arguments of a loss with frozen samples are: whose log probabilities, or whose ratio.

An estimator takes log probabilities of the trained model (``q``) and of a reference (``p``), or
their ratio r = p/q; a preference loss takes both at a chosen and at a rejected answer; a reward
takes a discriminator's score.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gantheory.audits.names import SCORE, words
from gantheory.audits.signatures import parameters
from gantheory.errors import GantheoryError

KINDS = ("estimator", "preference", "reward")
REFERENCE = frozenset(
    ["ref", "reference", "base", "teacher", "prior", "init", "initial", "sft", "frozen", "target",
     "pretrained", "p"]
)  # fmt: skip
TRAINED = frozenset(
    ["new", "cur", "current", "policy", "pi", "actor", "student", "theta", "model", "q", "learner"]
)  # fmt: skip
OLD = frozenset(["old", "behavior", "behaviour", "rollout", "sampler", "sampling"])
RATIO = frozenset(["ratio", "ratios", "logratio", "logratios", "r", "logr", "u"])
LOGARITHM = frozenset(["log", "logs", "logratio", "logratios", "logr", "u"])
CHOSEN = frozenset(
    ["chosen", "preferred", "win", "winner", "winning", "yw", "accepted", "better", "pos",
     "positive"]
)  # fmt: skip
REJECTED = frozenset(
    ["rejected", "dispreferred", "lose", "loser", "losing", "yl", "worse", "neg", "negative"]
)
GLUED = ("logprobs", "logprob", "logps", "logp", "lp", "probs", "prob")
SAID = {
    "q": "log_q", "p": "log_p", "old": "log_q.detach()", "u": "log_p - log_q",
    "r": "(log_p - log_q).exp()", "mask": "torch.ones_like(log_q)", "t": "scores",
    "q+": "chosen_q", "p+": "chosen_p", "q-": "rejected_q", "p-": "rejected_p",
    "u+": "chosen_q - chosen_p", "u-": "rejected_q - rejected_p",
}  # fmt: skip
DENSITIES = {"q": "log_q.exp()", "p": "log_p.exp()", "old": "log_q.exp().detach()",
             "t": "scores.sigmoid()"}  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """How a loss with frozen samples is called.

    Attributes:
        kind: one of `KINDS`.
        function: the code.
        of: parameter -> what it is given: ``q``, ``p``, ``old``, ``u``, ``r``, ``mask``, ``t``; of
            a preference loss ``q`` and ``p`` with ``+`` for chosen and ``-`` for rejected answers.
        options: further arguments by name.
        name: how the code is written.
        taken: how its arguments were told apart, where no name does.
    """

    kind: str
    function: Callable[..., Any]
    of: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = "loss"
    taken: str = ""

    @property
    def alone(self) -> bool:
        """Whether a preference loss takes no reference."""
        return self.kind == "preference" and not any(r[0] in "pu" for r in self.of.values())

    def said(self, logs: bool = True) -> str:
        """Return the call as code in ``log_q`` and ``log_p``, or ``scores``."""
        names = SAID if logs else SAID | DENSITIES
        given = [f"{p}={names[role]}" for p, role in self.of.items()]
        given += [f"{k}={v!r}" for k, v in self.options.items()]
        return f"{self.name}({', '.join(given)})"


def roles_of(function: Callable[..., Any], name: str, options: Mapping[str, Any]) -> Roles:
    """Return how a loss with frozen samples is called, by its name and those of its parameters.

    Raises:
        GantheoryError: where an argument is none of these, or samples are of an older model.
    """
    known = [p for p in parameters(function) if p.name not in options]
    given = {k: v for k, v in options.items() if k in {p.name for p in parameters(function)}}
    taken: dict[str, set[str]] = {p.name: _words(p.name) for p in known if _is_taken(p)}
    if any(said & CHOSEN for said in taken.values()):
        return Roles("preference", function, _preference(taken, name), given, name)
    if {"reward", "rewards"} & set(words(name)):
        return Roles("reward", function, _reward(taken, name), given, name)
    found = {p: _role(said) for p, said in taken.items()}
    free = [p for p, role in found.items() if role is None]
    if list(found.values()) == [None] and taken[free[0]] & SCORE:
        return Roles("reward", function, {free[0]: "t"}, given, name)
    said = _fill(found, free, name)
    return Roles("estimator", function, {p: role or "" for p, role in found.items()}, given, name,
                 said)  # fmt: skip


def _is_taken(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter must be given, or may be left out and holds log probabilities."""
    if parameter.default is inspect.Parameter.empty:
        return True
    return parameter.default is None and bool(
        _words(parameter.name) & {"logprob", "logprobs", "logp", "logps"}
    )


def _words(name: str) -> set[str]:
    """Return the words of a name, those in ``ref_logprobs`` and ``chosen_logps`` apart."""
    said: set[str] = set()
    for word in words(name):
        said.add(word)
        for glued in GLUED:
            if word != glued and word.endswith(glued) and len(word) - len(glued) > 2:
                said |= {word.removesuffix(glued), glued}
    if said & {"logp", "lp"} and len(said) == 1:
        said.add("p")
    if said & {"logq", "lq"}:
        said.add("q")
    return said


def _role(said: set[str]) -> str | None:
    if said & {"mask", "masks"}:
        return "mask"
    if said & RATIO:
        return "u" if said & LOGARITHM else "r"
    for names, role in ((OLD, "old"), (REFERENCE - {"p"}, "p"), (TRAINED - {"q"}, "q")):
        if said & names:
            return role
    return None


def _fill(found: dict[str, str | None], free: Sequence[str], name: str) -> str:
    """Give each argument that no name tells a role; return how."""
    letters = {p: _words(p) & {"p", "q"} for p in free}
    if len(free) == 2 and sorted("".join(sorted(s)) for s in letters.values()) == ["p", "q"]:
        found |= {p: next(iter(letter)) for p, letter in letters.items()}
        return "samples are of q, the trained model; p is the reference"
    roles = set(found.values())
    wanted = [] if roles & {"u", "r"} else [side for side in ("q", "p") if side not in roles]
    if "old" in roles and "p" not in roles and len(free) + ("q" in roles) < 2:
        raise GantheoryError(
            f"{name} compares a model with an older one of which the samples are: over samples "
            "that do not move, a loss follows what it is the mean of"
        )
    if len(free) != len(wanted):
        raise GantheoryError(
            f"{name} needs log probabilities of a trained and of a reference model, or their "
            f"ratio, and takes {', '.join(map(repr, found)) or 'nothing'}; give other values with "
            f"--call '{(free or ['beta'])[0]}=...'"
        )
    found |= dict(zip(free, wanted, strict=True))
    if len(free) == 2:
        return f"no name says it: {free[0]!r} is taken for the trained model's"
    if roles & {"u", "r"}:
        return "the ratio is taken for reference over trained model, r = p/q"
    return ""


def _preference(taken: Mapping[str, set[str]], name: str) -> dict[str, str]:
    found = {}
    for parameter, said in taken.items():
        end = "+" if said & CHOSEN else "-" if said & REJECTED else ""
        if not end:
            raise GantheoryError(
                f"{name} needs a value for {parameter!r}; give it with --call '{parameter}=...'"
            )
        ratio = said & RATIO
        found[parameter] = ("u" if ratio else "p" if said & (REFERENCE - {"p"}) else "q") + end
    if sorted(r[-1] for r in found.values() if r[0] != "p") != ["+", "-"]:
        raise GantheoryError(f"{name} needs one chosen and one rejected answer of a policy")
    return found


def _reward(taken: Mapping[str, set[str]], name: str) -> dict[str, str]:
    if len(taken) == 1:
        return dict.fromkeys(taken, "t")
    if len(taken) == 2 and taken[list(taken)[1]] & {"log", "logp", "logprob", "logpi", "pi"}:
        return dict(zip(taken, ("p", "q"), strict=True))  # f - log pi
    raise GantheoryError(
        f"{name} is taken for a reward, a function of one discriminator's score; "
        f"it takes {', '.join(map(repr, taken)) or 'nothing'}"
    )
