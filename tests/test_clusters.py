"""Clusters of alike videos against a search written out, and on vectors whose groups are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from narrated_data import DIM, VIDEOS, minilm_tokenizer, packed_videos
from transformers import BertConfig

from lib.core.devices import Group
from lib.core.settings import Mining, Pairs
from lib.pretraining import clusters
from lib.pretraining.clusters import (
    build_index,
    measured_recall,
    mine,
    nearest,
    random_clusters,
    recall,
    relative_spread,
    represent,
)
from lib.pretraining.pairs import ClusterBatches, spanning_pair
from lib.videoclip.model import VideoCLIP

EXACT = Mining(negatives="fresh", per_video=2, index="exact", lists=1, probes=1)


def ivf(lists: int, probes: int) -> Mining:
    return EXACT.model_copy(update={"index": "ivf", "lists": lists, "probes": probes})


def vectors_of(seed: int, count: int, dim: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def brute_force(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    distances = ((queries[:, None].astype(np.float64) - vectors) ** 2).sum(axis=2)
    return distances.argsort(axis=1)[:, :count]


@settings(max_examples=30)
@given(number=st.integers(1, 80), queries=st.integers(1, 20), seed=st.integers(0, 2**31))
def test_exact_search_is_the_search_written_out(number, queries, seed):
    vectors, asked = vectors_of(seed, number), vectors_of(seed + 1, queries)
    count = min(9, number)
    found = nearest(build_index(vectors, EXACT), asked, count)
    np.testing.assert_array_equal(found, brute_force(vectors, asked, count))


def test_many_queries_are_asked_in_parts(monkeypatch):
    monkeypatch.setattr(clusters, "QUERIES_AT_ONCE", 7)
    vectors = vectors_of(0, 50)
    found = nearest(build_index(vectors, EXACT), vectors, 5)
    np.testing.assert_array_equal(found, brute_force(vectors, vectors, 5))


def test_an_inverted_file_read_whole_is_exact():
    vectors = vectors_of(0, 400)
    whole = nearest(build_index(vectors, ivf(8, 8)), vectors, 10)
    np.testing.assert_array_equal(whole, brute_force(vectors, vectors, 10))
    assert measured_recall(vectors, 5, ivf(8, 8), np.random.default_rng(0)) == 1


def test_recall_grows_with_the_cells_that_are_read():
    vectors = vectors_of(0, 250)
    found = [measured_recall(vectors, 5, ivf(8, probes), np.random.default_rng(0)) for probes in (1, 2, 4, 8)]
    assert found == sorted(set(found)) and 0.1 < found[0] < 0.9 and found[-1] == 1
    one, exact = nearest(build_index(vectors, ivf(8, 1)), vectors, 10), brute_force(vectors, vectors, 10)
    shares = [len({*row} & {*true}) / 10 for row, true in zip(one, exact, strict=True)]
    assert recall(one, exact) == pytest.approx(np.mean(shares))
    assert found[0] == pytest.approx(np.mean(shares))  # of all videos, as they are fewer than it would take
    assert measured_recall(vectors, 5, EXACT, np.random.default_rng(0)) == 1


@settings(max_examples=30)
@given(number=st.integers(12, 60), size=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_a_cluster_is_half_of_a_videos_neighbourhood(number, size, seed):
    vectors = vectors_of(seed, number)
    mined = mine(vectors, size, EXACT, np.random.default_rng(seed))
    assert len(mined) == number // size
    around = [set(row) for row in brute_force(vectors, vectors, 2 * size)]
    for cluster in mined:
        assert len(cluster) == len(set(cluster)) == size
        assert any(set(cluster) <= neighbours for neighbours in around)


def test_clusters_are_drawn():
    vectors = vectors_of(0, 60)
    mined = [mine(vectors, 5, EXACT, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert mined[0] == mined[1] != mined[2]
    centres = np.random.default_rng(0).choice(60, 12, replace=False)  # a centre may be left out, as published
    assert 0 < sum(centre in cluster for centre, cluster in zip(centres, mined[0], strict=True)) < 12


@pytest.mark.parametrize("mining", [EXACT, ivf(4, 4)])
def test_planted_groups_are_found(mining):
    """Ten groups of twice a cluster's size, far from each other."""
    group = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 8))
    vectors = 100 * vectors_of(1, 10)[group] + vectors_of(2, 80)
    mined = mine(vectors, 4, mining, np.random.default_rng(0))
    assert len(mined) == 20
    assert all(len(set(group[cluster])) == 1 for cluster in mined)
    assert relative_spread(vectors, mined) < 0.05
    assert relative_spread(vectors, random_clusters(80, 4, np.random.default_rng(0))) == pytest.approx(1, abs=0.15)


