"""The whole real path with nets of full size: every chapter of 50salads.yaml on published formats with random weights.

I3D R50, S3D with 66,250 words, VideoCLIP of 12 + 6 layers of BERT-base. Small are the numbers: five videos of 640 x 480
and 6 to 20 seconds, five narrated ones, an epoch or two of each training, 128 pixels for I3D. `make test-full` prints
what each stage took; notebooks/guides/real_data.md scales that to the real set.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from narrated_data import minilm_tokenizer
from processes import watch
from real_formats import VIDEOS, write_all
from safetensors.torch import load_file
from transformers import BertConfig, BertModel
from videos import write_frames

from lib.backbones.i3d import I3DResNet
from lib.backbones.i3d_features import padded_inputs
from lib.backbones.s3d import S3D
from lib.backbones.s3d_features import feature_set
from lib.batch.failures import failures
from lib.core.chapters import number
from lib.core.paths import ROOT
from lib.data.frames import to_clips
from lib.data.predictions import read_prediction
from lib.data.profile import Profile, open_profile
from lib.data.video import read_video
from lib.videoclip.model import VideoCLIP
from lib.videoclip.zero_shot import class_vectors, second_scores

pytestmark = pytest.mark.full

LENGTHS = dict(zip(VIDEOS[::2], (600, 180, 180, 180, 600), strict=True))  # frames; one video of each person
LONG = VIDEOS[0]
SHORT_I3D = {"mode": "dense", "short_side": 128, "crop": 128, "chunk": 64}
SHORT_PRETRAIN = {"videos_per_cluster": 2, "validations": 1, "workers": 0, "pairs": {"per_video": 4}}
SHORT_PRETRAIN |= {"mining": {"index": "exact", "per_video": 2}}
RECIPE = {"epochs": 1, "clusters_per_update": 2}  # four narrated videos make two clusters of two
SHORT = {
    "asformer": {"epochs": 2, "test_every": 2},
    "zero_shot": {"seeds": [0]},
    "finetune": {"epochs": [1, 2], "validation_people": 1},
    "controls": {"splits": [1], "seeds": [0], "asformer_epochs": 1, "videoclip_epochs": 1, "validation_people": 1},
}


def write_pictures(path: Path, frames: int, fps: float) -> None:
    """A disc that crosses a blurred picture."""
    ground = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    ground = cv2.GaussianBlur(ground, (0, 0), 9)
    centres = ((40 + 3 * frame % 560, 240) for frame in range(frames))
    write_frames(path, (cv2.circle(ground.copy(), centre, 40, (0, 200, 255), -1) for centre in centres), fps)


def write_bert(folder: Path) -> None:
    """A BERT-base with random weights; the vocabulary is that of the released one."""
    torch.manual_seed(0)
    BertModel(BertConfig(), add_pooling_layer=False).save_pretrained(folder)
    minilm_tokenizer().save_pretrained(folder)


def write_profile(folder: Path) -> Path:
    """All that 50salads.yaml reads, and a profile that names it."""
    write_bert(folder / "bert")
    values = SHORT | write_all(folder, 64, LENGTHS, write_pictures) | {"videoclip": {"start": str(folder / "bert")}}
    values["i3d"] |= SHORT_I3D
    values["pretrain"] |= SHORT_PRETRAIN
    recipes = values["pretrain"]["recipes"]
    recipes |= {"one_cluster": {"epochs": 1}, "own": RECIPE, "public": RECIPE | recipes["public"]}
    file = folder / f"full_size_{os.getpid()}.yaml"
    file.write_text(yaml.safe_dump({"extends": str(ROOT / "params" / "50salads.yaml")} | values))
    return file


@pytest.fixture(scope="module")
def profile(tmp_path_factory, pytestconfig):
    """The profile after the stages of a real run, whose times and memory are printed."""
    file = write_profile(tmp_path_factory.mktemp("full_size"))
    opened, named = open_profile(str(file)), ["--params", str(file)]
    stages = {
        "lib.check": ["lib.check", *named],
        "2.4": ["lib.run", "notebooks/2_4_videoclip.py", *named],
        "pre-training, one_cluster": ["lib.pretrain", *named, "--recipe", "one_cluster"],
        "pre-training, own": ["lib.pretrain", *named, "--recipe", "own"],
        "make report": ["lib.schedule", *named, "--cores", "2"],
    }
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    try:
        for stage, arguments in stages.items():
            ended = watch([sys.executable, "-m", *arguments], every=0.3)
            took = f"{ended.seconds:.0f} s, {ended.cpu_seconds:.0f} CPU-seconds, {ended.gigabytes:.1f} GB"
            with capture.global_and_fixture_disabled():
                print(f"\n{stage}: {took}", end="", flush=True)
            # before the pre-trainings, some chapters cannot run, which the check says by its code
            assert ended.code == (stage == "lib.check"), ended.said
        with capture.global_and_fixture_disabled():
            print(f"\n{costs(opened).to_string()}")
        yield opened
    finally:
        shutil.rmtree(opened.out.root, ignore_errors=True)


def costs(profile: Profile) -> pd.DataFrame:
    """What each notebook's manifests say: its atoms, their seconds together, the most memory of one."""
    files = profile.out.notebooks.glob("*/*.json")
    made = pd.DataFrame([json.loads(file.read_text()) for file in files])
    chapters = made.groupby(made["notebook"].map(number))
    return chapters.agg(atoms=("split", "count"), seconds=("seconds", "sum"), mb=("peak_memory_mb", "max"))


