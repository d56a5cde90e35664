"""From rendered, narrated videos to a pre-trained model: S3D on narrations, features, packs, runs, the experiment."""

import json
import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from golden_weights import GOLDEN
from resume import contents
from safetensors.torch import load_file

from lib.backbones import labelled_clips, mil_nce
from lib.backbones.mil_nce import DecodedVideos, train_s3d
from lib.backbones.s3d import words_of
from lib.backbones.s3d_features import FeatureSetError, feature_set, make_features, open_pack, sample_scores
from lib.core.checkpoints import WeightsError
from lib.core.devices import single_process
from lib.core.params import ParameterError, load
from lib.core.paths import Outputs
from lib.data.facts import said_and_done, script_facts
from lib.data.narrated import read_list
from lib.data.profile import Profile
from lib.demo.narrated import render_narrated
from lib.demo.videos import render
from lib.pretraining.experiment import at_equal, compare, difference, findings, run_experiment
from lib.pretraining.recipes import (
    load_pretrained,
    prepare,
    recipe_histories,
    recipe_history,
    run_folder,
    run_recipe,
    transfer_of,
)

PARAMS = load("params/smoke.yaml", ["narration.videos=10", "narration.validation=2"])
SUPPLIED = PARAMS.model_copy(update={"data": PARAMS.data.model_copy(update={"source": "files"})})


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Outputs:
    out = Outputs(str(tmp_path_factory.mktemp("multimodal")))
    render(PARAMS.demo, out.data, 1)
    render_narrated(PARAMS.demo, PARAMS.narration, out.narrated, 1)
    make_features(Profile(PARAMS, out))
    return out


def test_a_finished_s3d_is_loaded_without_decoding(out, monkeypatch):
    monkeypatch.setattr(mil_nce, "DecodedVideos", lambda *_: pytest.fail("decoded again"))
    monkeypatch.setattr(labelled_clips, "kept_clips", lambda *_: pytest.fail("rendered again"))
    sections = (PARAMS.demo, PARAMS.s3d, PARAMS.mil_nce, PARAMS.videoclip)
    net, words, history = train_s3d(out.narrated, *sections, out.weights / "s3d")
    assert not net.training and len(words) > 50 and np.isfinite(history.to_numpy()).all()
    trained = load_file(out.weights / "s3d" / "weights.safetensors")
    assert "net.text_module.word_embd.weight" not in trained, "word vectors do not learn"
    assert torch.equal(net.fc.weight, trained["net.fc.weight"])


def test_several_clips_of_a_video_and_the_captions_nearest_to_each(out):
    settings = PARAMS.mil_nce.model_copy(update={"batch": 6, "per_video": 3, "candidates": 2})
    corpus = DecodedVideos(out.narrated, read_list(out.narrated, "train"), words_of(["one two"]), settings)
    for number, caption in enumerate(corpus.numbers):  # so that a caption's words identify video and place
        corpus.numbers[number] = torch.stack([torch.tensor([number, place]) for place in range(len(caption))])
    torch.manual_seed(3)
    clips, captions = corpus.draw()
    assert clips.shape == (6, settings.frames, 64, 64, 3) and captions.shape == (12, 2)
    videos = captions.view(6, 2, 2)[:, :, 0]
    assert (videos == videos[:, :1]).all(), "candidates are of the clip's own video"
    assert videos[:3].unique().numel() == 1 and videos[3:].unique().numel() == 1
    places = captions.view(6, 2, 2)[:, :, 1].float().mean(dim=1)
    assert (places[:3].diff() >= 0).all() and (places[3:].diff() >= 0).all(), "clips follow one another in time"


def test_features_of_both_kinds_of_videos(out):
    for layer, dim in (("mixed_5c", None), ("video_embedding", PARAMS.s3d.embedding_dim)):
        pack = open_pack(Profile(PARAMS, out), layer, "train")
        assert tuple(pack.videos) == read_list(out.narrated, "train")
        assert pack.feature_set == feature_set(layer, PARAMS.s3d) and dim in (None, pack.feature_dim)
        target = np.load(out.data / "features" / pack.feature_set / "rgb-01-1.npy")
        assert target.shape[0] == pack.feature_dim and target.dtype == np.float16
        for number in range(len(pack)):
            assert len(pack.track(number).start) > 0 and len(pack.features(number)) > 0


def test_scores_of_the_trained_net(out):
    scores = sample_scores(Profile(PARAMS, out), clips=2)
    assert scores.shape == (2, 2 * PARAMS.mil_nce.candidates) and np.isfinite(scores).all()


