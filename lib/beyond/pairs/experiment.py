"""All runs of one split (4.4): pre-trainings that differ in one thing each, and what video alone makes of their towers.

Hundreds of trainings of seconds: they run one after another in a folder that is thrown away, and two tables are kept.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.asformer.training import MADE_BY as ASFORMER
from lib.asformer.training import Frames
from lib.beyond.pairs.pretraining import Corpus, Pretraining, Variant, cut, pretrain
from lib.beyond.pairs.towers import Tower, build_towers
from lib.beyond.pairs.transfer import Use, predictions, ridge_accuracy, test_scores, train_video
from lib.core.files import key, write_json, write_text
from lib.core.params import ParameterError
from lib.core.progress import track
from lib.core.settings import Asformer, SensorPairs
from lib.core.training import Row
from lib.data.profile import Profile
from lib.data.sensors import motion_windows

MADE_BY = (
    "beyond.controls.protocol",
    "beyond.pairs.experiment",
    "beyond.pairs.pretraining",
    "beyond.pairs.towers",
    "beyond.pairs.transfer",
    "data.sensors",
    "pretraining.clusters",
    "pretraining.pairs",
    "videoclip.model",
    *ASFORMER,
)
STARTS = {"untrained": None, "pairs": "sensors", "shuffled": "shuffled", "unimodal": "video"}


@dataclass(frozen=True)
class Results:
    """Of one or more splits.

    Attributes:
        pretrainings: a row per epoch of each: split, seed, partner, clusters, negatives, update, pairs, train_loss and,
            where it was measured, random_loss, hard_loss, alikeness (of the test people's passages) and ridge (accuracy
            of a ridge classifier on frozen states, percent).
        scores: a row per test video of each use of a tower: split, seed, start, head, frozen, labelled, video and the
            measures of lib.beyond.pairs.transfer.
    """

    pretrainings: pd.DataFrame
    scores: pd.DataFrame


@dataclass(frozen=True)
class Side:
    """What one split has to learn from, one step per second, standardized by its training people.

    Attributes:
        frames: the video features.
        sensors: video -> (1, 60, T).
    """

    frames: Frames
    sensors: dict[str, Tensor]
    train: tuple[str, ...]
    test: tuple[str, ...]

    def corpus(self, videos: tuple[str, ...], settings: SensorPairs) -> Corpus:
        """Their passages."""
        margin = 2**settings.layers - 1
        video, sensors = [self.frames.features(one) for one in videos], [self.sensors[one] for one in videos]
        return cut(video, sensors, settings.passage, margin)


def open_side(profile: Profile, split: int) -> Side:
    """Read features and sensors of a split; its video features come from a net that saw these training people only."""
    dataset = profile.dataset(f"split_{split}")
    (train, test), rate = dataset.split(split), profile.params.asformer.sample_rate
    video = {one: dataset.feature(one)[:, ::rate] for one in train}
    sensors = {
        one: motion_windows(np.load(dataset.root / "sensors" / f"{one}.npy"))[:, ::rate] for one in dataset.videos
    }
    mean, scale = statistics([sensors[one] for one in train])
    windows = {one: torch.from_numpy((values - mean) / scale)[None].float() for one, values in sensors.items()}
    frames = Frames(dataset, *statistics(list(video.values())), torch.device("cpu"), rate)
    return Side(frames, windows, train, test)


def statistics(videos: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over all steps, (D, 1); of a channel that never changes 1."""
    steps = np.concatenate(videos, axis=1).astype(np.float64)
    mean, scale = steps.mean(axis=1, keepdims=True), steps.std(axis=1, keepdims=True)
    scale[scale <= 1e-6 * np.abs(mean)] = 1
    return mean.astype(np.float32), scale.astype(np.float32)


def variants(settings: SensorPairs) -> list[Variant]:
    """Each C with fresh clusters; at the first C other negatives, and other partners than the sensors."""
    first = settings.clusters_per_update[0]
    found = [Variant("sensors", clusters, "fresh") for clusters in settings.clusters_per_update]
    found += [Variant("sensors", first, "stale"), Variant("sensors", first, "random")]
    return [*found, Variant("shuffled", first, "fresh"), Variant("video", first, "fresh")]


def uses(settings: SensorPairs) -> list[Use]:
    """Both heads, on frozen and on learning towers, with all and with few labelled videos."""
    ways = product(("linear", "asformer"), (True, False), settings.labelled)
    return [Use(head, frozen, count) for head, frozen, count in ways]


