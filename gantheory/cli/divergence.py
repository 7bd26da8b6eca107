"""``gantheory divergence``: one divergence between two densities, with its error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gantheory.cli import completion, json_option, print_json
from gantheory.cli.files import file_option
from gantheory.cli.wrapping import say

if TYPE_CHECKING:
    from gantheory.losses.critic import Critic
    from gantheory.losses.loss import Loss
    from gantheory.records import Estimates

METHODS = ("auto", "closed form", "quadrature", "monte carlo", "certified")


class _Listing(click.Command):
    """A command whose help ends in every name that it takes, a line each."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from gantheory.cli.divergences import known_divergences

        with formatter.section("Names"):
            formatter.write_dl(
                [(str(e["name"]), f"{e['title']}: {e['formula']}") for e in known_divergences()]
            )


@click.command(cls=_Listing)
@click.argument("name", shell_complete=completion.divergences)
@click.argument("p", shell_complete=completion.densities)
@click.argument("q", shell_complete=completion.densities)
@file_option
@click.option("--wrt", metavar="PARAMETER", help="Differentiate in a parameter, like q.loc.")
@click.option(
    "--method", default="auto", help=f"One of: {', '.join(METHODS)}.",
    shell_complete=completion.words(*METHODS),
)  # fmt: skip
@click.option(
    "--unit", default="nats", show_default=True, shell_complete=completion.units,
    help="nats, or bits.",
)  # fmt: skip
@click.option(
    "--regulariser", shell_complete=completion.regularisers,
    help="Hold D's slope: 'r1(1)', 'both(1)', a sum, 'slope(1)', 'gp(10)'.",
)  # fmt: skip
@click.option("--mu", help="The law that a critic's class is stated with, as Sobolev GAN's is.")
@click.option("--digits", default=30, show_default=True, help="Digits of --method certified.")
@click.option("--column", help="Of files of samples, the column to take.")
@json_option
def command(
    name: str, p: str, q: str, file: Loss | None, wrt: str | None, as_json: bool, **asked: Any
) -> None:
    """Integrate a divergence NAME between the densities P (data) and Q (generator).

    NAME is one of those that `gantheory divergences` lists, in any case, or power_<alpha>; a
    convex generator f as a formula in r = p/q, with f(1) = 0; or a loss's own: LOSS.value,
    LOSS.loss, LOSS.followed, without their constants; LOSS.value of a function of means, such as
    softmax, is its best value. Parameters of a loss are given as in "alpha-gan(alpha=2).loss".

    With --regulariser, NAME is LOSS.value: V(D) of the best penalised discriminator with its
    constant, the penalty, and with --wrt the derivative of G's loss with D held.

    \b
    Examples:
      gantheory divergence jsd "normal(0, 1)" "normal(2, 1)" --wrt q.loc
      gantheory divergence "(sqrt(r) - 1)^2" "N(0, 1)" "cauchy(1, 2)"
      gantheory divergence "alpha-gan(alpha=2).loss" "normal(0, 1)" \\
          "laplace(1, 2)"
      gantheory divergence minimax.value "normal(0, 1)" "normal(2, 1)" \\
          --regulariser "r1(1)"
      gantheory divergence kl_pq "normal([0, 1, 2], 1)" "normal(0, 1)"
      gantheory divergence w1 a.csv b.csv --column x

    P and Q may also be files of samples (.csv, .npy, .parquet), by name or as
    "samples('a.csv', column='x')": w1, w2, energy, mmd2, ks, sliced_w1, sliced_w2 and
    "sinkhorn(eps=0.1)" are then exact for the samples, with an interval for the laws.
    "samples('a.csv').kde()" is a law fitted to them. MMD's kernel is named like
    "mmd2(kernel=laplacian, bandwidth=2)".
    """
    found = _found(name, p, q, wrt, asked)
    if as_json:
        print_json(found.data)
    else:
        for line in found.lines:
            say(line)


class Found(NamedTuple):
    """An answer as JSON, and as lines of text."""

    data: Mapping[str, Any]
    lines: list[str]


def _found(name: str, p: str, q: str, wrt: str | None, asked: Mapping[str, Any]) -> Found:
    """Answer by the one route that what is asked for has."""
    method, unit, regulariser = (asked[key] for key in ("method", "unit", "regulariser"))
    if unit != "nats" and (method == "certified" or regulariser is not None):
        raise click.UsageError(
            f"--unit {unit}: with --method certified or --regulariser all is in nats"
        )
    if regulariser is not None:
        return _regularised(name, p, q, wrt, regulariser, method)
    if (critic := _of_means(name)) is not None:
        return _solved(critic, p, q, wrt, asked)
    if asked["mu"] is not None:
        raise click.UsageError(f"--mu {asked['mu']}: {name} has no class that a law is stated with")
    if method == "certified":
        return _certified(name, p, q, wrt, asked["digits"])
    return _integrated(name, p, q, wrt, asked)


