"""What a notebook holds in its hand: its parameters, its splits, and the one way to show and keep tables and figures.

    book = open_notebook("2_3_3_baseline", params, split, overrides)
    book.figure(11, axes.figure, curves, "Training of the baseline on the splits.")

With split "all" tables, figures and metrics are kept below outputs/<profile>/ (`tables/table_03.csv`,
`figures/figure_11.svg|.png|.csv`, `metrics/<notebook>.parquet`); with a number in `notebooks/<notebook>/split_<k>/`.

What is kept of figures and tables as files: pictures as SVG and PNG, data as CSV; manifests.
"""

import base64
import html
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
from bokeh.models import Model
from IPython.display import HTML, Markdown, display
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.core.chapters import CHAPTERS, number
from lib.core.files import atomic, revision, write_json
from lib.core.params import load, profile_name
from lib.core.paths import Outputs, first_folder
from lib.data.dataset import Dataset, Trim, open_dataset
from lib.data.predictions import prediction_pairs
from lib.data.profile import data_root
from lib.notebook import plots
from lib.notebook.hover import panels_html
from lib.notebook.language import Language, Translator, names_of, translate_figure, translate_panels, translate_table
from lib.notebook.markup import accessible, description, figcaption
from lib.notebook.tables import BEST


def keep_figure(figure: Figure, folder: Path, stem: str, raster: bool) -> str:
    """Write `folder`/`stem`.svg and .png, and close the figure.

    Args:
        raster: whether the PNG is the one to show.

    Returns:
        The one to show, as a data URI.
    """
    for ending in ("svg", "png"):
        with atomic(folder / f"{stem}.{ending}") as file:
            metadata = {"Date": None} if ending == "svg" else None
            figure.savefig(file, format=ending, bbox_inches="tight", dpi=150, metadata=metadata)
        figure.set_layout_engine("none")  # the PNG takes the SVG's layout over
    plt.close(figure)
    ending, mime = ("png", "image/png") if raster else ("svg", "image/svg+xml")
    return f"data:{mime};base64,{base64.b64encode((folder / f'{stem}.{ending}').read_bytes()).decode()}"


