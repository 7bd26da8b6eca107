"""The forms in which scores are handed over, and one run of a player's loss on them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from gantheory.audits.calls import Call
from gantheory.audits.devices import OnCpu
from gantheory.audits.network import Score
from gantheory.audits.results import Selection, select, taken
from gantheory.audits.trace import RunRecord, Trace
from gantheory.functions import sigmoid


@dataclass(frozen=True)
class CallForm:
    """How the scores of one or several heads are handed over.

    Attributes:
        name: in words.
        many: whether it holds several heads.
        build: one tensor of scores for each head -> the argument.
        written: the argument as code, from a flat tensor ``{0}``.
        answer: what a network returns for a batch whose columns are the scores of its heads.
    """

    name: str
    many: bool
    build: Callable[[Sequence[Tensor]], Any]
    written: str
    answer: Callable[[Any], Any] = lambda x: x


def _feature(head: Tensor) -> Tensor:
    """Return a feature map that says nothing about the scores."""
    return torch.ones(head.numel(), 1, dtype=head.dtype)


def _columns(x: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(x), dim=1)


def _heads(x: Tensor) -> list[Tensor]:
    return list(x.split(1, dim=1))


FORMS = (
    CallForm("a column (N, 1)", False, lambda x: x[0].view(-1, 1), "{0}.view(-1, 1)"),
    CallForm("a vector (N,)", False, lambda x: x[0], "{0}"),
    CallForm(
        "a map (N, 1, 1, 1)", False, lambda x: x[0].view(-1, 1, 1, 1), "{0}.view(-1, 1, 1, 1)"
    ),
    CallForm("a list of heads", True, lambda x: [h.view(-1, 1) for h in x], "[{0}.view(-1, 1)]"),
    CallForm(
        "a list of lists of features that end in the score",
        True,
        lambda x: [[_feature(h), h.view(-1, 1)] for h in x],
        "[[torch.ones({0}.numel(), 1), {0}.view(-1, 1)]]",
    ),
    CallForm(
        "a list of pairs of a score and features",
        True,
        lambda x: [(h.view(-1, 1), [_feature(h)]) for h in x],
        "[({0}.view(-1, 1), [torch.ones({0}.numel(), 1)])]",
    ),
    CallForm(
        "a dictionary of heads",
        True,
        lambda x: {f"head{k}": h.view(-1, 1) for k, h in enumerate(x)},
        "{{'head': {0}.view(-1, 1)}}",
    ),
    CallForm(
        "two logits (N, 2), the first 0",
        False,
        lambda x: torch.stack([torch.zeros_like(x[0]), x[0]], dim=1),
        "torch.stack([torch.zeros_like({0}), {0}], dim=1)",
    ),
    CallForm(
        "a list of lists", True, lambda x: [[h.view(-1, 1)] for h in x], "[[{0}.view(-1, 1)]]"
    ),
)
NETWORK_FORMS = tuple(
    CallForm(f"a network that returns {name}", many, _columns, "{0}.view(-1, 1)", answer)
    for name, many, answer in (
        ("a list of heads", True, _heads),
        ("lists of features that end in the score", True,
         lambda x: [[_feature(h), h] for h in _heads(x)]),
        ("heads and their features", True,
         lambda x: (_heads(x), [[_feature(h)] for h in _heads(x)])),
        ("a score and features", False, lambda x: (x, [_feature(x)])),
        ("a score and two more", False, lambda x: (x, _feature(x), _feature(x))),
    )
)  # fmt: skip


@dataclass(frozen=True)
class ScoreDomain:
    """The scores that a loss takes: an interval, or probabilities (then t is their logit)."""

    lower: float = -float("inf")
    upper: float = float("inf")

    @property
    def probabilities(self) -> bool:
        """Whether the argument is a probability."""
        return (self.lower, self.upper) == (0.0, 1.0)

    @property
    def text(self) -> str:
        """The interval of t as a `Loss` writes it."""
        if self.probabilities:
            return "(-oo, oo)"
        return f"({_end(self.lower)}, {_end(self.upper)})"

    def inside(self, raw: np.ndarray) -> np.ndarray:
        """Map any real numbers into the interval, those in it to themselves where it is all."""
        low, high = self.lower, self.upper
        if low == -np.inf and high == np.inf:
            return raw
        if low == -np.inf:
            return high - np.logaddexp(0, -raw)
        if high == np.inf:
            return low + np.logaddexp(0, raw)
        return low + (high - low) / (1 + np.exp(-raw))

    def symbol_values(self, given: np.ndarray) -> np.ndarray:
        """Return the values of t where the arguments are ``given``."""
        return np.log(given) - np.log1p(-given) if self.probabilities else given


def _end(value: float) -> str:
    if value in (np.inf, -np.inf):
        return "oo" if value > 0 else "-oo"
    return repr(int(value)) if value == int(value) else repr(value)


@dataclass(frozen=True)
class Batch:
    """Arguments by side: one row of scores for each head."""

    real: np.ndarray
    fake: np.ndarray


@dataclass(frozen=True)
class Traced:
    """A run with its formula, and the symbols of the scores by head."""

    formula: sp.Expr
    value: float
    real: tuple[tuple[sp.Symbol, ...], ...]
    fake: tuple[tuple[sp.Symbol, ...], ...]
    record: RunRecord
    how: str
    selection: Selection

    @property
    def leaves(self) -> set[sp.Symbol]:
        """All symbols of scores."""
        return {leaf for side in (self.real, self.fake) for head in side for leaf in head}

    @property
    def used(self) -> set[sp.Symbol]:
        """The symbols of scores on which the formula depends."""
        return self.formula.free_symbols & self.leaves


@dataclass(frozen=True)
class Runner:
    """One player's loss in one form, on one domain, in one precision."""

    call: Call
    form: CallForm
    domain: ScoreDomain = ScoreDomain()
    dtype: torch.dtype = torch.float64
    selection: Selection | None = None

    def plain(self, batch: Batch, seed: int = 0) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient in the real and in the fake scores; 0 where none flows."""
        real, fake = (self._leaves(side) for side in (batch.real, batch.fake))
        with quiet(self.dtype, seed):
            assert self.selection is not None
            value, _ = taken(self.result(real, fake), self.selection)
            leaves = [*real, *fake]
            slopes: list[Tensor | None] = [None] * len(leaves)
            if value.requires_grad:
                slopes = list(torch.autograd.grad(value, leaves, allow_unused=True))
        found = [
            np.zeros(leaf.shape) if slope is None else slope.detach().double().numpy()
            for leaf, slope in zip(leaves, slopes, strict=True)
        ]
        return float(value.detach()), np.array(found[: len(real)]), np.array(found[len(real) :])

    def traced(self, batch: Batch, seed: int = 0) -> Traced:
        """Return the formula of the loss, found while it runs on these scores."""
        real, fake = (self._leaves(side) for side in (batch.real, batch.fake))
        symbols = [
            tuple(
                tuple(sp.Symbol(f"{letter}_{h}_{k}", real=True) for k in range(len(head)))
                for h, head in enumerate(side)
            )
            for letter, side in (("s", real), ("u", fake))
        ]
        with quiet(self.dtype, seed), Trace() as trace:
            for tensors, names in zip((real, fake), symbols, strict=True):
                for tensor, row in zip(tensors, names, strict=True):
                    trace.follow(tensor, [self._leaf(symbol) for symbol in row])
            result = self.result(real, fake)
            leaves = {leaf for side in symbols for head in side for leaf in head}
            selection = self.selection or self._selection(result, trace, leaves)
            value, how = taken(result, selection)
            formula = sp.sympify(trace.formula(value))
        return Traced(formula, float(value.detach()), symbols[0], symbols[1], trace.record, how,
                      selection)  # fmt: skip

    def at(self, dtype: torch.dtype) -> Runner:
        """Return the same run in another precision."""
        return replace(self, dtype=dtype)

    def _leaf(self, symbol: sp.Symbol) -> sp.Expr:
        return sigmoid(symbol) if self.domain.probabilities else symbol

    def _leaves(self, side: np.ndarray) -> list[Tensor]:
        return [torch.tensor(head, dtype=self.dtype, requires_grad=True) for head in side]

    def result(self, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Any:
        """Return what the code returns for the scores of each head."""
        sides = [self.form.build(real), self.form.build(fake)]
        Score.answer = staticmethod(self.form.answer)
        Score.known = ()
        if self.call.player == "discriminator" and all(isinstance(x, Tensor) for x in sides):
            Score.known = (*sides, torch.cat(sides), torch.cat(sides[::-1]))
        return self.call.run(*sides)

    def _selection(self, result: Any, trace: Trace, leaves: set[sp.Symbol]) -> Selection:
        """Return which parts of a result are the loss; unknown entries may depend on any score."""

        def depends(tensor: Tensor) -> set[sp.Symbol]:
            found = {s for entry in trace.entries(tensor).flat for s in entry.free_symbols}
            return leaves if found & set(trace.record.unknown) else found & leaves

        sides = self.call.sides if self.call.player == "discriminator" else ("fake",)
        letters = {"real": "s", "fake": "u"}
        wanted = {x for x in leaves if x.name[0] in {letters[side] for side in sides}}
        return select(result, self.call.player, wanted, depends, self.call.written)


@contextmanager
def quiet(dtype: torch.dtype, seed: int) -> Iterator[None]:
    """Run the user's code with a seed and a default precision, on the CPU, without its warnings."""
    before = torch.get_default_dtype()
    kept = torch.random.get_rng_state()
    wide = dtype if dtype in (torch.float32, torch.float64) else torch.float32
    torch.random.default_generator.manual_seed(seed)
    torch.set_default_dtype(wide)
    try:
        with warnings.catch_warnings(), torch.enable_grad(), OnCpu():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_default_dtype(before)
        torch.random.set_rng_state(kept)
