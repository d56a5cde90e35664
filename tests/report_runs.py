"""`make report` for tests, as a process of its own, its plan, and its jobs."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.batch.plan import plan, plan_lines
from lib.batch.requirements import unable, without
from lib.batch.warm import ADDRESS
from lib.core.paths import ROOT
from lib.data.profile import open_profile


def start(profile: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "lib.schedule", "--params", str(profile), "--cores", "2", *options]
    said = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"MAKELEVEL": "1"}, start_new_session=True, **said)


def finish(profile: Path, *options: str) -> str:
    process = start(profile, *options)
    said, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, said
    return said


def planned(profile: Path) -> list[str]:
    """The lines that `--dry-run` prints, without what is left out."""
    opened = open_profile(str(profile))
    return [line.strip() for line in plan_lines(plan(without(opened, unable(opened))), 2)]


@contextmanager
def forks(folder: Path = ROOT) -> Iterator[Callable[..., subprocess.CompletedProcess]]:
    """A call of a project's modules as a report's jobs: in forks of a process that has loaded the libraries."""
    words = [sys.executable, "-m", "lib.batch.warm"]
    with tempfile.TemporaryDirectory(dir="/tmp") as place, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{place}/jobs")
        listener.listen()
        number, settings = listener.fileno(), os.environ | {ADDRESS: f"{place}/jobs"}
        server = subprocess.Popen([*words, "--serve", str(number)], cwd=folder, pass_fds=[number])

        def call(*arguments: str, **further: str) -> subprocess.CompletedProcess:
            command, environment = [*words, *arguments], settings | further
            return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)

        try:
            yield call
        finally:
            server.kill()
            server.wait()
