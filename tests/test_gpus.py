"""Two atoms never hold the same GPU."""

import os
import subprocess
import sys

from lib.core.paths import ROOT
from lib.core.processes import lease_gpu

HOLD = "from lib.core.processes import lease_gpu\nwith lease_gpu(2) as gpu: print(gpu, flush=True); input()"


def test_a_held_gpu_is_not_given_again(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, text=True, **pipes) as other:
        theirs = int(other.stdout.readline())
        with lease_gpu(2) as mine:
            assert {mine, theirs} == {0, 1}
            assert os.environ["CUDA_VISIBLE_DEVICES"] == str(mine)
        other.kill()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_without_gpus_nothing_is_set(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with lease_gpu(0) as gpu:
        assert gpu is None
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
