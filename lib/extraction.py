"""The feature sets of a profile, and the nets behind them (thesis 2.3.2).

own       what the thesis extracted: RGB, in the channel order of the profile.
public    in the demo only: the two-stream variant, in the order that the net learnt on; in MS-TCN's place.
random    in the demo only: the same net as own with random weights, the control.
"""

import time
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from lib.backbone import STREAMS, random_stream, train_stream
from lib.features import agreement, dense_features, extract, read_note, window_features
from lib.i3d import I3DResNet, build, for_inference, load_weights
from lib.inputs import to_input
from lib.notebook import Notebook
from lib.paths import ROOT
from lib.sections import I3D
from lib.video import read_video

RANDOM = "i3d_random"


def trained_nets(book: Notebook) -> dict[str, I3DResNet]:
    """The profile's backbone: loaded from its checkpoint, or (demo) both streams, trained in 2.2.

    Raises:
        WeightsError: the checkpoint is missing or of another net.
    """
    settings: I3D = book.params.i3d
    if settings.weights is None:
        sections = (book.params.demo, settings, book.params.backbone)
        return {stream: train_stream(stream, *sections, book.out.weights / stream)[0] for stream in STREAMS}
    net = build(settings, "rgb", seed=0)
    load_weights(net, ROOT / settings.weights)
    return {"rgb": net}


def extract_sets(book: Notebook, videos: list[str]) -> pd.DataFrame:
    """Extract every feature set for these videos; what is done is left as it is.

    Returns:
        A row a set: streams, channel order, dimension, videos, frames, undecodable frames.
    """
    nets, settings, data = trained_nets(book), book.params.i3d, book.params.data
    sets = {data.own_features: ({"rgb": nets["rgb"]}, settings)}
    if data.source == "demo":
        sets[data.public_features] = (nets, settings.model_copy(update={"channel_order": "rgb"}))
        control = random_stream("rgb", book.params.demo, settings, book.params.backbone.seed)
        sets[RANDOM] = ({"rgb": control}, settings)
    rows = {}
    for name, (streams, how) in sets.items():
        folder = book.out.data / "features" / name
        extract([book.root / "videos" / f"{video}.avi" for video in videos], folder, streams, how)
        notes = [read_note(folder, video) for video in videos]
        rows[name] = {
            "streams": " + ".join(streams),
            "channels": how.channel_order,
            "dimension": np.load(folder / f"{videos[0]}.npy", mmap_mode="r").shape[0],
            "videos": len(videos),
            "frames": sum(note["frames"] for note in notes),
            "undecodable": sum(len(note["bad"]) for note in notes),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature set")


def mode_agreement(book: Notebook, video: str, frames: int = 120) -> tuple[np.ndarray, float]:
    """How far `dense` features are from those of windows alone, on a video's first frames, with this profile's net.

    Returns:
        Cosine at each frame after removing the mean (frames,), and how many times faster dense was.
    """
    net, settings = for_inference(trained_nets(book)["rgb"], torch.float32), book.params.i3d
    clip = torch.from_numpy(np.stack(list(islice(read_video(book.root / "videos" / f"{video}.avi"), frames))))
    inputs = F.pad(to_input(clip, settings), (0, 0, 0, 0, settings.window // 2, settings.window // 2))
    results, seconds = [], []
    for compute in (window_features, dense_features):
        start = time.perf_counter()
        with torch.inference_mode():
            results.append(compute(inputs.unbind(dim=1), net, settings).numpy())
        seconds.append(time.perf_counter() - start)
    return agreement(*results), seconds[0] / seconds[1]


def damaged(book: Notebook, videos: list[str]) -> dict[str, list[int]]:
    """Those of the videos that have frames which cannot be decoded, and the numbers of these."""
    notes = {video: read_note(Path(book.own_features), video).get("bad", []) for video in videos}
    return {video: bad for video, bad in notes.items() if bad}
