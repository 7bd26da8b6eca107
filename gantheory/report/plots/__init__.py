"""Figures as pure functions of data: each returns a matplotlib `Figure`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "style": ["save_figure"],
        "along": ["Measured", "plot_curves"],
        "losses": ["plot_losses"],
        "laws": ["plot_mode_dropping", "plot_optimum", "plot_pushforward"],
        "gradients": ["plot_vanishing"],
    },
)
