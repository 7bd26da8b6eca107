"""A loss in a TOML file: every command that takes a loss takes it, and a fault has its line."""

import json
import tomllib

import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli import cli
from gantheory.errors import GantheoryError
from gantheory.losses import get_loss
from gantheory.losses.file import read_loss, write_loss

SOUND = """\
# mine
name = "tempered"
real = "ln(D)"
fake = "log(1 - D)"
generator = "-k*log(D)"
aliases = ["warm"]

[parameters]
k = "(0, 5)"

[typical]
k = "2"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SOUND)
    return path


def test_a_file_defines_a_loss_as_the_record_does(file):
    loss = read_loss(file)
    assert loss == gt.Loss(
        "tempered", real="ln(D)", fake="log(1 - D)", generator="-k*log(D)", aliases=("warm",),
        parameters={"k": "(0, 5)"}, typical={"k": "2"},
    )  # fmt: skip
    assert gt.derive(loss.given(k=1)).followed.divergence == "2*kl_mp"
    file.write_text('real = "t"\nfake = "-t"\ngenerator = "-t"\ndomain = "[0, 1]"\n')
    assert read_loss(file).name == "own"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["derive"], "tempered"), (["derive", "warm(k=3)"], "tempered (k=3)"),
        (["explain", "tempered(k=1)"], "tempered"), (["losses"], "tempered"),
        (["divergence", "Warm(k=1/2).followed", "N(0, 1)", "N(1, 1)"], "followed = "),
        (["curve", "-g", "warm(k=1)", "--points", "3"], "warm(k=1)"),
        (["game", "--parameter", "k=1"], "Dirac-GAN of tempered"),
    ],
)  # fmt: skip
def test_a_command_that_takes_a_loss_takes_a_file(file, arguments, found):
    done = CliRunner().invoke(cli, [*arguments, "--file", str(file)], catch_exceptions=False)
    assert done.exit_code == 0
    assert found in " ".join(done.output.split())
    with pytest.raises(gt.GantheoryError, match="unknown loss"):  # gone when the command is done
        gt.get_loss("tempered")


def test_a_file_is_the_loss_where_none_is_named(file):
    done = CliRunner().invoke(cli, ["derive", "--json", "--file", str(file)])
    assert json.loads(done.output)["definition"]["name"] == "tempered"
    with pytest.raises(gt.GantheoryError, match="no reference"):
        CliRunner().invoke(cli, ["cite", "--file", str(file)], catch_exceptions=False)
    with pytest.raises(gt.GantheoryError, match="--file"):
        CliRunner().invoke(cli, ["explain"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ('"ln(D)"', '"ln(D"', 3, "malformed payoff"), ('"ln(D)"', "ln(D)", 3, "alue"),
        ('"log(1 - D)"', '"log(1 - D)*eval(1)"', 4, "eval"), ("fake =", "fale =", 4, "did you"),
        ('"-k*log(D)"', "3", 5, "text in quotes"), ('"(0, 5)"', '"(0, 5"', 9, "malformed domain"),
        ('"(0, 5)"', "[0, 5]", 9, "text in quotes"), ('k = "2"', 'k = "7"', 9, "outside its legal"),
        ('k = "(0, 5)"', 'm = "(0, 5)"', 9, "'m'"), ('["warm"]', '"warm"', 6, "list"),
        ('generator = "-k*log(D)"', "", 13, "generator missing"), ('name = "tempered"', "=", 2, ""),
        ("[typical]", "[typical", 11, ""), ('"ln(D)"', '"""ln(D)', 13, ""),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line_with_the_number_of_its_line(file, old, new, line, word):
    file.write_text(SOUND.replace(old, new))
    with pytest.raises(gt.GantheoryError) as error:
        read_loss(file)
    assert str(error.value).startswith(f"own.toml, line {line}: ")
    assert word in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_text_file_is_named(tmp_path):
    for path, word in ((tmp_path, "cannot read"), (tmp_path / "none.toml", "No such file")):
        with pytest.raises(gt.GantheoryError, match=word):
            read_loss(path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(gt.GantheoryError, match="UTF-8"):
        read_loss(tmp_path / "binary.toml")


def test_a_file_may_not_take_the_name_of_another_loss(file):
    file.write_text(SOUND.replace("tempered", "LSGAN"))
    with pytest.raises(gt.GantheoryError, match="already a name of least-squares-01"):
        CliRunner().invoke(cli, ["derive", "--file", str(file)], catch_exceptions=False)


@pytest.mark.parametrize(
    "name", ["minimax", "alpha-gan", "two-sided-smoothing", "hinge", "linear", "energy-based"]
)
def test_a_loss_that_is_written_is_the_one_that_is_read(tmp_path, name):
    loss, path = get_loss(name), tmp_path / "kept.toml"
    write_loss(loss, path)
    data, again = tomllib.loads(path.read_text()), read_loss(path)
    assert (data["real"], data["fake"], data["generator"]) == (loss.real, loss.fake, loss.generator)
    for part in ("name", "title", "domain", "link", "parameters", "typical", "aliases"):
        assert getattr(again, part) == getattr(loss, part)


def test_formulas_of_the_command_line_are_kept_once_and_under_the_name_of_the_file(tmp_path):
    path = tmp_path / "kept.toml"
    formulas = ["--real", "-(t - b)^2", "--fake", "-t^2", "--generator=-b*t", "--save", str(path)]
    asked = ["derive", *formulas, "--parameter", "b=(0, 3)"]
    assert CliRunner().invoke(cli, asked, catch_exceptions=False).exit_code == 0
    data = tomllib.loads(path.read_text())
    assert (data["name"], data["real"]) == ("kept", "-(t - b)^2")
    assert data["parameters"] == {"b": "(0, 3)"}
    assert path.stat().st_mode & 0o044  # others can read it
    with pytest.raises(GantheoryError, match=r"kept\.toml' exists"):
        CliRunner().invoke(cli, asked, catch_exceptions=False)
    with pytest.raises(GantheoryError, match=r"must end in \.toml"):
        CliRunner().invoke(cli, [*asked[:-3], "other.txt"], catch_exceptions=False)


def test_a_file_of_means_has_its_name_and_its_title(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('name = "mine"\ntitle = "A loss of mine"\nobjective = "E_p(t) - E_q(t)**2"\n')
    loss = gt.read_entry(path)
    assert (loss.name, loss.title) == ("mine", "A loss of mine")
