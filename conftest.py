"""What the doctests of the packages need: pages that cannot be imported are not collected."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("nicegui") else ["gantheory/workbench/pages/*"]
