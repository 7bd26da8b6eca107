"""Derive, prove, measure and refute what a GAN loss really does.

Importing this package loads none of sympy, scipy, torch or matplotlib; each name below loads
what it needs when it is first used. The names and their signatures are in ``__init__.pyi``.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
