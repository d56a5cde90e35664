"""I3D against pytorchvideo's own net and pooling, and the preparation of frames against torch's primitives."""

import sys

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms.functional import center_crop

from lib.backbones.i3d import I3DResNet, build, calibrate, for_inference, load_weights
from lib.core.checkpoints import WeightsError
from lib.core.settings import I3D
from lib.data.frames import to_flow, to_input

SETTINGS = I3D(
    weights=None, width=4, dropout=0, channel_order="bgr", short_side=256, crop=256, mean=0.45, std=0.225,
    window=21, use_last_frame=False, mode="window", chunk=8, dtype="float32",
)  # fmt: skip


def randomized(net: nn.Module) -> nn.Module:
    """Batch norms that do something."""
    generator = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            with torch.no_grad():
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.normal_(0, 0.1, generator=generator)
    return net.eval()


@pytest.fixture(scope="module")
def official() -> nn.Module:
    from pytorchvideo.models.hub import i3d_r50  # after lib.backbones.i3d, which knows its import's warnings

    torch.manual_seed(0)
    return randomized(i3d_r50())


@pytest.fixture(scope="module")
def net(official, tmp_path_factory) -> I3DResNet:
    """The full-size net, through a file like the published I3D_8x8_R50.pyth."""
    path = tmp_path_factory.mktemp("weights") / "I3D_8x8_R50.pyth"
    torch.save({"model_state": official.state_dict()}, path)
    net = I3DResNet()
    load_weights(net, path)
    return net.eval()


