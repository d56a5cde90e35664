"""S3D features, one per second of a video (thesis 2.4.1; MMPT's extractor: 30 frames per second, length 1, float16).

The name of a feature set says how it was made, e.g. s3d_mixed_5c_30fps_224px_l2, and a pre-trained model remembers the
name: the thesis pre-trained on features made one way and transferred to features made another way.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from lib.backbones.mil_nce import train_s3d
from lib.backbones.s3d import S3D, Words, read_dictionary
from lib.backbones.shipped import SHIPPED, curve, shipped_s3d
from lib.backbones.text import tokenizer
from lib.core.checkpoints import WeightsError, digest, load_strictly
from lib.core.devices import autocast, choose_device
from lib.core.files import key, read_json, write_json
from lib.core.paths import ROOT
from lib.core.processes import only_one, track
from lib.core.settings import Params, S3DFeatures, S3DLayer
from lib.data.files import save_array
from lib.data.frames import to_clips
from lib.data.narrated import Part, caption_file, caption_tracks, read_list
from lib.data.packs import Narrated, open_packed, pack
from lib.data.profile import Profile
from lib.data.video import Frames, read_video

MADE_BY = ("backbones.s3d", "backbones.s3d_features", "core.devices", "data.frames", "data.video")
LAYERS: tuple[S3DLayer, ...] = ("mixed_5c", "video_embedding")
PARTS: tuple[Part, ...] = ("train", "val")
SECONDS_AT_ONCE = 16


class FeatureSetError(ValueError):
    """Features of a kind on which the model was not trained; the message is one line."""


def feature_set(layer: S3DLayer, settings: S3DFeatures) -> str:
    """Name of the feature set that these settings make.

    >>> made = dict(weights=None, dictionary=None, width=1, embedding_dim=512, text_hidden=8, dtype="float32")
    >>> feature_set("mixed_5c", S3DFeatures(fps=30, crop=224, resize="bicubic", normalize=True, **made))
    's3d_mixed_5c_30fps_224px_l2'
    """
    return f"s3d_{layer}_{settings.fps}fps_{settings.crop}px{'_l2' if settings.normalize else ''}"


def check_same_set(learnt_on: str, given: str, accept: Mapping[str, str]) -> None:
    """Check that a model is given the features on which it was trained, or others that `accept` names for them.

    Raises FeatureSetError: it is not.
    """
    if given not in (learnt_on, accept.get(learnt_on)):
        raise FeatureSetError(
            f"the model was pre-trained on the features {learnt_on!r} and cannot be given {given!r}; extract them in"
            " the same way, pre-train on these, or name the two in howto100m.accept"
        )


def extract_s3d(
    videos: Sequence[Path], folders: Mapping[S3DLayer, Path], net: S3D, settings: S3DFeatures, rows: bool
) -> None:
    """Extract both layers of videos: write <video>.npy, float16; what this net and these settings made is skipped.

    `rows`: write (T, D), one row per second, as HowTo100M does; else (D, T), as MS-TCN does.
    """
    how = key([settings.model_dump(), digest(net), rows], code=MADE_BY)
    note = next(iter(folders.values())) / "extracted.json"
    done = read_json(note, optional=True)
    identities = {video.stem: key(how, files=[video]) for video in videos}
    todo = [video for video in videos if done.get(video.stem) != identities[video.stem]]
    progress = track(todo, "S3D features, video", total=len(videos), initial=len(videos) - len(todo))
    for number, video in enumerate(progress):
        for layer, features in video_features(read_video(video), net, settings).items():
            save_array(folders[layer] / f"{video.stem}.npy", features if rows else features.T)
        done[video.stem] = identities[video.stem]
        # a killed run repeats at most these
        if number % 32 == 31 or number == len(todo) - 1:
            write_json(note, done)


def video_features(frames: Frames, net: S3D, settings: S3DFeatures) -> dict[S3DLayer, np.ndarray]:
    """Compute both layers' features of a video, (T, D) float16 each; T includes a last second that has only begun."""
    dtype, device = getattr(torch, settings.dtype), next(net.parameters()).device
    parts: dict[S3DLayer, list[Tensor]] = {layer: [] for layer in LAYERS}
    for seconds in _seconds(frames, settings.fps):
        clips = to_clips(seconds, settings.crop, settings.resize).to(device)
        with torch.inference_mode(), autocast(device, dtype):
            embedding, mixed = net(clips)
        for layer, values in zip(LAYERS, (mixed, embedding), strict=True):
            parts[layer].append(F.normalize(values.float(), dim=1) if settings.normalize else values.float())
    return {layer: torch.cat(values).cpu().numpy().astype(np.float16) for layer, values in parts.items()}


def _seconds(frames: Frames, fps: int) -> Iterator[Tensor]:
    """Yield a video's seconds at this rate, (n, fps, H, W, 3) uint8, up to SECONDS_AT_ONCE at a time."""
    sampled = _sampled(frames, fps)
    while taken := list(islice(sampled, SECONDS_AT_ONCE * fps)):
        yield torch.from_numpy(np.stack(taken)).unflatten(0, (-1, fps))


def _sampled(frames: Frames, fps: int) -> Iterator[np.ndarray]:
    """Drop frames of a faster video evenly, repeat those of a slower one; black ones fill the last second."""
    seconds = int(np.ceil(len(frames) / frames.fps - 1e-6))
    wanted = Counter(int((number + 1e-6) * frames.fps / fps) for number in range(seconds * fps))
    for number, frame in enumerate(frames):
        yield from [frame] * wanted.pop(number, 0)
        blank = np.zeros_like(frame)
    yield from [blank] * wanted.total()


