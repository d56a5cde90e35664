"""What `asformer.dtype: bfloat16` does to scores on real data: python -m tests.bench.bench_dtype

ASFormer on the video features of all 50 real videos (params/50salads_sensors.yaml), trained as in 4.3, in float32 and
in bfloat16 from the same start and in the same order; all five splits. A second seed in float32 shows how much two
trainings differ anyway. Intervals are over the 50 videos. Nothing is missed: the exit code is 0.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lib.beyond.modalities.inputs import split_part
from lib.beyond.modalities.training import train_asformer
from lib.core.command import one_line
from lib.core.paths import Outputs
from lib.data.profile import open_profile
from lib.data.sensors import read_sensors
from lib.scoring.metrics import score
from lib.scoring.stats import mean_interval

PROFILE = "params/50salads_sensors.yaml"
# what is trained: type, seed
RUNS = {"float32": ("float32", 0), "bfloat16": ("bfloat16", 0), "float32, another seed": ("float32", 1)}
MEASURES = ["accuracy", "edit", "f1@10", "f1@25", "f1@50"]


@one_line
def main() -> int:
    rows, seconds = {name: [] for name in RUNS}, dict.fromkeys(RUNS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for name, (dtype, seed) in RUNS.items():
            profile = open_profile(PROFILE, [f"asformer.dtype={dtype}"])
            profile = replace(profile, out=Outputs(str(Path(folder) / name)))
            for split in range(1, profile.params.data.splits + 1):
                part = split_part(profile, read_sensors(profile.public_dataset(split)), split)
                start = time.perf_counter()
                found = train_asformer(profile, part, "video", seed, "run", split)
                seconds[name] += time.perf_counter() - start
                truth, ignore = part.seconds, profile.params.data.ignore
                for video, values in found.items():
                    said = [truth.classes[label] for label in values.argmax(axis=1)]
                    rows[name].append(score([(said, truth.names(video))], profile.params.data.convention, ignore))
    tables = {name: pd.DataFrame(found)[MEASURES] for name, found in rows.items()}
    for name, table in tables.items():
        means = "/".join(f"{value:.1f}" for value in table.mean())
        print(f"{name}: {'/'.join(MEASURES)} {means}, {seconds[name]:.0f} s")
    for name in list(RUNS)[1:]:
        differences = {one: mean_interval((tables[name] - tables["float32"])[one].tolist()) for one in MEASURES}
        said = ", ".join(
            f"{one} {mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}]" for one, (mean, half) in differences.items()
        )
        print(f"{name} less float32: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
