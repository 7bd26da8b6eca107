"""The command-line reference, written from the commands themselves."""

import importlib

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from gantheory.cli import COMMANDS


class CommandsDirective(SphinxDirective):
    """One section a command: what it does, and its ``--help`` as it is."""

    def run(self):
        return [section(name, summary) for name, summary in COMMANDS.items()]


def section(name, summary):
    command = importlib.import_module(f"gantheory.cli.{name}").command
    made = nodes.section(ids=[nodes.make_id(f"command-{name}")])
    made += nodes.title("", "", nodes.literal("", f"gantheory {name}"))
    made += nodes.paragraph("", summary)
    made += nodes.literal_block("", help_of(command, name), language="text")
    return made


def help_of(command, name):
    with click.Context(command, info_name=f"gantheory {name}", max_content_width=88) as context:
        return command.get_help(context)


def setup(app):
    app.add_directive("commands", CommandsDirective)
    return {"parallel_read_safe": True}
