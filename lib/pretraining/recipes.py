"""Pre-trainings of a profile: their data, initial weights and identity, and what a finished one left (thesis 2.5, 2.6).

In the demo, the notebooks train. Otherwise `python -m lib.pretrain` does, for weeks and perhaps on many devices, and
the notebooks read the finished run, for which the narrated videos need not be present.
"""

import socket
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig

from lib.backbones.s3d_features import PARTS, narrated_set, open_pack, pack_narrated
from lib.backbones.text import tokenizer
from lib.core.checkpoints import WeightsError, digest, load_trained, read_weights, saved_state
from lib.core.devices import Group, single_process
from lib.core.files import key, read_json, write_json, write_text
from lib.core.params import ParameterError
from lib.core.paths import ROOT, Outputs
from lib.core.processes import cores, spread
from lib.core.settings import Params, Pretrain, Recipe, RecipeName, S3DLayer
from lib.core.training import TRAINER, Row
from lib.data.profile import Profile
from lib.pretraining.loop import Pretraining
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import open_target
from lib.videoclip.towers import Pretrained, build_videoclip
from lib.videoclip.zero_shot import prompts, second_accuracy

MADE_BY = (
    "backbones.text",
    "data.dataset",
    "data.packs",
    "pretraining.clusters",
    "pretraining.loop",
    "pretraining.pairs",
    "pretraining.recipes",
    "scoring.labels",
    "scoring.metrics",
    "scoring.seconds",
    "videoclip.model",
    "videoclip.packed_rows",
    "videoclip.target",
    "videoclip.towers",
    "videoclip.windows",
    "videoclip.zero_shot",
    *TRAINER,
)

# settings that change no number
WITHOUT_EFFECT = ("workers", "gradient_checkpointing")
PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM = 6, 512


def recipe_of(profile: Profile, name: str) -> Recipe:
    """Find a recipe of the profile. Raises ParameterError: no such recipe."""
    if name not in profile.params.pretrain.recipes:
        raise ParameterError(f"--recipe {name}: pretrain.recipes has: {', '.join(profile.params.pretrain.recipes)}")
    return profile.params.pretrain.recipes[name]


def published_weights(recipe: Recipe) -> Path | None:
    """Path of the published checkpoint that a recipe names; None if it is not on this machine."""
    path = None if recipe.weights is None else ROOT / recipe.weights
    return path if path is not None and path.exists() else None


def load_pretrained(profile: Profile, name: RecipeName) -> Pretrained:
    """Load the finished runs of a recipe, or the published checkpoint in their place.

    Only the demo's pre-trainings are repeated.

    Raises WeightsError: neither exists, or the checkpoint is of another model.
    """
    recipe = profile.params.pretrain.recipes[name]
    if published := published_weights(recipe):
        model = VideoCLIP(BertConfig(), PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM)
        model.load_mmpt(read_weights(published, "model", "download it from MMPT's page"))
        return Pretrained(model.eval(), "video_embedding", profile.params.howto100m.features["video_embedding"])
    repeats = profile.repeats if profile.params.data.source == "demo" else range(1)
    (model, feature_set), *further = (_load(profile, name, repeat) for repeat in repeats)
    return Pretrained(model, recipe.features, feature_set, {number: one for number, (one, _) in enumerate(further, 1)})


def _load(profile: Profile, name: str, repeat: int) -> tuple[VideoCLIP, str]:
    """Load the model of a finished run, and the name of its feature set."""
    folder = run_folder(profile.out, name, repeat)
    if not (folder / "videoclip.json").exists():
        raise WeightsError(
            f"{folder}: no finished pre-training; run 2_5, 2_6 or `python -m lib.pretrain --recipe {name}`"
        )
    note = read_json(folder / "videoclip.json")
    model = build_videoclip(profile.params.videoclip, note["feature_dim"], profile.params.pretrain.seed)
    load_trained(model, folder / "weights.safetensors")
    return model.eval(), note["feature_set"]


def run_folder(out: Outputs, name: str, repeat: int = 0) -> Path:
    return out.root / "runs" / (f"videoclip_{name}_seed_{repeat}" if repeat else f"videoclip_{name}")


