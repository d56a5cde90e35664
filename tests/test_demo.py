"""The demo kitchen: order of steps, files on disk, damage, determinism. Nothing here asks how well a model learns."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from resume import contents

from lib.core.settings import Demo
from lib.data.dataset import open_dataset, person
from lib.demo import videos
from lib.demo.actions import ACTIONS
from lib.demo.clips import CLASSES, CLIP_CLASSES, render_clips
from lib.demo.draw import Canvas, box, hsv
from lib.demo.film import film
from lib.demo.kitchen import kitchen
from lib.demo.script import CLASS_NAMES, FOODS, Step, salad, verb_of
from lib.demo.videos import DAMAGED, UNLABELLED, frames_of, render, videos_of_split
from lib.demo.world import begin

FULL = Demo(seed=7, people_per_split=5, videos_per_person=2, pace=0.92, size=64, fps=10, variety=1.0)
SMALL = FULL.model_copy(update={"people_per_split": 2, "videos_per_person": 1, "pace": 0.1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set: ten people with one video each."""
    root = tmp_path_factory.mktemp("demo")
    render(SMALL, root, 2)
    return root


def decoded(path: Path) -> list[np.ndarray | None]:
    """Every frame of a video; None where OpenCV cannot decode one."""
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    frames = [picture if done else None for done, picture in (capture.read() for _ in range(count))]
    capture.release()
    return frames


@pytest.mark.parametrize("seed", range(12))
def test_a_salad_is_made_in_a_sensible_order(seed: int) -> None:
    steps = salad(np.random.default_rng(seed), FULL.pace)
    labels = [step.label for step in steps]
    assert labels[0] == "action_start"
    assert labels[-1] == "action_end"
    assert set(labels) <= set(CLASS_NAMES)
    assert 14 <= len(steps) <= 30
    assert 50 < sum(step.seconds for step in steps) < 140
    for food in FOODS:
        assert labels.index(f"cut_{food}") < labels.index(f"place_{food}_into_bowl")
    assert labels.index("peel_cucumber") < labels.index("cut_cucumber")
    assert labels.index("add_oil") < labels.index("serve_salad_onto_plate")


def test_every_class_can_be_acted() -> None:
    assert {verb_of(label)[0] for label in CLASS_NAMES} <= set(ACTIONS)
    assert {verb for verb, _ in CLASSES} <= set(ACTIONS)


def test_classes_and_splits_are_those_of_50_salads(shared: Path) -> None:
    real = shared / "data" / "50salads"
    mapping = "".join(f"{number} {name}\n" for number, name in enumerate(CLASS_NAMES))
    assert mapping == (real / "mapping.txt").read_text()
    for split in range(1, 6):
        bundle = (real / "splits" / f"test.split{split}.bundle").read_text().split()
        assert sorted(f"{name}.txt" for name in videos_of_split(FULL, split)) == sorted(bundle)


def test_layout(folder: Path) -> None:
    """What the reader of data sets asks for (test_dataset.py), and no person on two sides of a split."""
    dataset = open_dataset(folder, None, SMALL.fps)
    assert sorted(path.stem for path in (folder / "videos").iterdir()) == sorted(dataset.videos)
    assert len(dataset.videos) == 10
    splits = [dataset.split(number) for number in range(1, 6)]
    for train, test in splits:
        assert sorted([*train, *test]) == sorted(dataset.videos)
        assert not {person(video) for video in train} & {person(video) for video in test}
    assert sorted(video for _, test in splits for video in test) == sorted(dataset.videos)


def test_a_label_for_each_frame_but_the_last_ones(folder: Path) -> None:
    dataset = open_dataset(folder, None, SMALL.fps)
    assert dataset.classes == CLASS_NAMES
    for path in sorted((folder / "videos").iterdir()):
        labels = dataset.labels(path.stem)
        assert len(frames_of(path.read_bytes())) == len(labels) + UNLABELLED
        if path.stem not in DAMAGED:
            frames = decoded(path)
            assert len(frames) == len(labels) + UNLABELLED
            assert all(frame is not None and frame.shape == (64, 64, 3) for frame in frames)


