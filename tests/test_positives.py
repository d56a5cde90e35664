"""Positive pairs: distributed as the published sampler's (tests/golden), within the video, also of real captions."""

import json

import numpy as np
import pytest
from golden_weights import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st
from narrated_data import minilm_tokenizer, write_narrated
from scipy.stats import ks_2samp

from lib.core.settings import Pairs
from lib.data.narrated import caption_tracks, tracks_of_csv, without_repeats
from lib.data.packs import Track, open_packed, pack
from lib.pretraining.pairs import LONGEST_TEXT, Pair, overlapping_pair, spanning_pair

GOLDEN_TRACKS = {
    entry["track"]["name"]: entry for entry in json.loads((GOLDEN / "sampling_stats.json").read_text())["tracks"]
}
DRAWS = 20_000
LARGEST_KS = 0.0195  # of two samples of 20,000: 1.95 sqrt(2 / 20,000), alpha 0.001
LARGEST_DEVIATION = 4.5  # standard errors of the difference of two means
PAIRS = Pairs(text_tokens=(8, 64), video_seconds=(3, 32), longest_text=61, per_video=16)


def track_of(start, end, lengths) -> Track:
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    return Track(np.array(start, np.float32), np.array(end, np.float32), np.zeros(bounds[-1], np.int32), bounds)


def sample(golden: dict, pairs: Pairs) -> dict[str, np.ndarray]:
    """The quantities that the golden file has, of DRAWS pairs."""
    start, end, tokens = (np.array(golden[name]) for name in ("start", "end", "cap_tokens"))
    track, rng = track_of(start, end, tokens), np.random.default_rng(0)
    drawn = [overlapping_pair(track, golden["n_features"], pairs, rng) for _ in range(DRAWS)]
    first, last, opens, closes, centre = np.array(
        [(pair.first, pair.last, pair.start, pair.end, pair.centre) for pair in drawn]
    ).T
    text = track.bounds[last] - track.bounds[first]
    said, until = start[first], end[last - 1]
    overlap = np.maximum(0, np.minimum(closes, until) - np.maximum(opens, said))
    return {
        "text_tokens_before_cut": text,
        "text_tokens": np.minimum(text, pairs.longest_text),
        "n_captions": last - first,
        "first_caption": first,
        "text_span_s": until - said,
        "video_len_s": closes - opens,
        "video_start_s": opens,
        "overlap_over_video": overlap / (closes - opens),
        "overlap_over_union": overlap / (closes - opens + until - said - overlap),
        "any_overlap": (overlap > 0).astype(float),
        "center_s": centre,
        "clip_mid_s": (opens + closes) / 2,
        "center_in_clip": (centre - opens) / (closes - opens),
        "center_in_text": (centre - said) / (until - said),
    }


def distances(values: np.ndarray, golden: dict) -> tuple[float, float]:
    """Largest distance of the two distribution functions, and that of the means in standard errors."""
    if "counts" in golden:
        counts = dict(sorted((float(value), count) for value, count in golden["counts"].items()))
        grid, expected = np.array(list(counts)), np.cumsum(list(counts.values())) / sum(counts.values())
        assert values.max() <= grid[-1]  # or a part of our distribution would not be compared
    else:
        grid, expected = np.array(golden["cdf_grid"]), golden["cdf"]
    ours = np.searchsorted(np.sort(values), grid + 1e-9, side="right") / len(values)
    error = golden["std"] * np.sqrt(2 / len(values))
    return np.abs(ours - expected).max(), abs(values.mean() - golden["mean"]) / error


@pytest.mark.parametrize("name", GOLDEN_TRACKS)
def test_pairs_are_distributed_as_the_published_samplers(name):
    entry = GOLDEN_TRACKS[name]
    ours, stats = sample(entry["track"], PAIRS), entry["stats_20000"]
    assert ours.keys() == stats.keys() - {"drawn_video_len", "correlations"}
    for quantity, values in ours.items():
        ks, deviation = distances(values, stats[quantity])
        assert ks < LARGEST_KS, quantity
        assert deviation < LARGEST_DEVIATION, quantity
    for pair, expected in stats["correlations"].items():
        a, b = pair.split("~")
        away = np.abs(np.corrcoef(ours[a], ours[b])[0, 1] - expected)
        assert away <= LARGEST_DEVIATION * np.sqrt(2 / DRAWS), pair


THROUGH_PACKS = json.loads((GOLDEN / "sampling_through_packs.json").read_text())


def packed(folder, tracks: dict[str, dict], seconds: dict[str, int], deduplicate: bool = False):
    """Captions packed beside features of no content."""
    write_narrated(folder, {video: np.ones((length, 1), np.float16) for video, length in seconds.items()}, tracks)
    pack(folder, "random", "train", folder / "packed", minilm_tokenizer(), deduplicate)
    return open_packed(folder / "packed")


@pytest.mark.parametrize("name", THROUGH_PACKS)
def test_packing_leaves_the_published_distribution(name, tmp_path):
    """MMPT shortens captions to 32 word pieces and leaves their times alone, whatever the video's length."""
    golden = THROUGH_PACKS[name]
    captions = {"start": golden["start"], "end": golden["end"], "text": ["a " * words for words in golden["words"]]}
    track = packed(tmp_path, {name: captions}, {name: golden["seconds"]}).track(0)
    rng = np.random.default_rng(0)
    pairs = [overlapping_pair(track, golden["seconds"], PAIRS, rng) for _ in range(DRAWS)]
    ours = {quantity: np.array([getattr(pair, quantity) for pair in pairs]) for quantity in Pair.__annotations__}
    ours["tokens"] = np.minimum(track.bounds[ours["last"]] - track.bounds[ours["first"]], PAIRS.longest_text)
    for quantity, counts in golden["counts"].items():
        published = np.repeat(list(map(int, counts)), list(counts.values()))
        assert ks_2samp(ours[quantity], published).statistic < LARGEST_KS, quantity


