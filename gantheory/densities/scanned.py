"""A user's log-density looked at on a grid around the stated centers.

What no integral shows is found here: a place where the density is no number, a jump that is no
stated kink, a center from which the density rises, and a width that is not that of its bump. A
stretch without numbers is found wherever it holds a part of 2^-15 of the mass, or more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gantheory.densities.base import Array
from gantheory.densities.declared import called, refining
from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.densities.user import OwnDensity

WIDE = 12.0  # widths on both sides of a center that are looked at closely
EVEN = np.arange(-768, 769) / 64
FINE = np.unique(np.concatenate([EVEN, np.arange(-120, 121) / 10]))
FAR = 2.0 ** np.linspace(math.log2(WIDE), 20, 100)
NEAR = 2.0 ** np.linspace(-40, 0, 321)
RISES = math.log(16)  # by more than that a density does not rise away from the center of a bump
FLAT = 0.05  # nats over thirty widths on both sides: no bump of that width
COUNTS = 46.0  # nats below the largest value: what is less does not count
JUMP = 1e-5  # nats, and that times the log-density: more than single precision
SUSPECTS = 16  # intervals of the grid that are looked into for jumps
PARTS = 15  # powers of 2: of the mass, each of which is looked at


def scan(law: OwnDensity) -> None:
    """Raise where a log-density is not what its centers, kinks and support let one expect."""
    for center, width in law.stated:
        x = _grid(law, center, width)
        value = _at(law, x)
        _check_numbers(law, x, value, width)
        _check_center(law, center, width)
        _check_width(law, center, width)
        _check_jumps(law, center, width)
    if law.stated:
        _check_parts(law)


def _at(law: OwnDensity, x: Array) -> Array:
    """Return the log-density, which is -inf outside of the support."""
    low, high = law.interval
    within = (x > low) & (x < high)
    value = called(law, "its log-density", law.log_function, np.where(within, x, law.centers[0][0]))
    return np.where(within, value, -np.inf)


def _grid(law: OwnDensity, center: float, width: float) -> Array:
    """Return places around a center, round numbers among them, inside the support."""
    x = center + width * FINE
    digits = -math.floor(math.log10(width))
    if abs(digits) < 300:
        x = np.concatenate([x, np.round(x, digits), np.round(x, digits + 1)])
    low, high = law.interval
    return np.unique(x[(x > low) & (x < high)] + 0.0)  # without -0


def _check_numbers(law: OwnDensity, x: Array, value: Array, width: float) -> None:
    for place in x[np.isnan(value)][:1]:
        raise GantheoryError(
            f"{law}: its log-density is nan at x={place:.6g}, inside its support; "
            "return finite numbers there, or state the support where it is positive"
        )
    for place in x[value == np.inf][:5]:
        steps = width * np.array([1e-8, 1e-3])
        near, away = (max(_at(law, place + s * np.array([-1.0, 1.0]))) for s in steps)
        pole = math.isfinite(near) and near > away + 1
        if pole and place in law.kinks:
            continue
        raise GantheoryError(
            f"{law}: its log-density is inf at x={place:.6g}, inside its support; "
            + ("name that place in kinks" if pole else "return finite numbers there")
        )


def _check_parts(law: OwnDensity) -> None:
    """Raise where it is no number, or nothing, on a stretch that holds some part of the mass."""
    grids = [np.append(_grid(law, c, w), _far(law, c, w)) for c, w in law.stated]
    x = np.unique(np.concatenate(grids))
    value = _at(law, x)
    top = np.max(value[np.isfinite(value)])
    height = np.exp(np.where(np.isfinite(value), np.minimum(value - top, 0.0), -np.inf))
    mass = np.append(0.0, np.cumsum(np.diff(x) * (height[1:] + height[:-1]) / 2))
    for share in refining(PARTS):
        places = np.interp(mass[-1] * share, mass, x)
        value = _at(law, places)
        _check_numbers(law, places, value, law.stated[0][1])
        law.logpdf(places[np.isneginf(value)])  # raises where it is so on a stretch


def _far(law: OwnDensity, center: float, width: float) -> Array:
    """Return places of the support further out than what is looked at closely."""
    x = center + width * np.concatenate([-FAR, FAR])
    return x[(x > law.interval[0]) & (x < law.interval[1])]


def _check_center(law: OwnDensity, center: float, width: float) -> None:
    """Raise where the density rises away from a center, and no other center tells why."""
    low, high = law.interval
    shells = np.arange(-12, 12)
    places = center + width * (shells[:, None] + (np.arange(16) + 0.5) / 16)
    value = _at(law, places.ravel()).reshape(places.shape)
    inner = (shells >= -1) & (shells < 1)
    level = _mean(value[inner].ravel())
    if level == -math.inf:
        raise GantheoryError(
            f"{law}: it vanishes at its center ({center:g}, {width:g}); state where it has a bump"
        )
    whole = (center + width * shells >= low) & (center + width * (shells + 1) <= high)
    middles = center + width * (shells + 0.5)
    far = center + width * np.concatenate([-FAR[::-1], FAR])
    high_up = [
        (middles[k], _mean(value[k]))
        for k in np.flatnonzero(whole & ~inner & ~_explained(law, middles, center))
    ]
    kept = far[(far > low) & (far < high) & ~_explained(law, far, center)]
    edge = np.minimum(kept - low, high - kept) > width
    high_up += list(zip(kept[edge], _at(law, kept[edge]), strict=True))
    for place, there in high_up:
        if there > level + RISES:
            raise GantheoryError(
                f"{law}: it is {math.exp(min(there - level, 700)):.3g} times as high near "
                f"x={place:.6g} as at its center ({center:g}, {width:g}); state every bump as "
                "(location, width)"
            )


def _mean(value: Array) -> float:
    """Return the log of the mean density."""
    top = float(np.max(value))
    return top if math.isinf(top) else top + math.log(float(np.mean(np.exp(value - top))))


def _explained(law: OwnDensity, x: Array, own: float) -> Array:
    """Return which places lie near another center."""
    found = np.zeros(len(x), bool)
    for center, width in law.stated:
        if center != own:
            found |= np.abs(x - center) <= 2 * WIDE * width
    return found


def _check_width(law: OwnDensity, center: float, width: float) -> None:
    """Raise where a bump is a thousand times as narrow, or flat for thirty widths around."""
    if any(c != center and abs(c - center) < 40 * width for c, _ in law.stated):
        return
    both = [center + side * width * NEAR for side in (-1.0, 1.0)]
    value = [_at(law, x) for x in both]
    top = max(float(v.max()) for v in value)
    with np.errstate(invalid="ignore"):  # it may be infinite
        mass = [np.cumsum(np.exp(v - top) * NEAR) for v in value]
    held = sum(float(m[np.searchsorted(NEAR, 1e-3)]) for m in mass) / sum(m[-1] for m in mass)
    around = center + width * np.linspace(-30, 30, 61)
    flat = around[0] > law.interval[0] and around[-1] < law.interval[1]
    seen = _at(law, around)
    flat = bool(flat and np.isfinite(seen).all() and np.ptp(seen) < FLAT)
    if held > 0.9 or flat:
        said = (
            f"hardly changes within thirty times {width:g}"
            if flat
            else f"has nearly all of its mass within a thousandth of {width:g}"
        )
        raise GantheoryError(
            f"{law}: around its center {center:g} it {said}; state the width of that bump"
        )


def _check_jumps(law: OwnDensity, center: float, width: float) -> None:
    """Raise where a log-density jumps and no kink is stated."""
    x = center + width * EVEN
    x = x[(x > law.interval[0]) & (x < law.interval[1])]
    if len(x) < 8:
        return
    value = _at(law, x)
    with np.errstate(invalid="ignore"):
        grown = np.diff(value)
        usual = (np.roll(grown, 2) + np.roll(grown, -2)) / 2
        odd = np.where(value[1:] > value.max() - COUNTS, np.abs(grown - usual), 0.0)
        odd = np.where(np.isfinite(odd), odd, 0.0)
        share = odd / (np.abs(usual) + 1e-9)
        k = np.union1d(np.argsort(odd)[-SUSPECTS:], np.argsort(share)[-SUSPECTS:])
        where, jump = _narrowed(law, x[k], x[k + 1], usual[k] / (x[k + 1] - x[k]), width)
    for place, size in zip(where, jump, strict=True):
        if not any(abs(place - kink) <= 1e-6 * width for kink in law.kinks):
            raise GantheoryError(
                f"{law}: its log-density jumps by {size:.3g} at x={place:.6g}; name every such "
                "place in kinks"
            )


def _narrowed(
    law: OwnDensity, low: Array, high: Array, rate: Array, width: float
) -> tuple[Array, Array]:
    """Return where a log-density jumps in intervals, and by how much, by bisection.

    The half is kept in which it changes most, less what it usually does at that ``rate``.
    """
    at_low, at_high = _at(law, low), _at(law, high)
    for _ in range(60):
        middle = 0.5 * (low + high)
        wide = (middle > low) & (middle < high) & (high - low > 1e-12 * width)
        if not wide.any():
            break
        there = _at(law, middle)
        usual = rate * (high - low) / 2
        first = np.abs(there - at_low - usual) > np.abs(at_high - there - usual)
        low, at_low = np.where(wide & ~first, (middle, there), (low, at_low))
        high, at_high = np.where(wide & first, (middle, there), (high, at_high))
    step = np.maximum(high - low, np.spacing(np.abs(low)))
    beside = [np.abs(_at(law, low - step) - at_low), np.abs(_at(law, high + step) - at_high)]
    jump = np.abs(at_high - at_low)
    found = np.isfinite(jump) & (jump > JUMP * (1 + np.abs(at_low)) + 50 * np.maximum(*beside))
    return low[found], jump[found]
