"""4.3: what the nets read, who chooses, what is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from lib.beyond.modalities import views
from lib.beyond.modalities.inputs import INPUTS, Perturbed, Steps, inputs_of, split_part, standardized, thinned
from lib.beyond.modalities.methods import fused, lender, mean_of, predict_split
from lib.core.paths import Outputs
from lib.data.dataset import write_data_set
from lib.data.profile import open_profile
from lib.data.sensors import read_sensors
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table


@pytest.fixture
def profile(shared):
    roots = str(shared / "data" / "50salads_spatialcnn")
    return open_profile("params/50salads_sensors.yaml", [f"data.roots=[{roots}]"])


def test_inputs(profile):
    dataset, sensors = profile.public_dataset(3), read_sensors(profile.dataset())
    train, _ = dataset.split(3)
    inputs = inputs_of(dataset, sensors, train)
    channels = {name: arrays[train[0]].shape[0] for name, arrays in inputs.items()}
    assert channels == {"video": 128, "sensors": 60, "both": 188}
    steps = np.concatenate([inputs["both"][video] for video in train], axis=1)
    assert np.abs(steps.mean(axis=1)).max() < 1e-3
    assert np.allclose(steps.std(axis=1)[steps.std(axis=1) > 0], 1, atol=1e-3)


@pytest.mark.parametrize("split", [1, 5])
def test_tested_people_take_no_part_in_their_choice(profile, split):
    tested = profile.public_dataset(split).split(split)[1]
    sensors = read_sensors(profile.dataset())
    part = split_part(profile, sensors, lender(split, 5), without=tested)
    assert not set(tested) & {*part.fit, *part.asked}
    assert set(part.asked) == set(part.dataset.split(lender(split, 5))[1])
    assert (len(part.fit), len(part.asked)) == (30, 10)


def test_perturbation_moves_the_video_alone(profile):
    dataset = thinned(profile.dataset(), 1)
    arrays = {video: np.ones((5, len(dataset.labels(video))), np.float32) for video in dataset.videos}
    clean = Steps(dataset, arrays, 3)
    moved = Perturbed(dataset, arrays, 3, channels=2, shift=1.0, noise=1.0)
    video = dataset.videos[0]
    phases = [clean.features(f"{video}@{first}").shape[2] for first in range(3)]
    assert sum(phases) == len(dataset.labels(video))
    assert all(len(clean.target(f"{video}@{first}")) == phases[first] for first in range(3))
    torch.manual_seed(0)
    one, other = moved.features(video), moved.features(video)
    assert torch.equal(one[:, 2:], clean.features(video)[:, 2:]) and not torch.allclose(one[:, :2], other[:, :2])
    assert torch.equal(Perturbed(dataset, arrays, 3, 0, 1.0, 1.0).features(video), clean.features(video))


def test_standardized_by_the_training_videos_alone():
    arrays = {"a": np.array([[0.0, 2.0], [5.0, 5.0]]), "b": np.array([[10.0], [5.0]])}
    found = standardized(arrays, ["a"])
    assert found["a"].tolist() == [[-1, 1], [0, 0]] and found["b"].tolist() == [[9], [0]]


def test_fusion_and_mean_are_distributions():
    generator = np.random.default_rng(0)
    models = [{"v": np.log(generator.dirichlet(np.ones(4), 6))} for _ in range(3)]
    for found in (fused(models[0], models[1], 0.4), mean_of(models)):
        assert np.allclose(np.exp(found["v"]).sum(axis=1), 1)
    assert np.allclose(fused(models[0], models[1], 0.0)["v"], models[0]["v"])
    product = np.exp(models[0]["v"]) ** 0.6 * np.exp(models[1]["v"]) ** 0.4
    assert np.allclose(np.exp(fused(models[0], models[1], 0.4)["v"]), product / product.sum(axis=1, keepdims=True))


def test_answer_names_those_that_are_beaten_in_all_five():
    references = published_table("modalities_references")
    levels = {"video": references.loc["ed_tcn"] + 1, "late": references.loc["tdrn"] + 5}
    generator, ends = np.random.default_rng(0), ("asformer_{}_viterbi", "mean_of_seeds_asformer_{}_viterbi")
    videos = {
        name.format(inputs): pd.DataFrame(generator.normal(row[list(METRICS)], 1, (50, 5)), columns=list(METRICS))
        for inputs, row in levels.items()
        for name in ends
    }
    found = views.with_published(views.estimates(videos, resamples=200))
    added = views.differences(videos, {views.ADDED: views.QUESTIONS[views.ADDED]}, resamples=200)
    assert "ahead of Spatial CNN, ED-TCN in all five measures." in views.answer_sentence(found, added, seeds=3)
    assert added.loc[views.ADDED, "f1@50 direction"] == "higher"


def test_the_split_that_was_tuned_on_is_left_out():
    methods = ("asformer_video_viterbi", "asformer_late_viterbi")
    rows = [
        {"method": method, "split": split, "video": video, "metric": metric, "value": 10.0 * split + (video == "b")}
        for method in methods
        for split in (1, views.TUNED, 3)
        for video in ("a", "b", "all")
        for metric in METRICS
    ]
    metrics = pd.DataFrame(rows)
    said = views.untuned_sentence(metrics, seeds=3)
    assert said.startswith("Without split 2, 2 videos: ") and said.count("20.5/20.5/20.5/20.5/20.5") == 2
    assert views.untuned_sentence(metrics[metrics["split"] == views.TUNED], seeds=3) == ""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Five people with two short videos each; class and sensors go together, the features are noise."""
    generator, root = np.random.default_rng(0), tmp_path / "small"
    classes = ["background", "cut", "peel"]
    tested = {split: [f"rgb-0{split}-1", f"rgb-0{split}-2"] for split in range(1, 6)}
    labels = {video: np.repeat(generator.permutation(3), 12) for videos in tested.values() for video in videos}
    write_data_set(root, classes, labels, tested)
    for video, truth in labels.items():
        for split in tested:
            (root / "features" / f"split_{split}").mkdir(parents=True, exist_ok=True)
            feature = generator.normal(size=(6, len(truth))).astype(np.float32)
            np.save(root / "features" / f"split_{split}" / f"{video}.npy", feature)
        (root / "sensors").mkdir(exist_ok=True)
        moving = np.repeat(truth == 1, 1) * generator.random((30, len(truth)))
        np.save(root / "sensors" / f"{video}.npy", (1 + moving).astype(np.float32))
    sets = [f"data.roots=[{root}]", "asformer.epochs=1", "asformer.num_layers=2", "asformer.num_maps=8"]
    profile = open_profile("params/50salads_sensors.yaml", sets)
    monkeypatch.setattr("lib.core.paths.ROOT", tmp_path)
    return replace(profile, out=Outputs("small"), split=1)


