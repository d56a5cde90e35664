"""What a data set holds (thesis 2.1): lengths, segments, shares of the classes."""

from collections.abc import Sequence
from itertools import groupby

import pandas as pd

from lib.dataset import Dataset
from lib.layout import person


def class_statistics(dataset: Dataset) -> pd.DataFrame:
    """A row a class: frames, share of all frames, segments, mean length of a segment in seconds."""
    frames = dict.fromkeys(dataset.classes, 0)
    segments = dict.fromkeys(dataset.classes, 0)
    for video in dataset.videos:
        for name, run in groupby(dataset.names(video)):
            frames[name] += sum(1 for _ in run)
            segments[name] += 1
    table = pd.DataFrame({"frames": frames, "segments": segments}).rename_axis("class")
    table["share"] = table["frames"] / table["frames"].sum()
    table["mean_seconds"] = table["frames"] / table["segments"] / dataset.fps
    return table


def facts(dataset: Dataset) -> dict[str, float]:
    """Videos, people, classes, hours, segments, length of a video in seconds (mean, shortest, longest)."""
    seconds = pd.Series({video: len(dataset.names(video)) / dataset.fps for video in dataset.videos})
    return {
        "videos": len(dataset.videos),
        "people": len({person(video) for video in dataset.videos}),
        "classes": len(dataset.classes),
        "hours": seconds.sum() / 3600,
        "segments": sum(1 for video in dataset.videos for _ in groupby(dataset.names(video))),
        "mean length, s": seconds.mean(),
        "shortest, s": seconds.min(),
        "longest, s": seconds.max(),
    }


def middle_frames(labels: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """For each class that occurs, the frame in the middle of its longest segment, in the order of time.

    >>> middle_frames(["cut", "cut", "cut", "place", "cut"], ["cut", "place"])
    {'cut': 1, 'place': 3}
    """
    longest: dict[str, tuple[int, int]] = {}
    start = 0
    for name, run in groupby(labels):
        length = sum(1 for _ in run)
        if length > longest.get(name, (0, 0))[1]:
            longest[name] = (start, length)
        start += length
    middles = {name: longest[name][0] + longest[name][1] // 2 for name in classes if name in longest}
    return dict(sorted(middles.items(), key=lambda item: item[1]))
