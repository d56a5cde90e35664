"""A pre-training of a profile: its videos, first weights, identity, and what it is measured by (thesis 2.5, 2.6)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import BertConfig

from lib.artifacts import key
from lib.checkpoints import load_trained
from lib.group import Group
from lib.multimodal import PARTS, Sections, open_pack, pack_narrated
from lib.params import ParameterError
from lib.paths import ROOT, Outputs
from lib.pretraining import Pretraining
from lib.sections_pretraining import Pretrain, Recipe
from lib.towers import build_videoclip
from lib.training import Row
from lib.transfer import transfer_of
from lib.videoclip import VideoCLIP
from lib.weights import WeightsError, read_weights

PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM = 6, 512


def prepare(
    params: Sections,
    out: Outputs,
    recipe: Recipe,
    settings: Pretrain,
    folder: Path,
    group: Group,
    seed: int,
) -> tuple[Pretraining, VideoCLIP, Callable[[VideoCLIP], Row]]:
    """A run, the model it begins with, and what is measured of transfer, for `lib.pretrain.pretrain`.

    Args:
        recipe, settings: of the run; `params.pretrain` or a variation of it.
        folder: of the run.
        group: the processes that take part.
        seed: of everything that is drawn.

    Raises:
        ParameterError: too few videos for one update.
    """
    if group.rank == 0:
        pack_narrated(params, out, recipe.features)
    group.wait()
    packs = {part: open_pack(params, out, recipe.features, part) for part in PARTS}
    keys = [(packs[part].folder / "note.json").read_text(encoding="utf-8") for part in PARTS]
    how = settings.model_dump(exclude={"recipes", "workers", "gradient_checkpointing"})  # these change no number
    values = [recipe.model_dump(exclude={"weights"}), how, params.videoclip.model_dump(), seed, keys]
    identity = key(values, code=("lib.updates", "lib.towers", "lib.zero_shot"))
    run = Pretraining(packs["train"], packs["val"], recipe, settings, folder, group, identity, seed)
    if run.updates_per_epoch == 0:
        raise ParameterError(
            f"pretrain: {len(run.train)} videos make {len(run.train) // settings.videos_per_cluster} clusters of"
            f" {settings.videos_per_cluster}, fewer than the {recipe.clusters_per_update} of one update"
        )
    model = build_videoclip(params.videoclip, run.train.feature_dim, seed)
    return run, model, transfer_of(params, out, recipe.features)


@dataclass(frozen=True)
class Pretrained:
    """A pre-trained VideoCLIP in evaluation mode, and the name of the features that it learnt on."""

    model: VideoCLIP
    feature_set: str


def published_weights(recipe: Recipe) -> Path | None:
    """The published checkpoint that stands for a recipe, where it is on this machine."""
    path = None if recipe.weights is None else ROOT / recipe.weights
    return path if path is not None and path.exists() else None


def load_pretrained(params: Sections, out: Outputs, name: str) -> Pretrained:
    """What came out of a recipe: its finished run, or the published checkpoint.

    Raises:
        WeightsError: there is neither, or the checkpoint is of another model.
    """
    recipe = params.pretrain.recipes[name]
    if published := published_weights(recipe):
        model = VideoCLIP(BertConfig(), PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM)
        model.load_mmpt(read_weights(published, "model", "fetch it from MMPT's page"))
        return Pretrained(model.eval(), params.howto100m.features["video_embedding"])
    folder = run_folder(out, name)
    if not (folder / "videoclip.json").exists():
        raise WeightsError(
            f"{folder}: no finished pre-training; run 2_5, 2_6 or `python -m lib.pretrain --recipe {name}`"
        )
    note = json.loads((folder / "videoclip.json").read_text(encoding="utf-8"))
    model = build_videoclip(params.videoclip, note["feature_dim"], params.pretrain.seed)
    load_trained(model, folder / "weights.safetensors")
    return Pretrained(model.eval(), note["feature_set"])


def run_folder(out: Outputs, name: str) -> Path:
    return out.root / "runs" / f"videoclip_{name}"
