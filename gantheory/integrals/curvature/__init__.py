"""Kernels of any f-divergence, made from its curvature."""
