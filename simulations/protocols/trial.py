"""Train a published toy, whole or shortened, and measure it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from gantheory.files import as_folder, locked, write_atomically
from simulations.ensembles import State
from simulations.protocols.catalogue import get_protocol
from simulations.protocols.metrics import KEPT, quantities_of
from simulations.protocols.protocol import Protocol
from simulations.protocols.results import ProtocolOutcome
from simulations.runs import load_checkpoint, train_run
from simulations.settings import check_progress, check_seeds, check_whole
from simulations.train import Progress, train

OUTCOME = "outcome.json"


def run_protocol(
    protocol: Protocol | str,
    *,
    seeds: Iterable[int] = range(4),
    steps: int | None = None,
    device: str = "cpu",
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> ProtocolOutcome:
    """Train a published toy and measure it by the published protocol.

    Args:
        protocol: the toy, or its name.
        seeds: one member each.
        steps: how many to make; by default as many as were published. A shortened run says so.
        device: where it trains; on a GPU numbers are counted on the device.
        out: a folder for checkpoints and the outcome; the same call goes on after a crash. Not for
            the Dirac-GAN, whose whole path is looked at.
        progress: called with the steps done and the steps in all.

    Raises:
        GantheoryError: for an unknown name, or steps that are none.
    """
    asked = protocol if isinstance(protocol, Protocol) else get_protocol(protocol)
    wanted = check_whole("steps", asked.recipe.steps if steps is None else steps, 1)
    folder = None if out is None else as_folder(out)
    check_progress(progress)
    recipe = asked.changed(steps=wanted, device=device)
    if device != "cpu":
        recipe = replace(recipe, source="counter")
    shortened = replace(asked, recipe=recipe)
    members = shortened.members(check_seeds(seeds))
    states: list[State] = []
    if folder is None or asked.metric == "distance":
        with nullcontext() if folder is None else locked(folder):  # refused before the work
            for state in train(members, recipe, progress=progress):
                states = [*states[1 - KEPT :], state.copy()]
    else:
        train_run(folder, members, recipe, progress=progress)
        states = [load_checkpoint(folder)[1]]
    numbers = quantities_of(shortened, states, members)
    found = ProtocolOutcome(
        asked.name, wanted, asked.recipe.steps, tuple(member.seed for member in members),
        {name: tuple(values) for name, values in numbers.items()},
        machine=f"{_where(device)}, torch {torch.__version__}",
    )  # fmt: skip
    if folder is not None:
        text = json.dumps(found.as_dict(), indent=1, allow_nan=False)
        write_atomically(folder / OUTCOME, text + "\n")
    return found


def _where(device: str) -> str:
    return platform.machine() if device == "cpu" else str(torch.cuda.get_device_name())
