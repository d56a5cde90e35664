"""README, CONTRIBUTING and the guides: what they name exists, and their examples run in a copy of the project."""

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from report_runs import forks

from lib.core.paths import ROOT
from lib.data.dataset import write_data_set
from lib.scoring.metrics import METRICS

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "notebooks" / "guides").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
BLOCKS = {page: re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) for page, text in TEXTS.items()}
README, ADDING = ROOT / "README.md", ROOT / "notebooks" / "guides" / "adding.md"
EXAMPLES = {  # blocks that are a file of the reader's own: its name stands in their first line
    found.group(1): code
    for _, code in BLOCKS[ADDING]
    if (found := re.match(r"# ((?:lib|notebooks|params)/[\w/]+\.\w+)\n", code))
}
LINES = next(code for _, code in BLOCKS[ADDING] if code.startswith("# lib/core/chapters.py, "))
ADDED = re.findall(r"^# (lib/[\w/]+\.py), .*\n(.*)$", LINES, re.M)  # file, line to add

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


# --- names, files, forms


@each_page
def test_make_targets_exist(page):
    code = " ".join(re.findall(r"`([^`]+)`", TEXTS[page])) + "".join(block for _, block in BLOCKS[page])
    targets = set(re.findall(r"\bmake ([a-z]+)", code))
    assert targets <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))


@each_page
def test_files_and_modules_exist(page):
    files = set(re.findall(r"(?<![\w./<>-])((?:lib|notebooks|params|tests)/[\w/]+\.\w+)", TEXTS[page]))
    files |= set(re.findall(r"`([A-Z]+\.(?:md|cff)|[\w.]+\.(?:toml|yml|lock)|\.ci/\w+)`", TEXTS[page]))
    missing = {name for name in files - set(EXAMPLES) if not (ROOT / name).exists()}
    modules = set(re.findall(r"\blib(?:\.[a-z_]\w*)+", TEXTS[page]))
    missing |= {name for name in modules if f"{name.replace('.', '/')}.py" not in EXAMPLES and not defined(name)}
    assert not missing and (files or page.stem == "bibliography")


def defined(name: str) -> bool:
    """Whether a dotted name is a module or package of lib/, or a name in one."""
    path, parent = ROOT / name.replace(".", "/"), name.rpartition(".")[0]
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    return path.parent.with_suffix(".py").exists() and hasattr(importlib.import_module(parent), path.name)


