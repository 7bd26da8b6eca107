"""Captions of the sidebar are headings of a level: sphinx gives them the role alone."""

BARE = 'role="heading">'


def levelled(app, page, template, context, doctree):
    """Say of each caption in the sidebar that it is of the second level."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(BARE, 'role="heading" aria-level="2">')


def setup(app):
    app.connect("html-page-context", levelled, priority=900)  # once the theme has made its tree
    return {"parallel_read_safe": True, "parallel_write_safe": True}
