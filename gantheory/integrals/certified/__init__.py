"""Certified mode: rigorous enclosures of divergences between analytic densities."""

from gantheory.integrals.certified.enclosure import Enclosure, enclose
from gantheory.integrals.certified.forms import certifiable

__all__ = ["Enclosure", "certifiable", "enclose"]
