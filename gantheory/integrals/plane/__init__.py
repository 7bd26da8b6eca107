"""Divergences of planar densities by structured boxes."""
