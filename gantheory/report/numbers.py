"""Numbers as a person reads them: no more digits than the error supports, infinities spelt out."""

from __future__ import annotations

import math
import re

PLAIN = (1e-4, 1e7)  # magnitudes between these are written without a power of ten
MOST_DIGITS = 15  # a float64 has no more


def show_number(value: str | float | None, error: float | None = None) -> str:
    """Return ``value`` with two digits of its ``error``, or ten digits where there is none.

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
    return _digits(float(value), _significant(value, error)).replace("-", "−")


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
    return re.sub(r"e([+-])0*(\d)", r"e\1\2", f"{value:.2g}").replace("e+", "e").replace("-", "−")


def _significant(value: float, error: float | None) -> int:
    if not error or not math.isfinite(error) or not value:
        return 10
    lead = math.floor(math.log10(abs(value))) - math.floor(math.log10(error))
    return min(max(lead + 2, 2), MOST_DIGITS)


def _digits(value: float, significant: int) -> str:
    if value == 0 or PLAIN[0] <= abs(value) < PLAIN[1]:
        return f"{value:.{significant}g}" if abs(value) < 1 else _fixed(value, significant)
    mantissa, exponent = f"{value:.{significant - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def _fixed(value: float, significant: int) -> str:
    decimals = max(significant - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
