"""Sphinx's configuration. ``make docs`` builds the site; its pages are staged first (tools/docs/site_build.py)."""  # noqa: INP001

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools" / "docs"))

from gcs_lab._version import __version__  # noqa: E402

project = "gcs_lab"
author = "The gcs_lab developers"
copyright = author  # noqa: A001  (Sphinx gives the name)
release = version = __version__
html_title = f"gcs_lab {release}"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "short_names",
]

# Pages: markdown as on a git host, and lessons as they were executed.
myst_heading_anchors = 4
myst_enable_extensions: list[str] = []
nb_execution_mode = "off"
# A widget of an executed lesson is shown by its static table or line: no script of somebody else's server is needed.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),
    ("html", "text/html", 10),
    ("html", "image/svg+xml", 20),
    ("html", "image/png", 30),
]
nb_merge_streams = True
suppress_warnings = [
    "myst-nb.mime_priority",  # what a face offers beside its HTML
    "mystnb.unknown_mime_type",  # the same: a graph and a figure also have a form for other front ends
    "misc.highlighting_failure",  # a cell in another language than the notebook's: it is coloured as far as that goes
]
highlight_language = "text"
default_role = "literal"

# Reference: from the docstrings.
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_type_comments = False
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
toc_object_entries_show_parents = "hide"

nitpicky = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5cad",
        "color-brand-content": "#0b5cad",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb6ff",
        "color-brand-content": "#6cb6ff",
    },
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp"
linkcheck_timeout = 20
linkcheck_workers = 4
