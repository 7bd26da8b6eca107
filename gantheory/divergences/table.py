"""The named divergences by name, and from what a person types to an entry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cache

from gantheory.divergences.kullback import JEFFREYS, KULLBACK_LEIBLER
from gantheory.divergences.middle import JSD_GAP, MIDDLE
from gantheory.divergences.powers import power_divergence
from gantheory.divergences.record import Complement, FDivergence
from gantheory.divergences.squares import AFFINITY, SQUARES, TV_GAP
from gantheory.errors import GantheoryError
from gantheory.naming import E, find_entry, folded

DIVERGENCES: dict[str, FDivergence] = {
    entry.name: entry for entry in (*KULLBACK_LEIBLER, *MIDDLE, *SQUARES, JEFFREYS)
}
COMPLEMENTS: dict[str, Complement] = {entry.name: entry for entry in (JSD_GAP, TV_GAP, AFFINITY)}

_NUMBER = r"-?\d{1,6}(?:\.\d{1,12})?(?:/\d{1,6})?"
_POWER = re.compile(rf"(?:power|alpha)_(?:({_NUMBER})|\(({_NUMBER})\))", re.IGNORECASE)
_CALLED = re.compile(r"\W.*|_?\d.*", re.DOTALL)  # an order after a name: renyi(2), renyi_0.5
# what people ask for by name that is a function of an entry, or between samples alone
_RELATIVES = {
    "renyi": "Rényi's of order a is log(1 + a*(a - 1)*D)/(a - 1) of D = power_<a>",
    "rényi": "Rényi's of order a is log(1 + a*(a - 1)*D)/(a - 1) of D = power_<a>",
    "tsallis": "Tsallis's of order a is a times power_<a>",
    "fid": "FID is the square of w2 between normal laws that are fitted to features",
    "ks": "it is the largest gap of two distribution functions, between files of samples",
    "slicedw": "sliced distances are between files of samples",
}
_ORDERLESS = re.compile(r"\s*(?:power|alpha)(?:_|\b)", re.IGNORECASE)


def find_divergence(typed: str) -> FDivergence | Complement:
    """Return the entry that people call ``typed``: by name, title or alias, in any case.

    ``power_<alpha>`` is the power divergence of any rational order.

    Raises:
        GantheoryError: for a name of several, which are then listed with what each is, or of none.

    >>> find_divergence("KL(P||Q)").name, find_divergence("JS").name
    ('kl_pq', 'jsd')
    >>> find_divergence("power_0.5").f
    '(r**(1/2) - 1 - (1/2)*(r - 1))/((1/2)*((1/2) - 1))'
    """
    nothing_else: tuple[FDivergence, ...] = ()
    return find_among(typed, nothing_else)


def find_among(typed: str, others: Iterable[E]) -> FDivergence | Complement | E:
    """Return the divergence, or one of the ``others``, that people call ``typed``."""
    if typed in DIVERGENCES:
        return DIVERGENCES[typed]
    if match := _POWER.fullmatch(typed.strip()):
        return power(_fraction(match[1] or match[2], typed))
    if _ORDERLESS.match(typed):
        raise GantheoryError(f"divergence {typed[:60]!r} has no order; write it like power_0.3")
    relative = _RELATIVES.get(folded(_CALLED.sub("", typed)))
    if relative is not None:
        raise GantheoryError(f"unknown divergence {typed[:60]!r}; {relative}")
    table: list[FDivergence | Complement | E]
    table = [*DIVERGENCES.values(), *COMPLEMENTS.values(), *others]
    return find_entry("divergence", typed, table, also=("power_<alpha>",))


def named(typed: str) -> FDivergence:
    """Return the f-divergence that people call ``typed``: see `find_divergence`.

    >>> named("power_1").name
    'kl_pq'
    """
    entry = find_divergence(typed)
    if isinstance(entry, FDivergence):
        return entry
    raise GantheoryError(f"{entry.name!r} is no f-divergence: it is {entry.meaning}")


@cache
def power(alpha: Fraction) -> FDivergence:
    """Return the power divergence of order ``alpha``; of order 1 and 0 the two KL divergences."""
    if alpha in (0, 1):
        return DIVERGENCES["kl_pq" if alpha == 1 else "kl_qp"]
    return power_divergence(alpha)


def in_catalogue(entry: FDivergence | Complement | None) -> bool:
    """Whether an entry is the one that its name stands for."""
    if entry is None:
        return False
    if entry.name in COMPLEMENTS:
        return COMPLEMENTS[entry.name] == entry
    if entry.name in DIVERGENCES:
        return DIVERGENCES[entry.name] == entry
    return (
        isinstance(entry, FDivergence)
        and entry.power is not None
        and (entry == power(entry.power[0]))
    )


def with_stable(entry: FDivergence) -> FDivergence:
    """Return an entry, or the catalogue's of the same name and f where it has no stable form."""
    twin = DIVERGENCES.get(entry.name)
    return twin if entry.stable is None and twin and twin.f == entry.f else entry


def _fraction(text: str, name: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    try:
        return Fraction(numerator) / Fraction(denominator or "1")
    except ZeroDivisionError:
        raise GantheoryError(f"divergence {name!r} divides by zero") from None
