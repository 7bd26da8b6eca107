"""Mixtures of normals in balls: their parts from exact parameters, in as many digits as it takes.

The parts of a law (weights, means, covariances) are rounded in binary64: 0.1² is, and so are the
places on a ring. What nearly equal laws, or nearly singular covariances, leave after cancellation
then is rounding. Here they are computed from the parameters themselves, with more digits until
one can be sure; a derivative is the imaginary part of a complex step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from flint import acb, arb, ctx

from gantheory.densities import Density
from gantheory.densities.inherited import of_family
from gantheory.densities.mixing import AnyMixture
from gantheory.densities.modes import GridMixture2d, RingMixture2d
from gantheory.densities.normal import Normal
from gantheory.densities.plane import Normal2dIso, NormalNd, Spatial, SpatialMixture
from gantheory.errors import GantheoryError, unknown_name
from gantheory.rounding import EPS

BITS = (192, 384, 768, 1536, 3072)
SURE = 60  # bits of relative accuracy: binary64 and a little
Part = tuple[Any, list[Any], list[list[Any]]]  # weight, mean, covariance


def converged_ball(compute: Callable[[], Any]) -> tuple[arb, bool]:
    """Return the ball that ``compute`` gives in enough digits, and whether it is narrow at last."""
    ball = arb(0)
    for bits in BITS:
        with ctx.workprec(bits):
            try:
                ball = compute()
            except ZeroDivisionError:  # a matrix that is singular to so many digits
                continue
            if ball.rel_accuracy_bits() >= SURE or ball == 0:
                return ball, True
    return ball, False


def rounded(ball: arb) -> tuple[float, float]:
    """Return a ball as a binary64 number and a bound on its error."""
    value = float(ball.mid())
    return value, EPS * abs(value) + float(ball.rad())


def normal_parts(law: Density, name: str | None = None, step: Any = 0) -> list[Part]:
    """Return every normal of a law, the parameter ``name`` moved by ``step``.

    Raises:
        GantheoryError: for a law that is no sum of normals, or has no such parameter.
    """
    if of_family(law, AnyMixture) or of_family(law, SpatialMixture):
        return _of_mixture(law, name, step)
    own = {key for key, value in law.parameters.items() if isinstance(value, float)}

    def number(key: str) -> Any:
        return acb(law.parameters[key]) + (step if name == key else 0)

    if of_family(law, Normal):
        found: list[Part] = [(acb(1), [number("loc")], [[number("scale") ** 2]])]
    elif of_family(law, NormalNd):
        found = [(acb(1), [acb(x) for x in law.loc], _covariance(law, name, step))]
        own = {f"cov[{i}][{j}]" for i in range(law.dim) for j in range(law.dim)}
    elif of_family(law, Normal2dIso):
        found = [(acb(1), [acb(x) for x in law.loc], _round(number("scale")))]
    elif of_family(law, RingMixture2d) or of_family(law, GridMixture2d):
        places = _places(law, number)
        found = [(acb(1) / len(places), place, _round(number("scale"))) for place in places]
    elif isinstance(law, Spatial):
        return _stated_parts(law, name, step)
    else:
        raise GantheoryError(f"{law} is no normal law, nor a mixture of such")
    return found if name is None or name in own else _image(law, found, name, step, own)


def _stated_parts(law: Spatial, name: str | None, step: Any) -> list[Part]:
    """Return the parts that a family from outside states in binary64, to first order in a step."""
    moved = None if name is None else law.tangent(name)
    exact = np.vectorize(acb, otypes=[object])
    total = sum(arb(weight) for weight, _, _ in law.components)
    found = []
    for k, (weight, *stated) in enumerate(law.components):
        share = acb(weight) / total
        mean, covariance = map(exact, stated)
        if moved is not None:
            share += step * float(moved.weights[k])
            mean = mean + step * exact(moved.means[k])
            covariance = covariance + step * exact(moved.covariances[k])
        found.append((share, mean.tolist(), covariance.tolist()))
    return found


def smallest_width(law: Density) -> arb:
    """Return a length that is small beside every parameter of a law, for a step."""
    widths = [x.real.sqrt() for _, _, covariance in normal_parts(law) for x in (covariance[0][0],)]
    smallest = min(float(x.mid()) for x in widths)
    weights = [float(w.real.mid()) for w, _, _ in normal_parts(law)]
    return arb(min(smallest, smallest**2, *weights, 1.0))


def _round(scale: Any) -> list[list[Any]]:
    return [[scale**2, acb(0)], [acb(0), scale**2]]


def _covariance(law: NormalNd, name: str | None, step: Any) -> list[list[Any]]:
    moved = {f"cov[{i}][{j}]": (i, j) for i in range(law.dim) for j in range(law.dim)}
    entry = moved.get(name or "", (-1, -1))
    return [
        [acb(x) + (step if (i, j) in (entry, entry[::-1]) else 0) for j, x in enumerate(row)]
        for i, row in enumerate(law.cov)
    ]


def _places(law: RingMixture2d | GridMixture2d, number: Callable[[str], Any]) -> list[list[Any]]:
    if isinstance(law, RingMixture2d):
        angles = [arb(2 * k) / int(law.modes) for k in range(int(law.modes))]
        radius = number("radius")
        every = [[radius * a.cos_pi(), radius * a.sin_pi()] for a in angles]
    else:
        count, spacing = int(law.side), number("spacing")
        line = [spacing * (2 * k - count + 1) / 2 for k in range(count)]
        every = [[x, y] for y in line for x in line]
    return every if law.keep is None else [every[int(k)] for k in law.keep]


def _image(
    law: Density, found: list[Part], name: str, step: Any, own: Iterable[str] = ()
) -> list[Part]:
    """Return the parts of loc + scale·X at loc = 0, scale = 1, one of which is moved."""
    axis = re.fullmatch(r"loc\[(\d)\]", name)
    size = len(found[0][1])
    if name == "scale":
        grown = 1 + acb(step)
        return [
            (w, [grown * x for x in mean], [[grown**2 * x for x in row] for row in cov])
            for w, mean, cov in found
        ]
    if (name == "loc" and size == 1) or (axis and int(axis[1]) < size > 1):
        where = int(axis[1]) if axis else 0
        return [
            (w, [x + (step if k == where else 0) for k, x in enumerate(mean)], cov)
            for w, mean, cov in found
        ]
    known = {"scale", *(["loc"] if size == 1 else (f"loc[{k}]" for k in range(size)))}
    raise unknown_name(f"parameter of {law}:", name, known | {*(own or law.parameters)})


def _of_mixture(law: AnyMixture | SpatialMixture, name: str | None, step: Any) -> list[Part]:
    laws: Sequence[Density] = law.laws if isinstance(law, SpatialMixture) else law.parts
    weights = law.weights_of if isinstance(law, SpatialMixture) else law.weights
    asked = re.sub(r"^(loc|scale)s(\[\d+\])$", r"components\2.\1", name or "")
    match = re.fullmatch(r"(?:(weights)|components)\[(\d+)\](?(1)|\.(.+))", asked)
    moved = int(match[2]) if match and int(match[2]) < len(laws) else None
    total = sum(map(arb, weights))
    found = []
    for k, (weight, one) in enumerate(zip(weights, laws, strict=True)):
        share = acb(weight) / total
        if moved is not None and match and match[1]:  # it grows at the expense of the others alike
            share += step * ((k == moved) - share)
        inner = match[3] if match and k == moved else None
        found += [(share * w, mean, cov) for w, mean, cov in normal_parts(one, inner, step)]
    return found if name is None or moved is not None else _image(law, found, name, step)
