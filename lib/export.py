"""`make export`: the report as files to hand on, a self-contained HTML file a section and one PDF of the whole.

    python -m lib.export --params params/demo.yaml        # outputs/demo/export/<section>.html, report.pdf

nbconvert makes the sections' HTML; a browser (Chromium or Chrome) prints the PDF. No file needs another or the network.
"""

import argparse
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
from lib.params import ParameterError, load, profile_name
from lib.paths import Outputs
from lib.provenance import revision
from lib.requirements import relative
from lib.schedule import unable
from lib.sections import Params
from lib.standalone import ExportError, alone, document
from lib.titles import TITLES

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 600  # seconds that the browser gets for the PDF
HIDDEN = {"remove-cell", "injected-parameters"}  # tags of cells that are no reading matter


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.export", description="The report as HTML files and a PDF.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    options = parser.parse_args()
    try:
        params, out = load(options.params), Outputs(profile_name(options.params))
        pages = sections(params, out, unable(params, out, options.params))
        folder = write_pages(params, out, pages)
    except (ParameterError, FileNotFoundError, ExportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(pages)} HTML files: {relative(folder)}/")
    try:
        print_pdf(whole(params, out, pages), folder / "report.pdf")
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
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        found[name] = alone(exporter.from_notebook_node(notebook)[0], name)
    if not found:
        raise FileNotFoundError(f"{relative(out.notebooks)}: no executed notebook; run `make report` first")
    return found


def write_pages(params: Params, out: Outputs, pages: Mapping[str, str]) -> Path:
    """A file a section, in the place of those of before; their folder."""
    folder, new = out.root / "export", out.root / ".export"
    shutil.rmtree(new, ignore_errors=True)
    for name, body in pages.items():
        write_text(new / f"{name}.html", document(f"{TITLES[name]} · {params.title}", [body]))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def whole(params: Params, out: Outputs, pages: Mapping[str, str]) -> str:
    """All sections as one HTML file to print: title, contents, chapters."""
    contents = "".join(f'<li><a href="#{name}">{html.escape(TITLES[name])}</a></li>' for name in pages)
    front = (
        f'<h1>{html.escape(params.title)}</h1><div class="notice">{html.escape(params.notice)}</div>'
        f"<p>Profile {out.profile}, revision {revision()}.</p><ul>{contents}</ul>"
    )
    return document(params.title, [front, *(f'<section id="{name}">{body}</section>' for name, body in pages.items())])


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
        call = subprocess.run([*command, source.as_uri()], capture_output=True, text=True, timeout=PATIENCE)
        if call.returncode or not printed.exists():
            last = (call.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ExportError(f"{Path(browser).name} did not print it: {last}")
        beside = target.with_name(".report.pdf")
        shutil.copy(printed, beside)
        publish(beside, target)


if __name__ == "__main__":
    sys.exit(main())
