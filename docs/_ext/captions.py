"""Captions of lists of pages are headings of a level: sphinx gives them the role alone."""

BARE = 'role="heading">'


def levelled(app, page, template, context, doctree):
    """Say of each caption of a list of pages that it is of the second level."""
    for part in ("furo_navigation_tree", "body"):
        html = context.get(part) or ""
        context[part] = html.replace(BARE, 'role="heading" aria-level="2">')


def setup(app):
    app.connect("html-page-context", levelled, priority=900)  # once the theme has made its tree
    return {"parallel_read_safe": True, "parallel_write_safe": True}
