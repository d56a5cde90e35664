"""README and its kin say what is so: names and files are there, and the examples run, in a copy of the project."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.core.files import imported_modules
from lib.core.paths import ROOT
from lib.scoring.metrics import METRICS

README = re.sub(r"<!--.*?-->", "", (ROOT / "README.md").read_text(), flags=re.DOTALL)
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXAMPLES = {  # blocks that are a file of the reader's own: its name stands in their first line
    found.group(1): code for _, code in BLOCKS if (found := re.match(r"# ((?:lib|notebooks|params)/\w+\.\w+)\n", code))
}
LINES = next(code for _, code in BLOCKS if code.startswith("# lib/core/chapters.py, "))


# --- names, files, forms


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_make_targets_are_there(text):
    code = " ".join(re.findall(r"`([^`]+)`", text)) + "".join(block for _, block in BLOCKS)
    targets = set(re.findall(r"\bmake ([a-z]+)", code))
    assert len(targets) >= 2
    assert targets <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_files_and_modules_are_there(text):
    files = set(re.findall(r"(?<![\w./<>-])((?:lib|notebooks|params|tests)/[\w/]+\.\w+)", text))
    files |= set(re.findall(r"`([A-Z]+\.(?:md|cff)|[\w.]+\.(?:toml|yml|lock)|\.ci/\w+)`", text))
    modules = set(re.findall(r"\blib\.[a-z_]+", text))
    missing = {name for name in files - set(EXAMPLES) if not (ROOT / name).exists()}
    missing |= {
        name
        for name in modules
        if not (ROOT / f"{name.replace('.', '/')}.py").exists() and f"{name.replace('.', '/')}.py" not in EXAMPLES
    }
    assert len(files) > 4 and not missing


def test_links_within_readme_have_their_headings():
    headings = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", README, re.M)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert links and links <= headings


def test_tables_have_no_gap():
    """A line with cells begins with a heading and a rule, or goes on from the line above."""
    lines = README.splitlines()
    for above, line, below in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line.startswith("|") and not above.startswith("|"):
            assert re.fullmatch(r"[|-]+", below), line


def test_citation():
    """Keys and types of the Citation File Format 1.2.0, and the version of the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license", "version", "references"} <= set(citation)
    assert citation["authors"] == [{"name": f"The contributors of {project['name']}"}]
    assert citation["version"] == project["version"]
    titles = " ".join(reference["title"] + reference.get("notes", "") for reference in citation["references"])
    assert all(name in titles for name in ("ASFormer", "VideoCLIP", "Kinetics", "S3D", "MIL-NCE", "50 Salads"))
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= set(reference) and isinstance(reference["year"], int)
        assert all(set(author) == {"family-names", "given-names"} for author in reference["authors"])


def test_licence_and_changelog_are_of_this_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"the contributors of {project['name']}" in (ROOT / "LICENSE").read_text()
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changes and project["version"] in changes


# --- the worked examples: a data set like Breakfast, a method, its notebook


CLASSES = ("SIL", "take_bowl", "pour_cereals", "pour_milk", "stir_cereals")
PEOPLE = ("P03", "P04", "P05", "P06")  # one a split


def small_breakfast(root: Path) -> None:
    """Eight videos in four splits by person, features (16, T) of which each class moves one channel."""
    random = np.random.default_rng(2)
    for folder in ("features", "groundTruth", "splits"):
        (root / folder).mkdir(parents=True)
    (root / "mapping.txt").write_text("".join(f"{number} {name}\n" for number, name in enumerate(CLASSES)))
    videos = [f"{person}_{camera}_{person}_cereals" for person in PEOPLE for camera in ("cam01", "webcam02")]
    for video in videos:
        order = [0, *random.permutation(np.arange(1, 5)), 0]
        labels = np.repeat(order, random.integers(8, 16, len(order)))
        (root / "groundTruth" / f"{video}.txt").write_text("".join(f"{CLASSES[label]}\n" for label in labels))
        features = random.standard_normal((16, len(labels))) + 4 * np.eye(16)[:, labels]
        np.save(root / "features" / f"{video}.npy", features.astype(np.float32))
    for number, person in enumerate(PEOPLE, 1):
        test = [video for video in videos if video.startswith(person)]
        for side, part in (("test", test), ("train", [video for video in videos if video not in test])):
            (root / "splits" / f"{side}.split{number}.bundle").write_text("".join(f"{name}.txt\n" for name in part))


