"""Numeric dynamics of games: fields, orbits, trajectories, spectra."""
