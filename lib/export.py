"""`make export`: the report as files to hand on, a self-contained HTML file a section and one PDF of the whole.

    python -m lib.export --params params/demo.yaml        # outputs/demo/export/<section>.html, report.pdf

nbconvert makes the sections' HTML; a browser (Chromium or Chrome) prints the PDF. No file needs another or the network.
"""

import argparse
import base64
import html
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lib.artifacts import publish, write_text
from lib.chapter_page import page, troubles
from lib.front import NO_ANSWER, QUESTION, answer
from lib.language import Translator, translate
from lib.params import ParameterError, load, profile_name
from lib.paths import Outputs
from lib.provenance import revision
from lib.requirements import relative
from lib.schedule import unable
from lib.sections import Params
from lib.standalone import ExportError, alone, document
from lib.titles import TITLES
from lib.translated import translate_headings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 600  # seconds that the browser gets for the PDF
HIDDEN = {"remove-cell", "injected-parameters"}  # tags of cells that are no reading matter


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.export", description="The report as HTML files and a PDF.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    options = parser.parse_args()
    try:
        params, out = load(options.params), Outputs(profile_name(options.params))
        left_out = unable(params, out, options.params)
        pages = sections(params, out, left_out)
        folder = write_pages(params, out, pages)
    except (ParameterError, FileNotFoundError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(pages)} HTML files: {relative(folder)}/")
    try:
        print_pdf(whole(params, out, pages, left_out), folder / "report.pdf")
    except ExportError as error:
        print(f"error: no {relative(folder / 'report.pdf')}: {error}", file=sys.stderr)
        return 1
    print(f"the whole: {relative(folder / 'report.pdf')}")
    return 0


def sections(params: Params, out: Outputs, left_out: Mapping[str, str]) -> dict[str, str]:
    """HTML of each section's content, in the order of the chapters.

    Raises:
        FileNotFoundError: no notebook has been executed yet.
        ExportError: a page wants something from elsewhere.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    tags = {"enabled": True, "remove_cell_tags": HIDDEN, "remove_input_tags": {"remove-input"}}
    exporter = HTMLExporter(
        template_name="basic", exclude_anchor_links=True, config=Config({"TagRemovePreprocessor": tags})
    )
    failed, found = troubles(params, out, left_out), {}
    for name in params.notebooks:
        if (notebook := page(name, out, failed.get(name, ()))) is None:
            continue
        words = Translator(params.language, place=name)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            elif cell.cell_type == "markdown":
                cell.source = translate_headings(cell.source, words)
        found[name] = alone(exporter.from_notebook_node(notebook)[0], name, words("revision"))
    if not found:
        raise FileNotFoundError(f"{relative(out.notebooks)}: no executed notebook; run `make report` first")
    return found


def write_pages(params: Params, out: Outputs, pages: Mapping[str, str]) -> Path:
    """A file a section, in the place of those of before; their folder."""
    folder, new = out.root / "export", out.root / ".export"
    shutil.rmtree(new, ignore_errors=True)
    for name, body in pages.items():
        title = f"{translate(TITLES[name], params.language)} · {translate(params.title, params.language)}"
        write_text(new / f"{name}.html", document(title, [body], params.language))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def whole(params: Params, out: Outputs, pages: Mapping[str, str], left_out: Mapping[str, str]) -> str:
    """All sections as one HTML file to print: title, the answer, contents, chapters."""
    words = Translator(params.language, frozenset({params.data.name}), "the front page")
    title, failed = translate(params.title, params.language), troubles(params, out, left_out)
    contents = "".join(f'<li><a href="#{name}">{html.escape(words(TITLES[name]))}</a></li>' for name in pages)
    front = (
        f'<h1>{html.escape(title)}</h1><div class="notice" lang="en">{html.escape(params.notice)}</div>'
        f"<h2>{words(QUESTION)}</h2>{_answer(params, out, [name for name in pages if name not in failed], words)}"
        f"<h2>{words('Chapters')}</h2><ul>{contents}</ul>"
        f"<p>Profile {out.profile}, {words(f'revision {revision()}')}.</p>"
    )
    chapters = (f'<section id="{name}">{body}</section>' for name, body in pages.items())
    return document(title, [front, *chapters], params.language)


def _answer(params: Params, out: Outputs, done: list[str], words: Translator) -> str:
    """The front page's answer, its picture in it."""
    from nbconvert.filters import markdown2html

    with tempfile.TemporaryDirectory() as scratch:
        parts = answer(params, out, done, Path(scratch), words) or [NO_ANSWER]
        body = "\n".join(part if part.startswith("<figure") else markdown2html(part) for part in parts)
        for picture in Path(scratch).glob("figures/*.svg"):
            data = base64.b64encode(picture.read_bytes()).decode()
            body = body.replace(f'src="figures/{picture.name}"', f'src="data:image/svg+xml;base64,{data}"')
    return alone(body, "the answer", words("revision"))


def print_pdf(text: str, target: Path) -> None:
    """Let a browser print an HTML file.

    Raises:
        ExportError: there is no browser, or it did not print.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise ExportError("no Chromium or Chrome on this machine to print it (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as scratch:
        source, printed = Path(scratch) / "report.html", Path(scratch) / "report.pdf"
        source.write_text(text, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            f"--user-data-dir={scratch}/profile",
            "--no-pdf-header-footer",
        ]
        command += ["--generate-pdf-document-outline", "--virtual-time-budget=60000", f"--print-to-pdf={printed}"]
        command += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's does not work for root
        try:
            call = subprocess.run([*command, source.as_uri()], capture_output=True, text=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise ExportError(f"{Path(browser).name} did not print it within {PATIENCE} s") from None
        if call.returncode or not printed.exists():
            last = (call.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ExportError(f"{Path(browser).name} did not print it: {last}")
        beside = target.with_name(".report.pdf")
        shutil.copy(printed, beside)
        publish(beside, target)


if __name__ == "__main__":
    sys.exit(main())
