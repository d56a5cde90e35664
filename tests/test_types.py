"""Types, by pyright; a test, so that it runs beside the others."""

import subprocess
import sys

from lib.core.paths import ROOT


def test_types():
    done = subprocess.run([sys.executable, "-m", "pyright"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
