"""Gradient penalties, by probes: critics of known slope, at several batch sizes and places.

A linear critic D(x) = k·⟨u, x⟩ + b has the gradient norm k everywhere, so that a penalty on it is a
function of k alone: w·(k − c)² for the target c, at any batch size, direction u and shift b. What
changes with the batch, the direction or the shift is not a penalty on each sample's slope.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gantheory.audits.forms import quiet
from gantheory.audits.names import is_network, player_of, side_of, words
from gantheory.audits.signatures import parameters
from gantheory.errors import GantheoryError

WORDS = frozenset(
    ["penalty", "gp", "r1", "r2", "regularizer", "regulariser", "dragan", "grad_penalty"]
)
SCORES = frozenset(
    [
        "pred",
        "preds",
        "score",
        "scores",
        "critic",
        "critics",
        "logit",
        "logits",
        "out",
        "output",
        "outputs",
        "outs",
        "validity",
        "prediction",
        "predictions",
    ]
)
IMAGES = frozenset(
    [
        "img",
        "imgs",
        "image",
        "images",
        "sample",
        "samples",
        "x",
        "data",
        "input",
        "inputs",
        "interpolates",
        "interpolate",
        "interpolated",
        "interp",
        "hat",
        "xhat",
        "z",
    ]
)
LABELS = frozenset(["label", "labels", "domain", "domains", "classes", "cls", "c"])
SLOPES = (0.5, 1.0, 2.0, 3.0, 5.0)
CLASSES = 3  # domains of a critic whose penalty picks an output by its label
SHAPE = (2, 2, 3)  # of one image: a norm over channels alone is not that of the sample
SHAPES = (SHAPE, (12,), (3, 4), (1, 2, 2, 3))  # images, rows of a table, sequences, volumes
FIT = 1e-6  # relative, of the fitted penalty: probes are exact


class QuadraticCritic(nn.Module):
    """D(x) = k·⟨u, x⟩ + b + (c/2)·x₀², of known slope; with several outputs, one u each.

    Scores are a column (N, 1), or a vector (N,) where they are to be ``flat``.
    """

    def __init__(
        self, slope: float, shift: float = 0.0, bend: float = 0.0, diagonal: bool = True,
        outputs: int = 1, flat: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.flat = flat
        self.slope = nn.Parameter(torch.tensor(float(slope)))
        self.shift, self.bend = shift, bend
        size = int(np.prod(SHAPE))
        if outputs > 1:
            rows = torch.eye(size)[:outputs]
        else:
            signs = torch.tensor([1.0, -1.0] * size)[:size]
            rows = (signs / size**0.5 if diagonal else torch.eye(size)[0]).reshape(1, -1)
        self.register_buffer("rows", rows)

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        flat = x.flatten(1)
        linear = flat @ self.rows.T.to(flat.dtype)  # type: ignore[operator]
        scores = self.slope * linear + self.shift + self.bend * self.slope * flat[:, :1] ** 2 / 2
        return scores.squeeze(1) if self.flat else scores


@dataclass(frozen=True)
class Penalty:
    """A penalty as a function of a critic and two batches."""

    function: Callable[..., Any]
    roles: Mapping[str, str]
    options: Mapping[str, Any]
    name: str
    shape: tuple[int, ...] = SHAPE
    attached: bool = False  # whether the samples carry a gradient, as a generator's do
    flat: bool = False  # whether scores are a vector

    @property
    def labelled(self) -> bool:
        """Whether it picks one of several outputs."""
        return "labels" in self.roles.values()

    def at(
        self,
        critic: QuadraticCritic,
        size: int,
        real: float | None = None,
        fake: float | None = None,
    ) -> tuple[float, float]:
        """Return its value, and its derivative in the critic's slope."""
        with quiet(torch.float64, 0):
            critic = critic.double()
            batches = [_images(self.shape, size, place, k) for k, place in enumerate((real, fake))]
            value = self._value(critic, batches)
            if not isinstance(value, Tensor):
                return float(value), 0.0
            value = value.sum() if value.numel() == 1 else value.mean()
            slope = 0.0
            if value.requires_grad:
                (found,) = torch.autograd.grad(value, critic.slope, allow_unused=True)
                slope = 0.0 if found is None else float(found)
            return float(value.detach()), slope

    def _value(self, critic: QuadraticCritic, batches: list[Tensor]) -> Any:
        size = len(batches[0])
        needs = self.attached or any(role.startswith("score") for role in self.roles.values())
        images = [x.requires_grad_() if needs else x for x in batches]
        values: dict[str, Any] = {
            "D": critic, "real": images[0], "fake": images[1], "device": torch.device("cpu"),
            "labels": torch.arange(size) % CLASSES,
        }  # fmt: skip
        if needs:
            values |= {"score real": critic(images[0]), "score fake": critic(images[1])}
        result = self.function(**{p: values[role] for p, role in self.roles.items()},
                               **self.options)  # fmt: skip
        return result[0] if isinstance(result, tuple | list) else result


