"""Features of every frame: against windows computed by hand, whatever the chunks, after a kill, of damaged videos."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from resume import contents, forked
from videos import chunks, write_video

from lib.backbones.i3d import I3DResNet, build, calibrate
from lib.backbones.i3d_features import agreement, blocks, extract, extract_video, padded_inputs, read_note
from lib.core.settings import I3D
from lib.data.frames import to_flow, to_input
from lib.data.video import VideoError, read_video

N = 70


def settings(**changes) -> I3D:
    values = dict(
        weights=None, width=2, dropout=0, channel_order="bgr", short_side=32, crop=32, mean=0.45, std=0.225,
        window=21, use_last_frame=True, mode="window", chunk=16, dtype="float32",
    )  # fmt: skip
    return I3D(**{**values, **changes})


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "rgb-01-1.avi", N)


@pytest.fixture(scope="module")
def nets(video) -> dict[str, I3DResNet]:
    nets = {stream: build(settings(), stream, seed=0) for stream in ("rgb", "flow")}
    for stream, net in nets.items():
        inputs = torch.stack(list(padded_inputs(read_video(video), stream, settings())), dim=1)
        calibrate(net, inputs[:, 10:-10].unfold(1, 21, 7).movedim(4, 2).movedim(1, 0))
        for name, parameter in net.named_parameters():
            # residual branches as training makes them: a part, not all of the signal
            if name.endswith("norm_c.weight"):
                torch.nn.init.constant_(parameter, 0.3)
    return nets


@pytest.fixture(scope="module")
def rgb(nets) -> dict[str, I3DResNet]:
    return {"rgb": nets["rgb"]}


def by_hand(video: Path, net: I3DResNet, last: bool = True) -> np.ndarray:
    """The thesis's way: 21 frames around each frame, zeros where there are none. Without `last` the last is none."""
    frames = to_input(torch.from_numpy(np.stack(list(read_video(video)))), settings())  # (3, N, 32, 32)
    columns = []
    for middle in range(frames.shape[1]):
        clip = torch.zeros(3, 21, 32, 32)
        for place in range(21):
            number = middle - 10 + place
            if 0 <= number < frames.shape[1] - (not last):
                clip[:, place] = frames[:, number]
        columns.append(net(clip[None])[0])
    return torch.stack(columns, dim=1).numpy()


