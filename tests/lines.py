"""How many lines of Python each room has, beside its limit: `make lines`. Exit code 1 where one is passed.

The limits are the plan's. They were set before real modalities and their pairs (4.3, 4.4), sensors, the audit's later
claims, SLURM and the narrations' files at full size; what is over them has to be worth it.
"""

import sys
from pathlib import Path

from lib.core.paths import ROOT

SCIENCE = ("data", "backbones", "asformer", "videoclip", "pretraining", "scoring")
LIMITS = {"lib, with the demo": 13_500, "science: data to scoring": 6_500, "core": 1_300, "tests": 9_000}


def count(*folders: Path) -> int:
    """Lines of all Python files below some folders, blank ones and comments too."""
    return sum(
        len(file.read_text(encoding="utf-8").splitlines()) for folder in folders for file in folder.rglob("*.py")
    )


def main() -> int:
    lib = ROOT / "lib"
    rooms = sorted(folder for folder in lib.iterdir() if (folder / "__init__.py").exists())
    for room in rooms:
        print(f"{count(room):7,}  {len(list(room.rglob('[!_]*.py'))):3} files  lib/{room.name}")
    commands = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in lib.glob("*.py"))
    print(f"{commands:7,}  {len(list(lib.glob('[!_]*.py'))):3} files  lib/*.py, the commands")
    found = {
        "lib, with the demo": count(lib),
        "science: data to scoring": count(*(lib / name for name in SCIENCE)),
        "core": count(lib / "core"),
        "tests": count(ROOT / "tests"),
    }
    for name, limit in LIMITS.items():
        print(f"{found[name]:7,}  of {limit:,} {'' if found[name] <= limit else 'OVER '}{name}")
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
