"""A report on a real SLURM: what waits, fails or was left by a killed run is named, and the same command goes on.

The guide's array script and torchrun lines run as they are printed, but for sizes and names of files.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from narrated_data import minilm_tokenizer, packed_videos
from report_runs import start
from safetensors import safe_open
from slurm import Slurm, free_ports, missing, slurm
from test_pretrain import command
from test_schedule import NOTEBOOK, small_data_set, write_profile

from lib.batch.slurm import status_options
from lib.core.params import ParameterError
from lib.core.paths import ROOT, Outputs

GUIDE = (ROOT / "notebooks" / "guides" / "clusters.md").read_text()
OPTIONS = ("--workflow-profile", "params/slurm", "--slurm-init-seconds-before-status-checks", "2")
WAITS = r"waits   2\.3\.1 .*, split 1: SLURM job {} pending \("
pytestmark = [pytest.mark.full, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(slurm())
        except (OSError, RuntimeError) as error:
            pytest.skip(f"SLURM does not start here: {error}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, running.environment[name])
        patch.setenv("OMP_NUM_THREADS", "1")
        yield running


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> Iterator[Path]:
    """Two atoms: a split of two videos, and what collates it."""
    folder = tmp_path_factory.mktemp("slurm")
    path = folder / f"slurm_{os.getpid()}.yaml"
    small_data_set(folder / "data", 2)
    for bundle in folder.glob("data/splits/*.split2.bundle"):
        bundle.unlink()
    write_profile(path, folder / "data", split_jobs=True)
    values = yaml.safe_load(path.read_text())
    values["data"]["splits"] = 1
    path.write_text(yaml.safe_dump(values))
    yield path
    shutil.rmtree(Outputs(path.stem).root, ignore_errors=True)


def until(process: subprocess.Popen, pattern: str) -> str:
    """What it prints up to a line with this pattern."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, line):
            return said
    raise AssertionError(f"{pattern!r} not in:\n{said}")


def ended(process: subprocess.Popen, code: int, pattern: str) -> str:
    """What the pattern's group matches in the rest of what it prints."""
    try:
        said, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    found = re.search(pattern, said)
    assert process.returncode == code and found, said
    return found[1]


def test_a_report_goes_on_after_whatever_happens(cluster, profile):
    node = f"NodeName={cluster.run('sinfo', '--noheader', '--format=%n')}"
    cluster.run("scontrol", "update", node, "State=drain", "Reason=dust")
    run = start(profile, *OPTIONS)
    until(run, WAITS.format(1))
    run.kill()
    run.communicate()

    run = start(profile, *OPTIONS)
    said = until(run, WAITS.format(2))
    assert "cancelled what an earlier run left in the queue: SLURM jobs 1\n" in said
    run.send_signal(signal.SIGINT)
    ended(run, 130, r"^(interrupted)\n$")
    assert not cluster.run("squeue", "--noheader")

    run = start(profile, *OPTIONS)
    until(run, WAITS.format(3))
    mapping = profile.parent / "data" / "mapping.txt"
    hidden = mapping.rename(mapping.with_name("hidden.txt"))
    cluster.run("scontrol", "update", node, "State=resume")
    log = ended(run, 1, r"failed: 2\.3\.1, split 1: .*mapping\.txt.*\nthe log of 2\.3\.1, split 1: (\S+)")
    hidden.rename(mapping)
    assert "mapping.txt" in (ROOT / log).read_text()

    run = start(profile, *OPTIONS)
    until(run, "started 2.3.1")
    cluster.run("scancel", "4")
    log = ended(run, 1, r"failed: 2\.3\.1, split 1: SLURM job 4 cancelled.*; its log: (\S+)")
    assert "CANCELLED" in (ROOT / log).read_text()

    run = start(profile, *OPTIONS)
    until(run, "started 2.3.1")
    cluster.end("slurmctld", signal.SIGKILL)
    cluster.start("slurmctld")
    # killed before it had noted the launch, the controller launches the job a second time, which the node refuses
    said, _ = run.communicate(timeout=300)
    if run.returncode:
        assert re.search(r"failed: 2\.3\.1, split 1: SLURM job 5 pending \(launch failed requeued held\)", said), said
        run = start(profile, *OPTIONS)
        said, _ = run.communicate(timeout=300)
    assert run.returncode == 0 and (ROOT / re.findall(r"the report: (\S+)", said)[0]).exists(), said
    assert not cluster.run("squeue", "--noheader")