@torch.inference_mode()
@pytest.mark.parametrize("last", [True, False])
def test_window_mode_is_the_net_on_each_window(video, rgb, last):
    features, bad = extract_video(video, rgb, settings(use_last_frame=last))
    assert (features.shape, features.dtype, bad) == ((64, N), np.float32, ())
    np.testing.assert_allclose(features, by_hand(video, rgb["rgb"], last), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_dense_mode_is_two_passes_over_the_whole_video(video, rgb):
    """As facts say it: the trunk from the first and from the second frame on, ten positions weighted for each frame."""
    net = rgb["rgb"]
    inputs = torch.stack(list(padded_inputs(read_video(video), "rgb", settings())), dim=1)[None]
    maps = net.early(inputs)
    passes = [net.late(maps[:, :, phase:]).mean(dim=(3, 4))[0] for phase in (0, 1)]
    weights = torch.tensor([1, 2, 3, 4, 4, 4, 4, 3, 2, 1]) / 28
    expected = [passes[number % 2][:, number // 2 : number // 2 + 10] @ weights for number in range(N)]
    features, _ = extract_video(video, rgb, settings(mode="dense"))
    np.testing.assert_allclose(features, torch.stack(expected, dim=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["window", "dense"])
def test_chunks_leave_no_trace(video, rgb, mode):
    whole, _ = extract_video(video, rgb, settings(mode=mode, chunk=10_000))
    for chunk in (1, 7, 32):
        features, _ = extract_video(video, rgb, settings(mode=mode, chunk=chunk))
        np.testing.assert_allclose(features, whole, rtol=1e-4, atol=1e-5)


def test_dense_agrees_with_windows(video, nets):
    window, _ = extract_video(video, nets, settings())
    dense, _ = extract_video(video, nets, settings(mode="dense"))
    window, dense = window[:, 10:-10], dense[:, 10:-10]
    cosine = np.median(agreement(window, dense))
    assert cosine > 0.9
    for shift in (-2, -1, 1, 2):  # of frames, it would be seen
        assert np.median(agreement(window[:, 2:-2], np.roll(dense, shift, axis=1)[:, 2:-2])) < cosine


def test_bfloat16_is_close(video, rgb):
    exact, _ = extract_video(video, rgb, settings(mode="dense"))
    rounded, _ = extract_video(video, rgb, settings(mode="dense", dtype="bfloat16"))
    assert rounded.dtype == np.float32
    assert np.median(agreement(exact, rounded)) > 0.99


def test_two_streams_are_joined(video, nets):
    both, _ = extract_video(video, nets, settings(mode="dense"))
    parts = [extract_video(video, {stream: net}, settings(mode="dense"))[0] for stream, net in nets.items()]
    np.testing.assert_array_equal(both, np.concatenate(parts))
    inputs = list(padded_inputs(read_video(video), "flow", settings()))
    frames = torch.from_numpy(np.stack(list(read_video(video))))
    torch.testing.assert_close(torch.stack(inputs[11:-10], dim=1), to_flow(frames, settings()))
    assert len(inputs) == N + 20
    assert inputs[10].abs().mean() < 1e-3  # nothing moves before the first frame


@pytest.mark.parametrize("mode", ["window", "dense"])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_videos_shorter_than_a_window(tmp_path, rgb, mode, frames):
    short = write_video(tmp_path / "short.avi", frames)
    features, _ = extract_video(short, rgb, settings(mode=mode))
    assert features.shape == (64, frames)
    assert np.isfinite(features).all()


@pytest.mark.parametrize("window", [3, 9, 15])
def test_other_windows(video, rgb, window):
    shapes = {
        mode: extract_video(video, rgb, settings(mode=mode, window=window))[0].shape for mode in ("window", "dense")
    }
    assert shapes == {"window": (64, N), "dense": (64, N)}


def test_damaged_video_keeps_its_length(video, rgb, tmp_path):
    damaged = tmp_path / "rgb-14-1.avi"
    data = bytearray(video.read_bytes())
    for number in (30, 31, 32):
        start, size = chunks(video)[number]
        data[start + 8 : start + 8 + size] = bytes(size)
    damaged.write_bytes(data)
    extract([video, damaged], tmp_path / "set", rgb, settings(mode="dense"))
    whole, spoilt = (np.load(tmp_path / "set" / f"{name}.npy") for name in ("rgb-01-1", "rgb-14-1"))
    assert whole.shape == spoilt.shape
    far = [*range(30 - 28), *range(33 + 28, N)]  # 10 frames of window and 17 that the convolutions see beyond
    np.testing.assert_allclose(whole[:, far], spoilt[:, far], rtol=1e-4, atol=1e-5)
    assert np.abs(whole[:, 31] - spoilt[:, 31]).max() > 1e-3
    bad = {name: read_note(tmp_path / "set", name)["bad"] for name in ("rgb-01-1", "rgb-14-1")}
    assert bad == {"rgb-01-1": [], "rgb-14-1": [30, 31, 32]}
    damaged.write_bytes(b"RIFF")
    with pytest.raises(VideoError, match=r"rgb-14-1\.avi"):
        extract_video(damaged, rgb, settings())


@pytest.fixture
def done(monkeypatch) -> list[str]:
    """Names of the videos that `extract_video`, which is replaced by something quick, was asked for."""
    done = []

    def quick(path, nets, settings):
        done.append(path.stem)
        return np.full((3, 5), len(path.stem), np.float32), (2,)

    monkeypatch.setattr("lib.backbones.i3d_features.extract_video", quick)
    return done


@pytest.fixture
def videos(tmp_path) -> list[Path]:
    paths = [tmp_path / "videos" / f"{name}.avi" for name in ("one", "three", "eleven")]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_only_what_changed_is_done_again(videos, tmp_path, done, rgb):
    folder = tmp_path / "features" / "i3d"

    def done_now() -> list[str]:
        done.clear()
        extract(videos, folder, rgb, changed)
        return list(done)

    everything = ["one", "three", "eleven"]
    changed = settings()
    assert done_now() == everything
    assert done_now() == []
    (folder / "three.npy").unlink()
    assert done_now() == ["three"]
    changed = settings(channel_order="rgb")
    assert done_now() == everything
    videos[1].write_bytes(b"another video")
    assert done_now() == ["three"]
    rgb = {"rgb": build(settings(), "rgb", seed=7)}
    assert done_now() == everything
    assert done_now() == []
    assert all(read_note(folder, name)["frames"] == 5 for name in everything)


@pytest.mark.parametrize("moment", ["before", "while", "after"])
def test_goes_on_after_a_kill(videos, tmp_path, done, rgb, monkeypatch, moment):
    """SIGKILL around writing the second video's features; the finished set is that of an undisturbed run."""
    folder, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    save = np.save

    def deadly(path, features):
        number = len(done)
        if (number, moment) == (2, "while"):
            path.write_bytes(b"half")
        if number == (3 if moment == "after" else 2):
            os.kill(os.getpid(), signal.SIGKILL)
        save(path, features)

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", deadly)
        assert forked(lambda: extract(videos, folder, rgb, settings())) == -signal.SIGKILL
    extract(videos, folder, rgb, settings())
    assert done == (["eleven"] if moment == "after" else ["three", "eleven"])
    extract(videos, undisturbed, rgb, settings())
    assert contents(folder).items() >= contents(undisturbed).items()


@given(length=st.integers(0, 60), size=st.integers(1, 20), before=st.integers(0, 9), after=st.integers(0, 9))
def test_blocks_cover_a_stream_with_its_neighbours(length, size, before, after):
    covered = []
    for items, core in blocks(range(length), size, before, after):
        run = items[core]
        assert run
        covered += run
        assert items == list(range(items[0], items[-1] + 1))
        assert items[0] <= max(0, run[0] - before)
        assert items[-1] >= min(length - 1, run[-1] + after)
        assert len(items) <= before + size + after
    assert covered == list(range(length))
