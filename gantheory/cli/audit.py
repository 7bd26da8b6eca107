"""``gantheory audit``: torch code in, its theory and its faults out."""

from __future__ import annotations

from pathlib import Path

import click

from gantheory.cli import completion, json_option, note, print_json


@click.command(name="audit")
@click.argument("target", shell_complete=completion.code)
@click.option("--init", help="Arguments of a class, as literals: 'gan_mode=\"lsgan\"'.")
@click.option("--call", "call_", help="Further arguments of the loss: 'for_discriminator=True'.")
@click.option(
    "--style",
    type=click.Choice(["pair", "target_is_real", "labels", "penalty"]),
    help="How a criterion is called, where its signature does not say.",
)
@click.option(
    "--claims", metavar="NAME", shell_complete=completion.losses,
    help="The loss that it is said to be, such as lsgan.",
)  # fmt: skip
@click.option("--witness", is_flag=True, help="Ask torch's make_fx, too; two seconds more.")
@click.option("--samples-frozen", is_flag=True, help="A KL estimator, preference loss or reward.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page to this file, too.",
)  # fmt: skip
@click.option("--seconds", default=60.0, show_default=True, help="Seconds for the module.")
@click.option("--megabytes", default=4096, show_default=True, help="Megabytes for the module.")
@click.option(
    "--fail-on",
    type=click.Choice(["note", "warning", "error"]),
    help="End with status 1 where a finding is at least this severe, or nothing was recovered.",
)
@json_option
def command(
    target: str,
    init: str | None,
    call_: str | None,
    style: str | None,
    claims: str | None,
    witness: bool,
    samples_frozen: bool,
    html: Path | None,
    seconds: float,
    megabytes: int,
    fail_on: str | None,
    as_json: bool,
) -> None:
    """Say what a torch loss is, what it does, and what is wrong with it.

    TARGET is path/to/losses.py:NAME or package.module:NAME; NAME is a class or a function for
    both players, or D_LOSS,G_LOSS. The module is YOUR code and runs as such, in a process of its
    own with a limit of time and memory; texts given here are read as literals and never evaluated.

    \b
    Example:
      gantheory audit losses.py:GANLoss --init 'gan_mode="lsgan"'
      gantheory audit losses.py:d_loss,g_loss --claims non-saturating --json
      gantheory audit kl.py:k3 --samples-frozen
    """
    from gantheory.audits import audit_target
    from gantheory.audits.target import target_of

    asked = target_of(target, init, call_, style, witness, samples_frozen)
    found = audit_target(asked, claims=claims, seconds=seconds, megabytes=megabytes)
    if html:
        from gantheory.audits.page import audit_page
        from gantheory.files import write_atomically

        write_atomically(html, audit_page(found), "file")
    if as_json:
        print_json(found.as_dict())
    else:
        from gantheory.cli.audits import show_audit

        show_audit(found)
    if html:
        note(f"wrote {html}", err=as_json)
    levels = ["note", "warning", "error"]
    severe = fail_on and any(
        levels.index(finding.severity.value) >= levels.index(fail_on) for finding in found.findings
    )
    if severe or (fail_on and not found.recovered and found.not_separable is None):
        click.get_current_context().exit(1)
