"""A process with its descendants, watched from outside: seconds, CPU seconds, resident memory."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

from lib.core.paths import ROOT


class Watched(NamedTuple):
    """A process that has ended.

    Attributes:
        code: its exit code.
        said: what it and its descendants wrote.
        seconds, cpu_seconds: from start to end, of all of them.
        gigabytes: the most that all of them held at once.
    """

    code: int
    said: str
    seconds: float
    cpu_seconds: float
    gigabytes: float


def watch(command: Sequence[str], look: Callable[[float], None] = lambda _: None, every: float = 0.5) -> Watched:
    """Run a command in the project's folder.

    Args:
        look: is called every so many seconds with the seconds since the start.
    """
    began, before, peak = time.perf_counter(), _cpu_seconds(), 0.0
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            look(time.perf_counter() - began)
            time.sleep(every)
        log.seek(0)
        said = log.read().decode()
    return Watched(process.returncode, said, time.perf_counter() - began, _cpu_seconds() - before, peak)


def resident(root: int) -> float:
    """Gigabytes of memory that a process and its descendants hold now; pages that they share are counted in each."""
    parents, pages = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            pages[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    tree, found = {root}, True
    while found:
        found = {child for child, parent in parents.items() if parent in tree} - tree
        tree |= found
    return sum(pages.get(process, 0) for process in tree) * os.sysconf("SC_PAGE_SIZE") / 1e9


def _cpu_seconds() -> float:
    """Of the children that have ended, and theirs."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