@st.composite
def videos(draw):
    """Seconds of a video and captions as `lib.data.packs` leaves them: sorted, begun before the end, cut there."""
    seconds = draw(st.integers(1, 400))
    number = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    start = np.sort(rng.uniform(0, seconds, number)).astype(np.float32)
    start = np.minimum(start, np.nextafter(np.float32(seconds), np.float32(0)))
    end = np.minimum(start + rng.exponential(5, number) * draw(st.sampled_from([0, 1, 20])), seconds)
    return seconds, track_of(start, np.maximum(start, end), rng.integers(1, 30, number)), rng


LENGTHS = {"words": st.integers(1, 100), "length": st.integers(1, 40)}


def fixed(words: int, length: int) -> Pairs:
    """Settings that leave no choice of the lengths."""
    return Pairs(text_tokens=(words, words), video_seconds=(length, length), longest_text=61, per_video=1)


@settings(max_examples=200)
@given(video=videos(), **LENGTHS)
def test_a_clip_lies_in_the_video_and_is_as_long_as_drawn(video, words, length):
    seconds, track, rng = video
    pair = overlapping_pair(track, seconds, fixed(words, length), rng)
    assert 0 <= pair.start < pair.end <= seconds
    assert pair.end - pair.start == min(length, seconds)
    assert pair.start <= pair.centre <= pair.end
    opens, closes = np.floor(track.start[pair.first]), np.ceil(track.end[pair.last - 1])
    assert opens <= pair.centre <= closes and pair.centre < seconds


@settings(max_examples=200)
@given(video=videos(), draw=st.sampled_from([overlapping_pair, spanning_pair]), **LENGTHS)
def test_captions_are_a_run_no_longer_than_needed(video, draw, words, length):
    seconds, track, rng = video
    pair = draw(track, seconds, fixed(words, length), rng)
    assert 0 <= pair.first < pair.last <= len(track.lengths)
    chosen = track.lengths[pair.first : pair.last]
    whole = pair.last - pair.first == len(track.lengths)
    long = track.end[pair.last - 1] - track.start[pair.first] >= LONGEST_TEXT
    assert chosen.sum() >= words or whole or long
    assert len(chosen) == 1 or chosen.sum() - max(chosen[0], chosen[-1]) < words


@settings(max_examples=200)
@given(video=videos(), **LENGTHS)
def test_a_spanning_clip_is_its_captions_time(video, words, length):
    seconds, track, rng = video
    pair = spanning_pair(track, seconds, fixed(words, length), rng)
    assert pair.start == int(track.start[pair.first])
    until = int(np.ceil(track.end[pair.last - 1]))
    assert pair.end == max(pair.start + 1, min(until, pair.start + length))
    assert pair.end <= seconds
    assert pair.centre == (pair.start + pair.end) // 2


def test_a_spanning_clip_stays_in_a_video_that_is_shorter_than_its_captions():
    golden = GOLDEN_TRACKS["short_video_features_shorter_than_captions"]["track"]
    track, rng = track_of(golden["start"], golden["end"], golden["cap_tokens"]), np.random.default_rng(0)
    for seconds in (1, 2, 16, golden["n_features"]):
        for _ in range(100):
            pair = spanning_pair(track, seconds, PAIRS, rng)
            assert 0 <= pair.start < pair.end <= seconds


def test_captions_after_the_end_get_the_last_second():
    track, rng = track_of([0, 50], [5, 60], [9, 9]), np.random.default_rng(0)
    pairs = [spanning_pair(track, 20, fixed(1, 5), rng) for _ in range(50)]
    assert {(pair.start, pair.end) for pair in pairs if pair.first == 1} == {(19, 20)}


def test_pairs_of_real_captions(tmp_path, shared):
    """100 videos of HowTo100M: read, freed of repeats, packed, drawn from; each pair as for any captions."""
    tracks = tracks_of_csv(shared / "data" / "howto100m_captions" / "captions")
    whole = {video: {"start": s.tolist(), "end": e.tolist(), "text": said} for video, s, e, said in tracks}
    seconds = {video: int(end.max()) for video, _, end, _ in tracks}
    narrated, rng = packed(tmp_path, whole, seconds, deduplicate=True), np.random.default_rng(0)
    read = {track[0]: without_repeats(track) for track in caption_tracks(tmp_path / "raw_caption.json", set(whole))}
    assert len(narrated) == len(tracks) == 100
    for number, video in enumerate(narrated.videos):
        track, until = narrated.track(number), seconds[video]
        assert track.start.tolist() == read[video][1].tolist() and track.end.tolist() == read[video][2].tolist()
        for _ in range(PAIRS.per_video):
            pair = overlapping_pair(track, until, PAIRS, rng)
            assert 0 <= pair.start < pair.end <= until and pair.end - pair.start <= PAIRS.video_seconds[1]
            assert 0 <= pair.first < pair.last <= len(track.lengths)
            opens, closes = np.floor(track.start[pair.first]), np.ceil(track.end[pair.last - 1])
            assert min(opens, until - 1) <= pair.centre <= closes


def test_captions_do_not_grow_beyond_some_minutes():
    """A caption of a second every 50 s: six span 251 s, which is less than 256 as published, seven more."""
    start = np.arange(100) * 50
    track, rng = track_of(start, start + 1, np.ones(100, int)), np.random.default_rng(0)
    pairs = [overlapping_pair(track, 5000, fixed(64, 5), rng) for _ in range(200)]
    assert {pair.last - pair.first for pair in pairs} == {7}
