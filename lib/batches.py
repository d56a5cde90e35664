"""The pairs of a cluster as the towers take them: drawn from the packed videos and laid end to end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lib.positives import Pair, overlapping_pair
from lib.sections_pretraining import Pairs
from lib.sequence_packing import PackedRows, pack_rows
from lib.shards import Narrated
from lib.videoclip import CLS, SEP, VideoCLIP

Draw = Callable[..., Pair]  # overlapping_pair or spanning_pair


@dataclass(frozen=True)
class Batch:
    """Pairs of clips and captions; row i of both belongs together."""

    clips: PackedRows
    captions: PackedRows

    def to(self, device: torch.device) -> "Batch":
        return replace(self, clips=self.clips.to(device), captions=self.captions.to(device))

    def encode(self, model: VideoCLIP) -> tuple[Tensor, Tensor]:
        """Vectors of clips and of captions, (B, H) both."""
        return model.encode_packed_video(self.clips), model.encode_packed_text(self.captions)


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
                clips.append(np.pad(features[pair.start : pair.end], ((1, 1), (0, 0))))  # [CLS] and [SEP] stand there
                words = track.tokens[track.bounds[pair.first] : track.bounds[pair.last]][: self.pairs.longest_text]
                captions.append(np.concatenate(([CLS], words, [SEP])))
        return Batch(pack_rows(clips, np.float32), pack_rows(captions, np.int64))
