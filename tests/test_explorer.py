"""The figure on the documentation's start page: its numbers are those of the divergences."""

import sys
from pathlib import Path

import pytest

from gantheory import divergence, get_loss

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))
explorer = pytest.importorskip("explorer", reason="sphinx is not installed")


def test_the_numbers_of_the_start_page_are_integrated_and_named(monkeypatch):
    monkeypatch.setattr(explorer, "LOSSES", ("non-saturating",))
    monkeypatch.setattr(explorer, "POINTS", [1.0, 3.0])
    found = explorer.numbers()["losses"]["non-saturating"]
    assert [row["name"] for row in found] == ["2·JSD(P, Q)", "KL(P‖M) + 2·KL(M‖P)", "2·KL(M‖P)"]
    for row, names in zip(found, ({"jsd": 2}, {"kl_pm": 1, "kl_mp": 2}, {"kl_mp": 2}), strict=True):
        for k, d in enumerate((1.0, 3.0)):
            pair = ("normal(0, 1)", f"normal({d}, 1)")
            for part, wrt in (("value", None), ("slope", "q.loc")):
                truth = sum(c * divergence(name, *pair, wrt=wrt).value for name, c in names.items())
                assert row[part][k] == pytest.approx(truth, rel=1e-4)


def test_the_losses_of_the_start_page_are_in_the_catalogue():
    assert all(get_loss(name).name == name for name in explorer.LOSSES)