@each_page
def test_links_lead_to_files_and_headings(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", TEXTS[page]):
        linked = (page.parent / target).resolve() if target else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", TEXTS[linked], re.M)
            assert anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@each_page
def test_tables_have_no_gap(page):
    """A line with cells begins with a heading and a rule, or goes on from the line above."""
    lines = TEXTS[page].splitlines()
    for above, line, below in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line.startswith("|") and not above.startswith("|"):
            assert re.fullmatch(r"[|-]+", below), line


@each_page
def test_blocks_are_valid(page):
    for language, code in BLOCKS[page]:
        if language == "bash":
            checked = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
            assert checked.returncode == 0, checked.stderr
        elif language == "yaml":
            yaml.safe_load(code)
        elif language == "python" and code != LINES:
            ast.parse(code)


def test_readme_and_contributing_stay_short():
    assert len(TEXTS[README].splitlines()) <= 150
    assert len(TEXTS[ROOT / "CONTRIBUTING.md"].splitlines()) <= 60


def test_citation_licence_and_changelog():
    """The Citation File Format's keys and types; version and authors are those of the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["cff-version"] == "1.2.0" and {"message", "title", "license"} <= set(citation)
    assert citation["authors"] == [{"name": f"The contributors of {project['name']}"}]
    assert citation["version"] == project["version"]
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year"} <= set(reference) and isinstance(reference["year"], int)
        assert all(set(author) == {"family-names", "given-names"} for author in reference["authors"])
    assert f"the contributors of {project['name']}" in (ROOT / "LICENSE").read_text()
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changes and project["version"] in changes


# --- the worked examples: a data set like Breakfast, a method, its notebook


CLASSES = ("SIL", "take_bowl", "pour_cereals", "pour_milk", "stir_cereals")
PEOPLE = ("P03", "P04", "P05", "P06")  # one per split


def small_breakfast(root: Path) -> None:
    """Eight videos in four splits by person, features (16, T) of which each class moves one channel."""
    random, labels = np.random.default_rng(2), {}
    (root / "features").mkdir(parents=True)
    for video in (video for person in PEOPLE for video in videos_of(person)):
        order = [0, *random.permutation(np.arange(1, 5)), 0]
        labels[video] = np.repeat(order, random.integers(8, 16, len(order)))
        features = random.standard_normal((16, len(labels[video]))) + 4 * np.eye(16)[:, labels[video]]
        np.save(root / "features" / f"{video}.npy", features.astype(np.float32))
    write_data_set(root, CLASSES, labels, {number: videos_of(person) for number, person in enumerate(PEOPLE, 1)})


def videos_of(person: str) -> list[str]:
    return [f"{person}_{camera}_{person}_cereals" for camera in ("cam01", "webcam02")]


def insert(file: Path, before: str, line: str) -> None:
    text = file.read_text()
    assert len(re.findall(before, text, re.M)) == 1, f"{file.name}: {before}"
    file.write_text(re.sub(before, lambda found: f"    {line}\n{found.group()}", text, flags=re.M))


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project with the data set and the guide's profile (a small model), method, notebook and lines."""
    root = tmp_path_factory.mktemp("docs") / "project"
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
    (root / "tests").mkdir()
    for name in ("tests/test_notebooks.py", "tests/test_rooms.py", "Snakefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    small_breakfast(root / "data" / "breakfast")
    for name, code in EXAMPLES.items():
        (root / name).write_text(code if name.endswith(".yaml") else code.partition("\n")[2])
    profile = yaml.safe_load(EXAMPLES["params/breakfast.yaml"])
    small = {"num_layers": 3, "num_maps": 8, "num_decoders": 1, "epochs": 4, "test_every": 4, "learning_rate": 5e-3}
    profile["asformer"] |= small
    profile["notebooks"] += ["2_3_4_gaussian", "3_conclusion"]
    (root / "params" / "breakfast.yaml").write_text(yaml.safe_dump(profile))
    places = (
        r'^    (?:VIDEOCLIP|"2_4_videoclip"): Chapter\(',
        r"^\)(?=\n\n\ndef _trained)",
        r'^    "baseline": "asformer_own"',
    )
    for (name, line), before in zip(ADDED, places, strict=True):
        insert(root / name, before, line)
    return root


@pytest.fixture(scope="module")
def call(project) -> Iterator[Callable[..., subprocess.CompletedProcess]]:
    with forks(project) as call:
        yield call


@pytest.fixture(scope="module")
def run(call) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = call(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def trained(project, run) -> Path:
    run("lib.run", "notebooks/2_3_1_public_features.py", "--params", "params/breakfast.yaml")
    return project / "outputs" / "breakfast"


@pytest.fixture(scope="module")
def compared(run, trained) -> dict[str, list[float]]:
    """Method -> its scores, as printed after the guide's method has run."""
    run("lib.beyond.gaussian", "params/breakfast.yaml")
    printed = run("lib.compare", "--params", "params/breakfast.yaml")
    return {line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in printed.splitlines()[2:]}


def test_the_profile_is_checked_with_four_splits(run):
    said = run("lib.check", "--params", "params/breakfast.yaml")
    assert "5 of 5 chapters can run" in said
    assert not re.search(r"^(missing|unusable)", said, re.MULTILINE)


def test_a_split_too_few_or_too_many_is_named_before_anything_runs(project, call):
    extra = project / "data" / "breakfast" / "splits" / "test.split5.bundle"
    extra.write_text("P03_cam01_P03_cereals.txt\n")
    try:
        checked = call("lib.check", "--params", "params/breakfast.yaml")
        assert checked.returncode == 1 and "test.split5.bundle: extra, data.splits is 4" in checked.stdout
        for splits, message in ((4, "test.split5.bundle: extra"), (6, "test.split6.bundle: missing")):
            options = ("--params", "params/breakfast.yaml", "--set", f"data.splits={splits}")
            done = call("lib.run", "notebooks/2_1_datasets.py", *options)
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
        assert written == videos_of(person)


def test_people_are_read_from_breakfasts_names(run, trained):
    run("lib.run", "notebooks/2_1_datasets.py", "--params", "params/breakfast.yaml")
    splits = pd.read_csv(trained / "tables" / "table_splits.csv")
    assert splits["people tested"].tolist() == list(PEOPLE)
    numbers = pd.read_csv(trained / "tables" / "table_datasets.csv").set_index("quantity")
    assert numbers.loc["people", "Breakfast"] == 4


def test_the_method_stands_beside_asformer(trained, compared):
    assert set(compared) == {"gaussian", "asformer_public"}
    assert compared["gaussian"][0] > 90, "the features determine the classes"
    table = pd.read_csv(trained / "tables" / "table_01.csv").set_index("split").loc["mean"]
    expected = [100 * table["accuracy"], table["edit"], 100 * table["f1@10"]]
    assert compared["asformer_public"][:3] == pytest.approx(expected, abs=0.11)


def test_a_method_without_predictions_is_named(call, trained):
    lost = call("lib.compare", "--params", "params/breakfast.yaml", "mine")
    assert lost.returncode == 2 and lost.stderr.startswith("error: ") and "predictions/mine/split_1" in lost.stderr
    assert lost.stderr.count("\n") == 1


def test_the_notebook_runs_and_the_method_is_in_table_ten(run, trained, compared):
    run("lib.run", "notebooks/2_3_4_gaussian.py", "--params", "params/breakfast.yaml")
    run("lib.run", "notebooks/3_conclusion.py", "--params", "params/breakfast.yaml")
    own = pd.read_csv(trained / "tables" / "table_gaussian.csv").set_index("method")
    ten = pd.read_csv(trained / "tables" / "table_10.csv").set_index("method")
    assert ten.loc["gaussian", "accuracy"] == pytest.approx(own.loc["gaussian", "accuracy"] / 100, abs=1e-4)
    assert np.isnan(ten.loc["gaussian", "thesis"]) and np.isfinite(ten.loc["gaussian", "segments"])


def test_the_examples_keep_the_house_rules(project):
    rules = ("tests/test_notebooks.py", "tests/test_rooms.py", "-k", "gaussian or every_notebook or few_files")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rules]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_new_chapter_trains_nothing_again():
    """No module that the guide tells the reader to edit is hashed by a training's key."""
    edited = {".".join(Path(name).with_suffix("").parts[1:]) for name, _ in ADDED}
    keyed = json.loads((ROOT / "tests" / "keys.json").read_text())
    assert edited and all(not edited & {*importlib.import_module(f"lib.{name}").MADE_BY} for name in keyed)
