"""From videos to packed features: the narrated set, S3D, and its features of both kinds of videos (thesis 2.4).

Functions take the parameters and the profile's folders, so that `lib.pretrain` on a cluster and the notebooks find the
very same files.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lib.group import alone
from lib.mil_nce import train_s3d
from lib.narrated import Part, caption_file, caption_tracks, read_list
from lib.packing import pack
from lib.params import data_root, narrated_root
from lib.paths import ROOT, Outputs
from lib.processes import only_one
from lib.s3d import S3D
from lib.s3d_features import LAYERS, Layer, extract_s3d, feature_set
from lib.sections_pretraining import S3DFeatures
from lib.shards import Narrated, open_packed
from lib.towers import tokenizer
from lib.weights import WeightsError, read_weights
from lib.words import Words, read_dictionary

PARTS: tuple[Part, ...] = ("train", "val")
Sections = Any  # lib.sections.Params, or a notebook's part of it


def load_s3d(params: Sections, out: Outputs) -> tuple[S3D, Words, pd.DataFrame | None]:
    """The profile's S3D, published or (demo) trained on the narrations; its words; its history, where it was trained.

    Raises:
        WeightsError: the weights are not there, or of another net.
    """
    settings = params.s3d
    if settings.weights is None:
        root, folder = narrated_root(params, out), out.weights / "s3d"
        return train_s3d(root, params.demo, settings, params.mil_nce, params.videoclip, folder)
    if settings.dictionary is None:
        raise WeightsError("s3d.dictionary: published weights need the published words (s3d_dict.npy)")
    return published_s3d(settings), read_dictionary(ROOT / settings.dictionary), None


def published_s3d(settings: S3DFeatures) -> S3D:
    """S3D with the weights that the settings name, in evaluation mode.

    Raises:
        WeightsError: the weights are not there, or of another net.
    """
    path = ROOT / str(settings.weights)
    state = read_weights(path, None, "fetch s3d_howto100m.pth from the authors' page")
    net = S3D(settings.embedding_dim, settings.width, text_hidden=settings.text_hidden)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise WeightsError(f"{path}: not weights of this S3D: {first}") from None
    return net.eval()


def make_features(params: Sections, out: Outputs) -> pd.DataFrame:
    """S3D's features of the target set's videos and, in the demo, of the narrated ones, which are packed then.

    Returns:
        A row a feature set and kind of videos: videos, seconds, dimension, mean norm.
    """
    net = load_s3d(params, out)[0].to(alone().device)
    target = data_root(params, out)
    sets: dict[Layer, str] = {layer: feature_set(layer, params.s3d) for layer in LAYERS}
    targets: dict[Layer, Path] = {layer: out.data / "features" / name for layer, name in sets.items()}
    extract_s3d(sorted((target / "videos").glob("[!.]*.avi")), targets, net, params.s3d, rows=False)
    if params.data.source == "demo":
        narrated = narrated_root(params, out)
        folders: dict[Layer, Path] = {layer: narrated / "features" / name for layer, name in sets.items()}
        videos = [narrated / "videos" / f"{video}.avi" for part in PARTS for video in read_list(narrated, part)]
        extract_s3d(videos, folders, net, params.s3d, rows=True)
    rows = []
    for layer in LAYERS:
        if params.data.source == "demo":
            pack_narrated(params, out, layer)
        for part in PARTS if params.data.source == "demo" else ():
            narration = open_pack(params, out, layer, part)
            features = [narration.features(number) for number in range(len(narration))]
            rows.append(_described(f"narrated, {part}", narration.feature_set, features))
        features = [np.load(file).T for file in sorted(targets[layer].glob("*.npy"))]
        rows.append(_described("target", sets[layer], features))
    return pd.DataFrame(rows)


def _described(what: str, name: str, features: list[np.ndarray]) -> dict[str, str | float]:
    norms = np.concatenate([np.linalg.norm(part.astype(np.float32), axis=1) for part in features])
    return {
        "videos of": what,
        "feature set": name,
        "videos": len(features),
        "seconds": len(norms),
        "dimension": features[0].shape[1],
        "mean norm": float(norms.mean()),
    }


def narrated_set(params: Sections, layer: Layer) -> str:
    """Name of the narrated videos' feature set."""
    return feature_set(layer, params.s3d) if params.data.source == "demo" else params.howto100m.features[layer]


def pack_narrated(params: Sections, out: Outputs, layer: Layer) -> None:
    """Pack both lists of the narrated videos with one feature set; a finished pack of the same files is left alone."""
    root, name, words = narrated_root(params, out), narrated_set(params, layer), tokenizer(params.videoclip)
    with only_one(out.packed / f".{name}.lock"):
        for part in PARTS:
            pack(root, name, part, out.packed / name / part, words)


def open_pack(params: Sections, out: Outputs, layer: Layer, part: Part) -> Narrated:
    """The packed videos of one list.

    Raises:
        NarratedError: they have not been packed.
    """
    return open_packed(out.packed / narrated_set(params, layer) / part)


def sample_scores(params: Sections, out: Outputs, clips: int = 8) -> np.ndarray:
    """Scores of a second of some validation videos against the captions nearest to each, (B, B·K) (Figure 14)."""
    net, words, _ = load_s3d(params, out)
    root, settings = narrated_root(params, out), params.mil_nce
    chosen = read_list(root, "val")[:clips]
    tracks = {track[0]: track for track in caption_tracks(caption_file(root), set(chosen))}
    narration = open_pack(params, out, "video_embedding", "val")
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
