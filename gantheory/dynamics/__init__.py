"""Game dynamics: the field of a two-player game, its equilibria, and what each update does."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["games"],
    submod_attrs={
        "analysis": ["Analysis", "analyse"],
        "methods": ["make_method"],
        "games": ["get_game"],
        "record": ["Game"],
        "text": ["read_game"],
    },
)
