"""Statements of documents about GANs: each as data, with a check that computes its verdict."""
