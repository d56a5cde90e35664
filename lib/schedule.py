"""`make report`: check the parameters, let Snakemake run the atoms that are not fresh, build the site.

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
from functools import partial
from pathlib import Path
from typing import TextIO

from lib.artifacts import write_json
from lib.params import ParameterError, check_files, load, profile_name
from lib.paths import ROOT, Outputs
from lib.processes import die_with_parent
from lib.sections import Params

PATIENCE = 20  # seconds that the processes of a killed run get to end


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.schedule", description="Make the report of a profile.")
    parser.add_argument("--params", default="params/demo.yaml")
    parser.add_argument("--cores", default=os.cpu_count(), type=int)
    options, further = parser.parse_known_args()
    try:
        params = load(options.params)
        outputs = Outputs(profile_name(options.params))
        check_files(params, outputs, params.notebooks)
    except ParameterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    lock = take_lock(outputs.root / ".lock")
    if lock is None:
        print(f"error: another run is making {outputs.root.relative_to(ROOT)}; wait for it or stop it", file=sys.stderr)
        return 1
    with lock:
        forget_overridden(outputs)
        code = run_atoms(options.params, options.cores, further)
        if code or "--dry-run" in further or "-n" in further:
            return code
        from lib.report import build

        page = build(params, outputs)
        print(f"the report: {page.relative_to(ROOT)}")
    return 0


def run_atoms(profile: str, cores: int, further: list[str]) -> int:
    """Snakemake over the atoms that are not fresh; its own lock is off, since one lock a profile is ours."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", "Snakefile", "--cores", str(cores), "--nolock"]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "input", "--quiet", "rules", "host"]
    command += [*further, "--config", f"params={profile}"]
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
