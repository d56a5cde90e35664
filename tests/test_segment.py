"""train_split on a small data set whose features reveal the class: what it writes, and that a kill changes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from resume import contents, kill_once
from safetensors.numpy import load_file

from lib.asformer import training
from lib.asformer.training import best_on_test, train_split
from lib.core.settings import Asformer
from lib.data.dataset import Dataset, open_dataset, write_data_set
from lib.data.predictions import read_prediction
from lib.scoring.metrics import score

CLASSES = ("cut", "mix", "serve")
SETTINGS = Asformer(
    num_layers=3, num_maps=8, num_decoders=1, channel_mask=0.1, attention_band="published", smoothing=0.15,
    sample_rate=2, standardize=True, epochs=10, learning_rate=0.01, weight_decay=1e-5, plateau_factor=0.5,
    plateau_patience=3, test_every=4, dtype="float32", seed=1,
)  # fmt: skip


def make_dataset(root: Path) -> Dataset:
    """Five videos of 41 … 45 frames; a class raises its channel by 1000 times the noise's unit."""
    rng, labels = np.random.default_rng(0), {}
    (root / "features").mkdir(parents=True)
    for number, video in enumerate(f"video-{number}" for number in range(5)):
        labels[video] = rng.integers(0, 3, 5).repeat(10)[: 41 + number]
        feature = 5000 + 100 * rng.standard_normal((4, 41 + number)) + 300 * (np.arange(4)[:, None] == labels[video])
        feature[3] = 0.1  # a channel that never changes
        np.save(root / "features" / f"{video}.npy", feature.astype(np.float32))
    write_data_set(root, CLASSES, labels, {1: ["video-3", "video-4"]})
    return open_dataset(root, ".", fps=10)


def run(root: Path, out: Path):
    dataset = make_dataset(root) if not root.exists() else open_dataset(root, ".", fps=10)
    return dataset, train_split(dataset, 1, SETTINGS, out / "run", out / "predictions")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("data") / "small"


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return out, *run(root, out)


def test_it_learns_and_follows_the_test_videos(whole):
    out, _, history = whole
    assert history["epoch"].tolist() == list(range(1, 11))
    assert history.dropna()["epoch"].tolist() == [4, 8, 10]
    assert history["train_loss"].iloc[-1] < 0.6 * history["train_loss"].iloc[0]
    assert history["accuracy"].iloc[-1] > 60
    result = json.loads((out / "run" / "result.json").read_text())
    assert result["chosen_on_test"] == best_on_test(history)
    assert result["last_epoch"]["edit"] == history["edit"].iloc[-1]


def test_predictions_are_a_label_for_each_annotated_frame(whole):
    out, dataset, history = whole
    _, test = dataset.split(1)
    pairs = [(read_prediction(out / "predictions" / f"{video}.txt"), dataset.names(video)) for video in test]
    for prediction, truth in pairs:
        assert len(prediction) == len(truth)
        assert prediction[0 : len(truth) - 1 : 2] == prediction[1::2]  # every second frame was seen
    assert score(pairs)["accuracy"] == history["accuracy"].iloc[-1]


def test_channels_are_standardized_on_the_training_videos(whole):
    out, dataset, _ = whole
    sampled = np.concatenate([dataset.feature(video)[:, ::2] for video in dataset.split(1)[0]], axis=1)
    kept = load_file(out / "run" / "standardization.safetensors")
    np.testing.assert_allclose(kept["mean"][:, 0], sampled.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(kept["scale"][:3, 0], sampled.std(axis=1)[:3], rtol=1e-4)
    assert kept["scale"][3, 0] == 1


def test_a_finished_run_is_returned_at_once(whole, monkeypatch):
    out, dataset, history = whole
    monkeypatch.setattr(training, "fit", None)
    again = train_split(dataset, 1, SETTINGS, out / "run", out / "predictions")
    assert again.equals(history)


def test_another_feature_value_or_setting_is_another_run(whole, tmp_path):
    _, dataset, _ = whole
    changed = SETTINGS.model_copy(update={"smoothing": 0.25})
    keys = [training._identity(dataset, 1, settings, 1, "mstcn", ()) for settings in (SETTINGS, changed)]
    other = make_dataset(tmp_path / "other")
    path = other.root / "features" / "video-0.npy"
    np.save(path, np.load(path) + 1)
    keys.append(training._identity(other, 1, SETTINGS, 1, "mstcn", ()))
    assert len(set(keys)) == 3


def test_killed_in_training_it_ends_with_the_same_bytes(root, whole, tmp_path):
    """A real process, a real SIGKILL, 30 ms after a checkpoint."""
    code = f"""if True:
        import lib.core.training, time
        from pathlib import Path
        from test_segment import run
        keep = lib.core.training.keep
        lib.core.training.keep = lambda *a: (time.sleep(0.1), keep(*a))
        run(Path({str(root)!r}), Path({str(tmp_path)!r}))
    """
    checkpoint = tmp_path / "run" / "checkpoint.safetensors"
    kill_once(checkpoint, code, 0.13)
    assert checkpoint.exists() and not (tmp_path / "run" / "weights.safetensors").exists()
    (tmp_path / "run" / ".checkpoint.safetensors.1.tmp.safetensors").write_text("cut off while it was written")
    run(root, tmp_path)
    assert contents(tmp_path) == contents(whole[0])


def test_stopped_between_training_and_predictions(root, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_prediction", None)
        with pytest.raises(TypeError):
            run(root, tmp_path)
    run(root, tmp_path)
    assert contents(tmp_path) == contents(whole[0])