def test_every_chapter_ran(profile):
    chapters = profile.params.notebooks
    assert len(chapters) == 17 and not failures(profile)
    assert {page.stem for page in profile.out.report.glob("[0-9]_*.html")} == set(chapters)
    assert all((profile.out.notebooks / name / "all.json").exists() for name in chapters)


def test_the_tables_have_a_row_for_every_split_and_method(profile):
    scores = ["accuracy", "f1@10", "f1@25", "f1@50"]
    for table in (1, 3, *range(4, 10)):
        edit = "edit" if table < 4 else "raw_edit"
        rows = pd.read_csv(profile.out.tables / f"table_{table:02d}.csv")
        ours = rows[(rows["source"] == profile.params.data.name) & rows["split"].isin([*"12345", "mean"])]
        assert len(ours) == 6 and np.isfinite(ours[[*scores, edit]].to_numpy()).all(), table
    methods = pd.read_csv(profile.out.tables / "table_10.csv").set_index("method").drop("asformer_paper")
    assert len(methods) == 8 and np.isfinite(methods[["as_thesis", *scores[:1], "edit", "f1@50"]].to_numpy()).all()


def test_i3d_s_features_are_those_of_its_checkpoint(profile):
    net = I3DResNet(width=64).eval()
    net.load_state_dict(torch.load(profile.params.i3d.weights)["model_state"])
    video, frame, window = LONG, 100, profile.params.i3d.window
    found = np.load(profile.out.data / "features" / profile.params.data.own_features / f"{video}.npy")
    inputs = list(padded_inputs(read_video(profile.root / "videos" / f"{video}.avi"), "rgb", profile.params.i3d))
    with torch.inference_mode():
        expected = net(torch.stack(inputs[frame : frame + window], dim=1)[None])[0]
    assert found.shape == (2048, LENGTHS[video])
    # the window's ends are padded, those of dense features are not
    np.testing.assert_allclose(found[:, frame], expected, rtol=0.05, atol=0.01 * expected.max())


def test_s3d_s_features_are_those_of_its_checkpoint(profile):
    net, settings, video, second = S3D().eval(), profile.params.s3d, LONG, 3
    net.load_state_dict(torch.load(settings.weights))
    frames = np.stack(list(read_video(profile.root / "videos" / f"{video}.avi"))[second * 30 : (second + 1) * 30])
    with torch.inference_mode():
        results = net(to_clips(torch.from_numpy(frames)[None], settings.crop, settings.resize))
    for layer, expected in zip(("video_embedding", "mixed_5c"), results, strict=True):
        found = np.load(profile.out.data / "features" / feature_set(layer, settings) / f"{video}.npy")
        assert found.shape == (expected.shape[1], LENGTHS[video] // 30)
        np.testing.assert_allclose(found[:, second], expected[0] / expected.norm(), atol=1e-3)


def test_zero_shot_transfer_is_that_of_the_published_videoclip(profile):
    model = VideoCLIP(BertConfig(), 6, 512).eval()
    file = profile.params.pretrain.recipes["public"].weights
    model.load_mmpt(torch.load(file, weights_only=False)["model"])
    dataset, video = profile.dataset(), LONG
    folder = profile.out.data / "features" / feature_set("video_embedding", profile.params.s3d)
    vectors = class_vectors(model, minilm_tokenizer(), dataset.classes)
    scores = second_scores(model, np.load(folder / f"{video}.npy").T, vectors, profile.params.zero_shot.stride, False)
    expected = np.array(dataset.classes)[scores.argmax(axis=1)].repeat(30)
    (found,) = (profile.out.root / "predictions" / "videoclip_public_zero_shot").rglob(f"{video}.txt")
    assert read_prediction(found) == expected.tolist()


def test_both_towers_of_the_own_pre_training_are_berts_of_full_size(profile):
    weights = load_file(profile.out.root / "runs" / "videoclip_own" / "weights.safetensors")
    assert weights["mlp.linear1.weight"].shape == (768, 1024)
    for tower, layers in (("text", 12), ("video", 6)):
        names = [name for name in weights if name.startswith(f"{tower}.encoder.layer.")]
        assert {name.split(".")[3] for name in names} == set(map(str, range(layers)))
        assert weights[f"{tower}.embeddings.word_embeddings.weight"].shape == (30_522, 768)
