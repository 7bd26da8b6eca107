"""Losses whose optimal score has no closed form: everything as a function of the score."""
