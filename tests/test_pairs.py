"""4.4: pairs of video and sensors, pre-training on them, and what is said about it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from lib.beyond.pairs import answer
from lib.beyond.pairs.experiment import STARTS, design_of, open_side, solved, uses, variants
from lib.beyond.pairs.pretraining import (
    PairPretraining,
    PairVariant,
    Passages,
    cut,
    draw_clips,
    drawn_once,
    pretrain,
    untrained,
)
from lib.beyond.pairs.towers import Tower, clip_vectors, passages
from lib.beyond.pairs.transfer import Use, train_video, video_scores
from lib.core.params import ParameterError
from lib.core.paths import first_folder
from lib.data.dataset import person
from lib.data.profile import open_profile
from lib.pretraining.pairs import overlapping_pair, spanning_pair

DESIGN = design_of(open_profile("params/50salads_sensors.yaml"))


def small(**changes):
    """A design of seconds."""
    experiment = DESIGN.sensor_pairs.model_copy(update={"clusters_per_update": (1, 2), "epochs": 8, "seeds": (0, 1)})
    pretrain = DESIGN.pretrain.model_copy(update={"videos_per_cluster": 4})
    return replace(DESIGN, sensor_pairs=experiment, pretrain=pretrain, width=16, **changes)


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
    clips, runs = draw_clips(DESIGN, (0,), 200, overlapping_pair, 4)
    low, high = DESIGN.pretrain.pairs.video_seconds
    for spans in (clips, runs):
        lengths = spans[..., 1] - spans[..., 0]
        assert spans.min() >= 0 and spans.max() <= DESIGN.passage
        assert low <= lengths.min() and lengths.max() <= high
    # the drawn second may be the one after the run
    assert (torch.minimum(clips[..., 1], runs[..., 1] + 1) > torch.maximum(clips[..., 0], runs[..., 0] - 1)).all()


def test_shuffled_pairs_are_of_other_videos():
    corpus = cut(*videos(), 16, 7)
    marked = Passages(corpus.video, torch.tensor(corpus.owner)[:, None, None].float(), corpus.owner)
    for seed in range(5):
        owners = marked.shuffled(np.random.default_rng(seed)).sensors.flatten().numpy()
        assert (owners != corpus.owner).all()
        assert sorted(owners) == sorted(corpus.owner)
    lopsided = Passages(marked.video[:3], marked.sensors[:3], np.array([0, 0, 1]))
    with pytest.raises(ValueError, match="2 of 3 passages are of one video"):
        lopsided.shuffled(np.random.default_rng(0))


@pytest.mark.parametrize(("partner", "learns"), [("sensors", True), ("shuffled", False), ("video", True)])
def test_only_true_pairs_are_learned(tmp_path, partner, learns):
    design = small()
    corpus, others = cut(*videos(12), 16, 7), cut(*videos(12, seed=9), 16, 7)
    shown = corpus.shuffled(np.random.default_rng(0)) if partner == "shuffled" else corpus
    model = PairPretraining(shown, PairVariant(partner, 1, "random"), design, 0, drawn_once(design))
    before = model.held_out_losses(others)["random_loss"]
    history = pretrain(model, tmp_path, lambda one: one.held_out_losses(others))
    after = history["random_loss"].iloc[-1]
    chance = 2 * np.log(design.pretrain.videos_per_cluster * design.pretrain.pairs.per_video)
    assert (after < 0.9 * min(before, chance)) == learns
    if partner == "shuffled":
        assert after > 0.98 * chance


def test_equal_updates_and_pairs(tmp_path):
    corpus, design = cut(*videos(12), 16, 7), small()
    histories = []
    for clusters in (1, 2):
        model = PairPretraining(corpus, PairVariant("sensors", clusters, "fresh"), design, 0, drawn_once(design))
        history = pretrain(model, tmp_path / str(clusters), lambda _: {name: 0.0 for name in answer.LOSSES})
        histories.append(history.assign(partner="sensors", clusters=clusters, negatives="fresh", split=1, seed=0))
    table = answer.measured(pd.concat(histories))
    assert table.groupby("clusters")["pairs"].max().nunique() == 1
    assert set(table.query("clusters == 2")["update"]) <= set(table.query("clusters == 1")["update"])


def test_a_passage_is_represented_by_the_mean_of_its_clips():
    """Equation 6, computed clip by clip."""
    corpus, design = cut(*videos(12), 16, 7), small()
    each = design.pretrain.mining.per_video
    model = PairPretraining(corpus, PairVariant("sensors", 1, "fresh"), design, 0, drawn_once(design))
    vectors = model.represent(corpus, (3, 1))
    clips, runs = draw_clips(design, (3, 1), len(corpus), spanning_pair, each)
    with torch.no_grad():
        states = model.video(corpus.video), model.sensors(corpus.sensors)
    for passage, vector in enumerate(vectors):
        means = [
            one[passage, :, start:end].mean(dim=1)
            for one, spans in zip(states, (clips, runs), strict=True)
            for start, end in spans[passage].tolist()
        ]
        assert len(means) == 2 * each
        assert np.allclose(vector, torch.stack(means).mean(dim=0), atol=1e-5)


def test_stale_clusters_are_those_of_the_first_epoch():
    corpus, design = cut(*videos(12), 16, 7), small()
    for kind, same in (("stale", True), ("fresh", False)):
        model = PairPretraining(corpus, PairVariant("sensors", 1, kind), design, 0, drawn_once(design))
        first, second = (sorted(map(sorted, model.clusters_of(epoch))) for epoch in (1, 2))
        assert (first == second) == same


def test_numbers_that_never_meet_are_refused():
    experiment = DESIGN.sensor_pairs.model_copy(update={"clusters_per_update": (1, 3), "epochs": 4})
    with pytest.raises(ParameterError, match="must be whole"):
        replace(DESIGN, sensor_pairs=experiment).clusters_per_epoch(1000)
    with pytest.raises(ParameterError, match="fewer than"):
        DESIGN.clusters_per_epoch(100)


def people_scores(gain: float, shuffled: float, spread=2.0):
    """Scores of 5 splits of 5 people with two videos each, 5 seeds; a start adds what is said."""
    rng, rows = np.random.default_rng(0), []
    starts = {"untrained": 0, "pairs": gain, "shuffled": shuffled, "random negatives": 0}
    for split, number in product(range(1, 6), range(10)):
        video, level = f"rgb-{split}{number // 2}-{number % 2}", rng.normal(60, 8)
        for seed, start, head in product(range(5), starts, ("asformer", "linear")):
            value = level + starts[start] + rng.normal(0, spread)
            rows.append((split, seed, start, head, False, 40, "states", video, value, value, value))
    columns = ["split", "seed", "start", "head", "frozen", "labelled", "inputs", "video", "accuracy", "edit", "f1@50"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("gain", "shuffled", "verdict"), [(3, 0, "supported"), (-3, 0, "contradicted"), (3, 3, "inconclusive")]
)
def test_verdict(gain, shuffled, verdict):
    found = answer.effects(people_scores(gain, shuffled), labelled=40)
    row = found.loc[(answer.DECIDES, answer.SCRATCH)]
    assert row["accuracy low"] < gain < row["accuracy high"]
    assert abs(row["accuracy"] - gain) < 3 * row["accuracy detectable"]
    assert answer.judged(found, "accuracy") == verdict
    assert answer.verdict_sentence(found, "made up").count(verdict) == 2


def test_resampled_means_cover_people_and_seeds():
    """The variance of a crossed design: that of the people's means and that of the seeds' means, added."""
    rng = np.random.default_rng(0)
    people, seeds = rng.normal(0, 3, (25, 1)), rng.normal(0, 2, (1, 5))
    index = pd.MultiIndex.from_product([[1], range(25)], names=["split", "person"])
    means = answer.resampled_means(pd.DataFrame(people + seeds, index), 20_000)
    expected = people.var() / 25 + seeds.var() / 5
    assert means.var() == pytest.approx(expected, rel=0.05)
    # and with one seed alone, of the people
    alone = answer.resampled_means(pd.DataFrame(people, index), 20_000)
    assert alone.var() == pytest.approx(people.var() / 25, rel=0.05)


def test_detectable_difference_is_found_four_times_in_five():
    found = answer.effects(people_scores(0, 0), labelled=40).loc[(answer.DECIDES, answer.SCRATCH)]
    error = (found["accuracy high"] - found["accuracy low"]) / 2 / 1.96
    assert found["accuracy detectable"] / error == pytest.approx(stats.norm.ppf(0.975) + stats.norm.ppf(0.8), rel=0.1)


def test_starts_and_variants_are_named_once():
    kinds = [(one.partner, one.clusters, one.negatives) for one in variants(DESIGN)]
    assert len(kinds) == len(set(kinds))
    for start, how in STARTS.items():
        assert how is None or (how[0], DESIGN.first, how[1]) in kinds, start
    deciding = {(start, use) for start in STARTS for use in uses(start, DESIGN, number=0)}
    assert {(start, Use("asformer", False, 40)) for start in STARTS} <= deciding


@pytest.fixture(scope="module")
def real():
    profile = open_profile("params/50salads_sensors.yaml")
    if first_folder(profile.params.data.roots) is None:
        pytest.skip("no data set 50salads_sensors on this machine")
    return open_side(profile, 1)


def test_sides_of_a_real_split(real):
    assert not {person(video) for video in real.train} & {person(video) for video in real.test}
    for of in (real.frames.features, real.sensors.__getitem__):
        rows = torch.cat([of(video)[0] for video in real.train], dim=1)
        assert rows.mean(dim=1).abs().max() < 1e-3
        assert torch.isin(rows.std(dim=1).round(decimals=2), torch.tensor([0.0, 1.0])).all()
    for video in real.test:
        assert real.frames.features(video).shape[2] == real.sensors[video].shape[2] == len(real.frames.target(video))


def test_heads_on_real_videos(real, tmp_path):
    """A solved head beats the largest class by far; training changes a tower that learns and no frozen one."""
    design = small(linear_epochs=1)
    tower = untrained(real.corpus(real.train, design), design, seed=0)[0]
    rows = [labels for _, labels in solved(real, tower, replace(design, labelled=(40,)), 0)]
    accuracy = [video_scores(labels, real.frames, ["background"])["accuracy"].mean() for labels in rows]
    truth = np.bincount(torch.cat([real.frames.target(video) for video in real.test]))
    assert min(accuracy) > 2 * 100 * truth.max() / truth.sum()
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    for frozen in (True, False):
        folder = tmp_path / str(frozen)
        model = train_video(tower, Use("linear", frozen, 5), real.frames, real.train, 0, design, folder)
        same = all(torch.equal(value, before[name]) for name, value in model.tower.state_dict().items())
        assert same == frozen
    assert all(torch.equal(value, before[name]) for name, value in tower.state_dict().items())
