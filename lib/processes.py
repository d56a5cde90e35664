"""Processes that end with the one that started them, so that a killed run leaves no orphans behind."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies, however that happens. Linux; elsewhere no effect."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it died before the call
            os.kill(os.getpid(), signal.SIGKILL)
