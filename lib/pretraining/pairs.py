"""Positive pairs for VideoCLIP: a run of captions and a clip that meets it in time (thesis 2.4.2).

Text comes first, so that there is always some: a caption grown to a random length, then a second within it, then a clip
grown from there to a random length. Both contain that second or touch it, but they need not match, because captions of
narrated videos come early or late. The published sampler (MMPT, `OverlappedAligner`) does the same; its clips last at
least 3 s, where the thesis writes 0. `ClusterBatches` draws the pairs of a cluster and packs them for the towers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lib.core.settings import Pairs
from lib.data.packs import Narrated, Track
from lib.videoclip.model import CLS, SEP, VideoCLIP
from lib.videoclip.packed_rows import PackedRows, pack_rows

# seconds at which a run of captions stops growing
LONGEST_TEXT = 256.0


@dataclass(frozen=True)
class Pair:
    """Captions first … last - 1 of a video, and its seconds start … end - 1; `centre` is the drawn second."""

    first: int
    last: int
    start: int
    end: int
    centre: int


def overlapping_pair(track: Track, seconds: int, settings: Pairs, rng: np.random.Generator) -> Pair:
    """Draw a pair whose captions and clip need only overlap, for training."""
    # 1. a run of captions
    first, last = _grow_text(track, settings, rng)
    # 2. a second between its start and its end; beyond the video's end, its last
    opens, closes = int(track.start[first]), int(np.ceil(track.end[last - 1]))
    centre = min(int(rng.integers(opens, closes, endpoint=True)), seconds - 1)
    # 3. a clip that grows from there
    length = int(rng.integers(*settings.video_seconds, endpoint=True))
    start, end = _grow_clip(centre, min(length, seconds), seconds, rng)
    return Pair(first, last, start, end, centre)


def spanning_pair(track: Track, seconds: int, settings: Pairs, rng: np.random.Generator) -> Pair:
    """Draw a pair whose clip spans the time of its captions, for the representation of a video (equation 6).

    Captions after the video's end get its last second, where MMPT's `VariedLenAligner` gives an empty clip.
    """
    first, last = _grow_text(track, settings, rng)
    start = min(int(track.start[first]), seconds - 1)
    end = int(np.ceil(track.end[last - 1]))
    end = max(start + 1, min(end, seconds, start + settings.video_seconds[1]))
    return Pair(first, last, start, end, (start + end) // 2)


def _grow_text(track: Track, settings: Pairs, rng: np.random.Generator) -> tuple[int, int]:
    """Draw a caption; add neighbours on random sides until there are enough words."""
    lengths, start, end = track.lengths, track.start, track.end
    first = int(rng.integers(len(lengths)))
    last = first + 1
    wanted = int(rng.integers(*settings.text_tokens, endpoint=True))
    tokens = int(lengths[first])
    while tokens < wanted and end[last - 1] - start[first] < LONGEST_TEXT and (first > 0 or last < len(lengths)):
        if last == len(lengths) or (first > 0 and rng.random() < 0.5):
            first -= 1
            tokens += int(lengths[first])
        else:
            tokens += int(lengths[last])
            last += 1
    return first, last


def _grow_clip(centre: int, length: int, seconds: int, rng: np.random.Generator) -> tuple[int, int]:
    """Grow second by second to a random side, or away from an end of the video; all coins are drawn at once."""
    left = int(rng.binomial(length, 0.5))
    left = min(max(left, length - (seconds - centre)), centre)
    return centre - left, centre - left + length


# overlapping_pair or spanning_pair
Draw = Callable[..., Pair]


@dataclass(frozen=True)
class Batch:
    """Pairs of clips and captions; row i of both is a pair."""

    clips: PackedRows
    captions: PackedRows

    def to(self, device: torch.device) -> "Batch":
        return replace(self, clips=self.clips.to(device), captions=self.captions.to(device))

    def encode(self, model: VideoCLIP) -> tuple[Tensor, Tensor]:
        """Encode clips and captions, both (B, H)."""
        return model.encode_packed_video(self.clips), model.encode_packed_text(self.captions)


@dataclass(frozen=True)
class ClusterBatches(Dataset):
    """The batches of an epoch. Draws depend on seed, epoch and the cluster's number, not on the process."""

    narrated: Narrated
    clusters: Sequence[Sequence[int]]  # for each, the numbers of its videos
    pairs: Pairs
    seed: int
    epoch: int
    draw: Draw = overlapping_pair  # in training; `spanning_pair` for the videos' representations

    def __len__(self) -> int:
        return len(self.clusters)

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, self.epoch, number])
        clips, captions = [], []
        for video in self.clusters[number]:
            features, track = self.narrated.features(video), self.narrated.track(video)
            for _ in range(self.pairs.per_video):
                pair = self.draw(track, len(features), self.pairs, rng)
                # with places for [CLS] and [SEP]
                clips.append(np.pad(features[pair.start : pair.end], ((1, 1), (0, 0))))
                words = track.tokens[track.bounds[pair.first] : track.bounds[pair.last]][: self.pairs.longest_text]
                captions.append(np.concatenate(([CLS], words, [SEP])))
        return Batch(pack_rows(clips, np.float32), pack_rows(captions, np.int64))
