"""A page of the site that lists all figures and tables, with links."""

import re
from pathlib import Path

from lib.artifacts import write_text
from lib.language import Translator
from lib.pages import Shown, shown_by
from lib.paths import Outputs
from lib.sections import Params
from lib.titles import TITLES

NAME = "figures_and_tables"


def write(params: Params, out: Outputs, done: list[str], source: Path) -> list[str]:
    """Write the page for the chapters `done` into `source`; see lib.site_source.PAGES."""
    words = Translator(params.language, place=NAME)
    shown = [one for page in done for one in shown_by(out, page)]
    if not shown:
        return []
    parts = [f"# {words('Figures and tables')}"]
    parts.append("With the thesis's numbers; what the thesis has not is named by its section and a letter.")
    for kind, heading in (("Figure", "Figures"), ("Table", "Tables")):
        ours = sorted((one for one in shown if one.title.startswith(words(kind))), key=_place)
        head = " | ".join(map(words, ("number", "what", "section")))
        parts += [f"## {words(heading)}", f"| {head} |\n|---|---|---|\n" + "\n".join(_row(one, words) for one in ours)]
    write_text(source / f"{NAME}.md", "\n\n".join(parts) + "\n")
    return [NAME]


def _place(one: Shown) -> tuple[bool, int]:
    """The thesis's by number, then ours in the order of the pages."""
    number = one.title.split()[1]
    return (not number.isdecimal(), int(number) if number.isdecimal() else 0)


def _row(one: Shown, words: Translator) -> str:
    link = f'<a href="{one.page}.html#{one.name}">{one.title.split()[1]}</a>'
    caption = re.sub(r"\s*<i>.*?</i>", "", one.caption)  # whose numbers it shows
    return f"| {link} | {caption.replace('|', chr(92) + '|')} | [{words(TITLES[one.page])}]({one.page}.ipynb) |"
