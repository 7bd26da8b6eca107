"""Divergences between known densities: right within the stated error, or not answered."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"dispatch": ["certify", "divergence", "divergence_table"]}
)
