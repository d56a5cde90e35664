"""HowTo100M's form: what is right is read and packed, whatever is wrong is named."""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from narrated_data import write_narrated
from resume import forked

from lib.core.paths import ROOT
from lib.data import packs
from lib.data.files import DatasetError
from lib.data.narrated import WithoutNaN, caption_file, caption_tracks, feature_file, first_tracks, read_list
from lib.data.packs import open_packed, pack

SECONDS = {"a-1": 5, "b_2": 3, "c3": 4, "d4": 2, "e5": 6}


@pytest.fixture
def root(tmp_path):
    """A small sound data set: five videos of 8 channels, each with three captions, the file in another order."""
    tracks = {}
    for video, seconds in reversed(SECONDS.items()):
        tracks[video] = {"start": [0, 0.5, 1], "end": [0.25, seconds, 2.5], "text": ["Hi all", f"chop {video}", "mix!"]}
    return write(tmp_path / "narrated", SECONDS, tracks, val=["e5"])


def write(root, seconds, tracks, val=()):
    rng = np.random.default_rng(0)
    features = {video: rng.normal(size=(length, 8)).astype(np.float32) for video, length in seconds.items()}
    write_narrated(root, features, tracks, val)
    return root


def change(root, video, **fields):
    path = root / "raw_caption.json"
    tracks = json.loads(path.read_text())
    tracks[video] |= fields
    path.write_text(json.dumps(tracks))


def naive(root, tokenizer, part="train"):
    """Video -> features, [(start, end, word pieces)] in the order of time; without those that have no caption."""
    tracks = json.loads((root / "raw_caption.json").read_text())
    videos = {}
    for video in (root / f"{part}.lst").read_text().split():
        features = np.load(root / "features" / "random" / f"{video}.npy").astype(np.float16)
        captions = []
        for start, end, text in zip(*(tracks[video][name] for name in ("start", "end", "text")), strict=True):
            pieces = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))[:32]
            if pieces:
                captions.append((np.float32(start), np.float32(end), pieces))
        if captions:
            videos[video] = features, sorted(captions, key=lambda caption: caption[0])
    return videos


def unpacked(folder):
    """The same of a pack."""
    narrated = open_packed(folder)
    videos = {}
    for number, video in enumerate(narrated.videos):
        one = narrated.track(number)
        assert one.lengths.tolist() == np.diff(one.bounds).tolist()
        pieces = [one.tokens[a:b].tolist() for a, b in zip(one.bounds, one.bounds[1:], strict=False)]
        videos[video] = narrated.features(number), list(zip(one.start, one.end, pieces, strict=True))
    return videos


def assert_same(ours, reference):
    assert list(ours) == list(reference)
    for (features, captions), (expected, said) in zip(ours.values(), reference.values(), strict=True):
        np.testing.assert_array_equal(features, expected)
        assert captions == said


def fails(root, tokenizer, message, part="train", feature_set="random"):
    """Packing ends with one line that has `message`, which begins with the file at fault, and leaves nothing."""
    with pytest.raises(DatasetError) as caught:
        pack(root, feature_set, part, root.parent / "pack", tokenizer)
    text = str(caught.value)
    assert text.startswith(f"{root}/{message}"), text
    assert "\n" not in text
    assert [path.name for path in root.parent.iterdir()] == [root.name]


# --- what is right


def test_pack_equals_a_naive_reader(root, tokenizer, tmp_path):
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    narrated = open_packed(tmp_path / "pack")
    assert (len(narrated), narrated.feature_set, narrated.feature_dim) == (4, "random", 8)
    assert narrated.videos.tolist() == ["a-1", "b_2", "c3", "d4"]
    features, track = narrated.features(1), narrated.track(1)
    assert (features.dtype, features.shape, features.flags.writeable) == (np.float16, (3, 8), False)
    assert (track.start.dtype, track.tokens.dtype, track.bounds.dtype) == (np.float32, np.int32, np.int64)
    assert tokenizer.decode(track.tokens[track.bounds[1] : track.bounds[2]]) == "chop b _ 2"
    assert_same(unpacked(tmp_path / "pack"), naive(root, tokenizer))
    pack(root, "random", "val", tmp_path / "val", tokenizer)
    assert_same(unpacked(tmp_path / "val"), naive(root, tokenizer, "val"))


