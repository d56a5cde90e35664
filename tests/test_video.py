"""Frames keep their numbers whatever is damaged; what cannot be read ends in one clear line."""

import json
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import avi, chunks, jpeg, number_of, picture, write_frames, write_video

from lib.core.paths import ROOT
from lib.data.facts import damaged_frames, sudden_changes
from lib.data.video import NOTES, VideoError, read_frames, read_video
from lib.run import decoding

N = 60


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "rgb-01-1.avi", N)


def wounded(video: Path, folder: Path, *changes: tuple[int, bytes]) -> Path:
    data = bytearray(video.read_bytes())
    for start, new in changes:
        data[start : start + len(new)] = new
    copy = folder / "damaged.avi"
    copy.write_bytes(data)
    return copy


def check(path: Path, bad: tuple[int, ...]) -> None:
    """Good frames show their own number, a bad one shows the last good one's (at the start: the first good one's)."""
    frames = read_video(path)
    assert (len(frames), frames.bad) == (N, bad)
    good = [number for number in range(N) if number not in bad]
    expected = [max([number for number in good if number <= i], default=good[0]) for i in range(N)]
    assert [number_of(frame) for frame in frames] == expected


def test_whole_video(video):
    frames = read_video(video)
    assert (len(frames), frames.fps, frames.bad) == (N, 10, ())
    assert [number_of(frame) for frame in frames] == list(range(N))
    first = next(iter(frames))
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert np.abs(first.astype(int) - picture(0)).mean() < 8  # BGR, as written


@pytest.mark.parametrize("bad", [(20,), (0,), (0, 1), (59,), (58, 59), (10, 11, 12, 40)])
def test_frame_data_destroyed(video, tmp_path, bad):
    places = chunks(video)
    check(wounded(video, tmp_path, *[(places[i][0] + 8, bytes(places[i][1])) for i in bad]), bad)


@pytest.mark.parametrize("header", [b"zzzz", b"01dc", b"00dc\xff\xff\xff\xff", b"00dc\x10\x27\0\0", b"00dc\x0a\0\0\0"])
@pytest.mark.parametrize("number", [0, 20, 59])
def test_chunk_header_destroyed_is_restored_from_the_index(video, tmp_path, header, number):
    """The decoder alone would skip such a frame, and all after it would have their neighbour's number."""
    check(wounded(video, tmp_path, (chunks(video)[number][0], header)), ())


def test_the_decoder_alone_shifts_frames(video, tmp_path):
    """Why lib/data/video.py exists: this must fail once OpenCV numbers frames by the index itself."""
    capture = cv2.VideoCapture(str(wounded(video, tmp_path, (chunks(video)[20][0], b"zzzz"))))
    shown = [number_of(capture.read()[1]) for _ in range(N - 1)]
    assert shown == [number for number in range(N) if number != 20]
    assert capture.get(cv2.CAP_PROP_POS_FRAMES) == N - 1


def test_wound_across_frames_and_headers(video, tmp_path):
    places = chunks(video)
    start = places[20][0] - 30
    noise = np.random.default_rng(0).bytes(places[24][0] + 20 - start)
    check(wounded(video, tmp_path, (start, noise)), (20, 21, 22, 23))  # the decoder copes with the start of 24


@pytest.mark.parametrize("content", [bytes, np.random.default_rng(0).bytes])
def test_index_destroyed(video, tmp_path, content):
    index = video.read_bytes().rfind(b"idx1")
    check(wounded(video, tmp_path, (index + 8, content(16 * N))), ())


FRAMES = [(b"00dc", jpeg(number)) for number in range(N)]
GPS = [*FRAMES[:20], (b"gps ", b"abcde"), *FRAMES[20:]]


@pytest.mark.parametrize(
    ("chunks", "how"),
    [
        (FRAMES, {"between": bytes(4)}),
        (FRAMES, {"between": bytes(1000)}),
        (FRAMES, {"end": bytes(512)}),
        (FRAMES, {"end": bytes(3), "index": False}),
        (GPS, {}),
        (GPS, {"index": False}),
        ([one for k in range(N) for one in (FRAMES[k], (b"01dc", jpeg(99)))], {"streams": 2}),
        ([one for k in range(N) for one in ((b"01db", jpeg(99)), FRAMES[k])], {"streams": 2, "index": False}),
        ([(b"00db" if k % 7 else b"00dc", content) for k, (_, content) in enumerate(FRAMES)], {}),
        ([(b"00db" if k % 7 else b"00dc", content) for k, (_, content) in enumerate(FRAMES)], {"index": False}),
    ],
    ids=["padding", "more padding", "zeros at the end", "no index", "foreign chunk", "foreign chunk, no index",
         "two videos", "two videos, no index", "mixed names", "mixed names, no index"],
)  # fmt: skip
def test_sound_files_of_other_programs_are_read_whole(tmp_path, chunks, how):
    check(avi(tmp_path / "other.avi", chunks, **how), ())


