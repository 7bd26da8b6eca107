"""Figures are pure functions of data: what they draw is checked, not only that they draw."""

import math
from functools import cache

import numpy as np
import pytest

import gantheory as gt
from gantheory import Estimate, GantheoryError
from gantheory.densities.pushforward import pushforward
from gantheory.integrals import divergence
from gantheory.integrals.curves import FAMILIES, Target, curves, vanishing
from gantheory.report.plots import (
    Measured,
    plot_curves,
    plot_losses,
    plot_optimum,
    plot_pushforward,
    plot_vanishing,
    save_figure,
)
from gantheory.report.plots.laws import mode_costs

D = np.linspace(0, 10, 21)


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in (*axes.texts, axes.title)]


@cache
def survey_data():
    targets = [Target.of("jsd"), Target("ns", (("kl_mp", 2.0),), title="follows 2·KL(M‖P)")]
    return curves(targets, FAMILIES["distance"], D), vanishing("jsd")


def survey():
    found, mark = survey_data()
    measured = [Measured("jsd", 2.0, Estimate(0.2248, 0.01))]
    return plot_curves(D, found, axis="d", marks=[mark], measured=measured)


def test_curves_are_drawn_with_their_marks_and_measured_points():
    figure = survey()
    above, below = figure.axes
    assert above.lines[0].get_ydata()[-1] == pytest.approx(0.693146317393984464)
    assert below.get_yscale() == "log"  # 2e-6 and 10 on one axis
    assert any("1% of the maximum at d = 6.63" in text for text in texts(figure))
    (bars,) = below.containers
    assert bars.lines[0].get_xydata().tolist() == [[2.0, 0.2248]]
    labels = {text.get_text() for text in above.texts}
    assert labels == {"JSD(P, Q)", "follows 2·KL(M‖P)"}


def test_one_bounded_curve_stays_on_a_linear_axis():
    figure = plot_curves(D, curves([Target.of("jsd")], FAMILIES["distance"], D))
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "linear"]


def test_the_losses_have_the_slopes_that_differences_give():
    loss, slope, logit = plot_losses().axes
    for k in (0, 1):
        x, y = loss.lines[k].get_data()
        gradient = np.gradient(y, x)[50:-50]
        assert slope.lines[k].get_ydata()[50:-50] == pytest.approx(gradient, rel=1e-2)
        in_logit = gradient * x[50:-50] * (1 - x[50:-50])
        assert logit.lines[k].get_ydata()[50:-50] == pytest.approx(in_logit, rel=1e-2)


def test_the_optimum_crosses_a_half_where_the_densities_cross():
    above, below = plot_optimum("normal(0, 1)", "normal(2, 1)").axes
    for line, middle in zip(above.lines, (0, 2), strict=True):
        x, y = line.get_data()
        assert y == pytest.approx(np.exp(-((x - middle) ** 2) / 2) / np.sqrt(2 * np.pi))
    x, best = below.lines[0].get_data()
    assert np.interp(0.5, best[::-1], x[::-1]) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kept", [1, 3, 7])
def test_mode_costs_are_the_divergences_of_a_ring(kept):
    ring = "ring_mixture_2d(8, 2, 0.02)"
    part = f"ring_mixture_2d(8, 2, 0.02, keep={list(range(kept))})"
    names = [("kl_qp", 1), ("kl_mp", 2), ("jsd", 2), ("tv", 2)]
    for values, (name, factor) in zip(mode_costs(8).values(), names, strict=True):
        assert values[kept - 1] == pytest.approx(factor * divergence(name, ring, part).value)
        assert values[-1] == pytest.approx(0, abs=1e-15)


def test_vanishing_gradients_show_three_losses():
    linear, logarithmic = plot_vanishing(points=21).axes
    ends = [line.get_ydata()[-1] for line in linear.lines]
    assert ends == pytest.approx([4.4641e-6, 10, 1], rel=1e-4)
    assert logarithmic.get_yscale() == "log"


def test_arrows_carry_equal_mass_from_z_to_x():
    figure = plot_pushforward(pushforward("2*z + 1"), arrows=9)
    _, middle, below = figure.axes
    for arrow in middle.texts:
        assert arrow.xy[0] == pytest.approx(2 * arrow.xyann[0] + 1)
    x, density = below.lines[0].get_data()
    assert density == pytest.approx(
        np.exp(-(((x - 1) / 2) ** 2) / 2) / (2 * math.sqrt(2 * math.pi)), rel=1e-9
    )


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_figures_are_written_whole_and_the_same_each_time(tmp_path, ending):
    first, second = (save_figure(survey(), tmp_path / f"{k}{ending}") for k in "ab")
    head = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[ending]
    assert first.read_bytes().startswith(head)
    assert len(list(tmp_path.iterdir())) == 2
    if ending != ".pdf":
        assert first.read_bytes() == second.read_bytes()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(GantheoryError, match="choose another folder"):
        save_figure(plot_losses(), tmp_path / "no" / "a.png")
    with pytest.raises(GantheoryError, match=r"\.png, \.svg, \.pdf"):
        save_figure(plot_losses(), tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_the_distance_is_drawn_with_the_power_of_the_radius_for_steps_alone():
    from matplotlib.figure import Figure

    from gantheory.dynamics.motion.trajectories import Trajectories
    from gantheory.report.phase import draw_distances

    times = np.arange(6)
    run = Trajectories((3 * 0.5**times)[:, None, None] * np.ones((6, 1, 1)), times)
    for flow, radius in ((False, 0.6), (True, 0.6), (False, None)):
        axes = Figure().subplots()
        draw_distances(axes, run, 0.0, radius, flow)
        lines = [line.get_ydata() for line in axes.lines]
        expected = [3 * 0.5**times, *([3 * 0.6**times] if radius and not flow else [])]
        assert np.allclose(lines, expected, rtol=1e-14)


def test_a_plot_without_axes_is_a_figure_that_a_notebook_shows():
    """Notebooks show what pyplot holds when a cell ends."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    axes = gt.curve("jsd", "distance", [0.5, 1.0]).plot(gradient=True)
    assert axes.figure is pyplot.gcf()
    assert [line.get_label() for line in axes.lines] == ["jsd"]
    pyplot.close(axes.figure)
