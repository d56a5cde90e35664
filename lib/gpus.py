"""One GPU an atom, where atoms share a machine with several GPUs (Snakemake counts GPUs, but does not name them)."""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
