"""Means over random names in a payoff, and sums over heads, written out as plain formulas."""