def test_a_recipe_ends_with_a_model_that_knows_its_features(out):
    with pytest.raises(WeightsError, match="no finished pre-training; run 2_5"):
        load_pretrained(Profile(PARAMS, out), "one_cluster")
    history = recipe_histories(Profile(PARAMS, out), ["one_cluster"])["one_cluster", 0]
    assert np.isfinite(history.iloc[1:].to_numpy()).all() and history["zero_shot"].between(0, 100).all()
    assert history["update"].iloc[0] == 0, "the untrained model stands beside it"
    ready = load_pretrained(Profile(PARAMS, out), "one_cluster")
    assert ready.feature_set == feature_set("mixed_5c", PARAMS.s3d) and not ready.model.training
    features = torch.zeros(1, 3, ready.model.input_dim)
    assert ready.model.encode_video(features, torch.ones(1, 3, dtype=torch.bool)).isfinite().all()
    repeated = load_pretrained(Profile(PARAMS, out), "one_cluster").further[1]
    assert not torch.equal(*(model.mlp.linear1.weight for model in (ready.model, repeated)))
    again = transfer_of(Profile(PARAMS, out), "mixed_5c")(ready.model)
    assert again["zero_shot"] == pytest.approx(history["zero_shot"].iloc[-1])


def test_a_notebook_does_not_start_a_real_pretraining(out):
    with pytest.raises(ParameterError, match="no finished pre-training; run `torchrun"):
        recipe_history(Profile(SUPPLIED, out), "public")


def test_a_notebook_reads_a_real_pretraining_without_its_corpus(out, tmp_path):
    """Also after a change of the code; one of other settings it refuses, and changes no file of either."""
    made = run_recipe(Profile(PARAMS, out), "own", single_process())
    elsewhere = Outputs(str(tmp_path / "elsewhere"))
    folder = shutil.copytree(run_folder(out, "own"), run_folder(elsewhere, "own"))
    before = contents(folder)
    pd.testing.assert_frame_equal(recipe_history(Profile(SUPPLIED, elsewhere), "own"), made)
    other = SUPPLIED.pretrain.model_copy(update={"learning_rate": 0.5})
    with pytest.raises(ParameterError, match=r"pre-trained with pretrain.learning_rate \S+, not 0.5; write that into"):
        recipe_history(Profile(SUPPLIED.model_copy(update={"pretrain": other}), elsewhere), "own")
    assert contents(folder) == before


def test_too_few_videos_for_an_update_is_said_before_anything_runs(out):
    with pytest.raises(ParameterError, match="make 4 clusters of 2, fewer than the 8 of one update"):
        run_recipe(Profile(PARAMS, out), "public", single_process())


def test_missing_features_of_the_target_are_named_before_anything_is_packed(out, tmp_path):
    elsewhere = Outputs(str(tmp_path / "elsewhere"))
    shutil.copytree(out.data, elsewhere.data, ignore=shutil.ignore_patterns("videos"))
    lost = max((elsewhere.data / "features" / feature_set("mixed_5c", PARAMS.s3d)).iterdir())
    lost.unlink()
    with pytest.raises(FeatureSetError, match=f"{lost.name}: missing; run 2_4"):
        run_recipe(Profile(PARAMS, elsewhere), "own", single_process())
    assert not elsewhere.packed.exists()


def test_a_run_whose_packs_change_leaves_no_weights(out, tmp_path):
    elsewhere = Outputs(str(tmp_path / "elsewhere"))
    shutil.copytree(out.root, elsewhere.root, ignore=shutil.ignore_patterns("videos", "runs"))
    profile, folder = Profile(PARAMS, elsewhere), tmp_path / "run"
    recipe = PARAMS.pretrain.recipes["own"]
    run = prepare(profile, recipe, PARAMS.pretrain, folder, single_process(), seed=1)
    for note in elsewhere.packed.rglob("note.json"):
        note.write_text(note.read_text() + " ")
    with pytest.raises(ParameterError, match="packed anew since this run began"):
        run.run()
    assert not list(folder.glob("*.safetensors"))


def test_transfer_to_features_made_in_another_way_is_refused(out):
    sets = {"mixed_5c": "howto100m_s3d_features", "video_embedding": "other"}
    supplied = PARAMS.model_copy(
        update={
            "data": PARAMS.data.model_copy(update={"source": "files", "roots": (str(out.data),)}),
            "howto100m": PARAMS.howto100m.model_copy(update={"features": sets, "accept": {}}),
        }
    )
    with pytest.raises(FeatureSetError, match="'howto100m_s3d_features' and cannot be given 's3d_mixed_5c"):
        transfer_of(Profile(supplied, out), "mixed_5c")


