"""The chain on a small data set: killed at any moment it goes on, and it does only what is needed."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from report_runs import finish, start

from lib.core.files import MEGABYTE, sha256
from lib.core.params import outputs_of
from lib.core.paths import ROOT, Outputs

CLASSES = ["cut_tomato", "mix_dressing", "serve_salad_onto_plate"]
NOTEBOOK = "2_3_1_public_features"
CANNOT = "2_3_2_feature_extraction"  # its videos and weights are missing
SPLITS = 2  # as a job, each takes ten seconds of a core


def small_data_set(root: Path, splits: int) -> None:
    """Two videos of 40 frames per split, in the MS-TCN layout."""
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


def write_profile(path: Path, root: Path, split_jobs: bool, splits: int = SPLITS, **changes) -> None:
    small = {"num_layers": 3, "num_maps": 8, "num_decoders": 1, "sample_rate": 1, "epochs": 12, "test_every": 3}
    data = {"source": "files", "roots": [str(root)], "name": "test set", "fps": 1, "convention": "mstcn"}
    profile = {"title": "test", "notebooks": [NOTEBOOK, CANNOT], "split_jobs": split_jobs, "asformer": small}
    path.write_text(yaml.safe_dump(profile | {"data": data | {"splits": splits}} | changes))


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


def test_the_report_is_complete(finished):
    _, outputs = finished
    page = (outputs.report / f"{NOTEBOOK}.html").read_text()
    assert "Table 1" in page
    assert (outputs.tables / "table_01.csv").exists()
    for kind in ("svg", "png", "csv"):
        assert (outputs.figures / f"figure_06.{kind}").stat().st_size > 0
    assert (outputs.report / "index.html").exists()
    assert "README.html" in page and (outputs.report / "README.html").exists()


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
    """With one job per split; the undisturbed run was one job."""
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


def planned(profile: Path) -> str:
    """What `--dry-run` says of the only chapter that can run."""
    said = finish(profile, "--dry-run")
    return next(line.strip() for line in said.splitlines() if line.startswith(("  to run", "  fresh")))


def test_content_decides_not_dates(finished):
    profile, _ = finished
    data = profile.parent / "data"
    for file in (*data.rglob("*.*"), ROOT / "notebooks" / f"{NOTEBOOK}.py"):
        file.touch()
    assert planned(profile) == "fresh: 2.3.1"
    labels = data / "groundTruth" / "rgb-01-1.txt"
    text = labels.read_text()
    labels.write_text(text.replace(CLASSES[0], CLASSES[1]))
    os.utime(labels, (1_600_000_000, 1_600_000_000))
    assert re.search(r": changed: \S+/data/groundTruth/rgb-01-1\.txt$", planned(profile))
    labels.write_text(text)


def test_a_large_file_that_was_replaced_is_read_again(tmp_path):
    file = tmp_path / "features.npy"
    file.write_bytes(bytes(MEGABYTE))
    before, times = sha256(file), file.stat()
    assert sha256(file) == before == hashlib.sha256(bytes(MEGABYTE)).hexdigest()
    other = tmp_path / "other.npy"
    other.write_bytes(b"1" + bytes(MEGABYTE - 1))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)
    assert sha256(file) != before


def test_a_profile_run_by_hand_and_edited_back_is_stale(finished):
    profile, _ = finished
    text = profile.read_text()
    profile.write_text(text.replace("epochs: 12", "epochs: 2"))
    assert by_hand(profile).returncode == 0
    assert planned(profile) == "fresh: 2.3.1"
    profile.write_text(text)
    assert planned(profile).endswith(": changed: parameters of asformer")


def by_hand(profile: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lib.run", f"notebooks/{NOTEBOOK}.py", "--params", str(profile)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_two_profiles_of_one_name_do_not_share_outputs(finished, tmp_path):
    other = tmp_path / finished[0].name
    shutil.copy(finished[0], other)
    for call in (by_hand(other), start(other)):
        said = call.stderr if isinstance(call, subprocess.CompletedProcess) else call.communicate()[0]
        assert call.returncode == 2
        assert said.startswith(f"error: {other}: outputs/") and said.count("\n") == 1
    owner = finished[1].owner.read_text()
    finished[1].owner.write_text("no/such.yaml")
    assert outputs_of(other) == finished[1], "the first file was moved"
    finished[1].owner.write_text(owner)


def test_only_what_depends_on_a_parameter_runs_again(finished):
    profile, outputs = finished
    finish(profile)
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


@pytest.mark.parametrize("ignored", [False, True], ids=["Ctrl-C", "SIGTERM to a script's background job"])
def test_interrupted_it_ends_with_a_line(finished, ignored):
    profile, _ = finished
    profile.write_text(re.sub("epochs: 1[23]", "epochs: 5000", profile.read_text()))
    # a process inherits what its parent ignores
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
    process = start(profile)
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    for line in process.stdout:
        if "started" in line:
            break
    time.sleep(6)
    pressed = time.monotonic()
    if ignored:
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert time.monotonic() - pressed < 5 and process.returncode == 130
    assert said == "interrupted\n"
    time.sleep(2)
    left = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    assert not [words for words in left if profile.name.encode() in words]
    assert re.search(r": was interrupted$", planned(profile))
