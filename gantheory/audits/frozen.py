"""Recover a loss with frozen samples: its value, and what multiplies each sample's gradient.

A mean of k(r) over samples x of q, r = p/q, is traced with log q = a and log p = a + t, so that a
loss of the ratio alone is a formula in t = log r. Its gradient in each log q is traced, too, as
autograd computes it: detached parts, straight-through gradients and importance weights are seen
there, and nowhere in the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from gantheory.audits.cores import alike, core, core_range, formula_text, of_alone
from gantheory.audits.forms import quiet
from gantheory.audits.results import Selection, select, taken
from gantheory.audits.roles import Roles
from gantheory.audits.running import said
from gantheory.audits.separate import numeric, ratio, same_up_to_constant, separate
from gantheory.audits.trace import Trace
from gantheory.errors import GantheoryError
from gantheory.functions import sigmoid, t

CENTRES = (0.0, -2.5, 2.5, 6.0)
SHAPES = ((-1, 1), (-1,))
CLOSE = 1e-9  # relative, of a formula against the code


@dataclass(frozen=True)
class TracedRun:
    """One traced run: the loss and each sample's derivative in log q, with the symbols."""

    formula: sp.Expr
    slopes: dict[str, list[sp.Expr]]  # by the end of an answer: "", "+" or "-"
    ratios: dict[str, list[sp.Symbol]]
    unknown: tuple[str, ...]
    reads: tuple[str, ...]
    how: str
    value: float
    single: bool


@dataclass(frozen=True)
class Way:
    """In which shape, and as logarithms or not, arguments are handed over."""

    roles: Roles
    shape: tuple[int, ...]
    logs: bool = True
    selection: Selection | None = None

    @property
    def alone(self) -> bool:
        """Whether a preference loss has no reference: it is taken as uniform."""
        return self.roles.alone

    def run(self, size: int, centre: float = 0.0) -> TracedRun:
        """Trace the loss on a batch of log ratios around ``centre``."""
        ends = ("+", "-") if self.roles.kind == "preference" else ("",)
        drawn = np.random.default_rng(int(10 * centre) + 97 + size)
        symbols: dict[str, list[sp.Symbol]] = {}
        tensors: dict[str, Tensor] = {}
        with quiet(torch.float64, 0), Trace() as trace:
            for end in ends:
                levels = drawn.uniform(-1.5, -0.5, size) * (not self.alone)
                logs = centre + drawn.uniform(-0.9, 1.0, size)
                a, u = (_symbols(letter + end, size) for letter in ("a", "u"))
                a = [sp.Integer(0)] * size if self.alone else a
                symbols[end] = u
                for role, (values, entries) in self._given(levels, logs, a, u).items():
                    tensor = torch.tensor(values).reshape(self.shape)
                    tensor.requires_grad_(role in ("q", "u", "r"))
                    trace.follow(tensor, entries)
                    tensors[role + end] = tensor
            tensors["mask"] = torch.ones(size, dtype=torch.float64).reshape(self.shape)
            return self._traced(trace, tensors, symbols)

    def _given(
        self, levels: np.ndarray, logs: np.ndarray, a: Sequence[sp.Expr], u: Sequence[sp.Symbol]
    ) -> Mapping[str, tuple[np.ndarray, list[sp.Expr]]]:
        """Return the values and formulas of each role; a preference's ratio is q over p."""
        if self.roles.kind == "preference":
            return {"q": (levels + logs, [x + y for x, y in zip(a, u, strict=True)]),
                    "p": (levels, [*a]), "u": (logs, [*u])}  # fmt: skip
        if self.roles.kind == "reward" and not self.logs:
            return {"t": (1 / (1 + np.exp(-logs)), [sigmoid(x) for x in u])}
        both = [x + y for x, y in zip(a, u, strict=True)]
        given = {"q": (levels, [*a]), "old": (levels, [*a]), "p": (levels + logs, both)}
        if not self.logs:
            given = {role: (np.exp(v), list(map(sp.exp, e))) for role, (v, e) in given.items()}
        return given | {"u": (logs, [*u]), "t": (logs, [*u]),
                        "r": (np.exp(logs), [sp.exp(x) for x in u])}  # fmt: skip

    def _traced(
        self, trace: Trace, tensors: Mapping[str, Tensor], symbols: dict[str, list[sp.Symbol]]
    ) -> TracedRun:
        roles = self.roles
        result = roles.function(**{p: tensors[role] for p, role in roles.of.items()},
                                **roles.options)  # fmt: skip
        selection = self.selection or self._selected(result, trace, symbols)
        value, how = taken(result, selection)
        formula = sp.sympify(trace.formula(value))
        slopes = {end: self._slopes(trace, value, tensors, end) for end in symbols}
        everything = [formula, *(one for row in slopes.values() for one in row)]
        met = {s for one in everything for s in one.free_symbols}
        unknown = [str(u) for s, u in trace.record.unknown.items() if s in met]
        if trace.record.random.keys() & met:
            unknown.append("a random number")
        return TracedRun(formula, slopes, symbols, tuple(dict.fromkeys(unknown)),
                   tuple(dict.fromkeys(trace.record.reads)), how, float(value.detach()),
                   trace.record.single)  # fmt: skip

    def _selected(
        self, result: Any, trace: Trace, symbols: Mapping[str, list[sp.Symbol]]
    ) -> Selection:
        leaves = {x for row in symbols.values() for x in row}

        def depends(tensor: Tensor) -> set[sp.Symbol]:
            return {s for one in trace.entries(tensor).flat for s in one.free_symbols} & leaves

        return select(result, "generator", leaves, depends, self.roles.said())

    def _slopes(
        self, trace: Trace, value: Tensor, tensors: Mapping[str, Tensor], end: str
    ) -> list[sp.Expr]:
        """Return the derivative in log q at each sample; of a preference loss in log pi."""
        used = set(self.roles.of.values())
        role = next((one for one in ("q", "u", "r") if one + end in used), None)
        if role is None or not value.requires_grad:
            return []
        leaf = tensors[role + end]
        (slope,) = torch.autograd.grad(value, leaf, allow_unused=True, retain_graph=True)
        if slope is None:
            return [sp.Integer(0)] * leaf.numel()
        found = [sp.sympify(one) for one in trace.entries(slope).reshape(-1)]
        if role == "u" and self.roles.kind != "preference":
            return [-one for one in found]
        if role == "r" or not self.logs:
            sign = -1 if role == "r" else 1
            chain = trace.entries(leaf).reshape(-1)
            return [sign * one * x for one, x in zip(found, chain, strict=True)]
        return found


