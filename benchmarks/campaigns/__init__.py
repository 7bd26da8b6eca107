"""Trials at random against oracles that share no code with what they try."""
