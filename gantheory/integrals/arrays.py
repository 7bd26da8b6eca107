"""Divergences of laws whose parameters are arrays: by formulas, in bulk, or pair by pair.

An element keeps the first answer that is sharp: the closed form, where there is one; tanh-sinh
quadrature of many pairs at once, as along curves; and what is still open is asked for on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gantheory.densities import Density
from gantheory.densities.arrays import Densities
from gantheory.errors import GantheoryError
from gantheory.integrals.array_formulas import closed_forms
from gantheory.integrals.bulk.doublexp import Wanted, integrate_twice, is_served
from gantheory.integrals.bulk.laws import row_of
from gantheory.integrals.closed_forms import METHOD
from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.transport.catalogue import Distance
from gantheory.records import Estimate, Estimates, Status
from gantheory.wrt import split_parameter

SHARP = 1e-10  # relative error with which an element's answer is kept
BULK = "quadrature in bulk"
Asked = Kernel | Distance
One = Callable[[Asked, Density, Density, str | None], Estimate]
DIVERGES = "the affinity integral diverges"


def sweep_arrays(
    asked: Sequence[Asked],
    p: Density,
    q: Density,
    wanted: Sequence[str | None],
    one: One,
    method: str = "auto",
) -> dict[tuple[int, str | None], Estimates]:
    """Return the divergences (by their place) and derivatives of every pair of laws."""
    pairs = _Pairs(p, q)
    found = {(k, wrt): _Column(pairs.size) for k in range(len(asked)) for wrt in wanted}
    if method in ("auto", "closed form"):
        for (k, wrt), column in found.items():
            _by_formula(column, asked[k], pairs, wrt)
    if method in ("auto", "quadrature"):
        _in_bulk(found, dict(enumerate(asked)), pairs)
    for (k, wrt), column in found.items():
        for place in np.nonzero(column.open)[0]:
            column.keep(int(place), one(asked[k], *pairs.at(int(place)), wrt))
    return {key: column.shaped(pairs.shape) for key, column in found.items()}


@dataclass(frozen=True)
class _Pairs:
    """The pairs of laws, and their places in one flat order."""

    p: Density
    q: Density

    @cached_property
    def shape(self) -> tuple[int, ...]:
        shapes = [law.shape for law in (self.p, self.q) if isinstance(law, Densities)]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            raise GantheoryError(
                f"{self.p} and {self.q}: shapes {shapes[0]} and {shapes[1]} do not broadcast"
            ) from None

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def at(self, place: int) -> tuple[Density, Density]:
        """Return the pair at a place of the flat order."""
        index = np.unravel_index(place, self.shape)
        return _at(self.p, index), _at(self.q, index)


def _at(law: Density, index: tuple[Any, ...]) -> Density:
    if not isinstance(law, Densities):
        return law
    own = index[len(index) - len(law.shape) :]
    return law[tuple(0 if n == 1 else k for k, n in zip(own, law.shape, strict=True))]


Words = tuple[Status, str | None, str | None]  # status, method, reason


class _Column:
    """One divergence or derivative of every pair, as its elements become known.

    Most elements have the same words: each holds the place of its own among all.
    """

    def __init__(self, size: int) -> None:
        self.value, self.error = np.full(size, np.nan), np.full(size, np.inf)
        self.words: dict[Words, int] = {(Status.UNDETERMINED, None, None): 0}
        self.place_of_words = np.zeros(size, np.intp)
        self.chance = np.zeros(size)
        self.open = np.ones(size, bool)

    def take(self, value: Any, error: Any, method: str, where: Any = None) -> None:
        """Keep the sharp ones of new answers, to all elements or to those at some places."""
        sharp = np.isfinite(value) & (error <= SHARP * np.abs(value))
        self._keep_some(sharp, value, error, (Status.OK, method, None), where)
        if not sharp.all():
            endless = np.isposinf(value) & (error == 0)
            self._keep_some(endless, value, error, (Status.INFINITE, method, DIVERGES), where)

    def _keep_some(self, kept: Any, value: Any, error: Any, own_words: Words, where: Any) -> None:
        at: Any = slice(None) if where is None and kept.all() else np.nonzero(kept)[0]
        own = at if where is None else where[at]
        self.value[own], self.error[own] = value[at], error[at]
        self.place_of_words[own], self.open[own] = self._place(own_words), False

    def _place(self, own_words: Words) -> int:
        return self.words.setdefault(own_words, len(self.words))

    def keep(self, place: int, answer: Estimate) -> None:
        """Keep the answer to a pair that was asked on its own."""
        self.value[place], self.error[place] = answer.value, answer.error
        self.place_of_words[place] = self._place((answer.status, answer.method, answer.reason))
        self.chance[place] = answer.error_probability
        self.open[place] = False

    def shaped(self, shape: tuple[int, ...]) -> Estimates:
        """Return the column as arrays of a shape."""
        status, method, reason = (
            _objects(word)[self.place_of_words] for word in zip(*self.words, strict=True)
        )
        arrays = self.value, self.error, status, method, reason, self.chance
        return Estimates(*(array.reshape(shape) for array in arrays))


def _objects(items: Sequence[Any]) -> Any:
    found = np.empty(len(items), object)
    found[:] = items
    return found


def _by_formula(column: _Column, what: Asked, pairs: _Pairs, wrt: str | None) -> None:
    if not isinstance(what, Kernel) or what.known is None:
        return
    try:
        found = closed_forms(what.known, pairs.p, pairs.q, pairs.shape, wrt)
    except GantheoryError:  # no such parameter: the pair on its own says which there are
        return
    if found is not None:
        value, error = (np.ravel(np.broadcast_to(part, pairs.shape)) for part in found)
        column.take(value, np.where(np.isnan(error), np.inf, error), METHOD)


def _in_bulk(
    found: Mapping[tuple[int, str | None], _Column], asked: Mapping[int, Asked], pairs: _Pairs
) -> None:
    """Integrate what is open for all pairs at once, one moving parameter after the other."""
    kernels = {k: what for k, what in asked.items() if isinstance(what, Kernel)}
    moved: list[str | None] = list(dict.fromkeys(wrt for _, wrt in found if wrt)) or [None]
    values_too = True
    for wrt in moved:
        rows = _rows(pairs, wrt)
        if rows is None:
            continue
        keys = [
            (k, w) for k, w in found if k in kernels and (w == wrt or (w is None and values_too))
        ]
        keys = [key for key in keys if found[key].open.any() and is_served(kernels[key[0]], *rows)]
        values_too = False
        if not keys:
            continue
        places = np.nonzero(np.any([found[key].open for key in keys], axis=0))[0]
        wanted = [Wanted(kernels[k], w is not None) for k, w in keys]
        p, q = (row.take(places) for row in rows)
        for key, answer in zip(
            keys, integrate_twice(p, q, wanted, len(places), SHARP), strict=True
        ):
            still = found[key].open[places]
            found[key].take(answer.value[still], answer.error[still], BULK, places[still])


def _rows(pairs: _Pairs, wrt: str | None) -> tuple[Any, Any] | None:
    side, name = split_parameter(wrt) if wrt else ("", "")
    p = row_of(pairs.p, pairs.shape, name if side == "p" else None)
    q = row_of(pairs.q, pairs.shape, name if side == "q" else None)
    return None if p is None or q is None else (p, q)