def insert(file: Path, after: str, line: str) -> None:
    text = file.read_text()
    assert len(re.findall(after, text, re.MULTILINE)) == 1, f"{file.name}: {after}"
    file.write_text(re.sub(after, lambda found: f"{found.group()}\n    {line}", text, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project with the data set, README's profile (its model made small), method, notebook and lines."""
    root = tmp_path_factory.mktemp("docs") / "project"
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
    (root / "tests").mkdir()
    for name in ("tests/test_notebooks.py", "Snakefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    small_breakfast(root / "data" / "breakfast")
    for name, code in EXAMPLES.items():
        (root / name).write_text(code if name.endswith(".yaml") else code.partition("\n")[2])
    profile = yaml.safe_load(EXAMPLES["params/breakfast.yaml"])
    small = {"num_layers": 3, "num_maps": 8, "num_decoders": 1, "epochs": 4, "test_every": 4, "learning_rate": 5e-3}
    profile["asformer"] |= small
    profile["notebooks"] += ["2_3_4_gaussian", "3_conclusion"]
    (root / "params" / "breakfast.yaml").write_text(yaml.safe_dump(profile))
    anchors = (
        r'^    "2_3_3_baseline": Chapter\(.*\),$',
        r'^    "3_conclusion": Chapter\(\n        \("data", "finetune"\),\n        needs=\(',
        r'^    "2_3_3_baseline": .*,$',
        r"^BY_FRAME = \{.*$",
    )
    lines = re.findall(r"^# (lib/\w+\.py), .*\n(.*)$", LINES, re.MULTILINE)
    for (name, line), after in zip(lines, anchors, strict=True):
        insert(root / name, after, line)
    return root


def call(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=600)


def run(project: Path, *arguments: str) -> str:
    done = call(project, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(project) -> Path:
    run(project, "lib.run", "notebooks/2_3_1_public_features.py", "--params", "params/breakfast.yaml")
    return project / "outputs" / "breakfast"


@pytest.fixture(scope="module")
def beside(project, trained) -> str:
    """What README's method prints."""
    return run(project, "lib.gaussian", "params/breakfast.yaml")


def test_the_profile_in_readme_is_checked_with_four_splits(project):
    said = run(project, "lib.check", "--params", "params/breakfast.yaml")
    assert "5 of 5 chapters can run" in said
    assert not re.search(r"^(missing|unusable)", said, re.MULTILINE)


def test_a_split_too_few_or_too_many_is_named_before_anything_runs(project, tmp_path):
    extra = project / "data" / "breakfast" / "splits" / "test.split5.bundle"
    extra.write_text("P03_cam01_P03_cereals.txt\n")
    try:
        checked = call(project, "lib.check", "--params", "params/breakfast.yaml")
        assert checked.returncode == 1 and "test.split5.bundle: extra, data.splits is 4" in checked.stdout
        for splits, message in ((4, "test.split5.bundle: extra"), (6, "test.split6.bundle: missing")):
            options = ("--params", "params/breakfast.yaml", "--set", f"data.splits={splits}")
            done = call(project, "lib.run", "notebooks/2_1_datasets.py", *options)
            assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    finally:
        extra.unlink()


def test_four_splits_are_trained_predicted_and_collated(trained):
    table = pd.read_csv(trained / "tables" / "table_01.csv")
    assert table["split"].tolist() == ["1", "2", "3", "4", "mean", "±"]
    assert table["source"].unique().tolist() == ["Breakfast"], "the thesis's numbers are of another data set"
    assert np.isfinite(table[list(METRICS)].to_numpy()).all()
    metrics = pd.read_parquet(trained / "metrics" / "2_3_1_public_features.parquet")
    assert set(metrics["split"]) == {1, 2, 3, 4}
    for number, person in enumerate(PEOPLE, 1):
        written = sorted(path.stem for path in (trained / "predictions/asformer_public" / f"split_{number}").iterdir())
        assert written == [f"{person}_{camera}_{person}_cereals" for camera in ("cam01", "webcam02")]


def test_people_are_told_by_breakfasts_names(project, trained):
    run(project, "lib.run", "notebooks/2_1_datasets.py", "--params", "params/breakfast.yaml")
    splits = pd.read_csv(trained / "tables" / "table_splits.csv")
    assert splits["people tested"].tolist() == list(PEOPLE)
    numbers = pd.read_csv(trained / "tables" / "table_datasets.csv").set_index("quantity")
    assert numbers.loc["people", "Breakfast"] == 4


def test_the_method_in_readme_runs_and_stands_beside_asformer(trained, beside):
    rows = {line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in beside.splitlines()[2:]}
    assert set(rows) == {"gaussian", "asformer_public"}
    assert rows["gaussian"][0] > 90, "the features tell the classes"
    table = pd.read_csv(trained / "tables" / "table_01.csv").set_index("split").loc["mean"]
    assert rows["asformer_public"][:3] == pytest.approx(
        [100 * table["accuracy"], table["edit"], 100 * table["f1@10"]], abs=0.11
    )


def test_any_predictions_are_compared_from_the_command_line(project, trained, beside):
    said = run(project, "lib.compare", "--params", "params/breakfast.yaml")
    assert {line.split()[0] for line in said.splitlines()[2:]} == {"gaussian", "asformer_public"}
    lost = call(project, "lib.compare", "--params", "params/breakfast.yaml", "mine")
    assert lost.returncode == 2 and lost.stderr.startswith("error: ") and "predictions/mine/split_1" in lost.stderr
    assert lost.stderr.count("\n") == 1


def test_the_notebook_in_readme_runs_and_the_method_is_in_table_ten(project, trained, beside):
    run(project, "lib.run", "notebooks/2_3_4_gaussian.py", "--params", "params/breakfast.yaml")
    run(project, "lib.run", "notebooks/3_conclusion.py", "--params", "params/breakfast.yaml")
    own = pd.read_csv(trained / "tables" / "table_gaussian.csv").set_index("method")
    ten = pd.read_csv(trained / "tables" / "table_10.csv").set_index("method")
    assert ten.loc["gaussian", "accuracy"] == pytest.approx(own.loc["gaussian", "accuracy"] / 100, abs=1e-4)
    assert np.isnan(ten.loc["gaussian", "thesis"]) and np.isfinite(ten.loc["gaussian", "segments"])


def test_the_notebook_in_readme_keeps_the_rules(project):
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_notebooks.py")


def test_a_new_chapter_trains_nothing_again():
    """A training's key holds the modules that make it; what one edits to add a chapter is not among them."""
    edited = {name for name, _ in re.findall(r"^# (lib/\w+\.py), .*\n(.*)$", LINES, re.MULTILINE)}
    for name in ("segment", "finetune", "recipes", "controlled", "features", "s3d_features", "mil_nce"):
        made_by = {str(file.relative_to(ROOT)) for file in imported_modules(ROOT / "lib" / f"{name}.py")}
        assert len(made_by) > 5 and not edited & made_by, name