def test_empty_chunks_repeat_the_frame_before_and_are_not_bad(tmp_path):
    frames = read_video(avi(tmp_path / "slow.avi", [(b"00dc", b"" if k % 3 else jpeg(k)) for k in range(N)]))
    assert frames.bad == ()
    assert [number_of(frame) for frame in frames] == [k - k % 3 for k in range(N)]


@pytest.mark.parametrize(("how", "broken"), [({}, False), ({"index": False}, True)])
def test_a_foreign_chunk_that_was_a_frame_is_one(tmp_path, how, broken):
    """Without an index its place could not be known, so that every later frame would have its neighbour's label."""
    path = avi(tmp_path / "damaged.avi", FRAMES, **how)
    data = path.read_bytes()
    places = [match.start() for match in re.finditer(b"00dc", data)][:N]
    path.write_bytes(data[: places[20]] + b"gps " + data[places[20] + 4 :])
    if not broken:
        check(path, ())
    else:
        with pytest.raises(VideoError, match="damaged after frame 20"):
            read_video(path)


@pytest.mark.parametrize(("height", "refused"), [(64, True), (-64, False)])
def test_uncompressed_video(tmp_path, height, refused):
    """OpenCV's decoder crashes where rows run from bottom to top, and takes the whole process with it."""
    form = struct.pack("<IiiHHI5I", 40, 64, height, 1, 24, 0, 3 * 64**2, 0, 0, 0, 0)
    chunks = [(b"00db", picture(number).tobytes()) for number in range(N)]
    path = avi(tmp_path / "raw.avi", chunks, form=form, codec=b"DIB ")
    if refused:
        with pytest.raises(VideoError, match=r"raw.avi: uncompressed.*convert it: ffmpeg -i"):
            read_video(path)
    else:
        check(path, ())


def test_a_decoder_that_crashes_is_named_with_the_file(video, monkeypatch):
    monkeypatch.setattr("lib.data.video.TRIED", set())
    monkeypatch.setattr("lib.data.video.TRY", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(VideoError, match=r"rgb-01-1.avi: OpenCV's decoder crashes on it \(signal 11\); convert it"):
        read_video(video)


def test_end_cut_off(video, tmp_path):
    copy = tmp_path / "cut.avi"
    copy.write_bytes(video.read_bytes()[: chunks(video)[40][0] + 100])
    frames = read_video(copy)
    assert len(frames) == N
    assert set(range(41, N)) <= set(frames.bad) <= set(range(40, N))
    assert [number_of(frame) for frame in frames][:40] == list(range(40))


@pytest.mark.parametrize(
    ("start", "new"),
    [(140, 10), (140, 10**6), (124, 7), (124, 0), (120, 0), (48, 3)],
    ids=["length 10", "length 1e6", "rate 7", "rate 0", "scale 0", "total 3"],
)
def test_wrong_values_in_the_header(video, tmp_path, start, new):
    check(wounded(video, tmp_path, (start, new.to_bytes(4, "little"))), ())


def test_predicted_frames_keep_their_numbers(tmp_path):
    """MPEG-4 (many AVI files of data sets): a lost frame spoils others until the next key frame, and moves none."""
    path = write_frames(tmp_path / "mpeg4.avi", map(picture, range(N)), 10, "XVID", cv2.CAP_FFMPEG)
    check(path, ())
    start, size = chunks(path)[20]
    frames = read_video(wounded(path, tmp_path, (start + 8, bytes(size))))
    assert frames.bad == (20,)
    assert [number_of(frame) for frame in frames][24:] == list(range(24, N))


def test_read_frames(video):
    frames = read_frames(video, [7, 3, 3])
    assert [number_of(frame) for frame in frames] == [7, 3, 3]
    assert frames[0][40, 17, 0] > frames[0][40, 17, 2]  # the dot is yellow: RGB
    with pytest.raises(VideoError, match=r"has frames 0 to 59, asked for \[60\]"):
        read_frames(video, [0, 60])


def test_clear_errors(video, tmp_path):
    index, first = video.read_bytes().rfind(b"idx1"), chunks(video)[0][0]
    empty, text = tmp_path / "empty.avi", tmp_path / "text.avi"
    empty.touch()
    text.write_text("not a video")
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[: chunks(video)[20][0]])
    cases = {
        "no such video": tmp_path / "missing.avi",
        "empty": empty,
        "not an AVI file": text,
        "cut off after 20 frames": cut,
    }
    for message, path in cases.items():
        with pytest.raises(VideoError, match=message):
            read_video(path)
    damages = {
        "damaged after frame 20": [(chunks(video)[20][0], b"zzzz"), (index + 8, bytes(900))],
        "0 of 60 frames": [(first, b"".join(b"00dc" + size.to_bytes(4, "little") + bytes(size + size % 2)
                                            for _, size in chunks(video)))],
        "damaged header": [(16, b"\xff\xff\xff\x7f"), (100, b"\0\0\0\0\xff\xff\xff\x7f")],
        "OpenCV cannot open": [(112, b"????"), (188, b"????")],
    }  # fmt: skip
    for message, changes in damages.items():
        with pytest.raises(VideoError, match=message):
            read_video(wounded(video, tmp_path, *changes))