@torch.inference_mode()
def test_full_size_net_is_pytorchvideos(official, net):
    assert sum(parameter.numel() for parameter in net.parameters()) == 28_043_472
    clip = torch.randn(1, 3, 9, 224, 224, generator=torch.Generator().manual_seed(1))
    maps = clip
    for block in official.blocks[:6]:
        maps = block(maps)
    assert maps.shape == (1, 2048, 4, 7, 7)
    pooled = F.adaptive_avg_pool3d(nn.AvgPool3d((4, 7, 7), stride=1)(maps), 1).flatten(1)  # as the thesis's code
    features = net(clip)
    assert features.shape == (1, 2048)
    torch.testing.assert_close(features, pooled, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(net.logits(clip), official.blocks[6](maps), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_pooling_at_256_pixels_counts_overlapping_windows():
    net = randomized(I3DResNet(width=2))
    clip = torch.randn(1, 3, 21, 256, 256, generator=torch.Generator().manual_seed(1))
    maps = net.late(net.early(clip))
    assert maps.shape[2:] == (10, 8, 8)
    pooled = F.adaptive_avg_pool3d(F.avg_pool3d(maps, (4, 7, 7), stride=1), 1).flatten(1)
    torch.testing.assert_close(net(clip), pooled)
    assert not torch.allclose(pooled, maps.mean(dim=(2, 3, 4)))


@torch.inference_mode()
def test_small_frames_and_other_windows():
    net = build(SETTINGS, "rgb", seed=0, num_classes=19).eval()
    maps = net.late(net.early(torch.randn(2, 3, 21, 64, 64)))
    assert maps.shape == (2, 128, 10, 2, 2)
    for frames in (3, 9, 21):
        clip = torch.randn(2, 3, frames, 64, 64)
        assert net(clip).shape == (2, 128)
        assert net.logits(clip).shape == (2, 19)
    assert build(SETTINGS, "flow", seed=0)(torch.randn(1, 2, 21, 64, 64)).shape == (1, 128)


def test_build_depends_on_its_seed_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b, c = (build(SETTINGS, "rgb", seed).state_dict()["blocks.0.conv.weight"] for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.random.get_rng_state())


@torch.inference_mode()
def test_for_inference_changes_nothing_but_rounding():
    net = build(SETTINGS, "rgb", seed=0)
    clips = torch.randn(8, 3, 21, 64, 64, generator=torch.Generator().manual_seed(1))
    calibrate(net, clips)
    before = {name: values.clone() for name, values in net.state_dict().items()}
    expected = net(clips)
    torch.testing.assert_close(for_inference(net, torch.float32)(clips), expected, rtol=1e-4, atol=1e-4)
    rounded = for_inference(net, torch.bfloat16)(clips.bfloat16())
    assert rounded.dtype == torch.float32
    assert F.cosine_similarity(rounded, expected).min() > 0.99
    assert all(torch.equal(values, before[name]) for name, values in net.state_dict().items())


def test_calibrate_keeps_the_signal():
    net = build(SETTINGS, "rgb", seed=0)
    clips = torch.randn(8, 3, 21, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        faint = net.eval()(clips).std(dim=0).mean()
    calibrate(net, clips)
    assert not net.training
    with torch.inference_mode():
        assert net(clips).std(dim=0).mean() > 5 * faint
    assert all(module.momentum == 0.1 for module in net.modules() if isinstance(module, nn.BatchNorm3d))


def test_weights_of_another_net_are_named_in_a_line(tmp_path):
    """Files that are no weights at all: test_videoclip.py."""
    torch.save({"model_state": I3DResNet(width=2).state_dict()}, tmp_path / "other.pyth")
    cases = {
        "missing.pyth": r"no such file of weights; put the file there or train it \(2_2\)",
        "other.pyth": r"not weights of this I3DResNet: .*blocks.0.conv.weight",
    }
    for name, message in cases.items():
        with pytest.raises(WeightsError, match=rf"{name}: {message}") as error:
            load_weights(I3DResNet(width=4), tmp_path / name)
        assert "\n" not in str(error.value)


def test_safetensors_round_trip(tmp_path):
    net, copy = (build(SETTINGS, "rgb", seed) for seed in (1, 2))
    save_file(net.state_dict(), tmp_path / "rgb.safetensors")
    load_weights(copy, tmp_path / "rgb.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), copy.state_dict().values(), strict=True))


def test_pytorchvideos_transforms_are_not_imported():
    """They do not import with current torchvision. (That importing the rest is silent is seen by pytest's settings.)"""
    assert "pytorchvideo.models" in sys.modules
    assert not any(name.startswith("pytorchvideo.transforms") for name in sys.modules)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (256, 300), (256, 256)])
def test_frames_are_prepared_as_pytorchvideo_does(height, width):
    frames = torch.randint(0, 256, (2, height, width, 3), dtype=torch.uint8)
    scale = 256 / min(height, width)
    size = (int(height * scale), int(width * scale))
    x = F.interpolate(frames.permute(0, 3, 1, 2) / 255, size=size, mode="bilinear", align_corners=False)
    x = (center_crop(x, [256, 256]) - 0.45) / 0.225
    result = to_input(frames, SETTINGS)
    assert result.shape == (3, 2, 256, 256)
    torch.testing.assert_close(result, x.transpose(0, 1), rtol=0, atol=1e-5)
    rgb = to_input(frames, SETTINGS.model_copy(update={"channel_order": "rgb"}))
    torch.testing.assert_close(rgb, result.flip(0))


def test_batches_of_clips_are_prepared_alike():
    clips = torch.randint(0, 256, (4, 5, 64, 80, 3), dtype=torch.uint8)
    settings = SETTINGS.model_copy(update={"short_side": 32, "crop": 28})
    batch = to_input(clips, settings)
    assert batch.shape == (4, 3, 5, 28, 28)
    torch.testing.assert_close(batch, torch.stack([to_input(clip, settings) for clip in clips]))


def test_flow_of_a_moving_picture():
    """A picture that slides 3 pixels right and 2 up per frame."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8), (160, 160), interpolation=cv2.INTER_CUBIC)
    frames = np.stack([texture[40 + 2 * t : 104 + 2 * t, 40 - 3 * t : 104 - 3 * t] for t in range(5)])
    settings = SETTINGS.model_copy(update={"short_side": 64, "crop": 64})
    flow = to_flow(torch.from_numpy(frames), settings)
    assert flow.shape == (2, 4, 64, 64)
    inner = flow[:, :, 8:-8, 8:-8].flatten(1).median(dim=1).values * 20
    assert inner.tolist() == pytest.approx([3, -2], abs=0.2)
    assert flow.abs().max() <= 1
    still = to_flow(torch.from_numpy(frames[[0, 0]]), settings)
    assert still.abs().mean() < 1e-3  # the borders are not exactly 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"window": 20}, "odd"), ({"crop": 300}, "larger than short_side"), ({"std": 0.0}, "greater than 0")],
)
def test_settings_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        I3D(**{**SETTINGS.model_dump(), **changes})
