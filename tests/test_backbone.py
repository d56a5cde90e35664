"""Training of the demo's I3D: shapes, augmentation, resume; no accuracy."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lib.backbones import labelled_clips
from lib.backbones.labelled_clips import THINGS, VERBS, flow_batch, random_net, train_stream
from lib.core.params import load

PARAMS = load("params/smoke.yaml")
SECTIONS = (PARAMS.demo, PARAMS.i3d, PARAMS.backbone)


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_a_finished_training_is_loaded_without_rendering(
    stream: labelled_clips.Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, history = train_stream(stream, *SECTIONS, tmp_path)
    assert len(history) == PARAMS.backbone.epochs[stream]
    assert np.isfinite(history.to_numpy()).all()
    monkeypatch.setattr(labelled_clips, "kept_clips", lambda *_: pytest.fail("rendered again"))
    again, same = train_stream(stream, *SECTIONS, tmp_path)
    assert same.equals(history)
    assert not again.training
    for one, other in zip(net.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_a_mirrored_flow_turns_its_horizontal_part() -> None:
    settings = PARAMS.backbone
    fields = torch.zeros(64, 2, settings.clip_frames - 1, 8, 8, dtype=torch.float16)
    fields[:, 0, ..., :4], fields[:, 1] = 0.5, 0.25  # the left half moves to the right, everything down
    batch = flow_batch(fields, settings)
    assert batch.shape == (64, 2, settings.frames, 8, 8)
    assert (batch[:, 1] == 0.25).all()
    mirrored = batch[:, 0, :, :, 0].flatten(1).eq(0).all(dim=1)
    assert 0 < mirrored.sum() < 64
    assert (batch[mirrored][:, 0, ..., 4:] == -0.5).all()
    assert (batch[~mirrored][:, 0, ..., :4] == 0.5).all()


def test_random_net_is_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = np.random.default_rng(0).integers(256, size=(64, 9, 64, 64, 3), dtype=np.uint8)
    monkeypatch.setattr(labelled_clips, "render_clips", lambda *_: (clips, np.zeros(64, int)))
    first, again, other = (random_net(PARAMS.demo, PARAMS.i3d, seed) for seed in (0, 0, 1))
    clip = torch.randn(1, 3, 9, 32, 32)
    with torch.inference_mode():
        features = [net(clip) for net in (first, again, other)]
    assert torch.isfinite(features[0]).all()
    assert torch.equal(features[0], features[1])
    assert not torch.equal(features[0], features[2])
    assert len(first.state_dict()["blocks.6.proj.weight"]) == len(VERBS) + len(THINGS)
