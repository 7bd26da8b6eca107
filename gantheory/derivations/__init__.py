"""`derive`: the theory of one loss as a record, and its proof step by step."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"engine": ["derive"], "derivation": ["Derivation"]}
)
