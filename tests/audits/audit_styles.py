"""Every loss of the catalogue as torch code, in styles that people write.

Each style writes the functions of the scores in idioms of its own, drawn by a seed. Run as a script
it audits ten styles of each loss: ``python tests/audits/audit_styles.py [SEED]``.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from audit_idioms import Writer
from torch import nn

import gantheory as gt
from gantheory.expressions import parse
from gantheory.formulas import PAYOFF
from gantheory.losses import CATALOGUE
from gantheory.losses.loss import Loss

STYLES = 10  # of each loss in the whole run
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


def styles(loss: Loss, seed: int = 0) -> Iterator[tuple[str, tuple]]:
    """Yield (name of the style, what `gantheory.audit` is given)."""
    names = {"torch": torch, "nn": nn, "F": F, "math": math}
    for name in TEMPLATES:
        made: dict = dict(names)
        exec(compile(code_of(loss, name, seed), f"<{name}>", "exec"), made)
        yield name, made["LOSSES"]


def code_of(loss: Loss, style: str, seed: int = 0) -> str:
    """Return a loss as code in one style; the first seed writes the first style plainly."""
    writer = Writer(None if style == "functions" and not seed else f"{loss.name} {style} {seed}")
    code = TEMPLATES[style]
    for part in ("real", "fake", "generator"):
        for score in ("real", "fake", "x", "p"):
            if f"<{part} {score}>" in code:
                formula = writer.write(parse(getattr(loss, part), PAYOFF), score)
                code = code.replace(f"<{part} {score}>", formula)
    return code


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
    "a mode in a dictionary": """
class GANLoss(nn.Module):
    def __init__(self, gan_mode, target_real_label=1.0, target_fake_label=0.0):
        super().__init__()
        self.register_buffer("real_label", torch.tensor(target_real_label))
        self.register_buffer("fake_label", torch.tensor(target_fake_label))
        self.gan_mode = gan_mode
        self.modes = {"this": (lambda x: -(<real x>), lambda x: -(<fake x>), self.towards_real),
                      "none": (lambda x: 0 * x,) * 3}
    def towards_real(self, x): return <generator x>
    def get_target_tensor(self, prediction, target_is_real):
        label = self.real_label if target_is_real else self.fake_label
        return label.expand_as(prediction)
    def __call__(self, prediction, target_is_real, is_disc=False):
        on_real, on_fake, generator = self.modes[self.gan_mode]
        if not is_disc:
            return generator(prediction).mean()
        loss = on_real if self.get_target_tensor(prediction, target_is_real).all() else on_fake
        return loss(prediction).mean()
LOSSES = (GANLoss("this"),)
""",
    "scales of features": """
class Criterion(nn.Module):
    def __init__(self, loss_weight=1.0):
        super().__init__()
        self.loss_weight = loss_weight
    def single(self, x, target_is_real, for_discriminator):
        if not for_discriminator:
            return torch.mean(<generator x>)
        return -torch.mean(<real x>) if target_is_real else -torch.mean(<fake x>)
    def forward(self, outputs, target_is_real, for_discriminator=True):
        if isinstance(outputs, list):
            loss = 0
            for scale in outputs:
                if isinstance(scale, list):
                    scale = scale[-1]
                loss = loss + self.single(scale, target_is_real, for_discriminator)
            return self.loss_weight * loss / len(outputs)
        return self.loss_weight * self.single(outputs, target_is_real, for_discriminator)
LOSSES = (Criterion(),)
""",
    "a trainer": """
class Trainer:
    def __init__(self, config=None):
        self.config = {"lambda_adv": 1.0, "label_noise": 0.0, **(config or {})}
        self.log = {}
        self.step = 0
    def discriminator_loss(self, real_logits, fake_logits):
        real, fake = real_logits.float(), fake_logits.float()
        loss_real, loss_fake = torch.mean(-(<real real>)), torch.mean(-(<fake fake>))
        with torch.no_grad():
            self.log["accuracy"] = 0.5 * ((real > 0).float().mean() + (fake < 0).float().mean())
        loss = self.config["lambda_adv"] * (loss_real + loss_fake)
        self.log.update(d_real=loss_real.item(), d_fake=loss_fake.item())
        return loss
    def generator_loss(self, fake_logits):
        fake = fake_logits.float()
        loss = self.config["lambda_adv"] * torch.mean(<generator fake>)
        self.log["g"] = loss.detach()
        return loss
LOSSES = (Trainer({"lambda_adv": 1.0}),)
""",
    "weights and reductions": """
def reduce_loss(loss, weight=None, reduction="mean"):
    loss = loss if weight is None else loss * weight
    return {"mean": torch.mean, "sum": torch.sum}[reduction](loss)
def d_loss(real_pred, fake_pred, weight=None, reduction="mean", loss_weight=1.0):
    real, fake = real_pred, fake_pred
    on_real = reduce_loss(-(<real real>), weight, reduction)
    return loss_weight * (on_real + reduce_loss(-(<fake fake>), weight, reduction))
def g_loss(fake_pred, weight=None, reduction="mean", loss_weight=1.0):
    fake = fake_pred
    return loss_weight * reduce_loss(<generator fake>, weight, reduction)
LOSSES = (d_loss, g_loss)
""",
}


def allowed(loss: Loss, kinds: tuple[str, ...]) -> set[str]:
    """Return the findings that are not a true fact about the loss itself."""
    base = loss.name.split("(")[0]
    true = {kind for kind, name in INHERENT.items() if name == base}
    if base == "non-saturating-epsilon":
        true.add("overflow")  # 1e-6 is 0 in half precision
    if not _follows_a_divergence(base):
        true.add("not-a-divergence")
    return set(kinds) - true


@lru_cache(maxsize=64)
def _follows_a_divergence(entry: str) -> bool:
    followed = gt.derive(numbered(CATALOGUE[entry]), seconds=10).followed
    return followed is None or followed.is_divergence is not False


def expected(loss: Loss) -> str:
    """Return the name under which a loss should be recognised."""
    return SAME.get(loss.name, loss.name)


def verdict(loss: Loss, losses: tuple) -> str:
    """Return what an audit gets wrong; nothing where it is right."""
    try:
        found = gt.audit(*losses)
    except Exception as error:
        return f"raised {error!r}"
    name = found.equals and found.equals.loss
    if not found.recovered:
        return f"not recovered: {found.reasons}"
    if name != expected(loss):
        return f"taken for {name}: {found.loss}"
    false = allowed(loss, found.kinds)
    return f"false findings {[f.message for f in found.findings]}" if false else ""


def main(seed: int = 0) -> int:
    """Audit ten styles of each loss, and print what goes wrong and how often."""
    count: Counter[str] = Counter()
    for entry in CATALOGUE.values():
        loss = numbered(entry)
        written = list(styles(loss, seed))
        for style, losses in random.Random(f"{loss.name} {seed}").sample(written, STYLES):
            wrong = verdict(loss, losses)
            count["wrong" if wrong else "right"] += 1
            if wrong:
                print(f"{loss.name} | {style} | {wrong}", flush=True)
    print(f"{count['right']} right, {count['wrong']} wrong")
    return count["wrong"]


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])) > 0)
