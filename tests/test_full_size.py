"""The whole real path with nets of full size: every chapter of 50salads.yaml on published formats with random weights.

I3D R50, S3D with 66,249 words, VideoCLIP of 12 + 6 layers of a BERT-base; videos of 640 x 480. Small are the numbers:
ten videos of six seconds, five narrated ones, an epoch or two of each training, 128 pixels for I3D. `make test-full`
prints seconds and memory of each stage; notebooks/guides/real_data.md reckons the real set from them.
"""

import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from narrated_data import minilm_tokenizer
from processes import watch
from real_formats import write_data_set, write_howto100m, write_i3d, write_s3d, write_videoclip
from transformers import BertConfig, BertModel

from lib.core.chapters import number
from lib.core.params import outputs_of

pytestmark = pytest.mark.full

SHORT = {
    "i3d": {"mode": "dense", "short_side": 128, "crop": 128, "chunk": 64, "width": 64},
    "asformer": {"epochs": 2, "test_every": 2},
    "pretrain": {
        "recipes": {name: {"epochs": 1} for name in ("one_cluster", "own")},
        "videos_per_cluster": 2,
        "dtype": "float32",
        "validations": 1,
        "workers": 0,
        "mining": {"index": "exact", "per_video": 2},
        "pairs": {"per_video": 4},
    },
    "zero_shot": {"seeds": [0]},
    "finetune": {"epochs": [1, 2], "dtype": "float32"},
    "controls": {"splits": [1], "seeds": [0], "asformer_epochs": 1, "videoclip_epochs": 1, "validation_people": 1},
}


def write_pictures(path: Path, frames: int, fps: float) -> None:
    """A video of 640 x 480 in which something moves."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (640, 480))
    ground = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    ground = cv2.GaussianBlur(ground, (0, 0), 9)
    for frame in range(frames):
        picture = ground.copy()
        cv2.circle(picture, (40 + 3 * frame % 560, 240), 40, (0, 200, 255), -1)
        writer.write(picture)
    writer.release()


def write_bert(folder: Path) -> None:
    """A BERT-base with random weights; its vocabulary is that of the released one."""
    torch.manual_seed(0)
    BertModel(BertConfig(), add_pooling_layer=False).save_pretrained(folder)
    minilm_tokenizer().save_pretrained(folder)


@pytest.fixture
def profile(tmp_path):
    root, weights = tmp_path / "full", tmp_path / "weights"
    weights.mkdir()
    write_data_set(root, (175, 185), write_pictures)
    write_howto100m(tmp_path / "howto100m")
    write_i3d(weights / "I3D_8x8_R50.pyth", width=64)
    write_s3d(weights)
    write_videoclip(weights / "checkpoint_best.pt")
    write_bert(tmp_path / "bert")
    values = json.loads(json.dumps(SHORT))
    values["data"] = {"roots": [str(root)]}
    values["i3d"]["weights"] = str(weights / "I3D_8x8_R50.pyth")
    values["s3d"] = {"weights": str(weights / "s3d_howto100m.pth"), "dictionary": str(weights / "s3d_dict.npy")}
    values["howto100m"] = {"roots": [str(tmp_path / "howto100m")]}
    values["videoclip"] = {"start": str(tmp_path / "bert")}
    values["pretrain"]["recipes"]["public"] = {"weights": str(weights / "checkpoint_best.pt")}
    file = tmp_path / f"full_size_{os.getpid()}.yaml"
    file.write_text(yaml.safe_dump(values))
    yield file
    shutil.rmtree(outputs_of(file).root, ignore_errors=True)


def test_all_chapters_with_full_size_nets(profile, capsys):
    out = outputs_of(profile)
    named = ["--params", str(profile)]
    python = partial(watch, every=0.3)
    stages = {
        "lib.check": ["lib.check", *named],
        "2.4, S3D's features": ["lib.run", "notebooks/2_4_videoclip.py", *named],
        "pre-training, one cluster": ["lib.pretrain", *named, "--recipe", "one_cluster"],
        "pre-training, own": ["lib.pretrain", *named, "--recipe", "own"],
        "everything else": ["lib.schedule", *named, "--cores", "2"],
    }
    for stage, arguments in stages.items():
        ended = python([sys.executable, "-m", *arguments])
        with capsys.disabled():
            print(f"\n{stage}: {ended.seconds:.0f} s, {ended.cpu_seconds:.0f} CPU-seconds, {ended.gigabytes:.1f} GB")
        # before the pre-trainings, some chapters cannot run, which the check says by its code
        assert ended.code == 0 or (stage == "lib.check" and ended.code == 1), ended.said
    manifests = {file.parent.name: json.loads(file.read_text()) for file in out.notebooks.glob("*/all.json")}
    with capsys.disabled():
        for name, manifest in sorted(manifests.items()):
            print(f"  {number(name)}: {manifest['seconds']:.0f} s")
    pages = {page.stem for page in out.report.glob("[0-9]*.html")}
    assert pages == set(manifests) and len(pages) >= 17
    predictions = {folder.name for folder in (out.root / "predictions").iterdir()}
    assert {"asformer_own", "videoclip_own_zero_shot", "videoclip_public_2_epochs"} <= predictions
