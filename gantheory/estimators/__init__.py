"""Losses whose samples are frozen: estimators of divergences, preferences, rewards and bounds."""
