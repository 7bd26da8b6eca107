"""From whatever a user asks for to the kernel that integrates it."""

from __future__ import annotations

from typing import Any

from gantheory.integrals.kernels.kernel import Kernel
from gantheory.integrals.kernels.names import kernel_of
from gantheory.integrals.quantities import as_quantity


def kernel_for(asked: Any) -> Kernel:
    """Return the kernel of a name, an `FDivergence` or a derived curvature; or a kernel itself."""
    asked = as_quantity(asked)
    if isinstance(asked, Kernel):
        return asked
    if isinstance(asked, str):
        return kernel_of(asked)
    from gantheory.integrals.curvature.general import kernel_of_formula  # loads sympy

    return kernel_of_formula(asked)
