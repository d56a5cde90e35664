"""`make report`: check the parameters, let Snakemake run the atoms that are not fresh, build the site.

Chapters whose inputs are not on this machine are left out by name; `python -m lib.check` says where to get them.

    python -m lib.schedule --params params/demo.yaml --cores 2

It owns what Snakemake leaves to its user after a kill (stale locks, incomplete files, orphans).
Further options are handed to Snakemake: `--dry-run`, `--keep-going`, `--workflow-profile params/slurm`.
"""

import argparse
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

from lib.artifacts import write_json
from lib.inspection import unusable
from lib.params import ParameterError, load, profile_name
from lib.paths import ROOT, Outputs
from lib.processes import die_with_parent
from lib.report import build
from lib.requirements import hint, missing, relative, requirements, runnable
from lib.sections import Params
from lib.titles import TITLES

PATIENCE = 20  # seconds that the processes of a killed run get to end


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.schedule", description="Make the report of a profile.")
    parser.add_argument("--params", default="params/demo.yaml")
    parser.add_argument("--cores", default=os.cpu_count(), type=int)
    options, further = parser.parse_known_args()
    try:
        params = load(options.params)
        outputs = Outputs(profile_name(options.params))
        left_out = plan(params, outputs, options.params)
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
        forget_overridden(outputs)
        chapters = [name for name in params.notebooks if name not in left_out]
        code = run_atoms(options.params, options.cores, further, chapters)
        if code or "--dry-run" in further or "-n" in further:
            return code
        page = build(params, outputs, left_out)
        print(f"the report: {page.relative_to(ROOT)}")
    return 0


def plan(params: Params, outputs: Outputs, profile: str) -> dict[str, str]:
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


def run_atoms(profile: str, cores: int, further: list[str], chapters: list[str]) -> int:
    """Snakemake over these chapters' atoms that are not fresh; its own lock is off, as one lock a profile is ours."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", "Snakefile", "--cores", str(cores), "--nolock"]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "input", "--quiet", "rules", "host"]
    command += [*further, "--config", f"params={profile}", f"chapters={','.join(chapters)}"]
    environment = os.environ | {"REPORT_SCHEDULED": "1", "REPORT_CORES": str(cores)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, preexec_fn=partial(die_with_parent, os.getpid())
    ).returncode


def forget_overridden(outputs: Outputs) -> None:
    """Results that someone made by hand with `--set` are not the profile's: let them be made again."""
    for manifest in outputs.notebooks.glob("*/[!.]*.json"):
        if json.loads(manifest.read_text(encoding="utf-8"))["overrides"]:
            manifest.unlink()


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
