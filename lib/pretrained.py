"""A pre-trained VideoCLIP: what a recipe of 2.5 or 2.6 left behind, or the published checkpoint in its place."""

import json
from dataclasses import dataclass
from pathlib import Path

from transformers import BertConfig

from lib.checkpoints import load_trained
from lib.multimodal import Sections
from lib.paths import ROOT, Outputs
from lib.s3d_features import Layer
from lib.sections_pretraining import Recipe
from lib.towers import build_videoclip
from lib.videoclip import VideoCLIP
from lib.weights import WeightsError, read_weights

PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM = 6, 512


@dataclass(frozen=True)
class Pretrained:
    """A pre-trained VideoCLIP in evaluation mode, the layer of S3D and the name of the features that it learnt on."""

    model: VideoCLIP
    layer: Layer
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
        return Pretrained(model.eval(), "video_embedding", params.howto100m.features["video_embedding"])
    folder = run_folder(out, name)
    if not (folder / "videoclip.json").exists():
        raise WeightsError(
            f"{folder}: no finished pre-training; run 2_5, 2_6 or `python -m lib.pretrain --recipe {name}`"
        )
    note = json.loads((folder / "videoclip.json").read_text(encoding="utf-8"))
    model = build_videoclip(params.videoclip, note["feature_dim"], params.pretrain.seed)
    load_trained(model, folder / "weights.safetensors")
    return Pretrained(model.eval(), recipe.features, note["feature_set"])


def run_folder(out: Outputs, name: str) -> Path:
    return out.root / "runs" / f"videoclip_{name}"
