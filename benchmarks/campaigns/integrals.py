"""Divergences of two laws on the line in many digits: Gauss-Legendre panels about every anchor.

A panel is an interval of log|x − anchor|, so that ends like a power and tails of any reach cost
panels in proportion to their logarithm. Panels are halved until both halves agree with the whole.
Peaks of q·(p/q)^α and crossings p = q that lie between anchors are found first and become anchors.
Derivatives are central differences of the integrand in 96 digits, at places that move with the
ends; they are differences of two integrals, so nothing is differentiated by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from flint import arb, ctx

from benchmarks.campaigns.integrands import between, named, size_of, values
from benchmarks.campaigns.laws import BITS, SAME, ZERO, Law, Place
from benchmarks.campaigns.outcome import Unresolved
from benchmarks.campaigns.search import CLOSE, crossing, is_sharp, looked_at, placed, summit

ORDER = 20
with ctx.workprec(BITS):
    RULE = [arb.legendre_p_root(ORDER, k, weight=True) for k in range(ORDER)]
FAR = 110  # nats below the peak: what is left there does not count in 40 digits
INFINITE, THRESHOLD = "infinite", "too near to a threshold"
TIGHT = arb("1e-22")


@dataclass
class Panel:
    """Part of one side of an anchor: log-distances ``low`` to ``high``, or distances from 0.

    The last panel of a chain ends at ``middle``, the place half-way to the next anchor.
    """

    anchor: int
    side: int
    logarithmic: bool
    low: arb
    high: arb
    middle: arb | None = None


@dataclass(frozen=True)
class Answer:
    """A value, or a derivative, with the error that halving shows; ``bend`` is of one parameter.

    Where the two one-sided derivatives differ, ``bend`` is their difference.
    """

    value: arb
    error: arb
    bend: arb = ZERO


class Oracle:
    """All of some divergences of one pair, and their derivatives where ``step`` is given.

    ``laws(t)`` are p and q with the parameter moved by t.
    """

    def __init__(
        self,
        names: list[str],
        laws: Callable[[arb], tuple[Law, Law]],
        step: arb | None = None,
        most: int = 1500,
    ) -> None:
        self.what = {name: named(name) for name in names}
        self.step, self.most = step, most
        shifts = [ZERO] if step is None else [ZERO, step, -step]
        self.versions = [laws(t) for t in shifts]
        self.infinite: dict[str, str] = {}
        self.anchors: dict[arb, tuple[arb, bool]] = {}
        self.moving: dict[arb, list[arb]] = {}
        self._collect()
        self._scan()

    def logs(self, anchor: arb, apart: arb, version: int = 0) -> tuple[arb | None, arb | None]:
        """Return log p and log q at anchor + apart."""
        at = Place(anchor, apart)
        p, q = self.versions[version]
        return p.log(at), q.log(at)

    # -- where to look

    def _collect(self) -> None:
        pair = self.versions[0]
        for law in pair:
            for place, width in law.anchors:
                self._enter(place.mid(), abs(width).mid(), False)
        finest = min([width for width, _ in self.anchors.values()])
        for law in pair:  # a law much wider than the finest is looked at on its own scale too
            for place, width in law.anchors:
                for far in (1, 3):
                    for side in (-1, 1):
                        there = (place + side * far * width).mid()
                        if width > 1000 * finest and not any(
                            abs(x - there) < width / 8 for x in self.anchors
                        ):
                            self._enter(there, (width / 2).mid(), False)
        ends = [[end for law in pair for end in law.ends] for pair in self.versions]
        for k, (place, soft) in enumerate(ends[0]):
            self._enter(place.mid(), None, soft)
            here = self._known(place.mid())
            moved = [version[k][0].mid() for version in ends]
            old = self.moving.setdefault(here, moved)
            if any(not abs(a - b) <= abs(a) * SAME for a, b in zip(old, moved, strict=True)):
                raise Unresolved("two ends at one place move apart")

    def _known(self, place: arb) -> arb:
        for x in self.anchors:
            if x == place or abs(x - place) < abs(x) * SAME:
                return x
        raise Unresolved("an end is no anchor")

    def _enter(self, place: arb, width: arb | None, soft: bool) -> None:
        try:
            place = self._known(place)
        except Unresolved:
            if width is None:
                raise
        old, was_soft = self.anchors.get(place, (None, False))
        widths = [w for w in (old, width) if w is not None]
        self.anchors[place] = (min(widths), was_soft or soft)

    def _chains(self) -> Iterator[tuple[int, arb, int, arb, bool, arb | None]]:
        """Yield each side of each anchor: index, place, side, width, soft and the middle."""
        places = sorted(self.anchors)
        for k, place in enumerate(places):
            width, soft = self.anchors[place]
            width = min([width, *(self.anchors[x][0] + abs(x - place) for x in places)]).mid()
            for side in (-1, 1):
                inside = 0 <= k + side < len(places)
                middle = ((place + places[k + side]) / 2).mid() if inside else None
                yield k, place, side, width, soft, middle

    # -- a coarse look: what is infinite, where the peaks and crossings are

    def _scan(self) -> None:
        self.peak: dict[str, arb] = {}
        self.exponents = list({str(e): e for d in self.what.values() for e in d.powers}.values())
        found: list[tuple[arb, arb]] = []
        for chain in list(self._chains()):
            found += self._scan_chain(*chain)
        for place, width in found:
            near = [
                x for x in self.anchors if abs(x - place) <= min(self.anchors[x][0], width) * 1e-9
            ]
            if width.is_finite() and width > 0 and not near:
                self.anchors[place] = (width, False)

    def _scan_chain(
        self, k: int, place: arb, side: int, width: arb, soft: bool, middle: arb | None
    ) -> list[tuple[arb, arb]]:
        start = float(width.log().mid())
        end = None if middle is None else float(abs(middle - place).log())
        rows = []
        for y in looked_at(start, end, soft):
            pair = self.logs(place, side * arb(y).exp())
            if y > start and any(v is not None and not is_sharp(v) for v in pair):
                break  # beyond the digits of the oracle
            rows.append((y, *pair))
        for y, lp, lq in rows:
            for name, d in self.what.items():
                if (lp is None) != (lq is None) and (d.at_inf if lq is None else d.at_0) is None:
                    self.infinite[name] = INFINITE
                size = size_of(d, lp, lq)
                if size is not None and (name not in self.peak or size + y > self.peak[name]):
                    self.peak[name] = (size + y).mid()
        if middle is None:
            self._judge(rows[-8:])
        if soft:
            self._judge(rows[7::-1])
        nearest = start if end is None else min(start, end)
        deepest = nearest - (150 if soft else CLOSE)  # nearer to an end no place is told from it
        return list(self._features(place, side, [r for r in rows if r[0] > deepest]))

    def _judge(self, rows: list[Any]) -> None:
        """Tell from the last of the rows, on the way to an end, which integrals are infinite."""
        if len(rows) < 8 or any(None in row for row in (rows[0], rows[-1])):
            return
        (y, *first), (z, *last) = rows[0], rows[-1]
        for name, d in self.what.items():
            growth = (size_of(d, *last) + z - size_of(d, *first) - y).mid() / abs(arb(z) - y)
            if growth > 1e-7:
                self.infinite[name] = INFINITE
            elif growth > -1e-10 and name not in self.infinite:
                self.infinite[name] = THRESHOLD

    def _features(self, place: arb, side: int, rows: list[Any]) -> Iterator[tuple[arb, arb]]:
        """Yield places with widths: crossings of p and q, and peaks of q·(p/q)^α·|x − anchor|."""

        def logs(y: arb) -> tuple[arb, arb]:
            lp, lq = self.logs(place, side * y.exp())
            if lp is None or lq is None or not (is_sharp(lp) and is_sharp(lq)):
                raise ArithmeticError
            return lp.mid(), lq.mid()

        def apart(y: arb) -> arb:
            lp, lq = logs(y)
            return lp - lq

        for (y, lp, lq), (z, lp2, lq2) in pairwise(rows):
            if None not in (lp, lq, lp2, lq2) and (lp - lq).mid() * (lp2 - lq2).mid() < 0:
                yield from placed(place, side, partial(crossing, apart, arb(y), arb(z)))
        for alpha in self.exponents:

            def level(y: arb, alpha: arb = alpha) -> arb:
                lp, lq = logs(y)
                return (between(alpha, lp, lq) + y).mid()

            heights = [
                None if None in (lp, lq) else (between(alpha, lp, lq) + y).mid()
                for y, lp, lq in rows
            ]
            for i in range(1, len(rows) - 1):
                a, b, c = heights[i - 1 : i + 2]
                if None not in (a, b, c) and b >= a and b > c and b - min((a, c)) > 6:
                    low, high = arb(rows[i - 1][0]), arb(rows[i + 1][0])
                    yield from placed(place, side, partial(summit, level, low, high))

    # -- panels

    def panels(self) -> list[Panel]:
        """Return the panels from which the halving starts."""
        places = sorted(self.anchors)
        count = len(self.versions)
        self.where = [[m.mid() for m in self.moving.get(x, [x] * count)] for x in places]
        return [panel for chain in self._chains() for panel in self._chain(*chain)]

    def _alive(self, place: arb, side: int, low: float, high: float) -> bool:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = low + (high - low) * share
            pair = self.logs(place, side * arb(y).exp())
            for name in self.live:
                size = size_of(self.what[name], *pair)
                if size is not None and size.mid() + y > self.peak[name] - FAR:
                    return True
        return False

    def _chain(
        self, k: int, place: arb, side: int, width: arb, soft: bool, middle: arb | None
    ) -> list[Panel]:
        out = []
        reach = None if middle is None else abs(middle - place)
        if reach is not None and width >= reach:
            width = reach
        if not soft:
            last = middle if width is reach else None
            out.append(Panel(k, side, False, ZERO, width.mid(), last))
        else:
            t, step = float(width.log()), 1.0
            while not out or self._alive(place, side, t - step, t):
                out.append(Panel(k, side, True, arb(t - step), arb(t)))
                t, step = t - step, 1.5 * step
                if step > 1e14:
                    raise Unresolved("an end that decays too slowly")
            out[0].high = width.log().mid()
            out[0].middle = middle if width is reach else None
        if width is not reach:
            out += self._outward(k, place, side, width, middle)
        return out

    def _outward(
        self, k: int, place: arb, side: int, width: arb, middle: arb | None
    ) -> list[Panel]:
        out: list[Panel] = []
        top = None if middle is None else abs(middle - place).log().mid()
        t, step, dead = width.log().mid(), 1.0, 0
        start, known = float(t), max(float(abs(x - place).log()) for x in (
            [z for z in self.anchors if z != place] or [place + width]))  # fmt: skip
        while True:
            end = (t + step).mid()
            last = top is not None and end > top - step / 3
            end = top if last else end
            alive = self._alive(place, side, float(t), float(end))
            if alive or last or not dead:
                out.append(Panel(k, side, True, t, end, middle if last else None))
            if last:
                return out
            dead = 0 if alive else dead + 1
            if top is None and dead >= 4 and float(end) > known + 2:
                return out
            t, step = end, step * (1.0 if not dead and float(t) - start < 6 else 1.4)
            if step > 1e14:
                raise Unresolved("a tail that decays too slowly")

    def rule(self, panel: Panel) -> tuple[list[arb], bool]:
        """Return values, derivatives and bends over a panel, and whether p − q turns in it."""
        columns, signs = [], set()
        for version in range(len(self.versions)):
            anchor, totals = self.where[panel.anchor][version], [ZERO] * len(self.live)
            low, high = panel.low, self._high(panel, version)
            centre, radius = (low + high) / 2, (high - low) / 2
            for z, weight in RULE:
                t = centre + radius * z
                apart = t.exp() if panel.logarithmic else t
                lp, lq = self.logs(anchor, panel.side * apart, version)
                if lp is None and lq is None:
                    continue
                if lp is not None and lq is not None and not version:
                    signs.add(bool((lp - lq).mid() > 0))
                scale = weight * apart if panel.logarithmic else weight
                found = values(self.live.values(), lp, lq)
                totals = [a + scale * b for a, b in zip(totals, found, strict=True)]
            columns.append([(total * radius).mid() for total in totals])
        turns = len(signs) > 1
        if self.step is None:
            return columns[0], turns
        here, up, down = columns
        slopes = [(a - b) / (2 * self.step) for a, b in zip(up, down, strict=True)]
        bends = [(a + b - 2 * c) / self.step for a, b, c in zip(up, down, here, strict=True)]
        return here + slopes + bends, turns

    def _high(self, panel: Panel, version: int = 0) -> arb:
        if panel.middle is None:
            return panel.high
        reach = panel.side * (panel.middle - self.where[panel.anchor][version])
        return reach.log() if panel.logarithmic else reach

    def solve(self) -> dict[str, tuple[Answer, Answer | None]]:
        """Return what is finite by name: the value, and the derivative where there is a step."""
        self.live = {n: d for n, d in self.what.items() if n not in self.infinite}
        if not self.live:
            return {}
        width = len(self.live)
        counted = width * len(self.versions[:2])
        todo = [(panel, *self.rule(panel)) for panel in self.panels()]
        scale = [sum((abs(found[i]) for _, found, _ in todo), ZERO) for i in range(counted)]
        total = [ZERO] * len(todo[0][1])
        errors = [ZERO] * counted
        done = len(todo)
        while todo:
            panel, whole, _ = todo.pop()
            halves = [(half, *self.rule(half)) for half in self._halved(panel)]
            done += 2
            found = [a + b for a, b in zip(halves[0][1], halves[1][1], strict=True)]
            off = [abs(a - b) for a, b in zip(found, whole, strict=True)]
            turns = halves[0][2] or halves[1][2]
            fine = all(off[i] <= TIGHT * scale[i] for i in range(counted)) and (
                not turns or all(abs(found[i]) <= 1e-13 * scale[i] for i in range(counted))
            )
            if fine or done > self.most:
                total = [a + b for a, b in zip(total, found, strict=True)]
                errors = [a + b for a, b in zip(errors, off[:counted], strict=True)]
                continue
            todo += halves
            for i in range(counted):
                more = abs(halves[0][1][i]) + abs(halves[1][1][i]) - abs(whole[i])
                scale[i] = scale[i] + more if more > 0 else scale[i]
        return {name: self._answers(i, width, total, errors) for i, name in enumerate(self.live)}

    def _halved(self, panel: Panel) -> tuple[Panel, Panel]:
        high = self._high(panel)
        centre = ((panel.low + high) / 2).mid()
        rest = (panel.anchor, panel.side, panel.logarithmic)
        return (Panel(*rest, panel.low, centre), Panel(*rest, centre, high.mid(), panel.middle))

    def _answers(
        self, i: int, width: int, total: list[arb], errors: list[arb]
    ) -> tuple[Answer, Answer | None]:
        value = Answer(total[i].mid(), errors[i].mid())
        if self.step is None:
            return value, None
        rounding = abs(value.value) * arb(2) ** -300 / self.step
        slope, bend = total[width + i].mid(), total[2 * width + i].mid()
        return value, Answer(slope, (errors[width + i] + rounding).mid(), bend)