def _images(shape: tuple[int, ...], size: int, place: float | None, seed: int) -> Tensor:
    """Return copies of one sample, with its first number at a ``place``: samples do not differ."""
    made = torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed)).double()
    if place is not None:
        made.view(-1)[0] = place
    return made.repeat(size, *[1] * len(shape))


def is_penalty(name: str) -> bool:
    """Return whether a name is that of a gradient penalty.

    >>> is_penalty("compute_gradient_penalty"), is_penalty("hinge_d_loss")
    (True, False)
    """
    said = set(words(name))
    short = "pen" in said and bool(said & {"grad", "gradient"})
    return bool(said & WORDS) or short or "r1" in name.lower().split("_")


def holds_a_loss(function: Callable[..., Any], name: str, options: Mapping[str, Any]) -> bool:
    """Return whether what is named after a penalty is a whole loss: penalties are not negative."""
    if player_of(name.split(".")[-1]) is None:
        return False
    try:
        critic, penalty = QuadraticCritic(3.0, diagonal=False), penalty_of(function, name, options)
        return any(penalty.at(critic, 4, place, -place)[0] < 0 for place in (30.0, -30.0))
    except Exception:
        return False


def penalty_of(function: Callable[..., Any], name: str, options: Mapping[str, Any]) -> Penalty:
    """Return how a penalty is called, its arguments told apart by their names."""
    if {"path", "length"} & set(words(name)) and {"regularize", "regularizer", "path"} & set(
        words(name)
    ):
        raise GantheoryError(
            f"{name} penalises the path lengths of a generator, not the slope of a discriminator: "
            "there is no probe for it"
        )
    known = parameters(function)
    network = any(is_network(p.name) for p in known)
    roles: dict[str, str] = {}
    for parameter in known:
        if parameter.name in options:
            continue
        role = _role(parameter, network)
        if role is None and not roles and not network:
            role = "real"  # the first is what the second is the score of
        if role is None and parameter.default is inspect.Parameter.empty:
            raise GantheoryError(
                f"{name} needs a value for {parameter.name!r}; give it with "
                f"--call '{parameter.name}=...' (call={{{parameter.name!r}: ...}} in Python)"
            )
        if role is not None:
            roles[parameter.name] = role
    inside = isinstance(getattr(function, "__self__", None), nn.Module)  # the critic is self
    if not network and not inside and not any(role.startswith("score") for role in roles.values()):
        scores = [p for p in list(roles)[1:] if roles[p] in ("real", "fake")]
        roles |= dict.fromkeys(scores[:1], f"score {roles[next(iter(roles))]}")
    given = {p.name for p in known} & set(options)
    return Penalty(function, roles, {k: options[k] for k in given}, name)


def _role(parameter: inspect.Parameter, network: bool) -> str | None:
    said = set(words(parameter.name))
    if is_network(parameter.name):
        return "D"
    if parameter.default is not inspect.Parameter.empty:
        return None
    if "device" in said:
        return "device"
    side = side_of(parameter.name) or "real"
    if not network and (said & SCORES or "d" in said):
        return f"score {side}"
    if said & LABELS and not said & {"real", "fake"}:
        return "labels"
    return side if said & (IMAGES | {"real", "fake"}) or side_of(parameter.name) else None


def audit_penalty(penalty: Penalty) -> dict[str, Any]:
    """Return what the probes say.

    Raises:
        GantheoryError: where the penalty does not run on the probes.
    """
    outputs = CLASSES if penalty.labelled else 1
    errors = []
    ways = [(one, (1, 4, 16)) for one in _ways(penalty)]
    ways += [(one, (2, 4, 16)) for one in _ways(penalty)]  # where a batch of one does not run
    for one, sizes in [(one, (3, 6, 12)) for one, _ in ways] if penalty.labelled else ways:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _measured(one, outputs, sizes)
        except GantheoryError:
            raise
        except Exception as error:
            errors.append(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}")
    raise GantheoryError(f"{penalty.name} does not run on a critic: {errors[0]}")


def _ways(penalty: Penalty) -> Iterator[Penalty]:
    """Yield a penalty on samples of each shape; a method of a network takes the critic as self."""
    ways = [penalty]
    owner = getattr(penalty.function, "__self__", None)
    arguments = {role.split()[0] for role in penalty.roles.values()}
    if isinstance(owner, nn.Module) and not arguments & {"D", "score"}:
        method = penalty.function.__func__  # type: ignore[attr-defined]
        roles = {next(iter(inspect.signature(method).parameters)): "D", **penalty.roles}
        name = f"{type(owner).__name__}.{method.__name__}"
        ways = [replace(penalty, function=method, roles=roles, name=name), penalty]
    for flat, attached, shape in product((False, True), (False, True), SHAPES):
        yield from (replace(w, shape=shape, attached=attached, flat=flat) for w in ways)


