"""Writing a file whole or not at all; the key that says whether a result is still valid; the revision of the code."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from lib.core.paths import ROOT


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success the file is synced and renamed, on failure removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> None:
    """Rename a finished file so that a crash of the machine cannot lose it."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def imported_modules(source: Path) -> set[Path]:
    """Files of lib/ that a Python file imports, directly or through others; found without executing anything."""
    found: set[Path] = set()
    todo = [source]
    while todo:
        file = todo.pop()
        new = imports_of(file) - found
        found |= new
        todo.extend(new)
    return found


def imports_of(source: Path) -> frozenset[Path]:
    """Files of lib/ that a Python file imports directly."""
    return _imports_of(source, source.stat().st_mtime_ns)


@cache
def _imports_of(source: Path, _changed: int) -> frozenset[Path]:
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name == "lib" or name.startswith("lib."):
                base = ROOT.joinpath(*name.split("."))
                found |= {file for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()}
    return frozenset(found)


def key(values: Any, code: Iterable[str] = (), files: Iterable[Path] = ()) -> str:
    """Identity of a result: parameters, the syntax of the modules that compute it, and the content of its input files.

    A module whose results are hashed as files (features, weights) need not be in `code`.
    tests/test_keys.py holds each list against what the modules import.

    Args:
        values: anything JSON can say (section models: `section.model_dump()`).
        code: modules by room and name, e.g. ("asformer.model", "asformer.training").
        files: inputs, read and hashed.
    """
    modules = [ROOT.joinpath("lib", *name.split(".")).with_suffix(".py") for name in code]
    parts = [json.dumps(values, sort_keys=True, default=str)]
    parts += sorted(_syntax_hash(file, file.stat().st_mtime_ns) for file in modules)
    # A module's lists (lib/demo/talk.yaml beside talk.py) are a part of it
    parts += sorted(sha256(file.with_suffix(".yaml")) for file in modules if file.with_suffix(".yaml").exists())
    parts += [f"{file.name} {sha256(file)}" for file in sorted(files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def syntax(source: str) -> str:
    """Syntax tree of a module as text, without docstrings, comments and line numbers; prose and moves do not change it.

    >>> syntax('def f():\\n    "old"\\n    return 1  # why') == syntax('def f():\\n\\n    "new"\\n    return 1')
    True
    >>> syntax("from lib.a import f, g") == syntax("from lib.b.c import g\\nfrom lib.a import f")
    True
    >>> syntax("from lib.a import f") == syntax("from lib.a import g as f")
    False
    """
    tree, imported = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
            for one in [one for one in node.body if isinstance(one, ast.Import | ast.ImportFrom)]:
                own = isinstance(one, ast.ImportFrom) and (one.module or "").startswith("lib")
                place = "lib" if own else getattr(one, "module", None)
                imported |= {(str(place), alias.name, str(alias.asname)) for alias in one.names}
                node.body.remove(one)
    return f"{sorted(imported)} {ast.dump(tree)}"


@cache
def _syntax_hash(file: Path, _changed: int) -> str:
    return hashlib.sha256(syntax(file.read_text(encoding="utf-8")).encode()).hexdigest()


@cache
def revision() -> str:
    """Git revision, with a + if the working tree differs; "unknown" outside a checkout or without git."""
    if shutil.which("git") is None:
        return "unknown"
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=10"]
    git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return git.stdout.strip() if git.returncode == 0 else "unknown"
