# Notebooks x splits -> outputs. `make report` calls it through lib/schedule.py; by hand, with a dry run:
#   snakemake --cores 2 --config params=params/demo.yaml --dry-run
# On a cluster: --workflow-profile params/slurm. Each job is one `python -m lib.run`.
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from dataclasses import replace

from lib.batch.requirements import input_files, runnable, write_sections
from lib.core.chapters import CHAPTERS, atoms, needs
from lib.core.files import imported_modules
from lib.data.profile import open_profile

PROFILE = open_profile(config.get("params", "params/demo.yaml"))
OUT = f"outputs/{PROFILE.out.profile}"
write_sections(PROFILE.params, PROFILE.out.root / "params")
# Only chapters whose inputs are there: lib/schedule.py has looked into the files and names them; by hand, those that exist.
ABLE = config.get("chapters") or ",".join(name for name, reason in runnable(PROFILE).items() if not reason)
PARAMS = PROFILE.params.model_copy(update={"notebooks": tuple(filter(None, ABLE.split(",")))})
PROFILE = replace(PROFILE, params=PARAMS)


def manifest(atom):
    return f"{OUT}/notebooks/{atom[0]}/{atom[1]}.json"


def inputs(wildcards):
    """The notebook, the modules it imports, the parameters it reads, the data, what must be done before."""
    source = ROOT / "notebooks" / f"{wildcards.notebook}.py"
    code = sorted(str(file.relative_to(ROOT)) for file in imported_modules(source))
    sections = [f"{OUT}/params/{name}.json" for name in CHAPTERS[wildcards.notebook].sections]
    before = [manifest(atom) for atom in needs((wildcards.notebook, wildcards.split), PARAMS)]
    return [f"notebooks/{wildcards.notebook}.py", *code, *sections, *input_files(wildcards.notebook, PROFILE), *before]


rule report:
    input: [manifest(atom) for atom in atoms(PARAMS)]


rule atom:
    input: inputs
    output: OUT + "/notebooks/{notebook}/{split}.json"
    wildcard_constraints: split="[0-9]+|all"
    resources: gpu=1
    message: "{wildcards.notebook}, split {wildcards.split}"
    shell: "exec {sys.executable} -m lib.run notebooks/{wildcards.notebook}.py --params {PROFILE.file} --split {wildcards.split}"
