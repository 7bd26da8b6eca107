"""One iteration of Algorithm 1 as the trainer makes it: who is held fixed, and who runs how often.

Goodfellow et al. (2014), arXiv:1406.2661, Algorithm 1 with k = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gantheory.errors import require
from gantheory.records import How, Verdict
from gantheory.verify import decided

SEEDS = (0, 1, 2)


def trace_updates(discriminator: str = "ascends") -> Verdict:
    """In one iteration D moves up its gradient with G held, then G moves down with D held.

    Args:
        discriminator: what D does on its minibatch's value: "ascends", or "descends" (false).
    """
    require("a trace of the trainer (leave it out with --quick)", "torch", "torch")
    failed = next((why for seed in SEEDS if (why := _wrong_update(seed, discriminator))), None)
    statement = f"D {discriminator} with G held fixed, then G descends with D held fixed"
    return decided(statement, failed is None, failed or "one iteration from each of 3 seeds",
                   how=How.MEASURED)  # fmt: skip


def _wrong_update(seed: int, discriminator: str) -> str | None:
    """Return what is not as claimed in one iteration; None where all is."""
    from torch import equal

    from gantheory.ledger.systems.traced import RATE, Noting

    trainer = Noting(seed)
    state = trainer.start()
    before = {player: rows.clone() for player, rows in state.parameters.items()}
    trainer.advance(state, 1)
    (first, second), after = trainer.seen, state.parameters
    # plain gradient steps: D's on the loss -V, G's on its own
    up = RATE if discriminator == "ascends" else -RATE
    moved = before["discriminator"] - up * first.gradient
    said: dict[str, bool] = {
        "D moves first": (first.player, second.player) == ("discriminator", "generator"),
        "D sees G as it was": equal(first.at["generator"], before["generator"]),
        f"D {discriminator} its gradient": equal(after["discriminator"], moved),
        "G sees D as moved": equal(second.at["discriminator"], after["discriminator"]),
        "G descends its own": equal(
            after["generator"], before["generator"] - RATE * second.gradient
        ),
    }
    return next((f"seed {seed}: not so: {text}" for text, holds in said.items() if not holds), None)


def trace_runs(discriminator: int = 2, generator: int = 1, until: str = "D's loss") -> Verdict:
    """How often each network is run in an iteration, counted.

    Args:
        discriminator: the claimed number of runs of D.
        generator: that of G.
        until: where counting ends: "D's loss", or "the end" of the iteration.
    """
    require("a trace of the trainer (leave it out with --quick)", "torch", "torch")
    from gantheory.ledger.systems.traced import Noting

    trainer = Noting(0)
    trainer.advance(trainer.start(), 1)
    found = trainer.seen[0].runs if until == "D's loss" else trainer.runs
    claimed = {"discriminator": discriminator, "generator": generator}
    counts = f"D runs {found['discriminator']} and G {found['generator']} times"
    statement = f"until {until} D runs {discriminator} and G {generator} times"
    return decided(statement, found == claimed, counts, how=How.MEASURED)


FUNCTIONS: Mapping[str, Callable[..., Verdict]] = {
    "trace_updates": trace_updates,
    "trace_runs": trace_runs,
}
PLANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "trace_updates": {"the sign reversed": {"discriminator": "descends"}},
    "trace_runs": {"one more": {"discriminator": 3}},
}
