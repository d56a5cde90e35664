"""For tests of resuming: a process that is killed at a moment, folders that end with the same bytes."""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from lib.core.paths import ROOT


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def forked(work: Callable[[], None]) -> int:
    """The exit code of a fork of this process that does some work; minus the signal where one has killed it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_once(marker: Path, code: str, patience: float = 0.0) -> None:
    """Run some code, to which the tests are modules, in a process of its own, which dies soon after a file is there."""
    code = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}\n{code}"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not marker.exists():
            time.sleep(0.002)
        time.sleep(patience)
        process.kill()
        errors = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL, errors
