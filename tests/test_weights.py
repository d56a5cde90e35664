"""The shipped backbones: files are those that weights.json names, loading is strict, training from nothing learns."""

import json
import shutil

import numpy as np
import pytest
import torch

from lib.backbones import shipped
from lib.backbones.shipped import FOLDER, SHIPPED, record, shipped_i3d, shipped_s3d
from lib.backbones.steps import i3d_histories, i3d_steps, s3d_steps
from lib.core.checkpoints import WeightsError
from lib.core.files import sha256
from lib.core.params import load
from lib.core.paths import Outputs
from lib.data.profile import Profile
from lib.demo.clips import CLASSES, drawn, other_dishes
from lib.demo.kitchen import FOODS, LIQUIDS, SPICES
from lib.demo.narrated import render_narrated, video
from lib.demo.script import CLASS_NAMES, verb_of

DEMO, SMOKE = load("params/demo.yaml"), load("params/smoke.yaml", ["narration.videos=10", "narration.validation=2"])
SALAD = {verb_of(name)[1] for name in CLASS_NAMES} - {"cup", "bowl", "plate", "nothing"}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the folder, from which the nets are then read."""
    folder = shutil.copytree(FOLDER, tmp_path / "weights")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    for function in (shipped.record, shipped.shipped_file):
        monkeypatch.setattr(function, "__defaults__", (folder,))
    return folder


def test_the_files_are_those_that_the_record_names():
    files = {file.name: file for file in FOLDER.iterdir() if file.name != "weights.json"}
    assert {name: sha256(file) for name, file in files.items()} == record()["sha256"]
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 8e6
    assert {"command", "seed", "revision", "machine", "CPU minutes", "curves", "development"} <= record().keys()


def test_the_demo_reads_them_and_the_smoke_test_trains():
    assert DEMO.i3d.weights == DEMO.s3d.weights == SHIPPED
    assert SMOKE.i3d.weights is None and SMOKE.s3d.weights is None
    for stream, channels in (("rgb", 3), ("flow", 2)):
        net = shipped_i3d(DEMO.i3d, stream)
        with torch.inference_mode():
            features = net(torch.randn(2, channels, 12, 48, 48))
        assert not net.training and features.shape == (2, net.feature_dim) and features.isfinite().all()
    net, words = shipped_s3d(DEMO.s3d)
    with torch.inference_mode():
        embedding, feature = net(torch.rand(1, 3, 10, 48, 48))
        said = net.text_module(words.numbers(["peel the carrot"]))
    assert embedding.shape == said.shape == (1, DEMO.s3d.embedding_dim) and feature.shape == (1, net.feature_dim)
    histories = i3d_histories(Profile(DEMO, Outputs("demo")))
    assert all(history["loss"].iloc[-1] < history["loss"].iloc[0] for history in histories.values())


@pytest.mark.parametrize("name", ["i3d_rgb.safetensors", "s3d.safetensors", "s3d_words.txt"])
def test_a_changed_or_missing_file_is_refused(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(WeightsError, match=f"{name}: not the file that weights.json describes; `git checkout"):
        shipped_i3d(DEMO.i3d, "rgb") if name.startswith("i3d") else shipped_s3d(DEMO.s3d)
    (copy / name).unlink()
    with pytest.raises(WeightsError, match=f"{name}: no such file"):
        shipped_i3d(DEMO.i3d, "rgb") if name.startswith("i3d") else shipped_s3d(DEMO.s3d)


def test_weights_of_another_net_are_refused(copy):
    with pytest.raises(WeightsError, match="not weights of this I3DResNet"):
        shipped_i3d(DEMO.i3d.model_copy(update={"width": 4}), "rgb")
    with pytest.raises(WeightsError, match="not weights of this S3D"):
        shipped_s3d(DEMO.s3d.model_copy(update={"embedding_dim": 8}))
    state = json.loads((copy / "weights.json").read_text())
    (copy / "weights.json").write_text(json.dumps(state | {"word_dim": 7}))
    with pytest.raises(WeightsError, match="not weights of this S3D"):
        shipped_s3d(DEMO.s3d)


def test_a_short_training_from_nothing_lowers_the_loss(tmp_path):
    out = Outputs(str(tmp_path))
    render_narrated(SMOKE.demo, SMOKE.narration, out.narrated, 1)
    for steps in (i3d_steps, s3d_steps):
        history = steps(Profile(SMOKE, out))
        assert np.isfinite(history.to_numpy()).all()
        # MIL-NCE takes hundreds of steps to leave chance
        if steps is i3d_steps:
            assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_no_food_liquid_or_spice_of_the_salads_is_learnt():
    assert not SALAD & {thing for _, thing in CLASSES}
    dishes = other_dishes(20, seed=3)
    assert dishes == other_dishes(20, seed=3) != other_dishes(20, seed=4)
    for number in range(40):
        one = video(SMOKE.narration, 10, number, dishes)
        assert not SALAD & {step.thing for step in one.steps}
        assert not SALAD & {*one.dish.bottles, *one.dish.shakers, *one.dish.around}
        assert not SALAD & {word for caption in one.captions for word in caption.text.split()}
    assert {*FOODS, *LIQUIDS, *SPICES} >= {thing for _, thing in CLASSES} - {"nothing", "bowl", "cup", "plate"}


def test_classes_of_clips_are_drawn_by_verb():
    labels = drawn(4000, seed=1)
    counts = {verb: sum(CLASSES[label][0] == verb for label in labels) for verb in ("cut", "pour", "roll")}
    assert counts["cut"] > counts["pour"] > counts["roll"] > 60
    assert np.array_equal(labels, drawn(4000, seed=1))
