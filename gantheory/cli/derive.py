"""``gantheory derive``: a loss's theory, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gantheory.cli import completion, json_option, note, print_json
from gantheory.cli.files import file_option, heads_option, with_heads
from gantheory.errors import GantheoryError

if TYPE_CHECKING:
    from gantheory.derivations.ratios import AtRatio
    from gantheory.losses.critic import Critic
    from gantheory.losses.loss import Loss


@click.command(name="derive")
@click.argument("loss", required=False, shell_complete=completion.losses)
@file_option
@click.option("--real", help="Payoff on real samples, in t or D.")
@click.option("--fake", help="Payoff on fake samples.")
@click.option("--generator", help="Loss of the generator on fake samples.")
@click.option("--objective", help="What D maximises as a function of means E_p(...), E_q(...).")
@click.option("--domain", default="(-oo, oo)", show_default=True, help="Scores that D may output.")
@click.option("--link", default="", help="What the discriminator's output D is, in t.")
@click.option(
    "--parameter", multiple=True, metavar="NAME=(a, b)", help="Range or number of a parameter."
)
@click.option("--law", multiple=True, metavar="NAME=LAW", help="Law of a random name in E[...].")
@heads_option
@click.option(
    "--frozen",
    type=click.Choice(["critic", "samples"]),
    default="critic",
    show_default=True,
    help="What is held fixed when G's gradient is taken.",
)
@click.option(
    "--loss", "estimator", shell_complete=completion.estimators,
    help="With frozen samples: an estimator of r = p/q, or k3.",
)  # fmt: skip
@click.option("--weight", help="What multiplies the slope of log q, where parts are detached.")
@click.option("--preference", help="A preference loss of the ratios w and l, or dpo.")
@click.option(
    "--reward", shell_complete=completion.rewards, help="A reward in D or t, or gail, airl."
)
@click.option(
    "--bound", shell_complete=completion.bounds,
    help="A bound that a critic climbs: nwj, dv, infonce, lsif, jsd.",
)  # fmt: skip
@click.option("--samples", default=2, show_default=True, help="K of --bound infonce.")
@click.option("--steps", is_flag=True, help="Also print the derivation, step by step.")
@click.option(
    "--regulariser", shell_complete=completion.penalties,
    help="Penalise D's slope: r1, r2 or both, of weight gamma.",
)  # fmt: skip
@click.option("--at", "ratios", metavar="R,R,...", help="Ratios p/q to read D and curvatures at.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="LOSS.toml",
    help="Keep the formulas as a file, for --file of every command.",
)
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option("--seconds", default=10.0, show_default=True, help="Seconds of work at most.")
@json_option
def command(
    loss: str | None,
    file: Loss | None,
    steps: bool,
    ratios: str | None,
    save: Path | None,
    latex: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Derive the theory of LOSS, a name in the catalogue or formulas of your own.

    D maximises E_p[real] + E_q[fake] and G minimises E_q[generator]. Write t for the raw score
    and D for its sigmoid; other names are positive parameters. With --objective D maximises any
    function of means, and G minimises --generator, another, or else the objective.

    \b
    Example:
      gantheory derive non-saturating
      gantheory derive non-saturating --steps
      gantheory derive "alpha-gan(alpha=1/2)" --at 0.05,1/3,3
      gantheory derive --real "log(D)" --fake "log(1 - D)" \\
          --generator "-log(D + eps)"
      gantheory derive --real "-t" --fake "-E[relu(m - t)]" --generator t \\
          --law "m=uniform(1, 2)"
      gantheory derive --objective "E_p(t) - log(E_q(exp(t)))"
      gantheory derive --real t --fake "-exp(t) - k*t**4" --generator=-t \\
          --parameter k=1/2 --at 3
      gantheory derive --real "-(t - 1)^2" --fake "-t^2" \\
          --generator "(t - 1)^2" --save sq.toml
      gantheory derive --file sq.toml
      gantheory derive --frozen samples --loss "r - 1 - log(r)"
      gantheory derive --preference dpo
      gantheory derive minimax --regulariser r1
    """
    derivation = _derived(loss if loss is not None or file is None else file.name, asked)
    rows = _read(derivation, ratios)
    if save is not None:
        _keep(derivation, save)
    if as_json:
        shown = derivation.as_dict()
        print_json(shown if ratios is None else {**shown, "at": [row.as_dict() for row in rows]})
    elif latex:
        from gantheory.derivations.exposition import latex_document

        click.echo(latex_document(derivation))
    else:
        from gantheory.cli.derivations import show, show_ratios

        show(derivation, steps)
        show_ratios(rows)


def _keep(derivation: object, path: Path) -> None:
    """Write the loss of a derivation, named after the file, where no file is in the way."""
    from dataclasses import replace

    from gantheory.losses.file import write_loss
    from gantheory.losses.loss import Loss

    definition = getattr(derivation, "definition", None)
    if not isinstance(definition, Loss):
        raise GantheoryError("--save keeps a loss of payoffs real and fake and a generator's loss")
    if path.suffix != ".toml":
        raise GantheoryError(f"--save {path.name!r} must end in .toml, as in {path.stem}.toml")
    if path.exists():
        raise GantheoryError(f"--save {path.name!r} exists; move it away, or take another name")
    write_loss(replace(definition.typed or definition, name=path.stem, title=""), path)
    note(f"wrote {path}", err=True)


