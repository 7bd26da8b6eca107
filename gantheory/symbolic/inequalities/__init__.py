"""Inequalities between divergences, as people type them: proved, certified, refuted, undecided."""