def _integrated(name: str, p: str, q: str, wrt: str | None, asked: Mapping[str, Any]) -> Found:
    from gantheory.densities import read_laws
    from gantheory.errors import abridged
    from gantheory.integrals import divergence
    from gantheory.records import Estimates
    from gantheory.samples import is_sample_like, samples

    method, unit, column = (asked[key] for key in ("method", "unit", "column"))
    if column is not None and not (is_sample_like(p) or is_sample_like(q)):
        raise click.UsageError(f"--column {column}: neither {p[:40]!r} nor {q[:40]!r} is a file")
    first, second = (samples(x, column) if is_sample_like(x) else read_laws(x) for x in (p, q))
    estimate = divergence(name, first, second, wrt=wrt, method=method, unit=unit)
    own = _unit(name, unit)
    if isinstance(estimate, Estimates):
        return _arrays(name, first, second, wrt, estimate, own)
    in_bits = ", in bits" if unit == "bits" else ""
    shown = str(estimate)
    lines = [
        f"{_what(name, wrt)} = {shown}",
        f"{_pair(first, second)}; {estimate.method}, {estimate.status.value}{in_bits}",
    ]
    lines += [
        f"note: {abridged(note)}"
        for note in (estimate.reason, *estimate.warnings)
        if note and note not in shown
    ]
    return Found(_record(name, first, second, wrt, estimate) | {"unit": own}, lines)


def _unit(name: str, unit: str) -> str | None:
    """Return the unit, or None for what is measured in none, and what is between samples alone."""
    from gantheory.errors import GantheoryError
    from gantheory.integrals.resolve import resolve
    from gantheory.integrals.units import measured_in

    try:
        return measured_in(resolve(name), unit)
    except GantheoryError:
        return None


def _what(name: str, wrt: str | None) -> str:
    return f"d {name} / d {wrt}" if wrt else name


def _pair(p: Any, q: Any) -> str:
    from gantheory.errors import abridged

    return abridged(f"p = {p}, q = {q}")


def _arrays(
    name: str, p: Any, q: Any, wrt: str | None, estimates: Estimates, unit: str | None
) -> Found:
    """Return the divergence of every pair of laws, in the order of the arrays."""
    import numpy as np

    shared = {"divergence": name, "p": str(p), "q": str(q), "wrt": wrt, "unit": unit}
    arrays = ("value", "error", "status", "method", "reason", "error_probability")
    lines = [
        f"{_what(name, wrt)}[{', '.join(map(str, index))}] = {estimates[index]}"
        for index in np.ndindex(estimates.shape)
    ]
    last = f"p = {p}, q = {q}" + (", in bits" if unit == "bits" else "")
    return Found(shared | {key: getattr(estimates, key).tolist() for key in arrays}, [*lines, last])


def _regularised(
    name: str, p: str, q: str, wrt: str | None, regulariser: str, method: str
) -> Found:
    from gantheory.errors import GantheoryError
    from gantheory.regularised.penalised import optimal_discriminator

    loss, dot, part = name.rpartition(".")
    if not dot or part != "value":
        raise GantheoryError(
            f"--regulariser asks for a loss's value, not {name!r}; write it like minimax.value"
        )
    if method != "auto":
        raise GantheoryError("--regulariser has one method; leave out --method")
    return _best(optimal_discriminator(loss, p, q, regulariser=regulariser), (), wrt)


def _best(found: Any, notes: Iterable[str], wrt: str | None) -> Found:
    """Return the best discriminator or critic, and G's gradient through it where it is wanted."""
    lines = [str(found), *(f"note: {note}" for note in notes)]
    if wrt is not None:
        lines.append(f"d (G's loss) / d {wrt}, D held = {found.gradient(wrt)}")
    return Found(found.as_dict(wrt), lines)


def _of_means(name: str) -> Critic | None:
    """Return the critic whose value is asked for: of means, of pairs, or of a class."""
    loss, dot, part = name.rpartition(".")
    if not dot or part != "value":
        return None
    from gantheory.errors import GantheoryError
    from gantheory.losses import find
    from gantheory.losses.critic import Critic

    try:
        entry = find(loss)
    except GantheoryError:
        return None
    return entry if isinstance(entry, Critic) else None


def _solved(critic: Critic, p: str, q: str, wrt: str | None, asked: Mapping[str, Any]) -> Found:
    from gantheory.errors import GantheoryError
    from gantheory.functionals.optimum import optimal_critic

    if asked["method"] != "auto":
        raise GantheoryError(f"{critic.name}.value has one method; leave out --method")
    found = optimal_critic(critic, p, q, mu=asked["mu"])
    return _best(found, found.value.warnings, wrt)


def _record(name: str, p: Any, q: Any, wrt: str | None, estimate: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "divergence": name,
        "p": str(p),
        "q": str(q),
        "wrt": wrt,
        **asdict(estimate),
        "status": estimate.status.value,
        "warnings": list(estimate.warnings),
    }


def _certified(name: str, p: str, q: str, wrt: str | None, digits: int) -> Found:
    from gantheory.densities import parse_density
    from gantheory.errors import GantheoryError
    from gantheory.integrals.dispatch import certify

    if wrt:
        raise GantheoryError(f"--method certified encloses values only; leave out --wrt {wrt}")
    first, second = parse_density(p), parse_density(q)
    found = certify(name, first, second, digits=digits)
    kept = ("lower", "upper", "mid", "radius", "digits", "tail")
    record = _record(name, first, second, None, found.estimate)
    lines = [
        f"{name} = {found.mid} ± {found.radius}",
        f"{_pair(first, second)}; certified in [{found.lower}, {found.upper}]",
    ]
    return Found(record | {key: getattr(found, key) for key in kept}, lines)
