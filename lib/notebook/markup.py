"""HTML of figures and tables: captions, descriptions for screen readers, headers with scopes.

A notebook shows this HTML and keeps what it is made of (`Shown`) as metadata of its output. The site's pages, its list
of figures and tables, and the export read that metadata; nobody parses the HTML.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode
from pandas.io.formats.style import Styler

from lib.notebook.plots import count_or_short, short
from lib.scoring.words import display_name

MADE = "how_this_was_made"  # page of the site: when, from what and how long (lib/site/made.py)
LONG = 12  # rows; longer tables can be sorted on the site
WORDY = 18  # characters; a cell with more gets room for words


# what a table is made of; other markup is part of a name, which is shown as it is
TAGS = {"style", "table", "thead", "tbody", "tr", "th", "td", "br"}
ATTRIBUTES = {"id", "class", "scope", "rowspan", "colspan", "type"}


def plain(text: str) -> str:
    """Escape a name, so that Markdown shows it as it is.

    >>> plain("a_b <script>*1*</script>")
    'a\\\\_b &lt;script&gt;\\\\*1\\\\*&lt;/script&gt;'
    """
    return re.sub(r"([\\`*_\[\]#$|~])", r"\\\1", html.escape(text, quote=False))


def heading(text: str) -> str:
    """Escape a name for a title: the site's theme writes titles as they stand, so no tag may begin in one.

    >>> heading("a <b> & c")
    'a ‹b› & c'
    """
    return text.translate({ord("<"): "‹", ord(">"): "›"})


def without_tags(text: str) -> str:
    """Escape Markdown so that no name can begin a tag; a lone "<" is left.

    >>> without_tags("1 < 2, <b>bold</b>")
    '1 < 2, &lt;b>bold&lt;/b>'
    """
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", text)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A figure or table as a notebook shows it."""

    id: str  # the name of its files without ending, and its place on the page, e.g. "figure_06"
    title: str  # e.g. "Figure 6"
    caption: str
    about: str
    revision: str
    data: str  # its CSV, below the profile's folder
    notebook: str = ""  # that made it; "" for the front page
    picture: str = ""  # its file below the profile's folder; "" for a table
    alt: str = ""  # text in place of the picture

    def figure(self, body: str) -> str:
        """HTML of the whole figure: a picture with its caption below, or a table with its caption above."""
        made = f'<a href="{MADE}.html#{self.notebook}">revision {self.revision}</a>'
        source = f' · <a href="sources/{self.notebook}.py">notebook</a>' if self.notebook else ""
        caption = (
            f"<figcaption><b>{self.title}.</b> {html.escape(self.caption)} <i>{html.escape(self.about)}.</i>"
            f'<span class="made"><span class="links">{made}{source} · </span><a href="{self.data}">data</a></span>'
            "</figcaption>"
        )
        parts = body + caption if self.picture else caption + body
        return f'<figure class="report" id="{self.id}">{parts}</figure>'

    def image(self, source: str, linked: bool = False) -> str:
        """HTML of the whole figure around its picture. `linked`: a click opens the picture alone."""
        image = f'<img src="{source}" alt="{html.escape(self.alt)}">'
        return self.figure(f'<a href="{source}">{image}</a>' if linked else image)


def shown_outputs(notebook: NotebookNode) -> Iterator[tuple[Shown, NotebookNode]]:
    """Yield the figures and tables of an executed notebook, each with the output that shows it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if report := output.get("metadata", {}).get("report"):
                yield Shown(**report), output


def description(title: str, caption: str, data: pd.DataFrame, most: int = 4) -> str:
    """Describe a picture in words: its caption, and the range of each column of its data.

    >>> data = pd.DataFrame({"split": ["a", "b"], "epoch": [1, 9], "loss": [2.5, 0.31]})
    >>> description("Figure 6.", "Training.", data)
    'Figure 6. Training. 2 rows of data: epoch 1 to 9, loss 0.310 to 2.5.'
    """
    measured = data.reset_index() if data.index.names != [None] else data
    measured = measured.select_dtypes("number").dropna(axis="columns", how="all")
    ranges = [
        f"{name} {' to '.join(dict.fromkeys((count_or_short(values.min()), count_or_short(values.max()))))}"
        for name, values in list(measured.items())[:most]
    ]
    spans = f" {len(data)} rows of data: {', '.join(ranges)}." if ranges else ""
    return f"{title} {caption}{spans}"


def accessible(table: pd.DataFrame | Styler, name: str) -> str:
    """Make the HTML of a table with one row of headers, each with its scope, in a box that scrolls if too narrow.

    Methods in the index (its level "method") are shown by their names for readers; `name` begins the cells' ids.

    Raises ValueError: the table has no headers.
    """
    if isinstance(table, pd.DataFrame):
        floats = table.select_dtypes("float").columns
        table = table.style.format(escape="html").format(short, subset=floats)
    if "method" in table.index.names:
        table = table.format_index(display_name, level="method")
    soup = BeautifulSoup(table.set_uuid(name).to_html(), "html.parser")
    for tag in soup.find_all(True):
        if tag.name not in TAGS:
            tag.replace_with(str(tag))
        tag.attrs = {key: value for key, value in tag.attrs.items() if key in ATTRIBUTES}
    whole, body, head = soup.select_one("table"), soup.select_one("tbody"), soup.select("thead tr")
    if whole is None or body is None or not head:
        raise ValueError(f"{name}: a table without headers; give its columns names")
    if len(head) > 1 and not head[-1].select("th.col_heading"):  # the names of the index: over the blanks above
        *_, columns, names = head
        for blank, index_name in zip(columns.select("th.blank, th.index_name"), names.select("th"), strict=False):
            blank.replace_with(index_name)
        names.decompose()
    for cell in soup.select("th, td"):
        _mark(cell, in_head=cell.find_parent("thead") is not None)
    first, headers = body.select("tr:first-child > *"), soup.select("thead tr:last-child > *")
    for header, cell in zip(headers, first if len(first) == len(headers) else (), strict=False):
        if cell.get("class") == "number":
            header["class"] = "number"
    sortable = len(body.select("tr")) > LONG and not body.select("[rowspan]")
    whole["class"] = "dataframe sortable" if sortable else "dataframe"
    return f'{soup.style or ""}<div class="scroll" tabindex="0">{whole}</div>'


def _mark(cell: Tag, in_head: bool) -> None:
    """Give a cell its scope, if it is a header, and say as a class whether it holds a number or many words."""
    text = cell.get_text(strip=True)
    if cell.name == "th" and not text:
        cell.name = "td"
    elif cell.name == "th":
        across, along = ("colspan", "col") if in_head else ("rowspan", "row")
        cell["scope"] = f"{along}group" if across in cell.attrs else along
    long = len(text) > WORDY and not in_head
    del cell["class"]
    if long or (is_number(text) and not in_head):
        cell["class"] = "number" if is_number(text) else "text"


def is_number(text: str) -> bool:
    """Whether a cell holds a number, perhaps with its spread or interval, or the dash of a missing one.

    >>> [is_number(text) for text in ("+0.5 [0.1, 0.9]", "1e-05", "–", "61.0 ± 2.5", "95 %")]
    [True, True, True, True, True]
    >>> [is_number(text) for text in ("2 of the splits", "rgb-01-1", "")]
    [False, False, False]
    """
    if text in ("–", "-", "nan"):
        return True
    letters = text.replace("e-", "").replace("e+", "")
    return any(sign.isdigit() for sign in text) and not any(sign.isalpha() for sign in letters)
