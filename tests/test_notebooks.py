"""Notebooks keep the house rules: short cells, no long code, prose between."""

import ast
import importlib

import jupytext
import pytest

from lib.core.chapters import CHAPTERS
from lib.core.paths import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


def test_every_notebook_is_a_chapter_with_a_title():
    assert [path.stem for path in NOTEBOOKS] == list(CHAPTERS)
    headings = [jupytext.read(path).cells[0].source.splitlines()[0] for path in NOTEBOOKS]
    assert headings == [f"# {chapter.title}" for chapter in CHAPTERS.values()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_told(path):
    cells = jupytext.read(path).cells
    code_in_a_row = 0
    for cell in cells:
        if cell.cell_type != "code":
            code_in_a_row = 0
            continue
        if "remove-input" not in cell.metadata.get("tags", []):  # a computed sentence is prose
            code_in_a_row += 1
        tree = ast.parse(cell.source)
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        imported = {line for node in imports for line in range(node.lineno, node.end_lineno + 1)}
        lines = [line for number, line in enumerate(cell.source.splitlines(), 1) if number not in imported]
        assert code_in_a_row <= 3, f"more than three code cells in a row before: {lines[0]}"
        assert len(lines) <= 15, f"{len(lines)} lines, without imports, in the cell that begins: {lines[0]}"
        for node in ast.walk(tree):
            assert not isinstance(node, ast.ClassDef), node.name
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 5, node.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_cell_has_what_the_atom_injects(path):
    tagged = [cell for cell in jupytext.read(path).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    names = {node.id for node in ast.walk(ast.parse(tagged[0].source)) if isinstance(node, ast.Name)}
    assert names == {"params", "split", "overrides"}
    assert f'open_notebook("{path.stem}", params, split, overrides)' in path.read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_imports_is_there(path):
    """No profile of the tests runs all of them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = importlib.import_module(node.module)
                assert hasattr(module, alias.name) or importlib.import_module(f"{node.module}.{alias.name}")


def test_the_snakefile_only_schedules():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 80
