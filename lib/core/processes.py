"""Processes: that end with the one that started them, that wait for one another, and how many to start.

One GPU an atom, where atoms share a machine with several GPUs (Snakemake counts GPUs, but does not name them).

Rendering on several processors: a picture is small, so one thread a process.
"""

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
    """Processes that one atom may start: what `make report CORES=…` allows, else the machine's cores."""
    return int(os.environ.get("REPORT_CORES") or os.cpu_count() or 1)


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


# transformers asks tqdm for a notebook's bar; without ipywidgets tqdm warns in every kernel and falls back to lines of
# text, which are what we keep.
LINES_ARE_MEANT = "ignore:IProgress not found"


def warnings_filter() -> str:
    """PYTHONWARNINGS for kernels: what is set, and tqdm's about ipywidgets left out."""
    return ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), LINES_ARE_MEANT)))
