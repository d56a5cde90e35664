"""The pairs of a cluster as the towers take them: drawn from the packed videos, sorted by length, in buckets.

The published code pads every caption to 63 tokens and every clip to 32 seconds, about twice what there is. A bucket of
pairs of like length is padded to its own longest; the vectors are put back in order afterwards, so the loss and its
gradient are the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lib.positives import Pair, overlapping_pair
from lib.sections_pretraining import Pairs
from lib.shards import Narrated
from lib.videoclip import CLS, SEP, VideoCLIP

BUCKET = 16  # pairs; fewer cost more calls, more cost more padding

Draw = Callable[..., Pair]  # overlapping_pair or spanning_pair


@dataclass(frozen=True)
class Buckets:
    """Rows of one kind, longest first.

    Attributes:
        parts: (values (b, L) token numbers or (b, T, D) features, mask (b, L or T) bool) of each bucket.
        order: (B,) place of each row among all buckets' rows.
    """

    parts: list[tuple[Tensor, Tensor]]
    order: Tensor

    def to(self, device: torch.device) -> "Buckets":
        parts = [(values.to(device), mask.to(device)) for values, mask in self.parts]
        return Buckets(parts, self.order.to(device))

    def encode(self, encoder: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Vectors (B, H) in the order of the pairs."""
        return torch.cat([encoder(values, mask) for values, mask in self.parts])[self.order]


@dataclass(frozen=True)
class Batch:
    """Pairs of clips and captions; row i of both belongs together."""

    clips: Buckets
    captions: Buckets

    def to(self, device: torch.device) -> "Batch":
        return replace(self, clips=self.clips.to(device), captions=self.captions.to(device))

    def encode(self, model: VideoCLIP) -> tuple[Tensor, Tensor]:
        """Vectors of clips and of captions, (B, H) both."""
        return self.clips.encode(model.encode_video), self.captions.encode(model.encode_text)


class ClusterBatches(Dataset):
    """The batches of an epoch. What is drawn depends on seed, epoch and the cluster's number, not on who draws it.

    Args:
        narrated: the packed videos.
        clusters: numbers of the videos of each.
        pairs: how pairs are drawn.
        seed, epoch: of the draw.
        draw: overlapping pairs in training, spanning ones for the videos' representations.
    """

    def __init__(
        self,
        narrated: Narrated,
        clusters: Sequence[Sequence[int]],
        pairs: Pairs,
        seed: int,
        epoch: int,
        draw: Draw = overlapping_pair,
    ):
        self.narrated, self.clusters, self.pairs = narrated, clusters, pairs
        self.seed, self.epoch, self.draw = seed, epoch, draw

    def __len__(self) -> int:
        return len(self.clusters)

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, self.epoch, number])
        clips, captions = [], []
        for video in self.clusters[number]:
            features, track = self.narrated.features(video), self.narrated.track(video)
            for _ in range(self.pairs.per_video):
                pair = self.draw(track, len(features), self.pairs, rng)
                clips.append(features[pair.start : pair.end])
                words = track.tokens[track.bounds[pair.first] : track.bounds[pair.last]][: self.pairs.longest_text]
                captions.append(np.concatenate(([CLS], words, [SEP])))
        return Batch(buckets(clips, np.float32), buckets(captions, np.int64))


def buckets(rows: Sequence[np.ndarray], dtype: type) -> Buckets:
    """Rows (L,) or (L, D) of differing length, sorted and padded bucket by bucket.

    >>> made = buckets([np.array([1]), np.array([1, 2, 3])], np.int64)
    >>> made.parts[0][0].tolist(), made.order.tolist()
    ([[1, 2, 3], [1, 0, 0]], [1, 0])
    """
    lengths = np.array([len(row) for row in rows])
    sorted_rows = np.argsort(-lengths, kind="stable")
    parts = []
    for first in range(0, len(rows), BUCKET):
        chosen = sorted_rows[first : first + BUCKET]
        values = np.zeros((len(chosen), lengths[chosen[0]], *rows[0].shape[1:]), dtype)
        for place, number in enumerate(chosen):
            values[place, : lengths[number]] = rows[number]
        mask = np.arange(values.shape[1]) < lengths[chosen, None]
        parts.append((torch.from_numpy(values), torch.from_numpy(mask)))
    order = np.empty(len(rows), np.int64)
    order[sorted_rows] = np.arange(len(rows))
    return Buckets(parts, torch.from_numpy(order))
