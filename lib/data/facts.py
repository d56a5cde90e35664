"""What a data set holds (thesis 2.1): lengths, segments, shares of the classes.

What the demo's narrated corpus holds, from its files (thesis 2.1.2, Figure 2).
"""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset, person
from lib.data.narrated import caption_file, caption_tracks


def corpus_facts(root: Path) -> dict[str, float]:
    """Videos, hours, captions, seconds of a caption, share of captions about nothing that is done, late seconds.

    "Late" is how much later a caption begins than the step that it speaks of: mean of the amounts, and their spread.
    """
    steps = json.loads((root / "steps.json").read_text(encoding="utf-8"))
    seconds = [video["end"][-1] for video in steps.values()]
    filler, shifts, lengths = [], [], []
    for name, start, end, _ in caption_tracks(caption_file(root), set(steps)):
        about = steps[name]["captions"]
        filler += [step is None for step in about]
        shifts += [at - steps[name]["start"][step] for at, step in zip(start, about, strict=True) if step is not None]
        lengths += (end - start).tolist()
    return {
        "videos": len(steps),
        "hours": sum(seconds) / 3600,
        "mean length, s": float(np.mean(seconds)),
        "captions": len(filler),
        "mean caption, s": float(np.mean(lengths)),
        "filler, %": 100 * float(np.mean(filler)),
        "begins after its step by, s": float(np.mean(shifts)),
        "spread of that, s": float(np.std(shifts)),
    }


def said_and_done(root: Path, video: str) -> pd.DataFrame:
    """A row a caption of one video: start, end, said, and what is done then ("verb thing", or the verb alone)."""
    steps = json.loads((root / "steps.json").read_text(encoding="utf-8"))[video]
    _, start, end, text = next(caption_tracks(caption_file(root), {video}))
    ends = np.array(steps["end"])
    places = np.searchsorted(ends, (start + end) / 2).clip(max=len(ends) - 1)
    done = [f"{steps['verb'][place]} {steps['thing'][place]}".removesuffix(" nothing") for place in places]
    return pd.DataFrame({"start, s": start, "end, s": end, "said": text, "done then": done})


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
