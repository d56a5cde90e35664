"""User-supplied inputs of the chapters (guide: real_data.md), and which chapters can run without them.

A chapter runs where each thing that it needs is there, or comes from a chapter that can run. Here a file is there or
not; `lib/batch/inspection.py` looks into those that are. The demo makes everything itself.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib.core.chapters import CHAPTERS, MANY, number
from lib.core.files import write_json
from lib.core.params import ParameterError
from lib.core.paths import ROOT, first_folder
from lib.core.settings import Params
from lib.data import sources
from lib.data.profile import Profile
from lib.data.sources import Source


def input_files(name: str, profile: Profile) -> list[str]:
    """What a notebook reads that no notebook makes: published numbers, files of a brought data set."""
    files = [ROOT / "params" / "published.yaml"]
    if name == "4_1_audit":
        if labels := first_folder(profile.params.data.real_labels):
            files += [labels / "mapping.txt", *labels.glob("groundTruth/[!.]*"), *labels.glob("splits/[!.]*")]
        if predictions := first_folder(profile.params.data.real_predictions):
            files += predictions.glob("[!.]*")
        return sorted(os.path.relpath(file, ROOT) for file in files)
    if profile.params.data.source == "files":
        root = profile.root
        files += [root / "mapping.txt", *root.glob("groundTruth/[!.]*"), *root.glob("splits/[!.]*")]
        if CHAPTERS[name].public_features:
            files += (root / "features" / (profile.params.data.public_features or ".")).glob("[!.]*.npy")
        if name == "2_3_2_feature_extraction":
            files += [*root.glob("videos/[!.]*.avi"), ROOT / (profile.params.i3d.weights or "")]
        if name == "2_4_videoclip":
            files += [ROOT / file for file in (profile.params.s3d.weights, profile.params.s3d.dictionary) if file]
        if {MANY, "2_5_pretrain_one_cluster"} & {name, *CHAPTERS[name].needs}:  # published or made by lib.pretrain
            published = [ROOT / recipe.weights for recipe in profile.params.pretrain.recipes.values() if recipe.weights]
            files += filter(Path.exists, published)
            files += profile.out.root.glob("runs/videoclip_*/videoclip.json")
    return sorted(os.path.relpath(file, ROOT) for file in files)


EXTRACTED, SECONDS = "2_3_2_feature_extraction", "2_4_videoclip"
OWN, PUBLIC = "2_8_1_zero_shot_own", "2_8_2_zero_shot_public"
RECIPES = ("one_cluster", "own", "public")


@dataclass(frozen=True)
class Requirement:
    """Attributes:
    what: in words.
    paths: files and folders, all of which must be there.
    chapters: that read it.
    source: where it comes from.
    hub: it is fetched by its name where there is no folder, so it is never missing.
    """

    what: str
    paths: tuple[Path, ...]
    chapters: tuple[str, ...]
    source: Source
    hub: bool = False


def requirements(profile: Profile) -> dict[str, Requirement]:
    """Everything that has to be brought, by a short name, with the chapters of the profile that read it.

    Raises:
        ParameterError: the profile names no folder of a data set.
    """
    if profile.params.data.source == "demo":
        return {}
    if not profile.params.data.roots:
        raise ParameterError("data.roots: names no folder; write where the data set lies, as params/50salads.yaml does")
    root = first_folder(profile.params.data.roots) or ROOT / profile.params.data.roots[0]
    s3d, set_of = profile.params.s3d, profile.params.data.public_features or "."
    found = {
        "labels": _one(
            "labels and splits", sources.LABELS.get(root.name), root, "mapping.txt", "groundTruth", "splits"
        ),
        "features": _one("features of the data set", sources.FEATURES.get(root.name), root / "features" / set_of),
        "videos": _one("videos", sources.VIDEOS.get(root.name), root / "videos"),
    }
    if profile.params.i3d.weights:
        found["i3d"] = _one("weights of I3D", sources.I3D, ROOT / profile.params.i3d.weights)
    if s3d.weights:
        found["s3d"] = _one("weights of S3D", sources.S3D, ROOT / s3d.weights)
    if s3d.dictionary:
        found["words"] = _one("words of S3D", sources.S3D_WORDS, ROOT / s3d.dictionary)
    start = profile.params.videoclip.start
    if start != "minilm":  # which is installed
        bert = _one(f"{start} (folder or hub)", sources.BERT.get(Path(start).name), ROOT / start)
        found["bert"] = replace(bert, hub=True)
    found |= _pretraining(profile)
    users = needs(profile.params)
    for name, requirement in found.items():
        chapters = [
            chapter
            for chapter in profile.params.notebooks
            if (name == "labels" and not CHAPTERS[chapter].about)
            or any(name in one_of for one_of in users.get(chapter, ()))
        ]
        found[name] = replace(requirement, chapters=tuple(chapters))
    return {name: requirement for name, requirement in found.items() if requirement.chapters}


def _pretraining(profile: Profile) -> dict[str, Requirement]:
    """HowTo100M, and what stands in the place of pre-training on it."""
    root = first_folder(profile.params.howto100m.roots) or ROOT / "".join(profile.params.howto100m.roots[:1])
    without_stop_words = (root / "caption.json").exists() and not (root / "raw_caption.json").exists()
    names = ("caption.json" if without_stop_words else "raw_caption.json", "train.lst", "val.lst")
    found = {"captions": _one("captions and lists of HowTo100M", sources.CAPTIONS, root, *names)}
    for layer, folder in profile.params.howto100m.features.items():
        what = f"S3D features of HowTo100M ({layer})"
        found[f"narrated {layer}"] = _one(what, sources.NARRATED[layer], root / "features" / folder)
    for name, recipe in profile.params.pretrain.recipes.items():
        if recipe.weights:
            found[f"weights {name}"] = _one("weights of VideoCLIP", sources.VIDEOCLIP, ROOT / recipe.weights)
            if (ROOT / recipe.weights).exists():  # then nothing is trained
                continue
        how = f"`torchrun -m lib.pretrain --params params/{profile.out.profile}.yaml --recipe {name}`, on GPUs"
        folder, names = (
            profile.out.root / "runs" / f"videoclip_{name}",
            ("videoclip.json", "curves.csv", "weights.safetensors"),
        )
        source = Source(how, licence="made here")
        found[f"run {name}"] = _one(f"finished pre-training ({name})", source, folder, *names)
    return found


def _one(what: str, source: Source | None, root: Path, *names: str) -> Requirement:
    paths = tuple(root / name for name in names) or (root,)
    return Requirement(what, paths, (), source or Source())


def needs(params: Params) -> dict[str, tuple[tuple[str, ...], ...]]:
    """What a chapter needs beside labels and splits: of each tuple one, a requirement or a chapter, the first best."""
    layer = {name: f"narrated {params.pretrain.recipes[name].features}" for name in RECIPES}
    trained = {name: (f"weights {name}", f"run {name}") for name in RECIPES}
    runs = {  # the corpus is needed where the run is not there yet
        name: ((f"run {name}",), (f"run {name}", "captions"), (f"run {name}", layer[name])) for name in RECIPES
    }
    second, bert = (SECONDS,), ("bert",)
    return {
        EXTRACTED: (("videos",), ("i3d",)),
        "2_3_3_baseline": ((EXTRACTED,),),
        SECONDS: (("videos",), ("s3d",), ("words",), bert),
        "2_5_pretrain_one_cluster": runs["one_cluster"],
        MANY: (second, *runs["own"], trained["public"], bert),
        "2_7_video_branch": (second, trained["own"], bert),
        OWN: (second, trained["own"], bert),
        PUBLIC: (second, trained["public"], bert),
        "2_8_3_error_analysis": ((OWN, PUBLIC),),  # it says so where one of them is missing
        "2_9_1_finetune_own": (second, trained["own"], bert),
        "2_9_2_finetune_public": (second, trained["public"], bert),
        "3_conclusion": (CHAPTERS["3_conclusion"].needs,),  # any that writes predictions
        "4_2_controls": ((EXTRACTED,), second, trained["own"], bert),
    } | {name: (("features",),) for name, chapter in CHAPTERS.items() if chapter.public_features}


def missing(requirement: Requirement) -> list[Path]:
    """Those of its paths that are not there; of several in a folder that is not there, the folder."""
    absent = [] if requirement.hub else [path for path in requirement.paths if not path.exists()]
    return [absent[0].parent] if len(absent) > 1 and not absent[0].parent.exists() else absent


def without(profile: Profile, left_out: Mapping[str, str]) -> Profile:
    """The profile without these chapters, which cannot run on this machine."""
    able = tuple(name for name in profile.params.notebooks if name not in left_out)
    return replace(profile, params=profile.params.model_copy(update={"notebooks": able}))


def runnable(profile: Profile, unusable: Mapping[str, str] | None = None) -> dict[str, str]:
    """The profile's chapters, and in a line what keeps each from running: "" where nothing does.

    Args:
        unusable: faults of requirements that are there but cannot be used (`lib.batch.inspection.unusable`).
    """
    if profile.params.data.source == "demo":
        return dict.fromkeys(profile.params.notebooks, "")
    found, wanted, faults = requirements(profile), needs(profile.params), unusable or {}
    reasons: dict[str, str] = {}

    def lacks(name: str) -> str:
        if name in found:
            absent = ", ".join(map(relative, missing(found[name])))
            return f"unusable: {faults[name]}" if name in faults else f"missing {absent}" if absent else ""
        if (profile.out.notebooks / name / "all.json").exists() or not chapter(name):
            return ""
        return f"needs {number(name)}, which {'cannot run' if name in profile.params.notebooks else 'is not in the profile'}"

    def one_of(names: Sequence[str]) -> str:
        lacking = {}
        for name in names:
            lacking[name] = lacks(name)
            if not lacking[name] or name in faults:  # what is there but broken is not passed over in silence
                return lacking[name]
        if set(names) <= set(CHAPTERS) and len(names) > 1:
            return f"none of {', '.join(map(number, names))} can run"
        return lacking[names[0]]

    def chapter(name: str) -> str:
        if name not in profile.params.notebooks:
            return "not in the profile"
        if name not in reasons:
            groups = [[one for one in group if one in found or one in CHAPTERS] for group in wanted.get(name, ())]
            labels = [] if CHAPTERS[name].about else ["labels"]  # what is about other numbers needs no data set
            lines = filter(None, map(one_of, filter(None, [labels, *groups])))
            reasons[name] = "; ".join(dict.fromkeys(lines))
        return reasons[name]

    return {name: chapter(name) for name in profile.params.notebooks}


def hint(profile: str | Path) -> str:
    """What to do about a missing input."""
    return f"`python -m lib.check --params {profile}` says where to get it"


def relative(path: Path) -> str:
    """A path from the project's folder."""
    return os.path.relpath(path, ROOT)


def write_sections(params: Params, folder: Path) -> None:
    """A file a parameter section, rewritten only where it changed: they are the schedule's input files."""
    for name, value in params.model_dump(mode="json").items():
        file = folder / f"{name}.json"
        if not file.exists() or json.loads(file.read_text()) != value:
            write_json(file, value)
