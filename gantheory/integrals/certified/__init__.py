"""Certified mode: rigorous enclosures of divergences between analytic densities."""

from gantheory.integrals.certified.enclosure import Enclosure, enclose_divergence

__all__ = ["Enclosure", "enclose_divergence"]
