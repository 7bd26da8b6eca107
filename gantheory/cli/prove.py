"""``gantheory prove``: decide an inequality or an identity between divergences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gantheory.cli import json_option, print_json
from gantheory.cli.wrapping import say

if TYPE_CHECKING:
    from gantheory.records import Verdict


class _Statement(click.Command):
    """A command whose argument compares, and may begin with a minus sign."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        statements = [text for text in args if "<" in text or ">" in text or "==" in text]
        options = [text for text in args if text not in statements]
        return super().parse_args(ctx, [*options, *(["--", *statements] if statements else [])])


@click.command(cls=_Statement)
@click.argument("statement")
@click.option(
    "--restricted", is_flag=True,
    help="Only for Q = P restricted to an event (mode dropping), of any probability.",
)  # fmt: skip
@click.option("--seconds", default=2.0, show_default=True, help="Time limit of each enclosure.")
@json_option
def command(statement: str, restricted: bool, seconds: float, as_json: bool) -> None:
    """Prove or refute a comparison of divergences, for all pairs of laws.

    STATEMENT compares combinations of kl_pq kl_qp kl_pm kl_qm kl_mp kl_mq jsd tv hellinger2
    triangular pearson_chi2 neyman_chi2 jeffreys power_<alpha> and jsd_gap tv_gap bc by one of
    <= >= < > ==, with numbers, log, sqrt, exp and pi.

    \b
    Example:
      gantheory prove "jsd <= log(2)/2 * triangular"
    """
    from gantheory.inequalities.inequality import prove

    verdict = prove(statement, restricted=restricted, seconds=seconds)
    if as_json:
        print_json(verdict.as_dict())
    else:
        _print(verdict)


def _print(verdict: Verdict) -> None:
    say(f"{verdict.how}: {verdict.statement}")
    if verdict.counterexample:
        say(f"  counterexample: {verdict.counterexample}")
    say(f"  how: {verdict.reason}")
    for assumption in verdict.assumptions:
        say(f"  for: {assumption}")
