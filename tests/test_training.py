"""The trainer: exact resumption, errors, finished runs, on a tiny regression (SIGKILL: test_segment.py)."""

from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from resume import contents
from torch import nn

from lib.core import training
from lib.core.checkpoints import Learner
from lib.core.training import TrainingError, fit, shuffled_steps

EPOCHS = 12


def run(folder: Path, key: str = "a", poison: str = "", epochs: int = EPOCHS) -> list[str]:
    """Train a small network with dropout; returns the examples in the order of their steps."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-5, fused=True)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    examples, steps = [f"video-{number}" for number in range(5)], []

    def losses_of(step):
        name = step.video
        steps.append(name)
        x = torch.full((3, 4), float(name[-1]))
        loss = (model(x) - x.mean()).square().mean()
        return [(loss * (float("nan") if name == poison else 1), {"frames": 3})]

    def measure(epoch, sums):
        assert not model.training and sums["frames"] == 15
        return {"loss": sums["loss"]} | ({"tested": float(epoch)} if epoch % 2 == 0 else {})

    options = {"epochs": epochs, "seed": 3, "folder": folder, "key": key}
    learner = Learner(model, optimizer, scheduler)
    history = fit(learner, partial(shuffled_steps, examples, 3), losses_of, measure, **options)
    assert history["epoch"].tolist() == list(range(1, epochs + 1))
    return steps


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def test_every_epoch_has_its_own_order(tmp_path):
    steps = run(tmp_path)
    orders = {tuple(steps[start : start + 5]) for start in range(0, 5 * EPOCHS, 5)}
    assert len(orders) > EPOCHS // 2 and all(sorted(order) == sorted(steps[:5]) for order in orders)


def test_the_callers_random_numbers_are_left_alone(tmp_path):
    run(tmp_path)  # seeds with 0, draws the initial weights
    after = torch.rand(1)
    torch.manual_seed(0)
    nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))
    assert torch.rand(1) == after


@pytest.mark.parametrize("stop", range(1, EPOCHS))
def test_it_goes_on_from_every_epoch(whole, tmp_path, monkeypatch, stop):
    keep, kept = training.keep, []

    def keep_until_stop(*arguments):
        if len(kept) == stop:
            raise KeyboardInterrupt
        kept.append(keep(*arguments))

    with monkeypatch.context() as patch:
        patch.setattr(training, "keep", keep_until_stop)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert len(run(tmp_path)) == 5 * (EPOCHS - stop)
    assert contents(tmp_path) == contents(whole)


def test_a_finished_run_is_returned_at_once_and_another_key_starts_anew(tmp_path):
    run(tmp_path, key="a", epochs=2)
    assert set(contents(tmp_path)) == {"weights.safetensors", "history.csv"}
    assert run(tmp_path, key="a", epochs=2) == []
    assert len(run(tmp_path, key="b", epochs=2)) == 10


def test_the_learning_rate_falls_on_a_plateau(tmp_path):
    run(tmp_path)
    rates = pd.read_csv(tmp_path / "history.csv")["learning_rate"]
    assert rates[0] == 0.01 and rates.is_monotonic_decreasing and rates.iloc[-1] < 0.01


def test_a_loss_that_is_not_a_number_names_video_and_epoch(tmp_path):
    with pytest.raises(TrainingError, match=r"the loss is nan at video-2 in epoch 1; look for"):
        run(tmp_path, poison="video-2")
