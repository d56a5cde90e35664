"""Processes: their environment, their GPU and lock, their number, and that none outlives the one that started it."""

import ctypes
import fcntl
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import cv2

from lib.core.paths import ROOT


@contextmanager
def lease_gpu(gpus: int | None = None) -> Iterator[int | None]:
    """Hold a GPU that no other atom holds: sets CUDA_VISIBLE_DEVICES until the end; waits while all are held.

    Args:
        gpus: how many there are; None: count them.

    Yields:
        Its number; None without a GPU, or where CUDA_VISIBLE_DEVICES is set already (a cluster does that).
    """
    gpus = len(list(Path("/dev").glob("nvidia[0-9]*"))) if gpus is None else gpus
    if not gpus or "CUDA_VISIBLE_DEVICES" in os.environ:
        yield None
        return
    while True:
        for number in range(gpus):
            with (Path(tempfile.gettempdir()) / f"report-gpu-{os.getuid()}-{number}.lock").open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                os.environ["CUDA_VISIBLE_DEVICES"] = str(number)
                try:
                    yield number
                finally:
                    del os.environ["CUDA_VISIBLE_DEVICES"]
                return
        time.sleep(1)


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
    """Processes that one atom may start: what its SLURM job or `make report CORES=…` allows, or all."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("REPORT_CORES") or os.cpu_count() or 1)


Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """`map(function, items)` over so many processes, in order; in this process where one is enough."""
    if workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")  # a notebook's process has threads, which fork does not survive
    with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
        yield from pool.map(function, items)


def _start() -> None:
    die_with_parent()
    cv2.setNumThreads(1)


# Where other programs look for their user's settings; a result must not depend on them.
SETTINGS = (
    "GIT_DIR",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PATH",
    "MPLBACKEND",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "SNAKEMAKE_PROFILE",
)


def clean_environment() -> dict[str, str]:
    """The environment for what makes results: without the user's settings, and complete where a container's is not.

    Python runs without the user's packages, Matplotlib without a `matplotlibrc`, Jupyter without configuration; a
    user without a name or a home directory that can be written has both.
    """
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment |= {"PYTHONNOUSERSITE": "1", "MATPLOTLIBRC": os.devnull, "JUPYTER_NO_CONFIG": "1"}
    # transformers asks tqdm for a notebook's bar; tqdm warns in every kernel that ipywidgets is missing
    environment["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), LINES_ARE_MEANT)))
    environment.setdefault("LOGNAME", str(os.getuid()))
    if not os.access(environment.get("HOME", ""), os.W_OK):
        environment["HOME"] = str(ROOT / "outputs" / ".home")
    return environment


LINES_ARE_MEANT = "ignore:IProgress not found"


def short_folder() -> str | None:
    """Where to make a temporary folder for sockets: TMPDIR, or /tmp where its name is too long for a socket's."""
    return "/tmp" if len(tempfile.gettempdir()) > SOCKET_NAME else None


SOCKET_NAME = 60  # bytes that are left of the 107 of a Unix socket's address
