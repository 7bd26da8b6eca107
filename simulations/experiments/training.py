"""The exact divergence and the loss, along training.

Claim: where the generator's density is known exactly, so is its JSD from the data. It falls for
every seed: on the line for an affine generator and for an MLP, in the plane for an invertible
flow. On the way the printed loss rises while the divergence falls, and it ends near log 2, where
it began: the loss alone does not tell how far training has come.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gantheory.integrals import divergence
from gantheory.records import Estimate, How
from simulations.compare import proportion
from simulations.data import Law, as_density
from simulations.ensembles import ADAM, Member, Recipe, State, initial_state
from simulations.exact import jsd_in_plane, jsd_on_line
from simulations.experiments.base import Comparison, Experiment, Measurement, Setting
from simulations.flows import Flow
from simulations.measure import generator_payoff, normal_jsd
from simulations.networks import Affine, Mlp, Network
from simulations.pushforward import GeneratorLaw
from simulations.regularisers import Regulariser, ZeroCentred
from simulations.samples import fresh_samples
from simulations.train import train
from simulations.updates import Adam, DirectionRule, Schedule

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DELTA = 1e-6
FRESH = 4096  # samples for the loss at each point of the curve
# What the loss of each game equals at P = Q and D = 1/2, by the derivation; here only drawn.
END = {"non-saturating": math.log(2), "minimax": -math.log(2)}

AFFINE = Affine(loc=3.0, scale=0.5)
LINE = Mlp((1, 16, 16, 1), activation="tanh")
PLANE = Flow(hidden=(32,), transforms=4)


@dataclass(frozen=True)
class Case:
    """One ensemble: its data, networks and rates, and how its divergence is integrated.

    ``steps``, ``seeds`` and ``every``, the steps from one integral to the next, are for the quick
    run and the full one; ``normal`` is the normal law with the data's mean and covariance.
    """

    loss: str
    data: str
    generator: Network
    critic: Mlp
    rates: tuple[float, float]
    steps: tuple[int, int]
    seeds: tuple[int, int]
    every: tuple[int, int]
    jsd: Callable[[Tensor], list[Estimate]]
    normal: str = ""
    start: float = 0.0
    rule: DirectionRule = ADAM
    regularisers: tuple[Regulariser, ...] = ()


def _of_normals(rows: Tensor) -> list[Estimate]:
    values = normal_jsd(rows[:, 0].numpy(), rows[:, 1].numpy())
    return [Estimate(float(value), 1e-9) for value in values]  # as `normal_jsd` promises


def _affine(loss: str) -> Case:
    critic = Mlp((1, 16, 16, 1), activation="tanh")
    return Case(
        loss,
        "normal(0, 1)",
        AFFINE,
        critic,
        (1e-2, 1e-2),
        (640, 2048),
        (22, 48),
        (64, 64),
        _of_normals,
    )


GUMBEL = "gumbel(0, 1)"
# Two slanted normals, leaning on each other: no normal law is near.
ROOF = (
    "mixture(0.5*normal_nd((-1, -1), ((1, 0.8), (0.8, 1))) "
    "+ 0.5*normal_nd((1, -1), ((1, -0.8), (-0.8, 1))))"
)

CASES = {
    "non-saturating": _affine("non-saturating"),
    "minimax": _affine("minimax"),
    "line": Case(
        "non-saturating", GUMBEL, LINE, Mlp((1, 32, 32, 1), activation="tanh"),
        rates=(1e-2, 3e-3), steps=(384, 2048), seeds=(8, 16), every=(192, 128),
        jsd=lambda rows: [jsd_on_line(GUMBEL, GeneratorLaw(LINE, row)) for row in rows],
        # Euler's constant, and π/√6
        normal="normal(0.577215664901533, 1.282549830161864)", start=0.3, rule=Adam(beta1=0.5),
    ),
    "plane": Case(
        "non-saturating", ROOF, PLANE, Mlp((2, 32, 32, 1), activation="tanh"),
        rates=(5e-3, 1e-3), steps=(128, 960), seeds=(2, 8), every=(64, 64),
        jsd=lambda rows: [jsd_in_plane(ROOF, PLANE, row, target=1e-3) for row in rows],
        normal="normal_nd((0, -1), ((2, 0), (0, 1)))", start=0.1, rule=Adam(beta1=0.5),
        # Without a penalty the pair circles around the optimum for thousands of steps.
        regularisers=(ZeroCentred(0.3),),
    ),
}  # fmt: skip


def cases(quick: bool) -> tuple[str, ...]:
    """Return two games of an affine generator, an MLP on the line and a flow in the plane."""
    return tuple(CASES)


def compare(case: str, setting: Setting) -> Measurement:
    """Train an ensemble of seeds; integrate every member's JSD at even steps."""
    what, full = CASES[case], not setting.quick
    every, first = what.every[full], setting.seed_of("training")
    members = [
        Member(
            Law(as_density(what.data)), what.loss, seed=first + k,
            discriminator_rate=what.rates[0], generator_rate=what.rates[1],
        )
        for k in range(what.seeds[full])
    ]  # fmt: skip
    how = Recipe(
        what.critic, what.generator, steps=what.steps[full], batch=128, rule=what.rule,
        schedule=Schedule.HALFWAY, regularisers=what.regularisers, device=setting.device,
    )  # fmt: skip
    start = initial_state(members, how)
    seen = [_observe(what, start, how, members)]
    for state in train(members, how, state=start):
        if state.step % every == 0:
            seen.append(_observe(what, state, how, members))
    jsd = np.array([[e.value for e in point["jsd"]] for point in seen])
    loss = np.array([point["loss"] for point in seen])
    ends = [seen[k]["jsd"] for k in (0, -1)]
    rows = torch.stack([point["rows"] for point in seen]).numpy()
    laws = (
        _of_ends(case, what, *ends)
        if what.normal
        else _of_shares(case, what, jsd, loss, _exact_kl(rows))
    )
    numbers = {
        "step": [every * k for k in range(len(seen))], "jsd": jsd.tolist(),
        "error": [[e.error for e in point["jsd"]] for point in seen],
        "loss": loss.tolist(), "correlation": _rank_correlations(jsd, loss).tolist(),
        "density": [_density(what, seen[k]["rows"][0]) for k in (0, len(seen) // 4 or 1, -1)],
    }  # fmt: skip
    return Measurement(case, laws, numbers)


def _observe(what: Case, state: State, how: Recipe, members: Sequence[Member]) -> dict[str, Any]:
    """Return every member's exact JSD, its generator's loss on fresh samples, and its row."""
    rows, critic = (state.parameters[player].cpu() for player in ("generator", "discriminator"))
    with torch.no_grad():
        scores = what.critic(critic, fresh_samples(state, how, members, FRESH))[..., 0]
        loss = generator_payoff(what.loss)(scores).mean(-1)
    return {"jsd": what.jsd(rows), "loss": loss.tolist(), "rows": rows.clone()}


def _rank_correlations(jsd: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return every seed's rank correlation of loss and exact JSD over the points of its curve."""
    from scipy import stats

    pairs = zip(jsd.T, loss.T, strict=True)
    return np.array([stats.spearmanr(a, b).statistic for a, b in pairs])


def _exact_kl(rows: np.ndarray) -> np.ndarray:
    """Return KL(Q‖P) of affine generators, (points, members, 2), from standard normal data."""
    loc, scale = rows[..., 0], np.abs(rows[..., 1])
    return np.asarray((loc**2 + scale**2 - 1) / 2 - np.log(scale))


def _of_shares(
    case: str, what: Case, jsd: np.ndarray, loss: np.ndarray, kl: np.ndarray
) -> tuple[Comparison, ...]:
    """Judge how many of many seeds do what the claim says.

    In the twins the exact KL(Q‖P) takes the place of the loss: a meter of how far training has
    come, of which the same tests must not say that it is none.
    """
    count = jsd.shape[1]
    name, end = f"training.{case}", END[what.loss]
    most = f"in more than half of all seeds (error probability {DELTA:g})"

    def share(part: str, text: str, hits: Any) -> Comparison:
        found = proportion(int(hits.sum()), count, DELTA)
        statement = f"{case}: {text}, {most}"
        return Comparison(f"{name}.{part}", statement, found, ">=", Estimate(0.5), surely=True)

    def twin(part: str, text: str, hits: Any) -> Comparison:
        return Comparison(
            f"{name}.{part}-twin", f"{case}: {text}, {most}",
            proportion(int(hits.sum()), count, DELTA), ">=", Estimate(0.5),
            How.REFUTED, twin_of=f"{name}.{part}",
        )  # fmt: skip

    def against(meter: np.ndarray) -> Any:
        """Say who rose from one observation to the next while the exact JSD fell."""
        return ((np.diff(meter, axis=0) > 0.05) & (np.diff(jsd, axis=0) < -0.01)).any(0)

    near = np.abs(loss[-1] - end) < 0.1
    correlation = "a rank correlation of at most 0.95 with the exact JSD"
    rises = "rises by 0.05 while the exact JSD falls by 0.01"
    laws = [
        share("arrives", "the exact JSD ends below 0.01 nats", jsd[-1] <= 0.01),
        share("equilibrium", f"the loss ends within 0.1 of {end:.4f}", near),
        share("meter", f"the loss has {correlation}", _rank_correlations(jsd, loss) <= 0.95),
        twin("meter", f"the exact KL has {correlation}", _rank_correlations(jsd, kl) <= 0.95),
    ]
    if case == "non-saturating":
        laws += [
            share("against", f"the loss {rises}", against(loss)),
            twin("against", f"the exact KL {rises}", against(kl)),
        ]
    return tuple(laws)


def _of_ends(
    case: str, what: Case, first: list[Estimate], final: list[Estimate]
) -> tuple[Comparison, ...]:
    """Judge the exact JSD of every seed at the start and the end."""
    normal = divergence("jsd", what.data, what.normal)
    begin = min(first, key=lambda e: e.value - e.error)
    worst = max(final, key=lambda e: e.value + e.error)
    name, seeds = f"training.{case}", f"of {len(final)} seeds"
    return (
        Comparison(
            f"{name}.start", f"{case}: the smallest initial JSD {seeds} is above {what.start:g}",
            begin, ">=", Estimate(what.start), surely=True,
        ),
        Comparison(
            f"{name}.arrives",
            f"{case}: the largest final JSD {seeds} is below that of {what.normal}, the normal law "
            "with the data's mean and covariance",
            worst, "<=", normal, surely=True,
        ),
        Comparison(
            f"{name}.arrives-twin",
            f"{case}: before training, the smallest JSD {seeds} is below that of the normal law",
            begin, "<=", normal, How.REFUTED, twin_of=f"{name}.arrives",
        ),
    )  # fmt: skip


X = np.linspace(-4, 7, 221)
SIDES = np.linspace(-4.5, 4.5, 61)  # of a square about the data's mean


def _density(what: Case, row: Tensor) -> list[float]:
    """Return the generator's exact density, for the figure: on a line or on a square."""
    if isinstance(what.generator, Flow):
        with torch.no_grad():
            log_q = what.generator.log_density(row, torch.from_numpy(_square())).numpy()
    elif isinstance(what.generator, Mlp):
        log_q = GeneratorLaw(what.generator, row).logpdf(X)
    else:
        return []
    return [float(f"{value:.3g}") for value in np.exp(log_q)]


def _square() -> np.ndarray:
    x, y = np.meshgrid(SIDES, SIDES - 1)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def draw(measured: Sequence[Measurement]) -> Figure:
    """Draw JSD and loss along training, one on the other, and densities on line and plane."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7.2), layout="constrained")
    (falling, printed, both, line), plane = figure.subplots(2, 4)
    for k, m in enumerate(measured):
        jsd, loss, step = (np.array(m.numbers[key]) for key in ("jsd", "loss", "step"))
        colour = f"C{k}"
        falling.plot(step, np.maximum(jsd, 1e-9), color=colour, lw=0.6, alpha=0.5)
        falling.plot([], [], color=colour, label=m.case)
        printed.plot(step, loss, color=colour, lw=0.6, alpha=0.5)
        both.plot(loss.ravel(), np.maximum(jsd.ravel(), 1e-9), ".", ms=2, color=colour)
    for value in END.values():
        printed.axhline(value, color="black", ls=":", lw=1)
    falling.set(xlabel="steps", ylabel="exact JSD, nats", yscale="log", ylim=(1e-5, 1))
    falling.legend(fontsize=8)
    printed.set(xlabel="steps", ylabel="generator's loss", title="dotted: at equilibrium")
    both.set(xlabel="generator's loss", ylabel="exact JSD, nats", yscale="log", ylim=(1e-5, 1))
    shown = {m.case: m.numbers for m in measured}
    if "line" in shown:
        _draw_line(line, shown["line"])
    if "plane" in shown:
        _draw_plane(plane, shown["plane"])
    return figure


def _titles(numbers: Any) -> list[str]:
    steps, jsd = numbers["step"], numbers["jsd"]
    return [f"step {steps[k]}: JSD {float(jsd[k][0]):.3f}" for k in (0, len(steps) // 4 or 1, -1)]


def _draw_line(axes: Any, numbers: Any) -> None:
    axes.fill_between(X, as_density(GUMBEL).pdf(X), color="0.85", label="data")
    for density, title in zip(numbers["density"], _titles(numbers), strict=True):
        axes.plot(X, np.array(density, dtype=float), lw=1, label=title)
    axes.set(xlabel="x", title="MLP on the line, one seed", ylim=(0, 0.8))
    axes.legend(fontsize=7)


def _draw_plane(every: Any, numbers: Any) -> None:
    truth = as_density(ROOF).pdf(_square())
    levels = truth.max() * np.array([0.05, 0.2, 0.5, 0.8])
    pictures = zip([truth, *numbers["density"]], ["data", *_titles(numbers)], strict=True)
    for axes, (density, title) in zip(every, pictures, strict=True):
        values = np.array(density, dtype=float).reshape(len(SIDES), -1)
        axes.contourf(SIDES, SIDES - 1, values, levels=[*levels, 1e9], cmap="Blues", vmin=0,
                      vmax=float(truth.max()))  # fmt: skip
        axes.contour(SIDES, SIDES - 1, truth.reshape(values.shape), levels=levels, colors="C1",
                     linewidths=0.5)  # fmt: skip
        axes.set(title=title, aspect="equal")


EXPERIMENT = Experiment(
    name="training",
    title="Divergence and loss along training",
    claim="the exact JSD falls, in 1-D and 2-D, while the loss rises, and ends where it began",
    expected=(
        "affine: exact JSD below 0.01 nats at the end for nearly every seed",
        "the loss ends near log 2 = 0.693 (non-saturating) and -0.693 (minimax)",
        "loss and exact JSD: a rank correlation between 0.2 and 0.9 over the run",
        "MLP on the line: JSD from above 0.3 to below 0.02; flow in the plane: 0.15 to below 0.06",
    ),
    minutes=3,
    quick_minutes=0.3,
    cases=cases,
    measure=compare,
    draw=draw,
    source="Goodfellow et al. (2014), Algorithm 1",
)
