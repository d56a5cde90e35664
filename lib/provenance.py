"""Which state of the code made a result."""

import shutil
import subprocess
from functools import cache

from lib.paths import ROOT


@cache
def revision() -> str:
    """Git revision, with a + where the working tree differs; "unknown" outside a checkout or without git."""
    if shutil.which("git") is None:
        return "unknown"
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=10"]
    git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return git.stdout.strip() if git.returncode == 0 else "unknown"
