"""Checks the built site: each link inside it leads to a file, and to a place in it.

links.py FOLDER

Sphinx checks the links that it makes itself; this also sees those in HTML, and those to the crate's
pages. rustdoc checks its own.
"""

import pathlib
import sys
import urllib.parse
from html.parser import HTMLParser


class Page(HTMLParser):
    """The links and the ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what the tag refers to."""
        for name, value in attrs:
            if value and name in {"href", "src"} and tag != "base":
                self.links.append(value)
            elif value and name in {"id", "name"}:
                self.ids.add(value)


def broken(site: pathlib.Path) -> list[str]:
    """Every link that leads nowhere, with its page."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in {"_static", "rust"}
    }
    found = []
    for path, page in pages.items():
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (
                path if not url.path else (path.parent / urllib.parse.unquote(url.path)).resolve()
            )
            there = target.exists()
            if there and url.fragment and target in pages:
                there = urllib.parse.unquote(url.fragment) in pages[target].ids
            if not there:
                found.append(f"{path.relative_to(site)}: {link}")
    if len(pages) < 20:
        found.append(f"{site} has only {len(pages)} pages")
    return found


if __name__ == "__main__":
    errors = broken(pathlib.Path(sys.argv[1]).resolve())
    print(*errors, sep="\n", end="\n" if errors else "")
    sys.exit(bool(errors))