def load_s3d(profile: Profile) -> tuple[S3D, Words, pd.DataFrame | None]:
    """Load the profile's S3D, or (demo) train it on the narrations: net, vocabulary, history (None: published weights).

    Raises WeightsError: the weights are missing, damaged or of another net.
    """
    settings = profile.params.s3d
    if settings.weights == SHIPPED:
        return *shipped_s3d(settings), curve("s3d")
    if settings.weights is None:
        root, folder = profile.narrated_root, profile.out.weights / "s3d"
        return train_s3d(root, profile.params.demo, settings, profile.params.mil_nce, profile.params.videoclip, folder)
    if settings.dictionary is None:
        raise WeightsError("s3d.dictionary: published weights need the published words (s3d_dict.npy)")
    return published_s3d(settings), read_dictionary(ROOT / settings.dictionary), None


def published_s3d(settings: S3DFeatures) -> S3D:
    """Load S3D with the weights that the settings name, in evaluation mode.

    Raises WeightsError: the weights are missing, damaged or of another net.
    """
    net = S3D(settings.embedding_dim, settings.width, text_hidden=settings.text_hidden)
    load_strictly(net, ROOT / str(settings.weights), None, "download s3d_howto100m.pth from the authors' page")
    return net.eval()


def make_features(profile: Profile) -> pd.DataFrame:
    """Extract S3D's features of the target set's videos and, in the demo, of the narrated ones, which are then packed.

    Returns one row per feature set and kind of videos: videos, seconds, dimension, mean norm.
    """
    net = load_s3d(profile)[0].to(choose_device())
    target = profile.root
    sets: dict[S3DLayer, str] = {layer: feature_set(layer, profile.params.s3d) for layer in LAYERS}
    targets: dict[S3DLayer, Path] = {layer: profile.out.data / "features" / name for layer, name in sets.items()}
    extract_s3d(sorted((target / "videos").glob("[!.]*.avi")), targets, net, profile.params.s3d, rows=False)
    demo, rows = profile.params.data.source == "demo", []
    if demo:
        narrated = profile.narrated_root
        folders: dict[S3DLayer, Path] = {layer: narrated / "features" / name for layer, name in sets.items()}
        videos = [narrated / "videos" / f"{video}.avi" for part in PARTS for video in read_list(narrated, part)]
        extract_s3d(videos, folders, net, profile.params.s3d, rows=True)
    for layer in LAYERS:
        if demo:
            pack_narrated(profile, layer)
            for part in PARTS:
                narration = open_pack(profile, layer, part)
                features = [narration.features(number) for number in range(len(narration))]
                rows.append(_described(f"narrated, {part}", narration.feature_set, features))
        features = [np.load(file).T for file in sorted(targets[layer].glob("*.npy"))]
        rows.append(_described("target", sets[layer], features))
    return pd.DataFrame(rows)


def _described(what: str, name: str, features: list[np.ndarray]) -> dict[str, str | float]:
    norms = np.concatenate([np.linalg.norm(part.astype(np.float32), axis=1) for part in features])
    about = {"videos of": what, "feature set": name, "videos": len(features), "seconds": len(norms)}
    return about | {"dimension": features[0].shape[1], "mean norm": float(norms.mean())}


def narrated_set(params: Params, layer: S3DLayer) -> str:
    """Name of the feature set of the narrated videos."""
    return feature_set(layer, params.s3d) if params.data.source == "demo" else params.howto100m.features[layer]


def pack_narrated(profile: Profile, layer: S3DLayer) -> None:
    """Pack both lists of the narrated videos with one feature set; a finished pack of the same files is kept.

    Raises DatasetError: an input is missing or cannot be used.
    """
    root, name, words = profile.narrated_root, narrated_set(profile.params, layer), tokenizer(profile.params.videoclip)
    with only_one(profile.out.packed / f".{name}.lock"):
        for part in PARTS:
            pack(root, name, part, profile.out.packed / name / part, words, profile.params.pretrain.deduplicate)


def open_pack(profile: Profile, layer: S3DLayer, part: Part) -> Narrated:
    """Open the packed videos of one list. Raises DatasetError: they have not been packed."""
    return open_packed(profile.out.packed / narrated_set(profile.params, layer) / part)


def sample_scores(profile: Profile, clips: int = 8) -> np.ndarray:
    """Score one second of each of B validation videos against the captions nearest to each: (B, B·K) (Figure 14)."""
    net, words, _ = load_s3d(profile)
    root, settings = profile.narrated_root, profile.params.mil_nce
    chosen = read_list(root, "val")[:clips]
    tracks = {track[0]: track for track in caption_tracks(caption_file(root), set(chosen))}
    narration = open_pack(profile, "video_embedding", "val")
    seconds, numbers = [], []
    for video in chosen:
        _, start, end, text = tracks[video]
        features = narration.features(int(narration.videos.get_loc(video)))
        second = min(int((start[len(start) // 2] + end[len(end) // 2]) / 2), len(features) - 1)
        nearest = np.argsort(np.abs((start + end) / 2 - second - 0.5), kind="stable")
        seconds.append(features[second])
        numbers.append(words.numbers(text, settings.words)[np.resize(nearest, settings.candidates).tolist()])
    with torch.inference_mode():
        return np.stack(seconds).astype(np.float32) @ net.text_module(torch.cat(numbers)).numpy().T
