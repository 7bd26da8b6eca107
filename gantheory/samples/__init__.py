"""Samples: what people have when they have no formula, in arrays and files."""

from gantheory.samples.reading import is_sample_like, samples
from gantheory.samples.record import Samples

__all__ = ["Samples", "is_sample_like", "samples"]
