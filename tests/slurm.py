"""A real SLURM for tests: slurmctld, slurmd and munge in a folder of their own, on the loopback interface only.

    .venv/bin/python -m tests.slurm squeue

runs a command with such a cluster and ends it; with --accounts as first word, the cluster keeps accounts (slurmdbd and
MariaDB). The node claims 8 CPUs, 64 GB and two GPUs, whatever the machine has.
"""

import os
import pwd
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
PROGRAMS_OF_ACCOUNTS = ("slurmdbd", "mariadbd", "mariadb-install-db", "my_print_defaults")
# daemons are in the last two; as it is now, without the programs of a cluster that a test has started
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
USER = pwd.getpwuid(os.getuid()).pw_name
PATIENCE = 20  # seconds for a daemon to answer or to end
NO_ACCOUNTS = "AccountingStorageType=accounting_storage/none"
# whoever has no account is refused, as on most clusters that keep accounts
ACCOUNTS = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={host}
AccountingStoragePort={database_port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations"""


class Slurm:
    """The cluster's folder, the environment that its commands need, and its daemons."""

    def __init__(self, folder: Path, accounts: bool) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "SLURM_CONF": f"{folder}/slurm.conf",
            "MYSQL_UNIX_PORT": f"{folder}/database.socket",
            "PATH": f"{folder}/bin:{PATH}",
        }
        self.daemons: dict[str, subprocess.Popen] = {}
        for name in ("state", "spool", "bin", "database"):
            (folder / name).mkdir()
        # Snakemake's plugin takes SLURM_CONF away from srun
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun", path=PATH)} "$@"\n')
        srun.chmod(0o755)
        # munge wants its socket where every user may look
        folder.chmod(0o711)
        key = folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        (folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
        settings = dict(zip(("controller_port", "node_port", "database_port"), free_ports(3), strict=True))
        settings |= {"host": socket.gethostname(), "user": USER, "folder": folder}
        # with accounts, as on a cluster where only they say how a job has ended
        settings["min_job_age"] = 10 if accounts else 300
        settings["accounting"] = (ACCOUNTS if accounts else NO_ACCOUNTS).format(**settings)
        for name in ("slurm.conf", "slurmdbd.conf"):
            (folder / name).touch(0o600)
            (folder / name).write_text(Path(__file__).with_name(name).read_text().format(**settings))

    def start(self, name: str) -> None:
        """Start `munged`, `mariadbd`, `slurmdbd`, `slurmctld` or `slurmd`, which end with this process."""
        arguments = ["-D"]
        if name == "munged":
            own = [f"--{what}-file={self.folder}/munge.{what}" for what in ("key", "pid", "seed", "log")]
            arguments = ["-F", f"-S{self.folder}/munge.socket", *own]
        if name == "mariadbd":
            arguments = ["--no-defaults", f"--datadir={self.folder}/database", f"--user={USER}"]
            # without ports and users: who may open the socket may do everything
            arguments += [f"--socket={self.folder}/database.socket", "--skip-networking", "--skip-grant-tables"]
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
def slurm(accounts: bool = False) -> Iterator[Slurm]:
    """A running cluster.

    Args:
        accounts: whether it keeps accounts; if so, squeue forgets an ended job within seconds.

    Raises:
        TimeoutError: it does not start here.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    cluster = Slurm(folder, accounts)
    try:
        cluster.start("munged")
        cluster.wait_for(f"{folder}/munge.socket", "ls", f"{folder}/munge.socket")
        if accounts:
            start_accounts(cluster)
        cluster.start("slurmctld")
        cluster.start("slurmd")
        cluster.wait_for("idle", "sinfo", "--noheader", "--format=%T")
        yield cluster
    finally:
        cluster.run("scancel", "--user", USER, check=False)
        if "slurmctld" in cluster.daemons:
            cluster.run("scancel", "--signal=KILL", "--user", USER, check=False)
        for name in reversed([*cluster.daemons]):
            cluster.end(name)
        shutil.rmtree(folder, ignore_errors=True)


def start_accounts(cluster: Slurm) -> None:
    """Start the database and what writes into it, with an account of this user."""
    # slurmdbd keeps a procedure in the tables that this makes
    where = [f"--datadir={cluster.folder}/database", f"--user={USER}"]
    cluster.run("mariadb-install-db", "--no-defaults", "--skip-test-db", *where)
    cluster.start("mariadbd")
    cluster.wait_for(f"{cluster.folder}/database.socket", "ls", f"{cluster.folder}/database.socket")
    cluster.start("slurmdbd")
    cluster.wait_for("root", "sacctmgr", "--noheader", "--parsable2", "show", "user", "format=user")
    for entity in (["cluster", "test"], ["account", "thesis"], ["user", USER, "account=thesis"]):
        cluster.run("sacctmgr", "--immediate", "add", *entity)


def missing(accounts: bool = False) -> str:
    """Why no cluster can be started here; "" where its programs are installed."""
    programs = PROGRAMS + PROGRAMS_OF_ACCOUNTS * accounts
    absent = [name for name in programs if not shutil.which(name, path=PATH)]
    packages = "slurmctld slurmd slurm-client munge" + " slurmdbd mariadb-server-core mariadb-client-core" * accounts
    return f"{', '.join(absent)} not found: install Debian's {packages}" * bool(absent)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def main(command: Sequence[str]) -> int | str:
    accounts = command[0] == "--accounts"
    if reason := missing(accounts):
        return reason
    with slurm(accounts) as cluster:
        return subprocess.run(command[accounts:], env=cluster.environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
