"""Which state of the code made a result."""

import subprocess
from functools import cache

from lib.paths import ROOT


@cache
def revision() -> str:
    """Git revision, with a + where the working tree differs; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=10"]
    git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return git.stdout.strip() if git.returncode == 0 else "unknown"
