"""`make report`: check the parameters, say the plan, let Snakemake run the atoms that are not fresh, build the site.

Chapters whose inputs are not on this machine are left out by name; `python -m lib.check` says where to get them.

    python -m lib.schedule --params params/demo.yaml --cores 2

It owns what Snakemake leaves to its user after a kill (stale locks, incomplete files, orphans).
`--dry-run` stops after the plan; `--keep-going` makes the rest of the report where an atom fails.
Further options are handed to Snakemake: `--workflow-profile params/slurm`.
"""

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from lib.batch.events import events
from lib.batch.inspection import left_out_lines, unable
from lib.batch.plan import forgotten, manifest, plan
from lib.batch.printing import failure_lines, follow, plan_lines
from lib.batch.requirements import without
from lib.core.chapters import MANY, atoms
from lib.core.params import ParameterError
from lib.core.paths import ROOT
from lib.core.processes import die_with_parent
from lib.data.profile import Profile, open_profile
from lib.site.build import build

CLUSTER = ("--workflow-profile", "--profile", "--executor", "-e")  # then it is not ours how many atoms run at a time
PATIENCE = 20  # seconds that the processes of a killed run get to end


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.schedule", description="Make the report of a profile.")
    parser.add_argument("--params", default="params/demo.yaml")
    parser.add_argument("--cores", default=os.cpu_count(), type=int)
    options, further = parser.parse_known_args()
    try:
        profile = open_profile(options.params)
        left_out = unable(profile)
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for line in left_out_lines(left_out, profile):
        print(line)
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    lock = take_lock(profile.out.root / ".lock")
    if lock is None:
        print(
            f"error: another run is making {profile.out.root.relative_to(ROOT)}; wait for it or stop it",
            file=sys.stderr,
        )
        return 1
    with lock:
        try:
            return make(profile, options, further, left_out)
        except ParameterError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2


def make(profile: Profile, options: argparse.Namespace, further: list[str], left_out: Mapping[str, str]) -> int:
    """Say the plan, run it, build the site.

    Args:
        options: `params` (the profile's file) and `cores`.
        further: options of Snakemake.
        left_out: chapters that cannot run, and why.

    Returns:
        The exit code: 0 where all that can run is made.
    """
    able = without(profile, left_out)
    keep_going = bool({"--keep-going", "-k"} & {*further})
    cores = None if any(word.startswith(CLUSTER) for word in further) else options.cores
    steps = plan(able, further)
    print(*plan_lines(steps, able.params, cores), sep="\n", flush=True)
    if {"--dry-run", "-n"} & {*further}:
        return 0
    code = 0
    if any(step.runs for step in steps):
        for atom in forgotten(able):
            manifest(profile.out, atom).unlink(missing_ok=True)
        waited_for = [
            os.path.relpath(manifest(profile.out, atom), ROOT) for atom in atoms(able.params) if atom[0] == MANY
        ]
        urgent = ["--prioritize", *waited_for] if waited_for else []  # the longest chain of chapters goes through it
        happening = events(options.params, options.cores, able.params.notebooks, [*urgent, *further])
        code, failed = follow(happening, steps, able.params, cores, keep_going)
        for line in failure_lines(failed, able):
            print(line)
    if code and not keep_going:
        print("the report was not made; OPTIONS=--keep-going makes the rest of it")
        return code
    page = build(profile, left_out)
    print(f"the report: {page.relative_to(ROOT)}")
    return code


def take_lock(path: Path) -> TextIO | None:
    """The profile's lock; a killed run's last processes get a moment to let go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    for _ in range(PATIENCE * 2):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(0.5)
    file.close()
    return None


if __name__ == "__main__":
    sys.exit(main())