def test_endings_of_feature_files(root, tokenizer, tmp_path):
    reference = naive(root, tokenizer)
    folder = root / "features" / "random"
    (folder / "a-1.npy").rename(folder / "a-1.mp4.npy")
    (folder / "c3.npy").rename(folder / "c3.webm.npy")
    np.save(folder / "d4.npy", np.asfortranarray(np.load(folder / "d4.npy").astype(np.float16)))
    assert feature_file(root, "random", "c3").name == "c3.webm.npy"
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    assert_same(unpacked(tmp_path / "pack"), reference)


def test_raw_captions_come_before_those_without_stop_words(root):
    raw = root / "raw_caption.json"
    (root / "caption.json").write_text(raw.read_text())
    assert caption_file(root) == raw
    raw.unlink()
    assert caption_file(root).name == "caption.json"
    (root / "caption.json").unlink()
    with pytest.raises(DatasetError, match=r"narrated: has neither raw_caption.json nor caption.json"):
        caption_file(root)


def test_lists_may_lack_the_other_and_have_any_line_ends(root):
    (root / "val.lst").unlink()
    (root / "train.lst").write_bytes(b"c3\r\na-1")
    assert read_list(root, "train") == ("c3", "a-1")


def test_long_captions_are_cut_at_32_word_pieces_and_at_no_character(root, tokenizer, tmp_path):
    change(root, "a-1", text=["extraordinarily " * 40, "b", "c"])
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    assert open_packed(tmp_path / "pack").track(0).lengths.tolist() == [32, 1, 1]
    assert_same(unpacked(tmp_path / "pack"), naive(root, tokenizer))


def test_the_first_captions_are_read_without_the_rest(root):
    path = root / "raw_caption.json"
    path.write_text(path.read_text().rstrip("}") + "}, and no JSON")
    (first, start, end, texts), (second, *_) = first_tracks(path, 2)
    assert (first, second) == ("e5", "d4")  # in the order of the file
    assert (start.tolist(), end.tolist(), texts) == ([0, 0.5, 1], [0.25, 6, 2.5], ["Hi all", "chop e5", "mix!"])
    with pytest.raises(DatasetError, match="not JSON"):
        first_tracks(path, 9)


# --- what is common in real data


def test_nan_for_a_text_is_no_text_wherever_the_reads_end(root):
    tracks = {f"v{n}": {"start": [0.5, 2], "end": [1, 3], "text": [float("nan"), "so, NaN is bread"]} for n in range(9)}
    tracks["last"] = {"start": [0], "end": [1], "text": [float("nan")]}
    for indent in (None, 1):
        text = json.dumps(tracks, indent=indent).encode()
        for size in (*range(1, 40), 1 << 16):
            (root / "raw_caption.json").write_bytes(text)
            with open(root / "raw_caption.json", "rb") as file:
                reader = WithoutNaN(file)
                read = b"".join(iter(lambda: reader.read(size), b""))  # noqa: B023
            assert read == text.replace(b"[NaN", b"[null").replace(b" NaN,", b" null,").replace(b" NaN\n", b" null\n")
    found = {video: texts for video, _, _, texts in caption_tracks(root / "raw_caption.json", {"v0", "last"})}
    assert found == {"v0": ["", "so, NaN is bread"], "last": [""]}


def test_captions_and_videos_without_words_are_left_out_and_later_captions_kept(root, tokenizer, tmp_path, capsys):
    change(root, "a-1", start=[0, 1, 4.5, 5], end=[1, 2, 99, 6], text=[" \u200b", "stir", "serve", "bye"])
    change(root, "b_2", text=["", " ", "\n"])
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    track = open_packed(tmp_path / "pack").track(0)
    assert (track.start.tolist(), track.end.tolist()) == ([1, 4.5, 5], [2, 99, 6])
    assert_same(unpacked(tmp_path / "pack"), naive(root, tokenizer))
    note = json.loads((tmp_path / "pack" / "note.json").read_text())
    assert note["captions"] == {"kept": 9, "without_words": 4, "after_the_end": 1}
    said = "9 captions, 1 of them after their video's end; 4 without words left out"
    assert said in capsys.readouterr().err
    left_out = pd.read_csv(tmp_path / "pack" / "left_out.csv")
    assert dict(left_out.itertuples(index=False)) == {"b_2": "no caption has words"}


def test_no_video_is_left(root, tokenizer):
    change(root, "e5", start=[], end=[], text=[])
    fails(root, tokenizer, "val.lst: no video can be used: no caption has words", part="val")


