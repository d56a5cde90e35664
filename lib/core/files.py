"""The one way to write a file: temporary name, fsync, rename; and the key that says whether a result is still valid.

Which state of the code made a result.
"""

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
    """Yield a temporary name beside `path`; on success it is synced and renamed, on failure removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name, safely against a crash of the machine."""
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
    """Files of lib/ that a Python file imports, directly or through others (static, so nothing is executed)."""
    found: set[Path] = set()
    todo = [source]
    while todo:
        file = todo.pop()
        new = _imports(file, file.stat().st_mtime_ns) - found
        found |= new
        todo.extend(new)
    return found


@cache
def _imports(source: Path, _changed: int) -> frozenset[Path]:
    """What a file imports itself; read again when it has changed."""
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
    """Identity of a result: parameters, the lib modules that made it (with what they import) and its input files.

    Args:
        values: anything JSON can say (section models: `section.model_dump()`).
        code: module names, e.g. ("lib.asformer.model",).
        files: inputs, read and hashed.
    """
    modules = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in code}
    modules |= {file for module in modules for file in imported_modules(module)}
    parts = [json.dumps(values, sort_keys=True, default=str)]
    parts += [f"{file.relative_to(ROOT)} {sha256(file)}" for file in sorted(modules)]
    parts += [f"{file.name} {sha256(file)}" for file in sorted(files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def revision() -> str:
    """Git revision, with a + where the working tree differs; "unknown" outside a checkout or without git."""
    if shutil.which("git") is None:
        return "unknown"
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=10"]
    git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return git.stdout.strip() if git.returncode == 0 else "unknown"
