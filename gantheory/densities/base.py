"""What every density offers, in any dimension, and the registry of families."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantheory.densities.inherited import disown
from gantheory.errors import GantheoryError, shown, unknown_name
from gantheory.shown import html_table

Array = NDArray[Any]


@dataclass(frozen=True)
class Domain:
    """The legal interval of a parameter, open at its ends unless ``closed``.

    ``typical`` is the range from which random tests draw.
    """

    lower: float
    upper: float
    typical: tuple[float, float]
    integer: bool = False
    closed: bool = False

    def check(self, family: str, name: str, value: float) -> None:
        """Raise `GantheoryError` where ``value`` is illegal, naming it and the legal interval."""
        inside = self.lower < value < self.upper or (self.closed and not math.isnan(value))
        if not inside or (self.integer and value != int(value)):
            raise GantheoryError(f"{family}: {name}={value:g} must be {self._wanted(value)}")

    def _wanted(self, value: float) -> str:
        """Return what a number must be instead of an illegal value.

        >>> POSITIVE._wanted(-2), POSITIVE._wanted(1e200), SHAPE._wanted(math.inf)
        ('positive', 'less than 1e+150', 'finite')
        """
        whole = "a whole number " if self.integer else ""
        if value <= 0 <= self.lower <= TINY:
            return "a positive whole number" if self.integer else "positive"
        if value <= self.lower:
            return f"{whole}greater than {self.lower:g}" if math.isfinite(self.lower) else "finite"
        if value >= self.upper:
            return f"{whole}less than {self.upper:g}" if math.isfinite(self.upper) else "finite"
        return whole.strip()


TINY = 0.1  # a lower limit up to here stands for 0 in what is said of numbers below 0
REAL = Domain(-math.inf, math.inf, (-3.0, 3.0))
POSITIVE = Domain(1e-150, 1e150, (0.2, 5.0))  # whose squares and quotients binary64 can hold
# Shapes below this leave mass beyond every distance that binary64 can tell from infinity or 0.
SHAPE = Domain(1e-9, math.inf, (0.2, 5.0))


def parameter(domain: Domain | None, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare a parameter: its legal domain and typical range travel with the field."""
    return field(default=default, metadata={"domain": domain})


