"""A page of the site that lists all figures and tables, with links.

README.md as a page of the site: how to use and extend what made it.
"""

import re
from pathlib import Path

from lib.core.chapters import TITLES
from lib.core.files import write_text
from lib.core.paths import ROOT
from lib.data.profile import Profile
from lib.site.pages import Shown, shown_by

README = ROOT / "README.md"
TITLE = "How to use and extend it"


def write_guide(profile: Profile, done: list[str], source: Path) -> list[str]:
    """Write the page, into the site's source; returns its name."""
    write_text(source / "guide.md", guide_page())
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


NAME = "figures_and_tables"


def write_listing(profile: Profile, done: list[str], source: Path) -> list[str]:
    """Write the page for the chapters `done` into `source`; see lib.site.build.PAGES."""
    shown = [one for page in done for one in shown_by(profile.out, page)]
    if not shown:
        return []
    parts = ["# Figures and tables"]
    parts.append("With the thesis's numbers; what the thesis has not is named by its section and a letter.")
    for kind, heading in (("Figure", "Figures"), ("Table", "Tables")):
        ours = sorted((one for one in shown if one.title.startswith(kind)), key=_place)
        head = " | ".join(("number", "what", "section"))
        parts += [f"## {heading}", f"| {head} |\n|---|---|---|\n" + "\n".join(_row(one) for one in ours)]
    write_text(source / f"{NAME}.md", "\n\n".join(parts) + "\n")
    return [NAME]


def _place(one: Shown) -> tuple[bool, int]:
    """The thesis's by number, then ours in the order of the pages."""
    number = one.title.split()[1]
    return (not number.isdecimal(), int(number) if number.isdecimal() else 0)


def _row(one: Shown) -> str:
    link = f'<a href="{one.page}.html#{one.name}">{one.title.split()[1]}</a>'
    caption = re.sub(r"\s*<i>.*?</i>", "", one.caption)  # whose numbers it shows
    return f"| {link} | {caption.replace('|', chr(92) + '|')} | [{TITLES[one.page]}]({one.page}.ipynb) |"
