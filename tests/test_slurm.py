"""A report on a real SLURM: what waits, fails or was left by a killed run is named, and the same command goes on.

The guide's array script and torchrun lines run as they are printed, but for sizes and names of files.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
import yaml
from narrated_data import minilm_tokenizer, packed_videos
from report_runs import start
from safetensors import safe_open
from safetensors.torch import load_file
from slurm import Slurm, free_ports, missing, slurm
from test_pretrain import command
from test_schedule import NOTEBOOK, small_data_set, write_profile

from lib.batch.running import log_file
from lib.batch.slurm import status_options
from lib.core.checkpoints import save_tensors, saved_state
from lib.core.params import ParameterError
from lib.core.paths import ROOT, Outputs

GUIDE = (ROOT / "notebooks" / "guides" / "clusters.md").read_text()
OPTIONS = ("--workflow-profile", "params/slurm", "--slurm-init-seconds-before-status-checks", "2")
WAITS = r"waits   2\.3\.1 .*, split 1: SLURM job {} pending \("
MARKED = 123.0
LOST = r"failed: 2\.3\.1, split 1: SLURM job \d+ {}.*; its log: (\S+)"
pytestmark = [pytest.mark.full, pytest.mark.skipif(bool(missing()), reason=missing())]


@contextmanager
def running(accounts: bool = False) -> Iterator[Slurm]:
    """A cluster that commands of this process find."""
    with ExitStack() as stack:
        try:
            started = stack.enter_context(slurm(accounts))
        except (OSError, RuntimeError) as error:
            pytest.skip(f"SLURM does not start here: {error}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, started.environment[name])
        patch.setenv("OMP_NUM_THREADS", "1")
        yield started


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    with running() as started:
        yield started


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
        said, _ = process.communicate(timeout=600)
    finally:
        process.kill()
    found = re.search(pattern, said)
    assert process.returncode == code and found, said
    return found[1]


def in_training(profile: Path, changed: str) -> tuple[subprocess.Popen, Path]:
    """Start a report whose training takes half a minute; returns it, and the training's checkpoint once there is one.

    Args:
        changed: number of epochs, unlike that of other tests, so that the training is new.
    """
    profile.write_text(re.sub(r"epochs: \d+", f"epochs: {changed}", profile.read_text()))
    checkpoint = Outputs(profile.stem).run("asformer_public", 1) / "checkpoint.safetensors"
    run = start(profile, *OPTIONS)
    until(run, "started 2.3.1")
    end = time.monotonic() + 300
    while not checkpoint.exists():
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    return run, checkpoint


def mark(checkpoint: Path) -> None:
    """Give its first epoch a loss that no training has; it stays in the history of whoever goes on from here."""
    state = saved_state(checkpoint)
    state["history"][0]["train_loss"] = MARKED
    save_tensors(checkpoint, load_file(checkpoint), state)


def kill(*words: str, way: signal.Signals = signal.SIGKILL) -> int:
    """Signal the processes whose command line and environment have all these words; returns how many."""
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            about = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            if all(word.encode() in about for word in words):
                os.kill(int(folder.name), way)
                killed += 1
    return killed


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
    said, _ = run.communicate(timeout=600)
    if run.returncode:
        assert re.search(r"failed: 2\.3\.1, split 1: SLURM job 5 pending \(launch failed requeued held\)", said), said
        # such a launch drains the node ("Duplicate jobid")
        if "drain" in cluster.run("sinfo", "--noheader", "--format=%T"):
            cluster.run("scontrol", "update", node, "State=resume")
        run = start(profile, *OPTIONS)
        said, _ = run.communicate(timeout=600)
    assert run.returncode == 0 and (ROOT / re.findall(r"the report: (\S+)", said)[0]).exists(), said
    assert not cluster.run("squeue", "--noheader")


def test_a_killed_process_and_a_killed_scheduler(cluster, profile):
    """Both while the job runs; the training goes on from its checkpoint, and no job has a twin."""
    run, checkpoint = in_training(profile, "400")
    assert kill("\0lib.run\0", profile.name) == 1
    log = ended(run, 1, LOST.format("failed"))
    assert "SIGKILL" in (ROOT / log).read_text()
    mark(checkpoint)

    run, _ = in_training(profile, "400")
    run.kill()
    run.communicate()
    left = cluster.run("squeue", "--noheader", "--format=%i").split()
    assert len(left) == 1

    run = start(profile, *OPTIONS)
    said = until(run, "started 2.3.1")
    assert f"cancelled what an earlier run left in the queue: SLURM jobs {left[0]}\n" in said
    assert len(cluster.run("squeue", "--noheader", "--format=%i").split()) == 1
    ended(run, 0, r"the report: (\S+)")
    assert pd.read_csv(checkpoint.with_name("history.csv"))["train_loss"][0] == MARKED


def test_what_a_lost_node_still_runs_is_named_and_waited_for(cluster, profile):
    """The node's daemons die, its processes live on; the requeued job must not train beside them."""
    run, _ = in_training(profile, "401")
    node = f"NodeName={cluster.run('sinfo', '--noheader', '--format=%n')}"
    job = cluster.run("squeue", "--noheader", "--format=%i")
    cluster.end("slurmd", signal.SIGKILL)
    assert kill("slurmstepd: [", f"SLURM_CONF={cluster.folder}/")
    assert kill("\0lib.run\0", profile.name, way=signal.SIGSTOP) == 1
    cluster.run("scontrol", "update", node, "State=down", "Reason=lost")
    cluster.wait_for("PENDING", "squeue", "--noheader", "--format=%T")
    cluster.start("slurmd")
    cluster.run("scontrol", "update", node, "State=resume")
    # SLURM itself waits for two minutes; some seconds are needed, or its order to end the first run ends the second
    time.sleep(10)
    cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")
    until(run, rf"waits   2\.3\.1 .*, split 1: process \d+ on {socket.gethostname()}, which makes the same")
    kill("\0lib.run\0", profile.name, way=signal.SIGCONT)
    ended(run, 0, r"the report: (\S+)")
    assert "fresh: another process has made it" in log_file(Outputs(profile.stem), (NOTEBOOK, "1")).read_text()