def _symbols(letter: str, size: int) -> list[sp.Symbol]:
    return [sp.Symbol(f"{letter}_{k}", real=True) for k in range(size)]


def recover_frozen(roles: Roles) -> dict[str, Any]:
    """Return what is recovered of a loss with frozen samples, as text for JSON.

    Raises:
        GantheoryError: where the code does not run on log probabilities.
    """
    facts: dict[str, Any] = {
        "kind": roles.kind, "written": roles.said(), "name": roles.name, "taken": roles.taken,
        "value": None, "weight": None, "weights": None, "attached": False, "reduction": None,
        "missing": None, "uniform": roles.alone, "inside": None,
    }  # fmt: skip
    way, run, *others = _first(roles)
    facts["written"] = roles.said(way.logs)
    if run.unknown:
        return facts | {"missing": f"{run.unknown[0]} has no formula here"}
    facts["attached"] = any(run.slopes.values())
    if not all(alike(run.formula, other.formula) for other in others):
        where = ", ".join(run.reads) or "a line that was not found"
        return facts | {"missing": f"a value decides at {where}: the formula changes with it"}
    fill = _preference if roles.kind == "preference" else _estimator
    return facts | fill(way, run)


def _first(roles: Roles) -> tuple[Any, ...]:
    """Return the first way in which the code runs, one of the ratio alone where there is one.

    Behind it are its runs at each of the centres.
    """
    errors: list[str] = []
    partly: tuple[Any, ...] = ()
    for logs in (True, False):
        for shape in SHAPES if roles.kind == "estimator" else SHAPES[::-1]:
            way = Way(roles, shape, logs)
            try:
                runs = [way.run(2, centre) for centre in CENTRES]
            except GantheoryError:
                raise
            except Exception as error:
                errors.append(said(error))
                continue
            if not all(np.isfinite(one.value) for one in runs):
                errors.append("it is not a number on log probabilities")
                continue
            if not _levels(runs[0]):
                return (way, *runs)
            partly = partly or (way, *runs)
    if not partly:
        raise GantheoryError(f"{roles.said()} does not run: {errors[0]}")
    return partly


def _levels(run: TracedRun) -> bool:
    """Return whether the loss, or a gradient, depends on more than the ratios."""
    known = {x for row in run.ratios.values() for x in row}
    everything = [run.formula, *(one for row in run.slopes.values() for one in row)]
    return any(of_alone(one, known) is None for one in everything)


LEVELS = "it depends on the probabilities themselves, not on their ratio alone"


def _estimator(way: Way, run: TracedRun) -> dict[str, Any]:
    """Return k and w, with E[k] the loss and E[w*grad log q] its gradient, in t = log r."""
    found: dict[str, Any] = {}
    other = way.run(3)
    value = _mean(run, other)
    if value is None:
        found["missing"] = _apart(run)
    else:
        kept = core(value[0])
        found |= {
            "value": formula_text(kept),
            "reduction": value[1],
            "inside": core_range(value[0], kept),
        }
        if not _agrees(way, value):
            return {"missing": "the formula found gives another value than the code"}
    if not run.slopes[""]:
        return found
    weight = _weight(run, other)
    if weight is None:
        return {"missing": LEVELS if _levels(run) else "the gradients of the samples are coupled"}
    if value is None and not run.formula.free_symbols - set(run.ratios[""]):
        return found
    kept = core(weight)
    reached = found.get("inside") or core_range(weight, kept)
    return {k: v for k, v in found.items() if k != "missing"} | {
        "weight": formula_text(kept), "inside": reached
    }  # fmt: skip


