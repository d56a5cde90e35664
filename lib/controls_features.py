"""The feature sets of 4.2, a vector a second each (lib/by_second.py): what stands for what."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from lib.by_second import second_means, write_features, write_labels
from lib.controls import tower_from
from lib.extraction import RANDOM
from lib.notebook import Notebook
from lib.pretrained import Pretrained
from lib.s3d_features import feature_set
from lib.target import Target
from lib.videoclip import VideoCLIP
from lib.windows import cut_windows, merge_windows


def make_seconds(book: Notebook, target: Target, ready: Pretrained) -> Path:
    """Labels and all feature sets that this profile has, a second each.

    i3d_bgr            the profile's own I3D features (2.3.2), in the channel order of the profile
    i3d_rgb            demo: the same RGB net reading RGB, which is the first half of the two-stream set
    i3d_random         demo: the same net with random weights
    i3d_two_stream     the public set
    s3d, s3d_embedding S3D's features: those of the pre-training (lib.pretrained), and after its last layer
    states             the pre-trained VideoCLIP's dense states, with the windows of the zero-shot transfer
    states_text_start  the same of the untrained tower

    Returns:
        Root of the data set.
    """
    root, videos = book.out.root / "seconds", target.dataset.videos
    write_labels(root, target.dataset, book.params.controls.splits)
    own = _frames(book, book.own_features, videos)
    write_features(root, "i3d_bgr", own)
    public = _frames(book, book.params.data.public_features, videos)
    write_features(root, "i3d_two_stream", public)
    if book.params.data.source == "demo":
        width = own[videos[0]].shape[1]
        write_features(root, "i3d_rgb", {video: rows[:, :width] for video, rows in public.items()})
        write_features(root, "i3d_random", _frames(book, RANDOM, videos))
    s3d = {video: target.features(video, ready.model.input_dim) for video in videos}
    write_features(root, "s3d", s3d)
    write_features(root, "s3d_embedding", embeddings(book, target))
    write_features(root, "states", dense_states(book, ready.model, s3d))
    untrained = tower_from(book.params, book.out, "text", ready.model.input_dim, book.params.controls.seeds[0]).eval()
    write_features(root, "states_text_start", dense_states(book, untrained, s3d))
    return root


def embeddings(book: Notebook, target: Target) -> dict[str, np.ndarray]:
    """S3D's features after its last layer, (T, D), where its text head finds them."""
    after = Target(target.dataset, book.out.data / "features" / feature_set("video_embedding", book.params.s3d))
    width = book.params.s3d.embedding_dim
    return {video: after.features(video, width) for video in target.dataset.videos}


def dense_states(book: Notebook, model: VideoCLIP, s3d: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tower's state of each second, mean over the windows that hold it, (T, H)."""
    size, settings, found = book.params.videoclip.max_video_len, book.params.zero_shot, {}
    for video, features in s3d.items():
        windows, mask, starts = cut_windows(torch.from_numpy(features), size, settings.stride)
        with torch.inference_mode():
            states = model.video_states(windows, mask, settings.cls_visible)
        found[video] = merge_windows(states, starts, len(features)).numpy()
    return found


def _frames(book: Notebook, features: str, videos: tuple[str, ...]) -> dict[str, np.ndarray]:
    dataset = book.dataset(features, "end")
    return {video: second_means(dataset.feature(video), dataset.fps) for video in videos}