def results(profile: Profile) -> Results:
    """Run the splits of this run, or read those that are done."""
    parts = [run_split(profile, split) for split in profile.splits]
    return Results(*(pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True)))


def run_split(profile: Profile, split: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pre-train and use the towers of all seeds of a split; the two tables of `Results`."""
    settings, folder = profile.params.sensor_pairs, profile.out.run("sensor_pairs", split)
    asformer = small_asformer(profile.params.asformer, settings)
    side = open_side(profile, split)
    files = [folder / name for name in ("pretrainings.csv", "scores.csv")]
    identity, note = _identity(profile, side, split), folder / "note.json"
    if note.exists() and json.loads(note.read_text(encoding="utf-8"))["key"] == identity:
        return pd.read_csv(files[0]), pd.read_csv(files[1])
    histories, scores = [], []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in track(settings.seeds, f"split {split}: seed"):
            towers, found = pretrain_seed(side, settings, seed, Path(temporary))
            histories += [one.assign(split=split, seed=seed) for one in found]
            for (start, tower), use in product(towers.items(), uses(settings)):
                run = Path(temporary) / "_".join(map(str, (seed, start, *asdict(use).values())))
                model = train_video(tower, use, side.frames, side.train, seed, (settings, asformer), run)
                labels = predictions(model, side.frames, side.test)
                row = {"split": split, "seed": seed, "start": start, **asdict(use)}
                scores.append(test_scores(labels, side.frames, profile.params.data.ignore).assign(**row))
    tables = pd.concat(histories, ignore_index=True), pd.concat(scores, ignore_index=True)
    for file, table in zip(files, tables, strict=True):
        write_text(file, table.to_csv(index=False))
    write_json(note, {"key": identity})
    return tables


def pretrain_seed(
    side: Side, settings: SensorPairs, seed: int, folder: Path
) -> tuple[dict[str, Tower], list[pd.DataFrame]]:
    """All pre-trainings of a seed: the video towers to start from, and the histories."""
    corpus, tested = side.corpus(side.train, settings), side.corpus(side.test, settings)
    if (most := len(corpus) // settings.passages_per_cluster) < settings.clusters_per_epoch:
        raise ParameterError(f"sensor_pairs.clusters_per_epoch: the training passages make {most} clusters")

    def measure(model: Pretraining) -> Row:
        ridge = ridge_accuracy(model.video, side.frames, side.train, side.test, settings.ridge)
        return {**model.held_out_losses(tested), "ridge": ridge}

    histories, first = [], settings.clusters_per_update[0]
    towers = {"untrained": untrained(corpus, settings, seed)}
    names = {partner: start for start, partner in STARTS.items()}
    for number, variant in enumerate(variants(settings)):
        learns = corpus.shuffled(np.random.default_rng(seed)) if variant.partner == "shuffled" else corpus
        model = Pretraining(learns, variant, settings, seed)
        history = pretrain(model, folder / f"{seed}_{number}", measure)
        histories.append(history.assign(**asdict(variant)))
        if (variant.clusters, variant.negatives) == (first, "fresh"):
            towers[names[variant.partner]] = model.video
    return towers, histories


def untrained(corpus: Corpus, settings: SensorPairs, seed: int) -> Tower:
    """The video tower as every pre-training of a seed finds it."""
    how = settings.width, settings.layers, settings.channel_mask, settings.dropout
    return build_towers(corpus.video.shape[1], corpus.sensors.shape[1], *how, seed)[0]


def small_asformer(settings: Asformer, pairs: SensorPairs) -> Asformer:
    """ASFormer of the profile in the size of this experiment."""
    layers, maps, decoders = pairs.asformer_size
    return settings.model_copy(update={"num_layers": layers, "num_maps": maps, "num_decoders": decoders})


def _identity(profile: Profile, side: Side, split: int) -> str:
    content = hashlib.sha256()
    for video in (*side.train, *side.test):
        for values in (side.frames.features(video), side.sensors[video], side.frames.target(video)):
            content.update(values.numpy().tobytes())
    params = profile.params
    values = [params.sensor_pairs.model_dump(), params.asformer.model_dump(), params.data.ignore, split]
    return key([*values, content.hexdigest(), torch.__version__], code=MADE_BY)
