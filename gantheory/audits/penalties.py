"""The rules for gradient penalties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gantheory.audits.record import Finding, Kind, Severity

PROBE = """class Critic(torch.nn.Module):
    def __init__(self, k, shift=0.0, outputs=1):
        super().__init__()
        self.k, self.shift, self.outputs = torch.nn.Parameter(torch.tensor(k)), shift, outputs
    def forward(self, x): return self.k * x.flatten(1)[:, :self.outputs] + self.shift"""


def penalties(facts: Any) -> Iterator[Finding]:
    """A penalty that is constant, of a batch, through the loss, detached, or of another norm."""
    p = facts.penalty
    if p is None:
        return
    if p["constant"]:
        yield Finding(
            Kind.CONSTANT_PENALTY, Severity.ERROR,
            f"the penalty is {next(iter(p['values'].values())):g} whatever the slope of the "
            "critic is", _probe(facts, "k", (1.0, 5.0)),
            "take the gradient of the score of each sample, such as "
            "scores[torch.arange(len(labels)), labels].sum()",
        )  # fmt: skip
        return
    if max(p["values"].values()) <= 0:
        yield Finding(
            Kind.WRONG_SIGN, Severity.ERROR,
            "the penalty is negative: it pays the critic for slopes far from the target",
            _probe(facts, "k", (1.0, 5.0)), "return the negative: a penalty is minimised",
        )  # fmt: skip
        return
    if p["detached"]:
        yield Finding(
            Kind.DETACHED_PENALTY, Severity.ERROR,
            "the penalty changes with the critic and has no gradient in its parameters",
            _probe(facts, "k", (1.0, 5.0)),
            "call torch.autograd.grad with create_graph=True, and do not detach its result",
        )  # fmt: skip
    if p["through"] == "loss":
        yield Finding(
            Kind.PENALTY_THROUGH_LOSS, Severity.ERROR,
            "the penalty changes when a constant is added to the score: the gradient of a loss is "
            "penalised instead of that of the score, and fades where the loss saturates",
            _probe(facts, "shift", (0.0, 5.0)),
            "take the gradient of the discriminator's raw output",
        )  # fmt: skip
    elif p["growth"].startswith("whole batch"):
        yield Finding(
            Kind.BATCH_PENALTY, Severity.ERROR,
            "the penalty depends on the batch size: one norm is taken over the whole batch, the "
            "samples are summed, or their scores are averaged first",
            _probe(facts, "size", (1, 4, 16)),
            "take the norm of each sample: gradient.flatten(1).norm(2, dim=1), then the mean",
        )  # fmt: skip
    elif p["growth"] == "sum":
        yield Finding(
            Kind.REDUCTION, Severity.WARNING,
            "the penalty is summed over the batch, and grows with its size",
            _probe(facts, "size", (1, 4, 16)), "take the mean over the batch",
        )  # fmt: skip
    elif not p["direction_free"]:
        yield Finding(
            Kind.PENALTY_NORM, Severity.ERROR,
            "critics of the same slope are penalised differently: the norm is not the Euclidean "
            "norm over all entries of a sample", _probe(facts, "k", (1.0, 5.0)),
            "flatten the gradient of each sample first: gradient.flatten(1).norm(2, dim=1)",
        )  # fmt: skip


def _probe(facts: Any, varied: str, values: tuple[float, ...]) -> str:
    """Return code that prints the penalty of critics of known slope."""
    p = facts.penalty
    given = {"k": "5.0", "shift": "0.0", "size": "6"} | {varied: varied}
    arguments, shape = p["call"], ", ".join(map(str, p["shape"]))
    for role, code in (
        ("score real", "D(real)"),
        ("score fake", "D(fake)"),
        ("device", "torch.device('cpu')"),
        ("labels", "torch.arange(6) % 3"),
    ):
        arguments = arguments.replace(f"={role}", f"={code}")
    return facts.code(
        PROBE,
        f"for {varied} in {values}:",
        f"    D = Critic({given['k']}, {given['shift']}, {3 if 'labels' in p['call'] else 1})",
        f"    real = torch.randn({given['size']}, {shape}, requires_grad=True)",
        f"    fake = torch.randn({given['size']}, {shape}, requires_grad=True)",
        f"    print({varied!r}, {varied}, {p['name']}({arguments}))",
    )
