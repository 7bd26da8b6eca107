"""``gantheory cite``: a loss's reference as BibTeX."""

from __future__ import annotations

import re
import unicodedata

import click

from gantheory.cli import completion, json_option, print_json
from gantheory.cli.files import file_option, loss_named
from gantheory.errors import GantheoryError
from gantheory.losses.loss import Loss, Reference


@click.command(name="cite")
@click.argument("loss", shell_complete=completion.losses, required=False)
@file_option
@json_option
def command(loss: str | None, file: Loss | None, as_json: bool) -> None:
    """Print the reference of LOSS as BibTeX.

    \b
    Example:
      gantheory cite hinge
    """
    from gantheory.losses import find

    loss = loss_named(loss, file)
    reference = find(loss).reference
    if reference is None:
        raise GantheoryError(f"loss {loss!r} has no reference in the catalogue")
    if as_json:
        print_json(vars(reference))
    else:
        click.echo(bibtex(reference))


def bibtex(reference: Reference) -> str:
    """Return a reference as a BibTeX entry.

    >>> print(bibtex(Reference("A. Ng", 2001, "On Losses", arxiv="0101.00001")))
    @misc{ng2001on,
      author = {A. Ng},
      title = {{On Losses}},
      year = {2001},
      eprint = {0101.00001},
      archivePrefix = {arXiv},
    }
    """
    authors = reference.authors.split(", ")
    fields = {
        "author": " and ".join(authors),
        "title": f"{{{reference.title}}}",
        "year": str(reference.year),
    }
    if reference.arxiv:
        fields |= {"eprint": reference.arxiv, "archivePrefix": "arXiv"}
    if reference.url:
        fields["url"] = reference.url
    body = "\n".join(f"  {name} = {{{value}}}," for name, value in fields.items())
    return f"@misc{{{_key(reference, authors[0])},\n{body}\n}}"


def _key(reference: Reference, first: str) -> str:
    surname = first.split()[-1]
    word = re.sub(r"[^A-Za-z]", "", reference.title.split()[0])
    text = unicodedata.normalize("NFKD", f"{surname}{reference.year}{word}".replace("ø", "o"))
    return text.encode("ascii", "ignore").decode().lower()
