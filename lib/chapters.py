"""The notebooks, what each reads and needs: the report's table of contents and the schedule's graph, in one place."""

import os
from dataclasses import dataclass
from pathlib import Path

from lib.language import CATALOGUE
from lib.params import data_root
from lib.paths import ROOT, Outputs, first_folder
from lib.sections import Params

Atom = tuple[str, str]  # notebook name; split: "1" … or "all"


@dataclass(frozen=True)
class Chapter:
    """One notebook.

    Attributes:
        sections: parameter sections that it reads; a change of another section does not re-run it.
        per_split: it also runs once a split, before `all` collates them.
        needs: notebooks whose files it reads.
        demo_needs: the same where the data set is the demo, whose videos, weights and features other notebooks make.
        public_features: it reads the features that were brought, of `data.public_features`.
        about: what its numbers are, where they are not of the profile's data set.
    """

    sections: tuple[str, ...]
    per_split: bool = False
    needs: tuple[str, ...] = ()
    demo_needs: tuple[str, ...] = ()
    public_features: bool = False
    about: str | None = None


MULTIMODAL = ("data", "demo", "narration", "howto100m", "s3d", "mil_nce", "videoclip", "pretrain")
TRANSFER = (*MULTIMODAL, "zero_shot")
MANY = "2_6_pretrain_many_clusters"
PRETRAINED = ("2_4_videoclip", MANY)
CHAPTERS = {
    "2_1_datasets": Chapter(("data", "demo", "narration")),
    "2_2_asformer": Chapter(("data", "demo", "i3d", "backbone", "asformer")),
    "2_3_1_public_features": Chapter(
        ("data", "asformer"),
        per_split=True,
        demo_needs=("2_1_datasets", "2_3_2_feature_extraction"),
        public_features=True,
    ),
    "2_3_2_feature_extraction": Chapter(
        ("data", "demo", "i3d", "backbone", "asformer"), per_split=True, demo_needs=("2_1_datasets", "2_2_asformer")
    ),
    "2_3_3_baseline": Chapter(("data", "asformer"), per_split=True, needs=("2_3_2_feature_extraction",)),
    "2_4_videoclip": Chapter(MULTIMODAL, demo_needs=("2_1_datasets",)),
    "2_5_pretrain_one_cluster": Chapter(MULTIMODAL, needs=("2_4_videoclip",)),
    "2_6_pretrain_many_clusters": Chapter((*MULTIMODAL, "experiment"), needs=("2_4_videoclip",)),
    "2_7_video_branch": Chapter(TRANSFER, needs=PRETRAINED),
    "2_8_1_zero_shot_own": Chapter(TRANSFER, needs=PRETRAINED),
    "2_8_2_zero_shot_public": Chapter(TRANSFER, needs=(*PRETRAINED, "2_8_1_zero_shot_own")),
    "2_8_3_error_analysis": Chapter(("data",), needs=("2_8_1_zero_shot_own", "2_8_2_zero_shot_public")),
    "2_9_1_finetune_own": Chapter((*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED),
    "2_9_2_finetune_public": Chapter((*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED),
    "3_conclusion": Chapter(
        ("data", "finetune"),
        needs=(
            "2_3_1_public_features",
            "2_3_2_feature_extraction",
            "2_3_3_baseline",
            "2_8_1_zero_shot_own",
            "2_8_2_zero_shot_public",
            "2_9_1_finetune_own",
            "2_9_2_finetune_public",
        ),
    ),
    "4_1_audit": Chapter(("data",), about="The thesis's published numbers, and real labels of 50 Salads"),
    "4_2_controls": Chapter(
        (*TRANSFER, "i3d", "backbone", "asformer", "finetune", "controls"),
        needs=(
            *PRETRAINED,
            "2_3_1_public_features",
            "2_3_2_feature_extraction",
            "2_3_3_baseline",
            "2_9_1_finetune_own",
        ),
    ),
    "4_3_scores_check": Chapter(
        ("data", "asformer", "finetune", "controls"), needs=("2_3_1_public_features",), public_features=True
    ),
}


def atoms(params: Params) -> list[Atom]:
    """Everything that a profile runs."""
    return [(name, split) for name in params.notebooks for split in dict.fromkeys((*_parts(name, params), "all"))]


def needs(atom: Atom, params: Params) -> list[Atom]:
    """Atoms that must be done before `atom`: a notebook's splits where they are jobs (not its tables), else it all."""
    name, split = atom
    chapter = CHAPTERS[name]
    before = [other for other in (*chapter.needs, *_demo_needs(chapter, params)) if other in params.notebooks]
    found = [(other, part) for other in before for part in _parts(other, params)]
    if split == "all":
        found += [(name, part) for part in _parts(name, params) if part != "all"]
    return found


def _parts(name: str, params: Params) -> tuple[str, ...]:
    """Jobs that make what a notebook is read for."""
    return tuple(map(str, params.data.split_numbers)) if CHAPTERS[name].per_split and params.split_jobs else ("all",)


def _demo_needs(chapter: Chapter, params: Params) -> tuple[str, ...]:
    return chapter.demo_needs if params.data.source == "demo" else ()


def input_files(name: str, params: Params, out: Outputs) -> list[str]:
    """What a notebook reads that no notebook makes: published numbers, Russian words, files of a brought data set."""
    files = [ROOT / "params" / "published.yaml", *([CATALOGUE] if params.language != "en" else [])]
    if name == "4_1_audit":
        if labels := first_folder(params.data.real_labels):
            files += [labels / "mapping.txt", *labels.glob("groundTruth/[!.]*"), *labels.glob("splits/[!.]*")]
        if predictions := first_folder(params.data.real_predictions):
            files += predictions.glob("[!.]*")
        return sorted(os.path.relpath(file, ROOT) for file in files)
    if params.data.source == "files":
        root = data_root(params, out)
        files += [root / "mapping.txt", *root.glob("groundTruth/[!.]*"), *root.glob("splits/[!.]*")]
        if CHAPTERS[name].public_features:
            files += (root / "features" / (params.data.public_features or ".")).glob("[!.]*.npy")
        if name == "2_3_2_feature_extraction":
            files += [*root.glob("videos/[!.]*.avi"), ROOT / (params.i3d.weights or "")]
        if name == "2_4_videoclip":
            files += [ROOT / file for file in (params.s3d.weights, params.s3d.dictionary) if file]
        if {MANY, "2_5_pretrain_one_cluster"} & {name, *CHAPTERS[name].needs}:  # published or made by lib.pretrain
            published = [ROOT / recipe.weights for recipe in params.pretrain.recipes.values() if recipe.weights]
            files += filter(Path.exists, published)
            files += out.root.glob("runs/videoclip_*/videoclip.json")
    return sorted(os.path.relpath(file, ROOT) for file in files)
