"""Windows over long videos: as the published code cuts and merges them (tests/golden), and whatever the sizes are."""

import numpy as np
import pytest
import torch
from golden_weights import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.videoclip.windows import cut_windows, merge_windows, window_starts

MERGED = cases("videoclip_merge.npz")
CASES = [("T20_W32_S16", 20, 32, 16), ("T32_W32_S8", 32, 32, 8), ("T75_W32_S16", 75, 32, 16), ("T75_W32_S8", 75, 32, 8)]


@pytest.mark.parametrize(("case", "length", "size", "stride"), CASES)
def test_windows_are_the_published_codes(case, length, size, stride):
    expected = MERGED[case]
    _, mask, starts = cut_windows(torch.zeros(length, 1), size, stride)
    np.testing.assert_array_equal(starts, expected["window_first_second"])
    np.testing.assert_array_equal(mask.sum(dim=1), expected["window_valid"])
    np.testing.assert_array_equal(mask, expected["targets"] >= 0)


@pytest.mark.parametrize(("case", "length", "size", "stride"), CASES)
def test_merged_logits_are_the_published_codes(case, length, size, stride):
    expected = MERGED[case]
    merged = merge_windows(torch.from_numpy(expected["window_logits"]), window_starts(length, size, stride), length)
    np.testing.assert_allclose(merged, expected["merged"], rtol=0, atol=1e-6)


SIZES = st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


@settings(max_examples=100)
@given(length=st.integers(1, 150), sizes=SIZES, seed=st.integers(0, 2**31))
def test_cutting_and_merging_gives_the_sequence_back(length, sizes, seed):
    sequence = torch.from_numpy(np.random.default_rng(seed).standard_normal((length, 3)))
    windows, mask, starts = cut_windows(sequence, *sizes)
    assert not windows[~mask].any()
    torch.testing.assert_close(merge_windows(windows + ~mask[..., None] * 1e6, starts, length), sequence)


@settings(max_examples=100)
@given(length=st.integers(1, 150), sizes=SIZES)
def test_windows_hold_every_second_and_end_with_the_video(length, sizes):
    size, stride = sizes
    starts = window_starts(length, size, stride)
    assert starts == list(range(0, stride * len(starts), stride))
    assert {second for start in starts for second in range(start, start + size)} >= set(range(length))
    assert all(start + size < length for start in starts[:-1]) and starts[-1] < length


@pytest.mark.parametrize(("starts", "second"), [([0, 6], 4), ([1, 4], 0), ([0, 2], 6)])
def test_a_second_in_no_window_is_named(starts, second):
    with pytest.raises(ValueError, match=f"second {second} of 9 is in no window"):
        merge_windows(torch.zeros(2, 4, 3), starts, 9)
