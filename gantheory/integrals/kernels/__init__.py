"""The integrands of divergences: value, slope and growth in the log-ratio, with their errors."""
