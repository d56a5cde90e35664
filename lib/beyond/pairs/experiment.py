"""All runs of one split (4.4): pre-trainings that differ in one thing each, and what video alone makes of their towers.

Hundreds of trainings of seconds: they run one after another in a folder that is thrown away, and two tables are kept.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.asformer.training import MADE_BY as ASFORMER
from lib.asformer.training import FrameInputs, standardization
from lib.beyond.pairs.pretraining import (
    Design,
    PairPretraining,
    PairVariant,
    Passages,
    cut,
    drawn_once,
    pretrain,
    untrained,
)
from lib.beyond.pairs.towers import Tower
from lib.beyond.pairs.transfer import Use, frozen_inputs, labelled_videos, predictions, ridge, train_video, video_scores
from lib.core.files import key, read_json, write_json, write_text
from lib.core.processes import track
from lib.core.training import Row
from lib.data.dataset import channel_statistics
from lib.data.profile import Profile
from lib.data.sensors import motion_windows, read_sensors

MADE_BY = (
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
# what video alone starts from: the partner and the negatives of its pre-training
STARTS = {
    "untrained": None,
    "pairs": ("sensors", "fresh"),
    "random negatives": ("sensors", "random"),
    "shuffled": ("shuffled", "fresh"),
    "unimodal": ("video", "fresh"),
}
# those that are followed to few labelled videos
FOLLOWED = ("untrained", "pairs", "shuffled")


@dataclass(frozen=True)
class Results:
    """Results of one or more splits."""

    # one row per epoch of each: split, seed, partner, clusters, negatives, update, pairs, train_loss and, if measured,
    # random_loss, hard_loss, relative_spread (of the test people's passages) and ridge (accuracy of a ridge classifier
    # on frozen states, percent)
    pretrainings: pd.DataFrame
    # a row per test video of each use of a tower: split, seed, start, head, frozen, labelled, inputs, video and the
    # measures of lib.beyond.pairs.transfer
    scores: pd.DataFrame


@dataclass(frozen=True)
class Side:
    """Data that one split learns from, one step per second, standardized over its training people."""

    frames: FrameInputs
    sensors: dict[str, Tensor]  # video -> (1, 60, T)
    train: tuple[str, ...]
    test: tuple[str, ...]

    def corpus(self, videos: tuple[str, ...], design: Design) -> Passages:
        """Cut these videos into passages."""
        video, sensors = [self.frames.features(one) for one in videos], [self.sensors[one] for one in videos]
        return cut(video, sensors, design.passage, design.margin)


def open_side(profile: Profile, split: int) -> Side:
    """Read features and sensors of a split; its video features come from a net that saw only these training people."""
    dataset = profile.public_dataset(split)
    (train, test), rate = dataset.split(split), profile.params.asformer.sample_rate
    sensors = {one: motion_windows(values)[:, ::rate] for one, values in read_sensors(dataset).items()}
    mean, scale = channel_statistics(sensors[one] for one in train)
    windows = {one: torch.from_numpy((values - mean) / scale)[None].float() for one, values in sensors.items()}
    frames = FrameInputs(dataset, *standardization(dataset, train, True, rate), torch.device("cpu"), rate)
    return Side(frames, windows, train, test)


def design_of(profile: Profile) -> Design:
    """Design from the profile, with a smaller ASFormer: its depth was chosen on held-out people (4.4)."""
    asformer = profile.params.asformer.model_copy(update={"num_layers": 5, "num_maps": 32, "num_decoders": 0})
    return Design(profile.params.pretrain, profile.params.sensor_pairs, asformer)


def variants(design: Design) -> list[PairVariant]:
    """List the variants: each C with fresh clusters; at the first C, other negatives and other partners too."""
    found = [PairVariant("sensors", clusters, "fresh") for clusters in design.sensor_pairs.clusters_per_update]
    found += [PairVariant("sensors", design.first, negatives) for negatives in design.sensor_pairs.negatives]
    return [*found, PairVariant("shuffled", design.first, "fresh"), PairVariant("video", design.first, "fresh")]


def uses(start: str, design: Design, number: int) -> list[Use]:
    """List what is trained on a start: both heads on a learning tower; for FOLLOWED also on few labels, or frozen."""
    most = max(design.labelled)
    found = [Use("linear", False, most), Use("asformer", False, most)]
    if start in FOLLOWED:
        few = [count for count in design.labelled if count != most]
        found += [Use("asformer", True, most), *(Use("linear", False, count) for count in few)]
        found += [Use("asformer", False, count) for count in few if number < design.few_seeds]
    return found


def results(profile: Profile) -> Results:
    """Run the seeds of the splits of this run, or read those that are done."""
    parts = []
    for split in profile.splits:
        side = open_side(profile, split)
        seeds = track(profile.params.sensor_pairs.seeds, f"split {split}: seed")
        parts += [run_seed(profile, side, split, seed) for seed in seeds]
    return Results(*(pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True)))


def run_seed(profile: Profile, side: Side, split: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pre-train and use the towers of one seed of a split; returns the two tables of `Results`."""
    design, ignore = design_of(profile), profile.params.data.ignore
    folder = profile.out.run("sensor_pairs", split, seed)
    files = [folder / name for name in ("pretrainings.csv", "scores.csv")]
    identity, note = _identity(profile, side, split, seed), folder / "note.json"
    if read_json(note, optional=True).get("key") == identity:
        return pd.read_csv(files[0]), pd.read_csv(files[1])
    number, scores = profile.params.sensor_pairs.seeds.index(seed), []
    with tempfile.TemporaryDirectory() as temporary:
        towers, histories = pretrain_seed(side, design, seed, Path(temporary))
        for start, tower in towers.items():
            plan = uses(start, design, number)
            rows = chain(solved(side, tower, design, seed), trained(side, tower, plan, design, seed, Path(temporary)))
            for about, labels in rows:
                scores.append(video_scores(labels, side.frames, ignore).assign(start=start, **about))
    tables = [pd.concat(parts, ignore_index=True).assign(split=split, seed=seed) for parts in (histories, scores)]
    for file, table in zip(files, tables, strict=True):
        write_text(file, table.to_csv(index=False))
    write_json(note, {"key": identity})
    return tables[0], tables[1]


