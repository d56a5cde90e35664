"""The protocol of the controls: seconds in the MS-TCN layout, held-out people, the chosen epoch, all kinds of nets."""

import json

import numpy as np
import pandas as pd
import pytest
from target_data import CLASSES, DIM, FPS, TEST, make_target, target_videoclip

from lib.beyond.controls.design import probe
from lib.beyond.controls.protocol import DenseStates, parts, second_means, train_seconds, write_features, write_labels
from lib.core.params import load
from lib.data.dataset import open_dataset
from lib.scoring.seconds import at_one_fps

PARAMS = load("params/smoke.yaml")
FINETUNE = PARAMS.finetune.model_copy(update={"learning_rate": 3e-3, "warmup": 4, "test_stride": 4, "dtype": "float32"})


@pytest.fixture(scope="module")
def seconds(tmp_path_factory):
    """The target set of the tests, resampled to seconds."""
    root = tmp_path_factory.mktemp("controlled")
    target = make_target(root / "frames")
    write_labels(root / "seconds", target.dataset, [1])
    write_features(root / "seconds", "s3d", {video: target.features(video, DIM) for video in target.dataset.videos})
    return target, open_dataset(root / "seconds", "s3d", 1.0, "end")


def test_the_layout_of_the_seconds_holds_what_the_frames_hold(seconds):
    target, dataset = seconds
    assert dataset.classes == target.dataset.classes and dataset.split(1) == target.dataset.split(1)
    for video in dataset.videos:
        assert dataset.names(video) == at_one_fps(target.dataset.names(video), FPS).tolist()
        assert pytest.approx(target.features(video, DIM)[: len(dataset.labels(video))]) == dataset.feature(video).T


@pytest.mark.parametrize("fps", [1, 3, 2.5, 30])
def test_second_means_are_means_of_the_frames_of_a_second(fps):
    feature = np.random.default_rng(0).normal(size=(4, 77))
    found = second_means(feature, fps)
    second = np.floor(np.arange(77) / fps)
    assert len(found) == second[-1] + 1
    for number, row in enumerate(found):
        assert row == pytest.approx(feature[:, second == number].mean(axis=1))


def test_nobody_is_on_two_sides(seconds):
    train, validation, test = parts(seconds[1], 1, people=2)
    assert len(validation) == 2 and set(test) == set(TEST)
    assert {*train, *validation} == set(seconds[1].split(1)[0]) and not {*train} & {*validation}
    assert parts(seconds[1], 1, people=2) == (train, validation, test)


@pytest.mark.parametrize("kind", ["asformer", "head", "joint"])
def test_a_net_learns_and_the_held_out_people_choose_its_epoch(seconds, kind, tmp_path):
    dataset, videos = seconds[1], parts(seconds[1], 1, people=2)
    asformer = None if kind == "head" else PARAMS.asformer.model_copy(update={"learning_rate": 5e-3})
    front = None if kind == "asformer" else DenseStates(target_videoclip(), FINETUNE)
    trained = train_seconds(dataset, videos, asformer, front, FINETUNE, 8, 0, tmp_path)
    history = pd.read_csv(tmp_path / "history.csv", index_col="epoch")
    assert history["train_loss"].iloc[-1] < 0.7 * history["train_loss"].iloc[0]
    assert trained.epoch == history["validation_accuracy"].idxmax()
    assert set(trained.scores) == {*videos[1], *TEST}
    for video, scores in trained.scores.items():
        assert scores.shape == (len(dataset.labels(video)), len(CLASSES))
        assert np.exp(scores).sum(axis=1) == pytest.approx(np.ones(len(scores)), abs=1e-4)
    right = np.concatenate([trained.scores[video].argmax(axis=1) == dataset.labels(video) for video in videos[1]])
    assert 100 * right.mean() == pytest.approx(history["validation_accuracy"].max())
    assert json.loads((tmp_path / "result.json").read_text())["epoch"] == trained.epoch


def test_a_tower_learns_from_its_first_step_at_the_rates_that_were_set(seconds, tmp_path):
    """The warm-up must not eat the rate: after it the tower's weights still move."""
    dataset, videos = seconds[1], parts(seconds[1], 1, people=2)
    moved = []
    for epochs in (1, 6):
        tower = target_videoclip()
        before = tower.mlp.linear1.weight.detach().clone()
        train_seconds(dataset, videos, None, DenseStates(tower, FINETUNE), FINETUNE, epochs, 0, tmp_path / str(epochs))
        moved.append((tower.mlp.linear1.weight.detach() - before).abs().mean().item())
    assert moved[1] > 1.5 * moved[0] > 0


def test_a_probe_scores_every_class(seconds):
    dataset, videos = seconds[1], parts(seconds[1], 1, people=2)
    run = probe(dataset, videos)
    right = [run.scores[video].argmax(axis=1) == dataset.labels(video) for video in TEST]
    assert np.concatenate(right).mean() > 0.9
    assert all(np.isfinite(scores).all() and scores.shape[1] == len(CLASSES) for scores in run.scores.values())
