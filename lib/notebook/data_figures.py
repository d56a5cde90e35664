"""Figures 1 and 2 and the others of section 2.1, one call each; every function returns the figure and its data."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from lib.data.dataset import Dataset
from lib.data.facts import middle_frames, said_and_done
from lib.data.video import read_frames
from lib.notebook import plots

COLUMNS = 7
MOST_FRAMES = 42  # actions of which a frame is shown
MOST_BARS = 48  # classes that are readable beside each other


def frames_of_actions(dataset: Dataset, video: str) -> tuple[Figure, pd.DataFrame]:
    """One frame from the middle of each action of a video (Figure 1); data: action, frame."""
    middles = middle_frames(dataset.names(video), dataset.classes)
    chosen = dict(list(middles.items())[:MOST_FRAMES])
    frames = read_frames(dataset.root / "videos" / f"{video}.avi", list(chosen.values()))
    rows = max(3, ceil(len(chosen) / COLUMNS))
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(plots.WIDTH, 1.5 * rows))
    for ax, (action, number), frame in zip(axes.flat, chosen.items(), frames, strict=False):
        plots.picture(frame, f"{plots.wrap(action)}, {number / dataset.fps:.0f} s", ax)
    for ax in axes.flat[len(chosen) :]:
        ax.set_axis_off()
    return figure, pd.DataFrame({"action": list(middles), "frame": list(middles.values())})


def timelines(dataset: Dataset, videos: Sequence[str]) -> tuple[Figure, pd.DataFrame]:
    """The labels of some videos on a time axis (no legend beyond MOST_BARS classes); data: video, frame, label."""
    figure, ax = plt.subplots(figsize=(plots.WIDTH, 3.4))
    shown = {video: dataset.names(video) for video in videos}
    plots.timeline(shown, dataset.fps, dataset.classes, ax)
    if len({name for names in shown.values() for name in names}) > MOST_BARS and (legend := ax.get_legend()):
        legend.remove()
    series = {video: pd.Series(names, name="label") for video, names in shown.items()}
    return figure, pd.concat(series, names=["video", "frame"]).reset_index()


def class_shares(statistics: Mapping[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Shares of frames by class, one panel per data set, the largest MOST_BARS classes of each.

    Args:
        statistics: by the name of the set, as returned by `lib.data.facts.class_statistics`.
    """
    bars = min(MOST_BARS, max(len(table) for table in statistics.values()))
    size = (plots.WIDTH, max(4.6, 0.19 * bars))
    figure, axes = plt.subplots(1, len(statistics), figsize=size, squeeze=False)
    for ax, (name, table) in zip(axes.flat, statistics.items(), strict=True):
        largest = (table["share"] * 100).nlargest(MOST_BARS) if len(table) > MOST_BARS else table["share"] * 100
        plots.class_bars(largest, ax, "share of frames, %")
        ax.set_title(name if len(largest) == len(table) else f"{name}: largest {MOST_BARS} of {len(table)}")
    return figure, pd.concat(statistics, names=["set"]).reset_index()


def narrated_frames(root: Path, videos: Sequence[str], fps: float) -> tuple[Figure, pd.DataFrame]:
    """A frame of each narrated video and what is done in it (Figure 2), up to 14; data: video."""
    figure, axes = plt.subplots(2, COLUMNS, figsize=(plots.WIDTH, 2.9))
    for ax in axes.flat[len(videos) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, videos, strict=False):
        lines = said_and_done(root, name)
        done = lines.iloc[len(lines) // 2]
        second = (done["start, s"] + done["end, s"]) / 2
        (frame,) = read_frames(root / "videos" / f"{name}.avi", [int(second * fps)])
        plots.picture(frame, done["done then"].replace(" ", "_"), ax)
    return figure, pd.DataFrame({"video": videos})
