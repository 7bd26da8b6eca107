"""``gantheory game`` as a user meets it: stable keys, verdicts, pictures, clear errors."""

import json

import pytest
import sympy as sp
from click.testing import CliRunner

from gantheory.cli.game import command
from gantheory.dynamics.verdict import Behaviour
from gantheory.errors import GantheoryError

XY = ["--value", "x*y", "--player1", "x", "--player2", "y"]
METHODS = (
    "flow", "simultaneous", "alternating", "proximal", "extragradient", "optimistic",
    "consensus", "momentum",
)  # fmt: skip
VERDICTS = set(Behaviour)


def run(*arguments):
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def as_json(*arguments):
    return json.loads(run(*arguments, "--json"))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_under_the_stable_keys(method):
    data = as_json(*XY, "--method", method, "--step", "0.1")
    assert {"point", "jacobian", "eigenvalues", "classification"} <= data["equilibria"][0].keys()
    update = data["update"]
    assert {
        "method", "step", "eigenvalues", "spectral_radius", "converges_for", "verdict",
    } <= update.keys()  # fmt: skip
    assert (update["method"], update["step"]) == (method, 0.1)
    assert update["verdict"] in VERDICTS


def test_the_example_of_alternating_play_is_a_bounded_orbit():
    data = as_json(*XY, "--method", "alternating", "--step", "0.1")
    (found,) = data["equilibria"]
    assert found["point"] == {"x": "0", "y": "0"}
    assert found["jacobian"] == [["0", "-1"], ["1", "0"]]
    assert sorted(found["eigenvalues"]) == ["-I", "I"]
    assert "Nash" in found["classification"]
    update = data["update"]
    assert update["verdict"] == "bounded orbit"
    assert update["spectral_radius"] == pytest.approx(1, abs=1e-12)
    assert update["converges_for"] == "none"
    assert update["bounded_for"] == "(0, 2)"


def test_the_threshold_of_optimistic_play_is_an_exact_number():
    update = as_json(*XY, "--method", "optimistic", "--step", "0.1")["update"]
    assert update["converges_for"] == "(0, sqrt(3)/3)"
    moduli = [abs(complex(sp.N(sp.S(text)))) for text in update["eigenvalues"]]
    assert max(moduli) == pytest.approx(update["spectral_radius"], abs=1e-12)


def test_the_second_payoff_is_minimised_by_player_two():
    same = as_json(*XY, "--value2", "-x*y")
    assert same["zero_sum"]
    assert same["equilibria"][0]["jacobian"] == [["0", "-1"], ["1", "0"]]
    other = as_json(*XY, "--value2", "x*y")
    assert not other["zero_sum"]
    assert other["equilibria"][0]["jacobian"] == [["0", "-1"], ["-1", "0"]]


def test_a_measured_verdict_says_that_it_is_measured():
    update = as_json("dirac-linear", "--gradient-penalty", "0.7", "--method", "alternating",
                     "--step", "0.2")["update"]  # fmt: skip
    assert (update["verdict"], update["how"]) == ("limit cycle", "measured")


def test_named_games_take_parameters_and_regularisers():
    data = as_json("non-saturating-epsilon", "--parameter", "eps=1/2", "--r1", "1")
    assert data["equilibria"][0]["jacobian"] == [["0", "1/4"], ["-1/2", "-1"]]


def test_the_text_output_names_verdict_and_threshold():
    shown = run("bilinear", "--method", "extragradient", "--step", "0.5")
    for part in (
        "eta in (0, 1)",
        "eta = sqrt(2)/2, of spectral radius sqrt(3)/2",
        "converges (proved",
    ):
        assert part in " ".join(shown.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["non-saturating", "--method", "flow"],
        ["--value", "x*y + u*v", "--player1", "x, u", "--player2", "y v"],
        ["dirac-linear", "--clip", "1", "--method", "alternating"],
        [*XY, "--method", "simultaneous", "--step", "1"],
    ],
    ids=["flow", "four variables", "clipped", "exploding"],
)
def test_the_picture_is_written(tmp_path, arguments):
    ending = "svg" if "flow" in arguments else "png"
    target = tmp_path / f"game.{ending}"
    run(*arguments, "--plot", str(target))
    head = target.read_bytes()[:300]
    assert head.startswith(b"\x89PNG") if ending == "png" else b"<svg" in head + target.read_bytes()
    assert target.stat().st_size > 5000
    assert list(tmp_path.iterdir()) == [target]


