"""Axes of plotted curves: nothing drawn is cut off, and a logarithm is taken of positives only."""

import math

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from gantheory.integrals.curves import Target, TargetCurve, Vanishing, vanishing
from gantheory.records import Estimate
from gantheory.report.plots import Measured, plot_curves, plot_vanishing

D = np.linspace(0, 10, 21)
DECAY = np.exp(-D / 2)


def curve(label, gradient):
    none = np.zeros_like(D)
    return TargetCurve(Target(label, ((label, 1.0),)), 1 - DECAY, none, gradient, none)


def below(*gradients, **more):
    names = ("jsd", "tv", "kl_pq")
    curves = [curve(name, g) for name, g in zip(names, gradients, strict=False)]
    return plot_curves(D, curves, **more).axes[1]


@pytest.mark.parametrize(
    ("gradients", "scale"),
    [
        ((DECAY, 100 * DECAY), "log"),  # 100 apart
        ((DECAY, 1.5 * DECAY), "log"),  # each falls far below the other's top
        ((2 + DECAY, 3 + DECAY), "linear"),  # of one size
        ((DECAY, -100 * DECAY), "linear"),  # a negative one has no logarithm
        ((100 * DECAY - 1, DECAY), "linear"),
        ((100 * DECAY,), "linear"),  # alone
    ],
)
def test_the_axis_is_logarithmic_where_positive_curves_differ_in_size(gradients, scale):
    assert below(*gradients).get_yscale() == scale


@pytest.mark.parametrize(
    "gradients", [(DECAY,), (DECAY, -3 * DECAY), (DECAY, 40 * DECAY), (D, D**2 - 30), (D * 0,)]
)
def test_every_point_of_a_curve_lies_on_the_axis_unless_it_is_zero(gradients):
    axes = below(*gradients)
    low, high = axes.get_ylim()
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.get_lines()])
    finite = drawn[np.isfinite(drawn)]
    assert ((low <= finite) & (finite <= high)).all()
    if axes.get_yscale() == "linear":
        assert low <= 0


def mark(label, falls_at):
    return Vanishing(Target(label, ((label, 1.0),)), 0.0, 2.0, 0.25, falls_at)


def test_falls_at_one_place_share_a_line_and_a_sentence():
    marks = [mark("jsd", 4.0), mark("tv", 4.0), mark("kl_pq", None)]
    axes = below(2 * DECAY, DECAY, 3 + D, marks=marks)
    dots = [line.get_xydata().tolist() for line in axes.get_lines() if line.get_marker() == "o"]
    assert dots == [[[4.0, 0.5]], [[4.0, 0.5]]]  # a quarter of the peak
    assert [text for text in axes.texts if "25% of the maximum" in text.get_text()] != []
    assert sum("of the maximum" in text.get_text() for text in axes.texts) == 1


def test_falls_at_two_places_have_two_sentences():
    axes = below(2 * DECAY, DECAY, marks=[mark("jsd", 4.0), mark("tv", 5.0)])
    assert sum("of the maximum" in text.get_text() for text in axes.texts) == 2


@pytest.mark.parametrize("falls_at", [3.0, 6.7, 9.5])
@pytest.mark.parametrize("gradients", [(D * DECAY**2,), (D * DECAY**2, 3 * D * DECAY, 9 * D)])
def test_what_is_written_of_a_fall_crosses_no_curve_on_its_way_down(gradients, falls_at):
    axes = below(*gradients, marks=[mark("jsd", falls_at)])
    axes.figure.canvas.draw()
    (text,) = [one for one in axes.texts if "of the maximum" in one.get_text()]
    box = text.get_window_extent()
    for line in axes.get_lines():
        if len(line.get_xdata()) == len(D):
            x, y = line.get_data()
            fine = np.linspace(*axes.get_xlim(), 2001)
            points = axes.transData.transform(np.column_stack([fine, np.interp(fine, x, y)]))
            assert not any(box.contains(*point) for point in points[np.isfinite(points).all(1)])


def test_measured_points_lie_on_their_own_curve_with_their_interval():
    points = [Measured("tv", 2.0, Estimate(0.4, 0.1)), Measured("none", 3.0, Estimate(9.0, 1.0))]
    axes = below(DECAY, 2 * DECAY, measured=points)
    (bars,) = axes.containers
    assert bars.lines[0].get_xydata().tolist() == [[2.0, 0.4]]
    (whisker,) = bars.lines[2]
    ends = [y for _, y in whisker.get_segments()[0]]
    assert ends == pytest.approx([0.3, 0.5])
    assert math.isclose(ends[1] - ends[0], 0.2)


@pytest.mark.parametrize("family", ["scale", "weight"])
def test_a_fall_is_written_down_only_where_there_is_one(family):
    figure = plot_vanishing(family, points=11)
    (falls_at,) = {vanishing(Target.followed_by("minimax"), family).falls_at}
    told = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("of its maximum" in text for text in told) == (falls_at is not None)
