"""Sphinx extension of the site: on pages in another language the prose is said to be English."""

from docutils import nodes
from sphinx.application import Sphinx

from lib.notebook.language import CYRILLIC


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", mark_english)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mark_english(app: Sphinx, page: nodes.document, name: str) -> None:
    """Give paragraphs and list items without a Cyrillic letter the class that docutils writes as `lang="en"`."""
    if app.config.language == "en":
        return
    for node in (*page.findall(nodes.paragraph), *page.findall(nodes.list_item)):
        if not CYRILLIC.search(node.astext()):
            node["classes"].append("language-en")
