"""Captions without the repeats of YouTube's rolling captions (lib/data/narrated.py), made up and real."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.paths import ROOT
from lib.data.facts import caption_facts
from lib.data.files import DatasetError
from lib.data.narrated import tracks_of_csv, without_repeats

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
    tracks = tracks_of_csv(REAL)
    assert sum(len(said) for *_, said in tracks) == 11_173
    facts = caption_facts(tracks)
    assert facts["words repeated from the last one, %"] == pytest.approx(100 * (1 - 30_246 / 46_794), abs=0.01)
    # by hand, from one video
    ((_, start, end, _),) = (track for track in tracks if track[0] == "yy9Di1IiKCY")
    assert start[:2] == pytest.approx([6.84, 9.43]) and end[:2] == pytest.approx([9.42, 13.41])


def test_facts_of_captions():
    """Two videos: 10 s with a pause of 2 s and an overlap of 1 s, and 5 s with one caption."""
    a = ("a", np.array([1, 3, 7], np.float32), np.array([4, 5, 10], np.float32), ["chop it", "it well", "thanks"])
    b = ("b", np.array([0], np.float32), np.array([5], np.float32), ["hey guys"])
    facts = caption_facts([a, b])
    expected = {
        "videos": 2,
        "captions": 4,
        "length, s": 7.5,
        "captions per minute": 16,
        "words per caption": 7 / 4,
        "mean caption, s": 13 / 4,
        "time with a caption, %": 100 * 12 / 15,
        "begins before the last one ends, %": 50,
        "comes after a pause, %": 50,
        "mean pause, s": 2,
        "words repeated from the last one, %": 100 / 7,
        "filler by the rule, %": 50,
    }
    assert facts == pytest.approx(expected)


def test_captions_of_csv_that_cannot_be_used(tmp_path):
    with pytest.raises(DatasetError, match=r"has no <id>\.csv; `python -m lib.fetch howto100m_captions`"):
        tracks_of_csv(tmp_path)
    (tmp_path / "a.csv").write_text("start,end,text\n3,2,chop\n")
    with pytest.raises(DatasetError, match=r"a\.csv: a: caption 0 \(3 to 2 s\): it ends before it starts"):
        tracks_of_csv(tmp_path)
    (tmp_path / "a.csv").write_text("start,text\n3,chop\n")
    with pytest.raises(DatasetError, match=r"a\.csv: expected columns start, end and text"):
        tracks_of_csv(tmp_path)