# --- lists


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "empty"),
        (b"\xff\n", "not a text file in UTF-8"),
        (b"a-1\n\nc3\n", "line 2: '': expected a video's id"),
        (b"a-1\n../c3\n", "line 2: '../c3': expected"),
        (b"a-1\nc3\na-1\n", "a-1 is listed 2 times"),
        (b"a-1\ne5\n", "e5 is in val.lst too"),
    ],
)
def test_lists(root, tokenizer, text, message):
    (root / "train.lst").unlink() if text is None else (root / "train.lst").write_bytes(text)
    fails(root, tokenizer, f"train.lst: {message}")


# --- features


def test_missing_and_doubled_features(root, tokenizer):
    path = root / "features" / "random" / "b_2.npy"
    path.with_suffix(".webm.npy").touch()
    fails(root, tokenizer, "features/random/b_2.webm.npy: b_2.npy exists too")
    path.with_suffix(".webm.npy").unlink()
    path.unlink()
    fails(root, tokenizer, "features/random/b_2.npy: missing, as are b_2.mp4.npy and b_2.webm.npy")
    fails(root, tokenizer, "features/i3d/a-1.npy: missing", feature_set="i3d")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((3, 7), np.float32), "7 channels, but a-1.npy has 8"),
        (np.zeros(8, np.float32), "float32 of shape (8,); expected floats of shape (T, D)"),
        (np.array([[None] * 8]), "not a complete .npy file"),
        (np.full((3, 8), np.nan, np.float16), "NaN, infinite or beyond float16 in 3 of 3 seconds, first in second 0"),
        (np.eye(3, 8, -2, np.float32) * 1e5, "NaN, infinite or beyond float16 in 1 of 3 seconds, first in second 2"),
    ],
    ids=["channels", "dimensions", "objects", "NaN", "float16"],
)
def test_features_that_cannot_be(root, tokenizer, value, message):
    np.save(root / "features" / "random" / "b_2.npy", value, allow_pickle=True)
    fails(root, tokenizer, f"features/random/b_2.npy: {message}")


# --- captions


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON ("),
        ('{"a-1": {"start": [0], "end": [1], "te', "not JSON ("),
        ("[1, 2]", "no captions of 4 listed videos, first a-1"),
        ('{"a-1": {"start": [0], "end": [1], "text": ["a"]}}', "no captions of 3 listed videos, first b_2"),
        ('{"a-1": [1]}', "a-1: expected lists start, end and text"),
        ('{"a-1": {"start": [1], "end": [2]}}', "a-1: expected lists start, end and text"),
        ('{"a-1": {"start": [], "end": [], "text": []}, "a-1": {}}', "a-1 has two entries"),
    ],
)
def test_caption_file(root, tokenizer, text, message):
    (root / "raw_caption.json").write_text(text)
    fails(root, tokenizer, f"raw_caption.json: {message}")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": ["a", "b"]}, "start, end, text have 3, 3, 2 entries"),
        ({"end": [1, 2, 3, 4]}, "start, end, text have 3, 4, 3 entries"),
        ({"start": [0, 2.75, 1]}, "caption 2 (1 to 0.5 s): it ends before it starts"),
        ({"start": [0, -0.5, 1]}, "caption 1 (-0.5 to 3 s): it starts before 0 s"),
        ({"start": [0, None, 1]}, "caption 1 (nan to 3 s): start or end is not a finite number"),
        ({"start": [0, "x", 1]}, "start and end must be numbers"),
        ({"start": [0, [2, 3], 1]}, "start and end must be numbers"),
    ],
)
def test_captions_that_cannot_be(root, tokenizer, fields, message):
    change(root, "b_2", end=[0.25, 3, 0.5] if "to 0.5" in message else [0.25, 3, 2.5])
    change(root, "b_2", **fields)
    fails(root, tokenizer, f"raw_caption.json: b_2: {message}")


# --- writing


def test_a_finished_pack_is_left_alone_and_an_old_one_replaced(root, tokenizer, tmp_path):
    folder = tmp_path / "pack"
    pack(root, "random", "train", folder, tokenizer)
    made = folder.stat().st_ino
    tokenizer(["a b c"], truncation=True, max_length=2)  # changes the tokenizer's state, not what it is
    pack(root, "random", "train", folder, tokenizer)
    assert folder.stat().st_ino == made
    change(root, "a-1", text=["new", "words", "here"])
    pack(root, "random", "train", folder, tokenizer)
    assert_same(unpacked(folder), naive(root, tokenizer))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["narrated", "pack"]


