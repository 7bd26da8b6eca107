"""The records that stages hand on: how a thing is known, a number with its error, a verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, Context, Decimal
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantheory.shown import Overview, Shown

STEADY_DIGITS = 15  # of a float64: the last two depend on the machine's rounding


def number_text(value: float, error: float) -> str:
    """Return a finite number with its error, in as many digits as the error leaves it.

    What is printed holds as it is read: the error shown has the rounding of the number in it, a
    fortieth of the error or, at 15 digits, a half, and is rounded up.

    >>> number_text(0.1114, 3.1e-15), number_text(-0.0, 0.0), number_text(0.39367409, 3.9e-3)
    ('0.1114 ± 3.2e-15', '0 (exact)', '0.3937 ± 4.0e-03')
    >>> number_text(1 / 3, 1.9e-17), number_text(2.0, 1.4e-14)
    ('0.3333333333333333 ± 3.4e-17', '2 ± 1.4e-14')
    """
    shown = _shortest(value + 0.0, error)  # + 0.0: there is no minus 0 in prose
    if not error:
        return f"{shown} (exact)"
    if not math.isfinite(error):
        return f"{shown} ± {error}"
    return f"{shown} ± {_error_text(Decimal(error) + abs(Decimal(shown) - Decimal(value)))}"


def _shortest(value: float, error: float) -> str:
    """Return the fewest digits that the error allows, or the fewest that read as ``value``."""
    lead = math.log10(abs(value)) - math.log10(error) if value and 0 < error < math.inf else 1
    for digits in range(max(int(lead), 2), 17):
        shown, most = f"{value:.{digits}g}", error / (2 if digits == STEADY_DIGITS else 40)
        if float(shown) == value or abs(Decimal(shown) - Decimal(value)) <= Decimal(most):
            return shown
    return repr(value).removesuffix(".0")


def _error_text(error: Decimal) -> str:
    """Return two digits of an error, rounded up from four.

    >>> _error_text(Decimal(3.1e-15)), _error_text(Decimal("3.101e-15"))
    ('3.1e-15', '3.2e-15')
    """
    four = Context(prec=4).create_decimal(error)
    return f"{float(Context(prec=2, rounding=ROUND_CEILING).create_decimal(four)):.1e}"


class How(StrEnum):
    """How a statement is known. A weaker kind is never reported as a stronger one.

    >>> How("proved") is How.PROVED
    True
    """

    PROVED = "proved"  # exact algebra
    CERTIFIED = "certified"  # ball arithmetic over the whole domain
    ASSUMED = "assumed"  # derived from a theorem that is quoted, and computed nowhere here
    MEASURED = "measured"  # numbers that agree within stated errors or error probability
    REFUTED = "refuted"  # a counterexample, or a disagreement beyond the stated errors
    UNDECIDED = "undecided"  # with the reason


def weakest(known: Iterable[How]) -> How:
    """Return how several things together are known: undecided where there is none.

    >>> weakest([How.PROVED, How.MEASURED, How.ASSUMED]).value
    'measured'
    """
    return max(known, key=list(How).index, default=How.UNDECIDED)


def is_quoted(assumption: str) -> bool:
    """Return whether an assumption is a step in words: it names a theorem, or cites a source.

    >>> is_quoted("Fubini's theorem (Folland 1999, Real Analysis, 2.37)"), is_quoted("p > 0")
    (True, False)
    """
    return _QUOTED.search(assumption) is not None


_QUOTED = re.compile(
    r"\b(?:1[6-9]|20)\d\d\b|\b(?:theorem|lemma|proposition|corollary|duality|inequality|et al)\b"
    r"|by parts|Cauchy|H(?:ö|oe)lder",
    re.IGNORECASE,
)


class Status(StrEnum):
    """What became of an integration or a measurement.

    >>> Status("infinite") is Status.INFINITE
    True
    """

    OK = "ok"  # the value is right within its error
    INFINITE = "infinite"  # the value is infinite; the reason says why
    ILL_CONDITIONED = "ill_conditioned"  # right within its error, which is large for this question
    BLIND = "blind"  # an opaque density without structure: a spike may be missed
    UNDETERMINED = "undetermined"  # no value can be given; the reason says what to do


@dataclass(frozen=True, repr=False)
class Estimate(Shown):
    """A number that carries its error and how it was found.

    Attributes:
        value: the number, in nats where it is a divergence; ``inf`` is an answer, ``nan``
            accompanies ``Status.UNDETERMINED`` only.
        error: bound on ``abs(value - truth)``; with ``error_probability > 0`` the half-width
            of an interval that misses the truth with at most that probability.
        status: see `Status`.
        method: the route, e.g. ``"quadrature"``, ``"closed form"``, ``"monte carlo"``.
        reason: why the value is infinite, undetermined or ill conditioned.
        error_probability: 0 for deterministic routes.
        log_value: natural logarithm of a positive value, kept where the value may underflow.
        evaluations: how many points the integrand was evaluated at.
        warnings: what a reader must know before trusting the number.

    >>> print(Estimate(0.5, 1e-12))
    0.5 ± 1.0e-12
    """

    value: float
    error: float = 0.0
    status: Status = Status.OK
    method: str = "exact"
    reason: str | None = None
    error_probability: float = 0.0
    log_value: float | None = None
    evaluations: int = 0
    warnings: tuple[str, ...] = ()

    def __float__(self) -> float:
        return float(self.value)  # which may be one of NumPy's

    def as_dict(self) -> dict[str, Any]:
        """Return the stable JSON keys: the number, its error, and how it was found."""
        return {
            "value": self.value, "error": self.error, "status": self.status.value,
            "method": self.method, "reason": self.reason,
        }  # fmt: skip

    @property
    def is_finite(self) -> bool:
        """Whether the value is a finite number."""
        return math.isfinite(self.value)

    def overview(self) -> Overview:
        """Return the number with its error and its method, and what must be known of it."""
        odd = "" if self.status is Status.OK else self.status.value
        chance = f"{self.error_probability:g}" if self.error_probability else ""
        log_value = "" if self.log_value is None else f"{self.log_value:.15g}"
        rows = [
            ("method", self.method),
            ("status", odd),
            ("error probability", chance),
            ("log of the value", log_value),
            ("warnings", "; ".join(self.warnings)),
        ]
        return Overview(f"{self}, {self.method}", tuple(rows))

    def __str__(self) -> str:
        if self.status is Status.UNDETERMINED:
            return f"undetermined ({self.reason})"
        if self.status is Status.INFINITE:
            return f"{self.value} ({self.reason})"
        return number_text(self.value, self.error)

    @classmethod
    def infinite(cls, reason: str, method: str = "rule", sign: int = 1) -> Estimate:
        """Return an infinite answer with its reason."""
        return cls(sign * math.inf, 0.0, Status.INFINITE, method, reason)

    @classmethod
    def of_sum(
        cls, value: float, error: float, method: str, cause: str, *, evaluations: int = 0
    ) -> Estimate:
        """Return a sum or an integral, ill-conditioned for a ``cause`` where few digits are left.

        >>> Estimate.of_sum(1.0, 1e-3, "sum", "terms cancel").status
        <Status.ILL_CONDITIONED: 'ill_conditioned'>
        """
        careful = error <= 1e-9 * abs(value) or value == 0
        status = Status.OK if careful else Status.ILL_CONDITIONED
        log = math.log(value) if value > 0 else None
        reason = None if careful else cause
        return cls(value, error, status, method, reason, log_value=log, evaluations=evaluations)

    @classmethod
    def undetermined(cls, reason: str, method: str = "rule") -> Estimate:
        """Return an answer that is not known: the reason says what to do."""
        return cls(math.nan, math.inf, Status.UNDETERMINED, method, reason)


@dataclass(frozen=True, eq=False)
class Estimates(Shown):
    """Many numbers with their errors, each as in `Estimate`: arrays of one shape.

    ``status``, ``method`` and ``reason`` are arrays of objects; an index gives one `Estimate`.

    >>> from gantheory.integrals.dispatch import divergence
    >>> from gantheory.densities import density
    >>> divergence("tv", "normal(0, 1)", density("normal", loc=np.array([1.0, 2.0]))).shape
    (2,)
    """

    value: NDArray[Any]
    error: NDArray[Any]
    status: NDArray[Any]
    method: NDArray[Any]
    reason: NDArray[Any]
    error_probability: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of every array."""
        return self.value.shape

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Estimate | Estimates:
        found = [array[index] for array in (self.value, self.error, self.status, self.method,
                                            self.reason, self.error_probability)]  # fmt: skip
        if isinstance(found[0], np.ndarray):
            return Estimates(*found)
        value, error, status, method, reason, chance = found
        return Estimate(float(value), float(error), status, method, reason, float(chance))

    def __str__(self) -> str:
        known = self.value[np.isfinite(self.value)]
        parts = [f"{self.value.size} values of shape {self.shape}"]
        if known.size:
            parts.append(f"from {known.min():.6g} to {known.max():.6g}")
        parts += [
            f"{count} {status.value}"
            for status in Status
            if status is not Status.OK and (count := int(np.sum(self.status == status)))
        ]
        return ", ".join(parts)

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class Verdict(Shown):
    """What became of one statement, and how that is known.

    ``holds`` is None exactly when ``how`` is `How.UNDECIDED`, and False exactly when it is
    `How.REFUTED`. ``left`` and ``right`` are the two sides compared, as text or numbers, and
    ``relation`` is what the statement claims of them, such as "<=". What rests on a quoted
    theorem (`is_quoted`) is never known better than `How.ASSUMED`.

    >>> Verdict("tv <= 1", How.PROVED).holds
    True
    """

    statement: str
    how: How
    left: str | float | None = None
    right: str | float | None = None
    error: float | None = None
    error_probability: float = 0.0
    counterexample: str | None = None
    reason: str | None = None
    assumptions: tuple[str, ...] = ()
    relation: str = "="

    def __post_init__(self) -> None:
        """Cap how it is known at what is quoted."""
        capped = self.how in (How.PROVED, How.CERTIFIED) and any(map(is_quoted, self.assumptions))
        if capped:
            object.__setattr__(self, "how", How.ASSUMED)

    @property
    def holds(self) -> bool | None:
        """True, False, or None where undecided."""
        return {How.REFUTED: False, How.UNDECIDED: None}.get(self.how, True)

    def overview(self) -> Overview:
        """Return the statement with how it is known, and both sides, errors and reasons."""
        sides = {"found": self.left, "theory": self.right, "error": self.error}
        rows = [(name, f"{one:.10g}" if isinstance(one, float) else str(one))
                for name, one in sides.items() if one is not None]  # fmt: skip
        rows += [("counterexample", self.counterexample or ""), ("because", self.reason or ""),
                 ("assuming", "; ".join(self.assumptions))]  # fmt: skip
        return Overview(f"{self.how}: {self.statement}", tuple(rows))

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict under its stable JSON keys."""
        return {"holds": self.holds, **asdict(self)}