def transfer_of(profile: Profile, layer: S3DLayer) -> Callable[[VideoCLIP], Row]:
    """Return a function that measures a model's zero-shot accuracy on the target set's seconds; it chooses nothing.

    In percent. The thesis gave the raw names (`cut_tomato`) and hid [CLS]; here both towers see what they saw in
    pre-training: words, [CLS], and the same precision (`pretrain.dtype`).

    Raises FeatureSetError: the target lacks features, or they are made in another way than in the pre-training.
    """
    target = open_target(profile, layer, narrated_set(profile.params, layer))
    target.check()
    words, texts = tokenizer(profile.params.videoclip), prompts(target.dataset.classes, "words")
    dtype = getattr(torch, profile.params.pretrain.dtype)

    # read once, measured often
    @cache
    def videos(feature_dim: int) -> list[tuple[np.ndarray, np.ndarray]]:
        features = {video: target.features(video, feature_dim) for video in target.dataset.videos}
        return [(seconds, target.truth(video, len(seconds))) for video, seconds in features.items()]

    def transfer(model: VideoCLIP) -> Row:
        stride = model.max_video_len // 2
        return {"zero_shot": second_accuracy(model, words, videos(model.input_dim), texts, stride, dtype)}

    return transfer


def prepare(profile: Profile, recipe: Recipe, settings: Pretrain, folder: Path, group: Group, seed: int) -> Pretraining:
    """Prepare a pre-training: look at the target, pack the videos, build the initial model, hash what it depends on.

    Raises ParameterError: too few videos for one update, or the processes see different ones.
    """
    # first, because packing takes hours at full size
    transfer = transfer_of(profile, recipe.features)
    if group.rank == 0:
        pack_narrated(profile, recipe.features)
    group.barrier()
    keys = same_packs(profile, recipe.features, group)
    packs = {part: open_pack(profile, recipe.features, part) for part in PARTS}
    how = settings.model_dump(exclude={"recipes", *WITHOUT_EFFECT})
    values = [recipe.model_dump(exclude={"weights"}), how, profile.params.videoclip.model_dump(), seed, keys]
    run = Pretraining(
        train=packs["train"],
        validation=packs["val"],
        model=build_videoclip(profile.params.videoclip, packs["train"].feature_dim, seed),
        recipe=recipe,
        settings=settings,
        folder=folder,
        group=group,
        identity=key(values, code=MADE_BY),
        seed=seed,
        transfer=transfer,
        agree=partial(same_packs, profile, recipe.features, group, keys),
    )
    if run.updates_per_epoch == 0:
        raise ParameterError(
            f"pretrain: {len(run.train)} videos make {len(run.train) // settings.videos_per_cluster} clusters of"
            f" {settings.videos_per_cluster}, fewer than the {recipe.clusters_per_update} of one update"
        )
    same_run(run)
    return run


def same_packs(profile: Profile, layer: S3DLayer, group: Group, before: Sequence[str] | None = None) -> list[str]:
    """Read the notes of both packs, and check that all processes see the same ones.

    Raises ParameterError: a process sees others or none, and would train on other videos unnoticed; or they are no
    longer what they were `before`, when the run began.
    """
    folder = profile.out.packed / narrated_set(profile.params, layer)
    notes = [folder / part / "note.json" for part in PARTS]
    seen = [note.read_text(encoding="utf-8") if note.exists() else "" for note in notes]
    if other := differs(group, seen):
        process, notes_there = other
        fault = "sees other packs than process 0" if all(notes_there) else "sees no pack"
        raise ParameterError(f"{process} {fault} in {folder}; let all processes share that folder")
    if before is not None and seen != before:
        raise ParameterError(f"{folder}: packed anew since this run began; start it again")
    return seen


