"""Derive, prove, measure and refute what a GAN loss really does.

Importing this package loads none of sympy, scipy, torch or matplotlib; each name below loads
what it needs when it is first used. The names and their signatures are in ``__init__.pyi``.
"""

from difflib import get_close_matches
from typing import Any

import lazy_loader

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name; of one that is not there, say which are near."""
    if name in __all__ or name.startswith("_"):
        return _load(name)
    asked = name.casefold()
    near = [known for known in __all__ if asked in known.casefold().split("_")]
    near = near or get_close_matches(asked, __all__, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near[:4])}?" if near else "; dir(gantheory) lists all"
    raise AttributeError(f"module 'gantheory' has no attribute {name!r}{hint}")
