"""Digits: a one-hidden-layer GAN on images, judged by a classifier that it never saw.

Claim: the network of the classic tutorial trains and makes digits of most classes; paths between
latent points and arithmetic on class averages mean something to the classifier; and the two ways
of writing the loss, log(1 − σ(t)) and −softplus(t), are equal in algebra and not in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gantheory.records import Estimate, How
from simulations.compare import classifier_test, proportion
from simulations.data import digits
from simulations.ensembles import Member, Recipe
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting
from simulations.losses import torch_loss
from simulations.networks import Mlp
from simulations.streams import EVALUATION, generator_of
from simulations.train import last, train
from simulations.updates import Adam, Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LATENT = 32
DELTA = 1e-6
SAMPLES = 2000
STEPS = (2048, 20_032)  # quick, full


@dataclass(frozen=True)
class Images:
    """A sampler of the given images, with replacement."""

    pixels: Any

    @property
    def dim(self) -> int:
        """Return the number of pixels."""
        return int(self.pixels.shape[1])

    def sample(self, n: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Return n images, shape (n, pixels)."""
        chosen = torch.randint(len(self.pixels), (n,), generator=generator)
        return torch.from_numpy(self.pixels)[chosen].to(dtype)


def cases(quick: bool) -> tuple[str, ...]:
    """Return the two forms of the loss and the training run."""
    return ("forms", "train")


def compare(case: str, setting: Setting) -> Measurement:
    """Measure one part of the claim."""
    return _forms() if case == "forms" else _train(setting)


def _forms() -> Measurement:
    """Evaluate log(1 − σ(t)) as written, and as compiled from the game, in float32."""
    t = torch.linspace(-20, 40, 241, dtype=torch.float32)
    written = torch.log(1 - torch.sigmoid(t))
    compiled = torch_loss("minimax").generator(t)
    exact = -torch.nn.functional.softplus(t.double(), threshold=60.0)
    first = float(t[~written.isfinite()].min())
    near = t.abs() <= 4
    comparisons = (
        Comparison(
            "digits.forms.equal", "the two forms agree for |t| <= 4 in float32, to 1e-5",
            Estimate(float((written - compiled)[near].abs().max())), "<=", Estimate(1e-5),
        ),
        Comparison(
            "digits.forms.compiled", "the compiled form is right to 1e-6 of its size up to t = 40",
            Estimate(float(((compiled - exact).abs() / (1 + exact.abs())).max())),
            "<=", Estimate(1e-6),
        ),
        Comparison(
            "digits.forms.written", "log(1 - sigmoid(t)) is finite in float32 up to t = 40",
            Estimate(first), ">=", Estimate(40.0), How.REFUTED, twin_of="digits.forms.compiled",
        ),
    )  # fmt: skip
    return Measurement("forms", comparisons, {"infinite from t": first})


def _train(setting: Setting) -> Measurement:
    """Train, classify 2000 samples, and walk and add in latent space."""
    data = digits(setting.data)
    side = data.side**2
    maker = Mlp((LATENT, 128, side), activation="relu", output="sigmoid")
    how = Recipe(
        Mlp((side, 128, 1), activation="leaky"),
        maker,
        steps=STEPS[not setting.quick],
        batch=64,
        rule=Adam(beta1=0.5),
        schedule=Schedule.HALFWAY,
        dtype=torch.float32,
        latent="uniform",  # as in the tutorial
        device=setting.device,
    )
    member = Member(
        Images(data.pixels), "non-saturating", seed=setting.seed_of("digits"),
        discriminator_rate=1e-3, generator_rate=1e-3,
    )  # fmt: skip
    row = last(train([member], how)).parameters["generator"].cpu()
    z = _latents(member.seed)
    judge = _classifier(setting.data)

    def make(latent: Tensor) -> np.ndarray:
        with torch.no_grad():
            return maker(row, latent[None])[0].double().numpy()

    images = make(z)
    labels = judge.predict(images)
    counts = np.bincount(labels, minlength=10)
    covered = int((counts >= SAMPLES / 100).sum())
    accuracy, p_value = classifier_test(images[:1500], data.pixels, setting.seed_of("two-sample"))
    arithmetic = _arithmetic(z, labels, make, judge)
    paths = _paths(z, labels, make, judge)
    least = 5 if setting.quick else 8
    comparisons = (
        Comparison(
            "digits.modes", f"at least {least} of 10 classes get a hundredth of the samples",
            Estimate(float(covered)), ">=", Estimate(float(least)),
        ),
        Comparison(
            "digits.arithmetic",
            "adding a difference of class averages in latent space leads to the class meant, "
            f"more often than 1 in 10 (error probability {DELTA:g})",
            arithmetic, ">=", Estimate(0.1), surely=True,
        ),
        Comparison(
            "digits.twin", "the samples cannot be told from the data: p-value at least 1e-6",
            Estimate(p_value), ">=", Estimate(1e-6), How.REFUTED, twin_of="digits.modes",
        ),
    )  # fmt: skip
    numbers = {
        "origin": data.origin, "side": data.side, "counts": counts.tolist(),
        "two-sample accuracy": accuracy, "two-sample p": p_value,
        "arithmetic": asdict(arithmetic), "paths": paths["confidence"],
        "samples": np.round(images[:64], 3).tolist(),
        "walk": np.round(paths["images"], 3).tolist(),
    }  # fmt: skip
    return Measurement("train", comparisons, numbers)