def same_run(run: Pretraining) -> None:
    """Check that processes that train together start from the same state.

    Raises ParameterError: one has other settings, code or initial weights, or sees another state of the run.
    """
    if run.group.size == 1:
        return
    kept = [saved_state(run.folder / f"{name}.safetensors") for name in ("checkpoint", "weights")]
    progress = [(state.get("key"), len(state.get("history", ()))) for state in kept]
    faults = {
        "has other settings or code than process 0; start all with the same": run.identity,
        "starts from other weights than process 0; give all the same videoclip.start": digest(run.model),
        f"sees another state of the run than process 0 in {run.folder}; let all processes share that folder": progress,
    }
    for fault, value in faults.items():
        if other := differs(run.group, value):
            raise ParameterError(f"{other[0]} {fault}")


def differs(group: Group, value: Any) -> tuple[str, Any] | None:
    """Name of the first process whose value differs from process 0's, and that value; None if all agree."""
    everywhere = group.gather((socket.gethostname(), value))
    others = ((f"process {rank} on {host}", other) for rank, (host, other) in enumerate(everywhere))
    return next(((name, other) for name, other in others if other != everywhere[0][1]), None)


def run_recipe(profile: Profile, name: str, group: Group, repeat: int = 0) -> pd.DataFrame:
    """Pre-train by a recipe into runs/videoclip_<name>, or load the finished run; returns its history.

    Repeat 0 uses the seed of the profile, each further one its number as seed.

    Raises ParameterError: no such recipe, too few videos, or a published checkpoint takes its place.
    """
    recipe, settings = recipe_of(profile, name), profile.params.pretrain
    folder = run_folder(profile.out, name, repeat)
    if published := published_weights(recipe):
        raise ParameterError(f"pretrain.recipes.{name}: {published} takes its place; move it away to train")
    run = prepare(profile, recipe, settings, folder, group, repeat or settings.seed)
    history = run.run()
    if group.rank == 0:
        write_text(folder / "curves.csv", history.to_csv(index=False))
        about = {"feature_set": run.train.feature_set, "feature_dim": run.train.feature_dim, "recipe": name}
        # last, because this file marks the run as complete
        write_json(folder / "videoclip.json", about | {"settings": settings_of(profile.params, name)})
    return history


def recipe_history(profile: Profile, name: RecipeName) -> pd.DataFrame:
    """History of a recipe's first run, for a notebook: the demo trains all repeats, otherwise a finished run is read.

    Raises ParameterError: there is no finished run (a notebook is no place for weeks of training), or its settings
    differ.
    """
    if profile.params.data.source == "demo":
        return recipe_histories(profile, [name])[name, 0]
    folder = run_folder(profile.out, name)
    again = f"`torchrun -m lib.pretrain --params {profile.shown_file} --recipe {name}`"
    if not (folder / "videoclip.json").exists():
        raise ParameterError(f"{folder}: no finished pre-training; run {again} first")
    made = read_json(folder / "videoclip.json")["settings"]
    others = [
        f"{section}.{field} {made.get(section, {}).get(field)!r}, not {value!r}"
        for section, fields in settings_of(profile.params, name).items()
        for field, value in fields.items()
        if made.get(section, {}).get(field) != value
    ]
    if others:
        raise ParameterError(
            f"{folder}: pre-trained with {'; '.join(others)}; write that into the profile, or run {again}"
        )
    return pd.read_csv(folder / "curves.csv")


def recipe_histories(profile: Profile, names: Sequence[str]) -> dict[tuple[str, int], pd.DataFrame]:
    """Train the repeats of these recipes, some at a time, or read them; returns histories by recipe and repeat."""
    runs = list(product(names, profile.repeats))
    return dict(zip(runs, spread(partial(_run, Profile(profile.params, profile.out)), runs, cores()), strict=True))


def _run(profile: Profile, run: tuple[str, int]) -> pd.DataFrame:
    return run_recipe(profile, run[0], single_process(), run[1])


def settings_of(params: Params, name: str) -> dict[str, dict]:
    """Settings that the numbers of a pre-training depend on, by section of the profile."""
    pretrain = params.pretrain
    recipes: dict[str, Recipe] = {**pretrain.recipes}
    return {
        f"pretrain.recipes.{name}": recipes[name].model_dump(mode="json", exclude={"weights"}),
        "pretrain": pretrain.model_dump(mode="json", exclude={"recipes", *WITHOUT_EFFECT}),
        "videoclip": params.videoclip.model_dump(mode="json"),
    }
