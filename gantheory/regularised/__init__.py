"""Discriminators whose slope is penalised: what they report and what the generator follows."""
