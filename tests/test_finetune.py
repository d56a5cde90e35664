"""Fine-tuning: what it learns, what it chooses, that it resumes, and that what would make it useless shows up."""

import json
import math
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from resume import contents, kill_once
from safetensors.torch import load_file
from target_data import CLASSES, DIM, FPS, SIZE, TEST, class_names, make_target, target_videoclip
from torch.nn import functional as F

from lib.backbones.s3d_features import FeatureSetError
from lib.core.params import load
from lib.data.dataset import open_dataset
from lib.data.predictions import prediction_pairs
from lib.videoclip.finetuning import choose_epoch, dense_scores, fine_tune, hold_out, learner_model, names_loss
from lib.videoclip.target import Target
from lib.videoclip.windows import cut_windows

SETTINGS = load("params/smoke.yaml").finetune.model_copy(
    update={"train_stride": 2, "test_stride": 4, "epochs": (2, 6), "learning_rate": 1e-2, "warmup": 4}
    | {"dtype": "float32"}
)


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Target:
    return make_target(tmp_path_factory.mktemp("target") / "set")


def run(target: Target, folder: Path, dropout: float = 0.0, **changes):
    settings = SETTINGS.model_copy(update=changes)
    folders = {epochs: folder / f"{epochs}_epochs" for epochs in settings.epochs}
    history = fine_tune(target, 1, target_videoclip(dropout), class_names(), settings, folder / "run", folders)
    return history, folders


@pytest.mark.parametrize("beyond", [None, 50])
def test_the_rate_falls_to_zero_where_asked(target, tmp_path, beyond):
    updates = 2 * len(target.dataset.split(1)[0])
    history, _ = run(target, tmp_path, decay_updates=beyond and updates + beyond, epochs=(2,))
    left = beyond / (updates + beyond - SETTINGS.warmup) if beyond else 1.0
    assert history["learning_rate"].iloc[-1] == pytest.approx(left * SETTINGS.learning_rate)


@pytest.mark.parametrize("objective", ["head", "contrastive"])
def test_it_learns_what_the_features_tell(target, tmp_path, objective):
    history, folders = run(target, tmp_path, objective=objective, select_on="last")
    assert history["train_loss"].iloc[-1] < 0.7 * history["train_loss"].iloc[0]
    assert history["test_accuracy"].iloc[-1] > 80, "a quarter of the seconds would be chance"
    pairs = prediction_pairs(folders[6], target.dataset, TEST)
    right = [ours == true for prediction, truth in pairs.values() for ours, true in zip(prediction, truth, strict=True)]
    assert 100 * np.mean(right) == pytest.approx(history["test_accuracy"].iloc[-1], abs=8), "frames against seconds"


def test_one_run_gives_both_results(target, tmp_path):
    _, both = run(target, tmp_path / "both", dropout=0.1)
    _, short = run(target, tmp_path / "short", dropout=0.1, epochs=(2,))
    assert contents(both[2]) == contents(short[2])


