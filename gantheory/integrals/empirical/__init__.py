"""Distances of samples: exact for the empirical laws, with an interval for the laws behind them."""

from gantheory.integrals.empirical.compare import (
    ALIASES,
    METRICS,
    SampleEstimate,
    between_samples,
)
from gantheory.integrals.empirical.discriminated import least_divergence

__all__ = ["ALIASES", "METRICS", "SampleEstimate", "between_samples", "least_divergence"]
