"""What failed in the last run, read from the notebooks that `lib.run` left."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lib.batch.requirements import relative
from lib.core.chapters import Atom, atoms, needs, number
from lib.core.files import read_json
from lib.core.paths import ROOT
from lib.core.settings import Params
from lib.data.profile import Profile

LAST_LINES = 8
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Failure:
    """An atom that failed."""

    atom: Atom
    error: str  # one line, e.g. "DatasetError: rgb-03-1.npy: holds NaN"
    lines: tuple[str, ...]  # the last lines that the notebook wrote
    notebook: Path  # the notebook up to the error

    @property
    def summary(self) -> str:
        """The failure in one line, e.g. "2.3.1, split 3: DatasetError: rgb-03-1.npy: holds NaN"."""
        return f"{short(self.atom)}: {self.error}"


def short(atom: Atom) -> str:
    """Name an atom by its section and split.

    >>> short(("2_3_1_public_features", "3")), short(("2_1_datasets", "all"))
    ('2.3.1, split 3', '2.1')
    """
    return number(atom[0]) + (f", split {atom[1]}" if atom[1] != "all" else "")


def failures(profile: Profile) -> list[Failure]:
    """Find the profile's atoms whose last run failed; a run by hand with `--set` does not count."""
    found = []
    for atom in atoms(profile.params):
        file = profile.out.notebooks / atom[0] / f"{atom[1]}.failed.ipynb"
        if file.exists():
            notebook = read_json(file)
            if not notebook["metadata"]["papermill"]["parameters"]["overrides"]:
                found.append(Failure(atom, *_error(notebook), file))
    return found


def behind(params: Params) -> Callable[[Atom], frozenset[Atom]]:
    """Return a function that maps an atom to itself and all atoms that must be done before it."""

    @cache
    def of(atom: Atom) -> frozenset[Atom]:
        return frozenset({atom}).union(*map(of, needs(atom, params)))

    return of


def troubled(profile: Profile) -> dict[str, list[Failure]]:
    """Find incomplete chapters, each with the failures of its own atoms or of those that it waits for.

    `profile`: its `notebooks` are the chapters that can run on this machine.
    """
    failed, of = failures(profile), behind(profile.params)
    found: dict[str, list[Failure]] = {}
    for name in profile.params.notebooks:
        before = frozenset().union(*(of(atom) for atom in atoms(profile.params) if atom[0] == name))
        if ones := [failure for failure in failed if failure.atom in before]:
            found[name] = ones
    return found


def lines(failure: Failure) -> list[str]:
    """Lines to print about a failure."""
    shown = [f"    {line}" for line in failure.lines]
    return [f"failed: {failure.summary}", *shown, f"    the notebook up to the error: {relative(failure.notebook)}"]


def _error(notebook: dict) -> tuple[str, tuple[str, ...]]:
    """Find the error, as one line, and the last lines of output; paths are relative to the project's folder."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    for output in outputs:
        if output["output_type"] == "error":
            value = (output["evalue"].splitlines() or [""])[0].replace(f"{ROOT}/", "")
            return f"{output['ename']}: {value}", _last("\n".join(output["traceback"]))
    written = "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    return notebook["metadata"].get("error", "its kernel died (out of memory?)"), _last(written)


def _last(text: str) -> tuple[str, ...]:
    written = [line.rstrip() for line in COLOURS.sub("", text).replace(f"{ROOT}/", "").splitlines() if line.strip()]
    return tuple(written[-LAST_LINES:])
