"""What 50salads.yaml reads, in the published files' very formats, names and shapes, with random numbers in them."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from golden_weights import GOLDEN
from torch import Tensor
from videos import write_video

from lib.backbones.i3d import I3DResNet
from lib.data import dataset
from lib.demo.script import CLASS_NAMES

VIDEOS = [f"rgb-{person:02d}-{take}" for person in range(1, 6) for take in (1, 2)]
FRAMES = {video: 60 + 2 * number for number, video in enumerate(VIDEOS)}
NARRATED = ["nVbIUDjzWY4", "-0aBcDeFgHi", "x_9-Zz0Yy1X", "ThirdVideo1", "4thVideo__4"]
LAYERS = {"mixed_5c": ("howto100m_s3d_features", 1024), "video_embedding": ("s3d_video_embedding_30fps_224px_l2", 512)}


def write_data_set(root: Path, lengths: Mapping[str, int] = FRAMES, write: Callable = write_video) -> None:
    """Videos in MS-TCN's layout: 19 classes, 30 fps, features (2048, T), five splits by person, AVI.

    Args:
        lengths: of each video in frames; each of five people has at least one.
        write: path, frames, fps -> the video.
    """
    rng, labels = np.random.default_rng(0), {}
    for folder in ("features", "videos"):
        (root / folder).mkdir(parents=True)
    for video, frames in lengths.items():
        labels[video] = np.sort(rng.integers(0, len(CLASS_NAMES), frames))
        np.save(root / "features" / f"{video}.npy", rng.standard_normal((2048, frames)).astype(np.float32))
        write(root / "videos" / f"{video}.avi", frames, fps=30)
    people = {split: [video for video in lengths if video.startswith(f"rgb-{split:02d}")] for split in range(1, 6)}
    dataset.write_data_set(root, CLASS_NAMES, labels, people)


def random(shape: list[int], dtype: str) -> Tensor:
    """Small values; counters stay counters."""
    kind = getattr(torch, dtype.removeprefix("torch."))
    if not kind.is_floating_point:
        return torch.arange(shape[-1])[None] if shape else torch.tensor(7)
    return torch.rand(shape, dtype=kind).mul_(0.04).sub_(0.02)


def hollow(shape: list[int], dtype: str) -> Tensor:
    """A single value in any shape, so that its file is small."""
    return torch.zeros((), dtype=getattr(torch, dtype.removeprefix("torch."))).expand(shape)


def official(file: str, prefix: str = "", half: bool = False, make: Callable = random) -> dict[str, Tensor]:
    """A published state dict by its list of names, shapes and types in tests/golden.

    Args:
        make: a tensor of a shape and type, `random` or `hollow`.
    """
    torch.manual_seed(0)
    keys = json.loads((GOLDEN / file).read_text())["keys"]
    kinds = {"torch.float32": "torch.float16"} if half else {}
    return {f"{prefix}{name}": make(shape, kinds.get(dtype, dtype)) for name, shape, dtype in keys}


def fairseq_checkpoint(model: dict[str, Tensor]) -> dict:
    """What fairseq's trainer saves around a model."""
    return {
        "args": None,
        "cfg": {"_name": None, "common": {"fp16": True}, "task": argparse.Namespace(taskconfig="how2.yaml")},
        "model": model,
        "criterion": None,
        "optimizer_history": [{"criterion_name": "MMCriterion", "num_updates": 107_000}],
        "task_state": {},
        "extra_state": {"train_iterator": {"epoch": 25}, "best": 5.2},
        "last_optimizer_state": {"state": {}, "param_groups": [{"lr": 5e-5, "betas": [0.9, 0.98]}]},
    }


def write_videoclip(path: Path) -> None:
    """MMPT's checkpoint_best.pt: half precision, poolers and position numbers among the weights."""
    torch.save(fairseq_checkpoint(official("videoclip_keys.json", "mmmodel.", half=True)), path)


def write_s3d(folder: Path) -> None:
    """s3d_howto100m.pth, saved as torch did before 1.6, and s3d_dict.npy with its 5,830,040 bytes."""
    state = official("s3dg_keys.json")
    for name, value in state.items():
        if name.endswith("running_var"):
            value.abs_().add_(1)
    torch.save(state, folder / "s3d_howto100m.pth", _use_new_zipfile_serialization=False)
    words = [f"word{number}" for number in range(66_248)] + ["a" * 22]
    np.save(folder / "s3d_dict.npy", np.array(words))


def write_i3d(path: Path, width: int) -> None:
    torch.manual_seed(0)
    torch.save({"model_state": I3DResNet(width).state_dict()}, path)


def write_howto100m(root: Path) -> None:
    """Captions with their NaN, lists, one float32 feature per second, named as published; four to train on, one not."""
    rng, tracks = np.random.default_rng(0), {}
    for video in reversed(NARRATED):
        start = np.arange(0.5, 9, 2).tolist()
        texts = ["so now we", float("nan"), "chop it finely", "and mix", "bye"]
        tracks[video] = {"start": start, "end": [second + 2.31 for second in start], "text": texts}
    (root / "features").mkdir(parents=True)
    (root / "raw_caption.json").write_text(json.dumps(tracks))
    (root / "train.lst").write_text("".join(f"{video}\n" for video in NARRATED[:-1]))
    (root / "val.lst").write_text(f"{NARRATED[-1]}\n")
    for folder, dim in LAYERS.values():
        (root / "features" / folder).mkdir()
        for number, video in enumerate(NARRATED):
            ending = (".mp4.npy", ".webm.npy", ".npy")[number % 3]
            values = rng.standard_normal((int(rng.integers(10, 20)), dim)).astype(np.float32)
            np.save(root / "features" / folder / f"{video}{ending}", values)


def write_all(root: Path, width: int = 2, lengths: Mapping[str, int] = FRAMES, write: Callable = write_video) -> dict:
    """All of it below `root`.

    Args:
        width: of I3D.
        lengths, write: as `write_data_set` takes them.

    Returns:
        What a profile that reads it says: where things lie, and I3D's width.
    """
    write_data_set(root / "50salads", lengths, write)
    write_howto100m(root / "howto100m")
    weights = root / "weights"
    weights.mkdir()
    write_i3d(weights / "I3D_8x8_R50.pyth", width)
    write_s3d(weights)
    write_videoclip(weights / "checkpoint_best.pt")
    return {
        "data": {"roots": [str(root / "50salads")]},
        "i3d": {"weights": str(weights / "I3D_8x8_R50.pyth"), "width": width},
        "s3d": {"weights": str(weights / "s3d_howto100m.pth"), "dictionary": str(weights / "s3d_dict.npy")},
        "howto100m": {"roots": [str(root / "howto100m")]},
        "videoclip": {"start": "minilm"},  # what is installed in place of what the hub has
        "pretrain": {"recipes": {"public": {"weights": str(weights / "checkpoint_best.pt")}}},
    }