def _measured(penalty: Penalty, outputs: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    def at(k: float, size: int = sizes[1], **how: Any) -> tuple[float, float]:
        places = {side: how.pop(side) for side in ("real", "fake") if side in how}
        critic = QuadraticCritic(k, outputs=outputs, flat=penalty.flat, **how)
        return penalty.at(critic, size, **places)

    values = {size: np.array([at(k, size)[0] for k in SLOPES]) for size in sizes}
    slopes = np.array([at(k)[1] for k in SLOPES])
    middle = values[sizes[1]]
    found: dict[str, Any] = {
        "name": penalty.name, "shape": penalty.shape,
        "values": {k: float(v) for k, v in zip(SLOPES, middle, strict=True)},
        "call": ", ".join(f"{p}={role}" for p, role in penalty.roles.items()),
        "constant": float(np.ptp(middle)) <= 1e-9 * (1 + abs(float(middle[0]))),
    }  # fmt: skip
    if found["constant"]:
        return found | {"target": None, "per_sample": None, "through": None, "weight": 0.0}
    found["detached"] = not slopes.any()
    shifted = np.array([at(k, shift=2.0)[0] for k in SLOPES])
    found["through"] = "score" if _same(shifted, middle) else "loss"
    growth = _growth(values, sizes)
    found["growth"] = growth
    axis = np.array([at(k, diagonal=False)[0] for k in SLOPES])
    if found["through"] == "loss":
        return found | {"target": None, "per_sample": None, "weight": None}
    found["direction_free"] = penalty.labelled or _same(axis, middle)
    single = values[sizes[0]]
    target, weight, one_sided = _fit(single if growth else axis)
    found |= {"target": target, "one_sided": one_sided, "per_sample": growth in ("", "sum")}
    gamma = None if weight is None else 2 * weight if target == 0 else weight
    found["weight"] = None if gamma is None else round(gamma, 6)
    if target is not None and weight and found["per_sample"] and found["through"] == "score":
        found["at"] = _where(at, target, weight)
    return found


def _same(left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.max(np.abs(left - right)) <= 1e-6 * (1 + np.max(np.abs(right))))


def _growth(values: Mapping[int, np.ndarray], sizes: tuple[int, ...]) -> str:
    """Return how a penalty depends on the batch: not, as a sum, by a norm over all, or else."""
    first, second, third = (values[size] for size in sizes)
    if _same(first, second) and _same(second, third):
        return ""
    if _same(first * sizes[1] / sizes[0], second) and _same(second * sizes[2] / sizes[1], third):
        fitted = _fit(first)
        if fitted[0] != 0:
            return "sum"
        return "whole batch or sum"
    return "whole batch"


def _fit(values: np.ndarray) -> tuple[float | None, float | None, bool]:
    """Return target, weight, and whether slopes below the target cost nothing."""
    k = np.array(SLOPES)
    roots = np.sqrt(np.maximum(values, 0))
    rise = (roots[-1] - roots[-2]) / (k[-1] - k[-2])
    if rise <= 0:
        return None, None, False
    target = k[-1] - roots[-1] / rise
    target = float(round(target, 6)) + 0.0
    weight = float(rise**2)
    two_sided = weight * (k - target) ** 2
    if np.max(np.abs(values - two_sided)) <= FIT * (1 + np.max(values)):
        return target, weight, False
    one_sided = weight * np.maximum(k - target, 0) ** 2
    if np.max(np.abs(values - one_sided)) <= FIT * (1 + np.max(values)):
        return target, weight, True
    return None, None, False


def _where(at: Callable[..., tuple[float, float]], target: float, weight: float) -> str:
    """Return where a penalty is taken: a bent critic is steep at the real samples."""
    places = {"real": 8.0, "fake": -3.0}
    k = 1.5
    value = at(k, diagonal=False, bend=1.0, **places)[0]
    slopes = {side: abs(k * (1 + place)) for side, place in places.items()}
    expected = {side: weight * (slope - target) ** 2 for side, slope in slopes.items()}
    for side, other in expected.items():
        if abs(value - other) <= 1e-6 * (1 + other):
            return side
    if abs(value - sum(expected.values())) <= 1e-6 * (1 + value):
        return "real and fake, summed"
    if abs(value - sum(expected.values()) / 2) <= 1e-6 * (1 + value):
        return "real and fake"
    return "between real and fake"
