"""A GAN that someone else trains, measured: any modules, any data, any loop.

Nothing here moves what it measures: parameters, buffers, modes, gradients and random states are
the same after as before, so a run that is watched is bitwise the run that is not.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from gantheory.errors import GantheoryError, require_type, unknown_name
from gantheory.formulas import interval
from gantheory.losses.critic import Critic
from gantheory.losses.loss import Loss
from gantheory.records import Estimate
from gantheory.shown import Overview, Shown
from simulations.coded import Code, Coded, Logits, as_coded
from simulations.compare import mean_of
from simulations.forwards import (
    Selected,
    bare,
    beyond_numbers,
    check_module,
    check_raw,
    first_line,
    output_of,
    untouched,
)
from simulations.losses import end_of_domain
from simulations.played import Played, Separable, played_as
from simulations.points import DataPoints, as_sampler, check_axes, check_finite
from simulations.readings import Reading
from simulations.samples import TESTS
from simulations.settings import check_whole
from simulations.streams import COMPARISON, EVALUATION, Sampler, drawn, generator_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Latent = int | tuple[int, ...] | Callable[[int, torch.Generator], Tensor]
METHOD = "fresh samples, Student's t"
FEWEST = 16  # points of either side, below which no interval is stated
TESTED = 500  # points of either side in a two-sample test, whose cost is quadratic


def measure(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Any,
    loss: Loss | Critic | str | Code = "non-saturating",
    *,
    latent: Latent,
    parameters: Mapping[str, float] | None = None,
    n: int = 10_000,
    seed: int = 0,
    step: int = 0,
    test: str | None = None,
    error_probability: float = 1e-3,
    score: Callable[[Any], Tensor] | None = None,
) -> Reading:
    """Measure a generator and a discriminator against data, in eval mode, leaving both as they are.

    Args:
        generator: maps latents (n, ...) to samples (n, ...).
        discriminator: maps samples to raw scores t of the loss, (n,) or (n, ...), several of a
            sample counting alike: no sigmoid, but for torch code that takes probabilities.
        data: a density, numbers, a Dataset, a file or a sampler (see `simulations.points`); of
            finitely many points at most n different ones are taken.
        loss: a name of the catalogue, a `Loss`, a critic such as ``"wgan-gp"`` or
            ``"relativistic"`` (without penalties), or torch code: a criterion, or the functions
            ``(d_loss(real, fake), g_loss(fake))`` (see `simulations.coded`).
        latent: dimension of standard normal latents, or their shape, as (100, 1, 1), or a function
            of (n, torch.Generator).
        parameters: values of the loss's free parameters.
        n: samples of either side, at least 16.
        seed, step: of the samples; recorded in the answer.
        test: energy, classifier, or kolmogorov-smirnov on the line: a two-sample test, too.
        error_probability: that an interval misses.
        score: takes the scores from what D returns, as ``lambda out: out[0]`` of (t, features).

    Raises:
        GantheoryError: where shapes do not fit, or scores leave the loss's domain.
    """
    _check_asked(generator, discriminator, n, step, test, error_probability)
    generator, discriminator = bare(generator), bare(discriminator)
    if score is not None:
        discriminator = Selected(discriminator, score)
    played, discriminator = _played(loss, discriminator, parameters)
    with untouched(generator, discriminator):
        real, fake = _samples(generator, as_sampler(data), latent, n, seed)
        with torch.no_grad():
            scores = [_scores(discriminator, x).double() for x in (real, fake)]
        told = scores if not isinstance(discriminator, Logits) else []  # there nan means ±inf
        if lost := beyond_numbers(generator, discriminator, fake, told):
            return _unread(step, played, lost)
        z = _latents(latent, len(real), seed, _like(generator))
        gradients = _gradients(generator, discriminator, played, real, z)
        tested = None if test is None else _tested(real, fake, test, seed)
    _check_scores(scores, played.loss, discriminator)
    return _read(step, played, scores, gradients, tested, error_probability)


OPTIONS = {*(measure.__kwdefaults__ or ())} - {"step"}  # of a watch, which counts steps itself


def _read(
    step: int, played: Played, scores: list[Tensor], gradients: tuple[float, float],
    tested: float | None, error: float,
) -> Reading:  # fmt: skip
    """Return the reading of networks whose scores and gradients are numbers."""
    gains, losses = (f(*scores).cpu().numpy() for f in (played.gains, played.losses))
    value = mean_of(gains, error, METHOD, 2 * len(gains))
    bound, name, slope = played.theory(value)
    of_g = mean_of(losses, error, METHOD, len(losses))
    pull = played.slope(*scores)
    title = played.loss.title
    return Reading(step, value, bound, name, of_g, pull, slope, *gradients, tested, title)


def _unread(step: int, played: Played, why: str) -> Reading:
    """Return the reading of networks that are beyond measuring."""
    none = Estimate.undetermined(why, METHOD)
    bound, name, slope = played.theory(none)
    title = played.loss.title
    return Reading(step, none, bound, name, none, math.nan, slope, math.nan, math.nan, None, title)


def _check_asked(
    generator: nn.Module, discriminator: nn.Module, n: int, step: int, test: str | None,
    error: float,
) -> None:  # fmt: skip
    if test is not None and test not in list(TESTS):
        raise unknown_name("test", test, TESTS)
    check_module("generator", generator)
    check_module("discriminator", discriminator)
    check_whole("n", n, 1)
    check_whole("step", step, 0)
    if not isinstance(error, Real) or not 0 < error < 1:
        raise GantheoryError(f"error_probability={error!r} must lie between 0 and 1")


def _played(
    loss: Loss | Critic | str | Code | Coded, discriminator: nn.Module,
    parameters: Mapping[str, float] | None,
) -> tuple[Played, nn.Module]:  # fmt: skip
    """Return the loss in t, and the discriminator as it returns t."""
    coded = as_coded(loss)
    if coded is None:
        return played_as(loss, parameters), discriminator  # type: ignore[arg-type]
    if parameters:
        raise GantheoryError("a loss in torch code has its numbers; leave out parameters=")
    return Separable(coded.loss), Logits(discriminator) if coded.probabilities else discriminator


def _check_scores(scores: list[Tensor], loss: Loss, discriminator: nn.Module) -> None:
    ends = interval(loss.domain)
    lower, upper = (float(end_of_domain(end)) for end in (ends.lower, ends.upper))
    both = torch.cat(scores)
    if bool(both.isnan().any()) and isinstance(discriminator, Logits):
        raise GantheoryError(
            "the loss takes probabilities, and the discriminator's outputs are none; let it end in "
            "nn.Sigmoid(), or give the loss of raw scores, such as nn.BCEWithLogitsLoss()"
        )
    if not bool(((both >= lower) & (both <= upper)).all()):
        raise GantheoryError(
            f"scores from {float(both.min()):.4g} to {float(both.max()):.4g} where "
            f"{loss.name!r} has {loss.domain}; let the discriminator return the loss's raw score t"
        )


def _samples(
    generator: nn.Module, data: Sampler, latent: Latent, n: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Return as many real points as fakes, in the generator's type and on its device."""
    like = _like(generator)
    source = generator_of(seed, COMPARISON)
    if isinstance(data, DataPoints):
        real = data.distinct(n, source)
    else:
        real = drawn(data, n, source, torch.float64)
    check_finite(real, "data")
    if len(real) < FEWEST:
        raise GantheoryError(
            f"measured on {len(real)} point(s) of the data, where an interval needs at least "
            f"{FEWEST}; give more points, or a larger n"
        )
    with torch.no_grad():
        fake = output_of("generator", generator, _latents(latent, len(real), seed, like))
    if fake[0].numel() != real.shape[1]:
        raise GantheoryError(
            f"the generator's samples have shape {tuple(fake.shape)}, the data "
            f"{tuple(real.shape)}; they must have as many numbers a point"
        )
    check_axes(data, tuple(fake.shape[1:]))
    return real.to(like).reshape(fake.shape), fake


