"""`make report`: check the parameters, say the plan, let Snakemake run the atoms that are not fresh, build the site.

Chapters whose inputs are not on this machine are left out by name; `python -m lib.check` says where to get them.

    python -m lib.schedule --params params/demo.yaml --cores 2

It owns what Snakemake leaves to its user after a kill (stale locks, incomplete files, orphans).
`--dry-run` stops after the plan; `--keep-going` makes the rest of the report where an atom fails.
Further options are handed to Snakemake: `--workflow-profile params/slurm`.
"""

import argparse
import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from lib.artifacts import write_json
from lib.chapters import MANY, atoms
from lib.events import events
from lib.inspection import unusable
from lib.language import UntranslatedError
from lib.params import ParameterError, load, profile_name
from lib.paths import ROOT, Outputs
from lib.plan import forgotten, manifest, plan
from lib.processes import die_with_parent
from lib.report import build
from lib.requirements import hint, missing, relative, requirements, runnable, without
from lib.running import failure_lines, follow, plan_lines
from lib.sections import Params
from lib.titles import TITLES

CLUSTER = ("--workflow-profile", "--profile", "--executor", "-e")  # then it is not ours how many atoms run at a time
PATIENCE = 20  # seconds that the processes of a killed run get to end


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.schedule", description="Make the report of a profile.")
    parser.add_argument("--params", default="params/demo.yaml")
    parser.add_argument("--cores", default=os.cpu_count(), type=int)
    options, further = parser.parse_known_args()
    try:
        params = load(options.params)
        outputs = Outputs(profile_name(options.params))
        left_out = unable(params, outputs, options.params)
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for line in left_out_lines(left_out, options.params):
        print(line)
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    lock = take_lock(outputs.root / ".lock")
    if lock is None:
        print(f"error: another run is making {outputs.root.relative_to(ROOT)}; wait for it or stop it", file=sys.stderr)
        return 1
    with lock:
        try:
            return make(params, outputs, options, further, left_out)
        except (ParameterError, UntranslatedError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2


def make(
    params: Params, outputs: Outputs, options: argparse.Namespace, further: list[str], left_out: Mapping[str, str]
) -> int:
    """Say the plan, run it, build the site.

    Args:
        options: `params` (the profile's file) and `cores`.
        further: options of Snakemake.
        left_out: chapters that cannot run, and why.

    Returns:
        The exit code: 0 where all that can run is made.
    """
    able = without(params, left_out)
    keep_going = bool({"--keep-going", "-k"} & {*further})
    cores = None if any(word.startswith(CLUSTER) for word in further) else options.cores
    steps = plan(able, outputs, options.params, further)
    print(*plan_lines(steps, able, cores), sep="\n", flush=True)
    if {"--dry-run", "-n"} & {*further}:
        return 0
    code = 0
    if any(step.runs for step in steps):
        for atom in forgotten(able, outputs):
            manifest(outputs, atom).unlink(missing_ok=True)
        waited_for = [os.path.relpath(manifest(outputs, atom), ROOT) for atom in atoms(able) if atom[0] == MANY]
        urgent = ["--prioritize", *waited_for] if waited_for else []  # the longest chain of chapters goes through it
        happening = events(options.params, options.cores, able.notebooks, [*urgent, *further])
        code, failed = follow(happening, steps, able, cores, keep_going)
        for line in failure_lines(failed, able, outputs):
            print(line)
    if code and not keep_going:
        print("the report was not made; OPTIONS=--keep-going makes the rest of it")
        return code
    page = build(params, outputs, left_out)
    print(f"the report: {page.relative_to(ROOT)}")
    return code


def unable(params: Params, outputs: Outputs, profile: str) -> dict[str, str]:
    """Chapters that cannot run on this machine, and why.

    Raises:
        ParameterError: there is no data set, or no chapter can run.
    """
    faults = unusable(params, outputs)
    labels = requirements(params, outputs).get("labels")
    if "labels" in faults:
        raise ParameterError(f"data set: {faults['labels']}; {hint(profile)}")
    if labels and (absent := missing(labels)):
        raise ParameterError(f"data set: missing {', '.join(map(relative, absent))}; {hint(profile)}")
    left_out = {name: reason for name, reason in runnable(params, outputs, faults).items() if reason}
    if len(left_out) == len(params.notebooks):
        raise ParameterError(f"no chapter can run; {next(iter(left_out.values()))}; {hint(profile)}")
    return left_out


def left_out_lines(left_out: Mapping[str, str], profile: str) -> list[str]:
    """A line a chapter that is left out."""
    return [f"left out: {TITLES[name]}: {reason}; {hint(profile)}" for name, reason in left_out.items()]


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


def write_sections(params: Params, folder: Path) -> None:
    """A file a parameter section, rewritten only where it changed: they are the schedule's input files."""
    for name, value in params.model_dump(mode="json").items():
        file = folder / f"{name}.json"
        if not file.exists() or json.loads(file.read_text()) != value:
            write_json(file, value)


if __name__ == "__main__":
    sys.exit(main())
