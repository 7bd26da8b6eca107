"""What has no closed form is told before signs are certified, and nothing that has one."""

import pytest

from gantheory.deadline import Undecided
from gantheory.exact.assumptions import Assumptions
from gantheory.losses.loss import Loss
from gantheory.theory.coordinates import coordinate_for, payoffs_of
from gantheory.theory.foresight import see_solvable
from gantheory.theory.pieces import pieces_of


def look(real: str, fake: str, domain: str = "(-oo, oo)") -> None:
    loss, parameters = Loss("looked-at", real, fake, "-t", domain=domain), Assumptions()
    payoffs = payoffs_of(loss, parameters)
    coordinate = coordinate_for(payoffs)
    pieces = pieces_of(loss, payoffs, coordinate, parameters)
    see_solvable(pieces, coordinate.symbol, parameters)


@pytest.mark.parametrize(
    ("real", "fake", "domain"),
    [
        ("-t**2", "sin(t) - t**2", "(-oo, oo)"),
        ("-softplus(-t)", "-t**2", "(-oo, oo)"),
        ("-t**4", "erf(t) + t/2", "(-oo, oo)"),
        ("log(D)", "-sqrt(1 + t**2)", "(-oo, oo)"),
    ],
)
def test_a_maximum_without_a_closed_form_is_told(real, fake, domain):
    with pytest.raises(Undecided, match="no closed form"):
        look(real, fake, domain)


@pytest.mark.parametrize(
    ("real", "fake", "domain"),
    [
        ("log(D)", "log(1 - D)", "(-oo, oo)"),
        ("t", "-sqrt(1 + t**2)", "(-oo, oo)"),  # its square is solved
        ("t", "-t*log(t) - (1 + t)*log(1 + t)", "(0, oo)"),  # logarithms alone
        ("t**2", "exp(t)", "[-1, 1]"),  # valleys alone
        ("-sin(t)", "-t**2", "[2, 5/2]"),  # r*a' + b' rises along the domain
        ("-t", "erf(t) + t/2", "(-oo, oo)"),
        ("-t**2", "-2*t**2 + 1", "(-oo, oo)"),
    ],
)
def test_what_may_have_a_closed_form_is_left_to_the_engine(real, fake, domain):
    look(real, fake, domain)
