"""Check a profile on this machine: what it reads, which of it is present, and which chapters can run.

    python -m lib.check --params params/50salads.yaml

Exit code 0: every chapter of the profile can run. 1: some cannot, and the table says why. 2: the call is wrong.
"""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pooch

from lib.batch.requirements import Requirement, missing, reads, relative, requirements, runnable, unusable
from lib.core.chapters import TITLES, number
from lib.core.command import one_line, profile_parser
from lib.core.settings import Params
from lib.data.profile import open_profile

WIDTH = 120
LARGE = 100_000_000  # bytes; the checksum of a larger file is not computed


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("check", "What a profile reads, and what can run.")
    options = parser.parse_args(arguments)
    profile = open_profile(options.params)
    found, faults = requirements(profile), unusable(profile)
    reasons = runnable(profile, faults)
    print(f"{options.params}: what it reads that the project does not contain\n")
    print(input_table(found, faults) if found else "Nothing: all inputs are generated.")
    print(f"\n{chapter_table(profile.params, found, reasons)}")
    able = [name for name, reason in reasons.items() if not reason]
    print(f"\n{len(able)} of {len(reasons)} chapters can run{f': make report PARAMS={options.params}' if able else ''}")
    return 0 if len(able) == len(reasons) else 1


def input_table(found: Mapping[str, Requirement], faults: Mapping[str, str]) -> str:
    """List what the user has to supply: its state, where it belongs, where to get it, and which chapters read it."""
    entries = []
    for name, requirement in found.items():
        source = requirement.source
        lines = {
            "at": ", ".join(map(relative, requirement.paths)),
            "from": source.address,
            "size": source.size,
            "licence": source.licence,
            "fault": faults.get(name, ""),
            "checksum": checksum(requirement.paths[0], source.checksum) if source.checksum else "",
            "for": ", ".join(map(number, requirement.chapters)),
        }
        entries.append(_entry(state(name, requirement, faults), requirement.what, lines))
    return "\n".join(entries)


def state(name: str, requirement: Requirement, faults: Mapping[str, str]) -> str:
    """State of a requirement: present, missing, unusable, or fetched by its name from the hub."""
    if name in faults:
        return "unusable"
    if requirement.hub and not requirement.paths[0].exists():
        return "hub"
    return "missing" if missing(requirement) else "present"


def checksum(path: Path, expected: str) -> str:
    """The expected checksum, and whether the file has it; of a folder, its model.safetensors."""
    file = path / "model.safetensors" if path.is_dir() else path
    if not file.exists():
        return expected
    if file.stat().st_size > LARGE:
        return f"{expected} (not compared: larger than {LARGE // 1_000_000} MB)"
    algorithm, digest = expected.split(":")
    found = pooch.file_hash(str(file), algorithm)
    return f"{expected} (equal)" if found == digest else f"{expected} (differs: {found}; another copy, or damaged)"


def chapter_table(params: Params, found: Mapping[str, Requirement], reasons: Mapping[str, str]) -> str:
    """List the profile's chapters: whether they can run, what they need besides labels and splits, why they cannot."""
    entries = []
    for name, reason in reasons.items():
        groups = [[_in_words(one, found) for one in group if one != "labels"] for group in reads(name, params)]
        needed = "; ".join(" or ".join(filter(None, group)) for group in groups if found and any(group))
        entries.append(_entry("no" if reason else "yes", TITLES[name], {"needs": needed, "because": reason}))
    return "\n".join(entries)


def _in_words(name: str, found: Mapping[str, Requirement]) -> str:
    """Name what a chapter needs: a requirement or a chapter; "" if the profile has no requirement of this name."""
    return found[name].what if name in found else f"chapter {number(name)}" if name in TITLES else ""


def _entry(state: str, title: str, lines: Mapping[str, str]) -> str:
    """Format a state with its title and, below, the lines that are not empty."""
    found = [f"{state:10}{title}"]
    for name, text in lines.items():
        wrapper = textwrap.TextWrapper(WIDTH, f"{'':12}{name:10}", " " * 22, break_long_words=False)
        wrapper.break_on_hyphens = False
        found += wrapper.wrap(text)
    return "\n".join(found)


if __name__ == "__main__":
    sys.exit(main())
