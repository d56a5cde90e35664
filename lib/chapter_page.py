"""What a page of the report is made of: the executed notebook; where something failed, a notice and what there is."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lib.failures import Failure, failures, short, troubled
from lib.paths import ROOT, Outputs
from lib.requirements import relative, without
from lib.sections import Params

if TYPE_CHECKING:  # slow to import, and not wanted by a plan
    from nbformat import NotebookNode


def troubles(params: Params, out: Outputs, left_out: Mapping[str, str]) -> dict[str, list[Failure]]:
    """Chapters that are not whole, and the failures that keep them from it."""
    able = without(params, left_out)
    return troubled(able, failures(able, out))


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
