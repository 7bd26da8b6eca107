"""What is not collected for doctests: pages without NiceGUI, and code that tests audit as text."""

from importlib.util import find_spec

collect_ignore_glob = ["tests/audits/audit_*.py"]
if find_spec("nicegui") is None:
    collect_ignore_glob.append("gantheory/workbench/pages/*")
