"""Small games of two players: equilibria and behaviour of random games, against our own orbits.

Gradients are differences in complex steps, zeros are Newton's from a grid of starts, and orbits
are run with rules written here. A verdict is of a neighbourhood of one equilibrium.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.campaigns.outcome import Outcome, figures_of, timed
from benchmarks.figures import Figure

FIRST = 40_000
SECONDS = 120
COUPLED = ("x*y", "x*y", "x*y", "x*y**2", "x**2*y", "sin(x)*y", "tanh(x)*y", "x*y**3", "exp(x)*y")
ALONE = ("{}**2/2", "{}**2/2", "{}**4/4", "{}**3/3", "{}**2/2 - {}**4/4", "exp({}) - {}", "cos({})",
         "softplus({}) - {}/2", "tanh({})", "{}", "{}**6/6", "0*{}")  # fmt: skip
METHODS = ("simultaneous", "alternating", "extragradient", "optimistic", "flow")
STEPS = ("1/100", "1/20", "1/10", "1/4", "1/2")
NEAR = 1e-3  # where orbits start, from the equilibrium
LONG = 20_000  # steps of an orbit
FUNCTIONS = {"sin": np.sin, "cos": np.cos, "exp": np.exp, "tanh": np.tanh}
Field = Callable[[Any, Any], tuple[Any, Any]]


def draw(r: random.Random) -> tuple[str, Callable[[Any, Any], Any]]:
    """Return the value of a game as text, and as a function of complex numbers."""
    parts = [(r.choice(["1", "1", "-1", "1/2", "2"]), r.choice(COUPLED))]
    for name, sign in (("x", "1"), ("y", "-1")):
        for _ in range(r.choice([0, 1, 1, 2])):
            size = r.choice([sign, sign, f"{sign}/3", f"{sign}*2", "1/5", "-1/5"])
            parts.append((size, r.choice(ALONE).format(name, name)))
    text = " + ".join(f"({size})*({term})" for size, term in parts)
    return text, lambda x, y: sum(_number(size) * _term(term, x, y) for size, term in parts)


def _number(text: str) -> float:
    if "/" in text:
        above, below = text.split("/")
        return float(above) / float(below)
    return float(np.prod([float(part) for part in text.split("*")]))


def _term(term: str, x: Any, y: Any) -> Any:
    """Return one of the terms above, by its parts: powers, functions and differences."""
    total: Any = 0.0
    for k, part in enumerate(term.split(" - ")):
        total = total + (1 if k == 0 else -1) * _product(part, x, y)
    return total


def _product(term: str, x: Any, y: Any) -> Any:
    value: Any = 1.0
    term, _, below = term.partition("/")
    for factor in term.replace("**", "^").split("*"):
        base, _, exponent = factor.partition("^")
        head, _, inner = base.rstrip(")").partition("(")
        z = {"x": x, "y": y}.get(inner or head)
        if z is None:
            value = value * float(head)
        elif head == "softplus":
            value = value * np.log(1 + np.exp(z))
        elif inner:
            value = value * FUNCTIONS[head](z)
        else:
            value = value * z ** int(exponent or 1)
    return value / float(below or 1)


def field_of(value: Callable[[Any, Any], Any]) -> Field:
    """Return the direction in which both players move: x downhill, y uphill."""
    tiny = 1e-30

    def field(x: Any, y: Any) -> tuple[Any, Any]:
        down = np.imag(value(x + 1j * tiny, y + 0j)) / tiny
        up = np.imag(value(x + 0j, y + 1j * tiny)) / tiny
        return -down + 0 * x, up + 0 * y

    return field


def zeros(field: Field, box: float = 3.0) -> list[tuple[float, float]]:
    """Return where Newton's method from a grid of starts finds isolated zeros in a box."""
    x, y = (z.ravel() for z in np.meshgrid(*[np.linspace(-box, box, 41)] * 2))
    h = 1e-6
    with np.errstate(all="ignore"):
        for _ in range(60):
            f, g = field(x, y)
            fx, gx = (np.array(field(x + h, y)) - field(x - h, y)) / (2 * h)
            fy, gy = (np.array(field(x, y + h)) - field(x, y - h)) / (2 * h)
            det = fx * gy - fy * gx
            x, y = x - (gy * f - fy * g) / det, y - (fx * g - gx * f) / det
        f, g = field(x, y)
        fine = (np.abs(f) + np.abs(g) < 1e-13) & (np.abs(det) > 1e-4)
        fine &= (np.abs(x) < box) & (np.abs(y) < box)
    places = np.round(np.stack([x[fine], y[fine]], axis=1), 6) + 0.0
    return sorted({(float(a), float(b)) for a, b in places})


