"""Tables and pages generated from the catalogues: no loss or divergence is typed into the docs."""

from pathlib import Path

from checks import cell, make_table
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from gantheory.critics import derive_critic
from gantheory.derivations import derive
from gantheory.derivations.typeset import typeset
from gantheory.divergences import COMPLEMENTS, DIVERGENCES
from gantheory.divergences.symbols import in_prose
from gantheory.integrals.transport.catalogue import DISTANCES
from gantheory.losses import CATALOGUE, CRITICS
from gantheory.report.losses import view_loss
from gantheory.report.maths import curvature_latex, split_beside
from gantheory.report.view import readable
from gantheory.theory import generator

PAGE = """\
# {title}

The discriminator maximises $E_p[a] + E_q[b]$ and the generator minimises $E_q[c]$, with

| | formula |
|---|---|
| on real samples, a | `{real}` |
| on fake samples, b | `{fake}` |
| the generator's loss, c | `{generator}` |

{reference}

## What it really does

{answers}

## The derivation

{steps}

{assumptions}

On the command line: `gantheory derive {name}`.
"""


CRITIC_PAGE = """\
# {title}

The discriminator maximises `{objective}` over this class: {constraint}. The generator
minimises `{generator}`.

Published in: {reference}

{status}

## The derivation

{steps}

{assumptions}
{claims}
On the command line: `gantheory derive {name}`.
"""


def critic_page_of(critic):
    """Return the Markdown page of a constrained critic, written from its derivation."""
    found = derive_critic(critic)
    return CRITIC_PAGE.format(
        **critic.as_dict(),
        reference=critic.reference,
        status="\n".join(f"**Undecided**: {reason}." for reason in found.undecided.values()),
        steps="\n".join((*step_lines(found.steps), *letter_lines(found.notation))),
        assumptions=f"Assuming {in_prose('; '.join(found.assumptions))}."
        if found.assumptions
        else "",
        claims="\n".join(claim_lines(found.claims)),
    )


def claim_lines(claims):
    if claims:
        yield "\n## What was published\n"
    for claim in claims:
        why = claim.counterexample or claim.reason
        said = f"{in_prose(claim.statement)}: **{claim.how}**"
        said += f", {in_prose(why)}" if why else ""
        yield f"- {said}\n"


def page_of(loss):
    """Return the Markdown page of a loss, written from its derivation."""
    view = view_loss(derive(loss))
    return PAGE.format(
        title=view.title,
        real=view.real,
        fake=view.fake,
        generator=view.generator,
        reference=f"Published in: {loss.reference}" if loss.reference else "",
        answers="\n".join(answer_lines(view.answers)),
        steps="\n".join((*step_lines(view.steps), *letter_lines(view.notation))),
        assumptions=f"Assuming {in_prose('; '.join(view.assumptions))}."
        if view.assumptions
        else "",
        name=loss.name,
    )


def answer_lines(answers):
    for answer in answers:
        formulas = [f"${one}$" for one in split_beside(answer.latex)]
        words = "; ".join(filter(None, [*formulas, answer.words]))
        yield f"{answer.question}\n: {words}{f' ({answer.how})' if answer.how else ''}\n"


def step_lines(steps):
    for number, step in enumerate(steps, start=1):
        yield f"{number}. {step.title} *({step.how})*"
        if step.latex:
            yield f"\n    $$\n    {step.latex}\n    $$"
        yield f"\n    {step.reason}\n" if step.reason else ""


def letter_lines(notation):
    """Yield what the letters of the steps stand for."""
    if notation:
        yield "\nIn these formulas:\n"
    for one in notation:
        yield f"- ${one.latex}$: {one.meaning}"


def write_loss_pages(app):
    """Write one page a loss; a page that has not changed keeps its date, and is not rebuilt."""
    folder = Path(app.srcdir) / "generated" / "losses"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{name}.md": page_of(loss) for name, loss in CATALOGUE.items()}
    pages |= {f"{name}.md": critic_page_of(critic) for name, critic in CRITICS.items()}
    for stale in set(path.name for path in folder.glob("*.md")) - set(pages):
        (folder / stale).unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class LossesTable(SphinxDirective):
    """All losses: formulas, what D* reports, what the generator follows."""

    def run(self):
        headings = ["Loss", "Generator's loss", "D* reports", "The generator follows"]
        table = make_table(headings, [22, 24, 27, 27])
        for name, loss in CATALOGUE.items():
            derivation = derive(loss)
            row = nodes.row()
            row += cell(link_to(name))
            row += cell(nodes.literal("", loss.generator))
            row += cell(*shown(derivation.value))
            row += cell(*shown(derivation.followed))
            table[0][-1] += row
        return [table]


