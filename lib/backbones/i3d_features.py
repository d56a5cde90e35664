"""I3D features of every frame of a video, and the feature sets of a profile (thesis 2.3.2).

`mode: window` is the thesis's way: a window of 21 frames around each frame goes through I3D by itself, so that every
frame is computed 21 times. `mode: dense` runs the layers over the whole video and computes each frame once. The results
differ only by the zero padding of convolutions at a window's own two ends.

Both read the video as a stream and compute `chunk` frames at once, so that memory does not grow with its length. The
normalized frames are padded with zeros before the first and after the last.

Feature sets: `own` is what the thesis extracted, RGB in the channel order of the profile. The demo also makes `public`,
the two-stream variant in the order on which the net was trained, in place of MS-TCN's; and `random`, the control: the
net of `own` with random weights.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from lib.backbones.i3d import I3DResNet, build, for_inference, load_weights, pool_space, time_weights
from lib.backbones.labelled_clips import STREAMS, random_net, train_stream
from lib.backbones.shipped import SHIPPED, shipped_i3d
from lib.core.checkpoints import digest
from lib.core.devices import choose_device
from lib.core.files import key, read_json, write_json
from lib.core.paths import ROOT
from lib.core.processes import track
from lib.core.settings import I3D
from lib.data.files import save_array
from lib.data.frames import to_flow, to_input
from lib.data.profile import Profile
from lib.data.video import Frames, read_video

MADE_BY = ("backbones.i3d", "backbones.i3d_features", "core.devices", "data.frames", "data.video")

# Neighbouring frames that reach a result: 2 by the stem's kernel of five and 3 by res2's three kernels of three; after
# the pool over pairs, 12 by the six kernels of three in res3-res5 and, on the right, the pair's second frame.
EARLY = 5
LATE = 12
PREPARED_AT_ONCE = 16  # frames
Item = TypeVar("Item")


def extract(videos: Sequence[Path], folder: Path, nets: Mapping[str, I3DResNet], settings: I3D) -> None:
    """Extract features of videos: write <video>.npy, float32 (D, T), and <video>.json: frames, bad frames, key.

    A finished video is skipped, unless its file, parameters, weights or code have changed. Several processes may
    extract different videos into one folder.

    `nets`: "rgb", "flow" or both; features of both are joined in this order along the channels.
    """
    how = key([settings.model_dump(), {stream: digest(net) for stream, net in nets.items()}], code=MADE_BY)
    identities = {video: key(how, files=[video]) for video in videos}
    todo = [video for video in videos if read_note(folder, video.stem).get("key") != identities[video]]
    for video in track(todo, f"{folder.name}: video", total=len(videos), initial=len(videos) - len(todo)):
        note = folder / f"{video.stem}.json"
        note.unlink(missing_ok=True)
        features, bad = extract_video(video, nets, settings)
        save_array(folder / f"{video.stem}.npy", features)
        write_json(note, {"frames": features.shape[1], "bad": list(bad), "key": identities[video]})


def read_note(folder: Path, video: str) -> dict:
    """Read `extract`'s note on a video; empty unless the video is completely extracted."""
    return read_json(folder / f"{video}.json", optional=True) if (folder / f"{video}.npy").exists() else {}


def extract_video(path: Path, nets: Mapping[str, I3DResNet], settings: I3D) -> tuple[np.ndarray, tuple[int, ...]]:
    """Extract one video: features (D, T) float32, and the numbers of its bad frames.

    Raises VideoError: the video cannot be read.
    """
    frames = read_video(path)
    compute = {"window": window_features, "dense": dense_features}[settings.mode]
    dtype = getattr(torch, settings.dtype)
    parts = []
    for stream, net in nets.items():
        with torch.inference_mode():
            inputs = padded_inputs(frames, stream, settings)
            parts.append(compute(inputs, for_inference(net, dtype).to(choose_device()), settings).numpy())
    return np.concatenate(parts), frames.bad


