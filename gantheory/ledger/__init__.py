"""The ledgers: statements with their sources, the verdicts they should get, their checks."""
