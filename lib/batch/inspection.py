"""Inspect what a user supplied before anything runs: formats, headers, names, shapes.

Each function takes the first path of a requirement (lib/batch/requirements.py) and the profile, and raises the reader's
ValueError at the first fault. Features are judged by their headers, narrated videos by the first few.
"""

import json
from itertools import islice
from pathlib import Path

from lib.data.dataset import DatasetError
from lib.data.profile import Profile
from lib.data.sensors import read_sensors

SAMPLE = 8  # narrated videos of a list that are inspected


def labels(path: Path, profile: Profile) -> None:
    profile.dataset()


def features(path: Path, profile: Profile) -> None:
    for name in profile.public_sets:
        profile.dataset(name)


def sensors(path: Path, profile: Profile) -> None:
    read_sensors(profile.dataset())


def i3d(path: Path, profile: Profile) -> None:
    from lib.backbones.i3d import build, load_weights

    load_weights(build(profile.params.i3d, "rgb", seed=0), path)


def s3d(path: Path, profile: Profile) -> None:
    from lib.backbones.s3d_features import published_s3d

    published_s3d(profile.params.s3d)


def bert(path: Path, profile: Profile) -> None:
    from lib.backbones.text import tokenizer

    tokenizer(profile.params.videoclip)


def videos(folder: Path, profile: Profile) -> None:
    """Check that each labelled video has a file, and that the first is in a readable format."""
    from lib.data.video import read_layout

    files = [folder / f"{labels.stem}.avi" for labels in sorted((folder.parent / "groundTruth").glob("[!.]*.txt"))]
    if absent := [file for file in files if not file.exists()]:
        raise DatasetError(
            f"{folder}: {len(absent)} of {len(files)} labelled videos are missing, first {absent[0].name}; fetch them"
        )
    for file in files[:1]:
        read_layout(file)


def words(path: Path, profile: Profile) -> None:
    import torch

    from lib.backbones.s3d import S3D, read_dictionary
    from lib.core.checkpoints import WeightsError

    count = len(read_dictionary(path))
    with torch.device("meta"):
        rows = S3D().text_module.word_embd.num_embeddings
    if count >= rows:
        raise WeightsError(f"{path}: {count} words, but the published table has rows for {rows - 1}; fetch it again")


def captions(path: Path, profile: Profile) -> None:
    from lib.data.narrated import first_tracks, read_list

    for part in ("train", "val"):
        read_list(path.parent, part)
    if not first_tracks(path, SAMPLE):
        raise DatasetError(f"{path}: holds no captions; expected {{video: {{start, end, text}}}}")


def narrated(folder: Path, profile: Profile, layer: str) -> None:
    """Check that S3D's features of a layer are as wide as the target set's, which the same model reads."""
    import torch

    from lib.backbones.s3d import S3D
    from lib.data.files import array_header
    from lib.data.narrated import feature_file

    with torch.device("meta"):
        net = S3D(profile.params.s3d.embedding_dim, profile.params.s3d.width)
    dim = net.feature_dim if layer == "mixed_5c" else profile.params.s3d.embedding_dim
    root = folder.parent.parent
    # a missing list is reported as a fault of the captions
    for listed in filter(Path.exists, (root / "train.lst", root / "val.lst")):
        with listed.open(encoding="utf-8") as lines:
            names = [line.strip() for line in islice(lines, SAMPLE)]
        for file in (feature_file(root, folder.name, name) for name in names):
            if (shape := array_header(file, "(T, D)").shape)[1] != dim:
                raise DatasetError(f"{file}: shape {shape}; expected (seconds, {dim}), as {layer} of this S3D has")


def videoclip(path: Path, profile: Profile) -> None:
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


def run(path: Path, profile: Profile) -> None:
    from lib.core.checkpoints import WeightsError, read_weights

    try:
        dim = json.loads(path.read_text(encoding="utf-8"))["feature_dim"]
    except (ValueError, KeyError, TypeError):
        raise WeightsError(f"{path}: not the note of a finished pre-training; copy the run's folder again") from None
    file = path.parent / "weights.safetensors"
    state = read_weights(file, None, "copy the whole folder of the run")
    if "mlp.linear1.weight" not in state or state["mlp.linear1.weight"].shape[1] != dim:
        raise WeightsError(f"{file}: not weights of a VideoCLIP on features of {dim} numbers; copy the run again")
