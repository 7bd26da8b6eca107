"""Many pairs of laws at once: quadrature in bulk, and formulas that bound their rounding."""
