"""The report as files to hand on: a self-contained HTML file per section, and one PDF of the whole.

nbconvert makes the HTML, a browser (Chromium or Chrome) prints the PDF. No file needs another file or the network.
"""

import base64
import html
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from lib.batch.failures import troubled
from lib.batch.requirements import relative, without
from lib.core.chapters import TITLES
from lib.core.files import publish, revision, write_text
from lib.core.paths import WEB
from lib.data.profile import Profile
from lib.notebook.markup import shown_outputs
from lib.site.answer import NO_ANSWER, QUESTION, answer
from lib.site.pages import GUIDE, page

MATH = """MathJax = { tex: { inlineMath: [["$", "$"]] }, options: { ignoreHtmlClass: "highlight|output_html" } };"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 600  # seconds that the browser has for the PDF
HIDDEN = {"remove-cell", "injected-parameters"}  # tags of cells that readers do not need


class ExportError(RuntimeError):
    """A file that could not be made; the message is one line."""


def sections(profile: Profile, left_out: Mapping[str, str]) -> dict[str, NotebookNode]:
    """Read the notebooks to export, in chapter order. Raises FileNotFoundError: none has been executed yet."""
    failed = troubled(without(profile, left_out))
    pages = {name: page(name, profile.out, failed.get(name, ())) for name in profile.params.notebooks}
    found = {name: notebook for name, notebook in pages.items() if notebook is not None}
    for notebook in found.values():
        _alone(notebook, profile.out.root)
    if not found:
        raise FileNotFoundError(f"{relative(profile.out.notebooks)}: no executed notebook; run `make report` first")
    return found


def _alone(notebook: NotebookNode, root: Path) -> None:
    """Put the data of figures and tables into their links, and drop links to guides, which are not exported."""
    for shown, output in shown_outputs(notebook):
        data = base64.b64encode((root / shown.data).read_bytes()).decode()
        name = Path(shown.data).name
        link = f'href="data:text/csv;base64,{data}" download="{name}"'
        output["data"]["text/html"] = output["data"]["text/html"].replace(f'href="{shown.data}"', link)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = GUIDE.sub(r"\1", cell.source)


def whole(profile: Profile, pages: Mapping[str, NotebookNode], left_out: Mapping[str, str]) -> NotebookNode:
    """Join all sections into one notebook to print: title, answer, contents, chapters."""
    failed, markdown = troubled(without(profile, left_out)), nbformat.v4.new_markdown_cell
    with tempfile.TemporaryDirectory() as scratch:
        parts = answer(profile, [name for name in pages if name not in failed], Path(scratch), embed=True)
    front = [
        f"# {profile.params.title}",
        f'<div class="notice">{html.escape(profile.params.notice)}</div>',
        f"## {QUESTION}",
        *(parts or [NO_ANSWER]),
        "## Chapters",
        "\n".join(f"- [{TITLES[name]}](#{name})" for name in pages),
        f"Profile {profile.out.profile}, revision {revision()}.",
    ]
    cells = [markdown("\n\n".join(front))]
    for name, notebook in pages.items():
        cells += [markdown(f'<div class="chapter" id="{name}"></div>'), *notebook.cells]
    return nbformat.v4.new_notebook(cells=cells, metadata=next(iter(pages.values())).metadata)


def document(title: str, notebook: NotebookNode) -> str:
    """Convert a notebook to an HTML file that loads nothing: it contains style, pictures and, for formulas, MathJax."""
    tags = {"enabled": True, "remove_cell_tags": HIDDEN, "remove_input_tags": {"remove-input"}}
    config = Config({"TagRemovePreprocessor": tags})
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True, config=config)
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        cell.outputs = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    body = exporter.from_notebook_node(notebook)[0]
    style = (WEB / "export.css").read_text(encoding="utf-8") + HtmlFormatter().get_style_defs(".highlight")
    math = (files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js").read_text(encoding="utf-8")
    scripts = f"<script>{MATH}</script>\n<script>{math}</script>" if "$" in body else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n{scripts}\n</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


def write_pages(profile: Profile, pages: Mapping[str, NotebookNode]) -> Path:
    """Write one file per section in place of earlier ones; returns their folder."""
    folder, new = profile.out.root / "export", profile.out.root / ".export"
    shutil.rmtree(new, ignore_errors=True)
    for name, notebook in pages.items():
        write_text(new / f"{name}.html", document(f"{TITLES[name]} · {profile.params.title}", notebook))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def print_pdf(text: str, target: Path) -> None:
    """Let a browser print an HTML file. Raises ExportError: there is no browser, or it did not print."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ExportError("no Chromium or Chrome on this machine to print it (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as scratch:
        source, printed = Path(scratch) / "report.html", Path(scratch) / "report.pdf"
        source.write_text(text, encoding="utf-8")
        options = ["--headless", "--disable-gpu", f"--user-data-dir={scratch}/profile", "--no-pdf-header-footer"]
        options += ["--generate-pdf-document-outline", "--virtual-time-budget=60000", f"--print-to-pdf={printed}"]
        options += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox does not work for root
        command = [browser, *options, source.as_uri()]
        try:
            call = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise ExportError(f"{Path(browser).name} did not print it within {PATIENCE} s") from None
        if call.returncode or not printed.exists():
            last = (call.stderr.strip().splitlines() or ["it gave no reason"])[-1]
            raise ExportError(f"{Path(browser).name} did not print it: {last}")
        beside = target.with_name(".report.pdf")
        shutil.copy(printed, beside)
        publish(beside, target)
