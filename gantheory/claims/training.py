"""What training says of the original GAN: `gantheory simulate`'s spine, one check a statement."""

from __future__ import annotations

from gantheory.verify import Check

TRAINING: tuple[Check, ...] = ()
