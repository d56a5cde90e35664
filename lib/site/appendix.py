"""Pages of the site beside the chapters: all figures and tables with links; README and the guides as they stand."""

import html
import re
from pathlib import Path

from lib.core.chapters import TITLES
from lib.core.files import write_text
from lib.core.paths import ROOT
from lib.data.profile import Profile
from lib.notebook.markup import Shown
from lib.site.pages import shown_by

LISTING = "figures_and_tables"


def write_guides(profile: Profile, done: list[str], source: Path) -> list[str]:
    """Copy README and the guides; see lib.site.source.PAGES. They keep their places, so links between them hold."""
    files = [ROOT / "README.md", *sorted((ROOT / "notebooks" / "guides").glob("*.md"))]
    pages = [file.relative_to(ROOT) for file in files]
    for file, page in zip(files, pages, strict=True):
        write_text(source / page, guide_page(file.read_text(encoding="utf-8"), page.parent, pages, done))
    return [page.with_suffix("").as_posix() for page in pages]


def guide_page(text: str, folder: Path, pages: list[Path], done: list[str]) -> str:
    """Adapt a guide to the site: drop pictures, comments, and links to files that the site does not have.

    A link to a notebook's source leads to its page if it is done.

    >>> text = "See [the data](../guides/data.md), [the code](../lib/run.py) or [above](#top). ![A page](page.png)"
    >>> guide_page(text, Path("guides"), [Path("guides/data.md")], [])
    'See [the data](../guides/data.md), the code or [above](#top). '
    >>> guide_page("[2.1](../2_1.py)", Path("notebooks/guides"), [], ["2_1"])
    '[2.1](/2_1.ipynb)'
    """

    def link(found: re.Match[str]) -> str:
        target = (ROOT / folder / found[2].partition("#")[0]).resolve()
        if target.parent == ROOT / "notebooks" and target.stem in done:
            return f"[{found[1]}](/{target.stem}.ipynb)"
        return found[0] if target in {(ROOT / page).resolve() for page in pages} else found[1]

    text = re.sub(r"<!--.*?-->\n*|!\[[^\]]*\]\([^)]*\)", "", text, flags=re.DOTALL)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)([^)]*)\)", link, text)


def write_listing(profile: Profile, done: list[str], source: Path) -> list[str]:
    """Write the list of figures and tables of the chapters `done`; see lib.site.source.PAGES."""
    shown = [one for page in done for one in shown_by(profile.out, page)]
    if not shown:
        return []
    parts = [
        "# Figures and tables",
        "Under the thesis's numbers; those that it does not have are named by section and letter.",
    ]
    for kind in ("Figure", "Table"):
        ours = sorted((one for one in shown if one.title.startswith(kind)), key=_place)
        parts += [f"## {kind}s", "| number | what | section |\n|---|---|---|\n" + "\n".join(_row(one) for one in ours)]
    write_text(source / f"{LISTING}.md", "\n\n".join(parts) + "\n")
    return [LISTING]


def _place(one: Shown) -> tuple[bool, int]:
    """Sort key: the thesis's figures and tables by number, then ours in the order of the pages."""
    number = one.title.split()[1]
    return (not number.isdecimal(), int(number) if number.isdecimal() else 0)


def _row(one: Shown) -> str:
    link = f'<a href="{one.notebook}.html#{one.id}">{one.title.split()[1]}</a>'
    caption = html.escape(one.caption).replace("|", r"\|")
    return f"| {link} | {caption} | [{TITLES[one.notebook]}]({one.notebook}.ipynb) |"
