"""Executed notebooks as pages of the site: pictures become files, and search finds what stands in the pictures.

What a notebook showed through `lib.notebook.notebook` is HTML with the picture inside, so that it stands alone in JupyterLab; on
the site a picture is a file beside the page, which a click opens alone.

What a page of the report is made of: the executed notebook; where something failed, a notice and what there is.
"""

import base64
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pandas as pd

from lib.batch.failures import Failure, failures, short, troubled
from lib.batch.requirements import relative, without
from lib.core.files import atomic
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile


def troubles(profile: Profile, left_out: Mapping[str, str]) -> dict[str, list[Failure]]:
    """Chapters that are not whole, and the failures that keep them from it."""
    able = without(profile, left_out)
    return troubled(able.params, failures(able))


def page(name: str, out: Outputs, failed: Sequence[Failure]) -> "NotebookNode | None":
    """The notebook that a chapter's page shows; None where it has not run.

    Args:
        failed: failures that keep the chapter from being whole; with any there is a page, whatever else there is: the
            last whole one, marked as older, or the pages of the splits that are done.
    """
    import jupytext
    import nbformat

    folder = out.notebooks / name
    whole = folder / "all.ipynb"
    if not failed:
        return nbformat.read(whole, as_version=4) if (folder / "all.json").exists() else None
    if whole.exists():
        notebook = nbformat.read(whole, as_version=4)
        made = notebook.metadata["papermill"]["end_time"][:16].replace("T", " ")
        rest, below = notebook.cells[1:], f"Below is the last whole page, older than this failure: made {made} UTC."
    else:
        notebook = jupytext.read(ROOT / "notebooks" / f"{name}.py")
        notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
        done = sorted(int(file.stem) for file in folder.glob("[0-9]*.json"))
        rest = [cell for split in done for cell in _split_cells(name, out, split)]
        below = f"Below are the splits that are done: {', '.join(map(str, done))}." if done else ""
    notebook.cells = [notebook.cells[0], _shown(notice(name, failed, below)), *rest]
    return notebook


def notice(name: str, failed: Sequence[Failure], below: str) -> str:
    """HTML that says what failed, in the words and lines that the run left."""
    told = []
    for failure in failed:
        if failure.atom[0] != name:
            told.append(f"<p><b>Not made</b>: it reads {html.escape(failure.told)}</p>")
            continue
        lines = html.escape("\n".join(failure.lines))
        told.append(
            f"<p><b>Failed</b>: {html.escape(failure.told)}</p><pre>{lines}</pre>"
            f"<p>The notebook up to the error: <code>{relative(failure.notebook)}</code></p>"
        )
    return f'<div class="notice failed">{"".join(told)}<p>{below}</p></div>'


def failure_list(found: Mapping[str, Sequence[Failure]], titles: Mapping[str, str]) -> str:
    """HTML for the front page: a line a chapter that is not whole."""
    lines = []
    for name, ones in found.items():
        own = [failure.told for failure in ones if failure.atom[0] == name]
        told = "; ".join(own) or f"not made, as it reads {', '.join(short(failure.atom) for failure in ones)}"
        lines.append(f'<li><a href="{name}.html">{html.escape(titles[name])}</a>: {html.escape(told)}</li>')
    return f'<ul class="failed">{"".join(lines)}</ul>'


def _split_cells(name: str, out: Outputs, split: int) -> "list[NotebookNode]":
    """A split's page below a heading of its own, without the chapter's title."""
    import nbformat

    cells = nbformat.read(out.notebooks / name / f"{split}.ipynb", as_version=4).cells[1:]
    for cell in cells:
        cell.id = f"{cell.id}-{split}"
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"^(#+) ", r"\1# ", cell.source, flags=re.MULTILINE)
    return [nbformat.v4.new_markdown_cell(f"## Split {split}"), *cells]


def _shown(body: str) -> "NotebookNode":
    import nbformat

    output = nbformat.v4.new_output("display_data", data={"text/html": body})
    return nbformat.v4.new_code_cell("# what failed", outputs=[output], metadata={"tags": ["remove-input"]})


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
    file = out.notebooks / page / "all.ipynb"
    if not file.exists():  # it failed; its page says so
        return []
    notebook = nbformat.read(file, as_version=4)
    found = [SHOWN.search(data["text/html"]) for data in _outputs(notebook)]
    return [Shown(page, one["name"], one["title"], one["rest"].strip()) for one in found if one]


def write_chapters(out: Outputs, pages: Mapping[str, nbformat.NotebookNode], source: Path) -> None:
    """The notebooks for Sphinx; their pictures below `source`/_extra/figures, where the site's root will be."""
    for page, notebook in pages.items():
        for cell in notebook.cells:  # papermill's parameters are in the manifest; they are no reading matter
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.metadata["tags"].append("remove-cell")
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


if TYPE_CHECKING:  # slow to import, and not wanted by a plan
    from nbformat import NotebookNode
