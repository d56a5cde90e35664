"""Processes that end with the one that started them (a killed run leaves no orphans), and how many to start."""

import ctypes
import os
import signal
import sys

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


def cores() -> int:
    """Processes that one atom may start: what `make report CORES=…` allows, else the machine's cores."""
    return int(os.environ.get("REPORT_CORES") or os.cpu_count() or 1)