def keep_data(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV with six significant digits."""
    with atomic(path) as file:
        table.to_csv(file, float_format="%.6g", index=not isinstance(table.index, pd.RangeIndex))


def mark_by_hand(folder: Path, overrides: Sequence[str]) -> None:
    """A notebook's results that are overwritten with other parameters are not the profile's: they are to be made again.

    Args:
        folder: of the notebook's manifests.
    """
    for manifest in folder.glob("[!.]*.json"):
        write_json(manifest, json.loads(manifest.read_text(encoding="utf-8")) | {"overrides": list(overrides)})


@dataclass(frozen=True)
class Notebook:
    """One notebook's run.

    Attributes:
        name: e.g. "2_3_3_baseline".
        params: its parameter sections and no other, e.g. `book.params.asformer`.
        out: the profile's folders.
        splits: the splits it works on.
        whole: it collates all splits (split "all"), so what it shows is kept.
        about: whose numbers it shows, by default those of the profile's data set.
        language: of what it shows.
        figures, tables: letters of those that the thesis has not.
    """

    name: str
    params: SimpleNamespace
    out: Outputs
    splits: tuple[int, ...]
    whole: bool
    about: str
    language: Language
    figures: Iterator[str] = field(default_factory=lambda: iter(ascii_uppercase))
    tables: Iterator[str] = field(default_factory=lambda: iter(ascii_uppercase))

    @property
    def words(self) -> Translator:
        """Messages in the profile's language; what the data set and its classes are called stays."""
        return Translator(self.language, names_of(self.params.data, self.out), self.name)

    @property
    def root(self) -> Path:
        """Folder of the profile's data set; a ParameterError where it is not there."""
        return data_root(self.params, self.out)

    @property
    def section(self) -> str:
        """Section of the thesis, e.g. "2.3.3"."""
        return number(self.name)

    def dataset(self, features: str | None = None, trim: Trim | None = None) -> Dataset:
        """The profile's data set with a feature set or folder (None: labels only), cut to the labels as `trim` says."""
        return open_dataset(self.root, features, self.params.data.fps, trim, self.params.data.splits)

    @property
    def own_features(self) -> str:
        """Folder of the features that 2.3.2 extracts: with the outputs, also where the videos were brought."""
        return str(self.out.data / "features" / self.params.data.own_features)

    def real_labels(self) -> Dataset | None:
        """The real 50 Salads annotations (30 fps), where they are on this machine."""
        root = first_folder(self.params.data.real_labels)
        return None if root is None else open_dataset(root, None, 30.0)

    def real_predictions(self) -> dict[str, tuple[list[str], list[str]]] | None:
        """What an MS-TCN predicted for split 1's test videos, and the truth (30 fps): name -> (prediction, truth)."""
        labels, folder = self.real_labels(), first_folder(self.params.data.real_predictions)
        return labels and folder and prediction_pairs(folder, labels, labels.split(1)[1])

    def figure(
        self,
        number: int | str,
        figure: Figure,
        data: pd.DataFrame,
        caption: str,
        raster: bool = False,
        hover: Mapping[str, Model] | None = None,
    ) -> None:
        """Show a figure under its thesis number; keep it as SVG and PNG with its data as CSV.

        Args:
            raster: show the PNG, for figures made of photographs.
            hover: the same with hover values, as of lib.notebook.hover; the site shows it in the picture's place.
        """
        stem = f"figure_{number:02d}" if isinstance(number, int) else f"figure_{number}"
        folder = self.out.figures if self.whole else self._own_folder()
        translate_figure(figure, self.words)
        picture = keep_figure(figure, folder, stem, raster)
        keep_data(data, folder / f"{stem}.csv")
        title = self.words(f"Figure {self._number(number, self.figures)}")
        caption = self.words(caption)
        told = html.escape(description(f"{title}.", caption, data, self.words))
        image = f'<img src="{picture}" alt="{told}">'
        below = self._caption(title, caption, f"figures/{stem}.csv")
        panels = panels_html(translate_panels(hover, self.words)) if hover else ""
        display(HTML(f'<figure class="report" id="{stem}" lang="{self.language}">{image}{panels}{below}</figure>'))

    def table(
        self,
        number: int | str,
        shown: pd.DataFrame | Styler,
        data: pd.DataFrame,
        caption: str,
        file: str | None = None,
        prose: Sequence[str] = (),
    ) -> None:
        """Show a table under its thesis number (`shown`) and keep its values (`data`) as CSV.

        Args:
            file: name of the CSV without ending, where it is not table_<number>.
            prose: columns whose cells are sentences, English in every language.
        """
        stem = file or (f"table_{number:02d}" if isinstance(number, int) else f"table_{number}")
        folder = self.out.tables if self.whole else self._own_folder()
        keep_data(data, folder / f"{stem}.csv")
        body = shown.to_html() if isinstance(shown, Styler) else shown.to_html(border=0, float_format=plots.short)
        title = self.words(f"Table {self._number(number, self.tables)}")
        marked = " " + self.words("The best of a column is underlined.") if BEST in body else ""
        above = self._caption(title, self.words(caption) + marked, f"tables/{stem}.csv")
        body = translate_table(accessible(body), self.words, prose)
        display(HTML(f'<figure class="report" id="{stem}" lang="{self.language}">{above}{body}</figure>'))

    def metrics(self, table: pd.DataFrame) -> None:
        """Keep the long metric table of this section."""
        if self.whole:
            with atomic(self.out.metrics / f"{self.name}.parquet") as file:
                table.reset_index(drop=True).to_parquet(file)

    def say(self, text: str) -> None:
        """A sentence with computed numbers."""
        display(Markdown(text))

    def _number(self, number: int | str, further: Iterator[str]) -> str:
        """The thesis's number; of those that the thesis has not the section and a letter, e.g. "4.2-A"."""
        return str(number) if isinstance(number, int) else f"{self.section}-{next(further)}"

    def _own_folder(self) -> Path:
        """Where one split's tables and figures lie, apart from those of the whole."""
        return self.out.notebooks / self.name / f"split_{self.splits[0]}"

    def _caption(self, title: str, caption: str, data: str) -> str:
        notebook, parameters, values = map(self.words, ("notebook", "parameters", "data"))
        links = (
            f'<a href="sources/{self.name}.py">{notebook}</a> · <a href="sources/{self.name}.json">{parameters}</a> · '
            f'{self.words(f"revision {revision()}")} · <a href="{data}">{values}</a>'
        )
        return figcaption(title, caption, self.words(self.about), links)


def open_notebook(name: str, profile: str, split: str | int, overrides: Sequence[str] = ()) -> Notebook:
    """Read the profile strictly, set the figure style, say what the page shows.

    Raises:
        ParameterError: for a profile or override that cannot be used.
    """
    params = load(profile, overrides)
    out = Outputs(profile_name(profile))
    whole = str(split) == "all"
    chapter = CHAPTERS[name]
    sections = {section: getattr(params, section) for section in chapter.sections}
    plots.set_style()
    notice = f"{chapter.about}: nothing on this page comes from the profile's data." if chapter.about else params.notice
    display(HTML(f'<div class="notice" lang="en">{html.escape(notice)}</div>'))
    splits, about = params.data.split_numbers if whole else (int(split),), chapter.about or params.data.name
    if overrides and "REPORT_ATOM" not in os.environ:  # lib.run writes that itself
        mark_by_hand(out.notebooks / name, overrides)
    return Notebook(name, SimpleNamespace(**sections), out, splits, whole, about, params.language)