def _apart(run: TracedRun) -> str:
    return LEVELS if _levels(run) else "the samples of a batch are coupled, or count differently"


def _mean(two: TracedRun, three: TracedRun) -> tuple[sp.Expr, str] | None:
    """Return what each sample adds to a mean of them, and how they are reduced."""
    formulas = [of_alone(run.formula, set(run.ratios[""])) for run in (two, three)]
    if None in formulas:
        return None
    parts = [separate(formula, run.ratios[""], [])
             for formula, run in zip(formulas, (two, three), strict=True)]  # fmt: skip
    if any(one.coupled or one.real is None or one.constant.free_symbols for one in parts):
        return None
    first, second = (one.real for one in parts)
    assert first is not None
    assert second is not None
    if same_up_to_constant(first, second):
        kind, scale = "sum", 1
    elif same_up_to_constant(2 * first, 3 * second):
        kind, scale = "none" if two.how == "none" else "mean", 2
    else:
        return None
    constant = parts[0].constant if kind != "sum" else parts[0].constant / 2
    return scale * first + constant, kind


def _weight(two: TracedRun, three: TracedRun) -> sp.Expr | None:
    """Return what multiplies grad log q at a sample, in a mean over samples."""
    rows: list[sp.Expr] = []
    for run in (two, three):
        row = [(of_alone(one, {u}), u) for one, u in zip(run.slopes[""], run.ratios[""],
                                                         strict=True)]  # fmt: skip
        found = [one.xreplace({u: t}) for one, u in row if one is not None]
        if len(found) < len(row) or not _alike(found):
            return None
        rows.append(found[0])
    constant = all(not row.has(t) for row in rows)
    summed = rows[0] == rows[1] if constant else same_up_to_constant(rows[0], rows[1])
    return rows[0] if summed else 2 * rows[0]


def _alike(row: Sequence[sp.Expr]) -> bool:
    return all(one == row[0] or same_up_to_constant(one, row[0]) for one in row[1:])


def _agrees(way: Way, found: tuple[sp.Expr, str]) -> bool:
    """Return whether the formula gives what the code gives, at other ratios."""
    for centre in (0.4, -2.3):
        run = way.run(3, centre)
        drawn = np.random.default_rng(int(10 * centre) + 97 + 3)
        drawn.uniform(-1.5, -0.5, 3)
        logs = centre + drawn.uniform(-0.9, 1.0, 3)
        values = [numeric(found[0])(float(x)) for x in logs]
        if any(v is None for v in values):
            return False
        reported = sum(v for v in values if v is not None) / (1 if found[1] == "sum" else 3)
        if abs(reported - run.value) > (1e5 if run.single else 1) * CLOSE * max(
            1.0, abs(run.value)
        ):
            return False
    return True


def _preference(way: Way, run: TracedRun) -> dict[str, Any]:
    """Return the loss of one pair in w and l, the ratios pi/pi_ref, and the signs of its slopes."""
    if _levels(run):
        return {"missing": LEVELS}
    pairs = list(zip(run.ratios["+"], run.ratios["-"], strict=True))
    x, y = pairs[0]
    rest = {one: sp.Integer(0) for pair in pairs[1:] for one in pair}
    first = run.formula.xreplace(rest)
    at_rest = first.xreplace({x: sp.Integer(0), y: sp.Integer(0)})
    own = [run.formula.xreplace({a: sp.Integer(0) for a in {*rest, x, y} - {c, d}})
           .xreplace({c: x, d: y}) - at_rest for c, d in pairs]  # fmt: skip
    whole = sum((one.xreplace({x: c, y: d})
                 for one, (c, d) in zip(own, pairs, strict=True)), at_rest)  # fmt: skip
    if not alike(own[0], own[1]) or not alike(run.formula, whole):
        return {"missing": "the pairs of a batch are coupled, or count differently"}
    single = way.run(1)
    w, l = sp.symbols("w l", positive=True)  # noqa: E741 -- the letters of the field
    c, d = (single.ratios[end][0] for end in "+-")
    loss = single.formula.xreplace({c: sp.log(w), d: sp.log(l)})
    signs = {
        end: [_sign(single.slopes[end], c, d, at) for at in ((0.3, -0.4), (-1.0, 0.7), (1.2, 1.1))]
        for end in "+-"
    }
    reduced = ratio(
        single.formula.xreplace({c: t, d: sp.Integer(0)}), own[0].xreplace({x: t, y: 0})
    )
    reduction = "sum" if reduced is not None and abs(reduced - 1) < 1e-9 else "mean"
    return {"value": str(loss), "weights": signs,
            "reduction": "none" if run.how == "none" else reduction}  # fmt: skip


def _sign(slopes: Sequence[sp.Expr], c: sp.Symbol, d: sp.Symbol, at: tuple[float, float]) -> float:
    if not slopes:
        return 0.0
    return float(sp.sign(sp.N(slopes[0].xreplace({c: sp.Float(at[0]), d: sp.Float(at[1])}))))
