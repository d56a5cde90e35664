"""Dropout of packed rows: rate, scale, gradient and draw, and that both towers of VideoCLIP use it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from narrated_data import tiny_videoclip
from torch import nn

from lib.videoclip.packed_rows import Dropout, attend, drop_elements, pack_rows, use_quick_dropout


@given(st.floats(0.02, 0.95), st.sampled_from([torch.float32, torch.bfloat16]))
def test_the_rate_and_the_mean_are_kept(rate, dtype):
    torch.manual_seed(0)
    dropped = drop_elements(torch.ones(400, 501, dtype=dtype), rate).float()
    count = dropped.numel()
    assert abs((dropped == 0).sum().item() / count - rate) < 5 * (rate * (1 - rate) / count) ** 0.5 + 2**-16
    kept = dropped[dropped != 0]
    assert torch.allclose(kept, torch.tensor(1 / (1 - rate)), rtol=1e-3 if dtype == torch.float32 else 1e-2)


def test_elements_are_dropped_apart_from_each_other():
    torch.manual_seed(0)
    zero = drop_elements(torch.ones(1 << 20), 0.5) == 0
    for lag in (1, 2, 3, 4, 8):  # four elements share a draw
        both = (zero[lag:] & zero[:-lag]).float().mean().item()
        assert both == pytest.approx(0.25, abs=0.003)


def test_the_gradient_passes_where_the_value_did():
    torch.manual_seed(0)
    x = torch.randn(7, 5, requires_grad=True)
    y = drop_elements(x, 0.3)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.allclose(gradient, (y / x).detach())
    assert (gradient == 0).any()


def test_it_follows_torchs_seed_and_leaves_evaluation_alone():
    x, module = torch.randn(3, 4, 5), Dropout(0.4)
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        drawn.append(module(x))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert module.eval()(x) is x
    assert drop_elements(x, 0) is x


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan")])
def test_a_rate_that_is_none(rate):
    with pytest.raises(ValueError, match="is not in"):
        drop_elements(torch.ones(2), rate)


def test_the_towers_of_videoclip_use_it():
    kinds = {type(part) for part in tiny_videoclip(dropout=0.1).modules()}
    assert Dropout in kinds
    assert nn.Dropout not in kinds
    half = nn.Sequential(nn.Dropout(0.2), nn.ReLU())
    use_quick_dropout(half)
    assert isinstance(half[0], Dropout)
    assert half[0].p == 0.2


def test_attention_drops_shares_of_the_rows():
    """Every value is 1, so that a row gives the sum of the shares kept, scaled: 1 on average, not everywhere."""
    torch.manual_seed(0)
    packed = pack_rows([np.zeros(length) for length in [20] * 15 + [16] * 20 + [10] * 20], np.float32)
    assert [longest for _, longest in packed.buckets] == [20, 10]  # so 16 is padded
    query, key = torch.randn(2, 1, 4, len(packed.values), 8).unbind()
    value = torch.ones_like(query)
    seen, _ = attend(nn.Identity(), query, key, value, None, packed, 0.1)
    assert seen.mean().item() == pytest.approx(1, abs=0.01)
    assert seen.std().item() > 0.01
    plain, _ = attend(nn.Identity(), query, key, value, None, packed)
    torch.testing.assert_close(plain, torch.ones(1, len(packed.values), 4, 8))
