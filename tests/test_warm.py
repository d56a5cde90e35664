"""Jobs that are forks of one process that has loaded the libraries (lib.batch.warm)."""

import subprocess
import sys

import pytest

from lib.batch.running import warm_start
from lib.batch.warm import PEAK
from lib.core.paths import ROOT, Outputs
from lib.core.processes import clean_environment


@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forks on Linux only")
def test_a_fork_says_how_much_memory_it_used(tmp_path):
    """Its caller cannot know: it is no child of the caller."""
    out, used = Outputs(str(tmp_path / "out")), {}
    with warm_start(out, []) as warm:
        if not warm:
            pytest.skip("no forks beside a GPU")
        for name, size in (("small", 1), ("large", 1 << 30)):
            job = [sys.executable, "-m", "lib.batch.warm", "timeit", "-n1", "-r1", f"b'x' * {size}"]
            environment = {**clean_environment(), **warm, PEAK: str(tmp_path / name)}
            assert subprocess.run(job, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL).returncode == 0
            used[name] = int((tmp_path / name).read_text())
    # kilobytes
    assert used["large"] - used["small"] > 0.98 * 2**20
