"""Batches of clusters: what is drawn, what it depends on, how rows are laid end to end."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from narrated_data import DIM, VIDEOS, packed_videos

from lib.core.settings import Pairs
from lib.data.packs import Narrated
from lib.pretraining.pairs import Batch, ClusterBatches, overlapping_pair, spanning_pair
from lib.videoclip.model import CLS, SEP
from lib.videoclip.packed_rows import PackedRows, pack_rows

PAIRS = Pairs(text_tokens=(4, 30), video_seconds=(3, 16), longest_text=20, per_video=5)
CLUSTERS = [list(range(first, first + 8)) for first in range(0, VIDEOS, 8)] + [[5, 1, 22]]


@pytest.fixture(scope="module")
def narrated(tmp_path_factory, tokenizer) -> Narrated:
    return packed_videos(tmp_path_factory.mktemp("narrated"), tokenizer)


def rows_of(packed: PackedRows) -> list[np.ndarray]:
    """The rows in the order of the pairs."""
    return [packed.values[packed.rows == number].numpy() for number in range(packed.count)]


def contents(batch: Batch) -> list[list]:
    return [[row.tolist() for row in rows_of(made)] for made in (batch.clips, batch.captions)]


@settings(max_examples=60)
@given(number=st.integers(1, 60), channels=st.sampled_from([(), (3,)]), seed=st.integers(0, 2**31))
def test_packed_rows_are_the_rows_and_nothing_else(number, channels, seed):
    rng = np.random.default_rng(seed)
    rows = [rng.integers(1, 100, (length, *channels)).astype(np.float32) for length in rng.integers(1, 20, number)]
    packed = pack_rows(rows, np.float32)
    for ours, row in zip(rows_of(packed), rows, strict=True):
        np.testing.assert_array_equal(ours, row)
    assert len(packed.values) == sum(map(len, rows)) and packed.count == len(rows)
    lengths = sorted(map(len, rows), reverse=True)
    longest = [width for count, width in packed.buckets for _ in range(count)]
    assert all(0.75 * width <= length <= width for length, width in zip(lengths, longest, strict=True))
    assert all(below < 0.75 * above for (_, above), (_, below) in pairwise(packed.buckets))
    ends = packed.starts[packed.last] + packed.widths[packed.last]
    assert ends.tolist() == np.cumsum(longest).tolist()
    for number, row in enumerate(rows):
        assert packed.places[packed.rows == number].tolist() == list(range(len(row)))
        assert packed.last[packed.rows == number].tolist() == [False] * (len(row) - 1) + [True]


@pytest.mark.parametrize("draw", [overlapping_pair, spanning_pair])
def test_pairs_are_drawn_from_their_own_video(narrated, draw):
    batches = ClusterBatches(narrated, CLUSTERS, PAIRS, seed=1, epoch=2, draw=draw)
    assert len(batches) == len(CLUSTERS)
    most = 0
    for batch, cluster in zip((batches[number] for number in range(len(CLUSTERS))), CLUSTERS, strict=True):
        clips, captions = rows_of(batch.clips), rows_of(batch.captions)
        assert len(clips) == len(captions) == len(cluster) * PAIRS.per_video
        for place, (clip, words) in enumerate(zip(clips, captions, strict=True)):
            video = cluster[place // PAIRS.per_video]
            features, track = narrated.features(video), narrated.track(video)
            assert not clip[[0, -1]].any()  # where the marks stand
            clip = clip[1:-1].reshape(-1, DIM)
            assert len(clip) <= PAIRS.video_seconds[1]
            assert features.astype(np.float32).tobytes().find(clip.tobytes()) % (4 * DIM) == 0
            assert words.dtype == np.int64 and (words[0], words[-1]) == (CLS, SEP)
            assert 1 <= len(words) - 2 <= PAIRS.longest_text
            most = max(most, len(words) - 2)
            assert any(np.array_equal(track.tokens[first:][: len(words) - 2], words[1:-1]) for first in track.bounds)
    assert most == PAIRS.longest_text


def test_a_draw_depends_on_seed_epoch_and_number_alone(narrated):
    batches = ClusterBatches(narrated, CLUSTERS, PAIRS, seed=1, epoch=2)
    forwards = [contents(batches[number]) for number in range(4)]
    np.random.seed(0), torch.manual_seed(0)
    again = ClusterBatches(narrated, [CLUSTERS[0], [7], CLUSTERS[2], CLUSTERS[3]], PAIRS, seed=1, epoch=2)
    for number in (3, 0, 2, 3):
        assert contents(again[number]) == forwards[number]
    same = [CLUSTERS[0]] * 4
    draws = [ClusterBatches(narrated, same, PAIRS, seed, epoch) for seed, epoch in ((1, 2), (1, 3), (2, 2), (2, 1))]
    drawn = [str(contents(draw[number])) for draw in draws for number in range(4)]
    assert len(set(drawn)) == len(drawn)


def test_a_batch_moves_as_a_whole(narrated):
    moved = ClusterBatches(narrated, CLUSTERS, PAIRS, seed=1, epoch=2)[3].to(torch.device("meta"))
    for packed in (moved.clips, moved.captions):
        assert {tensor.device.type for tensor in (packed.values, packed.rows, packed.places)} == {"meta"}
