"""The language of titles, axis labels, table headers and captions: English in the code, Russian by lib/ru.yaml.

As in gettext the English text is the key. `{}` in a key stands for what the code puts there: a number, a name, or a
message, which is translated in turn; the Russian may take them in another order, `{1} … {0}`. A message that the
catalogue lacks is an error: nothing stays English in silence.

What needs no Russian is a text without a word. Words are runs of small letters, and the unit `s`, outside of

- names and code: what has a digit, an underscore, an @ or a capital after another letter (cut_tomato, f1@50, I3D,
  VideoCLIP, CPU), so numbers too, and nan;
- mathematics, between two `$`;
- the names that a `Translator` is given: the data set's and its classes'.

A text with a Cyrillic letter is Russian already.

Figures, tables and headings in the language of a report (lib/notebook/language.py), at the places where they are shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml
from bokeh.core.properties import value
from bokeh.model import Model
from bokeh.models import Axis, HoverTool, LegendItem, Title
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from matplotlib.text import Text

from lib.core.paths import ROOT, Outputs, first_folder
from lib.core.settings import Data
from lib.data.dataset import read_mapping

Language = Literal["en", "ru"]


CATALOGUE = ROOT / "lib" / "notebook" / "ru.yaml"


NAME = re.compile(r"\$[^$]*\$|\bnan\b|[^\s,;:()/=]*(?:[\d_@]|[^\W\d_][A-Z])[^\s,;:()/=]*")


WORD = re.compile(r"[a-z]{2}|\bs\b")


CYRILLIC = re.compile(r"[Ѐ-ӿ]")


class UntranslatedError(ValueError):
    """A message that the catalogue lacks."""


@dataclass(frozen=True)
class Translator:
    """Messages in one language.

    Attributes:
        names: left as they are.
        place: where the messages stand, e.g. a notebook; said where one is missing.
    """

    language: Language
    names: frozenset[str] = frozenset()
    place: str = ""

    def __call__(self, message: str) -> str:
        """The message in this language.

        Raises:
            UntranslatedError: the catalogue lacks it.
        """
        if self.language == "en":
            return message
        if (russian := self._russian(message)) is None:
            place = f"{self.place}: " if self.place else ""
            raise UntranslatedError(f"{place}no Russian for {message!r}; add it to {CATALOGUE.relative_to(ROOT)}")
        return russian

    def _russian(self, message: str) -> str | None:
        whole, patterns = _lookup()
        if message in self.names:
            return message
        if message in whole:
            return whole[message]
        if CYRILLIC.search(message) or not has_words(message):
            return message
        for pattern, russian in patterns:
            if found := pattern.fullmatch(message):
                parts = [self._russian(part) for part in found.groups()]
                if None not in parts:
                    return russian.format(*parts)
        return None


def translate(message: str, language: Language) -> str:
    """A message in a language, where no names are at stake.

    >>> translate("split 3", "ru"), translate("cut_tomato", "ru"), translate("split 3", "en")
    ('сплит 3', 'cut_tomato', 'split 3')

    Raises:
        UntranslatedError: the catalogue lacks it.
    """
    return Translator(language)(message)


def has_words(text: str) -> bool:
    """Whether a text needs a translation.

    >>> [has_words(text) for text in ("seconds", "edit, %", "12 s")]
    [True, True, True]
    >>> [has_words(text) for text in ("place_tomato", "F1@50, %", "VideoCLIP", "C = 7", "$z_v$: 1.5")]
    [False, False, False, False, False]
    """
    return bool(WORD.search(NAME.sub(" ", text)))


def catalogue() -> dict[str, str]:
    """English message -> Russian."""
    return yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))


@cache
def _lookup() -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    """The keys without places for others; and those with, as patterns, those with the most text of their own first."""
    entries = catalogue()
    whole = {english: russian for english, russian in entries.items() if "{" not in english}
    rest = sorted(entries.items() - whole.items(), key=lambda item: (-len(item[0].replace("{}", "")), item[0]))
    return whole, [(_pattern(english), russian) for english, russian in rest]


def _pattern(english: str) -> re.Pattern:
    return re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL)


def names_of(data: Data, out: Outputs) -> frozenset[str]:
    """Names that stay as they are: the data set's and, where it is at hand, its classes'."""
    root = out.data if data.source == "demo" else first_folder(data.roots)
    mapping = root / "mapping.txt" if root else None
    return frozenset([data.name, *(read_mapping(mapping) if mapping and mapping.exists() else [])])


def translate_figure(figure: Figure, words: Translator) -> None:
    """Every text of a figure: titles, labels of axes and ticks, legends, what is written into it."""
    if words.language == "en":
        return
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if (translated := [words(label) for label in labels]) != labels:
                axis.set_ticks(axis.get_ticklocs(), translated)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(words(text.get_text()))


def translate_panels(panels: Mapping[str, Model], words: Translator) -> dict[str, Model]:
    """Titles, axis labels, legends and hover texts of Bokeh's figures (`title -> figure`)."""
    if words.language == "en":
        return dict(panels)
    models: list[Any] = [model for panel in panels.values() for model in panel.references()]
    for model in models:
        if isinstance(model, Axis) and model.axis_label:
            model.axis_label = words(str(model.axis_label))
        elif isinstance(model, Title) and model.text:
            model.text = words(str(model.text))
        elif isinstance(model, LegendItem):
            label: Any = model.label
            model.label = value(words(label["value"]))
        elif isinstance(model, HoverTool) and isinstance(model.tooltips, list):
            model.tooltips = [(words(name), shown) for name, shown in model.tooltips]
    return {words(title): panel for title, panel in panels.items()}


def translate_elements(html: str, names: Sequence[str], words: Translator) -> str:
    """The texts of a page's elements of these names, e.g. "h2"; what is around them stays English."""
    if words.language == "en":
        return html
    page = BeautifulSoup(html, "html.parser")
    for element in page.find_all(names):
        element["lang"] = words.language
        element.string = words(element.get_text())
    return str(page)


def translate_table(html: str, words: Translator, prose: Sequence[str] = ()) -> str:
    """The headers, row names and cells of an HTML table.

    Args:
        prose: headers of columns whose cells are sentences or sayings; they stay English, and say so (`lang`).

    Raises:
        ValueError: no column has such a header.
    """
    if words.language == "en":
        return html
    page = BeautifulSoup(html, "html.parser")
    head = [row.find_all(["th", "td"]) for row in page.select("thead tr")]
    columns = {cell.get_text(strip=True): place for row in head for place, cell in enumerate(row)}
    if unknown := set(prose) - set(columns):
        raise ValueError(
            f"{words.place}: no column {', '.join(sorted(unknown))} in the table; there are {list(columns)}"
        )
    kept = {columns[name] for name in prose}
    for row in page.select("tr"):
        for place, cell in enumerate(row.find_all(["th", "td"])):
            if place in kept and row.find_parent("tbody"):
                cell["lang"] = "en"
                continue
            for text in cell.find_all(string=True):
                text.replace_with(words(str(text)))
    return str(page)


def translate_headings(markdown: str, words: Translator) -> str:
    """The headings of a notebook's Markdown cell.

    >>> print(translate_headings("## Training\\n\\nOne video a step.", Translator("ru")))
    ## Обучение
    <BLANKLINE>
    One video a step.
    """
    lines = markdown.split("\n")
    for place, line in enumerate(lines):
        marks, _, heading = line.partition(" ")
        if heading and set(marks) == {"#"}:
            lines[place] = f"{marks} {words(heading)}"
    return "\n".join(lines)