def test_same_settings_give_the_same_bytes_however_many_processes(folder: Path, tmp_path: Path) -> None:
    render(SMALL, tmp_path, 1)
    assert contents(tmp_path) == contents(folder)


def test_what_is_there_is_kept_and_what_is_missing_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, made = contents(folder), []
    whole = videos.render_video
    monkeypatch.setattr(videos, "render_video", lambda *given: made.append(given[-1]) or whole(*given))
    render(SMALL, folder, 1)
    assert made == []
    (folder / "groundTruth" / "rgb-02-1.txt").unlink()  # killed between the video and its labels
    render(SMALL, folder, 1)
    assert made == ["rgb-02-1"]
    assert contents(folder) == before


def test_damage_lies_inside_frames_and_the_video_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "DAMAGED", ())
    for name in DAMAGED:
        videos.render_video(SMALL, tmp_path, name)
        damaged, whole = folder / "videos" / f"{name}.avi", tmp_path / "videos" / f"{name}.avi"
        first, second = (np.frombuffer(path.read_bytes(), np.uint8) for path in (damaged, whole))
        assert len(first) == len(second)
        differs = first != second
        inside = np.zeros(len(first), bool)
        hit = []
        for number, (at, length) in enumerate(frames_of(whole.read_bytes())):
            inside[at : at + length] = True
            if differs[at : at + length].any():
                hit.append(number)
        assert hit
        assert not (differs & ~inside).any()
        seen, meant = decoded(damaged), decoded(whole)
        same = [
            one is not None and other is not None and np.array_equal(one, other)
            for one, other in zip(seen, meant, strict=True)
        ]
        assert [number for number, equal in enumerate(same) if not equal] == hit


@pytest.mark.parametrize(
    ("verb", "thing"), [("pour", "oil"), ("shake", "pepper"), ("cut", "lettuce"), ("stir", "bowl")]
)
def test_an_action_moves(verb: str, thing: str) -> None:
    rng = np.random.default_rng(3)
    world = begin(kitchen(1.0, FOODS, rng, rng), rng)
    frames = np.stack([frame for frame, _ in film(world, [Step(verb, verb, thing, 2.5)], 64, 10)])
    assert frames.shape == (25, 64, 64, 3)
    assert frames.dtype == np.uint8
    assert np.abs(np.diff(frames[10:].astype(int), axis=0)).max(axis=(1, 2, 3)).min() > 40


def test_food_goes_from_the_board_into_the_bowl() -> None:
    rng = np.random.default_rng(4)
    world = begin(kitchen(1.0, FOODS, rng, rng), rng)
    steps = [Step(f"{verb}_tomato", verb, "tomato", 4.0) for verb in ("cut", "place")]
    states = [world.board["tomato"].cut for _, step in film(world, steps, 64, 10) if step.verb == "cut"]
    assert states == sorted(states)
    assert states[-1] == pytest.approx(1)
    assert "tomato" not in world.board
    assert world.inside["bowl"]["tomato"] == pytest.approx(1, abs=1e-3)


def test_clips_are_of_another_domain() -> None:
    count = len(CLASSES)
    clips, labels = render_clips(SMALL, count, 5, seed=1)
    assert clips.shape == (count, 5, 64, 64, 3)
    assert clips.dtype == np.uint8
    assert labels.shape == (count,) and set(labels.tolist()) <= set(range(len(CLASSES)))
    assert len(np.unique(clips.reshape(count, -1), axis=0)) == count
    words = {word for name in CLIP_CLASSES for word in name.split()}
    assert not words & {*FOODS, "oil", "vinegar", "salt", "pepper"}


def test_clips_are_the_same_for_the_same_seed_only() -> None:
    first, again, other = (render_clips(SMALL, 2, 3, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_canvas_draws_at_the_given_place() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    Canvas(image, reach=1.0).fill(0.5 + 0.5j + box(0.2, 0.1), hsv(0, 0, 1))
    rows, columns = np.nonzero(image[..., 0])
    assert (rows.min(), rows.max()) == pytest.approx((28, 32), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((26, 34), abs=1)