def padded_inputs(frames: Frames, stream: str, settings: I3D) -> Iterator[Tensor]:
    """Prepare each frame for the net, (C, crop, crop), with half a window of zeros on both sides."""
    half = settings.window // 2
    used = len(frames) if settings.use_last_frame else len(frames) - 1
    blank = torch.zeros(3 if stream == "rgb" else 2, settings.crop, settings.crop)
    yield from [blank] * half
    last, pictures = None, islice(frames, used)
    while taken := list(islice(pictures, PREPARED_AT_ONCE)):
        some = torch.from_numpy(np.stack(taken))  # (n, H, W, 3)
        if stream == "rgb":
            yield from to_input(some, settings).unbind(dim=1)
        else:
            # motion from the frame before; nothing moves before the first
            yield from to_flow(torch.cat([some[:1] if last is None else last, some]), settings).unbind(dim=1)
        last = some[-1:]
    yield from [blank] * (len(frames) - used + half)


def window_features(inputs: Iterable[Tensor], net: I3DResNet, settings: I3D) -> Tensor:
    """Compute each window by itself: a stream of T + window - 1 inputs -> (D, T)."""
    parts = []
    for items, _ in blocks(inputs, settings.chunk, 0, settings.window - 1):
        if len(items) >= settings.window:
            windows = torch.stack(items).unfold(0, settings.window, 1)  # (n, C, H, W, window)
            parts.append(net(_prepare(windows.movedim(4, 2), net)).T.cpu())
    return torch.cat(parts, dim=1)


