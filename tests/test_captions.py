"""Captions without the repeats of YouTube's rolling captions (lib/data/narrated.py), made up and real."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.paths import ROOT
from lib.data.narrated import without_repeats

REAL = ROOT.parent / "shared/data/howto100m_captions/captions"


def shortened(*captions, video="a"):
    """(start, end, text) of what is left of such captions."""
    start, end, texts = ([caption[place] for caption in captions] for place in range(3))
    track = video, np.array(start, np.float32), np.array(end, np.float32), texts
    name, start, end, texts = without_repeats(track)
    assert (name, start.dtype, end.dtype) == (video, np.float32, np.float32)
    return list(zip(start.tolist(), end.tolist(), texts, strict=True))


def both_sides(*captions):
    """What is left with either side of the coin, sorted."""
    return sorted({tuple(shortened(*captions, video=str(video))) for video in range(20)})


def test_what_needs_no_coin():
    assert shortened() == []
    assert shortened((0, 1, " "), (1, 2, "")) == []
    assert shortened((0, 2, "peel it"), (2, 4, "now chop")) == [(0, 2, "peel it"), (2, 4, "now chop")]
    assert shortened((0, 2, "now peel it"), (1, 5, "peel it")) == [(0, 5, "now peel it")]
    assert shortened((0, 4, "peel"), (1, 3, "peel it")) == [(0, 4, "peel it")]
    assert shortened((5, 6, "peel it"), (1, 3, "peel")) == [(1, 6, "peel it")]  # in the order of time


def test_an_overlap_stays_on_one_side():
    assert both_sides((0, 4, "peel the egg"), (2, 6, "egg and chop")) == [
        ((0, 2, "peel the"), (2, 6, "egg and chop")),
        ((0, 4, "peel the egg"), (4, 6, "and chop")),
    ]
    # a gap closes where the overlap stays with the previous caption
    assert both_sides((0, 1, "peel egg"), (3, 4, "egg chop")) == [
        ((0, 1, "peel"), (3, 4, "egg chop")),
        ((0, 3, "peel egg"), (3, 4, "chop")),
    ]
    # the shortest one counts, a single letter even
    assert ((0, 1, "roa"), (1, 2, "sts as")) not in both_sides((0, 1, "roasts"), (1, 2, "sts as"))
    assert both_sides((0, 1, "roasts"), (1, 2, "sts as")) == [
        ((0, 1, "roast"), (1, 2, "sts as")),
        ((0, 1, "roasts"), (1, 2, "ts as")),
    ]


def test_rolling_captions_are_read_once():
    spoken = ["we", "take", "6", "onions", "8", "figs", "2", "plums", "5", "nuts", "1", "kiwi"]
    lines = [(i, i + 4, " ".join(spoken[i : i + 4])) for i in range(0, len(spoken) - 3, 2)]
    left = [text for *_, text in shortened(*lines)]
    assert " ".join(left).replace(" ", "").count("onions") == 1
    assert sum(len(text.split()) for *_, text in lines) > 1.5 * len(spoken)
    assert len(" ".join(left).split()) <= len(spoken) + 1


CAPTION = st.tuples(st.integers(0, 9), st.integers(0, 9), st.text("ab ", max_size=5))


@given(st.lists(CAPTION, max_size=12), st.text("xyz", min_size=1))
def test_any_captions(captions, video):
    captions = [(start, start + length, text) for start, length, text in captions]
    left = shortened(*captions, video=video)
    assert left == shortened(*captions, video=video)
    assert all(start <= end and text == text.strip() and text for start, end, text in left)
    assert sum(len(text) for *_, text in left) <= sum(len(text) for *_, text in captions)


@pytest.mark.skipif(not REAL.exists(), reason=f"no {REAL}")
def test_real_captions_say_most_words_twice():
    before = after = count = 0
    for file in sorted(REAL.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            captions = [(float(row["start"]), float(row["end"]), row["text"]) for row in csv.DictReader(lines)]
        captions = [(start, max(start, end), text) for start, end, text in captions]
        left = shortened(*captions, video=file.stem)
        before += sum(len(text.split()) for *_, text in captions)
        after += sum(len(text.split()) for *_, text in left)
        count += len(captions)
    assert count == 11_173
    assert after / before == pytest.approx(0.65, abs=0.01)  # 30,246 of 46,794 words
