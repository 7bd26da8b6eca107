"""Which distance the mean of a kernel is: a formula in x and y read as one of those of MMD."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from gantheory.densities.univariate import Points, Univariate
from gantheory.errors import GantheoryError
from gantheory.expressions import parse
from gantheory.functions import relu, to_sympy
from gantheory.integrals.transport.gaps import Gap
from gantheory.integrals.transport.radial import KERNELS, RadialKernel
from gantheory.integrals.transport.witness import Witness
from gantheory.losses.function_classes import KERNEL
from gantheory.records import Estimate

X, Y = sp.symbols("x y", real=True)
H = sp.Symbol("h", positive=True)
FORMS = {  # of u = |x - y|/h, with h from the value k at u = 1/h
    "gaussian": (sp.exp(-((X - Y) ** 2) / (2 * H**2)), lambda k: 1 / sp.sqrt(-2 * sp.log(k))),
    "laplacian": (sp.exp(-sp.Abs(X - Y) / H), lambda k: -1 / sp.log(k)),
    "imq": (1 / sp.sqrt(1 + (X - Y) ** 2 / H**2), lambda k: k / sp.sqrt(1 - k**2)),
}


@dataclass(frozen=True)
class KernelMean:
    """factor·k: what `divergence` calls the square of its distance, and the kernel where radial."""

    name: str
    factor: float
    radial: RadialKernel | None = None
    bandwidth: float = 1.0

    def witness(self, p: Univariate, q: Univariate, x: float) -> Estimate:
        """Return the difference of the two means of the kernel at a point."""
        assert self.radial is not None
        made = Witness.of(Gap(p, q), self.radial, self.bandwidth)
        value, error = (float(part[0]) for part in made.at(Points.at(np.array([x]))))
        return Estimate(self.factor * value, self.factor * error)


def mean_of_kernel(formula: str) -> KernelMean:
    """Read a kernel.

    Raises:
        GantheoryError: for one that is none of them, or has free parameters.

    >>> mean_of_kernel("2*exp(-(x - y)**2/8)").name
    'mmd2(kernel=gaussian, bandwidth=2.0)'
    """
    kernel = to_sympy(parse(formula, KERNEL), {"x": X, "y": Y})
    kernel = kernel.replace(relu, lambda u: (u + sp.Abs(u)) / 2)
    if free := kernel.free_symbols - {X, Y}:
        names = ", ".join(sorted(map(str, free)))
        raise GantheoryError(f"kernel {formula!r}: put numbers in the place of {names}")
    here, there = (kernel.subs({X: x, Y: 0}) for x in (0, 1))
    if here == 0 and there.is_negative and _same(kernel, there * sp.Abs(X - Y)):
        return KernelMean("energy", -float(there))
    for name, (form, width) in FORMS.items():
        share = there / here if here.is_positive else sp.S.Zero
        if not 0 < share < 1:
            continue
        h = sp.simplify(width(share))
        if _same(kernel, here * form.subs(H, h)):
            said = f"mmd2(kernel={name}, bandwidth={float(h)!r})"
            return KernelMean(said, float(here), KERNELS[name], float(h))
    raise GantheoryError(
        f"kernel {formula!r} is none of {', '.join(FORMS)} and the energy kernel -abs(x - y): no "
        "mean of it is known on laws"
    )


def _same(one: sp.Expr, other: sp.Expr) -> bool:
    return bool(sp.simplify(one - other) == 0)
