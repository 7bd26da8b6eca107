"""Adaptive quadrature of many divergences of one pair of densities on the line."""