def _latents(latent: Latent, n: int, seed: int, like: Tensor) -> Tensor:
    source = generator_of(seed, EVALUATION)
    if callable(latent):
        return _drawn(latent, n, source).to(like)
    shape = latent_shape(latent)
    return torch.randn(n, *shape, generator=source, dtype=torch.float64).to(like)


def _drawn(latent: Callable[[int, torch.Generator], Tensor], n: int, source: Any) -> Tensor:
    try:
        drawn = latent(n, source)
    except TypeError as error:
        raise GantheoryError(f"latent(n, torch.Generator) failed: {first_line(error)}") from None
    if not isinstance(drawn, Tensor) or drawn.shape[:1] != (n,):
        made = f"shape {tuple(drawn.shape)}" if isinstance(drawn, Tensor) else type(drawn).__name__
        raise GantheoryError(f"latent(n, torch.Generator) gave {made}; n={n} rows of a tensor fit")
    return drawn


def latent_shape(latent: int | tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of one latent, given as that or as a number of dimensions."""
    shape = tuple(latent) if isinstance(latent, tuple | list) else (latent,)
    for size in shape:
        check_whole("latent", size, 1)
    return shape


def _like(module: nn.Module) -> Tensor:
    """Return a tensor of a module's type and device."""
    real = (p for p in module.parameters() if p.is_floating_point())
    return next(real, torch.zeros(0)).detach()


def _scores(discriminator: nn.Module, x: Tensor) -> Tensor:
    return output_of("discriminator", discriminator, x.clone()).reshape(len(x), -1)


def _gradients(
    generator: nn.Module,
    discriminator: nn.Module,
    played: Played,
    real: Tensor,
    z: Tensor,
) -> tuple[float, float]:
    """Return the norms of the gradients of D's and of G's loss in their own parameters."""
    known: dict[int, Tensor] = {}  # what both share moves in both, as in a training loop
    critic, psi = _on_copies(discriminator, known)
    maker, theta = _on_copies(generator, known)
    fake = maker(z)

    def scores(x: Tensor) -> Tensor:
        return output_of("discriminator", critic, x.clone()).reshape(-1)

    on_real, on_fakes = scores(real), scores(fake.detach())
    check_raw(on_fakes, played.loss)
    of_d = played.discriminator_loss(on_real, on_fakes)
    of_g = played.generator_loss(on_real.detach(), scores(fake))
    return _norm(of_d, psi), _norm(of_g, theta)


def _on_copies(
    module: nn.Module, known: dict[int, Tensor]
) -> tuple[Callable[[Tensor], Tensor], list[Tensor]]:
    """Return the module as a function of copies of its parameters, and the copies that move.

    Of a network that is frozen as a whole, as for a turn, all move.
    """
    scripted = any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())
    called = copy.deepcopy(module) if scripted else module  # no other parameters can be handed in
    own = dict(called.named_parameters())
    moving = {name: p for name, p in own.items() if p.requires_grad} or own
    if scripted:
        return called, [p.requires_grad_() for p in moving.values()]
    for p in moving.values():
        known.setdefault(id(p), p.detach().clone().requires_grad_())
    copies = {name: known[id(p)] for name, p in moving.items()}
    used = {n: p.detach().clone() for n, p in own.items() if p.is_inference()} | copies
    return lambda x: functional_call(module, used, (x,)), list(copies.values())


