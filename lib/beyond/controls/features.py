"""Feature sets of 4.2, one vector per second, and zero-shot controls: prompts, untrained towers, S3D's text head."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax

from lib.backbones.i3d_features import RANDOM
from lib.backbones.s3d_features import feature_set, load_s3d, video_features
from lib.backbones.text import tokenizer
from lib.beyond.controls.design import Key, Run, tower_from
from lib.beyond.controls.protocol import second_means, write_features, write_labels
from lib.data.profile import Profile
from lib.data.video import read_video
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.towers import Pretrained
from lib.videoclip.windows import second_states
from lib.videoclip.zero_shot import class_vectors, prompts, second_scores


def make_seconds(profile: Profile, target: Target, ready: Pretrained) -> Path:
    """Write labels and all feature sets that this profile has, one per second.

    i3d_bgr            the profile's own I3D features (2.3.2), in the channel order of the profile
    i3d_rgb            demo: the same RGB net reading RGB, which is the first half of the two-stream set
    i3d_random         demo: the same net with random weights
    i3d_two_stream     the public set
    s3d, s3d_embedding S3D's features: those of the pre-training (lib.pretraining.recipes), and after its last layer
    states             the pre-trained VideoCLIP's dense states, with the windows of the zero-shot transfer
    states_text_start  the same of the untrained tower

    Returns the root of the data set.
    """
    root, videos = profile.out.root / "seconds", target.dataset.videos
    write_labels(root, target.dataset, profile.params.controls.splits)
    own = _frames(profile, profile.own_features, videos)
    write_features(root, "i3d_bgr", own)
    public = _frames(profile, str(profile.params.data.public_features), videos)
    write_features(root, "i3d_two_stream", public)
    if profile.params.data.source == "demo":
        width = own[videos[0]].shape[1]
        write_features(root, "i3d_rgb", {video: rows[:, :width] for video, rows in public.items()})
        write_features(root, "i3d_random", _frames(profile, RANDOM, videos))
    s3d = {video: target.features(video, ready.model.input_dim) for video in videos}
    write_features(root, "s3d", s3d)
    write_features(root, "s3d_embedding", embeddings(profile, target))
    write_features(root, "states", dense_states(profile, ready.model, s3d))
    untrained = tower_from(profile, "text", ready.model.input_dim, profile.params.controls.seeds[0]).eval()
    write_features(root, "states_text_start", dense_states(profile, untrained, s3d))
    return root


def embeddings(profile: Profile, target: Target) -> dict[str, np.ndarray]:
    """S3D's features after its last layer, in the space of its text head: (T, D) per video."""
    after = Target(target.dataset, profile.out.data / "features" / feature_set("video_embedding", profile.params.s3d))
    width = profile.params.s3d.embedding_dim
    return {video: after.features(video, width) for video in target.dataset.videos}


def dense_states(profile: Profile, model: VideoCLIP, s3d: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tower's state of each second, the mean over the windows that contain it, (T, H) per video."""
    settings, found = profile.params.zero_shot, {}
    for video, features in s3d.items():
        with torch.inference_mode():
            states = second_states(model, torch.from_numpy(features), settings.stride, settings.cls_visible)
        found[video] = states.numpy()
    return found


def _frames(profile: Profile, features: str, videos: tuple[str, ...]) -> dict[str, np.ndarray]:
    dataset = profile.dataset(features, "end")
    return {video: second_means(dataset.feature(video), dataset.fps) for video in videos}


def zero_shot_controls(profile: Profile, target: Target, ready: Pretrained, length: float) -> dict[Key, Run]:
    """Log-probabilities of every video's seconds, for each control and split; nothing is trained.

    `length`: of features that are not normalized (`feature_length`), for the control with mismatched features.
    """
    dim, seeds = ready.model.input_dim, profile.params.controls.seeds
    features = {video: target.features(video, dim) for video in target.dataset.videos}
    longer = {video: length * rows for video, rows in features.items()}
    models = {}
    # each seed with a pre-training of its own, where there are several
    for seed in seeds if ready.further else seeds[:1]:
        models["zero_shot", seed] = ready.of(seed), "raw", features
        models["zero_shot_words", seed] = ready.of(seed), "words", features
        models["zero_shot_not_normalized", seed] = ready.of(seed), "raw", longer
    for seed in seeds:
        for start in ("text", "random"):
            tower = tower_from(profile, start, dim, seed).eval()
            models[f"zero_shot_{start}_start", seed] = (tower, "raw", features)
    found = {key: _scores(profile, target, *how) for key, how in models.items()}
    found["zero_shot_s3d_text", seeds[0]] = s3d_text_scores(profile, target)
    splits = profile.params.controls.splits
    return {(name, split, seed): Run(scores, 0, 0.0) for (name, seed), scores in found.items() for split in splits}


def s3d_text_scores(profile: Profile, target: Target) -> dict[str, np.ndarray]:
    """Score S3D's embedding of a second against its own text vectors of the class names, as MIL-NCE trained both."""
    net, words, _ = load_s3d(profile)
    texts = prompts(target.dataset.classes, "words")
    with torch.inference_mode():
        vectors = net.text_module(words.numbers(texts)).float().cpu().numpy()  # (K, D)
    return {video: _log(rows @ vectors.T) for video, rows in embeddings(profile, target).items()}


def feature_length(profile: Profile, ready: Pretrained, video: str) -> float:
    """Mean length of a video's S3D features without normalization."""
    net, _, _ = load_s3d(profile)
    settings = profile.params.s3d.model_copy(update={"normalize": False})
    rows = video_features(read_video(profile.root / "videos" / f"{video}.avi"), net, settings)[ready.layer]
    return float(np.linalg.norm(rows.astype(np.float32), axis=1).mean())


def _scores(
    profile: Profile, target: Target, model: VideoCLIP, style: str, features: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    vectors = class_vectors(model, tokenizer(profile.params.videoclip), prompts(target.dataset.classes, style))
    how = profile.params.zero_shot.stride, profile.params.zero_shot.cls_visible
    return {video: _log(second_scores(model, rows, vectors, *how)) for video, rows in features.items()}


def _log(scores: np.ndarray) -> np.ndarray:
    return log_softmax(scores, axis=1).astype(np.float32)
