"""A real SLURM for tests: slurmctld, slurmd and munge in a folder of their own, on the loopback interface only.

    .venv/bin/python -m tests.slurm squeue

runs a command with such a cluster and ends it. The node claims 8 CPUs, 64 GB and two GPUs, whatever the machine has.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lib.core.processes import die_with_parent

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
SYSTEM = "/usr/sbin:/sbin"  # daemons are there; a user's PATH need not name it
PATIENCE = 20  # seconds for a daemon to answer or to end
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed.txt
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,batch_sched_delay=0
GresTypes=gpu
KillWait=2
MinJobAge={min_job_age}
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=gpu Nodes={host} Default=YES MaxTime=INFINITE
"""


class Slurm:
    """The cluster's folder, the environment that its commands need, and its daemons."""

    def __init__(self, folder: Path, min_job_age: int) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "SLURM_CONF": f"{folder}/slurm.conf",
            "PATH": f"{folder}/bin:{os.environ['PATH']}:{SYSTEM}",
        }
        self.daemons: dict[str, subprocess.Popen] = {}
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir()
        # Snakemake's plugin takes SLURM_CONF away from srun
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        # munge wants its socket where every user may look
        folder.chmod(0o711)
        key = folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
        controller_port, node_port = free_ports(2)
        settings = {"controller_port": controller_port, "node_port": node_port, "min_job_age": min_job_age}
        settings |= {"host": socket.gethostname(), "user": os.getuid(), "folder": folder}
        (folder / "slurm.conf").write_text(CONFIGURATION.format(**settings))

    def start(self, name: str) -> None:
        """Start `munged`, `slurmctld` or `slurmd`, which end with this process."""
        own = [f"--{what}-file={self.folder}/munge.{what}" for what in ("key", "pid", "seed", "log")]
        arguments = ["-F", f"-S{self.folder}/munge.socket", *own] if name == "munged" else ["-D"]
        with (self.folder / f"{name}.out").open("a") as log:
            self.daemons[name] = subprocess.Popen(
                [name, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )

    def end(self, name: str, way: signal.Signals = signal.SIGTERM) -> None:
        daemon = self.daemons.pop(name)
        daemon.send_signal(way)
        try:
            daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def run(self, *command: str, check: bool = True) -> str:
        """What a command of SLURM prints."""
        result = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)
        if check and result.returncode:
            raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}")
        return result.stdout.strip()

    def wait_for(self, expected: str, *command: str, patience: float = PATIENCE) -> None:
        """Until a command prints just this."""
        end = time.monotonic() + patience
        while (found := self.run(*command, check=False)) != expected:
            if time.monotonic() > end:
                raise TimeoutError(f"{' '.join(command)}: {found!r} instead of {expected!r}\n{self.logs()}")
            time.sleep(0.2)

    def logs(self) -> str:
        """The last lines of each daemon."""
        files = sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
        return "\n".join(f"{file.name}: {line}" for file in files for line in file.read_text().splitlines()[-5:])


@contextmanager
def slurm(min_job_age: int = 300) -> Iterator[Slurm]:
    """A running cluster.

    Args:
        min_job_age: seconds that an ended job stays in squeue.

    Raises:
        TimeoutError: it does not start here.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    cluster = Slurm(folder, min_job_age)
    try:
        cluster.start("munged")
        cluster.wait_for(f"{folder}/munge.socket", "ls", f"{folder}/munge.socket")
        cluster.start("slurmctld")
        cluster.start("slurmd")
        cluster.wait_for("idle", "sinfo", "--noheader", "--format=%T")
        yield cluster
    finally:
        cluster.run("scancel", "--user", str(os.getuid()), check=False)
        if "slurmctld" in cluster.daemons:
            cluster.run("scancel", "--signal=KILL", "--user", str(os.getuid()), check=False)
        for name in reversed([*cluster.daemons]):
            cluster.end(name)
        shutil.rmtree(folder, ignore_errors=True)


def missing() -> str:
    """Why no cluster can be started here; "" where its programs are installed."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path=f"{os.environ['PATH']}:{SYSTEM}")]
    return f"{', '.join(absent)} not found: install Debian's slurmctld, slurmd, slurm-client and munge" * bool(absent)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def main(command: Sequence[str]) -> int:
    with slurm() as cluster:
        return subprocess.run(command, env=cluster.environment).returncode


if __name__ == "__main__":
    sys.exit(missing() or main(sys.argv[1:]))
