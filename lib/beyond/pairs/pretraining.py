"""Pre-training on pairs of video and sensors by VideoCLIP's method (4.4): equation 5, clusters by equation 6, no label.

The training people's videos are cut into passages, which take the place of HowTo100M's videos. A second of the sensors
takes the place of a caption of one word, so that the sampler of 2.5 draws a run of sensor seconds and a clip of video
that overlaps with it. An update has C clusters of k passages, each with a softmax of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from lib.beyond.pairs.towers import build_towers, clip_vectors, passages
from lib.core.checkpoints import Learner
from lib.core.settings import SensorPairs
from lib.core.training import Row, fit, linear, set_rate
from lib.data.packs import Track
from lib.pretraining.clusters import alikeness, mine, random_clusters
from lib.pretraining.pairs import Draw, overlapping_pair, spanning_pair
from lib.videoclip.model import contrastive_loss

Partner = Literal["sensors", "shuffled", "video"]
Update = tuple[int, list[list[int]]]


@dataclass(frozen=True)
class Variant:
    """What differs between pre-trainings.

    Attributes:
        partner: of a clip of video: the sensors of the same time, those of another video (each passage is given one of
            another video, once), or another clip of the video itself, through the same tower under another dropout.
        clusters: C.
        negatives: clusters mined in each epoch, in the first only, or drawn at random.
    """

    partner: Partner
    clusters: int
    negatives: Literal["fresh", "stale", "random"]


@dataclass(frozen=True)
class Corpus:
    """Passages of both modalities, of some videos.

    Attributes:
        video, sensors: (N, D, passage + 2 * margin), a column per second.
        owner: (N,) number of the video that a passage is of.
    """

    video: Tensor
    sensors: Tensor
    owner: np.ndarray

    def __len__(self) -> int:
        return len(self.owner)

    def shuffled(self, rng: np.random.Generator) -> "Corpus":
        """The same with each passage's sensors taken from a passage of another video."""
        # in rows of a video each, in random order, a step as long as the longest row leads out of every row
        rows = rng.permutation(self.owner.max() + 1)[self.owner]
        order = np.lexsort((rng.random(len(self)), rows))
        other = np.empty(len(self), np.int64)
        other[order] = np.roll(order, np.bincount(self.owner).max())
        return Corpus(self.video, self.sensors[torch.from_numpy(other)], self.owner)


