# Runs the atoms that are not fresh, each after those that it stands on. `make report` decides which these are (lib/batch/plan.py),
# writes them into `schedule.json` and calls Snakemake (lib/batch/running.py) in the folder where it keeps a mark for each
# atom that is done. On a cluster: make report OPTIONS="--workflow-profile params/slurm". Each job is one `python -m lib.run`.
import json
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
SCHEDULE = json.loads(Path("schedule.json").read_text(encoding="utf-8"))
ATOMS = SCHEDULE["atoms"]  # "notebook/split": the atoms that it waits for


rule report:
    input: [f"done/{atom}" for atom in ATOMS]


rule atom:
    input: lambda wildcards: [f"done/{atom}" for atom in ATOMS[f"{wildcards.notebook}/{wildcards.split}"]]
    output: touch("done/{notebook}/{split}")
    params: root=str(ROOT), python=sys.executable, profile=SCHEDULE["profile"], log=lambda wildcards: f"{SCHEDULE['logs']}/{wildcards.notebook}/{wildcards.split}.log"
    resources: gpu=1
    shell: "cd {params.root:q} && exec {params.python:q} -m lib.run notebooks/{wildcards.notebook}.py --params={params.profile:q} --split {wildcards.split} --log {params.log:q}"
