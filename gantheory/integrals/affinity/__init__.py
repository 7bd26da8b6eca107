"""Divergences of laws whose affinity ∫ p^α q^(1−α) is known, by one integral over complex α."""

from gantheory.integrals.affinity.contour import Affinity, divergence_by_affinity, is_known

__all__ = ["Affinity", "divergence_by_affinity", "is_known"]