def _norm(loss: Tensor, parameters: list[Tensor]) -> float:
    if not parameters or not loss.requires_grad:  # nothing to move, or nothing reaches it
        return 0.0
    slopes = torch.autograd.grad(loss, parameters, allow_unused=True)
    return math.sqrt(sum(float(slope.abs().double().square().sum()) for slope in slopes
                         if slope is not None))  # fmt: skip


def _tested(real: Tensor, fake: Tensor, test: str, seed: int) -> float:
    made, given = (x[:TESTED].flatten(1).double().cpu().numpy() for x in (fake, real))
    if test == "kolmogorov-smirnov" and made.shape[1] > 1:
        raise GantheoryError(f"test={test!r} is for the line, not {made.shape[1]} dimensions")
    return float(TESTS[test](made, given, (seed, 0)))


@dataclass(repr=False)
class Watch(Shown):
    """Measures a GAN while someone's own loop trains it: call it with each step's number.

    Args:
        generator, discriminator, data, loss, latent: as `measure` takes them.
        every: steps between measurements.
        options: what else `measure` takes: n, seed, test, parameters, error_probability, score.

    In a loop call ``watch(step)``; ``Trainer(callbacks=[watch.lightning()])`` measures in
    Lightning. ``readings`` grows; each is on other samples.
    """

    generator: nn.Module
    discriminator: nn.Module
    data: Any
    loss: Loss | Critic | str | Code = "non-saturating"
    latent: Latent = 1
    every: int = 100
    options: Mapping[str, Any] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_whole("every", self.every, 1)
        require_type("mapping of options", self.options, Mapping, "one, as {'test': 'energy'}")
        for name in self.options:
            if name not in OPTIONS:
                raise unknown_name("option", name, OPTIONS)
        check_whole("seed", self.options.get("seed", 0), 0)
        self.data = as_sampler(self.data)
        self._played = as_coded(self.loss) or self.loss  # code is followed once

    def __call__(self, step: int | Tensor) -> Reading | None:
        """Measure where ``step`` is a multiple of ``every``, and keep and return the reading."""
        step = check_whole("step", step.item() if isinstance(step, Tensor) else step, 0)
        if step % self.every:
            return None
        options = {**self.options, "seed": self.options.get("seed", 0) + len(self.readings)}
        reading = measure(
            self.generator, self.discriminator, self.data, self._played,
            latent=self.latent, step=step, **options,
        )  # fmt: skip
        self.readings.append(reading)
        return reading

    def overview(self) -> Overview:
        """Return how much was measured, and the last reading."""
        if not self.readings:
            return Overview("nothing measured yet")
        last = self.readings[-1]
        named = ("value", "bound", "generator_loss", "discriminator_gradient", "generator_gradient")
        rows = [("loss", last.loss), ("bound of", last.divergence)]
        rows += [(name.replace("_", " "), f"{getattr(last, name)}") for name in named]
        title = f"{len(self.readings)} reading(s), the last at step {last.step}: {last.value}"
        return Overview(title, tuple(rows))

    def lightning(self) -> Any:
        """Return a callback for Lightning's Trainer (see `simulations.lightning`)."""
        from simulations.lightning import callback

        return callback(self)

    def column(self, name: str) -> list[Any]:
        """Return one attribute of every reading."""
        return [getattr(reading, name) for reading in self.readings]

    def draw(self) -> Figure:
        """Return a figure of the bound with its interval, and of both gradients, along training.

        Where nothing is bounded it shows the value instead.
        """
        from gantheory.report.plots.style import look, new_figure, tidy

        if not self.readings:
            raise GantheoryError("nothing was measured yet; call the watch in the training loop")
        figure = new_figure(8.0, 3.4)
        left, right = figure.subplots(1, 2)
        steps, bounds, name = self.column("step"), self.column("bound"), "value of the game"
        if any(bound.is_finite for bound in bounds):
            name = f"lower bound of {self.readings[-1].divergence}"
        else:
            bounds = self.column("value")
        middle, width = ([getattr(b, name) for b in bounds] for name in ("value", "error"))
        left.plot(steps, middle, **look(0))
        ends = [np.add(middle, sign * np.array(width)) for sign in (-1, 1)]
        left.fill_between(steps, *ends, color=look(0)["color"], alpha=0.2, linewidth=0)
        tidy(left, "step", "nats", f"{name}, with its interval")
        for k, player in enumerate(("discriminator", "generator")):
            right.plot(steps, self.column(f"{player}_gradient"), label=player, **look(k))
        right.legend(frameon=False)
        tidy(right, "step", "", "norm of the gradient")
        return figure
