"""S3D features of videos: one per second, named by how they were made, refused by a model trained on others."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from videos import write_frames

from lib.backbones.s3d import S3D
from lib.backbones.s3d_features import FeatureSetError, check_same_set, extract_s3d, feature_set, video_features
from lib.core.params import load
from lib.core.paths import ROOT
from lib.data.frames import to_clips
from lib.data.video import read_video

SETTINGS = load("params/smoke.yaml").s3d.model_copy(update={"fps": 10, "dtype": "float32"})


@pytest.fixture(scope="module")
def net() -> S3D:
    torch.manual_seed(0)
    net = S3D(8, 0.125, words=2, word_dim=4, text_hidden=4)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.momentum = 1.0  # so that one pass sets the statistics, and features do not vanish
    with torch.no_grad():
        net(torch.rand(4, 3, 10, 32, 32))
    return net.eval()


def write_video(path: Path, frames: int, fps: float) -> Path:
    """Noise whose brightness grows with time, 48 x 40 pixels."""
    rng = np.random.default_rng(frames)
    pictures = ((rng.integers(0, 128, (40, 48, 3)) + number % 100).astype(np.uint8) for number in range(frames))
    return write_frames(path, pictures, fps, api=cv2.CAP_OPENCV_MJPEG)


def test_a_second_is_a_clip_of_its_frames_alone(net, tmp_path):
    video = read_video(write_video(tmp_path / "a.avi", 47, 10))
    features = video_features(video, net, SETTINGS)
    assert {layer: values.shape for layer, values in features.items()} == {
        "mixed_5c": (5, net.feature_dim),
        "video_embedding": (5, 8),
    }
    frames = torch.from_numpy(np.stack(list(video)))
    third = to_clips(frames[None, 20:30], SETTINGS.crop)
    last = torch.cat((frames[40:], torch.zeros_like(frames[:3])))  # the seconds that are missing are black
    for second, clip in ((2, third), (4, to_clips(last[None], SETTINGS.crop))):
        with torch.inference_mode():
            embedding, mixed = net(clip)
        for layer, values in (("mixed_5c", mixed), ("video_embedding", embedding)):
            expected = torch.nn.functional.normalize(values)[0].numpy()
            np.testing.assert_allclose(features[layer][second], expected, atol=2e-3)  # float16


def test_features_have_length_one_only_where_asked(net, tmp_path):
    video = read_video(write_video(tmp_path / "a.avi", 30, 10))
    raw = video_features(video, net, SETTINGS.model_copy(update={"normalize": False}))
    unit = video_features(video, net, SETTINGS)
    for layer, values in unit.items():
        np.testing.assert_allclose(np.linalg.norm(values.astype(np.float32), axis=1), 1, atol=2e-3)
        directions = raw[layer] / np.linalg.norm(raw[layer].astype(np.float32), axis=1, keepdims=True)
        np.testing.assert_allclose(values, directions, atol=2e-3)


def test_bicubic_frames_are_ffmpegs():
    golden = np.load(ROOT / "tests" / "golden" / "ffmpeg_bicubic.npz")
    frames = torch.from_numpy(golden["picture"])[None, None]
    whole = golden["scaled"][:, 8:56].astype(float)
    ours = {way: 255 * to_clips(frames, 48, way)[0, :, 0].movedim(0, -1).numpy() for way in ("bicubic", "bilinear")}
    away = {way: np.abs(levels - whole) for way, levels in ours.items()}
    assert away["bicubic"].max() < 1.01 and away["bicubic"].mean() < 0.1 < 3 < away["bilinear"].mean()
    np.testing.assert_allclose(ours["bicubic"], ours["bicubic"].round(), atol=1e-4)


@pytest.mark.parametrize(("fps", "frames", "seconds"), [(30, 75, 3), (10, 20, 2), (5, 7, 2), (25, 60, 3)])
def test_videos_of_other_rates_have_a_feature_a_second(net, tmp_path, fps, frames, seconds):
    features = video_features(read_video(write_video(tmp_path / "a.avi", frames, fps)), net, SETTINGS)
    assert all(len(values) == seconds for values in features.values())
    assert all(np.isfinite(values).all() for values in features.values())


def test_what_is_done_is_left_and_what_changed_is_done_again(net, tmp_path):
    videos = [write_video(tmp_path / f"{name}.avi", 25, 10) for name in "ab"]
    folders = {layer: tmp_path / feature_set(layer, SETTINGS) for layer in ("mixed_5c", "video_embedding")}

    def made() -> dict[str, int]:
        return {str(file): file.stat().st_mtime_ns for folder in folders.values() for file in folder.glob("*.npy")}

    extract_s3d(videos, folders, net, SETTINGS, rows=True)
    first = made()
    assert len(first) == 4 and np.load(folders["video_embedding"] / "a.npy").shape == (3, 8)
    extract_s3d(videos, folders, net, SETTINGS, rows=True)
    assert made() == first
    write_video(videos[0], 35, 10)
    extract_s3d(videos, folders, net, SETTINGS, rows=True)
    changed = {Path(file).stem for file, time in made().items() if time != first[file]}
    assert changed == {"a"}
    extract_s3d(videos, folders, net, SETTINGS, rows=False)  # MS-TCN's way round
    assert np.load(folders["video_embedding"] / "b.npy").shape == (8, 3)


def test_names_say_how_features_were_made():
    names = {
        feature_set(layer, SETTINGS.model_copy(update=changes))
        for layer in ("mixed_5c", "video_embedding")
        for changes in ({}, {"fps": 30}, {"crop": 224}, {"normalize": False})
    }
    assert len(names) == 8


def test_other_features_are_refused():
    check_same_set("a", "a", {})
    check_same_set("a", "b", {"a": "b"})
    with pytest.raises(FeatureSetError, match="pre-trained on the features 'a' and cannot be given 'c'"):
        check_same_set("a", "c", {"a": "b"})