def test_the_published_checkpoint_stands_for_a_recipe(out, tmp_path):
    """A file of its form with bert-base's sizes, filled with one small number."""
    names = json.loads((GOLDEN / "videoclip_keys.json").read_text())["keys"]
    state = {f"mmmodel.{name}": torch.full(shape, 0.01, dtype=torch.float16) for name, shape, _ in names}
    torch.save({"model": state, "extra_state": {"epoch": 3}}, tmp_path / "checkpoint_best.pt")
    recipe = PARAMS.pretrain.recipes["public"].model_copy(update={"weights": str(tmp_path / "checkpoint_best.pt")})
    recipes = PARAMS.pretrain.model_copy(update={"recipes": {"public": recipe}})
    ready = load_pretrained(Profile(PARAMS.model_copy(update={"pretrain": recipes}), out), "public")
    assert ready.model.input_dim == 512 and ready.feature_set == PARAMS.howto100m.features["video_embedding"]
    assert len(ready.model.text.encoder.layer) == 12 and len(ready.model.video.encoder.layer) == 6


def test_the_corpus_is_described_by_its_files(out):
    facts = script_facts(out.narrated)
    assert 0 < facts["filler, %"] < 60 and 0 <= facts["filler that the rule finds, %"] <= 100
    rows = said_and_done(out.narrated, read_list(out.narrated, "train")[0])
    assert (rows["end, s"] > rows["start, s"]).all() and not rows["done then"].str.contains("nothing").any()


def histories() -> pd.DataFrame:
    """C = 1 makes 4 updates an epoch, C = 4 makes one; C = 4 is 1 better at equal pairs and 3 at equal updates."""
    rows = []
    for (seed, luck), (clusters, per_epoch), epoch in product(enumerate((0.0, 1.0, 5.0)), ((1, 4), (4, 1)), range(5)):
        gain = epoch * (1.0 if clusters == 1 else 1.25)
        rows.append((clusters, "fresh", seed, epoch * per_epoch, epoch * 32, *[luck + gain] * 3))
    scores = ["zero_shot", "random_loss", "hard_loss"]
    return pd.DataFrame(rows, columns=["clusters", "negatives", "seed", "update", "pairs", *scores])


def test_variants_are_compared_at_equal_updates_and_at_equal_pairs():
    table = histories()
    assert at_equal(table, "update")["update"].unique().tolist() == [4]
    assert at_equal(table, "pairs")["pairs"].unique().tolist() == [128]
    mean, half = difference(table, "zero_shot", (1, "fresh"), (4, "fresh"), "pairs")
    assert (mean, half) == (pytest.approx(1), pytest.approx(0))
    assert difference(table, "zero_shot", (1, "fresh"), (4, "fresh"), "update")[0] == pytest.approx(4)
    rows = compare(table, "update").set_index("clusters")
    assert rows.loc[1, "pairs"] == 32 and rows.loc[4, "pairs"] == 128
    assert rows.loc[1, "zero_shot"] == pytest.approx(1 + 2) and rows.loc[1, "zero_shot ±"] > 5


def test_runs_are_compared_where_all_were_measured():
    table = histories()
    earlier = table[~((table["clusters"] == 4) & (table["update"] == 4))]
    with pytest.raises(ValueError, match="no update number at which all runs were measured"):
        at_equal(earlier, "update")
    assert at_equal(earlier, "pairs")["pairs"].unique().tolist() == [96]


def test_the_runs_of_the_recipes_are_those_of_the_experiment(out):
    """One grid: the comparison trains no recipe again, and one seed gives no interval."""
    profile = Profile(PARAMS.model_copy(update={"data": PARAMS.data.model_copy(update={"repeats": 1})}), out)
    recipes = [recipe_history(profile, name) for name in ("one_cluster", "own")]
    trained = {file: file.stat().st_mtime_ns for file in (out.root / "runs").rglob("weights.safetensors")}
    found = run_experiment(profile, workers=1)
    assert found["clusters"].unique().tolist() == [1, 4] and found["negatives"].unique().tolist() == ["fresh", "stale"]
    for history, clusters in zip(recipes, (1, 4), strict=True):
        part = found[(found["clusters"] == clusters) & (found["negatives"] == "fresh")]
        np.testing.assert_array_equal(part["zero_shot"], history["zero_shot"])
    assert {file: file.stat().st_mtime_ns for file in trained} == trained
    assert "in one run each, inconclusive" in next(findings(found, PARAMS))
