"""README.md as a page of the site: how to use and extend what made it."""

import re
from pathlib import Path

from lib.artifacts import write_text
from lib.language import translate
from lib.paths import ROOT, Outputs
from lib.sections import Params

README = ROOT / "README.md"
TITLE = "How to use and extend it"


def write(params: Params, out: Outputs, done: list[str], source: Path) -> list[str]:
    """Write the page, into the site's source; returns its name."""
    write_text(source / "guide.md", guide_page(translate(TITLE, params.language)))
    return ["guide"]


def guide_page(title: str = TITLE) -> str:
    """Markdown of the page: README without its title and picture; links to files of the project as plain text.

    >>> guide_page().splitlines()[0]
    '# How to use and extend it'
    """
    _, _, text = README.read_text(encoding="utf-8").partition("\n")
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
    text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
    return f"# {title}\n{text}"
