"""What the chapters read that the project does not contain, and which of them can run without it.

`Chapter.reads` names it; `requirements` says where each part lies, where to get it and how to inspect it. A chapter can
run if everything it reads is present and sound, or made by a chapter that can run. The demo makes everything itself.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from lib.batch import inspection
from lib.batch.sources import Source, source
from lib.core.chapters import CHAPTERS, number
from lib.core.params import ParameterError
from lib.core.paths import ROOT, first_folder
from lib.core.settings import Params
from lib.data.profile import Profile
from lib.data.sensors import sensor_folder


@dataclass(frozen=True)
class Requirement:
    """Something that the user supplies."""

    what: str
    paths: tuple[Path, ...]  # files and folders, all of which must be present
    source: Source
    # raises a ValueError at the first fault that it finds (lib/batch/inspection.py)
    look: Callable[[Path, Profile], object]
    chapters: tuple[str, ...] = ()
    hub: bool = False  # whether it is fetched by its name if there is no folder, so that it is never missing


def reads(name: str, params: Params) -> list[tuple[str, ...]]:
    """Names of what a chapter needs if the data set is user-supplied: of each tuple, the first entry present."""
    chapter = CHAPTERS[name]
    groups = [("labels",)] * (not chapter.about) + [tuple(group.split("|")) for group in chapter.reads]
    layer = {f"narrated {recipe}": f"narrated {one.features}" for recipe, one in params.pretrain.recipes.items()}
    return [tuple(layer.get(one, one) for one in group) for group in groups]


def requirements(profile: Profile) -> dict[str, Requirement]:
    """Collect everything that has to be supplied, by name, with the chapters that read it.

    Raises ParameterError: the profile names no folder of a data set.
    """
    params = profile.params
    if params.data.source == "demo":
        return {}
    if not params.data.roots:
        raise ParameterError("data.roots: names no folder; write where the data set lies, as params/50salads.yaml does")
    found = dict(_present(profile))
    for name, requirement in found.items():
        chapters = [one for one in params.notebooks if any(name in group for group in reads(one, params))]
        found[name] = replace(requirement, chapters=tuple(chapters))
    return {name: requirement for name, requirement in found.items() if requirement.chapters}


def _present(profile: Profile) -> Iterator[tuple[str, Requirement]]:
    """Yield all requirements of a profile, whether a chapter reads them or not."""
    params, look = profile.params, inspection
    root = first_folder(params.data.roots) or ROOT / params.data.roots[0]
    folders = (root / "mapping.txt", root / "groundTruth", root / "splits")
    yield "labels", Requirement("labels and splits", folders, source(f"labels {root.name}"), look.labels)
    features = tuple(root / "features" / name for name in profile.public_sets)
    yield "features", Requirement("features of the data set", features, source(f"features {root.name}"), look.features)
    sensors = (sensor_folder(root) or root / "sensors",)
    yield "sensors", Requirement("sensors", sensors, source(f"sensors {root.name}"), look.sensors)
    yield "videos", Requirement("videos", (root / "videos",), source(f"videos {root.name}"), look.videos)
    for name, what, file, one in (
        ("i3d", "weights of I3D", params.i3d.weights, look.i3d),
        ("s3d", "weights of S3D", params.s3d.weights, look.s3d),
        ("words", "words of S3D", params.s3d.dictionary, look.words),
    ):
        if file:
            yield name, Requirement(what, (ROOT / file,), source(name), one)
    # minilm is installed
    if (start := params.videoclip.start) != "minilm":
        comes_from = source(f"bert {Path(start).name}")
        yield "bert", Requirement(f"{start} (folder or hub)", (ROOT / start,), comes_from, look.bert, hub=True)
    yield from _pretraining(profile)


def _pretraining(profile: Profile) -> Iterator[tuple[str, Requirement]]:
    """Yield HowTo100M, and what replaces pre-training on it: finished runs and published weights."""
    params, look = profile.params, inspection
    root = first_folder(params.howto100m.roots) or ROOT / "".join(params.howto100m.roots[:1])
    without_stop_words = (root / "caption.json").exists() and not (root / "raw_caption.json").exists()
    names = ("caption.json" if without_stop_words else "raw_caption.json", "train.lst", "val.lst")
    paths = tuple(root / name for name in names)
    yield "captions", Requirement("captions and lists of HowTo100M", paths, source("captions"), look.captions)
    for layer, folder in params.howto100m.features.items():
        name, what = f"narrated {layer}", f"S3D features of HowTo100M ({layer})"
        inspect = partial(look.narrated, layer=layer)
        yield name, Requirement(what, (root / "features" / folder,), source(name), inspect)
    for name, recipe in params.pretrain.recipes.items():
        if recipe.weights:
            file = ROOT / recipe.weights
            yield f"weights {name}", Requirement("weights of VideoCLIP", (file,), source("weights"), look.videoclip)
            if file.exists():  # then nothing is trained
                continue
        how = f"`torchrun -m lib.pretrain --params params/{profile.out.profile}.yaml --recipe {name}`, on GPUs"
        folder = profile.out.root / "runs" / f"videoclip_{name}"
        paths = tuple(folder / file for file in ("videoclip.json", "curves.csv", "weights.safetensors"))
        what = f"finished pre-training ({name})"
        yield f"run {name}", Requirement(what, paths, Source(how, licence="made here"), look.run)


def missing(requirement: Requirement) -> list[Path]:
    """Missing paths of a requirement; only the folder if that is missing too."""
    absent = [] if requirement.hub else [path for path in requirement.paths if not path.exists()]
    return [absent[0].parent] if len(absent) > 1 and not absent[0].parent.exists() else absent


def input_files(name: str, profile: Profile) -> list[str]:
    """List the files that a notebook reads and no notebook makes: published numbers, and what the user supplied."""
    data, found = profile.params.data, requirements(profile)
    paths = [ROOT / "params" / "published.yaml"]
    # the hashes that identify the demo's backbones
    paths += [ROOT / "lib" / "demo" / "weights" / "weights.json"] if data.source == "demo" else []
    for optional in CHAPTERS[name].optional:
        if optional in found:
            paths += () if missing(found[optional]) else found[optional].paths
        elif root := first_folder(getattr(data, optional, ())):
            paths += [root, root / "groundTruth", root / "splits", *root.glob("split_*")]
    for group in reads(name, profile.params):
        present = [found[one] for one in group if one in found and not missing(found[one])]
        paths += present[0].paths if present else ()
    files = {path for path in paths if path.is_file()}
    files |= {file for path in paths if path.is_dir() for file in path.glob("[!.]*") if file.is_file()}
    return sorted(map(relative, files))


def unusable(profile: Profile) -> dict[str, str]:
    """Find requirements that are present but cannot be used: name -> fault, in one line."""
    faults: dict[str, str] = {}
    found = requirements(profile)
    for name, requirement in found.items():
        # BERT from the hub has no folder
        if missing(requirement) or not requirement.paths[0].exists():
            continue
        # without labels, there is nothing to compare them with
        if name in ("features", "sensors", "videos") and ("labels" in faults or missing(found["labels"])):
            continue
        try:
            requirement.look(requirement.paths[0], profile)
        # the errors of all readers are ValueErrors: of data sets, narrated data, weights, videos
        except ValueError as error:
            faults[name] = " ".join(str(error).replace(f"{ROOT}/", "").split())
    return faults


def runnable(profile: Profile, faults: Mapping[str, str] | None = None) -> dict[str, str]:
    """List the profile's chapters, each with the reason why it cannot run, in one line; "" if it can.

    `faults`: of requirements that are present but cannot be used, as `unusable` returns them; None: there are none.
    """
    if profile.params.data.source == "demo":
        return dict.fromkeys(profile.params.notebooks, "")
    found, faults = requirements(profile), faults or {}
    reasons: dict[str, str] = {}

    def lacks(name: str) -> str:
        if name in found:
            absent = ", ".join(map(relative, missing(found[name])))
            return f"unusable: {faults[name]}" if name in faults else f"missing {absent}" if absent else ""
        if (profile.out.notebooks / name / "all.json").exists() or not chapter(name):
            return ""
        known = name in profile.params.notebooks
        return f"needs {number(name)}, which {'cannot run' if known else 'is not in the profile'}"

    def one_of(names: list[str]) -> str:
        lacking = {}
        for name in names:
            lacking[name] = lacks(name)
            # what is present but broken is reported, not skipped
            if not lacking[name] or name in faults:
                return lacking[name]
        if set(names) <= set(CHAPTERS) and len(names) > 1:
            return f"none of {', '.join(map(number, names))} can run"
        return lacking[names[0]]

    def chapter(name: str) -> str:
        if name not in profile.params.notebooks:
            return "not in the profile"
        if name not in reasons:
            groups = reads(name, profile.params)
            known = [[one for one in group if one in found or one in CHAPTERS] for group in groups]
            reasons[name] = "; ".join(dict.fromkeys(filter(None, map(one_of, filter(None, known)))))
        return reasons[name]

    return {name: chapter(name) for name in profile.params.notebooks}


def unable(profile: Profile) -> dict[str, str]:
    """Find the chapters that cannot run on this machine, and why.

    Raises ParameterError: there is no data set, or no chapter can run.
    """
    faults, labels = unusable(profile), requirements(profile).get("labels")
    absent = missing(labels) if labels else []
    if "labels" in faults or absent:
        fault = faults.get("labels") or f"missing {', '.join(map(relative, absent))}"
        raise ParameterError(f"data set: {fault}; {hint(profile.file)}")
    left_out = {name: reason for name, reason in runnable(profile, faults).items() if reason}
    if len(left_out) == len(profile.params.notebooks):
        raise ParameterError(f"no chapter can run; {next(iter(left_out.values()))}; {hint(profile.file)}")
    return left_out


def without(profile: Profile, left_out: Mapping[str, str]) -> Profile:
    """The profile without the chapters that cannot run on this machine."""
    able = tuple(name for name in profile.params.notebooks if name not in left_out)
    return replace(profile, params=profile.params.model_copy(update={"notebooks": able}))


def hint(profile: str | Path) -> str:
    """Say what to do about a missing input, as the end of a message."""
    return f"`python -m lib.check --params {profile}` says where to get it"


def relative(path: Path) -> str:
    """A path relative to the project's folder."""
    return os.path.relpath(path, ROOT)
