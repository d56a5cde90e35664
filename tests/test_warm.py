"""Jobs that are forks of one process that has loaded the libraries (lib.batch.warm)."""

import sys

import pytest
from report_runs import forks

from lib.batch.warm import PEAK


@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forks on Linux only")
def test_a_fork_says_how_much_memory_it_used(tmp_path):
    """Its caller cannot know: it is no child of the caller."""
    with forks() as call:
        for name, size in (("small", 1), ("large", 1 << 30)):
            done = call("timeit", "-n1", "-r1", f"b'x' * {size}", **{PEAK: str(tmp_path / name)})
            assert done.returncode == 0, done.stderr
    # kilobytes
    small, large = (int((tmp_path / name).read_text()) for name in ("small", "large"))
    assert large - small > 0.98 * 2**20
