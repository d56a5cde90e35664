"""One S3D feature a second of every video (thesis 2.4.1; MMPT's extractor: 30 frames a second, length 1, float16).

A feature set's name says how it was made, e.g. s3d_mixed_5c_30fps_224px_l2, and a pre-trained model remembers the name:
the thesis pre-trained on features made one way and transferred to features made another way.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lib.artifacts import atomic, key, write_json
from lib.checkpoints import digest
from lib.inputs import to_clips
from lib.progress import track
from lib.s3d import S3D
from lib.sections_pretraining import Layer, S3DFeatures
from lib.video import Frames, read_video

LAYERS: tuple[Layer, ...] = ("mixed_5c", "video_embedding")
SECONDS_AT_ONCE = 16


class FeatureSetError(ValueError):
    """Features made one way for a model that learnt on others; the message is one line."""


def feature_set(layer: Layer, settings: S3DFeatures) -> str:
    """Name of a feature set.

    >>> made = dict(weights=None, dictionary=None, width=1, embedding_dim=512, text_hidden=8, dtype="float32")
    >>> feature_set("mixed_5c", S3DFeatures(fps=30, crop=224, normalize=True, **made))
    's3d_mixed_5c_30fps_224px_l2'
    """
    return f"s3d_{layer}_{settings.fps}fps_{settings.crop}px{'_l2' if settings.normalize else ''}"


def check_same_set(learnt_on: str, given: str, accept: Mapping[str, str]) -> None:
    """Raises FeatureSetError where a model gets features that it did not learn on and that `accept` does not name."""
    if given not in (learnt_on, accept.get(learnt_on)):
        raise FeatureSetError(
            f"the model was pre-trained on the features {learnt_on!r} and cannot be given {given!r}; extract them in"
            " the same way, pre-train on these, or name the two in howto100m.accept"
        )


def extract_s3d(
    videos: Sequence[Path], folders: Mapping[Layer, Path], net: S3D, settings: S3DFeatures, rows: bool
) -> None:
    """For every video and layer write <video>.npy, float16; what is done with the same net and settings is left alone.

    Args:
        videos: files.
        folders: of each layer's feature set.
        rows: (T, D), HowTo100M's way; else (D, T), MS-TCN's.
    """
    how = key([settings.model_dump(), digest(net), rows], code=("lib.s3d_features",))
    note = next(iter(folders.values())) / "extracted.json"
    done = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    identities = {video.stem: key(how, files=[video]) for video in videos}
    todo = [video for video in videos if done.get(video.stem) != identities[video.stem]]
    for number, video in enumerate(
        track(todo, "S3D features, video", total=len(videos), initial=len(videos) - len(todo))
    ):
        for layer, features in video_features(read_video(video), net, settings).items():
            with atomic(folders[layer] / f"{video.stem}.npy") as temporary:
                np.save(temporary, features if rows else features.T)
        done[video.stem] = identities[video.stem]
        if number % 32 == 31 or number == len(todo) - 1:  # a killed run does these again
            write_json(note, done)


def video_features(frames: Frames, net: S3D, settings: S3DFeatures) -> dict[Layer, np.ndarray]:
    """Both layers' features of a video, (T, D) float16 each, T = seconds that have begun."""
    dtype, device = getattr(torch, settings.dtype), next(net.parameters()).device
    parts: dict[Layer, list[Tensor]] = {layer: [] for layer in LAYERS}
    for seconds in _seconds(frames, settings):
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            embedding, mixed = net(seconds.to(device))
        for layer, values in zip(LAYERS, (mixed, embedding), strict=True):
            parts[layer].append(F.normalize(values.float(), dim=1) if settings.normalize else values.float())
    return {layer: torch.cat(values).cpu().numpy().astype(np.float16) for layer, values in parts.items()}


def _seconds(frames: Frames, settings: S3DFeatures) -> Iterator[Tensor]:
    """Clips of a second each, (n, 3, fps, crop, crop), up to SECONDS_AT_ONCE; the last is filled up with black frames.

    Of a faster video each second's frames are thinned out evenly, of a slower one they are repeated.
    """
    wanted = [int((number + 1e-6) * frames.fps / settings.fps) for number in range(_length(frames) * settings.fps)]
    chunk, held, blank = SECONDS_AT_ONCE * settings.fps, [], None
    place = 0
    for number, frame in enumerate(frames):
        while place < len(wanted) and wanted[place] == number:
            held.append(torch.from_numpy(frame))
            place += 1
        if len(held) >= chunk:
            yield _clips(held[:chunk], settings)
            held = held[chunk:]
        blank = torch.zeros_like(torch.from_numpy(frame))
    if blank is not None and place < len(wanted):
        held += [blank] * (len(wanted) - place)
    if held:
        yield _clips(held, settings)


def _length(frames: Frames) -> int:
    return int(np.ceil(len(frames) / frames.fps - 1e-6))


def _clips(held: list[Tensor], settings: S3DFeatures) -> Tensor:
    return to_clips(torch.stack(held).unflatten(0, (-1, settings.fps)), settings.crop)
