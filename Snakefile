# Runs the atoms that are not fresh, each after those that it depends on; each job is one `python -m lib.run`.
# `make report` decides which these are (lib/batch/plan.py), writes them into `schedule.json` and calls Snakemake
# (lib/batch/running.py) in the folder that has a mark for each finished atom.
# On a cluster: make report OPTIONS="--workflow-profile params/slurm".
import json
import logging
import os
import shlex
import sys
from pathlib import Path

from snakemake.logging import logger

ROOT = Path(workflow.basedir)
SCHEDULE = json.loads(Path("schedule.json").read_text(encoding="utf-8"))
ATOMS = SCHEDULE["atoms"]  # "notebook/split": the atoms that it waits for


def call(notebook, split):
    """An atom's call, as the shell reads it."""
    # in a fork, where there is a process that forks (lib/batch/warm.py)
    words = [sys.executable, "-m", *(["lib.batch.warm"] if "REPORT_WARM" in os.environ else []), "lib.run"]
    words += [f"notebooks/{notebook}.py", f"--params={SCHEDULE['profile']}", "--split", split]
    words += ["--log", f"{SCHEDULE['logs']}/{notebook}/{split}.log"]
    return f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(words)}"


def note(record):
    """Keep a warning where `make report` finds it; Snakemake's log does not tell it from the rest."""
    if record.levelno == logging.WARNING:
        with open(SCHEDULE["warnings"], "a", encoding="utf-8") as file:
            file.write(" ".join(record.getMessage().split()) + "\n")
    return True


logger.addFilter(note)


rule report:
    input: [f"done/{atom}" for atom in ATOMS]


rule atom:
    input: lambda wildcards: [f"done/{atom}" for atom in ATOMS[f"{wildcards.notebook}/{wildcards.split}"]]
    output: touch("done/{notebook}/{split}")
    resources: gpu=1
    params: call=lambda wildcards: call(wildcards.notebook, wildcards.split)
    shell: "{params.call}"
