"""A dry run of a profile on this machine: what it reads, what of that is present, and which chapters can run.

    python -m lib.check --params params/50salads.yaml

Exit code 0: every chapter of the profile can run. 1: some cannot, and the table says why. 2: the call is wrong.
"""

import argparse
import hashlib
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from lib.batch.requirements import Requirement, missing, reads, relative, requirements, runnable, unusable
from lib.core.chapters import TITLES, number
from lib.core.command import one_line
from lib.core.settings import Params
from lib.data.profile import open_profile

WIDTH = 120
LARGE = 100_000_000  # bytes from which on a file is not read for its checksum


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.check", description="What a profile reads, and what can run.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    options = parser.parse_args(arguments)
    profile = open_profile(options.params)
    found, faults = requirements(profile), unusable(profile)
    reasons = runnable(profile, faults)
    print(f"{options.params}: what it reads that the project does not contain\n")
    print(input_table(found, faults) if found else "Nothing: it makes everything itself.")
    print(f"\n{chapter_table(profile.params, found, reasons)}")
    able = [name for name, reason in reasons.items() if not reason]
    print(f"\n{len(able)} of {len(reasons)} chapters can run{f': make report PARAMS={options.params}' if able else ''}")
    return 0 if len(able) == len(reasons) else 1


def input_table(found: Mapping[str, Requirement], faults: Mapping[str, str]) -> str:
    """What the user has to supply: state, size and licence in columns, the rest in lines below."""
    rows = [("state", "what", "size", "licence")]
    below: list[list[tuple[str, str]]] = [[]]
    for name, requirement in found.items():
        source = requirement.source
        rows.append((state(name, requirement, faults), requirement.what, source.size, source.licence))
        lines = [("at", ", ".join(map(relative, requirement.paths))), ("from", source.address)]
        if name in faults:
            lines.append(("fault", faults[name]))
        if source.checksum:
            lines.append(("checksum", checksum(requirement.paths[0], source.checksum)))
        below.append([*lines, ("for", ", ".join(map(number, requirement.chapters)))])
    return _table(rows, below)


def state(name: str, requirement: Requirement, faults: Mapping[str, str]) -> str:
    """present, missing or unusable; hub: fetched by its name."""
    if name in faults:
        return "unusable"
    if requirement.hub and not requirement.paths[0].exists():
        return "hub"
    return "missing" if missing(requirement) else "present"


def checksum(path: Path, expected: str) -> str:
    """The expected one, and how the file's compares; of a folder it is that of its model.safetensors."""
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.exists():
        return expected
    if file.stat().st_size > LARGE:
        return f"{expected} (not compared: larger than {LARGE // 1_000_000} MB)"
    algorithm, digest = expected.split(":")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, algorithm).hexdigest()
    return f"{expected} (equal)" if found == digest else f"{expected} (differs: {found}; another copy, or damaged)"


def chapter_table(params: Params, found: Mapping[str, Requirement], reasons: Mapping[str, str]) -> str:
    """The profile's chapters: whether they can run, what they need beside labels and splits, and why they cannot."""
    rows = [("runs", "chapter")]
    below: list[list[tuple[str, str]]] = [[]]
    for name, reason in reasons.items():
        rows.append(("no" if reason else "yes", TITLES[name]))
        groups = [[_in_words(one, found) for one in group if one != "labels"] for group in reads(name, params)]
        needed = "; ".join(" or ".join(filter(None, group)) for group in groups if found and any(group))
        below.append([("needs", needed)] * bool(needed) + [("because", reason)] * bool(reason))
    return _table(rows, below)


def _in_words(name: str, found: Mapping[str, Requirement]) -> str:
    """A need of a chapter: a requirement, "" where the profile has none such, or a chapter."""
    return found[name].what if name in found else f"chapter {number(name)}" if name in TITLES else ""


def _table(rows: Iterable[tuple[str, ...]], below: Iterable[Iterable[tuple[str, str]]]) -> str:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, more in zip(rows, below, strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for key, text in more:
            begin = f"{'':{widths[0]}}    {key:9}"
            wrapped = textwrap.wrap(text, WIDTH - len(begin), break_long_words=False, break_on_hyphens=False)
            lines += [f"{begin if number == 0 else ' ' * len(begin)}{line}" for number, line in enumerate(wrapped)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
