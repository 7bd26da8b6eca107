"""What orbits are said to do, from sizes written down by hand."""

import numpy as np
import pytest

from gantheory.numeric.motion.orbits import Watched
from gantheory.records import How
from gantheory.symbolic.dynamics.verdict import Fate


def watched(sizes, starts=(1.0, 2.0), extents=None):
    sizes = np.array(sizes, float)
    around = 1.5 * sizes[-1] if extents is None else np.array(extents, float)
    return Watched(sizes, np.array(starts), around, np.zeros(2))


INF, NAN = np.inf, np.nan
FATES = {
    "to a thousandth": (watched([[1, 2], [0.1, 0.1], [9e-4, 9e-4]]), Fate.CONVERGES),
    "down in every window": (watched([[1, 2], [0.5, 0.9], [0.1, 0.19]]), Fate.CONVERGES),
    "down, but not to a tenth": (watched([[1, 2], [0.5, 0.9], [0.1, 0.21]]), Fate.UNDECIDED),
    "down with a rise between": (
        watched([[1, 2], [0.05, 0.1], [0.1, 0.15], [0.09, 0.14]]), Fate.UNDECIDED,
    ),
    "only one of them down": (watched([[0.19, 2], [0.19, 0.9], [0.19, 0.1]]), Fate.UNDECIDED),
    "at rest elsewhere": (watched([[1, 2], [3, 3], [3, 3]], extents=[0, 0]), Fate.CONVERGES),
    "one at rest, one not": (watched([[1, 2], [3, 3], [3, 3]], extents=[0, 1]), Fate.UNDECIDED),
    "onto one circle": (watched([[0.5, 2], [1, 1], [1, 1]], (0.1, 3.0)), Fate.CYCLE),
    "onto one circle, all from outside": (
        watched([[1.5, 2], [1, 1], [1, 1]], (2.0, 3.0)), Fate.UNDECIDED,
    ),
    "onto one side of a circle": (
        watched([[0.5, 2], [1, 1], [1, 1]], (0.1, 3.0), [0.5, 0.5]), Fate.UNDECIDED,
    ),
    "onto two circles": (watched([[0.5, 2], [1, 2], [1, 2]], (0.1, 3.0)), Fate.UNDECIDED),
    "a circle that still grows": (
        watched([[0.5, 2], [0.8, 0.8], [1, 1]], (0.1, 3.0)), Fate.UNDECIDED,
    ),
    "on the circle of its start": (watched([[1, 2], [1, 2], [1, 2]]), Fate.BOUNDED),
    "on a smaller circle than its start": (
        watched([[1, 2], [1, 2], [1, 2]], (1.5, 3.0)), Fate.UNDECIDED,
    ),
    "level on one side": (watched([[1, 2], [1, 2], [1, 2]], extents=[0.5, 1]), Fate.UNDECIDED),
    "up in every window": (watched([[1, 2], [1.5, 3], [2.5, 4.5]]), Fate.DIVERGES),
    "up, but not to the double": (watched([[1, 2], [1.5, 3], [2.5, 3.9]]), Fate.UNDECIDED),
    "up with a fall between": (watched([[1, 2], [4, 8], [2.5, 4.5]]), Fate.UNDECIDED),
    "all beyond the numbers": (watched([[1, 2], [INF, INF], [INF, INF]]), Fate.DIVERGES),
    "one beyond the numbers": (watched([[1, 2], [INF, 2], [INF, 2]]), Fate.UNDECIDED),
    "lost far out": (watched([[1, 2], [2e6, 3e6], [NAN, NAN]]), Fate.DIVERGES),
    "lost nearby": (watched([[1, 2], [2, 3], [NAN, NAN]]), Fate.UNDECIDED),
}  # fmt: skip


@pytest.mark.parametrize("case", FATES)
def test_orbits_are_named_by_their_sizes(case):
    orbits, fate = FATES[case]
    found = orbits.decide()
    assert found.fate is fate
    assert found.how is (How.UNDECIDED if fate is Fate.UNDECIDED else How.MEASURED)
