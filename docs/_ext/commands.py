"""The command-line reference, written from the commands themselves."""

from importlib.util import find_spec

import click
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from gantheory.cli import COMMANDS, cli

logger = logging.getLogger(__name__)


class CommandsDirective(SphinxDirective):
    """One section a command: what it does, and its ``--help`` as it is."""

    def run(self):
        missing = [name for name in COMMANDS if not find_spec(f"gantheory.cli.{name}")]
        for name in missing:
            logger.warning("the command line lists %r, but gantheory.cli.%s is missing", name, name)
        return [section(*entry) for entry in COMMANDS.items() if entry[0] not in missing]


def section(name, summary):
    command = cli.get_command(None, name)
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
