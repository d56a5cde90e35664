"""A look into what was brought, each file in its own format, before anything runs: headers, names, shapes.

Features are known by their headers, narrated videos by the first few. What a reader refuses is told in its words.
"""

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from lib.batch.requirements import hint, missing, relative, requirements, runnable
from lib.core.chapters import TITLES
from lib.core.params import ParameterError
from lib.core.paths import ROOT
from lib.core.settings import Params
from lib.data.dataset import DatasetError
from lib.data.profile import Profile

SAMPLE = 8  # narrated videos of a list that are looked at


def unusable(profile: Profile) -> dict[str, str]:
    """Faults of the requirements that are there, a line each, by the requirement's name."""
    faults = {}
    found = requirements(profile)
    for name, requirement in found.items():
        if missing(requirement) or not requirement.paths[0].exists():  # a BERT that lies in no folder
            continue
        if name in ("features", "videos") and ("labels" in faults or missing(found["labels"])):
            continue  # nothing to hold them against
        try:
            look(name, requirement.paths[0], profile)
        except ValueError as error:  # all readers' are: data sets, narrated data, weights, videos
            faults[name] = " ".join(str(error).replace(f"{ROOT}/", "").split())
    return faults


def look(name: str, path: Path, profile: Profile) -> None:
    """Read as much of a requirement as tells whether it is what it should be.

    Args:
        name: of the requirement.
        path: the first of its paths.

    Raises:
        ValueError: one line about the first fault.
    """
    data = profile.params.data
    match name.split():
        case ["labels"]:
            profile.dataset()
        case ["features"]:
            profile.dataset(data.public_features or ".")
        case ["videos"]:
            _look_at_videos(path)
        case ["i3d"]:
            from lib.backbones.i3d import build, load_weights

            load_weights(build(profile.params.i3d, "rgb", seed=0), path)
        case ["s3d"]:
            from lib.backbones.s3d_features import published_s3d

            published_s3d(profile.params.s3d)
        case ["words"]:
            _look_at_words(path)
        case ["bert"]:
            from lib.backbones.text import tokenizer

            tokenizer(profile.params.videoclip)
        case ["captions"]:
            _look_at_captions(path)
        case ["narrated", layer]:
            _look_at_narrated(path, layer, profile.params)
        case ["weights", _]:
            _look_at_videoclip(path)
        case ["run", _]:
            _look_at_run(path)


def _look_at_videos(folder: Path) -> None:
    """A file for each labelled video; the first has the form that is read."""
    from lib.data.video import read_layout

    files = [folder / f"{labels.stem}.avi" for labels in sorted((folder.parent / "groundTruth").glob("[!.]*.txt"))]
    if absent := [file for file in files if not file.exists()]:
        raise DatasetError(
            f"{folder}: {len(absent)} of {len(files)} labelled videos are missing, first {absent[0].name}; fetch them"
        )
    for file in files[:1]:
        read_layout(file)


def _look_at_words(path: Path) -> None:
    import torch

    from lib.backbones.s3d import S3D, read_dictionary
    from lib.core.checkpoints import WeightsError

    words = len(read_dictionary(path))
    with torch.device("meta"):
        rows = S3D().text_module.word_embd.num_embeddings
    if words >= rows:
        raise WeightsError(f"{path}: {words} words, but the published table has rows for {rows - 1}; fetch it again")


def _look_at_captions(path: Path) -> None:
    from lib.data.narrated import first_tracks, read_list

    for part in ("train", "val"):
        read_list(path.parent, part)
    if not first_tracks(path, SAMPLE):
        raise DatasetError(f"{path}: holds no captions; expected {{video: {{start, end, text}}}}")


def _look_at_narrated(folder: Path, layer: str, params: Params) -> None:
    """The width of the first listed videos' features is that of the target set's, which the same model is to read."""
    import torch

    from lib.backbones.s3d import S3D
    from lib.data.narrated import feature_file, feature_shape

    with torch.device("meta"):
        net = S3D(params.s3d.embedding_dim, params.s3d.width)
    dim = net.feature_dim if layer == "mixed_5c" else params.s3d.embedding_dim
    root = folder.parent.parent
    for part in ("train", "val"):
        if not (listed := root / f"{part}.lst").exists():  # that it is missing is told elsewhere
            continue
        with listed.open(encoding="utf-8") as lines:
            videos = [line.strip() for line in islice(lines, SAMPLE)]
        for file in (feature_file(root, folder.name, video) for video in videos):
            if (shape := feature_shape(file))[1] != dim:
                raise DatasetError(f"{file}: shape {shape}; expected (seconds, {dim}), as {layer} of this S3D has")


def _look_at_videoclip(path: Path) -> None:
    import torch
    from transformers import BertConfig

    from lib.core.checkpoints import WeightsError, read_weights
    from lib.pretraining.recipes import PUBLISHED_DIM, PUBLISHED_VIDEO_LAYERS
    from lib.videoclip.model import VideoCLIP

    state = read_weights(path, "model", "fetch it from MMPT's page")
    with torch.device("meta"):  # names and shapes are enough
        model = VideoCLIP(BertConfig(), PUBLISHED_VIDEO_LAYERS, PUBLISHED_DIM)
    try:
        model.load_mmpt({name: value.to("meta") for name, value in state.items()})
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from None


def _look_at_run(path: Path) -> None:
    from lib.core.checkpoints import WeightsError, read_weights

    try:
        dim = json.loads(path.read_text(encoding="utf-8"))["feature_dim"]
    except (ValueError, KeyError, TypeError):
        raise WeightsError(f"{path}: not the note of a finished pre-training; copy the run's folder again") from None
    file = path.parent / "weights.safetensors"
    state = read_weights(file, None, "copy the whole folder of the run")
    if "mlp.linear1.weight" not in state or state["mlp.linear1.weight"].shape[1] != dim:
        raise WeightsError(f"{file}: not weights of a VideoCLIP on features of {dim} numbers; copy the run again")


def unable(profile: Profile) -> dict[str, str]:
    """Chapters that cannot run on this machine, and why.

    Raises:
        ParameterError: there is no data set, or no chapter can run.
    """
    faults = unusable(profile)
    labels = requirements(profile).get("labels")
    if "labels" in faults:
        raise ParameterError(f"data set: {faults['labels']}; {hint(profile.file)}")
    if labels and (absent := missing(labels)):
        raise ParameterError(f"data set: missing {', '.join(map(relative, absent))}; {hint(profile.file)}")
    left_out = {name: reason for name, reason in runnable(profile, faults).items() if reason}
    if len(left_out) == len(profile.params.notebooks):
        raise ParameterError(f"no chapter can run; {next(iter(left_out.values()))}; {hint(profile.file)}")
    return left_out


def left_out_lines(left_out: Mapping[str, str], profile: Profile) -> list[str]:
    """A line a chapter that is left out."""
    return [f"left out: {TITLES[name]}: {reason}; {hint(profile.file)}" for name, reason in left_out.items()]
