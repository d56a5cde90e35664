"""The chain on a small data set: killed at any moment it goes on and does only what is needed."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from report_runs import finish, start

from lib.core.files import sha256
from lib.core.paths import Outputs

CLASSES = ["cut_tomato", "mix_dressing", "serve_salad_onto_plate"]
NOTEBOOK = "2_3_1_public_features"
CANNOT = "2_3_2_feature_extraction"  # its videos and weights are not there
SPLITS = 2  # where each is a job, ten seconds of a core


def small_data_set(root: Path, splits: int) -> None:
    """Two videos of 40 frames a split, in the MS-TCN layout."""
    random = np.random.default_rng(3)
    for folder in ("features", "groundTruth", "splits"):
        (root / folder).mkdir(parents=True)
    (root / "mapping.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(CLASSES)))
    videos = [f"rgb-{person:02d}-{take}" for person in range(1, splits + 1) for take in (1, 2)]
    for video in videos:
        labels = np.repeat(random.permutation(3), [12, 16, 12])
        (root / "groundTruth" / f"{video}.txt").write_text("".join(f"{CLASSES[label]}\n" for label in labels))
        feature = np.eye(3)[labels].T + random.normal(0, 0.5, (3, 40))
        np.save(root / "features" / f"{video}.npy", feature.astype(np.float32))
    for split in range(1, splits + 1):
        test = [video for video in videos if video.startswith(f"rgb-{split:02d}")]
        for part, names in (("test", test), ("train", [video for video in videos if video not in test])):
            (root / "splits" / f"{part}.split{split}.bundle").write_text("".join(f"{name}.txt\n" for name in names))


def write_profile(path: Path, root: Path, split_jobs: bool) -> None:
    small = {"num_layers": 3, "num_maps": 8, "num_decoders": 1, "sample_rate": 1, "epochs": 12, "test_every": 3}
    data = {
        "source": "files",
        "roots": [str(root)],
        "name": "test set",
        "fps": 1,
        "convention": "mstcn",
        "splits": SPLITS,
    }
    profile = {"title": "test", "notebooks": [NOTEBOOK, CANNOT], "split_jobs": split_jobs}
    path.write_text(yaml.safe_dump(profile | {"data": data, "asformer": small}))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("schedule")
    small_data_set(folder / "data", SPLITS)
    made = []

    def profile(name: str, split_jobs: bool) -> tuple[Path, Outputs]:
        path = folder / f"{name}_{os.getpid()}.yaml"
        write_profile(path, folder / "data", split_jobs)
        made.append(Outputs(path.stem))
        return path, made[-1]

    yield profile
    for outputs in made:
        shutil.rmtree(outputs.root, ignore_errors=True)


def results(outputs: Outputs) -> dict[str, str]:
    """Hashes of all that a reader sees and of what later sections read."""
    files = [
        *outputs.tables.rglob("*.csv"),
        *outputs.figures.glob("*.csv"),
        *outputs.predictions("", 1).parent.parent.rglob("*.txt"),
    ]
    return {str(file.relative_to(outputs.root)): sha256(file) for file in files}


def made_at(outputs: Outputs) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in outputs.notebooks.rglob("[!.]*.json")}


@pytest.fixture(scope="module")
def finished(workplace):
    profile, outputs = workplace("whole", split_jobs=False)
    finish(profile)
    return profile, outputs


def test_the_report_is_there(finished):
    _, outputs = finished
    page = (outputs.report / f"{NOTEBOOK}.html").read_text()
    assert "Table 1" in page
    assert (outputs.tables / "table_01.csv").exists()
    for kind in ("svg", "png", "csv"):
        assert (outputs.figures / f"figure_06.{kind}").stat().st_size > 0
    assert (outputs.report / "index.html").exists()
    assert "guide.html" in page and "Adding to it" in (outputs.report / "guide.html").read_text()


def test_what_cannot_run_is_left_out_by_name(finished):
    """The site is of what ran; what did not is on its first page with the reason, and on no other."""
    _, outputs = finished
    first = (outputs.report / "index.html").read_text()
    left_out, elsewhere = first.partition("Left out")[2].partition("Not in this profile")[::2]
    assert "2.3.2 Extracting the features: missing " in left_out and "I3D_8x8_R50.pyth" in left_out
    assert "2.3.2" not in elsewhere.partition("</p>")[0] and "2.3.3 The baseline" in elsewhere
    assert "Not finished" not in first
    assert not (outputs.notebooks / CANNOT).exists() and not (outputs.report / f"{CANNOT}.html").exists()


def test_a_killed_run_goes_on_and_ends_the_same(workplace, finished):
    """A job a split; the undisturbed run was one job."""
    profile, outputs = workplace("killed", split_jobs=True)
    for patience in (4, 7, 10):
        process = start(profile)
        time.sleep(patience)
        os.kill(process.pid, signal.SIGKILL)  # the scheduler alone: what it started has to notice
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    finish(profile)
    assert results(outputs) == results(finished[1])


def test_nothing_changed_nothing_runs(finished):
    profile, outputs = finished
    before = made_at(outputs)
    said = finish(profile)
    assert made_at(outputs) == before
    missing = r"\S+/data/videos; missing data/weights/I3D_8x8_R50\.pyth"
    assert re.search(rf"^left out: 2\.3\.2 .*: missing {missing}; `python -m lib\.check", said, re.MULTILINE), said


def test_only_what_depends_on_a_parameter_runs_again(finished):
    profile, outputs = finished
    before = made_at(outputs)
    text = profile.read_text()
    profile.write_text(text.replace("title: test", "title: another title"))
    finish(profile)
    assert made_at(outputs) == before, "a title is no parameter of an atom"
    assert "another title" in (outputs.report / "index.html").read_text()
    profile.write_text(text.replace("epochs: 12", "epochs: 13"))
    finish(profile)
    after = made_at(outputs)
    assert after.keys() == before.keys()
    assert all(after[name] > before[name] for name in before)
