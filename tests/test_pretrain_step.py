"""A pre-training step on packed pairs against a plain one that pads everything (tests/reference_videoclip.py)."""

import copy
import json

import numpy as np
import pytest
import torch
from narrated_data import packed_videos, tiny_videoclip
from reference_videoclip import cluster_loss, draw_pairs, make_plain, pad_texts, update

from lib.core.settings import Pairs
from lib.pretraining.pairs import ClusterBatches
from lib.videoclip.model import contrastive_loss

PAIRS = Pairs(text_tokens=(8, 64), video_seconds=(3, 32), longest_text=50, per_video=8)
LONGEST = PAIRS.longest_text
CLUSTERS = [[0, 7, 3, 21, 12, 5], [4, 19, 2, 20, 11, 5]]
SEED, EPOCH = 3, 2


@pytest.fixture(scope="module")
def data(tmp_path_factory, tokenizer):
    """Packed batches, and the same pairs as the reference takes them."""
    folder = tmp_path_factory.mktemp("narrated")
    narrated = packed_videos(folder, tokenizer)
    tracks = json.loads((folder / "narrated" / "raw_caption.json").read_text())
    texts = {video: track["text"] for video, track in tracks.items()}
    batches = ClusterBatches(narrated, CLUSTERS, PAIRS, SEED, EPOCH)
    drawn = [
        draw_pairs(narrated, texts, cluster, PAIRS, np.random.default_rng([SEED, EPOCH, number]))
        for number, cluster in enumerate(CLUSTERS)
    ]
    return [batches[number] for number in range(len(CLUSTERS))], drawn


@pytest.fixture(scope="module")
def models():
    """Two with the same weights; the second computes attention step by step."""
    ours = tiny_videoclip(layers=3, spread=0.15)
    plain = copy.deepcopy(ours)
    make_plain(plain)
    return ours, plain


def test_the_pairs_are_the_same_and_of_many_lengths(data, tokenizer):
    batches, drawn = data
    for batch, pairs in zip(batches, drawn, strict=True):
        assert len(batch.captions.buckets) > 1 and len(batch.clips.buckets) > 1  # else there is no order
        ids, mask = pad_texts([text for _, text in pairs], tokenizer, LONGEST)
        for number, (own, seen) in enumerate(zip(ids, mask.bool(), strict=True)):
            assert batch.captions.values[batch.captions.rows == number].tolist() == own[seen].tolist()
        assert ids.shape[1] == 63 and mask.sum(dim=1).max() == LONGEST + 2 and mask.sum(dim=1).min() < 20


def test_losses_and_gradients_are_the_plain_ones(data, models, tokenizer):
    ours, plain = models
    for batch, pairs in zip(*data, strict=True):
        loss, other = contrastive_loss(*batch.encode(ours)), cluster_loss(plain, tokenizer, pairs, LONGEST)
        for model, value in ((ours, loss), (plain, other)):
            model.zero_grad()
            value.backward()
        torch.testing.assert_close(loss, other, rtol=1e-5, atol=0)
        others, learnt = dict(plain.named_parameters()), 0
        for name, parameter in ours.named_parameters():
            torch.testing.assert_close(parameter.grad, others[name].grad, rtol=1e-5, atol=1e-5, msg=name)
            learnt += parameter.grad.abs().max() > 1e-3
        assert learnt > 0.8 * len(others)  # or equal gradients would say little


def test_an_update_is_the_plain_one(data, models, tokenizer):
    """Of two clusters, with a norm that is cut. By gradient descent: Adam's first step is the gradient's sign."""
    ours, plain = (copy.deepcopy(model) for model in models)
    batches, drawn = data
    own, other = (torch.optim.SGD(model.parameters(), lr=1.0) for model in (ours, plain))
    own.zero_grad()
    losses = [contrastive_loss(*batch.encode(ours)) / len(batches) for batch in batches]
    for loss in losses:
        loss.backward()
    assert torch.nn.utils.clip_grad_norm_(ours.parameters(), 1.0) > 1.0
    own.step()
    loss = update(plain, tokenizer, other, drawn, 1.0, LONGEST)
    assert loss == pytest.approx(torch.stack(losses).sum().item(), rel=1e-5)
    others, start = plain.state_dict(), models[0].state_dict()
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, others[name], rtol=1e-5, atol=1e-5, msg=name)
    assert any((value - start[name]).abs().max() > 1e-2 for name, value in others.items())
