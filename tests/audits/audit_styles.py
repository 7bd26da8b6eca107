"""Every loss of the catalogue as torch code, in ten styles that people write.

Run as a script it audits all of them: ``python tests/audits/audit_styles.py``.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

import gantheory as gt
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Loss

NUMBERS = {"a": "0.9", "b": "0.2", "c": "0.9", "prior": "0.3", "eps": "1e-6", "m": "2.5",
           "alpha": "3", "alpha_D": "2", "alpha_G": "0.6"}  # fmt: skip
SAME = {  # payoffs that are another entry's, the plainer one
    "f-gan-gan": "minimax", "f-gan-gan-alternative": "non-saturating", "f-gan-jsd": "minimax",
    "f-gan-jsd-alternative": "non-saturating", "linear": "wasserstein", "f-gan-tv": "wasserstein",
    "f-gan-tv-alternative": "wasserstein",
}  # fmt: skip
INHERENT = {"epsilon-in-log": "non-saturating-epsilon"}  # a finding that the loss itself has


def numbered(entry: Loss) -> Loss:
    """Return an entry with numbers for its parameters."""
    numbers = dict(NUMBERS)
    if entry.name == "least-squares":
        numbers |= {"a": "0.1", "b": "0.9"}
    return entry.given(**{name: numbers[name] for name in entry.parameters})


def source(text: str, score: str) -> str:
    """Return a payoff as torch code in which no digits are lost."""
    return _walk(parse(text, PAYOFF), score)


def _walk(node: ast.expr, x: str) -> str:
    match node:
        case ast.Call(func=ast.Name(id="log"), args=[argument]) if _logit(argument):
            return f"F.logsigmoid({'-' if _logit(argument) < 0 else ''}{x})"
        case ast.Call(func=ast.Name(id="log"), args=[ast.BinOp(op=ast.Div(), left=a, right=b)]):
            return f"({_walk(_log(a), x)} - {_walk(_log(b), x)})"
        case ast.Call(func=ast.Name(id="log"), args=[ast.BinOp(op=ast.Mult(), left=a, right=b)]):
            return f"(math.log({ast.unparse(a)}) + {_walk(_log(b), x)})"
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            inner = _walk(argument, x)
            where = {"relu": "F.relu", "softplus": "F.softplus"}.get(name, f"torch.{name}")
            return f"{where}({inner})"
        case ast.BinOp(left=base, op=ast.Pow(), right=power) if _logit(base):
            sign = "-" if _logit(base) < 0 else ""
            return f"torch.exp({_walk(power, x)} * F.logsigmoid({sign}{x}))"
        case ast.BinOp(left=left, op=op, right=right):
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
            return f"({_walk(left, x)} {sign[type(op)]} {_walk(right, x)})"
        case ast.UnaryOp(operand=operand):
            return f"(-{_walk(operand, x)})"
        case ast.Name(id="t"):
            return x
        case ast.Name(id="D"):
            return f"torch.sigmoid({x})"
    return ast.unparse(node)


def _log(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("log"), [node], [])


def _logit(node: ast.expr) -> int:
    """Return 1 for D, -1 for 1 - D, and 0 for anything else."""
    text = ast.unparse(node)
    return {"D": 1, "1 - D": -1}.get(text, 0)


def styles(loss: Loss) -> Iterator[tuple[str, tuple]]:
    """Yield (name of the style, what `gantheory.audit` is given)."""
    names = {"torch": torch, "nn": nn, "F": F, "math": math}
    for name, text in TEMPLATES.items():
        code = text
        for part in ("real", "fake", "generator"):
            for score in ("real", "fake", "x", "p"):
                formula = source(getattr(loss, part), score)
                code = code.replace(f"<{part} {score}>", formula)
        made: dict = dict(names)
        exec(compile(code, f"<{name}>", "exec"), made)
        yield name, made["LOSSES"]


TEMPLATES = {
    "functions": """
def d_loss(real, fake): return -(<real real>).mean() - (<fake fake>).mean()
def g_loss(fake): return (<generator fake>).mean()
LOSSES = (d_loss, g_loss)
""",
    "methods and dictionaries": """
class Losses:
    def discriminator_loss(self, fake, real):
        loss = -torch.mean(<real real>) - torch.mean(<fake fake>)
        return {"loss": loss, "real": real.detach().mean().item()}
    def generator_loss(self, fake):
        return {"loss": torch.mean(<generator fake>)}
LOSSES = (Losses(),)
""",
    "a flag": """
class Criterion(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.tensor(1.0))
    def forward(self, x, target_is_real, for_discriminator=True):
        if not for_discriminator:
            return self.weight * (<generator x>).mean()
        return -(<real x>).mean() if target_is_real else -(<fake x>).mean()