def test_what_slurm_refuses_is_named(cluster, profile):
    profile.write_text(profile.read_text().replace("epochs: 12", "epochs: 13"))
    run = start(profile, *OPTIONS, "--default-resources", "slurm_partition=moon", "runtime=1", "mem_mb=100")
    ended(run, 1, "(error: Snakemake: SLURM sbatch failed.*invalid partition specified: moon)")


def test_how_the_end_of_a_job_is_learnt_depends_on_the_cluster(cluster, monkeypatch):
    assert status_options()[1] == "squeue"
    answers = {"scontrol": "MinJobAge = 10 sec", "sacct": ""}
    monkeypatch.setattr("lib.batch.slurm._ask", lambda program, *_: answers[program])
    assert status_options()[1] == "sacct"
    monkeypatch.undo()
    cluster.run("sed", "--in-place", "s/MinJobAge=.*/MinJobAge=10/", f"{cluster.folder}/slurm.conf")
    cluster.run("scontrol", "reconfigure")
    with pytest.raises(ParameterError, match=r"after 10 s .*no accounts \(sacct: Slurm accounting storage is disabled"):
        status_options()


def example(title: str, number: int = 0) -> str:
    """A block of the guide."""
    return re.findall(r"^```bash\n(.*?)^```$", GUIDE.partition(f"\n## {title}\n")[2], re.M | re.S)[number]


def changed(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the guide has no {old!r}"
        text = text.replace(old, new)
    return text


def test_the_guides_array_runs(cluster, profile, tmp_path):
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "splits.sh").write_text(changed(example("SLURM by hand"), {"1-5": "1-1"}))
    lines = changed(example("SLURM by hand", 1), {"params/50salads.yaml": str(profile)})
    waiting = os.environ | {"SBATCH_WAIT": "1"}
    done = subprocess.run(["bash", "-ec", lines], cwd=tmp_path, env=waiting, capture_output=True, text=True)
    logs = "".join(file.read_text() for file in [*tmp_path.glob("*.log"), *tmp_path.glob("*.out")])
    assert done.returncode == 0, done.stderr + logs
    made = Outputs(profile.stem).notebooks / NOTEBOOK
    assert {file.name for file in made.glob("*.json")} == {"1.json", "all.json"}, logs


def test_the_guides_lines_train_on_two_nodes(cluster, tmp_path):
    packed_videos(tmp_path, minilm_tokenizer())
    code = command([], tmp_path / "packed", tmp_path / "two")[-1]
    changes = {"-m lib.pretrain --params params/50salads.yaml --recipe own": code, "29500": str(free_ports(1)[0])}
    # one node with two tasks in the place of two nodes
    changes |= {"--ntasks-per-node=1": "--ntasks=2", '"$SLURM_NNODES"': "2", "--nproc-per-node=8": "--nproc-per-node=1"}
    script = tmp_path / "job.sh"
    lines = changed(example("Pre-training on several GPUs and nodes"), changes)
    script.write_text(f"#!/bin/bash\n#SBATCH --ntasks=2 --output=job.log\ncd {ROOT}\n{lines}")
    done = subprocess.run(["sbatch", "--wait", str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, (tmp_path / "job.log").read_text()
    with safe_open(tmp_path / "two" / "weights.safetensors", "pt") as weights:
        assert weights.keys()
