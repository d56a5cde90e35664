"""What a notebook works with: the profile, and the one way to show and keep figures and tables.

    book = open_notebook("2_3_3_baseline", params, split, overrides)
    book.figure(11, axes.figure, curves, "Training of the baseline on the splits.")

With split "all" tables, figures and metrics are kept below outputs/<profile>/ (`tables/table_03.csv`,
`figures/figure_11.svg|.png|.csv`, `metrics/<notebook>.parquet`); with a number in `notebooks/<notebook>/split_<k>/`.
"""

import base64
import html
import inspect
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import ascii_uppercase

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML, Markdown, display
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.core.chapters import CHAPTERS, number, sections
from lib.core.files import atomic, read_json, revision, write_json
from lib.core.paths import ROOT
from lib.core.settings import Params
from lib.data.profile import Profile, open_profile
from lib.notebook import plots
from lib.notebook.markup import Shown, accessible, description, without_tags
from lib.notebook.tables import BEST


def keep_figure(
    figure: Figure, data: pd.DataFrame, folder: Path, stem: str, raster: bool = False, both: bool = True
) -> Path:
    """Write `folder`/`stem`.svg and .png, and the data as .csv; close the figure. Returns the picture to show.

    Args:
        raster: whether the PNG is the one to show.
        both: also write the one that is not shown, which takes as long.
    """
    shown = "png" if raster else "svg"
    for ending in ("svg", "png") if both else (shown,):
        with atomic(folder / f"{stem}.{ending}") as file:
            metadata = {"Date": None} if ending == "svg" else None
            figure.savefig(file, format=ending, bbox_inches="tight", dpi=150, metadata=metadata)
        figure.set_layout_engine("none")  # the PNG takes the SVG's layout over
    plt.close(figure)
    keep_data(data, folder / f"{stem}.csv")
    return folder / f"{stem}.{shown}"


def data_uri(picture: Path) -> str:
    """Turn a picture into an address that contains it."""
    mime = "image/png" if picture.suffix == ".png" else "image/svg+xml"
    return f"data:{mime};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def keep_data(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV with six significant digits."""
    with atomic(path) as file:
        table.to_csv(file, float_format="%.6g", index=not isinstance(table.index, pd.RangeIndex))


def mark_by_hand(folder: Path, overrides: Sequence[str], parameters: dict[str, dict]) -> None:
    """Mark a notebook's results as overwritten by a run by hand, if its parameters differ from theirs."""
    for file in folder.glob("[!.]*.json"):
        manifest = read_json(file)
        if overrides or manifest["parameters"] != parameters:
            write_json(file, manifest | {"overrides": list(overrides) or ["an edited profile"]})


