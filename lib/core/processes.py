"""Processes: environment, GPU, locks, number and progress; none outlives the process that started it."""

import ctypes
import fcntl
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from lib.core.paths import ROOT

WAITS = "waits for "  # how a line begins that names what a process waits for


@contextmanager
def lease_gpu(gpus: int | None = None) -> Iterator[int | None]:
    """Hold a GPU that no other atom holds, by setting CUDA_VISIBLE_DEVICES; wait while all are held.

    Yields its number; None without a GPU, or where CUDA_VISIBLE_DEVICES is already set, as on a cluster.
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


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies, however that happens. Linux; elsewhere no effect.

    `parent` is its process number, read before this process was started, because it may have died before the call.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # linux/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Name the process that works on the same thing, such as one that outlived a killed scheduler, and wait for it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(f"{WAITS}{file.read() or 'another process'}, which makes the same", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def cores() -> int:
    """Number of processes that one atom may start: as its SLURM job or `make report CORES=…` allows, else all cores."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("REPORT_CORES") or os.cpu_count() or 1)


Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """Yield `map(function, items)` in order, computed by several processes, or by this one if one is enough."""
    if workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    # a notebook's process has threads, which do not survive a fork
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
        yield from pool.map(function, items)


def _start() -> None:
    import cv2

    die_with_parent()
    cv2.setNumThreads(1)


def track(items: Iterable[Item], stage: str, total: int | None = None, initial: int = 0) -> Iterator[Item]:
    """Yield the items and report to stderr, e.g. `2_3_3_baseline split 3: epoch 17/60, 00:16 elapsed, 00:41 left`."""
    # notebook and split, set by lib.run; `make report` has a log for each, which it shows under that name
    where = "" if "REPORT_SCHEDULED" in os.environ else os.environ.get("REPORT_ATOM", "")
    yield from tqdm(
        items,
        desc=f"{where}: {stage}" if where else stage,
        total=total,
        initial=initial,
        mininterval=10,
        # silent if everything is done by then
        delay=5,
        file=sys.stderr,
        bar_format="{desc} {n_fmt}/{total_fmt}, {elapsed} elapsed, {remaining} left{postfix}\n",
    )


# Where other programs look for their user's settings; a result must not depend on them.
SETTINGS = (
    "GIT_DIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_CONFIG_PATH", "JUPYTER_DATA_DIR", "JUPYTER_PATH",
    "MPLBACKEND", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "SNAKEMAKE_PROFILE",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """The environment in which results are made: without the user's settings, and complete even in a container.

    Python runs without the user's packages, Matplotlib without a `matplotlibrc`, Jupyter without configuration. A user
    without a name or a writable home directory is given one.
    """
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment |= {"PYTHONNOUSERSITE": "1", "MATPLOTLIBRC": os.devnull, "JUPYTER_NO_CONFIG": "1"}
    # transformers asks tqdm for a notebook's bar; tqdm warns in every kernel that ipywidgets is missing
    ignored = "ignore:IProgress not found"
    environment["PYTHONWARNINGS"] = ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), ignored)))
    environment.setdefault("LOGNAME", str(os.getuid()))
    # atoms run side by side; one thread each also fixes the order of summation
    environment.setdefault("OMP_NUM_THREADS", "1")
    # lib/data/video.py counts damaged frames and names them
    environment.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # glibc keeps a step's memory for the next: no new pages to clear
    for limit in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"):
        environment.setdefault(limit, str(1 << 30))
    if not os.access(environment.get("HOME", ""), os.W_OK):
        environment["HOME"] = str(ROOT / "outputs" / ".home")
    return environment


def short_folder() -> str | None:
    """Folder in which to make a temporary one for sockets: None for TMPDIR, or /tmp if that name is too long."""
    # a Unix socket's address has 107 bytes; the names below the folder need 47 of them
    return "/tmp" if len(tempfile.gettempdir()) > 60 else None