def dense_features(inputs: Iterable[Tensor], net: I3DResNet, settings: I3D) -> Tensor:
    """Compute every frame once: a stream of T + window - 1 inputs -> (D, T)."""
    pairs = torch.cat(list(_late(_early(inputs, net, settings.chunk), net, settings.chunk)), dim=1)
    weights = time_weights(settings.window // 2).tolist()
    features = torch.zeros(pairs.shape[0], pairs.shape[1] - 2 * len(weights) + 1)
    # positions of a window are two frames apart
    for position, weight in enumerate(weights):
        features.add_(pairs[:, 2 * position :][:, : features.shape[1]], alpha=weight)
    return features


def _early(inputs: Iterable[Tensor], net: I3DResNet, chunk: int) -> Iterator[Tensor]:
    """Maps of each input frame before the pool in time, (4 * width, H / 4, W / 4)."""
    for items, core in blocks(inputs, chunk, EARLY, EARLY):
        maps = net.early(_prepare(torch.stack(items, dim=1)[None], net))
        yield from maps[0, :, core].unbind(dim=1)


def _late(maps: Iterable[Tensor], net: I3DResNet, chunk: int) -> Iterator[Tensor]:
    """Pooled features (D, n) of each pair of frames (k, k + 1).

    The net pools pairs at every second frame; a window may begin on an even or an odd one, so both are computed.
    """
    for items, core in blocks(maps, chunk, LATE, LATE + 1):
        stacked = torch.stack(items, dim=1)[None]
        even, odd = (pool_space(net.late(part))[0] for part in (stacked, stacked[:, :, 1:]))
        pairs = torch.empty(even.shape[0], even.shape[1] + odd.shape[1])
        pairs[:, 0::2], pairs[:, 1::2] = even, odd
        yield pairs[:, core]


def blocks(items: Iterable[Item], size: int, before: int, after: int) -> Iterator[tuple[list[Item], slice]]:
    """Cut a stream into runs of `size`, each with its neighbours: a list, and the slice of it that is the run.

    >>> [("".join(run), "".join(run[core])) for run, core in blocks("abcdefg", 3, 1, 2)]
    [('abcde', 'abc'), ('cdefg', 'defg')]
    """
    held: list[Item] = []
    start = 0
    for item in items:
        held.append(item)
        if len(held) == start + size + after:
            yield held, slice(start, start + size)
            gone = max(0, start + size - before)
            held, start = held[gone:], start + size - gone
    if len(held) > start:
        yield held, slice(start, len(held))


def agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine between two sets of features (D, T) at each frame, after subtracting the mean of `a`: (T,).

    >>> agreement(np.array([[1.0, 3.0], [0.0, 0.0]]), np.array([[2.0, 5.0], [1.0, 0.0]])).round(2).tolist()
    [0.0, 1.0]
    """
    mean = a.mean(axis=1, keepdims=True)
    a, b = a - mean, b - mean
    return (a * b).sum(axis=0) / (np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0))


def _prepare(clips: Tensor, net: I3DResNet) -> Tensor:
    """Move clips to the device and type of the net's weights, channels last in memory, which is fastest."""
    return clips.to(next(net.parameters())).contiguous(memory_format=torch.channels_last_3d)


RANDOM = "i3d_random"


def trained_nets(profile: Profile) -> dict[str, I3DResNet]:
    """Load the profile's backbone from its checkpoint, or (demo) both streams, shipped or trained in 2.2.

    Raises WeightsError: the checkpoint is missing, damaged or of another net.
    """
    settings: I3D = profile.params.i3d
    if settings.weights == SHIPPED:
        return {stream: shipped_i3d(settings, stream) for stream in STREAMS}
    if settings.weights is None:
        sections = (profile.params.demo, settings, profile.params.backbone)
        return {stream: train_stream(stream, *sections, profile.out.weights / stream)[0] for stream in STREAMS}
    net = build(settings, "rgb", seed=0)
    load_weights(net, ROOT / settings.weights)
    return {"rgb": net}


def extract_sets(profile: Profile, videos: list[str]) -> pd.DataFrame:
    """Extract every feature set for these videos; finished videos are skipped.

    Returns one row per set: streams, channel order, dimension, videos, frames, undecodable frames.
    """
    nets, settings, data = trained_nets(profile), profile.params.i3d, profile.params.data
    sets = {str(data.own_features): ({"rgb": nets["rgb"]}, settings)}
    if data.source == "demo":
        sets[str(data.public_features)] = (nets, settings.model_copy(update={"channel_order": "rgb"}))
        control = random_net(profile.params.demo, settings, profile.params.backbone.seed)
        sets[RANDOM] = ({"rgb": control}, settings)
    rows = {}
    for name, (streams, how) in sets.items():
        folder = profile.out.data / "features" / name
        extract([profile.root / "videos" / f"{video}.avi" for video in videos], folder, streams, how)
        notes = [read_note(folder, video) for video in videos]
        rows[name] = {
            "streams": " + ".join(streams),
            "channels": how.channel_order,
            "dimension": np.load(folder / f"{videos[0]}.npy", mmap_mode="r").shape[0],
            "videos": len(videos),
            "frames": sum(note["frames"] for note in notes),
            "undecodable": sum(len(note["bad"]) for note in notes),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature set")


def mode_agreement(profile: Profile, video: str, frames: int = 48) -> tuple[np.ndarray, float]:
    """Compare `dense` with `window` features on a video's first frames, with this profile's net.

    Returns the cosine at each frame after subtracting the mean, (frames,), and how many times faster dense was.
    """
    net, settings = for_inference(trained_nets(profile)["rgb"], torch.float32), profile.params.i3d
    clip = torch.from_numpy(np.stack(list(islice(read_video(profile.root / "videos" / f"{video}.avi"), frames))))
    inputs = F.pad(to_input(clip, settings), (0, 0, 0, 0, settings.window // 2, settings.window // 2))
    results, seconds = [], []
    for compute in (window_features, dense_features):
        start = time.perf_counter()
        with torch.inference_mode():
            results.append(compute(inputs.unbind(dim=1), net, settings).numpy())
        seconds.append(time.perf_counter() - start)
    return agreement(*results), seconds[0] / seconds[1]


def damaged(profile: Profile, videos: list[str]) -> dict[str, list[int]]:
    """Videos with frames that cannot be decoded, and the numbers of these frames."""
    notes = {video: read_note(Path(profile.own_features), video).get("bad", []) for video in videos}
    return {video: bad for video, bad in notes.items() if bad}
