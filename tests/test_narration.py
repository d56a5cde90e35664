"""The demo's narrated videos: what is done and said in them, and the files in HowTo100M's layout."""

import json
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from resume import contents

from lib.core.settings import Demo, Narration
from lib.demo.actions import ACTIONS
from lib.demo.narrated import Video, render_narrated, validation, video
from lib.demo.script import ALLOWED, CLASS_NAMES, DISHES, FOODS, HELD_OUT, LONGEST, OFTEN, SHORTEST, verb_of
from lib.demo.talk import TALK, WORDS

FULL = Narration(videos=400, validation=64, shortest=14, longest=34, seed=11)
SMALL = Narration(videos=5, validation=2, shortest=3, longest=5, seed=11)
LOOKS = Demo(seed=1, people_per_split=5, videos_per_person=2, pace=0.92, size=64, fps=10, variety=1.0)
# Every form of the verbs in the names of the classes, and what is made from them
CLASS_VERBS = re.compile(
    r"\b(cut|plac(e|ing)|add(s|ed|ing|ition\w*)?\b|mix|peel|serv(e|ing)|action|start|end(s|ed|ing)?\b)"
)


@pytest.fixture(scope="module")
def corpus() -> list[Video]:
    return [video(FULL, 10, number) for number in range(FULL.videos)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("narrated")
    render_narrated(LOOKS, SMALL, root, 2)
    return root


def strings(value) -> list[str]:
    """All strings in nested lists and dictionaries, without the dictionaries' keys."""
    if isinstance(value, str):
        return [value]
    return [text for one in (value.values() if isinstance(value, dict) else value) for text in strings(one)]


def names(root: Path, part: str) -> list[str]:
    return (root / f"{part}.lst").read_text().split()


def test_nothing_that_can_be_said_has_a_verb_of_a_class_name() -> None:
    assert all(CLASS_VERBS.search(text) for text in ("now adding salt", "the mixture", "it ends"))
    words = {name: value for name, value in WORDS.items() if name != "phrases"} | {"said": [*WORDS["phrases"].values()]}
    said = [text.replace("/", " ") for text in strings(words)]
    assert len(said) > 300
    assert not [text for text in said if CLASS_VERBS.search(text)]


def test_pairs_held_out_never_occur_but_their_foods_and_verbs_do(corpus: list[Video]) -> None:
    steps = [step for one in corpus for step in one.steps]
    kinds = Counter((step.verb, step.thing) for step in steps)
    assert set(HELD_OUT) < set(CLASS_NAMES)
    assert not kinds.keys() & {verb_of(name) for name in HELD_OUT}
    assert kinds.keys() >= {verb_of(name) for name in CLASS_NAMES if name not in HELD_OUT}
    assert {thing for _, thing in kinds} >= {*FOODS}
    assert {verb for verb, _ in kinds} == set(ACTIONS)


def test_every_kind_of_step_is_seen_often_and_the_salads_make_up_half(corpus: list[Video]) -> None:
    kinds = Counter(f"{step.verb} {step.thing}" for one in corpus for step in one.steps)
    assert kinds.keys() == OFTEN.keys()
    assert min(kinds.values()) >= 12
    assert min(kinds[kind] for kind in ALLOWED) >= 40
    assert sum(kinds[kind] for kind in ALLOWED) / kinds.total() == pytest.approx(0.5, abs=0.05)


def test_steps_fill_the_video_and_come_in_a_sensible_order(corpus: list[Video]) -> None:
    for one in corpus:
        lengths = [step.seconds for step in one.steps]
        assert FULL.shortest - 0.1 <= sum(lengths) <= FULL.longest + 0.1
        assert min(lengths) >= SHORTEST - 0.1 and max(lengths) <= LONGEST + 0.1
        labels = [step.label for step in one.steps]
        assert "start nothing" not in labels[1:] and "end nothing" not in labels[:-1]
        for food in FOODS:
            verbs = [step.verb for step in one.steps if step.thing == food]
            assert verbs == sorted(verbs, key=["peel", "cut", "place"].index)


def test_captions_are_sorted_and_lie_within_the_video(corpus: list[Video]) -> None:
    for one in corpus:
        total = sum(step.seconds for step in one.steps)
        starts = [caption.start for caption in one.captions]
        assert starts and starts == sorted(starts)
        fillers = [caption.text for caption in one.captions if caption.step is None]
        assert len(set(fillers)) == len(fillers)
        for caption in one.captions:
            assert 0 <= caption.start < caption.end <= total + 1e-9
            assert 2 - 1e-9 <= caption.end - caption.start <= 5
            assert re.fullmatch(r"[a-z']+( [a-z']+)*", caption.text)


def test_narration_has_its_faults(corpus: list[Video]) -> None:
    captions = [caption for one in corpus for caption in one.captions]
    assert 0.15 < np.mean([caption.step is None for caption in captions]) < 0.25
    spoken = [{caption.step for caption in one.captions} for one in corpus]
    silent = [number not in own for one, own in zip(corpus, spoken, strict=True) for number in range(len(one.steps))]
    assert 0.15 < np.mean(silent) < 0.25
    late = []
    for one in corpus:
        ends = np.cumsum([step.seconds for step in one.steps])
        for number, end in enumerate(ends):
            heard = [(caption.start + caption.end) / 2 for caption in one.captions if caption.step == number]
            if heard and 0 < number < len(ends) - 1:  # at the ends captions are moved into the video
                late.append(np.mean(heard) - (end - one.steps[number].seconds / 2))
    assert abs(np.mean(late)) < 0.3
    assert 1.5 < np.std(late) < 2.5
    assert 3.5 < np.abs(late).max() < 5.5


def test_narrators_have_many_words_for_an_action(corpus: list[Video]) -> None:
    assert all(len(set(phrases)) >= 6 for phrases in WORDS["phrases"].values())
    assert len({text for text, *_ in TALK}) >= 15
    cutting = [caption.text for one in corpus for caption in one.captions
               if caption.step is not None and one.steps[caption.step].label == "cut tomato"]  # fmt: skip
    assert len(set(cutting)) > 0.9 * len(cutting)
    assert 0.7 < np.mean(["tomato" in text for text in cutting]) < 0.95


def test_validation_has_its_share_of_each_category(corpus: list[Video]) -> None:
    held = validation(corpus, FULL.validation, FULL.seed)
    assert len(held) == FULL.validation
    every = Counter(one.dish.category for one in corpus)
    some = Counter(corpus[number].dish.category for number in held)
    assert len(every) >= 6
    for category, count in every.items():
        assert some[category] == pytest.approx(count * FULL.validation / FULL.videos, abs=1)


def test_layout_is_that_of_howto100m(folder: Path) -> None:
    videos = sorted(path.stem for path in (folder / "videos").iterdir())
    assert len(videos) == SMALL.videos
    assert all(re.fullmatch(r"[\w-]{11}", name) for name in videos)
    assert len(names(folder, "val")) == SMALL.validation
    assert sorted(names(folder, "train") + names(folder, "val")) == videos
    said = json.loads((folder / "raw_caption.json").read_text())
    assert sorted(said) == videos
    assert all(set(track) == {"start", "end", "text"} for track in said.values())
    header, *rows = (folder / "HowTo100M_v1.csv").read_text().splitlines()
    assert header == "video_id,category_1,category_2,rank,task_id"
    cells = [row.split(",") for row in rows]
    assert sorted(row[0] for row in cells) == videos
    assert [row[1:3] for row in cells] == [[dish.category, dish.name] for dish in DISHES[: SMALL.videos]]


def test_files_agree_with_each_other(folder: Path) -> None:
    said = json.loads((folder / "raw_caption.json").read_text())
    done = json.loads((folder / "steps.json").read_text())
    for name, steps in done.items():
        capture = cv2.VideoCapture(str(folder / "videos" / f"{name}.avi"))
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == round(steps["end"][-1] * LOOKS.fps)
        done_read, frame = capture.read()
        capture.release()
        assert done_read and frame.shape == (LOOKS.size, LOOKS.size, 3)
        assert steps["start"] == [0, *steps["end"][:-1]]
        track = said[name]
        assert len(track["start"]) == len(track["end"]) == len(track["text"]) == len(steps["captions"])
        assert all(end > start for start, end in zip(track["start"], track["end"], strict=True))
        assert max(track["end"]) <= steps["end"][-1]


def test_same_settings_give_the_same_bytes_however_many_processes(folder: Path, tmp_path: Path) -> None:
    render_narrated(LOOKS, SMALL, tmp_path, 1)
    assert contents(tmp_path) == contents(folder)


def test_what_is_missing_is_made_again_and_the_rest_is_kept(folder: Path) -> None:
    before = contents(folder)
    lost, *kept = sorted((folder / "videos").iterdir())
    lost.unlink()
    (folder / "raw_caption.json").unlink()
    times = [path.stat().st_mtime_ns for path in kept]
    render_narrated(LOOKS, SMALL, folder, 1)
    assert contents(folder) == before
    assert [path.stat().st_mtime_ns for path in kept] == times


def test_a_run_that_fails_leaves_nothing_that_looks_whole(folder: Path, tmp_path: Path, monkeypatch) -> None:
    render_narrated(LOOKS, SMALL, tmp_path, 1)
    with monkeypatch.context() as patch:
        patch.delattr("lib.demo.film.cv2.VideoWriter")
        with pytest.raises(AttributeError):
            render_narrated(LOOKS, SMALL.model_copy(update={"seed": 12}), tmp_path, 1)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["rendered.json"]
    render_narrated(LOOKS, SMALL, tmp_path, 1)
    assert contents(tmp_path) == contents(folder)


def test_only_what_shows_in_the_pictures_makes_them_anew(tmp_path: Path) -> None:
    two = SMALL.model_copy(update={"videos": 2, "validation": 1})
    render_narrated(LOOKS, two, tmp_path, 1)
    before = contents(tmp_path)
    render_narrated(LOOKS.model_copy(update={"pace": 2.0}), two, tmp_path, 1)
    assert contents(tmp_path) == before
    render_narrated(LOOKS.model_copy(update={"variety": 0.5}), two, tmp_path, 1)
    assert all(before[name] != data for name, data in contents(tmp_path).items() if name.endswith(".avi"))
