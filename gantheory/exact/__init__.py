"""Exact algebra, signs, limits and roots: computer algebra that knows no GAN."""
