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
from report_runs import finish, planned, start

from lib.core.files import MEGABYTE, sha256
from lib.core.params import outputs_of
from lib.core.paths import ROOT, Outputs
from lib.data.dataset import write_data_set
from lib.run import main as run

CLASSES = ["cut_tomato", "mix_dressing", "serve_salad_onto_plate"]
NOTEBOOK = "2_3_1_public_features"
CANNOT = "2_3_2_feature_extraction"  # its videos and weights are missing
SPLITS = 2  # as a job, each takes ten seconds of a core


def small_data_set(root: Path, splits: int) -> None:
    """Two videos of 40 frames per split, in the MS-TCN layout."""
    random, labels = np.random.default_rng(3), {}
    (root / "features").mkdir(parents=True)
    tested = {split: [f"rgb-{split:02d}-{take}" for take in (1, 2)] for split in range(1, splits + 1)}
    for video in (video for part in tested.values() for video in part):
        labels[video] = np.repeat(random.permutation(3), [12, 16, 12])
        feature = np.eye(3)[labels[video]].T + random.normal(0, 0.5, (3, 40))
        np.save(root / "features" / f"{video}.npy", feature.astype(np.float32))
    write_data_set(root, CLASSES, labels, tested)


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
        *outputs.predictions("", 1).parent.rglob("*.txt"),
    ]
    return {str(file.relative_to(outputs.root)): sha256(file) for file in files}


def made_at(outputs: Outputs) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in outputs.notebooks.rglob("[!.]*.json")}


def until(process: subprocess.Popen, word: str) -> None:
    """Wait until it has said this."""
    assert process.stdout is not None
    assert any(word in line for line in process.stdout)


@pytest.fixture(scope="module")
def finished(workplace):
    """A report that was killed before, while and after its first jobs ran; with one job per split."""
    profile, outputs = workplace("killed", split_jobs=True)
    for moment in ("plan: ", "started ", "done "):
        process = start(profile)
        until(process, moment)
        time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)  # the scheduler alone: what it started has to notice
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    finish(profile)
    return profile, outputs


@pytest.fixture(scope="module")
def by_hand(workplace):
    """One undisturbed job, without a schedule."""
    profile, outputs = workplace("whole", split_jobs=False)
    command = [sys.executable, "-m", "lib.run", f"notebooks/{NOTEBOOK}.py", "--params", str(profile)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
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


def test_a_killed_run_goes_on_and_ends_the_same(finished, by_hand):
    assert results(finished[1]) == results(by_hand[1])


def test_content_decides_not_dates(finished):
    profile, _ = finished
    data = profile.parent / "data"
    for file in (*data.rglob("*.*"), ROOT / "notebooks" / f"{NOTEBOOK}.py"):
        file.touch()
    assert planned(profile)[0].startswith("fresh: ")
    labels = data / "groundTruth" / "rgb-01-1.txt"
    text = labels.read_text()
    labels.write_text(text.replace(CLASSES[0], CLASSES[1]))
    os.utime(labels, (1_600_000_000, 1_600_000_000))
    assert re.search(r": changed: \S+/data/groundTruth/rgb-01-1\.txt$", planned(profile)[0])
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


def test_a_result_of_other_parameters_is_stale(by_hand):
    profile, _ = by_hand
    assert planned(profile)[0] == "fresh: 2.3.1"
    text = profile.read_text()
    profile.write_text(text.replace("epochs: 12", "epochs: 2"))
    assert planned(profile)[0].endswith(": changed: parameters of asformer")
    profile.write_text(text)


def test_two_profiles_of_one_name_do_not_share_outputs(finished, tmp_path, capsys):
    other = tmp_path / finished[0].name
    shutil.copy(finished[0], other)
    scheduled = start(other)
    said, _ = scheduled.communicate()
    assert scheduled.returncode == run([f"notebooks/{NOTEBOOK}.py", "--params", str(other)]) == 2
    for error in (said, capsys.readouterr().err):
        assert error.startswith(f"error: {other}: outputs/") and error.count("\n") == 1
    owner = finished[1].owner.read_text()
    finished[1].owner.write_text("no/such.yaml")
    assert outputs_of(other) == finished[1], "the first file was moved"
    finished[1].owner.write_text(owner)


def test_where_nothing_changed_nothing_runs(finished):
    profile, outputs = finished
    before = made_at(outputs)
    profile.write_text(profile.read_text().replace("title: test", "title: another title"))
    said = finish(profile)
    assert made_at(outputs) == before, "a title is no parameter of an atom"
    assert "another title" in (outputs.report / "index.html").read_text()
    missing = r"\S+/data/videos; missing data/weights/I3D_8x8_R50\.pyth"
    assert re.search(rf"^left out: 2\.3\.2 .*: missing {missing}; `python -m lib\.check", said, re.MULTILINE), said


@pytest.mark.parametrize("ignored", [False, True], ids=["Ctrl-C", "SIGTERM to a script's background job"])
def test_interrupted_it_ends_with_a_line(finished, ignored):
    profile, _ = finished
    profile.write_text(profile.read_text().replace("epochs: 12", "epochs: 5000"))
    # a process inherits what its parent ignores
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
    process = start(profile)
    signal.signal(signal.SIGINT, before)
    until(process, "started ")
    time.sleep(3)
    pressed = time.monotonic()
    if ignored:
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert time.monotonic() - pressed < 5 and process.returncode == 130
    *others, last = said.splitlines()
    assert last == "interrupted" and all("] started " in line for line in others)
    time.sleep(1)
    left = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists()]
    assert not [words for words in left if profile.name.encode() in words]
    assert planned(profile)[0].endswith(": was interrupted")
