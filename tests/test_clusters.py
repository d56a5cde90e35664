"""Clusters of alike videos against a search written out, and on vectors whose groups are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from narrated_data import VIDEOS, packed_videos, tiny_videoclip
from numpy.random import default_rng

from lib.core.devices import Group
from lib.core.settings import Mining, Pairs
from lib.pretraining import clusters
from lib.pretraining.pairs import ClusterBatches, spanning_pair

EXACT = Mining(negatives="fresh", per_video=2, index="exact", lists=1, probes=1)


def ivf(lists: int, probes: int) -> Mining:
    return EXACT.model_copy(update={"index": "ivf", "lists": lists, "probes": probes})


def vectors_of(seed: int, count: int, dim: int = 6) -> np.ndarray:
    return default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def brute_force(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    distances = ((queries[:, None].astype(np.float64) - vectors) ** 2).sum(axis=2)
    return distances.argsort(axis=1)[:, :count]


@settings(max_examples=30)
@given(number=st.integers(1, 80), queries=st.integers(1, 20), seed=st.integers(0, 2**31))
def test_exact_search_is_the_search_written_out(number, queries, seed):
    vectors, asked = vectors_of(seed, number), vectors_of(seed + 1, queries)
    count = min(9, number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "QUERIES_AT_ONCE", 7)
        found = clusters.nearest(clusters.build_index(vectors, EXACT), asked, count)
    np.testing.assert_array_equal(found, brute_force(vectors, asked, count))


def test_an_inverted_file_read_whole_is_exact():
    vectors = vectors_of(0, 400)
    whole = clusters.nearest(clusters.build_index(vectors, ivf(8, 8)), vectors, 10)
    np.testing.assert_array_equal(whole, brute_force(vectors, vectors, 10))
    assert clusters.measured_recall(vectors, 5, ivf(8, 8), default_rng(0)) == 1


def test_recall_grows_with_the_cells_that_are_read():
    vectors = vectors_of(0, 250)
    found = [clusters.measured_recall(vectors, 5, ivf(8, probes), default_rng(0)) for probes in (1, 2, 4, 8)]
    assert found == sorted(set(found)) and 0.1 < found[0] < 0.9 and found[-1] == 1
    one = clusters.nearest(clusters.build_index(vectors, ivf(8, 1)), vectors, 10)
    exact = brute_force(vectors, vectors, 10)
    shares = [len({*row} & {*true}) / 10 for row, true in zip(one, exact, strict=True)]
    assert clusters.recall(one, exact) == pytest.approx(np.mean(shares))
    assert found[0] == pytest.approx(np.mean(shares))  # of all videos, as they are fewer than it would take
    assert clusters.measured_recall(vectors, 5, EXACT, default_rng(0)) == 1


@settings(max_examples=30)
@given(number=st.integers(12, 60), size=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_a_cluster_is_half_of_a_videos_neighbourhood(number, size, seed):
    vectors = vectors_of(seed, number)
    mined = clusters.mine(vectors, size, EXACT, default_rng(seed))
    assert len(mined) == number // size
    around = [set(row) for row in brute_force(vectors, vectors, 2 * size)]
    for cluster in mined:
        assert len(cluster) == len(set(cluster)) == size
        assert any(set(cluster) <= neighbours for neighbours in around)


def test_clusters_are_drawn():
    vectors = vectors_of(0, 60)
    mined = [clusters.mine(vectors, 5, EXACT, default_rng(seed)) for seed in (0, 0, 1)]
    assert mined[0] == mined[1] != mined[2]
    centres = default_rng(0).choice(60, 12, replace=False)  # a centre may be left out, as published
    assert 0 < sum(centre in cluster for centre, cluster in zip(centres, mined[0], strict=True)) < 12


@pytest.mark.parametrize("mining", [EXACT, ivf(4, 4)])
def test_planted_groups_are_found(mining):
    """Ten groups of twice a cluster's size, far from each other."""
    group = default_rng(0).permutation(np.repeat(np.arange(10), 8))
    vectors = 100 * vectors_of(1, 10)[group] + vectors_of(2, 80)
    mined = clusters.mine(vectors, 4, mining, default_rng(0))
    assert len(mined) == 20
    assert all(len(set(group[cluster])) == 1 for cluster in mined)
    assert clusters.relative_spread(vectors, mined) < 0.05
    drawn = clusters.random_clusters(80, 4, default_rng(0))
    assert clusters.relative_spread(vectors, drawn) == pytest.approx(1, abs=0.15)


def test_a_cell_with_too_few_videos_makes_a_small_cluster():
    """Two far groups, a cell each, one cell read: around the three videos there are never eight."""
    vectors = vectors_of(0, 40)
    vectors[:3] += 1000
    found = clusters.nearest(clusters.build_index(vectors, ivf(2, 1)), vectors[:1], 8)
    assert sorted(found[0, :3]) == [0, 1, 2] and found[0, 3:].tolist() == [-1] * 5
    mined = [cluster for seed in range(5) for cluster in clusters.mine(vectors, 4, ivf(2, 1), default_rng(seed))]
    assert len(mined) == 50 and {len(cluster) for cluster in mined} == {3, 4}
    for cluster in mined:
        assert len(set(cluster)) == len(cluster)
        assert set(cluster) == {0, 1, 2} if len(cluster) == 3 else min(cluster) >= 3


@given(count=st.integers(0, 200), size=st.integers(1, 20), seed=st.integers(0, 2**31))
def test_random_clusters_are_a_partition(count, size, seed):
    drawn = clusters.random_clusters(count, size, default_rng(seed))
    assert len(drawn) == count // size and all(len(cluster) == size for cluster in drawn)
    videos = [video for cluster in drawn for video in cluster]
    assert len(set(videos)) == len(videos) and set(videos) <= set(range(count))


def test_random_clusters_are_random():
    first, again, other = (clusters.random_clusters(60, 5, default_rng(seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert first != [list(range(start, start + 5)) for start in range(0, 60, 5)]


def test_a_videos_representation_is_the_mean_of_its_pairs_vectors(tmp_path, tokenizer, monkeypatch):
    monkeypatch.setattr(clusters, "VIDEOS_AT_ONCE", 10)  # three parts, the last of four
    narrated = packed_videos(tmp_path, tokenizer)
    model = tiny_videoclip(seconds=16, spread=0.2, dropout=0.1)  # in training: dropout must not take part
    pairs = Pairs(text_tokens=(4, 30), video_seconds=(3, 16), longest_text=20, per_video=3)
    alone = Group(0, 1, torch.device("cpu"))
    ours = clusters.represent(model, narrated, pairs, 7, 0, alone, torch.float32)
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
    assert not np.allclose(ours, clusters.represent(model, narrated, pairs, 8, 0, alone, torch.float32), atol=1e-3)
    rough = clusters.represent(model, narrated, pairs, 7, 0, alone, torch.bfloat16)
    assert not np.array_equal(rough, ours)
    assert np.linalg.norm(rough - ours) < 0.05 * np.linalg.norm(ours)


def test_what_cannot_be_mined():
    few, rng = default_rng(0).normal(size=(6, 4)).astype(np.float32), default_rng(0)
    assert clusters.mine(few, 8, EXACT, rng) == []
    with pytest.raises(ValueError, match=r"pretrain.mining.lists: 8 cells for 6 videos"):
        clusters.mine(few, 2, ivf(8, 1), rng)
    few[3, 1] = np.nan
    with pytest.raises(ValueError, match="representation of video 3 is not finite"):
        clusters.mine(few, 2, EXACT, rng)
