"""Many laws of one family at once: a parameter given as an array makes one law an element."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from gantheory.densities.base import (
    Array,
    Density,
    Domain,
    families_by_name,
    make,
    parameter_text,
    refuse_unreal,
)
from gantheory.errors import GantheoryError


@dataclass(frozen=True, eq=False)
class Densities(Density):
    """Laws of one family, one for each element of its parameters broadcast together.

    >>> import gantheory
    >>> laws = gantheory.density("normal", loc=[0, 1, 2], scale=1)
    >>> print(laws, laws[1])
    normal(loc=<array of shape (3,)>, scale=1) normal(1, 1)
    """

    name: ClassVar[str] = "densities"
    family: type[Density]
    given: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.given)

    @property
    def size(self) -> int:
        """How many laws there are."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def broadcast(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return a parameter of every law, broadcast to a shape."""
        return np.broadcast_to(np.asarray(self.given[name], float), shape)

    def __getitem__(self, index: Any) -> Density:
        """Return one law, or those of a slice."""
        found = {
            key: np.broadcast_to(value, self.shape)[index]
            if isinstance(value, np.ndarray)
            else value
            for key, value in self.given.items()
        }
        arrays = [value for value in found.values() if isinstance(value, np.ndarray)]
        if not arrays or not arrays[0].shape:
            return self.family(**{k: float(v) if is_number(v) else v for k, v in found.items()})
        return Densities(self.family, found, arrays[0].shape)

    def logpdf(self, x: ArrayLike) -> Array:
        """Return the log-density of every law at points that broadcast with the laws."""
        x = np.asarray(x, float)
        shape = np.broadcast_shapes(x.shape, self.shape)
        points, out = np.broadcast_to(x, shape), np.empty(shape)
        where = np.broadcast_to(np.arange(self.size).reshape(self.shape), shape)
        for k, index in enumerate(np.ndindex(self.shape)):
            out[where == k] = self[index].logpdf(points[where == k])
        return out

    def __str__(self) -> str:
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in self.given.items())
        return f"{self.family.name}({shown})"

    __repr__ = __str__


def is_number(value: Any) -> bool:
    """Whether a parameter is one number, of Python or of numpy."""
    return isinstance(value, int | float | np.floating | np.integer) or (
        isinstance(value, np.ndarray) and not value.shape
    )


def _shown(value: Any) -> str:
    return (
        f"<array of shape {value.shape}>"
        if isinstance(value, np.ndarray)
        else parameter_text(value)
    )


def laws(name: str, **parameters: Any) -> Density:
    """Return the law of a family, or its laws where a parameter is an array; see `Densities`.

    Raises:
        GantheoryError: for an element outside of its domain, for arrays that do not broadcast, and
            where two parameters of an element do not go together.
    """
    family = families_by_name().get(name.casefold()) if isinstance(name, str) else None
    declared = dataclasses.fields(family) if family else ()  # type: ignore[arg-type]
    found = {
        f.name: numbers
        for f in declared
        if f.name in parameters
        and (numbers := _numbers(f"{name}: {f.name}", f, parameters[f.name])) is not None
    }
    first = make(name, **(parameters | {key: float(array.flat[0]) for key, array in found.items()}))
    return _gathered(type(first), first.parameters, found) if found else first


def _numbers(what: str, declared: dataclasses.Field[Any], value: Any) -> Array | None:
    """Return the array that is given for a parameter of one number, or None for anything else."""
    domain: Domain | None = declared.metadata.get("domain")
    if domain is None or str(declared.type) != "float" or isinstance(value, str | bytes | Density):
        return None
    if not (isinstance(value, Sequence) or hasattr(value, "__array__")):
        return None
    refuse_unreal(what, value)
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "fiub":  # of complex numbers numpy would keep the real part
            raise TypeError
        numbers = given.astype(float)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        kind = type(value).__name__
        raise GantheoryError(
            f"{what} of type {kind} is not a number, nor an array of such"
        ) from None
    if not numbers.shape:
        return None
    if not numbers.size:
        raise GantheoryError(f"{what} is an empty array")
    _check(what, numbers, domain)
    return numbers


def _check(what: str, numbers: Array, domain: Domain) -> None:
    with np.errstate(invalid="ignore"):
        inside = (numbers > domain.lower) & (numbers < domain.upper)
        if domain.closed:
            inside = ~np.isnan(numbers)
        if domain.integer:
            inside &= numbers == np.floor(numbers)
    if inside.all():
        return
    place = np.unravel_index(int(np.argmin(inside)), numbers.shape)
    (family, _, name), value = what.partition(": "), float(numbers[place])
    spelled = f"{name}[{', '.join(map(str, place))}]"
    if np.isnan(value):
        raise GantheoryError(f"{family}: {spelled} is not a number (nan)")
    domain.check(family, spelled, value)


def _gathered(
    family: type[Density], values: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Densities:
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        sizes = ", ".join(f"{key} {array.shape}" for key, array in arrays.items())
        raise GantheoryError(f"{family.name}: arrays of shapes {sizes} do not broadcast") from None
    found = Densities(family, {**values, **arrays}, shape)
    if hasattr(family, "__post_init__"):  # it may compare parameters: uniform(a, b) wants a < b
        for index in np.ndindex(shape):
            try:
                found[index]
            except GantheoryError as error:
                raise GantheoryError(f"element {index}: {error}") from None
    return found