def orbit(field: Field, method: str, step: float, x: Any, y: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what a rule makes of many starts at once."""
    f, g = before = field(x, y)
    for _ in range(LONG):
        f, g = field(x, y)
        if method == "simultaneous":
            x, y = x + step * f, y + step * g
        elif method == "alternating":
            x = x + step * f
            y = y + step * field(x, y)[1]
        elif method == "extragradient":
            f, g = field(x + step * f, y + step * g)
            x, y = x + step * f, y + step * g
        elif method == "optimistic":
            x, y = x + step * (2 * f - before[0]), y + step * (2 * g - before[1])
            before = f, g
        else:
            x, y = _runge_kutta(field, x, y, 0.05)
        yield x, y


def _runge_kutta(field: Field, x: Any, y: Any, h: float) -> tuple[Any, Any]:
    a = field(x, y)
    b = field(x + h / 2 * a[0], y + h / 2 * a[1])
    c = field(x + h / 2 * b[0], y + h / 2 * b[1])
    d = field(x + h * c[0], y + h * c[1])
    return tuple(z + h / 6 * (a[k] + 2 * b[k] + 2 * c[k] + d[k]) for k, z in enumerate((x, y)))  # type: ignore[return-value]


def distances(field: Field, method: str, step: float, at: tuple[float, float]) -> tuple[Any, Any]:
    """Return the greatest and the last distance of orbits that start near a point, over NEAR."""
    angle = np.linspace(0.1, 2 * np.pi + 0.1, 8, endpoint=False)
    start = at[0] + NEAR * np.cos(angle), at[1] + NEAR * np.sin(angle)
    greatest = last = np.ones(8)
    with np.errstate(all="ignore"):
        for x, y in orbit(field, method, step, *start):
            last = np.hypot(x - at[0], y - at[1]) / NEAR
            greatest = np.fmax(greatest, np.where(np.isnan(last), np.inf, last))
            if np.all(greatest > 100) or np.all(last < 0.01):
                break
    return greatest, np.where(np.isnan(last), np.inf, last)


def run(seeds: range, outcome: Outcome) -> None:
    """Try the games of the seeds, each by one method at one step."""
    for seed in seeds:
        with timed(SECONDS, outcome, seed):
            try_game(seed, outcome)


def try_game(seed: int, outcome: Outcome) -> None:
    """Compare equilibria and verdict with zeros and orbits."""
    from gantheory.dynamics import analyse, read_game
    from gantheory.dynamics.methods import read_step

    r = random.Random(seed)
    text, value = draw(r)
    method, step = r.choice(METHODS), r.choice(STEPS)
    where = (seed, text, method, step)
    outcome.note("games")
    found = analyse(read_game(text, "x", "y"), method, read_step(step))
    field = field_of(value)
    compare_zeros(found, field, where, outcome)
    behaviour = found.decision.behaviour.value
    outcome.note(f"behaviour {behaviour} ({found.decision.how.value})")
    if behaviour == "undecided":
        outcome.note("undecided:", *where, found.decision.reason)
    elif found.equilibrium is not None and (at := place(found.point)):
        greatest, last = distances(field, method, float(read_step(step)), at)
        judge(behaviour, greatest, last, (*where, at, found.decision.reason), outcome)


def place(point: Any) -> tuple[float, float] | None:
    """Return a point as two numbers, None where it holds free variables."""
    by_name = {str(name): x for name, x in point.items()}
    try:
        return float(by_name["x"]), float(by_name["y"])
    except TypeError:
        return None


def compare_zeros(found: Any, field: Field, where: tuple[Any, ...], outcome: Outcome) -> None:
    """Check that all that is stated is a zero, and where these are all, that none is missing."""
    told = [place(e.point) for e in found.equilibria]
    if None in told:
        outcome.note("lines of equilibria")
        return
    for at in told:
        outcome.note("equilibria compared")
        force = np.abs(field(np.array(at[0]), np.array(at[1]))).sum()
        if force > 1e-8 * (1 + np.abs(at).sum()):
            outcome.note("WRONG", *where, "no equilibrium:", at)
    if found.zeros.complete:
        for zero in zeros(field):
            outcome.note("zeros compared")
            if all(np.hypot(zero[0] - at[0], zero[1] - at[1]) > 1e-4 for at in told):
                outcome.note("WRONG", *where, "an equilibrium is missing:", zero)


def judge(
    behaviour: str, greatest: Any, last: Any, where: tuple[Any, ...], outcome: Outcome
) -> None:
    """Compare a behaviour with how far orbits went, as multiples of where they began."""
    outcome.note("behaviours compared")
    said = {
        "converges": not np.all(last < 1) and np.any(greatest > 20),
        "diverges": np.all(greatest < 1.5) and np.all(last < 1),
        "bounded orbit": np.any(greatest > 100) or np.all(last < 0.01),
    }
    if said.get(behaviour, False):
        outcome.note("WRONG", *where, behaviour, "greatest", greatest.max(), "last", last.max())


def figures(quick: bool) -> Iterator[Figure]:
    """Yield what came of a campaign."""
    return figures_of(run, range(FIRST, FIRST + (6 if quick else 120)), "statements")


if __name__ == "__main__":
    from benchmarks.campaigns.command import main

    main(run, Outcome())
