"""Derive, prove, measure and refute what a GAN loss really does.

Importing this package loads none of sympy, scipy, torch or matplotlib; each name below loads
what it needs when it is first used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "errors": ["GantheoryError"],
        "records": ["Estimate", "How", "Status", "Verdict"],
        "game": ["Claim", "Game", "Reference"],
        "games": ["get_game", "list_games"],
        "divergences": ["FDivergence"],
        "densities": ["density"],
        "numeric": ["divergence"],
        "symbolic": ["derive", "prove"],
    },
)