def _derived(loss: str | None, asked: Mapping[str, Any]) -> Any:
    """Return the theory of what is asked for, of which there must be one."""
    seconds = asked["seconds"]
    formulas = {part: asked[part] for part in ("real", "fake", "generator")}
    objective = asked["objective"]
    if objective is not None and (loss is not None or formulas["real"] or formulas["fake"]):
        raise GantheoryError("--objective stands for the payoffs; give no loss, real or fake")
    if loss is not None and any(formulas.values()):
        raise GantheoryError(f"give either a catalogue loss ({loss!r}) or formulas, not both")
    kinds = ("estimator", "preference", "reward", "bound")
    others = {kind: asked[kind] for kind in kinds}
    if asked["frozen"] == "samples" or asked["weight"] or any(others.values()):
        if loss is not None or any(formulas.values()):
            raise GantheoryError(
                "give one of a loss, an estimator, a preference, a reward, a bound"
            )
        ranges = dict(map(_range, asked["parameter"]))
        return _frozen(others, ranges, asked)
    if objective is not None:
        return _theory(_of_means(objective, formulas["generator"]), asked["regulariser"], seconds)
    mine = _yours(formulas, asked) if loss is None else loss
    return _theory(with_heads(mine, asked["heads"]), asked["regulariser"], seconds)


def _read(derivation: object, ratios: str | None) -> tuple[AtRatio, ...]:
    from gantheory.derivations import Derivation

    if ratios is None:
        return ()
    if not isinstance(derivation, Derivation):
        raise GantheoryError(
            "--at reads functions of p/q, of a separable loss with its critic frozen"
        )
    return derivation.at(*(part.strip() for part in ratios.split(",")))


def _of_means(objective: str, generator: str | None) -> Critic:
    from gantheory.losses.critic import Critic, Functional
    from gantheory.losses.function_classes import AnyFunction

    minimised = objective if generator is None else generator
    return Critic("yours", "Your loss", Functional(objective), AnyFunction(), minimised)


def _theory(asked: Loss | Critic | str, regulariser: str | None, seconds: float) -> Any:
    from gantheory.api import derive

    if regulariser is None:
        return derive(asked, seconds=seconds)
    from gantheory.losses.critic import Critic
    from gantheory.regularised.theory import derive_regularised

    if isinstance(asked, Critic):
        raise GantheoryError("--regulariser is for separable losses, with payoffs real and fake")
    return derive_regularised(asked, regulariser, seconds=seconds)


def _frozen(
    kinds: Mapping[str, str | None], ranges: dict[str, str], asked: Mapping[str, Any]
) -> Any:
    """Derive what has frozen samples: an estimator, a preference loss, a reward or a bound."""
    from gantheory.estimators.bounds import derive_bound
    from gantheory.estimators.derive import derive_estimator
    from gantheory.estimators.preference import derive_preference
    from gantheory.estimators.record import Estimator
    from gantheory.estimators.reward import derive_reward

    given = {name: text for name, text in kinds.items() if text is not None}
    seconds, weight = asked["seconds"], asked["weight"]
    if len(given) != 1:
        raise GantheoryError(
            "give --loss with --frozen samples, or one of --preference, --reward, --bound"
        )
    ((kind, text),) = given.items()
    if weight is not None and kind != "estimator":
        raise GantheoryError(f"--weight {weight[:40]!r} belongs to an estimator: add --loss")
    if kind == "estimator" and asked["frozen"] != "samples":
        raise GantheoryError(f"--loss {text[:40]!r} is an estimator: add --frozen samples")
    if kind == "estimator":
        own = Estimator("yours", text, "Your estimator", ranges) if ranges else text
        return derive_estimator(own, weight=weight, seconds=seconds)
    if kind == "bound":
        return derive_bound(text, samples=asked["samples"])
    return (derive_preference if kind == "preference" else derive_reward)(text, seconds=seconds)


def _yours(formulas: Mapping[str, str | None], asked: Mapping[str, Any]) -> Loss:
    from gantheory.losses.loss import Loss

    given = {key: value for key, value in formulas.items() if value is not None}
    if len(given) < 3:
        missing = ", ".join(f"--{key}" for key in formulas if key not in given)
        raise GantheoryError(f"name a loss, or give its formulas: {missing} missing")
    ranges = dict(map(_range, asked["parameter"]))
    numbers = {name: text for name, text in ranges.items() if not text.startswith(("(", "["))}
    loss = Loss(
        "yours",
        given["real"],
        given["fake"],
        given["generator"],
        domain=asked["domain"],
        link=asked["link"],
        parameters={name: text for name, text in ranges.items() if name not in numbers},
        laws=dict(_named("--law", text, "m=uniform(0.8, 1)") for text in asked["law"]),
        title="Your loss",
    )
    return loss.partly(**numbers) if numbers else loss


def _range(text: str) -> tuple[str, str]:
    return _named("--parameter", text, "a=(0, 1)")


def _named(option: str, text: str, example: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise GantheoryError(f"{option} {text[:40]!r}: write it like {example!r}")
    return name.strip(), value.strip()
