"""Certified mode: rigorous enclosures of divergences between analytic densities."""

from gantheory.numeric.certified.enclosure import Enclosure, enclose
from gantheory.numeric.certified.forms import certifiable

__all__ = ["Enclosure", "certifiable", "enclose"]