def link_to(name):
    from sphinx import addnodes

    return addnodes.pending_xref(
        "", nodes.inline("", name), refdomain="std", reftype="doc", refexplicit=True,
        reftarget=f"/generated/losses/{name}", refwarn=True,
    )  # fmt: skip


def shown(curvature):
    """Return a curvature as the combination it is, or in words."""
    from gantheory.report.maths import combination

    if curvature is None:
        return [nodes.Text("no optimum")]
    if curvature.terms or (curvature.is_named and curvature.is_divergence is not False):
        return [math(combination(curvature.terms))]
    words = "no divergence: " if curvature.is_divergence is False else ""
    return [nodes.Text(words), math(curvature_latex(curvature))]


def math(latex):
    return nodes.math(latex, latex)


class CriticsTable(SphinxDirective):
    """Games whose optimum is not pointwise: what is maximised over which class, and the value."""

    def run(self):
        table = make_table(["Loss", "Maximised", "Class", "Value"], [18, 32, 28, 22])
        for name, critic in CRITICS.items():
            found = derive_critic(critic)
            row = nodes.row()
            row += cell(link_to(name))
            row += cell(nodes.literal("", critic.objective))
            row += cell(nodes.Text(critic.constraint))
            words = "; ".join(found.undecided.values()) or readable(found.named)
            row += cell(nodes.Text(words))
            table[0][-1] += row
        return [table]


class DivergencesTable(SphinxDirective):
    """All named divergences, with the facts derived from f."""

    def run(self):
        headings = ["Name", "Divergence", "Integral", "f(r)", "f″(r)", "f(0)", "f′(∞)"]
        table = make_table(headings, [14, 13, 22, 21, 16, 7, 7])
        for entry in DIVERGENCES.values():
            smooth, atoms = generator.curvature(entry)
            row = nodes.row()
            row += cell(nodes.literal("", entry.name))
            row += [cell(math(latex)) for latex in (entry.latex, entry.integral)]
            row += cell(math(typeset(generator.formula(entry))))
            row += cell(math(curvature_terms(smooth, atoms)))
            row += cell(math(typeset(generator.at_zero(entry))))
            row += cell(math(typeset(generator.slope_at_infinity(entry))))
            table[0][-1] += row
        return [table]


def curvature_terms(smooth, atoms):
    from types import SimpleNamespace

    return curvature_latex(SimpleNamespace(curvature=smooth, atoms=atoms)).removeprefix("f''(r) = ")


class ComplementsTable(SphinxDirective):
    """Distances to the maximum, outputs in their own right."""

    def run(self):
        table = make_table(["Name", "What it is", "Integral"], [20, 40, 40])
        for entry in COMPLEMENTS.values():
            row = nodes.row()
            row += cell(nodes.literal("", entry.name))
            row += cell(nodes.Text(entry.title))
            row += cell(math(entry.integral))
            table[0][-1] += row
        return [table]


class DistancesTable(SphinxDirective):
    """Distances that are no f-divergences."""

    def run(self):
        table = make_table(["Name", "What it is", "Definition"], [20, 30, 50])
        for entry in DISTANCES.values():
            row = nodes.row()
            row += cell(nodes.literal("", entry.name))
            row += cell(nodes.Text(entry.title))
            row += cell(math(entry.integral or entry.latex))
            table[0][-1] += row
        return [table]


def setup(app):
    app.connect("builder-inited", write_loss_pages)
    app.add_directive("losses-table", LossesTable)
    app.add_directive("critics-table", CriticsTable)
    app.add_directive("divergences-table", DivergencesTable)
    app.add_directive("complements-table", ComplementsTable)
    app.add_directive("distances-table", DistancesTable)
    return {"parallel_read_safe": True}
