"""What the kit's laws drop as undetermined is counted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gantheory.records import Estimate
from gantheory.testing import laws


def test_what_a_law_drops_as_undetermined_is_counted(monkeypatch):
    tally = laws.Tally()
    monkeypatch.setattr(laws, "TALLY", tally)
    answers = iter([Estimate(1.0, 0.1), Estimate.undetermined("tails unknown")] * 3)

    @settings(database=None, max_examples=6, suppress_health_check=list(HealthCheck))
    @given(st.integers())
    def run(_):
        laws.decided_estimate(next(answers, Estimate(1.0)))

    run()
    assert tally.undetermined == {"tails unknown": 3}
    assert tally.asked >= 6
    assert str(tally).startswith(f"3 of {tally.asked} estimates undetermined; 3: tails unknown")
    with pytest.raises(AssertionError, match="undetermined: unknown"):
        laws.decided_estimate(Estimate.undetermined("unknown"))