LOSSES = (Criterion(),)
""",
    "heads": """
def d_loss(real_outputs, fake_outputs):
    loss, parts = 0, []
    for real, fake in zip(real_outputs, fake_outputs):
        one = -torch.mean(<real real>) - torch.mean(<fake fake>)
        loss += one; parts.append(one.item())
    return loss, parts
def g_loss(fake_outputs):
    return sum((<generator fake>).mean() for fake in fake_outputs)
LOSSES = (d_loss, g_loss)
""",
    "a tuple with logs": """
def d_loss(logits_real, logits_fake):
    real, fake = logits_real, logits_fake
    loss_real, loss_fake = -(<real real>).mean(), -(<fake fake>).mean()
    return loss_real + loss_fake, {"loss_real": loss_real.item(), "fake": loss_fake.detach()}
def g_loss(logits_fake):
    fake = logits_fake
    loss = (<generator fake>).mean()
    return loss, {"g": float(loss)}
LOSSES = (d_loss, g_loss)
""",
    "half of a sum": """
def d_loss(real, fake):
    return 0.5 * (torch.mean(-(<real real>)) + torch.mean(-(<fake fake>)))
def g_loss(fake): return 0.5 * torch.mean(<generator fake>)
LOSSES = (d_loss, g_loss)
""",
    "concatenated": """
def d_loss(real, fake):
    both = torch.cat([(<real real>).view(-1), (<fake fake>).view(-1)])
    return -2 * both.sum() / both.numel()
def g_loss(fake): return (<generator fake>).sum() / fake.shape[0]
LOSSES = (d_loss, g_loss)
""",
    "networks": """
def d_loss(D, real_images, fake_images):
    real, fake = D(real_images).squeeze(), D(fake_images.detach() if False else fake_images)
    return -(<real real>).mean() - (<fake fake>).mean()
def g_loss(D, fake_images):
    fake = D(fake_images)
    return (<generator fake>).mean()
LOSSES = (d_loss, g_loss)
""",
    "reductions": """
class DLoss(nn.Module):
    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduce = {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction]
    def forward(self, real, fake): return self.reduce(-(<real real>)) + self.reduce(-(<fake fake>))
class GLoss(DLoss):
    def forward(self, fake): return self.reduce(<generator fake>)
LOSSES = (DLoss("mean"), GLoss("none"))
""",
    "in place": """
class Losses:
    def __init__(self): self.cache = {}
    def zeros(self, like):
        key = tuple(like.shape)
        if key not in self.cache: self.cache[key] = torch.zeros(like.shape, dtype=like.dtype)
        return self.cache[key]
    def d_loss(self, real, fake):
        total = torch.zeros(())
        total = total - (torch.stack([p + 0 for p in (<real real>).unbind(0)])).mean()
        total += -torch.flatten(<fake fake> + self.zeros(fake)).mean(0).sum()
        return total
    def g_loss(self, fake):
        assert torch.is_tensor(fake)
        return torch.add((<generator fake>).flatten().mean(), 0.0)
LOSSES = (Losses(),)
""",
}


def allowed(loss: Loss, kinds: tuple[str, ...]) -> set[str]:
    """Return the findings that are not a true fact about the loss itself."""
    base = loss.name.split("(")[0]
    followed = gt.derive(loss, seconds=3).followed
    true = {kind for kind, name in INHERENT.items() if name == base}
    if base == "non-saturating-epsilon":
        true.add("overflow")  # 1e-6 is 0 in half precision
    if followed is not None and followed.is_divergence is False:
        true.add("not-a-divergence")
    return set(kinds) - true


def expected(loss: Loss) -> str:
    """Return the name under which a loss should be recognised."""
    return SAME.get(loss.name, loss.name)


def main() -> int:
    """Audit everything and print what goes wrong."""
    wrong = total = 0
    for entry in CATALOGUE.values():
        loss = numbered(entry)
        for style, losses in styles(loss):
            total += 1
            try:
                found = gt.audit(*losses)
            except Exception as error:
                wrong += 1
                print(f"RAISED {loss.name} | {style} | {error!r}", flush=True)
                continue
            name = found.equals and found.equals.loss
            false = allowed(loss, found.kinds)
            if not found.recovered or name != expected(loss) or false:
                wrong += 1
                print(f"WRONG {loss.name} | {style} | {name} {false} {found.reasons}", flush=True)
    print(f"{total - wrong} of {total} right")
    return wrong


if __name__ == "__main__":
    sys.exit(main() > 0)
