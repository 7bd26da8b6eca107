"""Inequalities between divergences, as people type them: proved, certified, refuted, undecided."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={"inequality": ["prove"]})
