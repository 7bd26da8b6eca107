"""The survey figure and the numbers that people quote from it, recomputed without training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from gantheory.ledger.catalogue import theory_of
from gantheory.ledger.twins import twin_of
from gantheory.records import Estimate, How, Verdict
from gantheory.verify import Check, agree

Digits = dict[float, str]  # d -> the digits printed for it

# (quantity, d, published digits): JSD(N(0,1), N(d,1)) and its slope, in nats.
JSD_DIGITS: Digits = {
    0.5: ".030311", 1: ".111421", 2: ".336831", 3: ".526777", 4: ".632720",
    5: ".675943", 6: ".689298", 8: ".693054", 10: ".693146",
}  # fmt: skip
SLOPE_DIGITS: Digits = {
    1: ".1990", 2: ".2248", 3: ".1479", 5: ".0237", 6: ".00623", 8: "1.96e-4", 10: "2.2e-6",
}  # fmt: skip
NON_SATURATING_DIGITS: Digits = {1: ".602", 2: "1.550", 5: "4.953", 10: "10.000"}
SURVEY = "Wang, She and Ward (2019), the figure of JSD against distance; recomputed"


def _digit_checks() -> Iterator[Check]:
    tables: tuple[tuple[str, Digits, str, str | None], ...] = (
        ("jsd", JSD_DIGITS, "JSD(N(0,1), N({d},1))", None),
        ("jsd-slope", SLOPE_DIGITS, "the slope of JSD(N(0,1), N(d,1)) at d = {d}", "q.loc"),
        (
            "non-saturating-gradient",
            NON_SATURATING_DIGITS,
            "the non-saturating generator's gradient at N(0,1), N({d},1)",
            "q.loc",
        ),
    )
    for name, digits, sentence, wrt in tables:
        for d, text in digits.items():
            statement = f"{sentence.format(d=d)} = {text}"
            run = partial(_has_digits, statement, name, d, text, wrt)
            law = Check(f"survey.{name}.{d}", statement, run, How.MEASURED, source=SURVEY)
            false = f"{sentence.format(d=d)} = {next_digit(text)}"
            yield law
            yield twin_of(law, false, partial(_has_digits, false, name, d, next_digit(text), wrt))


def _has_digits(statement: str, name: str, d: float, text: str, wrt: str | None) -> Verdict:
    """Compare with a printed number, which is known to half a unit of its last digit."""
    from gantheory.integrals import divergence

    what = theory_of("non-saturating").followed if name.startswith("non") else "jsd"
    found = divergence(what, "normal(0, 1)", f"normal({d}, 1)", wrt=wrt)
    return agree(statement, found, Estimate(float(text), half_unit(text), method="printed"))


def next_digit(text: str) -> str:
    """Return a printed number with one unit more in the last digit that it shows.

    >>> next_digit("1.96e-4"), next_digit(".0237")
    ('1.97e-4', '.0238')
    """
    mantissa, e, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    raised = f"{float(mantissa) + 10.0**-decimals:.{decimals}f}"
    return (raised.removeprefix("0") if mantissa.startswith(".") else raised) + e + exponent


def half_unit(text: str) -> float:
    """Return half a unit in the last digit that a printed number shows.

    >>> half_unit("1.96e-4")
    5e-07
    """
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.5 * 10.0 ** (int(exponent or 0) - decimals)


def _landmark_checks() -> Iterator[Check]:
    for name, statement, locate, text in (
        ("steepest", "the slope of JSD is largest at d = {}", _steepest, "1.636"),
        ("largest-slope", "the largest slope of JSD is {}", _largest_slope, ".2337"),
        ("one-percent", "the slope falls to 1% of its maximum at d = {}", _one_percent, "6.63"),
        ("third-panel", "JSD = .336 means d = {}", partial(_distance_at, 0.336), "1.996"),
        ("first-panel", "JSD reads .693 from d = {} on", partial(_distance_at, 0.6925), "7.02"),
    ):
        said, false = statement.format(text), statement.format(next_digit(text))
        run = partial(_lies_at, said, locate, text)
        law = Check(f"survey.{name}", said, run, How.MEASURED, source=SURVEY)
        yield law
        yield twin_of(law, false, partial(_lies_at, false, locate, next_digit(text)))
    said = "the slope of JSD is close to 0 (1% of its maximum) beyond d = 5"
    yield Check("survey.beyond-5-twin", said, partial(_beyond_five, said), How.REFUTED,
                source=SURVEY, twin_of="survey.one-percent")  # fmt: skip


def _lies_at(statement: str, locate: Callable[[], float], text: str) -> Verdict:
    printed = Estimate(float(text), half_unit(text), method="printed")
    return agree(statement, Estimate(locate(), 1e-8, method="root finding"), printed)


@cache
def _distance_at(level: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda d: _jsd(d) - level, 0.1, 10))


def _jsd(d: float, wrt: str | None = None) -> float:
    from gantheory.integrals import divergence

    return divergence("jsd", "normal(0, 1)", f"normal({float(d)!r}, 1)", wrt=wrt).value


@cache
def _steepest() -> float:
    from scipy.optimize import minimize_scalar

    options = {"xatol": 1e-10}
    found = minimize_scalar(
        lambda d: -_jsd(d, "q.loc"), bounds=(1, 3), method="bounded", options=options
    )
    return float(found.x)


@cache
def _largest_slope() -> float:
    return _jsd(_steepest(), "q.loc")


@cache
def _one_percent() -> float:
    from scipy.optimize import brentq

    level = 0.01 * _largest_slope()
    return float(brentq(lambda d: _jsd(d, "q.loc") - level, 3, 10))


def _beyond_five(statement: str) -> Verdict:
    share = _jsd(5.0, "q.loc") / _largest_slope()
    if share > 0.01:
        return Verdict(
            statement, How.REFUTED, left=share, right=0.01, relation="<=",
            counterexample=f"at d = 5 the slope is still {share:.1%} of its maximum",
        )  # fmt: skip
    return Verdict(statement, How.MEASURED, left=share, right=0.01, relation="<=")


SURVEY_CHECKS = (*_digit_checks(), *_landmark_checks())
