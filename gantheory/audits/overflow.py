"""Large scores in low precision: values and gradients that are no numbers where the truth is."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
import torch

from gantheory.audits.forms import Batch, Runner
from gantheory.audits.separate import numeric
from gantheory.functions import t, to_sympy

SCORES = (20.0, -20.0, 40.0, -40.0, 100.0, -100.0)
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
ROOM = 16.0  # between the truth and the largest number of a precision, for the steps on the way


def overflows(player: Any, runner: Runner) -> list[dict[str, Any]]:
    """Return where a loss or its gradient is not finite, although the true one has room."""
    found: list[dict[str, Any]] = []
    for side in player.sides if player.player == "discriminator" else ("fake",):
        formula = to_sympy(getattr(player, side))
        truths = [(what, numeric(f)) for what, f in
                  (("value", formula), ("gradient", sp.diff(formula, t)))]  # fmt: skip
        for dtype in DTYPES:
            for score in SCORES:
                if not runner.domain.lower < score < runner.domain.upper:
                    continue
                item = _one(runner.at(dtype), side, score, dict(truths))
                if item is not None:
                    found.append({"dtype": str(dtype).removeprefix("torch."), "side": side,
                                  "score": score, **item})  # fmt: skip
                    break
    return found


def _one(runner: Runner, side: str, score: float, truths: dict[str, Any]) -> dict[str, Any] | None:
    heads = 2 if runner.form.many else 1
    rest = float(runner.domain.inside(np.array([0.0]))[0])
    given = {one: np.full((heads, 2), score if one == side else rest) for one in ("real", "fake")}
    try:
        value, on_real, on_fake = runner.plain(Batch(given["real"], given["fake"]))
    except Exception:  # an operation that this precision lacks on this machine
        return None
    slopes = on_real if side == "real" else on_fake
    largest = torch.finfo(runner.dtype).max / ROOM
    for what, seen in (("value", value), ("gradient", float(slopes.sum()))):
        truth = truths[what](score)
        if truth is not None and abs(truth) < largest and not np.isfinite(seen):
            if what == "gradient" and not np.isfinite(value):
                continue
            return {"what": what, "found": str(seen), "true": truth}
    return None
