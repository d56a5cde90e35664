"""The house: imports go one way through the rooms, and a file stays readable in one sitting."""

import ast

import pytest

from lib.core.files import imports_of
from lib.core.paths import ROOT

# A room imports from itself and from rooms named before it; commands (lib/*.py) from any room, nobody from a command.
ORDER = (
    "core", "demo", "data", "scoring", "backbones", "asformer", "videoclip", "pretraining",
    "notebook", "beyond", "batch", "site",
)  # fmt: skip
MODULES = [file for file in sorted((ROOT / "lib").rglob("*.py")) if file.name != "__init__.py"]
FILES, LINES, FUNCTION = 11, 350, 60


def room(file):
    parts = file.relative_to(ROOT / "lib").parts
    return parts[0] if len(parts) > 1 else None


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT / "lib")))
def test_module(file):
    source = file.read_text(encoding="utf-8")
    for other in imports_of(source):
        assert room(other) is not None or other.name == "__init__.py", f"{other.name} is a command; nobody imports it"
        if room(file) and room(other):
            assert ORDER.index(room(other)) <= ORDER.index(room(file)), f"{room(file)} must not import {other}"
    assert len(source.splitlines()) <= LINES
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > FUNCTION
    }
    assert not long


def test_rooms_have_few_files():
    folders = {file.parent for file in MODULES if file.parent.name != "lib"}
    assert all(len(list(folder.glob("[!_]*.py"))) <= FILES for folder in folders)
