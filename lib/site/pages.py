"""Executed notebooks as pages of the site; where something failed, a notice and what has been made so far.

A notebook shows each picture as part of its HTML, so that it is whole in JupyterLab; on the site a picture is a file
that a click opens alone. Search finds the class names that occur in pictures.
"""

import html
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import jupytext
import nbformat
import pandas as pd
from nbformat import NotebookNode

from lib.batch.failures import Failure, short
from lib.batch.requirements import relative
from lib.core.chapters import TITLES, number
from lib.core.paths import ROOT, Outputs
from lib.notebook.markup import Shown, shown_outputs


def page(name: str, out: Outputs, failed: Sequence[Failure]) -> NotebookNode | None:
    """Read the notebook that a chapter's page shows; None if it has not run.

    `failed`: failures that keep the chapter incomplete. If there are any, there is always a page: the last complete
    one, marked as older, or the pages of the finished splits.
    """
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
    said = nbformat.v4.new_output("display_data", data={"text/html": notice(name, failed, below)})
    cell = nbformat.v4.new_code_cell("# what failed", outputs=[said], metadata={"tags": ["remove-input"]})
    notebook.cells = [notebook.cells[0], cell, *rest]
    return notebook


def notice(name: str, failed: Sequence[Failure], below: str) -> str:
    """Write HTML that reports failures with the messages and last lines of the run."""
    said = []
    for failure in failed:
        if failure.atom[0] != name:
            said.append(f"<p><b>Not made</b>: it reads {html.escape(failure.summary)}</p>")
            continue
        lines = html.escape("\n".join(failure.lines))
        said.append(
            f"<p><b>Failed</b>: {html.escape(failure.summary)}</p><pre>{lines}</pre>"
            f"<p>The notebook up to the error: <code>{relative(failure.notebook)}</code></p>"
        )
    return f'<div class="notice failed">{"".join(said)}<p>{below}</p></div>'


def failure_list(found: Mapping[str, Sequence[Failure]]) -> str:
    """Write HTML for the front page: one line per incomplete chapter."""
    lines = []
    for name, ones in found.items():
        own = [failure.summary for failure in ones if failure.atom[0] == name]
        why = "; ".join(own) or f"not made, because it reads {', '.join(short(failure.atom) for failure in ones)}"
        lines.append(f'<li><a href="{name}.html">{html.escape(TITLES[name])}</a>: {html.escape(why)}</li>')
    return f'<ul class="failed">{"".join(lines)}</ul>'


def _split_cells(name: str, out: Outputs, split: int) -> list[NotebookNode]:
    """Cells of a split's page below a heading of its own, without the chapter's title."""
    cells = nbformat.read(out.notebooks / name / f"{split}.ipynb", as_version=4).cells[1:]
    for cell in cells:
        cell.id = f"{cell.id}-{split}"
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"^(#+) ", r"\1# ", cell.source, flags=re.MULTILINE)
    return [nbformat.v4.new_markdown_cell(f"## Split {split}"), *cells]


WORD = re.compile(r"[a-z]\w+_\w+")  # class names, e.g. add_vinegar


def shown_by(out: Outputs, page: str) -> list[Shown]:
    """List the figures and tables of an executed notebook, in its order."""
    file = out.notebooks / page / "all.ipynb"
    if not file.exists():  # it failed; its page says so
        return []
    return [shown for shown, _ in shown_outputs(nbformat.read(file, as_version=4))]


