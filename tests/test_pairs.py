"""4.4: pairs of video and sensors, pre-training on them, and what is said about it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from lib.beyond.pairs import answer
from lib.beyond.pairs.experiment import Side, design_of, pretrain_seed, solved, statistics, trained, uses, variants
from lib.beyond.pairs.pretraining import Corpus, Pretraining, Variant, cut, draw_clips, pretrain, untrained
from lib.beyond.pairs.towers import Tower, clip_vectors, passages
from lib.core.params import ParameterError
from lib.data.profile import open_profile
from lib.pretraining.pairs import overlapping_pair

DESIGN = design_of(open_profile("params/50salads_sensors.yaml"))
RNG = np.random.default_rng(0)


def small(**changes):
    """A design of seconds."""
    experiment = DESIGN.experiment.model_copy(update={"clusters_per_update": (1, 2), "epochs": 4, "seeds": (0, 1)})
    pretrain = DESIGN.pretrain.model_copy(update={"videos_per_cluster": 4})
    return replace(DESIGN, experiment=experiment, pretrain=pretrain, width=16, **changes)


def videos(count=6, seconds=(70, 90), seed=0):
    """Videos whose two modalities show the same hidden states, each in its own channels."""
    rng, sides = np.random.default_rng(seed), np.random.default_rng(1).normal(size=(2, 12, 8))
    found = []
    for _ in range(count):
        length = int(rng.integers(*seconds))
        states = np.eye(8)[np.repeat(rng.integers(8, size=length // 5 + 1), 5)[:length]].T
        found.append([torch.tensor(3 * side @ states)[None].float() for side in sides])
    return tuple(list(side) for side in zip(*found, strict=True))


def test_passages_hold_what_the_video_has():
    video = torch.randn(1, 3, 40)
    found = passages([video], seconds=16, margin=7)
    assert found.shape == (2, 3, 30)
    assert torch.equal(found[1], torch.nn.functional.pad(video, (7, 7), mode="replicate")[0, :, 16:46])


def test_states_of_a_passage_are_those_of_the_video():
    tower = Tower(3, 8, 3, 0.3, 0.1).eval()
    video = torch.randn(1, 3, 50)
    in_passages = tower(passages([video], 16, 7))
    whole = tower.states(video)
    assert torch.allclose(torch.cat([*in_passages], dim=1), whole[0, :, :48], atol=1e-5)


def test_clip_vectors_are_means():
    states = torch.randn(3, 5, 16)
    spans = torch.tensor([[[0, 16], [3, 4]], [[2, 9], [0, 1]], [[15, 16], [4, 8]]])
    expected = [states[i, :, a:b].mean(dim=1) for i in range(3) for a, b in spans[i].tolist()]
    assert torch.allclose(clip_vectors(states, spans), torch.stack(expected), atol=1e-5)


def test_clips_overlap_and_lie_in_the_passage():
    clips, runs = draw_clips(200, DESIGN, overlapping_pair, np.random.default_rng(0))
    low, high = DESIGN.pretrain.pairs.video_seconds
    for spans in (clips, runs):
        lengths = spans[..., 1] - spans[..., 0]
        assert spans.min() >= 0 and spans.max() <= DESIGN.passage
        assert low <= lengths.min() and lengths.max() <= high
    # the drawn second may be the one after the run
    assert (torch.minimum(clips[..., 1], runs[..., 1] + 1) > torch.maximum(clips[..., 0], runs[..., 0] - 1)).all()


def test_shuffled_pairs_are_of_other_videos():
    corpus = cut(*videos(), 16, 7)
    marked = Corpus(corpus.video, torch.tensor(corpus.owner)[:, None, None].float(), corpus.owner)
    for seed in range(5):
        owners = marked.shuffled(np.random.default_rng(seed)).sensors.flatten().numpy()
        assert (owners != corpus.owner).all()
        assert sorted(owners) == sorted(corpus.owner)


@pytest.mark.parametrize(("partner", "learns"), [("sensors", True), ("shuffled", False), ("video", True)])
def test_only_true_pairs_are_learned(tmp_path, partner, learns):
    design = small()
    corpus, others = cut(*videos(12), 16, 7), cut(*videos(12, seed=9), 16, 7)
    shown = corpus.shuffled(np.random.default_rng(0)) if partner == "shuffled" else corpus
    model = Pretraining(shown, Variant(partner, 1, "random"), design, seed=0)
    before = model.held_out_losses(others)["random_loss"]
    history = pretrain(model, tmp_path, lambda one: one.held_out_losses(others))
    after = history["random_loss"].iloc[-1]
    chance = 2 * np.log(design.pretrain.videos_per_cluster * design.pretrain.pairs.per_video)
    assert (after < 0.8 * min(before, chance)) == learns
    if partner == "shuffled":
        assert after > 0.95 * chance


def test_equal_updates_and_pairs(tmp_path):
    corpus, design = cut(*videos(12), 16, 7), small()
    histories = []
    for clusters in (1, 2):
        model = Pretraining(corpus, Variant("sensors", clusters, "fresh"), design, seed=0)
        history = pretrain(model, tmp_path / str(clusters), lambda _: {name: 0.0 for name in answer.LOSSES})
        histories.append(history.assign(partner="sensors", clusters=clusters, negatives="fresh", split=1, seed=0))
    table = answer.measured(pd.concat(histories))
    assert table.groupby("clusters")["pairs"].max().nunique() == 1
    assert set(table.query("clusters == 2")["update"]) <= set(table.query("clusters == 1")["update"])


def test_stale_clusters_are_those_of_the_first_epoch():
    corpus, design = cut(*videos(12), 16, 7), small()
    for kind, same in (("stale", True), ("fresh", False)):
        model = Pretraining(corpus, Variant("sensors", 1, kind), design, seed=0)
        first, second = (sorted(map(sorted, model.clusters_of(epoch))) for epoch in (1, 2))
        assert (first == second) == same


def test_numbers_that_never_meet_are_refused():
    experiment = DESIGN.experiment.model_copy(update={"clusters_per_update": (1, 3), "epochs": 4})
    with pytest.raises(ParameterError, match="must be whole"):
        replace(DESIGN, experiment=experiment).clusters_per_epoch(1000)
    with pytest.raises(ParameterError, match="fewer than"):
        DESIGN.clusters_per_epoch(100)


class FakeFrames:
    """Frames without files."""

    def __init__(self, names, features, labels):
        self._features, self._labels = dict(zip(names, features)), dict(zip(names, labels))
        self.dataset = type("Classes", (), {"classes": tuple("abcdefgh")})

    def features(self, video):
        return self._features[video]

    def target(self, video):
        return self._labels[video]
