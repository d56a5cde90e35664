"""Full-size features: python -m tests.bench.bench_full_size

Labels and splits of all 50 real videos (../shared/data/50salads), random features of 2048 channels for each of their
577,595 frames (4.7 GB in a temporary folder): `lib.check`, the plan, 2.3.1 of 50salads.yaml on split 1 for two epochs,
and once more with the training finished. Memory is that of all processes together. The exit code is 1 where a target of
the project is missed: 30 s for the check, 60 s to start on a finished training, and no more memory than the features of
the split and 1 GB.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from lib.core.paths import ROOT
from tests.processes import Watched, watch

LABELS = ROOT.parent / "shared" / "data" / "50salads"
CHANNELS = 2048
CHECK, START, BEYOND = 30, 60, 1.0  # seconds, seconds, GB
NOTEBOOK = "2_3_1_public_features"


def write_data_set(root: Path) -> float:
    """The real labels, and random features; returns their gigabytes."""
    for name in ("groundTruth", "splits", "mapping.txt"):
        (root / name).symlink_to(LABELS / name)
    (root / "features").mkdir()
    rng, size = np.random.default_rng(0), 0
    pool = rng.standard_normal((CHANNELS, 20_000), np.float32)
    for file in sorted((LABELS / "groundTruth").glob("[!.]*.txt")):
        frames = len(file.read_text().splitlines())
        # each video is another part of the same noise
        np.save(root / "features" / f"{file.stem}.npy", np.roll(pool, size % 19_997, axis=1)[:, :frames])
        size += CHANNELS * frames * 4
    return size / 1e9


def run(arguments: list[str], checkpoint: Path | None = None) -> tuple[Watched, list[float]]:
    """Run a module of the project; also, when the checkpoint was written, in seconds from the start."""
    written: dict[int, float] = {}

    def look(seconds: float) -> None:
        if checkpoint is not None and checkpoint.exists():
            written.setdefault(checkpoint.stat().st_mtime_ns, seconds)

    ended = watch([sys.executable, "-m", *arguments], look)
    # the check and the plan say by 1 that some chapters cannot run
    if ended.code > (checkpoint is None):
        raise SystemExit(f"{' '.join(arguments)} ended with {ended.code}:\n{ended.said}")
    return ended, list(written.values())


def main() -> int:
    if not LABELS.is_dir():
        print(f"skipped: the real labels are not at {LABELS}")
        return 0
    with tempfile.TemporaryDirectory(prefix="bench_full_size_") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        size = write_data_set(folder / "data")
        profile, outputs = folder / f"{folder.name}.yaml", ROOT / "outputs" / folder.name
        lines = [
            f"extends: {ROOT / 'params' / '50salads.yaml'}",
            f"notebooks: [{NOTEBOOK}]",
            f"data: {{roots: [{folder / 'data'}]}}",
            "asformer: {epochs: 2, test_every: 2}",
        ]
        profile.write_text("\n".join(lines))
        try:
            return measure(profile, outputs, size)
        finally:
            shutil.rmtree(outputs, ignore_errors=True)


def measure(profile: Path, outputs: Path, size: float) -> int:
    """Print the figures; 1 where a target is missed."""
    named = ["--params", str(profile)]
    checked, _ = run(["lib.check", *named])
    planned, _ = run(["lib.schedule", *named, "--cores", "1", "--dry-run"])
    print(f"{size:.2f} GB of features; lib.check {checked.seconds:.1f} s, plan {planned.seconds:.1f} s", flush=True)
    atom = ["lib.run", f"notebooks/{NOTEBOOK}.py", *named, "--split", "1"]
    checkpoint = outputs / "runs" / "asformer_public" / "split_1" / "checkpoint.safetensors"
    new, (first, last) = run(atom, checkpoint)
    print(
        f"2.3.1, split 1, two epochs: {new.seconds:.0f} s, {new.cpu_seconds:.0f} CPU-seconds, {new.gigabytes:.1f} GB;"
    )
    print(
        f"  the first epoch ends after {first:.0f} s, the second, with a score on the test videos, {last - first:.0f} s"
    )
    print(f"  later, the notebook {new.seconds - last:.0f} s after it", flush=True)
    again, _ = run(atom, checkpoint)
    print(f"once more, the training finished: {again.seconds:.0f} s, {again.gigabytes:.1f} GB")
    missed = checked.seconds > CHECK or again.seconds > START or new.gigabytes > size + BEYOND
    print(f"targets, {CHECK} s, {START} s, features and {BEYOND:g} GB: {'missed' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
