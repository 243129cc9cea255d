"""Links of the repository's Markdown files, made to hold in the site.

The files link each other by their paths, which is right where the repository is browsed. The site
has pages for some files outside docs/. Links to those lead to the pages, links to other files
download them, and a link to a folder becomes its text.
"""

import os
import pathlib
import re
from typing import Any

DOCS = pathlib.Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
# Pages of files that are not in docs/.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "hosts/README.md": "hosts/index.md",
} | {
    f"hosts/{host.parent.name}/README.md": f"hosts/{host.parent.name}.md"
    for host in ROOT.glob("hosts/*/README.md")
}

# Pages that a contents list names and that a checkout may be without.
OPTIONAL = ("abi", "install", "leasing", "reliability")

LINK = re.compile(r"\[(?P<text>[^][]*)\]\((?P<target>[^():#\s]+)(?P<anchor>#[^)\s]*)?\)")


def with_page_links(text: str, source: pathlib.Path, page: pathlib.Path) -> str:
    """The text of the file `source`, shown in the file `page`, with links that hold there."""

    def replace(link: re.Match[str]) -> str:
        target = pathlib.Path(os.path.normpath(source.parent / link["target"]))
        if not target.exists():
            return link[0]
        if target.is_dir():
            return link["text"]
        name = target.relative_to(ROOT).as_posix()
        shown = DOCS / PAGES[name] if name in PAGES else target
        return f"[{link['text']}]({os.path.relpath(shown, page.parent)}{link['anchor'] or ''})"

    return LINK.sub(replace, text)


def read_page(app: Any, name: str, content: list[str]) -> None:
    """A page of the site."""
    page = pathlib.Path(app.env.doc2path(name))
    missing = [name for name in OPTIONAL if not (DOCS / f"{name}.md").exists()]
    text = "\n".join(line for line in content[0].split("\n") if line not in missing)
    if text != content[0]:
        # It is to be read again when there are more pages.
        app.env.note_reread()
    content[0] = with_page_links(text, page, page)


def read_included(app: Any, path: pathlib.Path, _parent: str, content: list[str]) -> None:
    """A file that a page includes; MyST gives its name without the folder."""
    page = pathlib.Path(app.env.doc2path(app.env.docname))
    source = pathlib.Path(os.path.normpath(DOCS / path))
    content[0] = with_page_links(content[0], source, page)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    return {"parallel_read_safe": True}
