"""Figures, tables and headings in the language of a report (lib/language.py), at the places where they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.core.properties import value
from bokeh.model import Model
from bokeh.models import Axis, HoverTool, LegendItem, Title
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from matplotlib.text import Text

from lib.language import Translator
from lib.layout import read_mapping
from lib.paths import Outputs, first_folder
from lib.sections import Data


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
