"""Executed notebooks as pages of the site: pictures become files, and search finds what stands in the pictures.

What a notebook showed through `lib.notebook` is HTML with the picture inside, so that it stands alone in JupyterLab; on
the site a picture is a file beside the page, which a click opens alone.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pandas as pd

from lib.artifacts import atomic
from lib.language import Language, Translator
from lib.paths import Outputs
from lib.translated import translate_headings

SHOWN = re.compile(
    r'<figure class="report" id="(?P<name>\w+)"[^>]*>.*?<figcaption><b>(?P<title>.*?)\.</b>(?P<rest>.*?)<span', re.S
)
PICTURE = re.compile(r'<img src="data:image/(svg\+xml|png);base64,([^"]+)"(.*?)>')
WORD = re.compile(r"[a-z]\w+_\w+")  # class names, e.g. add_vinegar


@dataclass(frozen=True)
class Shown:
    """A figure or table on a page.

    Attributes:
        page: the notebook.
        name: the file's without ending, also the place on the page, e.g. "figure_06".
        title: e.g. "Figure 6".
        caption: HTML.
    """

    page: str
    name: str
    title: str
    caption: str


def shown_by(out: Outputs, page: str) -> list[Shown]:
    """The figures and tables of an executed notebook, in its order."""
    notebook = nbformat.read(out.notebooks / page / "all.ipynb", as_version=4)
    found = [SHOWN.search(data["text/html"]) for data in _outputs(notebook)]
    return [Shown(page, one["name"], one["title"], one["rest"].strip()) for one in found if one]


def write_chapters(out: Outputs, done: list[str], source: Path, language: Language) -> None:
    """The notebooks `done` for Sphinx; their pictures below `source`/_extra/figures, where the site's root will be."""
    for page in done:
        notebook = nbformat.read(out.notebooks / page / "all.ipynb", as_version=4)
        for cell in notebook.cells:  # papermill's parameters are in the manifest; they are no reading matter
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.metadata["tags"].append("remove-cell")
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = translate_headings(cell.source, Translator(language, place=page))
        words: set[str] = set()
        for data in _outputs(notebook):
            if one := SHOWN.search(data["text/html"]):
                data["text/html"] = _with_files(data["text/html"], one["name"], source / "_extra" / "figures")
                words |= _words(out.figures / f"{one['name']}.csv")
        notebook.metadata.pop("papermill", None)
        notebook.metadata["myst"] = {"html_meta": {"keywords": ", ".join(sorted(words))}} if words else {}
        nbformat.write(notebook, source / f"{page}.ipynb")


def _outputs(notebook: nbformat.NotebookNode) -> Iterator[dict]:
    """The data of all outputs that are HTML."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                yield output["data"]


def _with_files(shown: str, name: str, folder: Path) -> str:
    """The HTML with its picture written into `folder` and linked."""

    def link(found: re.Match[str]) -> str:
        file = folder / f"{name}.{found[1].removesuffix('+xml')}"
        with atomic(file) as temporary:
            temporary.write_bytes(base64.b64decode(found[2]))
        return f'<a href="figures/{file.name}"><img src="figures/{file.name}"{found[3]}></a>'

    return PICTURE.sub(link, shown)


def _words(data: Path) -> set[str]:
    """Class names in a figure's data: Sphinx's search reads text and tables but sees no picture."""
    if not data.exists():
        return set()
    table = pd.read_csv(data, dtype=str)
    cells = {*map(str, table.columns), *table.stack().dropna().unique()}
    return {word for cell in cells for word in WORD.findall(cell)}
