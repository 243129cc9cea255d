"""Sphinx's settings: the site in docs/, built by `make docs`."""

import pathlib
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

project = "ft_local"
author = "the ft_local developers"
project_copyright = author
manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
release = manifest["workspace"]["package"]["version"]
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "hawkmoth",
    "c_header",
    "python_stub",
    "repository_links",
]
nitpicky = True
nitpick_ignore_regex = [
    # Types of C's and Python's own libraries, which are documented elsewhere.
    ("c:identifier", r"u?int(32|64)_t|size_t"),
    ("py:.*", r"(?!ft_local\.).*"),
]
exclude_patterns = ["_ext", "requirements.txt"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_block", "tasklist"]
myst_heading_anchors = 3
# Quotes stay as they are written: some are those of a program.
smartquotes_action = "De"
# What a program prints needs no colours, and neither does a block in a language not known.
highlight_language = "none"

# The header as hawkmoth reads it, which c_header writes there.
hawkmoth_root = str(ROOT / "build" / "docs-header")
hawkmoth_compiler = "gcc"

autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"

html_theme = "furo"
html_title = f"ft_local {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
templates_path = []
copybutton_exclude = ".linenos, .gp, .go"

man_pages = [
    ("reference/c", "ft_local", "objects that many threads share, and batches", [author], 3),
    (
        "reference/command",
        "ft_local",
        "what is here, and what threads contend for",
        [author],
        1,
    ),
]
man_make_section_directory = True
