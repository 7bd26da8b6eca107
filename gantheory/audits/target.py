"""What to audit, as typed: a file or module, a name in it, and literal arguments.

The texts are read as literals and names alone. What runs is the user's own module.
"""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gantheory.errors import GantheoryError

LONGEST = 2000  # characters of --init or --call


@dataclass(frozen=True)
class AuditTarget:
    """What to audit.

    Attributes:
        place: a path that ends in ``.py``, or a dotted module.
        names: one criterion, or the discriminator's loss and the generator's.
        init: arguments of a class, or of a function that makes the loss.
        call: further arguments of the loss by name.
        style: how a criterion is called.
        witness: whether ``make_fx`` is asked as a second witness, which takes two seconds more.
        samples_frozen: whether it is an estimator, a preference loss or a reward.
    """

    place: str
    names: tuple[str, ...]
    init: tuple[list[Any], dict[str, Any]] | None = None
    call: dict[str, Any] = field(default_factory=dict)
    style: str | None = None
    witness: bool = False
    samples_frozen: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return everything under its names, for JSON."""
        return asdict(self)

    @property
    def name(self) -> str:
        """What the answer calls it."""
        return " and ".join(self.names)


def target_of(
    target: str,
    init: str | None = None,
    call: str | None = None,
    style: str | None = None,
    witness: bool = False,
    samples_frozen: bool = False,
) -> AuditTarget:
    """Read ``path/to/losses.py:GANLoss``, or ``package.losses:d_loss,g_loss``.

    A discriminator's loss in two functions is their sum: ``losses.py:on_real+on_fake,g_loss``.

    >>> target_of("package.losses:d_loss,g_loss").names
    ('d_loss', 'g_loss')
    """
    place, colon, named = target.rpartition(":")
    names = tuple(name.strip() for name in named.split(","))
    if not colon or not place or len(names) > 2 or not all(map(_is_named, names)):
        raise GantheoryError(
            f"{target[:80]!r} names no loss; write it like path/to/losses.py:GANLoss or "
            "package.losses:d_loss,g_loss"
        )
    if place.endswith(".py"):
        if not Path(place).is_file():
            raise GantheoryError(f"there is no file {place[:200]!r}")
        place = str(Path(place).resolve())
    elif not _is_dotted(place):
        raise GantheoryError(f"{place[:80]!r} is neither a path that ends in .py nor a module")
    arguments = None if init is None else _literals(init, "--init")
    _, named_ = ([], {}) if call is None else _literals(call, "--call", positional=False)
    return AuditTarget(place, names, arguments, named_, style, witness, samples_frozen)


def _is_named(text: str) -> bool:
    return all(map(_is_dotted, text.split("+")))


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _literals(text: str, option: str, positional: bool = True) -> tuple[list[Any], dict[str, Any]]:
    """Return literal arguments, as in ``"lsgan", target_real_label=0.9``."""
    hint = f"write it like {option} 'gan_mode=\"lsgan\", target_real_label=0.9'"
    if len(text) > LONGEST:
        raise GantheoryError(f"{option} has {len(text)} characters; the limit is {LONGEST}")
    try:
        tree = ast.parse(f"f({text})", mode="eval").body
        assert isinstance(tree, ast.Call)
        assert isinstance(tree.func, ast.Name)
        given = [ast.literal_eval(one) for one in tree.args]
        named = {str(one.arg): ast.literal_eval(one.value) for one in tree.keywords if one.arg}
        if len(named) < len(tree.keywords):
            raise ValueError
    except (SyntaxError, ValueError, AssertionError, TypeError, RecursionError, MemoryError):
        raise GantheoryError(f"{option} {text[:60]!r} is not a list of literals; {hint}") from None
    if given and not positional:
        raise GantheoryError(f"{option} {text[:60]!r} gives a value without a name; {hint}")
    return given, named