def _latents(seed: int) -> Tensor:
    source = generator_of(seed, EVALUATION)
    return torch.rand(SAMPLES, LATENT, generator=source, dtype=torch.float32).mul_(2).sub_(1)


@lru_cache(maxsize=2)
def _classifier(folder: str | None) -> Any:
    """Return scikit-learn's nearest-neighbour classifier, fitted on the data."""
    from sklearn.neighbors import KNeighborsClassifier

    data = digits(folder)
    return KNeighborsClassifier(5).fit(data.pixels, data.labels)


def _arithmetic(z: Tensor, labels: np.ndarray, make: Any, judge: Any) -> Estimate:
    """Move fresh samples of one class by the difference of two class averages; count arrivals."""
    half = np.arange(len(z)) % 2 == 0  # averages from one half, moves tried on the other
    present = [c for c in range(10) if ((labels == c) & half).sum() >= 10]
    averages = {c: z[torch.from_numpy((labels == c) & half)].mean(0) for c in present}
    hits = trials = 0
    for a in present:
        for b in present:
            start = z[torch.from_numpy((labels == a) & ~half)][:20]
            if a != b and len(start):
                arrived = judge.predict(make(start - averages[a] + averages[b]))
                hits, trials = hits + int((arrived == b).sum()), trials + len(start)
    return proportion(hits, max(trials, 1), DELTA)


def _paths(z: Tensor, labels: np.ndarray, make: Any, judge: Any) -> dict[str, Any]:
    """Walk between pairs of different classes, straight, on a sphere, and through the pixels."""
    pairs = [(i, i + 1) for i in range(0, 400, 2) if labels[i] != labels[i + 1]][:100]
    if not pairs:  # a collapsed generator makes one class: there is nowhere to walk to
        return {"confidence": {}, "images": np.zeros((0, 9, 1))}
    first, second = (z[[pair[k] for pair in pairs]] for k in (0, 1))
    steps = torch.linspace(0, 1, 9)
    straight = torch.stack([(1 - s) * first + s * second for s in steps])
    angle = torch.arccos(torch.nn.functional.cosine_similarity(first, second, dim=1))[:, None]
    round_ = torch.stack(
        [
            (torch.sin((1 - s) * angle) * first + torch.sin(s * angle) * second) / torch.sin(angle)
            for s in steps
        ]
    )
    ends = make(first), make(second)
    pixels = np.stack([(1 - s) * ends[0] + s * ends[1] for s in steps.numpy()])
    walks = {
        "linear": np.stack([make(points) for points in straight]),
        "spherical": np.stack([make(points) for points in round_]),
        "pixels": pixels,
    }
    confidence = {
        name: [float(judge.predict_proba(images).max(1).mean()) for images in walk]
        for name, walk in walks.items()
    }
    return {"confidence": confidence, "images": walks["spherical"][:, :4].transpose(1, 0, 2)}


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw 64 samples, four walks, and how sure the classifier is along them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    found = next((m.numbers for m in measured if "samples" in m.numbers), None)
    if found is None:
        return figure
    samples, walk, sure = figure.subplots(1, 3, width_ratios=(4, 5, 4))
    side = found["side"]
    samples.imshow(_tiled(np.array(found["samples"]), 8, side), cmap="gray_r", vmin=0, vmax=1)
    samples.set_title(f"64 samples ({found['origin']})", fontsize=10)
    steps = np.array(found["walk"]).reshape(-1, side * side)
    if len(steps):
        walk.imshow(_tiled(steps, 9, side), cmap="gray_r", vmin=0, vmax=1)
    walk.set_title("four spherical walks" if len(steps) else "one class only", fontsize=10)
    for axes in (samples, walk):
        axes.set_xticks([])
        axes.set_yticks([])
    for name, values in found["paths"].items():
        sure.plot(np.linspace(0, 1, len(values)), values, label=name)
    sure.set(xlabel="way between two classes", ylabel="classifier's mean confidence")
    if found["paths"]:
        sure.legend()
    return figure


def _tiled(images: np.ndarray, columns: int, side: int) -> np.ndarray:
    """Lay images out in rows, a blank pixel around each."""
    tiles = np.pad(images.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)))
    rows = tiles.reshape(-1, columns, side + 2, side + 2)
    return rows.transpose(0, 2, 1, 3).reshape(len(rows) * (side + 2), columns * (side + 2))


EXPERIMENT = Experiment(
    name="digits",
    title="Digits",
    claim="a one-hidden-layer GAN makes digits of most classes; its latent space is usable",
    expected=(
        "at least 8 of 10 classes; a two-sample test still tells samples from data",
        "log(1 - sigmoid(t)) is -inf in float32 from t = 17 on, the compiled form never",
    ),
    minutes=3,
    quick_minutes=0.4,
    cases=cases,
    measure=compare,
    draw=draw,
    reads_data=True,
    source="the tutorials' one-hidden-layer GAN on MNIST; 8x8 digits where MNIST is not at hand",
)