def test_the_choice_is_no_part_of_the_training(target, tmp_path):
    """Chosen anew from the finished run: nothing is trained, and each choice writes the epoch that it should."""
    history, folders = run(target, tmp_path)
    before = (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns
    for select_on in ("test", "last"):
        run(target, tmp_path, select_on=select_on)
        chosen = choose_epoch(history, 6, select_on)
        labels = json.loads((tmp_path / "run" / f"labels_{chosen:02d}.json").read_text())
        for video, (prediction, _) in prediction_pairs(folders[6], target.dataset, TEST).items():
            assert prediction[::FPS] == [CLASSES[label] for label in labels[video]]
    assert (tmp_path / "run" / "weights.safetensors").stat().st_mtime_ns == before


def test_validation_videos_are_not_trained_on(target, tmp_path):
    history, _ = run(target, tmp_path, select_on="validation", validation_people=3, epochs=(1,))
    assert history["validation_loss"].notna().all()
    train, held_out = hold_out(target.dataset.split(1)[0], 3, SETTINGS.seed)
    assert len(held_out) == 3 and not set(train) & set(held_out)


@given(
    people=st.lists(st.integers(0, 99), min_size=2, max_size=30, unique=True), data=st.data(), seed=st.integers(0, 99)
)
def test_nobody_is_on_both_sides(people, data, seed):
    videos = [f"rgb-{person:02d}-{number}" for person in people for number in (1, 2)]
    wanted = data.draw(st.integers(1, len(people) - 1))
    train, held_out = hold_out(videos, wanted, seed)
    assert sorted([*train, *held_out]) == sorted(videos)
    assert len({video[:6] for video in held_out}) == wanted and not {v[:6] for v in train} & {v[:6] for v in held_out}
    with pytest.raises(ValueError, match="leave nobody to train on"):
        hold_out(videos, len(people), seed)


def test_the_first_loss_counts_a_second_once_a_window(target, tmp_path):
    """Without learning: the mean over all seconds of all windows, written out."""
    history, _ = run(target, tmp_path, learning_rate=1e-12, epochs=(1,))
    model = learner_model(target_videoclip(), SETTINGS, len(CLASSES), SETTINGS.seed)
    losses = []
    for video in target.dataset.split(1)[0]:
        features = torch.from_numpy(target.features(video, DIM))
        truth = target.dataset.labels(video)[::FPS]
        one = []
        for start in range(0, max(1, len(features) - SIZE + 2), 2):
            part = features[start : start + SIZE]
            filled = F.pad(part, (0, 0, 0, SIZE - len(part)))[None]
            mask = torch.arange(SIZE)[None] < len(part)
            logits = model.frame_logits(filled, mask, SETTINGS.cls_visible)[0]
            one += [F.cross_entropy(logits[n], torch.tensor(int(truth[start + n]))).item() for n in range(len(part))]
        losses.append(np.mean(one))
    assert history["train_loss"].iloc[0] == pytest.approx(np.mean(losses), rel=1e-4)
    assert history["train_loss"].iloc[0] == pytest.approx(math.log(779), rel=0.05), "a head of 779 begins there"


@given(seconds=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_names_loss_equals_loops(seconds, seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.normal(0, 3, (seconds, 4)), rng.integers(0, 4, seconds)
    own = -np.mean([scores[n, k] - np.log(np.exp(scores[n]).sum()) for n, k in enumerate(truth)])
    names = [
        -np.mean([scores[n, k] - np.log(np.exp(scores[:, k]).sum()) for n in np.flatnonzero(truth == k)])
        for k in set(truth.tolist())
    ]
    found = names_loss(torch.from_numpy(scores), torch.from_numpy(truth)).item()
    assert found == pytest.approx(own + np.mean(names))


def test_the_head_leaves_the_text_tower_alone(target, tmp_path):
    run(target, tmp_path, epochs=(1,))
    weights = load_file(tmp_path / "run" / "weights.safetensors")
    assert not [name for name in weights if name.startswith("text.")]
    assert weights["head.weight"].shape == (779, 16)
    run(target, tmp_path / "contrastive", objective="contrastive", epochs=(1,))
    weights = load_file(tmp_path / "contrastive" / "run" / "weights.safetensors")
    before = target_videoclip().text.encoder.layer[0].output.dense.weight
    assert not torch.equal(weights["text.encoder.layer.0.output.dense.weight"], before)


def test_a_wide_head_never_answers_with_a_class_that_there_is_not(target, tmp_path):
    """Untrained, the best of 779 outputs is one of the 775 that mean nothing; the labels are the set's all the same."""
    _, folders = run(target, tmp_path, learning_rate=1e-12, epochs=(1,))
    model = learner_model(target_videoclip(), SETTINGS, len(CLASSES), SETTINGS.seed)
    windows, mask, _ = cut_windows(torch.from_numpy(target.features(TEST[0], DIM)), SIZE, 4)
    best = dense_scores(model, windows, mask, class_names(), SETTINGS)[mask].argmax(dim=1)
    assert (best >= len(CLASSES)).any()
    assert set(prediction_pairs(folders[1], target.dataset, TEST)[TEST[0]][0]) <= set(CLASSES)


def test_a_head_of_the_wrong_size_is_named(target, tmp_path):
    with pytest.raises(ValueError, match=r"finetune.head: 3 outputs for 4 classes; null makes one for each"):
        run(target, tmp_path, head=3)
    history, _ = run(target, tmp_path, head=None, epochs=(1,))
    assert load_file(tmp_path / "run" / "weights.safetensors")["head.weight"].shape == (4, 16)
    assert history["train_loss"].notna().all()


def test_a_class_that_training_lacks_is_named(target, tmp_path):
    assert target.absent(1) == []
    root = shutil.copytree(target.dataset.root, tmp_path / "set")
    for video in target.dataset.split(1)[0]:
        path = root / "groundTruth" / f"{video}.txt"
        path.write_text(path.read_text().replace("cut_tomato", "add_oil"))
    lacking = Target(open_dataset(root, None, FPS), target.folder)
    assert lacking.absent(1) == ["cut_tomato"]
    _, folders = run(lacking, tmp_path, select_on="last")
    counts = Counter(name for pair in prediction_pairs(folders[6], lacking.dataset, TEST).values() for name in pair[0])
    assert counts["cut_tomato"] == 0, "and is not learnt"


def test_a_video_shorter_than_a_window(tmp_path):
    lengths = {"rgb-01-1": 3, "rgb-09-1": 5}
    short = make_target(tmp_path / "set", lengths)
    history, folders = run(short, tmp_path, epochs=(1,))
    assert np.isfinite(history.to_numpy()).all()
    prediction, truth = prediction_pairs(folders[1], short.dataset, TEST)["rgb-09-1"]
    assert len(prediction) == len(truth) == 5 * FPS


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: np.where(np.arange(x.shape[1]) == 4, np.nan, x), "NaN or infinite, first in second 4; extract it"),
        (lambda x: x[:-1], rf"this model takes \({DIM}, seconds\)"),
        (lambda x: x.T, rf"this model takes \({DIM}, seconds\)"),
        (lambda x: x[:, :-3], "are labelled; extract it again"),
        (None, "missing; run 2_4"),
    ],
)
def test_unusable_features_are_named(tmp_path, spoil, message):
    spoilt = make_target(tmp_path / "set")
    path = spoilt.folder / "rgb-05-1.npy"
    features = np.load(path).astype(np.float32)
    path.unlink()
    if spoil is not None:
        np.save(path, spoil(features))
    with pytest.raises(FeatureSetError, match=message) as error:
        run(spoilt, tmp_path)
    assert "rgb-05-1" in str(error.value) and "\n" not in str(error.value)


def test_a_killed_run_ends_with_the_same_bytes(target, tmp_path):
    run(target, tmp_path / "whole", dropout=0.1)
    code = f"""if True:
        from pathlib import Path
        from test_finetune import FPS, Target, open_dataset, run
        dataset = open_dataset(Path({str(target.dataset.root)!r}), None, FPS)
        run(Target(dataset, Path({str(target.folder)!r})), Path({str(tmp_path / "killed")!r}), dropout=0.1)
    """
    kill_once(tmp_path / "killed" / "run" / "labels_03.json", code)
    run(target, tmp_path / "killed", dropout=0.1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
