"""A self-contained HTML file: its style, its formulas' script and its pictures in it, nothing loaded from elsewhere."""

import html
import re
from collections.abc import Iterable
from importlib.resources import files

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


def document(title: str, bodies: Iterable[str], language: str) -> str:
    """A whole HTML file, MathJax in it where there are formulas."""
    from pygments.formatters import HtmlFormatter

    body = "\n".join(bodies)
    math = ""
    if "$" in body:
        script = (files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js").read_text(encoding="utf-8")
        math = f"<script>{MATH}</script><script>{script}</script>"
    style = STYLE + HtmlFormatter(style="default").get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{style}</style>\n{math}</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )
