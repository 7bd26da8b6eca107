"""Distances that move mass or compare moments: Wasserstein, energy, MMD."""
