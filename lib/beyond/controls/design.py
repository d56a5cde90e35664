"""The controls that the thesis lacked (4.2), as a list of what differs, and how they run: one process per training.

A run is one seed's training, or a linear probe, on one split; it gives the log-probabilities of the validation and test
videos' seconds. A control is left out if this profile lacks its features.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from lib.backbones.probe import fit_probe, frames_of
from lib.beyond.controls.protocol import DenseStates, Run, parts, train_seconds
from lib.core.processes import cores, spread
from lib.core.settings import VideoClip
from lib.data.dataset import Dataset, open_dataset
from lib.data.profile import Profile
from lib.pretraining.recipes import load_pretrained
from lib.videoclip.model import VideoCLIP
from lib.videoclip.towers import build_videoclip


@dataclass(frozen=True)
class Control:
    """One line of the comparison."""

    features: str  # set below <outputs>/seconds/features
    # "probe", "asformer" (on the features), "head" or "joint" (ASFormer) on the states of a learning tower;
    # "zero_shot": nothing is trained
    net: str
    start: str | None = None  # of that tower, "pretrained", "text" (the text model's weights) or "random"
    other_mask: bool = False  # ASFormer's attention uses the window mask that the profile does not (2.2)
    # net behind the features that it or its tower reads: I3D "rgb", "two_stream" or "random", or "s3d"
    backbone: str = "s3d"
    pretrained: bool = False  # whether VideoCLIP's pre-training is behind it


TRAINED = {
    "asformer_i3d": Control("i3d_bgr", "asformer", backbone="rgb"),
    "asformer_i3d_other_mask": Control("i3d_bgr", "asformer", other_mask=True, backbone="rgb"),
    "asformer_s3d": Control("s3d", "asformer"),
    "videoclip": Control("s3d", "head", "pretrained", pretrained=True),
    "videoclip_text_start": Control("s3d", "head", "text"),
    "videoclip_random_start": Control("s3d", "head", "random"),
    "asformer_states": Control("states", "asformer", pretrained=True),
    "asformer_joint": Control("s3d", "joint", "pretrained", pretrained=True),
}

PROBES = {
    "probe_i3d_bgr": Control("i3d_bgr", "probe", backbone="rgb"),
    "probe_i3d_rgb": Control("i3d_rgb", "probe", backbone="rgb"),
    "probe_i3d_random": Control("i3d_random", "probe", backbone="random"),
    "probe_i3d_two_stream": Control("i3d_two_stream", "probe", backbone="two_stream"),
    "probe_s3d": Control("s3d", "probe"),
    "probe_s3d_embedding": Control("s3d_embedding", "probe"),
    "probe_states": Control("states", "probe", pretrained=True),
    "probe_states_text_start": Control("states_text_start", "probe"),
}

ZERO_SHOT = {
    "zero_shot": Control("s3d", "zero_shot", "pretrained", pretrained=True),
    "zero_shot_words": Control("s3d", "zero_shot", "pretrained", pretrained=True),
    "zero_shot_not_normalized": Control("s3d", "zero_shot", "pretrained", pretrained=True),
    "zero_shot_text_start": Control("s3d", "zero_shot", "text"),
    "zero_shot_random_start": Control("s3d", "zero_shot", "random"),
    "zero_shot_s3d_text": Control("s3d_embedding", "zero_shot"),
}
CONTROLS = TRAINED | PROBES | ZERO_SHOT


Key = tuple[str, int, int]  # method, split, seed


def run_controls(profile: Profile, controls: Mapping[str, Control], root: Path) -> dict[Key, Run]:
    """Run all splits and seeds of these controls, one process each; finished trainings are read.

    `root`: the data set of the seconds (lib.beyond.controls.protocol).
    """
    settings = profile.params.controls
    present = {name: control for name, control in controls.items() if (root / "features" / control.features).is_dir()}
    keys = [
        (name, split, seed)
        for name, control in present.items()
        for split in settings.splits
        for seed in (settings.seeds if control.net != "probe" else settings.seeds[:1])
    ]
    one = partial(run_one, Profile(profile.params, profile.out), root, present)
    return dict(zip(keys, spread(one, keys, cores()), strict=True))


def run_one(profile: Profile, root: Path, controls: Mapping[str, Control], key: Key) -> Run:
    """Run one training, or linear probe."""
    torch.set_num_threads(1)  # like the atoms: side by side, one thread each
    (name, split, seed), settings = key, profile.params.controls
    control = controls[name]
    dataset = open_dataset(root, control.features, 1.0, "end")
    videos = parts(dataset, split, settings.validation_people)
    if control.net == "probe":
        return probe(dataset, videos)
    front = None
    if control.start is not None:
        tower = tower_from(profile, control.start, dataset.feature_dim, seed)
        front = DenseStates(tower, profile.params.finetune)
    asformer = None if control.net == "head" else profile.params.asformer
    if asformer is not None and control.other_mask:
        band = "published" if asformer.attention_band == "thesis" else "thesis"
        asformer = asformer.model_copy(update={"attention_band": band})
    epochs = settings.videoclip_epochs if control.net == "head" else settings.asformer_epochs
    folder = profile.out.run(f"control_{name}", split, seed)
    return train_seconds(dataset, videos, asformer, front, profile.params.finetune, epochs, seed, folder)


def tower_from(profile: Profile, start: str, feature_dim: int, seed: int) -> VideoCLIP:
    """Build the tower that learns: pre-trained (by this seed, if by several), from the text model, or random."""
    if start == "pretrained":
        return load_pretrained(profile, profile.params.controls.recipe).of(seed)
    videoclip: VideoClip = profile.params.videoclip
    model = build_videoclip(videoclip, feature_dim, seed)
    if start == "text":
        return model
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return VideoCLIP(model.text.config, videoclip.video_layers, feature_dim, videoclip.max_video_len)


def probe(dataset: Dataset, videos: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]) -> Run:
    """Fit a linear probe of single seconds; classes absent from training get the lowest observed score."""
    train, validation, test = videos
    started = time.process_time()
    model = fit_probe(*frames_of(dataset, train))
    spent, scores = time.process_time() - started, {}
    for video in (*validation, *test):
        found = model.predict_log_proba(dataset.feature(video).T)
        scores[video] = np.full((len(found), len(dataset.classes)), found.min(), np.float32)
        scores[video][:, model[-1].classes_] = found
    return Run(scores, 0, spent)