def test_a_cluster_with_accounts(profile):
    """Where squeue forgets a job at once, its end is learnt from the accounts."""
    if reason := missing(accounts=True):
        pytest.skip(reason)
    with running(accounts=True) as cluster:
        assert status_options()[1] == "sacct"
        run, checkpoint = in_training(profile, "402")
        cluster.run("scancel", "1")
        log = ended(run, 1, LOST.format("cancelled"))
        assert "CANCELLED" in (ROOT / log).read_text()
        mark(checkpoint)

        run, _ = in_training(profile, "402")
        cluster.end("slurmdbd")
        time.sleep(30)
        cluster.start("slurmdbd")
        ended(run, 0, r"the report: (\S+)")
        assert pd.read_csv(checkpoint.with_name("history.csv"))["train_loss"][0] == MARKED


@pytest.mark.parametrize(
    ("partition", "megabytes", "reason"),
    [("moon", 100, "invalid partition specified: moon"), ("gpu", 999999, "Memory specification can not be satisfied")],
)
def test_what_slurm_refuses_is_named(partition, megabytes, reason, cluster, profile):
    profile.write_text(re.sub(r"epochs: \d+", "epochs: 13", profile.read_text()))
    resources = [f"slurm_partition={partition}", f"mem_mb={megabytes}", "runtime=1"]
    run = start(profile, *OPTIONS, "--default-resources", *resources)
    ended(run, 1, f"(error: Snakemake: SLURM sbatch failed.*{reason})")


def test_what_no_node_can_do_is_named(cluster, profile):
    profile.write_text(re.sub(r"epochs: \d+", "epochs: 13", profile.read_text()))
    run = start(profile, *OPTIONS, "--default-resources", "runtime=9999", "mem_mb=100")
    until(run, WAITS.format(r"\d+") + "PartitionTimeLimit")
    run.send_signal(signal.SIGINT)
    ended(run, 130, r"^(interrupted)\n$")


def test_how_the_end_of_a_job_is_learnt_depends_on_the_cluster(cluster):
    assert status_options()[1] == "squeue"
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


def test_srun_alone_does_not_pretrain(cluster):
    """Its processes do not know of each other and would train twice."""
    words = [sys.executable, "-m", "lib.pretrain", "--params", "params/smoke.yaml"]
    done = subprocess.run(["srun", "--ntasks=2", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode
    said = [line for line in done.stderr.splitlines() if not line.startswith("srun:")]
    assert len(said) == 2 and all(line.startswith("error: srun has started 2 processes") for line in said), done.stderr


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