def test_every_method_is_predicted_and_scored(small):
    profile, sensors = small, read_sensors(small.dataset())
    chosen = predict_split(profile, sensors, 1)
    probes, nets = {f"probe_{one}" for one in INPUTS}, {f"asformer_{one}" for one in views.FUSED}
    assert set(chosen["method"]) == probes | nets
    metrics = views.scored(profile)
    assert metrics["value"].notna().all() and set(metrics["video"]) == {"rgb-01-1", "rgb-01-2", "all"}
    videos = views.per_video(metrics)
    assert len(videos) == 2 * (3 + 4 + 4) and {len(table) for table in videos.values()} == {2}
    # the sensors distinguish one class from the others, the features none
    assert videos["probe_sensors"]["accuracy"].mean() > videos["probe_video"]["accuracy"].mean() + 10
    # finished trainings are read
    pd.testing.assert_frame_equal(predict_split(profile, sensors, 1), chosen)
    found = views.with_published(views.estimates(videos, resamples=50))
    added = views.differences(videos, views.QUESTIONS, resamples=50)
    assert len(views.shown(found, views.seed_spread(metrics), 3).data) == len(found)
    assert len(views.shown_differences(added).data) == len(views.QUESTIONS)
    assert "ASFormer, video" in views.choices_sentence(chosen)
    assert views.draw(found, 3).axes
    assert len(views.conventions(metrics, 3)) == 16
