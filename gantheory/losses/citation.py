"""A reference as a BibTeX entry."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gantheory.losses.loss import Reference


def bibtex(reference: Reference) -> str:
    """Return a reference as a BibTeX entry.

    >>> from gantheory.losses.loss import Reference
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
