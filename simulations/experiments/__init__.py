"""The experiments: one file each, a claim, what is measured for it, and what theory expects.

An experiment is a list of named cases and a pure function that measures one of them from a seed,
so a run that is interrupted loses the unfinished case only. What it compares travels as data;
`gantheory.ledger.simulated` turns comparisons into verdicts.
"""

from __future__ import annotations

import importlib

from gantheory.errors import GantheoryError, require_type, unknown_name
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting

NAMES = (
    "optimal-discriminator",
    "penalised-discriminator",
    "frozen-gradient",
    "vanishing-gradient",
    "training",
    "mode-collapse",
    "least-squares",
    "disjoint-lines",
    "digits",
    "sensitivity",
)


_ENTERED: dict[str, Experiment] = {}


def register(experiment: Experiment) -> Experiment:
    """Enter an experiment of your own: `load` and ``gantheory simulate`` know it by its name.

    Raises:
        GantheoryError: where the name is taken.
    """
    if experiment.name in NAMES or _ENTERED.get(experiment.name, experiment) != experiment:
        raise GantheoryError(f"experiment {experiment.name!r} is taken; choose another name")
    _ENTERED[experiment.name] = experiment
    return experiment


def unregister(experiment: Experiment) -> None:
    """Take an experiment out again."""
    _ENTERED.pop(experiment.name, None)


def names() -> tuple[str, ...]:
    """Return the names of all experiments."""
    return (*NAMES, *_ENTERED)


def load(name: str) -> Experiment:
    """Return the experiment called ``name``, importing its file only.

    >>> load("frozen-gradient").name
    'frozen-gradient'
    """
    require_type("experiment", name, str, f"a name such as {NAMES[0]!r}")
    if name in _ENTERED:
        return _ENTERED[name]
    if name not in NAMES:
        raise unknown_name("experiment", name, names())
    module = importlib.import_module(f"simulations.experiments.{name.replace('-', '_')}")
    experiment: Experiment = module.EXPERIMENT
    return experiment


__all__ = [
    "NAMES",
    "Comparison",
    "Experiment",
    "Measurement",
    "Setting",
    "load",
    "names",
    "register",
    "unregister",
]