@dataclass(frozen=True, kw_only=True)
class Notebook(Profile):
    """A profile that can show figures, tables and sentences.

    Attributes:
        name: e.g. "2_3_3_baseline".
        about: whose numbers it shows, by default those of the profile's data set.
        figures, tables: letters of those that the thesis does not have.
    """

    name: str
    about: str
    figures: Iterator[str] = field(default_factory=lambda: iter(ascii_uppercase))
    tables: Iterator[str] = field(default_factory=lambda: iter(ascii_uppercase))

    @property
    def whole(self) -> bool:
        """Whether this notebook collates all splits (split "all"), so that what it shows is kept."""
        return self.split is None

    def figure(self, number: int | str, figure: Figure, data: pd.DataFrame, caption: str, raster: bool = False) -> None:
        """Show a figure under its thesis number; keep it as SVG and PNG (of one split: as shown) with its data as CSV.

        Figures made of photographs are shown as PNG (`raster`).
        """
        stem, folder = self._place("figure", number, self.out.figures)
        file = keep_figure(figure, data, folder, stem, raster, both=self.whole)
        title = f"Figure {self._number(number, self.figures)}"
        picture, alt = self._below(file), description(f"{title}.", caption, data)
        csv = self._below(file.with_suffix(".csv"))
        shown = self._shown(id=stem, title=title, caption=caption, data=csv, picture=picture, alt=alt)
        display(HTML(shown.image(data_uri(file))), metadata={"report": asdict(shown)})

    def table(
        self, number: int | str, shown: pd.DataFrame | Styler, data: pd.DataFrame, caption: str, file: str = ""
    ) -> None:
        """Show a table under its thesis number (`shown`) and keep its values as <file or table_number>.csv."""
        stem, folder = self._place("table", number, self.out.tables)
        stem = file or stem
        keep_data(data, folder / f"{stem}.csv")
        body = accessible(shown, stem)
        title = f"Table {self._number(number, self.tables)}"
        marked = " The best of a column is underlined." if BEST in body else ""
        kept = self._shown(id=stem, title=title, caption=caption + marked, data=self._below(folder / f"{stem}.csv"))
        display(HTML(kept.figure(body)), metadata={"report": asdict(kept)})

    def metrics(self, table: pd.DataFrame) -> None:
        """Keep the long metric table of this section."""
        if self.whole:
            with atomic(self.out.metrics / f"{self.name}.parquet") as file:
                table.reset_index(drop=True).to_parquet(file)

    def say(self, text: str) -> None:
        """Show a sentence with computed numbers."""
        display(Markdown(without_tags(text)))

    def source(self, what: Callable) -> None:
        """Show a function, method or class of lib/ as it stands, e.g. the lines that compute the equation beside it."""
        lines, first = inspect.getsourcelines(what)
        file = Path(inspect.getfile(inspect.unwrap(what))).relative_to(ROOT)
        display(Markdown(f"`{file}`, line {first}:\n\n```python\n{textwrap.dedent(''.join(lines))}```"))

    def _number(self, number: int | str, further: Iterator[str]) -> str:
        """Number as in the thesis; for what the thesis does not have, the section and a letter, e.g. "4.2-A"."""
        return str(number) if isinstance(number, int) else f"{self.section}-{next(further)}"

    def _place(self, kind: str, number: int | str, whole: Path) -> tuple[str, Path]:
        """Name of the files without ending, and their folder: one split's files lie apart from those of all."""
        stem = f"{kind}_{number:02d}" if isinstance(number, int) else f"{kind}_{number}"
        return stem, whole if self.whole else self.out.notebooks / self.name / f"split_{self.split}"

    def _below(self, file: Path) -> str:
        """A file's place below the profile's folder."""
        return file.relative_to(self.out.root).as_posix()

    def _shown(self, **about: str) -> Shown:
        return Shown(about=self.about, notebook=self.name, revision=revision(), **about)


def open_notebook(name: str, profile: str, split: str | int, overrides: Sequence[str] = ()) -> Notebook:
    """Open the profile, set the figure style, say what the page shows. Raises ParameterError: as in `load`."""
    found, chapter = open_profile(profile, overrides), CHAPTERS[name]
    plots.set_style()
    about, notice = found.params.data.name, found.params.notice
    if chapter.about:
        real = "real_labels" in chapter.optional and found.real_labels() is not None
        about = f"{chapter.about}{' and real labels of 50 Salads' if real else ''}"
        notice = f"{about}: nothing on this page comes from the profile's data."
    display(HTML(f'<div class="notice" lang="en">{html.escape(notice)}</div>'))
    if "REPORT_ATOM" not in os.environ:  # lib.run writes that itself
        mark_by_hand(found.out.notebooks / name, overrides, sections(name, found.params))
    # only the sections that the chapter declares: what it does not declare cannot make it stale
    read = Params.model_construct(**{section: getattr(found.params, section) for section in chapter.sections})
    return Notebook(
        params=read,
        out=found.out,
        file=found.file,
        split=None if str(split) == "all" else int(split),
        section=number(name),
        name=name,
        about=about,
    )
