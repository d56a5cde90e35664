"""Hard negatives: clusters of videos that the model finds alike (thesis 2.4.2, equation 6; Xu et al., EMNLP 2021).

In each epoch, every video is represented by the mean of its clips' and captions' vectors. N / k videos are drawn at
random. For each, the 2k nearest are looked up (FAISS), and k of them make a cluster, whose pairs are each other's
negatives. So an epoch has N / k clusters, however many make one update; a video may be in several of them or in none.
"""

from collections.abc import Callable, Sequence

import faiss
import numpy as np
import torch

from lib.core.devices import Group, autocast
from lib.core.settings import Mining, Pairs
from lib.data.packs import Narrated
from lib.pretraining.pairs import ClusterBatches, spanning_pair
from lib.videoclip.model import VideoCLIP

# videos whose pairs go through the towers together
VIDEOS_AT_ONCE = 64
QUERIES_AT_ONCE = 4096


def represent(
    model: VideoCLIP, narrated: Narrated, pairs: Pairs, seed: int, epoch: int, group: Group, dtype: torch.dtype
) -> np.ndarray:
    """Compute z_V of equation 6 for every video, (N, H) float32; each process does its share, and all get the result.

    It is the mean over `pairs.per_video` pairs, whose clips span the time of the captions.
    """
    videos = range(len(narrated))
    chunks = [videos[first : first + VIDEOS_AT_ONCE] for first in videos[::VIDEOS_AT_ONCE]]
    batches = ClusterBatches(narrated, chunks, pairs, seed, epoch, spanning_pair)
    vectors = torch.zeros(len(narrated), model.text.config.hidden_size, device=group.device)
    model.eval()
    with torch.inference_mode(), autocast(group.device, dtype):
        for number in range(group.rank, len(chunks), group.size):
            video, text = batches[number].to(group.device).encode(model)
            both = (video.float() + text.float()).view(len(chunks[number]), pairs.per_video, -1)
            vectors[chunks[number].start : chunks[number].stop] = both.mean(dim=1) / 2
    group.all_reduce([vectors])
    return vectors.cpu().numpy()


def mine(vectors: np.ndarray, size: int, mining: Mining, rng: np.random.Generator) -> list[list[int]]:
    """Mine the clusters of an epoch from the videos' vectors, (N, H): N // k clusters of k videos.

    The centres are drawn, and k of the 2k nearest of each (perhaps without the centre, as published). A cluster is
    smaller where an inverted file finds fewer.

    Raises ValueError: a vector that is not finite, or more cells than videos.
    """
    if not np.isfinite(vectors).all():
        raise ValueError(f"representation of video {int((~np.isfinite(vectors).all(axis=1)).argmax())} is not finite")
    # N // k centres, and the 2k videos nearest to each
    centres = rng.choice(len(vectors), len(vectors) // size, replace=False)
    found = nearest(build_index(vectors, mining), vectors[centres], min(2 * size, len(vectors)))
    # k of these make the cluster, so that it differs between epochs
    clusters = []
    for row in found:
        there = row[row >= 0]
        clusters.append(rng.choice(there, min(size, len(there)), replace=False).tolist())
    return clusters


def random_clusters(count: int, size: int, rng: np.random.Generator) -> list[list[int]]:
    """Draw the control: count // size clusters of random videos, each video at most once."""
    return rng.permutation(count)[: count // size * size].reshape(-1, size).tolist()


def of_epoch(
    vectors_of: Callable[[], np.ndarray], count: int, size: int, mining: Mining, first: list, rng: np.random.Generator
) -> list[list[int]]:
    """Make the clusters of an epoch, by `mining.negatives`.

    Fresh ones are mined in each epoch, random ones drawn. Stale ones are those of the first epoch in another order, as
    in fairseq since December 2022, where loading processes keep what they started with. The thesis's runs were probably
    like that.

    Args:
        vectors_of: returns those of all `count` videos, (N, H).
        first: clusters of the first epoch, unless this is it.
    """
    if mining.negatives == "random":
        return random_clusters(count, size, rng)
    if mining.negatives == "stale" and first:
        return [first[number] for number in rng.permutation(len(first))]
    return mine(vectors_of(), size, mining, rng)


def held_out(vectors: np.ndarray, size: int, mining: Mining) -> dict[str, list[list[int]]]:
    """Make clusters to validate on: random ones, the same each time, and those that the present model finds hard."""
    return {
        "random_loss": random_clusters(len(vectors), size, np.random.default_rng(0)),
        "hard_loss": mine(vectors, size, mining, np.random.default_rng(0)),
    }


def build_index(vectors: np.ndarray, mining: Mining) -> faiss.Index:
    """Build an index by Euclidean distance: exact, or an inverted file of `lists` cells, `probes` of which are read.

    The published code has an inverted file of 512 cells and reads one, whatever the number of videos.

    Raises ValueError: more cells than videos.
    """
    vectors = np.ascontiguousarray(vectors, np.float32)
    index = faiss.IndexFlatL2(vectors.shape[1])
    if mining.index == "ivf":
        if mining.lists > len(vectors):
            raise ValueError(f"pretrain.mining.lists: {mining.lists} cells for {len(vectors)} videos; take fewer")
        index = faiss.IndexIVFFlat(index, vectors.shape[1], mining.lists, faiss.METRIC_L2)
        index.nprobe = mining.probes
        index.train(vectors)
    index.add(vectors)
    return index


def nearest(index: faiss.Index, queries: np.ndarray, count: int) -> np.ndarray:
    """Find the `count` nearest vectors of each query: numbers (Q, count), nearest first; -1 if there are fewer.

    Exact search is O(Q N H); an inverted file reads probes / lists of it.
    """
    found = np.empty((len(queries), count), np.int64)
    for first in range(0, len(queries), QUERIES_AT_ONCE):
        found[first : first + QUERIES_AT_ONCE] = index.search(queries[first : first + QUERIES_AT_ONCE], count)[1]
    return found


def recall(found: np.ndarray, exact: np.ndarray) -> float:
    """Share of the exact nearest neighbours that were found.

    >>> recall(np.array([[0, 5, -1]]), np.array([[0, 1, 5]]))
    0.6666666666666666
    """
    return float(np.mean([np.isin(true, row).mean() for row, true in zip(found, exact, strict=True)]))


def measured_recall(vectors: np.ndarray, size: int, mining: Mining, rng: np.random.Generator) -> float:
    """Measure the recall of an index against the exact one, on up to 256 videos; 1 for the exact one itself."""
    if mining.index == "exact":
        return 1.0
    chosen = vectors[rng.choice(len(vectors), min(256, len(vectors)), replace=False)]
    count = min(2 * size, len(vectors))
    exact = build_index(vectors, mining.model_copy(update={"index": "exact"}))
    return recall(nearest(build_index(vectors, mining), chosen, count), nearest(exact, chosen, count))


def relative_spread(vectors: np.ndarray, clusters: Sequence[Sequence[int]]) -> float:
    """Spread of the videos within a cluster, relative to that of all videos; 1 for random clusters."""
    within = [np.sqrt(vectors[list(cluster)].var(axis=0, ddof=1).sum()) for cluster in clusters]
    return float(np.mean(within) / np.sqrt(vectors.var(axis=0, ddof=1).sum()))
