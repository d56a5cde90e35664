"""Pre-training on pairs of video and sensors by VideoCLIP's method (4.4): equation 5, clusters by equation 6, no label.

The training people's videos are cut into passages, which take the place of HowTo100M's videos. A second of the sensors
takes the place of a caption of one word, so that the sampler of 2.5 draws a run of sensor seconds and a clip of video
that overlaps with it. An update has C clusters of k passages, each with a softmax of its own.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lib.beyond.pairs.towers import Tower, clip_vectors, passages
from lib.core.checkpoints import Learner
from lib.core.params import ParameterError
from lib.core.settings import Asformer, Pretrain, SensorPairs
from lib.core.training import Row, fit, linear, set_rate
from lib.data.packs import Track
from lib.pretraining.clusters import held_out, of_epoch, relative_spread
from lib.pretraining.pairs import Draw, overlapping_pair, spanning_pair
from lib.videoclip.model import contrastive_loss

Partner = Literal["sensors", "shuffled", "video"]
Update = tuple[int, list[list[int]]]
Spans = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Design:
    """All settings of the experiment. Times are in seconds."""

    pretrain: Pretrain  # cluster size, rate, pairs and mining; a second of the sensors is a caption of one token
    sensor_pairs: SensorPairs  # seeds, epochs, C and negatives to compare; video alone starts from the first C
    asformer: Asformer  # the size of a head; weight decay and smoothing of every head
    # of the towers
    width: int = 32
    layers: int = 3
    channel_mask: float = 0.3
    dropout: float = 0.1
    passage: int = 16  # length of what takes the place of a video of HowTo100M
    labelled: tuple[int, ...] = (40, 20, 10, 5, 2)  # how many videos show their labels to a head
    few_seeds: int = 2  # seeds of ASFormer on few labelled videos
    head_rate: float = 3e-3  # highest learning rate of a head, and of a tower that learns with it
    # epochs as long as all training videos
    linear_epochs: int = 5
    asformer_epochs: int = 5
    ridge: float = 100.0  # penalty of the classifier that compares pre-trainings

    @property
    def margin(self) -> int:
        """Seconds that a tower sees on either side of a passage."""
        return 2**self.layers - 1

    @property
    def first(self) -> int:
        """The C of all comparisons except the one of C."""
        return self.sensor_pairs.clusters_per_update[0]

    def clusters_per_epoch(self, passages: int) -> int:
        """Number of clusters in an epoch: as many as passages allow if each C is to make whole updates of them.

        Raises ParameterError: too few passages, or numbers of updates that never meet.
        """
        numbers = self.sensor_pairs.clusters_per_update
        each = math.lcm(*numbers)
        found = passages // self.pretrain.videos_per_cluster // each * each
        if not found:
            raise ParameterError(
                f"sensor_pairs.clusters_per_update: {passages} passages make fewer than {each} clusters"
            )
        if any(self.sensor_pairs.epochs * number % max(numbers) for number in numbers):
            raise ParameterError(
                f"sensor_pairs.epochs: {self.sensor_pairs.epochs} x C / {max(numbers)} must be whole for each C"
            )
        return found


@dataclass(frozen=True)
class PairVariant:
    """What differs between pre-trainings."""

    # partner of a clip of video: the sensors at the same time, the sensors of another video (each passage is used
    # once), or another clip of the same video, through the same tower with another dropout
    partner: Partner
    clusters: int  # C
    # clusters mined in each epoch, in the first only, or drawn at random
    negatives: Literal["fresh", "stale", "random"]


@dataclass(frozen=True)
class Passages:
    """Passages of some videos, in both modalities."""

    video: Tensor  # (N, D, passage + 2 * margin), a column per second
    sensors: Tensor  # the same
    owner: np.ndarray  # (N,) number of the video that a passage is of

    def __len__(self) -> int:
        return len(self.owner)

    def shuffled(self, rng: np.random.Generator) -> "Passages":
        """Give each passage the sensors of a passage of another video.

        Raises ValueError: one video has more than half of the passages.
        """
        longest = int(np.bincount(self.owner).max())
        if 2 * longest > len(self):
            raise ValueError(f"{longest} of {len(self)} passages are of one video; the others cannot lend it sensors")
        # passages sorted into one row per video, in random order: a step as long as the longest row leaves every row
        rows = rng.permutation(self.owner.max() + 1)[self.owner]
        order = np.lexsort((rng.random(len(self)), rows))
        other = np.empty(len(self), np.int64)
        other[order] = np.roll(order, longest)
        return Passages(self.video, self.sensors[torch.from_numpy(other)], self.owner)


def cut(video: Sequence[Tensor], sensors: Sequence[Tensor], seconds: int, margin: int) -> Passages:
    """Cut videos into passages. `video`, `sensors`: of each video, (1, D, T), standardized."""
    owner = np.repeat(np.arange(len(video)), [x.shape[2] // seconds for x in video])
    return Passages(passages(video, seconds, margin), passages(sensors, seconds, margin), owner)


def draw_clips(design: Design, seed: tuple[int, ...], count: int, draw: Draw, per_passage: int) -> Spans:
    """Draw pairs within passages: spans of the clips of video and of sensors, both (count, per_passage, 2)."""
    rng, seconds = np.random.default_rng(seed), np.arange(design.passage + 1)
    track = Track(seconds[:-1].astype(np.float32), seconds[1:].astype(np.float32), np.zeros(0, np.int32), seconds)
    pairs = [draw(track, design.passage, design.pretrain.pairs, rng) for _ in range(count * per_passage)]
    spans = np.array([[(pair.start, pair.end), (pair.first, pair.last)] for pair in pairs])
    video, sensors = torch.from_numpy(spans).view(count, per_passage, 2, 2).unbind(dim=2)
    return video, sensors


def drawn_once(design: Design) -> Callable[..., Spans]:
    """Cache `draw_clips` for all pre-trainings of a seed, which have the same clips and differ in other things."""
    return cache(partial(draw_clips, design))


def untrained(corpus: Passages, design: Design, seed: int) -> tuple[Tower, Tower]:
    """Build both towers as every pre-training of a seed starts; drawing leaves the global generator as it was."""
    how = design.width, design.layers, design.channel_mask, design.dropout
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Tower(corpus.video.shape[1], *how), Tower(corpus.sensors.shape[1], *how)


class PairPretraining(nn.Module):
    """Both towers and the corpus of training people that they learn from, already shuffled if it is to be."""

    def __init__(
        self, corpus: Passages, variant: PairVariant, design: Design, seed: int, draw_clips: Callable[..., Spans]
    ):
        super().__init__()
        self.video, self.sensors = untrained(corpus, design, seed)
        self.corpus, self.variant, self.design, self.seed, self.draw_clips = corpus, variant, design, seed, draw_clips
        self.count = design.clusters_per_epoch(len(corpus))
        self.updates_per_epoch = self.count // variant.clusters
        self.first: list[list[int]] = []

    def encode(self, corpus: Passages, chosen: Tensor, spans: Spans) -> tuple[Tensor, Tensor]:
        """Encode clips of video and their partners, both (passages * clips of each, H)."""
        clips, partners = spans
        first = clip_vectors(self.video(corpus.video[chosen]), clips)
        if self.variant.partner == "video":
            return first, clip_vectors(self.video(corpus.video[chosen]), partners)
        return first, clip_vectors(self.sensors(corpus.sensors[chosen]), partners)

    @torch.no_grad()
    def represent(self, corpus: Passages, seed: tuple[int, ...]) -> np.ndarray:
        """Equation 6: mean over a passage's clips of both modalities, (N, H)."""
        self.eval()
        each = self.design.pretrain.mining.per_video
        spans = self.draw_clips(seed, len(corpus), spanning_pair, each)
        video, partners = self.encode(corpus, torch.arange(len(corpus)), spans)
        return ((video + partners) / 2).view(len(corpus), each, -1).mean(dim=1).numpy()

    def loss(self, corpus: Passages, clusters: Sequence[Sequence[int]], seed: tuple[int, ...]) -> Tensor:
        """Equation 5 of each cluster, mean over the clusters; passages are encoded together."""
        chosen, each = torch.tensor(clusters).flatten(), self.design.pretrain.pairs.per_video
        both = self.encode(corpus, chosen, self.draw_clips(seed, len(chosen), overlapping_pair, each))
        video, partners = (vectors.view(len(clusters), -1, vectors.shape[1]) for vectors in both)
        temperature = self.design.pretrain.temperature
        losses = [contrastive_loss(*one, temperature) for one in zip(video, partners, strict=True)]
        return torch.stack(losses).mean()

    def clusters_of(self, epoch: int) -> list[list[int]]:
        """Make an epoch's clusters; those that make no whole update are left over."""
        how, vectors_of = self.design.pretrain, partial(self.represent, self.corpus, (self.seed, epoch))
        mining = how.mining.model_copy(update={"negatives": self.variant.negatives})
        of = len(self.corpus), how.videos_per_cluster, mining, self.first, np.random.default_rng([self.seed, epoch])
        found = of_epoch(vectors_of, *of)[: self.count]
        self.train()
        self.first = self.first or found
        return found

    def updates(self, epoch: int) -> Iterator[Update]:
        """Yield the updates of an epoch: number, from 1 over the whole training, and C clusters."""
        found, size = self.clusters_of(epoch), self.variant.clusters
        for number in range(self.updates_per_epoch):
            yield (epoch - 1) * self.updates_per_epoch + number + 1, found[number * size : (number + 1) * size]

    def held_out_losses(self, corpus: Passages) -> Row:
        """Loss of other people's passages in random clusters, and in those that the model finds hard; nats."""
        vectors = self.represent(corpus, (0,))
        parts = held_out(vectors, self.design.pretrain.videos_per_cluster, self.design.pretrain.mining)
        with torch.no_grad():
            losses = {name: self.loss(corpus, part, (0,)).item() for name, part in parts.items()}
        return losses | {"relative_spread": relative_spread(vectors, parts["hard_loss"])}


