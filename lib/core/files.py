"""Files written whole or not at all, keys made of their content, and the revision of the code that wrote them."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
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


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left in a folder's tree: temporary files of dead processes, an hour old or older.

    The hour spares a writer on another machine, whose process number means nothing here.
    """
    for path in folder.rglob(".*.tmp*"):
        number = re.fullmatch(r"\..+\.(\d+)\.tmp(\..*)?", path.name)
        if number and not Path(f"/proc/{number[1]}").exists() and time.time() - path.stat().st_mtime > 3600:
            path.unlink(missing_ok=True)


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


def read_json(path: Path, optional: bool = False) -> Any:
    """The content of a JSON file; an empty dictionary if it is missing and `optional`."""
    return {} if optional and not path.exists() else json.loads(path.read_text(encoding="utf-8"))


MEGABYTE = 1 << 20
# one line per answer that took long to find, such as the digest of a large file: the answer, then the question
REMEMBERED = ROOT / "outputs" / ".sha256"
# of this file
OWN = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def sha256(path: Path) -> str:
    """SHA-256 of a file's content.

    A file of a megabyte or more is not read again while its path, inode, size, mtime and ctime are those of an earlier
    reading. The kernel sets ctime at every write and rename, so `touch -d`, `cp -p` or `rsync -a` cannot hide a change;
    a clock set back, or a write that bypasses the file system, can. Smaller files are always read.
    """
    status = path.stat()
    if status.st_size < MEGABYTE:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    as_it_is = [str(path.resolve()), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]

    def digest() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return _remember(as_it_is, digest)


def _remember(question: list, answer: Callable[[], str]) -> str:
    """Compute an answer (without spaces) once, and keep it for this process and later ones."""
    asked = json.dumps(question)
    if asked not in (known := _remembered()):
        known[asked] = answer()
        # only a cache: if outputs/ cannot be written, it is computed again next time
        with suppress(OSError), REMEMBERED.open("a", encoding="utf-8") as lines:
            lines.write(f"{known[asked]} {asked}\n")
    return known[asked]


@cache
def _remembered() -> dict[str, str]:
    if not REMEMBERED.exists():
        return {}
    lines = (line.partition(" ") for line in REMEMBERED.read_text(encoding="utf-8").splitlines())
    return {question: answer for answer, _, question in lines}


def _remember_source(what: str, source: str, answer: Callable[[], str]) -> str:
    """Remember an answer about a module's text. The question includes this file, which finds it, and the Python."""
    return _remember([what, hashlib.sha256(source.encode()).hexdigest(), OWN, *sys.version_info[:2]], answer)


def imported_modules(source: Path) -> set[Path]:
    """Files of lib/ that a Python file imports, directly or through others; found without executing anything."""
    found: set[Path] = set()
    todo = {source}
    while todo:
        new = imports_of(todo.pop().read_text(encoding="utf-8")) - found
        found |= new
        todo |= new
    return found


def imports_of(source: str) -> frozenset[Path]:
    """Files of lib/ that a Python source imports directly."""
    found = set()
    for name in _remember_source("imports", source, lambda: ",".join(_imported_names(source))).split(","):
        if name == "lib" or name.startswith("lib."):
            base = ROOT.joinpath(*name.split("."))
            found |= {file for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()}
    return frozenset(found)


def _imported_names(source: str) -> list[str]:
    """All names that may be modules; for `from a import b`, both a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return sorted(names)


def key(values: Any, code: Iterable[str] = (), files: Iterable[Path] = ()) -> str:
    """Identity of a result: parameters, the syntax of the modules that compute it, and the content of its input files.

    A module whose results are hashed as files (features, weights) need not be in `code`; tests/test_keys.py compares
    each list with what the modules import.

    Args:
        values: anything that JSON can hold.
        code: modules by room and name, e.g. ("asformer.model", "asformer.training").
    """
    modules = [ROOT.joinpath("lib", *name.split(".")).with_suffix(".py") for name in code]
    parts = [json.dumps(values, sort_keys=True, default=str)]
    parts += sorted(map(syntax_hash, modules))
    parts += sorted(sha256(file) for module in modules for file in lists_of(module))
    parts += [f"{file.name} {sha256(file)}" for file in sorted(files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def syntax(source: str) -> str:
    """Syntax tree of a module as text. Docstrings, comments, line numbers and the places of lib's modules are left out.

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


def lists_of(module: Path) -> list[Path]:
    """The YAML file beside a module, if any: lib/demo/talk.yaml is part of talk.py."""
    return [file for file in (module.with_suffix(".yaml"),) if file.exists()]


def syntax_hash(module: Path) -> str:
    """Hash of a module's `syntax`."""
    source = module.read_text(encoding="utf-8")
    return _remember_source("syntax", source, lambda: hashlib.sha256(syntax(source).encode()).hexdigest())


@cache
def revision() -> str:
    """Git revision, with a + if the working tree differs; "unknown" without git or a checkout of this project.

    A different repository around the project's folder, or one that GIT_DIR names, is ignored.
    """
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return "unknown"
    command = ["git", f"--git-dir={ROOT / '.git'}", f"--work-tree={ROOT}"]
    command += ["describe", "--always", "--dirty=+", "--abbrev=10"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return git.stdout.strip() if git.returncode == 0 else "unknown"
