"""`make report` for tests, as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from lib.core.paths import ROOT


def start(profile: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "lib.schedule", "--params", str(profile), "--cores", "2", *options]
    environment = os.environ | {"MAKELEVEL": "1"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(profile: Path, *options: str) -> str:
    process = start(profile, *options)
    said, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, said
    return said
