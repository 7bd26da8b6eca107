"""Sphinx configuration: MyST pages, executed notebooks, formulas as MathML, no network."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import gantheory  # noqa: E402

project = "gantheory"
author = "The gantheory founders"
copyright = f"2026, {author}"
version = release = gantheory.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "checks",
    "statements",
    "catalogues",
    "commands",
    "protocols",
    "formulas",
    "explorer",
    "arxiv",
    "captions",
]
exclude_patterns = ["_build", "_ext", "jupyter_execute"]

myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # never a cached answer: the pages show what the code says today
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True  # what one cell prints is one block, however long it takes

smartquotes = False  # f' is a derivative, and no apostrophe
html_math_renderer = "mathml"  # needs neither a network nor a script
html_theme = "furo"
html_title = f"gantheory {release}"
html_static_path = ["_static"]
html_css_files = ["checks.css"]
html_js_files = ["scroll.js"]
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
nitpicky = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
