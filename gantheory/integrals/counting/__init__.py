"""Divergences of laws of counts: sums with a bound on what is left out."""