def cut(video: Sequence[Tensor], sensors: Sequence[Tensor], seconds: int, margin: int) -> Corpus:
    """Cut videos into passages.

    Args:
        video, sensors: (1, D, T) of each video, standardized.
        seconds: length of a passage.
        margin: seconds that a tower sees around it.
    """
    owner = np.repeat(np.arange(len(video)), [x.shape[2] // seconds for x in video])
    return Corpus(passages(video, seconds, margin), passages(sensors, seconds, margin), owner)


def draw_clips(count: int, settings: SensorPairs, draw: Draw, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw pairs within passages: spans of the clips of video and of sensors, (count, per_video, 2) both."""
    seconds = np.arange(settings.passage + 1)
    track = Track(seconds[:-1].astype(np.float32), seconds[1:].astype(np.float32), np.zeros(0, np.int32), seconds)
    pairs = [draw(track, settings.passage, settings.pairs, rng) for _ in range(count * settings.pairs.per_video)]
    spans = np.array([[(pair.start, pair.end), (pair.first, pair.last)] for pair in pairs])
    video, sensors = torch.from_numpy(spans).view(count, -1, 2, 2).unbind(dim=2)
    return video, sensors


class Pretraining(nn.Module):
    """Both towers and the corpus they learn from.

    Args:
        corpus: of the training people; shuffled already, if it is to be.
        variant: what differs between pre-trainings.
        seed: of everything that is drawn.
    """

    def __init__(self, corpus: Corpus, variant: Variant, settings: SensorPairs, seed: int):
        super().__init__()
        how = settings.width, settings.layers, settings.channel_mask, settings.dropout
        self.video, self.sensors = build_towers(corpus.video.shape[1], corpus.sensors.shape[1], *how, seed)
        self.corpus, self.variant, self.settings, self.seed = corpus, variant, settings, seed
        self.first: list[list[int]] = []

    def encode(self, corpus: Corpus, chosen: Tensor, draw: Draw, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Vectors of clips of video and of their partners, (passages * per_video, H) both."""
        clips, partners = draw_clips(len(chosen), self.settings, draw, rng)
        first = clip_vectors(self.video(corpus.video[chosen]), clips)
        if self.variant.partner == "video":
            return first, clip_vectors(self.video(corpus.video[chosen]), partners)
        return first, clip_vectors(self.sensors(corpus.sensors[chosen]), partners)

    @torch.no_grad()
    def represent(self, corpus: Corpus, rng: np.random.Generator) -> np.ndarray:
        """Equation 6: mean over a passage's clips of both modalities, (N, H)."""
        self.eval()
        both = self.encode(corpus, torch.arange(len(corpus)), spanning_pair, rng)
        return (sum(both) / 2).view(len(corpus), self.settings.pairs.per_video, -1).mean(dim=1).numpy()

    def loss(self, corpus: Corpus, clusters: Sequence[Sequence[int]], rng: np.random.Generator) -> Tensor:
        """Equation 5 of each cluster, mean over the clusters; passages are encoded together."""
        both = self.encode(corpus, torch.tensor(clusters).flatten(), overlapping_pair, rng)
        video, partners = (vectors.view(len(clusters), -1, vectors.shape[1]) for vectors in both)
        return torch.stack([contrastive_loss(*one) for one in zip(video, partners, strict=True)]).mean()

    def clusters_of(self, epoch: int) -> list[list[int]]:
        """An epoch's clusters; those that make no whole update are left over."""
        rng, settings = np.random.default_rng([self.seed, epoch]), self.settings
        size, count = settings.passages_per_cluster, settings.clusters_per_epoch
        if self.variant.negatives == "random":
            return random_clusters(len(self.corpus), size, rng)[:count]
        if self.variant.negatives == "stale" and self.first:
            return [self.first[number] for number in rng.permutation(count)]
        self.first = mine(self.represent(self.corpus, rng), size, settings.mining, rng)[:count]
        self.train()
        return self.first

    def updates(self, epoch: int) -> Iterator[Update]:
        """Number of each update of an epoch, from 1 over the whole training, and its C clusters."""
        found, size = self.clusters_of(epoch), self.variant.clusters
        per_epoch = self.settings.clusters_per_epoch // size
        for number in range(per_epoch):
            yield (epoch - 1) * per_epoch + number + 1, found[number * size : (number + 1) * size]

    def held_out_losses(self, corpus: Corpus) -> Row:
        """Loss of other people's passages in random clusters, and in those that the model finds hard; nats."""
        vectors, size = self.represent(corpus, np.random.default_rng(0)), self.settings.passages_per_cluster
        parts = {
            "random_loss": random_clusters(len(corpus), size, np.random.default_rng(0)),
            "hard_loss": mine(vectors, size, self.settings.mining, np.random.default_rng(0)),
        }
        with torch.no_grad():
            losses = {name: self.loss(corpus, part, np.random.default_rng(0)).item() for name, part in parts.items()}
        return losses | {"alikeness": alikeness(vectors, parts["hard_loss"])}


def pretrain(pretraining: Pretraining, folder: Path, measure: Callable[[Pretraining], Row]) -> pd.DataFrame:
    """Train both towers.

    Args:
        folder: of the run.
        measure: is taken where all numbers of clusters per update have made the same number of updates, and at the end,
            where they have seen the same number of pairs.

    Returns:
        A row per epoch: update, pairs, train_loss and, at these two, what `measure` returns.
    """
    settings, size = pretraining.settings, pretraining.variant.clusters
    per_epoch = settings.clusters_per_epoch // size
    optimizer = torch.optim.Adam(pretraining.parameters(), settings.learning_rate, fused=True)
    equal = settings.epochs * settings.clusters_per_epoch // max(settings.clusters_per_update)

    def losses_of(update: Update) -> Iterator[tuple[Tensor, Row]]:
        number, clusters = update
        set_rate(optimizer, settings.learning_rate * linear(number, settings.warmup, 10**9))
        yield pretraining.loss(pretraining.corpus, clusters, np.random.default_rng([pretraining.seed, number])), {}

    def row_of(epoch: int, sums: Row) -> Row:
        update = epoch * per_epoch
        pairs = update * size * settings.passages_per_cluster * settings.pairs.per_video
        row = {"update": update, "pairs": pairs, "train_loss": sums["loss"] / per_epoch}
        return row | (measure(pretraining) if update == equal or epoch == settings.epochs else {})

    run: dict[str, Any] = {"epochs": settings.epochs, "seed": pretraining.seed, "folder": folder, "key": ""}
    return fit(Learner(pretraining, optimizer, clip=settings.clip), pretraining.updates, losses_of, row_of, **run)