class Density:
    """A probability density (or, for discrete laws, a mass function) with known structure.

    Families are frozen dataclasses whose fields are the parameters; ``str`` of a density is text
    that `gantheory.densities.parse_density` reads back. A class derived from a family that changes
    its law keeps nothing of what was known of that law; see `gantheory.densities.inherited`.
    """

    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    dim: int = 1
    known_alone: ClassVar[type]  # what holds of a law of this kind whose density alone is known
    known_of: ClassVar[type]  # of a class that changes the law of a family: that family
    wraps: ClassVar[str] = "logpdf"  # the method from which every answer is computed
    wrappers: ClassVar[frozenset[str]] = frozenset({"pdf"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        disown(cls)
        taken = FAMILIES.get(cls.name, cls)
        if not issubclass(cls, taken) and _place(cls) != _place(taken):
            raise GantheoryError(
                f"{cls.__name__}: {cls.name!r} is the name of another law; choose one of its own"
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name, in the order in which they are written."""
        return {name: getattr(self, name) for name in _parameter_names(type(self))}  # type: ignore[arg-type]

    def replace(self, **changes: Any) -> Self:
        """Return this law with some parameters changed."""
        return build_density(type(self), self.parameters | changes)

    @property
    def support(self) -> Any:
        """Where the density is positive: in 1-D the smallest interval that holds all the mass."""
        raise NotImplementedError

    @property
    def breakpoints(self) -> Any:
        """Every place at which an integral must be split."""
        raise NotImplementedError

    def logpdf(self, x: ArrayLike) -> Array:
        """Return the natural logarithm of the density at ``x``; -inf outside of the support."""
        raise NotImplementedError

    def pdf(self, x: ArrayLike) -> Array:
        """Return the density at ``x``."""
        return np.exp(self.logpdf(x))

    def sample(self, rng: np.random.Generator | int, n: int) -> Array:
        """Return ``n`` independent draws, of shape ``(n,)`` in 1-D and ``(n, dim)`` otherwise."""
        raise GantheoryError(f"{self}: no way to draw from it is known")

    def score(self, name: str, x: ArrayLike) -> Array:
        """Return the derivative of the log-density in the parameter ``name`` at ``x``."""
        raise GantheoryError(f"{self}: no score is known for the parameter {name!r}")

    def _repr_html_(self) -> str:
        rows = (("family", self.name), ("parameters", ", ".join(self.parameters)),
                ("dimensions", str(self.dim)))  # fmt: skip
        return html_table(str(self), rows)

    def __str__(self) -> str:
        return (
            f"{self.name}({', '.join(parameter_text(value) for value in self.parameters.values())})"
        )


@lru_cache(maxsize=1024)
def _parameter_names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def _place(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


class _Alone:
    """What holds of any law of which the density alone is known: it has no draws and no scores."""

    __str__ = Density.__str__
    sample = Density.sample
    score = Density.score


Density.known_alone = _Alone


def parameter_text(value: Any) -> str:
    """Return a parameter as `parse_density` reads it.

    >>> parameter_text((0.5, 2.0))
    '(0.5, 2)'
    """
    if value is None or isinstance(value, str | Density):
        return str(value)
    if isinstance(value, Sequence):
        return f"({', '.join(parameter_text(v) for v in value)}{',' if len(value) == 1 else ''})"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


D = TypeVar("D", bound=Density)
Family = TypeVar("Family", bound=type[Density])
FAMILIES: dict[str, type[Density]] = {}


def register_family(family: Family) -> Family:
    """Enter a family into the registry under its name."""
    FAMILIES[family.name] = family
    return family


def generator(rng: np.random.Generator | int) -> np.random.Generator:
    """Return ``rng`` itself, or the generator seeded by it."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)


def families_by_name() -> dict[str, type[Density]]:
    """Return every family under its name and its aliases.

    >>> families_by_name()["gaussian"].name
    'normal'
    """
    aliases = {alias: family for family in FAMILIES.values() for alias in family.aliases}
    return aliases | FAMILIES


def make(name: str, **parameters: Any) -> Density:
    """Return the density of the family ``name``; see `gantheory.density`."""
    known = families_by_name()
    if name.casefold() not in known:
        raise unknown_name("density", name, known)
    return build_density(known[name.casefold()], parameters)


def build_density(family: type[D], parameters: Mapping[str, Any]) -> D:
    """Return ``family(**parameters)`` after every parameter has been checked."""
    declared = {f.name: f for f in dataclasses.fields(family)}  # type: ignore[arg-type]
    for name in parameters:
        if name not in declared:
            raise unknown_name(f"parameter of {family.name}", name, declared)
    values = {}
    for name, f in declared.items():
        if name in parameters:
            refuse_unreal(f"{family.name}: {name}", parameters[name])
            values[name] = _checked(family.name, f, parameters[name])
        elif f.default is dataclasses.MISSING:
            raise GantheoryError(f"{family.name} needs {name}; write it like {_signature(family)}")
    return family(**values)


def in_order(name: Any, values: Sequence[Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a family's parameters by name, where the first are given without theirs.

    Raises:
        GantheoryError: where there are more than the family has, one is given twice, or ``name``
            is a whole law.
    """
    family = families_by_name().get(name.casefold()) if isinstance(name, str) else None
    if not values:
        return dict(parameters)
    if family is None:
        raise GantheoryError(
            f"{shown(name)} is no family that takes parameters; write normal(0, 1)"
        )
    names = [f.name for f in dataclasses.fields(family)]  # type: ignore[arg-type]
    twice = parameters.keys() & set(names[: len(values)])
    if len(values) > len(names) or twice:
        said = f"{min(twice)} twice" if twice else f"{len(values)} parameters"
        raise GantheoryError(f"{family.name}: {said}; write it like {_signature(family)}")
    return {**dict(zip(names, values, strict=False)), **parameters}


def _signature(family: type[Density]) -> str:
    return f"{family.name}({', '.join(f.name for f in dataclasses.fields(family))})"  # type: ignore[arg-type]


def refuse_unreal(what: str, value: Any) -> None:
    """Raise for masked or complex numbers, of which NumPy would keep what is hidden, or a part."""
    kept = isinstance(value, np.ndarray) and value.dtype != object
    items = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else ()
    nested = [] if kept else [item for item in items if not isinstance(item, float | int)]
    if np.ma.is_masked(value):
        raise GantheoryError(f"{what} is masked; fill it, or drop what is masked")
    if isinstance(value, complex) or (kept and value.dtype.kind == "c"):
        raise GantheoryError(f"{what} must be real, not complex")
    for item in nested:
        if item is not value:
            refuse_unreal(what, item)


def _checked(family: str, declared: dataclasses.Field[Any], value: Any) -> Any:
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value.item()
    domain = declared.metadata.get("domain")
    if domain is None:  # the family checks what is no number itself
        return value
    listed = str(declared.type).startswith("tuple")
    if listed and isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return tuple(_number(family, declared.name, item, domain) for item in value)
    return _number(family, declared.name, value, domain)


def _number(family: str, name: str, value: Any, domain: Domain) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise GantheoryError(f"{family}: {name}={shown(value)} is not a number") from None
    if math.isnan(number):
        raise GantheoryError(f"{family}: {name} is not a number (nan)")
    domain.check(family, name, number)
    return number
