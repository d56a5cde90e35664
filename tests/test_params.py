"""Profiles are strict: what is wrong is said in one line, at once, and nothing is written."""

import json
import math
import os
from functools import partial
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib import schedule
from lib.batch.requirements import unable
from lib.core.chapters import CHAPTERS, atoms, needs
from lib.core.params import ParameterError, load
from lib.core.paths import ROOT, Outputs
from lib.data.dataset import write_data_set
from lib.data.profile import Profile
from lib.run import main as run
from lib.scoring.published import SPLITS

PROFILES = sorted(path.stem for path in (ROOT / "params").glob("*.yaml") if path.stem not in {"published", "sources"})


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("asformer:\n  epoch: 3\n", "mine.yaml: unknown key 'asformer.epoch'; the nearest valid key is 'epochs'"),
        ("asfromer:\n  epochs: 3\n", "mine.yaml: unknown key 'asfromer'; the nearest valid key is 'asformer'"),
        ("asformer:\n  epochs: many\n", "'asformer.epochs': Input should be a valid integer"),
        ("asformer:\n  epochs: 0\n", "'asformer.epochs': Input should be greater than 0, got 0"),
        ("asformer:\n  channel_mask: 1.0\n", "'asformer.channel_mask': Input should be less than 1"),
        ("asformer: {attention_band: wide}\n", "'asformer.attention_band': Input should be 'published' or 'thesis'"),
        ("asformer: 3\n", "'asformer'"),
        ("data:\n  source: demo\n  splits: 4\n", "mine.yaml: data: splits: the demo has 5, got 4"),
        ("data:\n  splits: 4\n", "mine.yaml: controls.splits names split 5, but data.splits is 4"),
        ("i3d:\n  window: 4\n", "mine.yaml: i3d: window must be odd and at least 3, got 4"),
        ("videoclip: {text_layers: 6, video_layers: 7}\n", "videoclip: video_layers is larger than text_layers"),
        ("mil_nce: {frames: 7}\n", "'mil_nce.frames': Input should be a multiple of 2, got 7"),
        ("- a\n- b\n", "expected `key: value` lines"),
        ("a: [\n", "not YAML"),
        ("", "expected `key: value` lines"),
        ("asformer:\n  learning_rate: .nan\n", "'asformer.learning_rate'"),
        ("asformer: {epochs: 3}\nasformer: {epochs: 4}\n", "line 2: the key 'asformer' occurs twice"),
        ("asformer:\n  epochs: 3\n  epochs: 3\n", "line 3: the key 'epochs' occurs twice"),
        ("asformer: {epochs: yes}\n", "'asformer.epochs': Input should be a valid integer, got 'yes'"),
        ("asformer: {epochs: '3'}\n", "'asformer.epochs': Input should be a valid integer, got '3'"),
        ("asformer: {standardize: on}\n", "'asformer.standardize': Input should be a valid boolean, got 'on'"),
        ("data: {fps: true}\n", "'data.fps': Input should be a valid number, got True"),
        ("data: {fps: 1:30}\n", "'data.fps': Input should be a valid number, got '1:30'"),
        ("i3d: {mean: .inf}\n", "'i3d.mean': Input should be a valid number"),
        ("i3d: {mean: 1e999}\n", "mine.yaml: holds a number or a character that JSON cannot"),
        ('title: "\\uD800"\n', "mine.yaml: holds a number or a character that JSON cannot"),
        ("data: {splits: 100000000}\n", "'data.splits': Input should be less than or equal to 1000"),
        ("title: &a [x]\nnotice: *a\n", "line 1: profiles have no tags, anchors or aliases"),
        ("title: !!int abc\n", "line 1: profiles have no tags, anchors or aliases"),
        (f"title: {'[' * 1000}{']' * 1000}\n", "too deeply nested"),
        (f"title: {'x' * 200_000}\n", "over 100 kB"),
        (f"asformer: {{epochs: {'x' * 9000}}}\n", "'asformer.epochs'"),
        ("1: 2\n", "line 1: the key 1 is not a string"),
        ("pretrain: {recipes: {own: {epoch: 1}}}\n", "'pretrain.recipes.own.epoch'; the nearest valid key is 'epochs'"),
        ("notebooks: []\n", "mine.yaml: notebooks: expected some of 2_1_datasets, "),
        ("notebooks: [nope]\n", "mine.yaml: notebooks: expected some of 2_1_datasets, "),
        ("notebooks: [2_1_datasets, 2_1_datasets]\n", ", each once"),
        ("asformer: {epochs: 100000000000000000}\n", "'asformer.epochs': Input should be less than or equal to 10"),
        ("asformer: {seed: -1}\n", "'asformer.seed': Input should be greater than or equal to 0, got -1"),
        ("zero_shot: {seeds: [0, 4294967296]}\n", "'zero_shot.seeds.1': Input should be less than 4294967296"),
        ("sensor_pairs: {clusters_per_update: []}\n", "clusters_per_update': Tuple should have at least 1"),
        ("data: {own_features: ../../etc}\n", "'data.own_features': String should match pattern"),
        ("data: {public_features: /etc}\n", "'data.public_features': String should match pattern"),
    ],
)
def test_bad_profiles_are_named(tmp_path, text, message):
    with pytest.raises(ParameterError) as caught:
        load(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_words_and_numbers_are_those_of_yaml_1_2(tmp_path):
    params = load(
        write(tmp_path, "title: no\nasformer: {epochs: 010, learning_rate: 1e-4}\ndata: {ignore: [no, 1:30]}\n")
    )
    assert (params.title, params.asformer.epochs, params.asformer.learning_rate) == ("no", 10, 1e-4)
    assert params.data.ignore == ("no", "1:30")


def test_a_missing_profile_lists_those_that_exist():
    with pytest.raises(ParameterError, match=r"demo\.yaml"):
        load("params/none.yaml")


def test_overrides_are_laid_over_the_profile():
    assert load("params/demo.yaml", ["asformer.epochs=3"]).asformer.epochs == 3
    assert load("params/demo.yaml", ["asformer.learning_rate=5e-4"]).asformer.learning_rate == 5e-4
    for wrong in ("asformer.epochs=[", "asformer.epochs", "asformer.epochs.x=1", "asformer=3", "=3"):
        with pytest.raises(ParameterError):
            load("params/demo.yaml", [wrong])


@pytest.mark.parametrize("text", ["asformer: {epoch: 1}\n", "data: {source: files, roots: [no/where]}\n"])
def test_a_profile_that_cannot_be_used_ends_a_command_at_once(text, tmp_path, monkeypatch, capsys):
    named = ["--params", str(write(tmp_path, text))]
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the handlers of a schedule are not for pytest
    for command in (partial(run, ["notebooks/2_1_datasets.py", *named]), partial(schedule.main, named)):
        assert command() == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and said.count("\n") == 1
    assert not Outputs("mine").root.exists()


@pytest.mark.parametrize(
    ("notebook", "lacking", "not_its_own"),
    [
        ("2_3_1_public_features", ["data/splits", "data/features"], ["videos"]),
        ("2_3_3_baseline", ["data/splits", "needs 2.3.2, which cannot run"], ["videos"]),
        ("2_6_pretrain_many_clusters", ["needs 2.4", "runs/videoclip_own", "checkpoint_best.pt"], ["s3d_dict.npy"]),
    ],
)
def test_what_a_notebook_lacks_is_named_at_once(notebook, lacking, not_its_own, tmp_path, capsys):
    (tmp_path / "data" / "groundTruth").mkdir(parents=True)
    (tmp_path / "data" / "mapping.txt").touch()
    profile = write(tmp_path, f"data:\n  source: files\n  roots: [{tmp_path / 'data'}]\n")
    assert run([f"notebooks/{notebook}.py", "--params", str(profile)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {notebook}: missing ") and said.count("\n") == 1
    assert said.endswith(f"`python -m lib.check --params {profile}` says where to get it\n")
    assert all(name in said for name in lacking), said
    reason = said.removesuffix(f"{profile}` says where to get it\n")
    assert not any(name in reason for name in not_its_own), said
    assert not Outputs("mine").root.exists()


@pytest.mark.parametrize(
    ("mapping", "notebooks", "message"),
    [
        (None, list(CHAPTERS), "data set: missing "),
        ("1 a\n", list(CHAPTERS), "data set: {root}/mapping.txt: class numbers must run from 0"),
        ("0 a\n", ["2_3_1_public_features", "3_conclusion"], "no chapter can run; missing {root}/features; "),
    ],
)
def test_no_report_without_a_data_set_or_a_chapter(mapping, notebooks, message, tmp_path):
    root = tmp_path / "data"
    write_data_set(root, ["a"], {"v1": [0, 0], "v2": [0, 0]}, {split: ["v2"] for split in SPLITS})
    (root / "mapping.txt").unlink() if mapping is None else (root / "mapping.txt").write_text(mapping)
    profile = write(tmp_path, f"data: {{source: files, roots: [{root}]}}\nnotebooks: [{', '.join(notebooks)}]\n")
    params, out = load(profile), Outputs("mine")
    with pytest.raises(ParameterError) as caught:
        unable(Profile(params, out, str(profile)))
    line = str(caught.value)
    assert line.startswith(tuple(message.format(root=path) for path in (root, os.path.relpath(root, ROOT)))), line
    assert line.endswith("says where to get it") and "\n" not in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["notebooks/9_9_none.py"], "no such notebook"),
        (["notebooks/2_1_datasets.py", "--set", "asformer.epoch=1"], "unknown key 'asformer.epoch'"),
        (["notebooks/2_1_datasets.py", "--split", "2"], "has no splits"),
        (["notebooks/2_3_3_baseline.py", "--params", "params/50salads_scores.yaml"], "not a chapter of"),
        (["notebooks/2_3_3_baseline.py", "--split", "6"], "--split 6: params/demo.yaml has splits 1 to 5, and all"),
    ],
)
def test_notebook_and_split_are_checked(arguments, message, capsys):
    assert run(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("profile", PROFILES)
def test_the_graph_of_a_profile_can_be_run(profile):
    """The profile is valid, every need is one of its atoms, and nothing waits for itself."""
    params = load(f"params/{profile}.yaml")
    todo = set(atoms(params))
    done: set = set()
    while todo:
        ready = {atom for atom in todo if set(needs(atom, params)) <= done}
        assert ready, f"a circle, or a need that is not in the profile: {todo}"
        done |= ready
        todo -= ready


def places(tree: dict, above: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Path to every key of a tree -> its value."""
    found: dict[tuple[str, ...], object] = {}
    for key, value in tree.items():
        found[*above, key] = value
        found |= places(value, (*above, key)) if isinstance(value, dict) else {}
    return found


DEFAULTS = places(yaml.safe_load((ROOT / "params" / "defaults.yaml").read_text(encoding="utf-8")))
SURPRISES = (
    "null", "true", "no", "~", "''", "' '", "x", "3x", "-1", "0", "1", "2", "7", "-0.0", "0.5", "1e3", "1e-300",
    ".inf", "-.inf", ".nan", "010", "0x10", "1:30", "1_000", "2020-01-01", "1e999", "1" + "0" * 30, "[]", "{}", "[[]]",
    "[0]", "[1, 2]", "[1, 1]", "[a b]", "{a: 1}", "{a: {b: c}}", "../..", "/etc/passwd", "'a\\nb'", '"\\u001b[31m"',
    '"\\0"', "ä b", "<script>", "'{}'", "!!python/object:os.system", "&a 1", "*a", "x" * 5000, "[" * 60 + "]" * 60,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from(["smoke", "demo", "50salads", "50salads_sensors"]),
    path=st.sampled_from(sorted(DEFAULTS)),
    value=st.sampled_from(SURPRISES),
)
def test_a_mutated_profile_is_read_as_written_or_refused_in_one_line(tmp_path, base, path, value):
    (tmp_path / "base.yaml").write_text((ROOT / "params" / f"{base}.yaml").read_text())
    lines = ["extends: base.yaml", *("  " * depth + f"{key}:" for depth, key in enumerate(path))]
    try:
        params = load(write(tmp_path, "\n".join(lines) + f" {value}\n"))
    except ParameterError as error:
        fault = str(error)
        assert fault.isprintable() and len(fault) < 1000
        return
    found = json.loads(json.dumps(params.model_dump(mode="json"), allow_nan=False))
    for key in path:
        found = found[key]
    if isinstance(found, int | float) and not isinstance(found, bool):
        assert math.isfinite(found) and found == float(value)