def write_chapters(out: Outputs, pages: Mapping[str, NotebookNode], source: Path) -> None:
    """Write the notebooks for Sphinx, and their pictures and data as files below `source`/_extra, the site's root."""
    places = references(pages)
    # a computed sentence has values that look like sections
    named = {name: place for name, place in places.items() if " " in name}
    for page, notebook in pages.items():
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = linked(cell.source, places)
                continue
            for output in cell.outputs:
                if "text/markdown" in output.get("data", {}):
                    output["data"]["text/markdown"] = linked(output["data"]["text/markdown"], named)
            # papermill's parameters are in the manifest; other code is folded, so that sentence and figure meet
            tags = cell.metadata.setdefault("tags", [])
            if "injected-parameters" in tags:
                tags.append("remove-cell")
            elif not {"remove-input", "remove-cell", "hide-input"} & set(tags):
                tags.append("hide-input")
        words: set[str] = set()
        for shown, output in shown_outputs(notebook):
            for file in filter(None, (shown.data, shown.picture)):
                copy = source / "_extra" / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(out.root / file, copy)
            if shown.picture:
                output["data"]["text/html"] = shown.image(shown.picture, linked=True)
                words |= _words(out.root / shown.data)
        notebook.metadata.pop("papermill", None)
        notebook.metadata["myst"] = {"html_meta": {"keywords": ", ".join(sorted(words))}} if words else {}
        nbformat.write(notebook, source / f"{page}.ipynb")


def references(pages: Mapping[str, NotebookNode]) -> dict[str, str]:
    """Addresses for references in the text, such as "2.6" and "Figure 3"; "2.3" is the first of its sections."""
    places: dict[str, str] = {}
    for page, notebook in pages.items():
        section = number(page)
        for name in (section, section[:3]) if "." in section else (f"Chapter {section}", f"chapter {section}"):
            places.setdefault(name, f"{page}.html")
        places |= {shown.title: f"{page}.html#{shown.id}" for shown, _ in shown_outputs(notebook)}
        text = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for tag in TAG.findall(text):
            places |= {f"{word} {tag}": f"{page}.html#equation-{tag}" for word in ("equation", "Equation")}
    return places


TAG = re.compile(r"\\tag\{(\d+)\}")
FORMULA = re.compile(r"\$\$[^$]*\$\$")
GUIDE = re.compile(r"\[([^]]*)\]\(guides/(\w+)\.md(#[\w-]+)?\)")  # as it is written in notebooks/
# what contains no reference (headings, formulas, code, links); then figures, tables, equations and sections, but no
# measurements
REFERENCE = re.compile(
    r"^#[^\n]*$|```.*?```|\$+[^$]*\$+|`[^`]*`|\[[^]]*\]\([^)]*\)|<a .*?</a>|"
    r"\b(?:(?:Figure|Table|[Cc]hapter|[Ee]quation) )?(?<![\d.,+±-])\d+(?:\.\d)*(?:-[A-Z])?"
    r"(?![\d.,]*\d| (?:%|s|points|million|hours)\b)",
    re.MULTILINE | re.DOTALL,
)


def linked(text: str, places: Mapping[str, str]) -> str:
    """Turn references in Markdown to sections, figures, tables, equations and guides into links.

    >>> places = {"2.6": "2_6.html", "Figure 3": "2_2.html#figure_03"}
    >>> linked("As in 2.6 (Figure 3), not 2.6 s, 12.6, `2.6` or 2.6.1.", places)
    'As in <a href="2_6.html">2.6</a> (<a href="2_2.html#figure_03">Figure 3</a>), not 2.6 s, 12.6, `2.6` or 2.6.1.'
    >>> linked("[Yi](guides/bibliography.md#yi)", {})
    '<a href="notebooks/guides/bibliography.html#yi">Yi</a>'
    """
    link = {name: f'<a href="{place}">{name}</a>' for name, place in places.items()}
    text = GUIDE.sub(r'<a href="notebooks/guides/\2.html\3">\1</a>', text)
    text = REFERENCE.sub(lambda found: link.get(found[0], found[0]), text)
    return FORMULA.sub(_anchored, text)


def _anchored(formula: re.Match[str]) -> str:
    tag = TAG.search(formula[0])
    return f'<span id="equation-{tag[1]}"></span>\n\n{formula[0]}' if tag else formula[0]


def _words(data: Path) -> set[str]:
    """Find class names in a figure's data, and their parts: Sphinx's search reads text and tables, but no pictures."""
    table = pd.read_csv(data, dtype=str)
    cells = {*map(str, table.columns), *table.stack().dropna().unique()}
    names = {word for cell in cells for word in WORD.findall(cell)}
    return names | {part for name in names for part in name.split("_") if len(part) > 3}
