"""Numbers as a person reads them: no more digits than the error supports, infinities spelt out."""

from __future__ import annotations

import math
import re

from gantheory.records import number_text

PLAIN = (1e-4, 1e7)  # magnitudes between these are written without a power of ten
_POWER = re.compile(r"(?<=[\d.])e([+-]?)0*(?=\d)")


def show_number(value: str | float | None, error: float | None = None) -> str:
    """Return ``value`` in the digits that its ``error`` leaves it, or ten where there is none.

    The digits are those of `number_text`, so a report and a command print one number alike.

    >>> show_number(0.336831234, 2e-4), show_number(0.336831234)
    ('0.33683', '0.336831234')
    >>> show_number(-float("inf")), show_number(1.5e-30), show_number(None)
    ('−∞', '1.5e−30', '')
    """
    if value is None or isinstance(value, str):
        return value or ""
    if math.isnan(value):
        return "undetermined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if error and math.isfinite(error):
        return typeset_powers(number_text(value, error).partition(" ")[0]).replace("-", "−")
    return _digits(float(value)).replace("-", "−")


def show_estimate(value: str | float | None, error: float | None) -> str:
    """Return ``value`` with its ``error``, each in the digits that the error decides.

    >>> show_estimate(0.336831234, 2e-4), show_estimate("1/2", None), show_estimate(2.0, 0.0)
    ('0.33683 ± 0.00021', '1/2', '2')
    """
    if value is None or isinstance(value, str) or not math.isfinite(value):
        return show_number(value, error)
    if not error or not math.isfinite(error):
        return show_number(value, error)
    number, _, rest = number_text(value, error).partition(" ± ")
    return f"{typeset_powers(number)} ± {_short(float(rest))}".replace("-", "−")


def typeset_powers(text: str) -> str:
    """Return a text whose powers of ten have a minus sign, and neither a plus nor a zero in front.

    >>> typeset_powers("1e-06 of 2.5E3 or 7e+16, e-mail")
    '1e−6 of 2.5E3 or 7e16, e-mail'
    """
    return _POWER.sub(lambda found: "e−" if found[1] == "-" else "e", text)


def show_error(error: float | None) -> str:
    """Return an error bound to two digits, the unknown one as text.

    >>> show_error(1.23e-15), show_error(0.0), show_error(None)
    ('± 1.2e−15', 'exact', '')
    """
    if error is None:
        return ""
    if error == 0:
        return "exact"
    return f"± {show_number(error) if not math.isfinite(error) else _short(error)}"


def show_probability(probability: float) -> str:
    """Return an error probability, or an empty text where the route is deterministic."""
    return _short(probability) if probability > 0 else ""


def _short(value: float) -> str:
    return typeset_powers(f"{value:.2g}")


def _digits(value: float) -> str:
    if value == 0 or PLAIN[0] <= abs(value) < PLAIN[1]:
        return f"{value:.10g}"
    mantissa, exponent = f"{value:.9e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