def test_fuzz(video):
    """500 damaged copies: a result or a clear error, no crash, no hang, no frame under another's number."""
    command = [sys.executable, "-m", "tests.fuzz_video", str(video)]
    runs = [
        subprocess.Popen(
            [*command, str(first), str(first + 250)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for first in (0, 250)
    ]
    outcomes = []
    for run in runs:
        output, _ = run.communicate(timeout=60)
        outcomes += [json.loads(line) for line in output.splitlines()]
        assert run.returncode == 0, f"crashed after {outcomes[-1]}"
    assert len(outcomes) == 500
    errors = [outcome for outcome in outcomes if "error" in outcome]
    results = [outcome for outcome in outcomes if "error" not in outcome]
    assert all("\n" not in outcome["error"] and ".avi: " in outcome["error"] for outcome in errors)
    assert all(outcome["frames"] == N and not outcome["others"] for outcome in results)
    assert len(results) > 200, f"{len(errors)} of 500 given up"


def test_damage_that_decodes_is_a_sudden_change(tmp_path):
    """Noise in two frames spoils a moving picture until the next key frame, where it jumps back."""
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (300, 400, 3), np.uint8), (0, 0), 4)
    texture = cv2.normalize(texture, texture.copy(), 0, 255, cv2.NORM_MINMAX)
    grounds = (texture[time // 3 :, time // 2 :][:240, :320].copy() for time in range(90))
    frames = (cv2.circle(ground, (60 + time, 120), 25, (0, 0, 200), -1) for time, ground in enumerate(grounds))
    path = write_frames(tmp_path / "moving.avi", frames, 30, "XVID", cv2.CAP_FFMPEG)
    whole, data = sudden_changes(path), bytearray(path.read_bytes())
    for number in (50, 51):
        start, size = chunks(path)[number]
        data[start + 8 + size // 3 : start + 8 + 2 * size // 3] = rng.bytes(2 * size // 3 - size // 3)
    path.write_bytes(data)
    changes = sudden_changes(path)
    assert len(changes) == 89 and 50 <= changes.idxmax() <= 62
    assert changes.max() > 1.3 * whole.max()
    pictures, rows = damaged_frames(tmp_path, {"moving": []})
    assert len(pictures) == len(rows) == 5 and rows["frame"].iloc[1] == changes.idxmax()


def test_what_a_process_decodes_when_it_dies_is_named(tmp_path, monkeypatch):
    clip = write_video(tmp_path / "clip.avi", 40)
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv(NOTES, str(notes))
    code = f"import os, pathlib, lib.data.video as v\nfor _ in v.read_video(pathlib.Path({str(clip)!r})): os.abort()"
    died = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    assert died.returncode == -signal.SIGABRT
    assert re.match(r" as it decoded \S*clip\.avi \(out of memory, or .*convert it: ffmpeg", decoding(notes))
    for _ in read_video(clip):
        pass
    assert len(list(notes.iterdir())) == 1, "a file that was decoded leaves no note"
