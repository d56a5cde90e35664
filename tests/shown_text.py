"""What the code shows, read off its source: for the tests of the catalogue (tests/test_language.py)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
from bs4 import BeautifulSoup

from lib.core.paths import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
MODULES = sorted((ROOT / "lib").rglob("*.py"))
KEYWORDS = {"label", "xlabel", "ylabel", "title", "caption"}
METHODS = {"set_title": 0, "set_xlabel": 0, "set_ylabel": 0, "set_label": 0, "annotate": 0}
FUNCTIONS = {  # name -> place of the argument that is shown
    "learning_curves": 3, "labelled_curves": 2, "class_bars": 2, "forest": 3, "methods_with_intervals": 3,
    "words": 0, "picture": 1, "draw_visible": 2, "box": 5, "blank": 3,
}  # fmt: skip


def template(node: ast.AST) -> str | None:
    """A literal, or an f-string with `{}` in the place of its values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def everything() -> set[str]:
    """Every literal of lib/ and the notebooks, and every name that may become a header."""
    found = set()
    for path in (*MODULES, *NOTEBOOKS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (text := template(node)) is not None:
                found.add(text)
            elif isinstance(node, ast.BinOp) and (text := template(node.left)):  # "clip\n" + size
                found.add(text + "{}")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
                found.add("{}" + (template(node.func.value) or "") + "{}")
            elif isinstance(node, ast.keyword) and node.arg:  # agg(means=…)
                found.add(node.arg)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):  # fields of dataclasses
                found.add(node.target.id)
    return found


def explorer() -> list[str]:
    """What is translated of the explorer's page."""
    page = BeautifulSoup((ROOT / "lib" / "site" / "web" / "explorer.html").read_text(encoding="utf-8"), "html.parser")
    return [element.get_text() for element in page.find_all(("h2", "th", "summary"))]


def headings(path: Path) -> list[str]:
    """The headings of a notebook."""
    cells = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown"]
    return [found[1] for cell in cells for found in re.finditer(r"^#+ (.+)$", cell, re.MULTILINE)]


def captions(path: Path) -> list[str]:
    """The captions of a notebook's figures and tables, also where a name stands for them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("book.figure", "book.table"):
            last = node.args[-1]
            shown = assigned.get(last.id, []) if isinstance(last, ast.Name) else [last]
            texts = [text for one in shown if (text := template(one)) is not None]
            assert texts, f"{path.name}: no caption is found in: {ast.unparse(node)}"
            found += texts
    return found


def labels(path: Path) -> Iterator[str]:
    """What is written into figures: titles, labels of axes and lines, boxes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        place = METHODS.get(name, FUNCTIONS.get(name))
        shown = [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS]
        if place is not None and place < len(node.args):
            shown.append(node.args[place])
        if name == "text" and len(node.args) > 2:  # of an Axes: x, y, text
            shown.append(node.args[2])
        yield from (text for one in shown if (text := template(one)) is not None)
