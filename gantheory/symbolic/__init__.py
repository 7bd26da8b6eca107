"""The symbolic engine: from a loss's formulas to its theory, with a proof or a counterexample."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "critics": ["derive_critic"],
        "derivation": ["Derivation"],
        "engine": ["derive"],
        "inequalities.inequality": ["prove"],
        "signs": ["sign_on_positive"],
        "tables": ["check_table"],
    },
)