Scored = Iterator[tuple[dict, dict[str, np.ndarray]]]


def solved(side: Side, tower: Tower, design: Design, seed: int) -> Scored:
    """Solve linear heads over a frozen tower: what they are, and what they predict."""
    for inputs, rows in frozen_inputs(tower, side.frames, (*side.train, *side.test)).items():
        for count in design.labelled:
            train = labelled_videos(side.train, count, seed)
            about = {**asdict(Use("linear", True, count)), "inputs": inputs}
            yield about, ridge(rows, side.frames, train, side.test, design.ridge)


def trained(side: Side, tower: Tower, plan: list[Use], design: Design, seed: int, folder: Path) -> Scored:
    """Train heads as planned: what they are, and what they predict."""
    for use in plan:
        with tempfile.TemporaryDirectory(dir=folder) as run:
            model = train_video(tower, use, side.frames, side.train, seed, design, Path(run))
        yield {**asdict(use), "inputs": "states"}, predictions(model, side.frames, side.test)


def pretrain_seed(side: Side, design: Design, seed: int, folder: Path) -> tuple[dict[str, Tower], list[pd.DataFrame]]:
    """Run all pre-trainings of a seed: the video towers to start from, and the histories."""
    corpus, tested = side.corpus(side.train, design), side.corpus(side.test, design)

    def measure(model: PairPretraining) -> Row:
        states = frozen_inputs(model.video, side.frames, (*side.train, *side.test))["states"]
        found = ridge(states, side.frames, side.train, side.test, design.ridge)
        accuracy = video_scores(found, side.frames, ())["accuracy"].mean()
        return {**model.held_out_losses(tested), "ridge": accuracy}

    histories, draw_clips = [], drawn_once(design)
    towers = {"untrained": untrained(corpus, design, seed)[0]}
    names = {how: start for start, how in STARTS.items()}
    for number, variant in enumerate(variants(design)):
        learns = corpus.shuffled(np.random.default_rng(seed)) if variant.partner == "shuffled" else corpus
        model = PairPretraining(learns, variant, design, seed, draw_clips)
        history = pretrain(model, folder / f"{seed}_{number}", measure)
        histories.append(history.assign(**asdict(variant)))
        if variant.clusters == design.first and (variant.partner, variant.negatives) in names:
            towers[names[variant.partner, variant.negatives]] = model.video
    return towers, histories


def _identity(profile: Profile, side: Side, split: int, seed: int) -> str:
    content = hashlib.sha256()
    for video in (*side.train, *side.test):
        for values in (side.frames.features(video), side.sensors[video], side.frames.target(video)):
            content.update(values.numpy().tobytes())
    # other seeds are other runs, but how many precede this one decides what it trains
    sections = (profile.params.pretrain, profile.params.sensor_pairs, profile.params.asformer)
    values = [section.model_dump(exclude={"seeds", "recipes"}) for section in sections]
    values += [profile.params.data.ignore, split, seed, profile.params.sensor_pairs.seeds.index(seed)]
    return key([*values, content.hexdigest(), torch.__version__], code=MADE_BY)
