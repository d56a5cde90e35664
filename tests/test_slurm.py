"""A report on a real SLURM: what waits, what fails and what a killed run leaves is named, and the same command goes on."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from report_runs import start
from slurm import Slurm, missing, slurm
from test_schedule import small_data_set, write_profile

from lib.core.params import ParameterError
from lib.core.paths import ROOT, Outputs

OPTIONS = ("--workflow-profile", "params/slurm", "--slurm-init-seconds-before-status-checks", "2")
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Slurm]:
    with slurm() as running, pytest.MonkeyPatch.context() as patch:
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, running.environment[name])
        yield running


def until(process: subprocess.Popen, pattern: str) -> str:
    """Read what it prints up to a line with this pattern."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, line):
            return said
    raise AssertionError(f"{pattern!r} not in:\n{said}")


def rest(process: subprocess.Popen) -> str:
    said, _ = process.communicate(timeout=600)
    return said


def test_a_report_goes_on_after_whatever_happens(cluster, tmp_path):
    data, profile = tmp_path / "data", tmp_path / f"slurm_{os.getpid()}.yaml"
    small_data_set(data, 2)
    for bundle in data.glob("splits/*.split2.bundle"):
        bundle.unlink()
    write_profile(profile, data, split_jobs=True)
    values = yaml.safe_load(profile.read_text())
    values["data"]["splits"] = 1
    profile.write_text(yaml.safe_dump(values))
    node = f"NodeName={cluster.run('sinfo', '--noheader', '--format=%n')}"

    cluster.run("scontrol", "update", node, "State=drain", "Reason=dust")
    run = start(profile, *OPTIONS)
    until(run, r"waits   2\.3\.1 .*, split 1: SLURM job 1 pending \(")
    run.kill()
    rest(run)

    run = start(profile, *OPTIONS)
    said = until(run, r"waits   2\.3\.1 .*, split 1: SLURM job 2 pending \(")
    assert "cancelled what an earlier run left in the queue: SLURM jobs 1\n" in said
    mapping = (data / "mapping.txt").rename(data / "elsewhere.txt")
    cluster.run("scontrol", "update", node, "State=resume")
    said = rest(run)
    mapping.rename(data / "mapping.txt")
    assert run.returncode and re.search(r"failed: 2\.3\.1, split 1: .*mapping\.txt.*", said), said
    assert (ROOT / re.search(r"the log of 2\.3\.1, split 1: (\S+)", said)[1]).exists(), said

    run = start(profile, *OPTIONS)
    until(run, "started 2.3.1")
    cluster.run("scancel", "3")
    said = rest(run)
    named = re.search(r"failed: 2\.3\.1, split 1: SLURM job 3 cancelled.*; its log: (\S+)", said)
    assert run.returncode and named and "CANCELLED" in (ROOT / named[1]).read_text(), said

    run = start(profile, *OPTIONS)
    until(run, "started 2.3.1")
    cluster.end("slurmctld", signal.SIGKILL)
    cluster.start("slurmctld")
    said = rest(run)
    assert not run.returncode and "the report: " in said, said
    assert (Outputs(profile.stem).report / "index.html").exists()
    assert not cluster.run("squeue", "--noheader")
