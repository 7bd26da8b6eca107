"""How ``wrt`` names a parameter of a law: ``q.loc``."""

from __future__ import annotations

from gantheory.errors import GantheoryError


def split_parameter(wrt: str) -> tuple[str, str]:
    """Return the law ('p' or 'q') and the parameter that ``wrt`` names."""
    law, dot, parameter = wrt.partition(".")
    if law not in ("p", "q") or not dot or not parameter:
        raise GantheoryError(f"wrt={wrt!r} must name a parameter of a law, like 'q.loc'")
    return law, parameter


def parameter_of_q(wrt: str) -> str:
    """Return the parameter of q that ``wrt`` names: with D held, no other moves G's loss."""
    law, parameter = split_parameter(wrt)
    if law != "q":
        raise GantheoryError(f"wrt={wrt!r}: with D held, only a parameter of q moves G's loss")
    return parameter