BAD = {
    "unknown symbol": (["--value", "x*z", "--player1", "x", "--player2", "y"], "z"),
    "no variables": (["--value", "x*y", "--player1", "", "--player2", "y"], "player 1"),
    "missing player": (["--value", "x*y", "--player1", "x"], "--player2"),
    "variable that does not occur": (
        ["--value", "x**2", "--player1", "x", "--player2", "y"], "player 2",
    ),
    "shared variable": (["--value", "x*y", "--player1", "x, y", "--player2", "y"], "both"),
    "kink": (["--value", "abs(x)*y", "--player1", "x", "--player2", "y"], "--domain"),
    "logarithm": (["--value", "log(x)*y", "--player1", "x", "--player2", "y"], "--domain"),
    "zero step": ([*XY, "--step", "0"], "step"),
    "negative step": ([*XY, "--step", "-0.1"], "step"),
    "step that is no number": ([*XY, "--step", "fast"], "fast"),
    "unknown method": ([*XY, "--method", "optimisitc"], "optimistic"),
    "unknown game": (["bilinaer"], "bilinear"),
    "payoff as name": (["x*y", "--player1", "x", "--player2", "y"], "--value 'x*y'"),
    "name and value": (["bilinear", *XY], "either"),
    "nothing": ([], "NAME"),
    "code": (["--value", "__import__('os')", "--player1", "x", "--player2", "y"], "payoff"),
    "regulariser without a score": (["bilinear", "--r1", "1"], "Dirac"),
    "picture of no known kind": ([*XY, "--plot", "x.bmp"], ".png"),
    "picture nowhere": ([*XY, "--plot", "/no/such/place/x.png"], "directory"),
    "free parameter drawn": (["energy-based", "--plot", "x.png"], "m"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "names"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_that_names_the_value(arguments, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GantheoryError) as caught:
        CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    assert "\n" not in str(caught.value)
    assert names in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_program_exits_with_status_two_and_no_traceback(command_line):
    done = command_line("game", *XY, "--step", "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_declared_domain_admits_a_kink():
    kink = ["--value", "abs(x)*y", "--player1", "x", "--player2", "y", "--domain"]
    smooth = as_json(*kink, "x: (0, oo)")
    assert smooth["field"] == {"x": "-y", "y": "x"}
    assert smooth["equilibria"] == []
    jumps = as_json(*kink, "x: (-oo, oo)", "--step", "0.1")
    assert jumps["update"]["how"] != "proved"
    assert all(found["jacobian"] is None for found in jumps["equilibria"])


def test_a_stability_diagram_has_the_line_where_the_radius_is_one():
    import numpy as np

    from gantheory.dynamics import rules
    from gantheory.dynamics.known import bilinear
    from gantheory.dynamics.motion.spectra import spectral_map
    from gantheory.dynamics.operators import operator
    from gantheory.dynamics.regularise import with_consensus
    from gantheory.report.phase import plot_stability

    weight = sp.Symbol("gamma", positive=True)
    matrix = operator(rules.simultaneous(), with_consensus(bilinear(), weight).jacobian, 1)
    steps, weights = np.linspace(0.01, 1.5, 60), np.linspace(0.01, 3, 50)
    figure = plot_stability(steps, weights, spectral_map(matrix, weight, steps, weights))
    (line,) = [c for c in figure.axes[0].collections if hasattr(c, "levels")]
    step, gamma = np.concatenate([path.vertices for path in line.get_paths()]).T
    assert np.abs(step - 2 * gamma / (1 + gamma**2)).max() < 0.01


@pytest.mark.parametrize(
    "arguments",
    [
        ["--value", "x**5 - x + y*x - y**3", "--player1", "x", "--player2", "y"],
        ["--value", "x*y + tanh(x)*y - y/3", "--player1", "x", "--player2", "y"],
        ["alpha-gan", "--parameter", "alpha=2"],
        ["energy-based"],
    ],
    ids=["quintic", "transcendental", "irrational", "free parameter"],
)
def test_a_game_without_formulas_is_answered_and_nothing_is_called_proved(arguments):
    update = as_json(*arguments, "--method", "optimistic", "--step", "0.1")["update"]
    assert update["verdict"] in VERDICTS
    assert update["how"] in {"certified", "measured", "undecided"}
    assert update["converges_for"] is None or arguments == ["energy-based"]


def test_a_behaviour_names_the_theorem_that_it_quotes():
    asked = ["--value", "x**2 + x**3 + 2*x*y - y**2", "--player1", "x", "--player2", "y"]
    asked += ["--method", "flow"]
    printed = CliRunner().invoke(command, asked).output
    assert "linearised stability" in printed
    assert "which is quoted" in printed
    found = json.loads(CliRunner().invoke(command, [*asked, "--json"]).output)
    assert found["update"]["theorem"].startswith("linearised stability")
    linear = json.loads(CliRunner().invoke(command, ["bilinear", "--json"]).output)
    assert linear["update"]["theorem"] is None


@pytest.mark.parametrize("name", ["bilinear", "dirac-minimax"])
def test_the_imaginary_unit_is_written_i_and_what_is_printed_are_the_eigenvalues(name):
    import sympy

    from gantheory.cli.game import command

    done = CliRunner(env={"COLUMNS": "200"}).invoke(command, [name])
    line = next(row for row in done.output.splitlines() if "(of the field)" in row)
    texts = line.split("eigenvalues")[1].partition("(of")[0].split(",")
    told = {complex(sympy.sympify(text, {"i": sympy.I})) for text in texts}
    size = {"bilinear": 1.0, "dirac-minimax": 0.5}[name]  # known by hand
    assert told == {complex(0, size), complex(0, -size)}
