"""What the tests of entries from outside ask of the catalogues."""

import json

import hypothesis
from click.testing import CliRunner

from gantheory.cli import cli

P, Q = "normal(0, 1)", "normal(1, 1.5)"


def said(*arguments):
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def listed(command):
    return [row["name"] for row in json.loads(said(command, "--json"))]


def drawn(strategy, name):
    return hypothesis.find(strategy, lambda entry: entry.name == name)


def words(directive):
    return directive.run(None)[0].astext()
