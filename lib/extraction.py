"""The feature sets of a profile, and the nets behind them (thesis 2.3.2).

own       what the thesis extracted: RGB, in the channel order of the profile.
public    in the demo only: the two-stream variant, in the order that the net learnt on; in MS-TCN's place.
random    in the demo only: the same net as own with random weights, the control.
"""

import numpy as np
import pandas as pd

from lib.backbone import STREAMS, random_stream, train_stream
from lib.features import extract, read_note
from lib.i3d import I3DResNet, build, load_weights
from lib.notebook import Notebook
from lib.paths import ROOT
from lib.sections import I3D

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
        A row a set: streams, channel order, dimension, videos, frames, damaged frames.
    """
    nets, settings, data = trained_nets(book), book.params.i3d, book.params.data
    sets = {data.own_features: ({"rgb": nets["rgb"]}, settings)}
    if data.source == "demo":
        sets[data.public_features] = (nets, settings.model_copy(update={"channel_order": "rgb"}))
        control = random_stream("rgb", book.params.demo, settings, book.params.backbone.seed)
        sets[RANDOM] = ({"rgb": control}, settings)
    rows = {}
    for name, (streams, how) in sets.items():
        folder = book.root / "features" / name
        extract([book.root / "videos" / f"{video}.avi" for video in videos], folder, streams, how)
        notes = [read_note(folder, video) for video in videos]
        rows[name] = {
            "streams": " + ".join(streams),
            "channels": how.channel_order,
            "dimension": np.load(folder / f"{videos[0]}.npy", mmap_mode="r").shape[0],
            "videos": len(videos),
            "frames": sum(note["frames"] for note in notes),
            "damaged frames": sum(len(note["bad"]) for note in notes),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature set")


def damaged(book: Notebook) -> dict[str, list[int]]:
    """Videos with damaged frames, and the numbers of these."""
    folder = book.root / "features" / book.params.data.own_features
    notes = {video: read_note(folder, video).get("bad", []) for video in book.dataset().videos}
    return {video: bad for video, bad in notes.items() if bad}