def test_features_extracted_again_are_packed_again(root, tokenizer, tmp_path):
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    path = root / "features" / "random" / "a-1.npy"
    np.save(path, np.load(path) + 1)
    os.utime(path, (1, 1))  # of the same size, and surely of another time
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    assert_same(unpacked(tmp_path / "pack"), naive(root, tokenizer))


class OnePiece:
    """In place of a tokenizer: every text is one and the same word piece."""

    backend_tokenizer = SimpleNamespace(to_str=lambda: "{}")

    def __call__(self, texts, **_):
        return {"input_ids": [[1]] * len(texts)}


@pytest.mark.parametrize("old", [False, True], ids=["first", "replacing"])
def test_a_killed_pack_leaves_nothing_half_written(root, tokenizer, tmp_path, monkeypatch, old):
    """It dies at the second video of the second shard."""
    folder = tmp_path / "pack"
    if old:
        pack(root, "random", "train", folder, tokenizer)
        before = unpacked(folder)
        change(root, "a-1", text=["new", "words", "here"])
    read, reads = packs.read_features, []

    def counts(path):
        reads.append(path)
        return read(path)

    def dies(path):
        return counts(path) if len(reads) < 3 else os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(packs, "SHARD_VIDEOS", 2)
    monkeypatch.setattr(packs, "read_features", dies)
    assert forked(lambda: pack(root, "random", "train", folder, OnePiece())) == -signal.SIGKILL
    monkeypatch.setattr(packs, "read_features", counts)
    assert (tmp_path / ".pack.tmp" / "tokens.npy").exists()
    if old:
        assert_same(unpacked(folder), before)
    else:
        with pytest.raises(DatasetError, match=r"pack/note.json: missing, so this is no finished pack"):
            open_packed(folder)
    # the same again reads the two videos of the second shard only; another tokenizer begins anew
    pack(root, "random", "train", folder, OnePiece())
    assert len(reads) == 2
    monkeypatch.undo()
    resumed = unpacked(folder)
    pack(root, "random", "train", folder, tokenizer)
    reference = naive(root, tokenizer)
    assert_same(unpacked(folder), reference)
    for video, (features, captions) in resumed.items():
        np.testing.assert_array_equal(features, reference[video][0])
        assert [pieces for *_, pieces in captions] == [[1]] * len(captions) and captions
    assert sorted(path.name for path in tmp_path.iterdir()) == ["narrated", "pack"]


def test_another_process_opens_it_anew(root, tokenizer, tmp_path, monkeypatch):
    pack(root, "random", "train", tmp_path / "pack", tokenizer)
    monkeypatch.chdir(tmp_path)
    narrated = open_packed(Path("pack"))
    sent = pickle.dumps(narrated)
    assert len(sent) < 1000
    code = "import pickle, sys; n = pickle.load(sys.stdin.buffer); print(n.features(3).tolist(), n.track(3).tokens)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=sent, capture_output=True, check=True)
    assert done.stdout.decode() == f"{narrated.features(3).tolist()} {narrated.track(3).tokens}\n"


TIMES = st.floats(0, 8, width=32)
CAPTION = st.tuples(TIMES, TIMES, st.text(st.sampled_from('ab NaN,"\\[]\u200bé\n'), max_size=12))
VIDEOS = st.lists(st.tuples(st.integers(0, 6), st.lists(CAPTION, max_size=5)), min_size=1, max_size=6)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(videos=VIDEOS, shard=st.integers(1, 4), batch=st.integers(1, 4))
def test_random_tracks_come_back(tokenizer, videos, shard, batch):
    seconds = {f"v{number}": length for number, (length, _) in enumerate(videos)} | {"sound": 3}
    tracks = {"sound": {"start": [0], "end": [1], "text": ["a"]}}
    for number, (_, captions) in enumerate(videos):
        tracks[f"v{number}"] = {
            "start": [min(a, b) for a, b, _ in captions],
            "end": [max(a, b) for a, b, _ in captions],
            "text": [text for *_, text in captions],
        }
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "SHARD_VIDEOS", shard)
        patch.setattr(packs, "BATCH_VIDEOS", batch)
        root = write(Path(folder) / "narrated", seconds, tracks)
        pack(root, "random", "train", Path(folder) / "pack", tokenizer)
        assert_same(unpacked(Path(folder) / "pack"), naive(root, tokenizer))
        left_out, kept = pd.read_csv(Path(folder) / "pack" / "left_out.csv")["video"], naive(root, tokenizer)
        assert set(left_out) == set(seconds) - set(kept)
        assert len(list((Path(folder) / "pack").glob("features_*"))) == -(-len(kept) // shard)
