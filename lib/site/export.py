"""`make export`: the report as files to hand on, a self-contained HTML file a section and one PDF of the whole.

    python -m lib.export --params params/demo.yaml        # outputs/demo/export/<section>.html, report.pdf

nbconvert makes the sections' HTML; a browser (Chromium or Chrome) prints the PDF. No file needs another or the network.

A self-contained HTML file: its style, its formulas' script and its pictures in it, nothing loaded from elsewhere.
"""

import base64
import html
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from lib.batch.requirements import relative
from lib.core.chapters import TITLES
from lib.core.files import publish, revision, write_text
from lib.data.profile import Profile
from lib.site.front import NO_ANSWER, QUESTION, answer
from lib.site.pages import page, troubles

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: white;
  max-width: 58rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, h4 { line-height: 1.25; break-after: avoid; }
a { color: #0b57a4; }
pre, code { font: .82rem/1.4 ui-monospace, monospace; }
pre { background: #f5f5f5; padding: .5rem .7rem; overflow-x: auto; white-space: pre-wrap; }
img, svg { max-width: 100%; height: auto; }
figure { margin: 1.2rem 0; overflow-x: auto; break-inside: avoid; }
figcaption { font-size: .9rem; margin: .3rem 0; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .5rem; text-align: right; border-bottom: 1px solid #ddd; }
.made { display: block; font-size: .78rem; color: #595959; }
.notice { border-left: 4px solid #b35900; background: #fbf3ea; padding: .5rem .8rem; margin: .8rem 0; }
.notice:empty, .prompt, .anchor-link { display: none; }
@page { size: A4; margin: 18mm 15mm; @bottom-center { content: counter(page); font: 9pt sans-serif; color: #595959; } }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt; }
  section { break-before: page; }
  table { font-size: .7rem; }
  .celltag_hide-input .input { display: none; }
}
"""

MATH = """MathJax = { tex: { inlineMath: [["$", "$"]] }, options: { ignoreHtmlClass: "highlight|output_html" } };"""


class ExportError(RuntimeError):
    """A file that could not be made; the message is one line."""


def alone(body: str, name: str, made_from: str) -> str:
    """The same without links into the site, which is not there where the file is read.

    Args:
        name: of the section, for the message.
        made_from: the word before a revision.

    Raises:
        ExportError: it loads something that is not in it.
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(body, "html.parser")
    for made in soup.select(".made"):  # of its links to notebook, parameters and data the revision is left
        made.string = next(iter(re.findall(rf"{made_from} \S+", made.get_text())), "")
    for link in soup.select("a[href]"):
        if not str(link["href"]).startswith(("http:", "https:", "#")):
            link.unwrap()
    for element in soup.select("[src], link[href]"):
        source = str(element.get("src") or element.get("href"))
        if not source.startswith("data:"):
            raise ExportError(f"{name}: its page loads {source[:80]}, which a self-contained file cannot")
    return str(soup)


def document(title: str, bodies: Iterable[str]) -> str:
    """A whole HTML file, MathJax in it where there are formulas."""
    from pygments.formatters import HtmlFormatter

    body = "\n".join(bodies)
    math = ""
    if "$" in body:
        script = (files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js").read_text(encoding="utf-8")
        math = f"<script>{MATH}</script><script>{script}</script>"
    style = STYLE + HtmlFormatter(style="default").get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n{math}</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 600  # seconds that the browser gets for the PDF
HIDDEN = {"remove-cell", "injected-parameters"}  # tags of cells that are no reading matter


def sections(profile: Profile, left_out: Mapping[str, str]) -> dict[str, str]:
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
    failed, found = troubles(profile, left_out), {}
    for name in profile.params.notebooks:
        if (notebook := page(name, profile.out, failed.get(name, ()))) is None:
            continue
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        found[name] = alone(exporter.from_notebook_node(notebook)[0], name, "revision")
    if not found:
        raise FileNotFoundError(f"{relative(profile.out.notebooks)}: no executed notebook; run `make report` first")
    return found


def write_pages(profile: Profile, pages: Mapping[str, str]) -> Path:
    """A file a section, in the place of those of before; their folder."""
    folder, new = profile.out.root / "export", profile.out.root / ".export"
    shutil.rmtree(new, ignore_errors=True)
    for name, body in pages.items():
        title = f"{TITLES[name]} · {profile.params.title}"
        write_text(new / f"{name}.html", document(title, [body]))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def whole(profile: Profile, pages: Mapping[str, str], left_out: Mapping[str, str]) -> str:
    """All sections as one HTML file to print: title, the answer, contents, chapters."""
    title, failed = profile.params.title, troubles(profile, left_out)
    contents = "".join(f'<li><a href="#{name}">{html.escape(TITLES[name])}</a></li>' for name in pages)
    front = (
        f'<h1>{html.escape(title)}</h1><div class="notice" lang="en">{html.escape(profile.params.notice)}</div>'
        f"<h2>{QUESTION}</h2>{_answer(profile, [name for name in pages if name not in failed])}"
        f"<h2>Chapters</h2><ul>{contents}</ul>"
        f"<p>Profile {profile.out.profile}, revision {revision()}.</p>"
    )
    chapters = (f'<section id="{name}">{body}</section>' for name, body in pages.items())
    return document(title, [front, *chapters])


def _answer(profile: Profile, done: list[str]) -> str:
    """The front page's answer, its picture in it."""
    from nbconvert.filters import markdown2html

    with tempfile.TemporaryDirectory() as scratch:
        parts = answer(profile, done, Path(scratch)) or [NO_ANSWER]
        body = "\n".join(part if part.startswith("<figure") else markdown2html(part) for part in parts)
        for picture in Path(scratch).glob("figures/*.svg"):
            data = base64.b64encode(picture.read_bytes()).decode()
            body = body.replace(f'src="figures/{picture.name}"', f'src="data:image/svg+xml;base64,{data}"')
    return alone(body, "the answer", "revision")


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