def pretrain(pretraining: PairPretraining, folder: Path, measure: Callable[[PairPretraining], Row]) -> pd.DataFrame:
    """Train both towers.

    `measure` is called when all numbers of clusters per update have made the same number of updates, and at the end,
    when they have seen the same number of pairs.

    Returns one row per epoch: update, pairs, train_loss and, at these two times, what `measure` returns.
    """
    how, study, size = pretraining.design.pretrain, pretraining.design.sensor_pairs, pretraining.variant.clusters
    per_epoch = pretraining.updates_per_epoch
    optimizer = torch.optim.Adam(
        pretraining.parameters(), how.learning_rate, betas=how.betas, eps=how.epsilon, fused=True
    )
    equal = study.epochs * pretraining.count // max(study.clusters_per_update)

    def losses_of(update: Update) -> Iterator[tuple[Tensor, Row]]:
        number, clusters = update
        set_rate(optimizer, how.learning_rate * linear(number, how.warmup, how.decay_updates))
        yield pretraining.loss(pretraining.corpus, clusters, (pretraining.seed, number)), {}

    def row_of(epoch: int, sums: Row) -> Row:
        update = epoch * per_epoch
        pairs = update * size * how.videos_per_cluster * how.pairs.per_video
        row = {"update": update, "pairs": pairs, "train_loss": sums["loss"] / per_epoch}
        return row | (measure(pretraining) if update == equal or epoch == study.epochs else {})

    run: dict[str, Any] = {"epochs": study.epochs, "seed": pretraining.seed, "folder": folder, "key": ""}
    return fit(Learner(pretraining, optimizer, clip=how.clip), pretraining.updates, losses_of, row_of, **run)
