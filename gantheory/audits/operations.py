"""Torch operations by what a trace does with them, and what a trace met."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

MOST_ENTRIES = 4096  # of one tensor that depends on the scores; a loss on a few scores has tens
COPIES = frozenset(["clone", "contiguous", "_to_copy", "alias", "lift_fresh", "copy"])
MOVES = frozenset(
    [
        "cat",
        "stack",
        "index",
        "index_select",
        "gather",
        "repeat",
        "flip",
        "roll",
        "take",
        "masked_select",
        "constant_pad_nd",
        "expand_copy",
        "view_copy",
        "unsafe_split",
        "_unsafe_index",
        "_unsafe_view",
        "_reshape_alias",
        "_reshape_copy",
        "repeat_interleave",
        "tril",
        "triu",
        "diag_embed",
    ]
)
CHOICES = frozenset(
    ["index", "_unsafe_index", "index_select", "gather", "take", "masked_select"]
)  # whose further tensors say which entries are taken
ORDERED = frozenset(["median", "nanmedian", "topk", "sort", "kthvalue", "max", "min"])
FILLED = frozenset(
    [
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "new_empty_strided",
        "empty_strided",
    ]
)
UNIFORM, STANDARD = (sp.Rational(1, 2), sp.Rational(1, 12)), (sp.Integer(0), sp.Integer(1))
DRAWS = {"rand": UNIFORM, "rand_like": UNIFORM, "randn": STANDARD, "randn_like": STANDARD}
READS = frozenset(["_local_scalar_dense", "is_nonzero", "equal"])
REDUCED = {0: "none", 1: "mean", 2: "sum"}


@dataclass(frozen=True)
class Unknown:
    """An operation that has no rule, and where the user's code calls it."""

    operation: str
    line: str

    def __str__(self) -> str:
        return f"torch operation {self.operation!r} at {self.line}"


@dataclass(frozen=True)
class Drawn:
    """A random number: the mean and variance of its law, and what was drawn."""

    mean: sp.Expr
    variance: sp.Expr
    value: float


@dataclass
class RunRecord:
    """What a run met besides its formulas."""

    unknown: dict[sp.Symbol, Unknown] = field(default_factory=dict)
    random: dict[sp.Symbol, Drawn] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    ordered: list[str] = field(default_factory=list)  # where scores are picked by their order
    operations: set[str] = field(default_factory=set)
    iterated: bool = False
    single: bool = False  # whether numbers in float32 met the scores: constants hold 7 digits