def test_a_cell_with_too_few_videos_makes_a_small_cluster():
    """Two far groups, a cell each, one cell read: around the three videos there are never eight."""
    vectors = vectors_of(0, 40)
    vectors[:3] += 1000
    found = nearest(build_index(vectors, ivf(2, 1)), vectors[:1], 8)
    assert sorted(found[0, :3]) == [0, 1, 2] and found[0, 3:].tolist() == [-1] * 5
    mined = [cluster for seed in range(5) for cluster in mine(vectors, 4, ivf(2, 1), np.random.default_rng(seed))]
    assert len(mined) == 50 and {len(cluster) for cluster in mined} == {3, 4}
    for cluster in mined:
        assert len(set(cluster)) == len(cluster)
        assert set(cluster) == {0, 1, 2} if len(cluster) == 3 else min(cluster) >= 3


@given(count=st.integers(0, 200), size=st.integers(1, 20), seed=st.integers(0, 2**31))
def test_random_clusters_are_a_partition(count, size, seed):
    drawn = random_clusters(count, size, np.random.default_rng(seed))
    assert len(drawn) == count // size and all(len(cluster) == size for cluster in drawn)
    videos = [video for cluster in drawn for video in cluster]
    assert len(set(videos)) == len(videos) and set(videos) <= set(range(count))


def test_random_clusters_are_random():
    first, again, other = (random_clusters(60, 5, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert first != [list(range(start, start + 5)) for start in range(0, 60, 5)]


def test_a_videos_representation_is_the_mean_of_its_pairs_vectors(tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "VIDEOS_AT_ONCE", 10)  # three parts, the last of four
    narrated = packed_videos(tmp_path, minilm_tokenizer())
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=16, num_attention_heads=2, num_hidden_layers=1, intermediate_size=32, initializer_range=0.2
    )
    model = VideoCLIP(config, 1, DIM, max_video_len=16)  # in training: dropout must not take part
    pairs = Pairs(text_tokens=(4, 30), video_seconds=(3, 16), longest_text=20, per_video=3)
    alone = Group(0, 1, torch.device("cpu"))
    ours = represent(model, narrated, pairs, 7, 0, alone, torch.float32)
    assert ours.shape == (VIDEOS, 16) and ours.dtype == np.float32
    model.eval()
    parts = [range(0, 10), range(10, 20), range(20, 24)]
    batches = ClusterBatches(narrated, parts, pairs, 7, 0, spanning_pair)
    expected = []
    for number, part in enumerate(parts):
        with torch.inference_mode():
            clips, captions = batches[number].encode(model)
        for place in range(len(part)):
            rows = slice(place * 3, place * 3 + 3)
            expected.append(torch.cat((clips[rows], captions[rows])).mean(dim=0))
    np.testing.assert_allclose(ours, torch.stack(expected), rtol=0, atol=1e-5)
    assert not np.allclose(ours, represent(model, narrated, pairs, 8, 0, alone, torch.float32), atol=1e-3)
    rough = represent(model, narrated, pairs, 7, 0, alone, torch.bfloat16)
    assert not np.array_equal(rough, ours)
    assert np.linalg.norm(rough - ours) < 0.05 * np.linalg.norm(ours)


def test_what_cannot_be_mined():
    few, rng = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32), np.random.default_rng(0)
    exact = Mining(negatives="fresh", per_video=1, index="exact", lists=1, probes=1)
    assert mine(few, 8, exact, rng) == []
    with pytest.raises(ValueError, match=r"pretrain.mining.lists: 8 cells for 6 videos"):
        mine(few, 2, exact.model_copy(update={"index": "ivf", "lists": 8}), rng)
    few[3, 1] = np.nan
    with pytest.raises(ValueError, match="representation of video 3 is not finite"):
        mine(few, 2, exact, rng)
