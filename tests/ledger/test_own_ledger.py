"""A user's own ledger: an error in it is one line that names where, and the example runs."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import gantheory as gt
from gantheory.cli.claims import command
from gantheory.errors import GantheoryError
from gantheory.ledger.statements.reading import MAKERS, read_ledger

EXAMPLE = Path(__file__).parents[2] / "docs" / "_data" / "my_ledger.toml"
HEAD = '[source]\ntitle = "mine"\n\n[[claim]]\nid = "a"\nstatement = "s"\nverdict = "proved"\n'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('check = [{prof = "jsd >= 0"}]', "a check has one of the keys formula"),
        ('check = [{prove = "jsd"}]', "compares nothing"),
        ('check = [{prove = "jsd >= 0", strict = true}]', "unknown key of prove 'strict'"),
        ('check = [{derive = "minimux", value = "jsd"}]', "did you mean 'minimax'"),
        ('check = [{derive = "minimax"}]', "give exactly one of"),
        ('check = [{derive = "minimax", law = "vanish"}]', "unknown law 'vanish'"),
        ('check = [{formula = "diff(x, x) = 1"}]', "malformed formula"),
        ('check = [{formula = "__import__(x) == 1"}]', "unknown function in formula"),
        ('check = [{formula = "x == x", where = {y = "(0, 1)"}}]', "'y' does not occur"),
        ('check = [{laws = "jsd >= 0", p = ["1/2"], q = ["1"]}]', "do not add up to 1"),
        ('check = [{integrate = "jsd", p = "normall(0, 1)", q = "normal(0, 1)", is = "1"}]',
         "did you mean"),
        ('check = [{integrate = "jsd", p = "normal(0, 1)", q = "normal(1, 1)", is = "x"}]',
         "is no number"),
        ('check = [{known = "minimax.valu"}]', "did you mean 'minimax.value'"),
        ('check = [{code = "relabellings"}]', "belong to the toolkit's own ledger"),
        ('verdct = "proved"', "did you mean 'verdict'"),
        ('line = "1"', "has no check"),
    ],
)  # fmt: skip
def test_an_error_in_a_ledger_names_its_line(body, said):
    with pytest.raises(GantheoryError) as error:
        read_ledger(HEAD + body, "my.toml")
    assert re.match(r"my\.toml, line [48]: ", str(error.value))  # the claim's, or the check's
    assert said in str(error.value)


def test_the_line_is_that_of_the_check_that_an_error_quotes():
    body = 'check = [\n    {prove = "jsd >= 0"},\n    {prove = "jsd >= kl_pw"},\n]'
    with pytest.raises(GantheoryError, match=r"^my\.toml, line 10: .*kl_pw"):
        read_ledger(HEAD + body, "my.toml")


EXAMPLES = {
    "formula": {"formula": "x > 0", "where": {"x": "(0, 1)"}},
    "derive": {"derive": "minimax", "value": "jsd"},
    "loss": {"derive": {"real": "t", "fake": "-t", "generator": "t", "domain": "(-1, 1)",
                        "parameters": {"a": "(0, 1)"}}, "value": "jsd"},
    "prove": {"prove": "jsd >= 0", "restricted": True},
    "laws": {"laws": "jsd >= 0", "p": ["1/2", "1/2"], "q": ["1", "0"]},
    "integrate": {"integrate": "jsd", "p": "normal(0, 1)", "q": "normal(1, 1)", "is": "1",
                  "wrt": "q.loc", "method": "auto"},
    "game": {"game": "x*y", "players": ["x", "y"], "method": "momentum", "step": "0.1",
             "momentum": "0.5", "behaviour": "diverges"},
    "known": {"known": "minimax.value"},
}  # fmt: skip


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_value_of_a_wrong_type_is_an_error_of_one_line(kind):
    """Every key of every kind in turn takes numbers, lists and tables, or goes."""
    wrong = ["1", "true", '""', "[]", "[1]", "{}", "{a = 1}", "[[1]]", '"diff("']
    for key in EXAMPLES[kind]:
        rest = {name: value for name, value in EXAMPLES[kind].items() if name != key}
        for text in [*wrong, None]:
            table = dict.fromkeys(rest) | ({} if text is None else {key: text})
            inner = ", ".join(f"{k} = {v or toml(rest[k])}" for k, v in table.items())
            try:
                read_ledger(f"{HEAD}check = [{{{inner}}}]", "my.toml")
            except GantheoryError as error:
                assert "\n" not in str(error)  # noqa: PT017
    with pytest.raises(GantheoryError, match="has no check; add one"):
        read_ledger(
            HEAD + 'check = [{prove = "jsd >= 0"}]\ncorrected = {statement = "s"}', "my.toml"
        )


def toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def test_a_malformed_file_is_one_line():
    for text in ("claim = 1", "[[claim]", "", "[[claim]]\nid = 1"):
        with pytest.raises(GantheoryError, match=r"^my\.toml"):
            read_ledger(text, "my.toml")


def test_the_example_of_a_users_ledger_runs_and_uses_every_kind():
    text = EXAMPLE.read_text()
    assert all(f"{{{kind} = " in text for kind in MAKERS if kind != "code")
    found = gt.claims(ledger=EXAMPLE)
    assert all(row.as_expected for row in found)
    assert {row.how for row in found} >= {"proved", "certified", "measured", "refuted"}


def test_the_command_fails_where_a_verdict_is_not_the_recorded_one(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(HEAD + 'check = {prove = "jsd <= tv/2"}')
    done = CliRunner().invoke(command, ["--ledger", str(path), "--json"], standalone_mode=False)
    assert done.return_value == 1
    assert '"how": "refuted"' in done.output
    path.write_text(HEAD.replace("proved", "refuted") + 'check = {prove = "jsd <= tv/2"}')
    done = CliRunner().invoke(command, ["--ledger", str(path)], standalone_mode=False)
    assert done.return_value == 0
