"""A warm start: one process loads the large libraries, and each job of a report is a fork of it.

    python -m lib.batch.warm lib.run notebooks/2_1_datasets.py …   # as `python -m lib.run …`, in a fork

A report starts two processes per atom, the atom and its kernel, and each would import torch, transformers and pandas:
six to ten seconds of a core. A fork has them at once. It gets its caller's environment, folder and standard streams,
passes its exit code back, takes its signals, and ends with it. Only libraries are loaded before the fork, never `lib`.
This file imports only the standard library, so that its callers start at once.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

ADDRESS = "REPORT_WARM"  # environment variable with the address of the process that forks
PEAK = "REPORT_PEAK"  # environment variable with the file for a job's peak of memory, KB
LIBRARIES = (
    "cv2", "faiss", "IPython.core.interactiveshell", "jupytext", "matplotlib.pyplot", "papermill", "pyarrow.parquet",
    "pytorchvideo.models.hub", "safetensors.torch", "scipy.optimize", "scipy.stats", "seaborn", "sklearn.linear_model",
    "sklearn.metrics", "sklearn.model_selection", "torch", "torch._dynamo", "transformers.models.bert.modeling_bert",
)  # fmt: skip
# libraries that only the site needs
SITE = ("bokeh.plotting", "myst_nb", "sphinx.cmd.build", "sphinx_book_theme")
WIDTH = 8  # bytes of the number that says how long a job's description is
EVERY = 1.0  # seconds between two checks that the caller's parent is alive


def ask(module: str, arguments: list[str]) -> int:
    """Run a module in a fork; returns its exit code."""
    parent = os.getppid()
    job = {"call": [module, *arguments], "folder": os.getcwd(), "environment": dict(os.environ)}
    text = json.dumps(job).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: connection.sendall(bytes([number])))
        socket.send_fds(connection, [len(text).to_bytes(WIDTH, "big")], [0, 1, 2])
        connection.sendall(text)
        while os.getppid() == parent:
            if select.select([connection], [], [], EVERY)[0]:
                if answer := connection.recv(1):
                    return answer[0]
                print("error: the process that starts jobs has ended", file=sys.stderr)
                break
    return 1


def serve(listener: socket.socket) -> list[str]:
    """Fork for each call, until killed. Returns only in a fork: the call."""
    for name in LIBRARIES:
        import_module(name)
    # what all forks share stays shared
    gc.collect()
    gc.freeze()
    # watchers are not waited for
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return watch(connection)
        connection.close()


def watch(connection: socket.socket) -> list[str]:
    """Start a job and end with it; kill it if its caller ends. Returns only in the job: the call."""
    head, streams, _, _ = socket.recv_fds(connection, WIDTH, 3)
    if not head:
        os._exit(0)
    with connection.makefile("rb") as file:
        job = json.loads(file.read(int.from_bytes(head, "big")))
    if not (process := os.fork()):
        connection.close()
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(job["folder"])
        os.environ.clear()
        os.environ.update(job["environment"])
        return job["call"]
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(process)
    while ended not in (ready := select.select([ended, connection], [], [])[0]):
        sent = connection.recv(1) if ready else b""
        os.kill(process, sent[0] if sent else signal.SIGKILL)
        if not sent:
            os._exit(0)
    _, status, used = os.wait4(process, 0)
    if PEAK in job["environment"]:
        # the caller has no part in what a fork of this process uses
        with open(job["environment"][PEAK], "w") as file:
            file.write(str(used.ru_maxrss))
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def run(call: list[str]) -> NoReturn:
    """Run a module with its arguments as the main program, and end this fork."""
    sys.argv, code = call, 0
    try:
        runpy.run_module(call[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    # an ordinary exit, with every library's clean-up, would take seconds
    os._exit(code if isinstance(code, int) else 1)


def compiled(library: str) -> bool:
    """Whether a library has been compiled to bytecode; in a new environment it has not."""
    spec = find_spec(library)
    return spec is not None and spec.cached is not None and os.path.exists(spec.cached)


def main(arguments: list[str]) -> int:
    if arguments == ["--ahead"]:
        # compile from the other end, and go on to the site's
        for name in (*reversed(LIBRARIES), *SITE):
            import_module(name)
        return 0
    if arguments[0] != "--serve":
        return ask(arguments[0], arguments[1:])
    # kernels draw figures as Jupyter expects them
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    run(serve(socket.socket(fileno=int(arguments[1]))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
