"""Processes: that end with the one that started them, that wait for one another, and how many to start."""

import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies, however that happens. Linux; elsewhere no effect.

    Args:
        parent: its number, taken before this process was started: it may have died before the call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Wait until no other process works on the same thing (one that outlived a killed scheduler, say)."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cores() -> int:
    """Processes that one atom may start: what `make report CORES=…` allows, else the machine's cores."""
    return int(os.environ.get("REPORT_CORES") or os.cpu_count() or 1)
