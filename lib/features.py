"""A feature vector for every frame of a video (thesis 2.3.2).

`mode: window` is the thesis's way: a window of 21 frames around each frame goes through I3D alone, so that every frame
is computed 21 times. `mode: dense` runs the layers over the whole video and computes each frame once. It differs from
the window's result only by the zero padding of convolutions at the window's own two ends.

Both read the video as a stream and compute `chunk` frames at once, so that memory does not grow with its length, but
for the features themselves. Before the first frame and after the last come zeros, after normalization.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from lib.artifacts import atomic, key, write_json
from lib.checkpoints import digest
from lib.flow import to_flow
from lib.i3d import I3DResNet, for_inference, pool_space, time_weights
from lib.inputs import to_input
from lib.progress import track
from lib.sections import I3D
from lib.video import Frames, read_video

# Neighbours in frames that reach a result: two of the stem's kernel of five and three kernels of three in res2; then
# after the pool over pairs six kernels of three in res3-res5, 12 frames, and on the right the pair's second frame.
EARLY = 5
LATE = 12

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
Item = TypeVar("Item")


def extract(videos: Sequence[Path], folder: Path, nets: Mapping[str, I3DResNet], settings: I3D) -> None:
    """For every video write <video>.npy, float32 (D, T), and <video>.json: frames, numbers of the bad ones, key.

    A video that is done is not done again, unless its file, parameters, weights or code have changed. Several processes
    may extract different videos into one folder.

    Args:
        videos: AVI files.
        folder: of the feature set, e.g. features/i3d_rgb.
        nets: "rgb", "flow" or both; features of both are joined in this order along the channels.
        settings: how frames are prepared and computed.
    """
    how = key([settings.model_dump(), {stream: digest(net) for stream, net in nets.items()}], code=("lib.features",))
    identities = {video: key(how, files=[video]) for video in videos}
    todo = [video for video in videos if read_note(folder, video.stem).get("key") != identities[video]]
    for video in track(todo, f"{folder.name}: video", total=len(videos), initial=len(videos) - len(todo)):
        note = folder / f"{video.stem}.json"
        note.unlink(missing_ok=True)
        features, bad = extract_video(video, nets, settings)
        with atomic(folder / f"{video.stem}.npy") as temporary:
            np.save(temporary, features)
        write_json(note, {"frames": features.shape[1], "bad": list(bad), "key": identities[video]})


def read_note(folder: Path, video: str) -> dict:
    """What `extract` noted of a video; empty where it is not (wholly) extracted."""
    note = folder / f"{video}.json"
    whole = note.exists() and (folder / f"{video}.npy").exists()
    return json.loads(note.read_text(encoding="utf-8")) if whole else {}


def extract_video(path: Path, nets: Mapping[str, I3DResNet], settings: I3D) -> tuple[np.ndarray, tuple[int, ...]]:
    """Features (D, T) float32 of one video, and the numbers of its bad frames."""
    frames = read_video(path)
    compute = {"window": window_features, "dense": dense_features}[settings.mode]
    dtype = getattr(torch, settings.dtype)
    parts = []
    for stream, net in nets.items():
        with torch.inference_mode():
            inputs = padded_inputs(frames, stream, settings)
            parts.append(compute(inputs, for_inference(net, dtype).to(DEVICE), settings).numpy())
    return np.concatenate(parts), frames.bad


def padded_inputs(frames: Frames, stream: str, settings: I3D) -> Iterator[Tensor]:
    """What the net sees of each frame, (C, crop, crop), with half a window of zeros on both sides."""
    half = settings.window // 2
    used = len(frames) if settings.use_last_frame else len(frames) - 1
    blank = torch.zeros(3 if stream == "rgb" else 2, settings.crop, settings.crop)
    yield from [blank] * half
    before = None
    for number, picture in enumerate(frames):
        frame = torch.from_numpy(picture)[None]  # (1, H, W, 3)
        if number >= used:
            yield blank
        elif stream == "rgb":
            yield to_input(frame, settings)[:, 0]
        else:  # the first frame has not moved
            yield to_flow(torch.cat([frame if before is None else before, frame]), settings)[:, 0]
        before = frame
    yield from [blank] * half


def window_features(inputs: Iterable[Tensor], net: I3DResNet, settings: I3D) -> Tensor:
    """Each window alone: a stream of T + window - 1 inputs -> (D, T)."""
    parts = []
    for items, _ in blocks(inputs, settings.chunk, 0, settings.window - 1):
        if len(items) >= settings.window:
            windows = torch.stack(items).unfold(0, settings.window, 1)  # (n, C, H, W, window)
            parts.append(net(_prepare(windows.movedim(4, 2), net)).T.cpu())
    return torch.cat(parts, dim=1)


def dense_features(inputs: Iterable[Tensor], net: I3DResNet, settings: I3D) -> Tensor:
    """Every frame once: a stream of T + window - 1 inputs -> (D, T)."""
    pairs = torch.cat(list(_late(_early(inputs, net, settings.chunk), net, settings.chunk)), dim=1)
    weights = time_weights(settings.window // 2).tolist()
    features = torch.zeros(pairs.shape[0], pairs.shape[1] - 2 * len(weights) + 1)
    for position, weight in enumerate(weights):  # a window's positions begin at every second frame
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
    """Cut a stream into runs of `size`, each with its neighbours: lists, and which part of the list is the run.

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
    """Cosine between two sets of features (D, T) at each frame, after removing the mean of `a`, which all share: (T,).

    >>> agreement(np.array([[1.0, 3.0], [0.0, 0.0]]), np.array([[2.0, 5.0], [1.0, 0.0]])).round(2).tolist()
    [0.0, 1.0]
    """
    mean = a.mean(axis=1, keepdims=True)
    a, b = a - mean, b - mean
    return (a * b).sum(axis=0) / (np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0))


def _prepare(clips: Tensor, net: I3DResNet) -> Tensor:
    """On the device and in the type of the net's weights, channels last in memory, which is fastest."""
    return clips.to(next(net.parameters())).contiguous(memory_format=torch.channels_last_3d)
