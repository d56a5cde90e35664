"""Which epoch of a fine-tuning is the result (thesis 2.9): the thesis's code took the one with the lowest test loss."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from lib.layout import person

SelectOn = Literal["test", "validation", "last"]


def hold_out(videos: Sequence[str], people: int, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part a split's training videos by person.

    Args:
        videos: whose names tell the person (lib.layout.person).
        people: so many of them go to validation, all their videos.
        seed: of the draw.

    Returns:
        Videos to train on and to validate on, in the order given.

    Raises:
        ValueError: nobody would be left to train on.

    >>> hold_out(["rgb-01-1", "rgb-01-2", "rgb-02-1"], people=1, seed=0)
    (('rgb-02-1',), ('rgb-01-1', 'rgb-01-2'))
    """
    everyone = sorted({person(video) for video in videos})
    if people >= len(everyone):
        raise ValueError(f"finetune.validation_people: {people} of {len(everyone)} leave nobody to train on")
    chosen = set(np.random.default_rng(seed).permutation(everyone)[:people].tolist())
    train = tuple(video for video in videos if person(video) not in chosen)
    return train, tuple(video for video in videos if person(video) in chosen)


def choose_epoch(history: pd.DataFrame, epochs: int, select_on: SelectOn) -> int:
    """The epoch that a result takes from the first `epochs` of a training.

    Args:
        history: columns epoch, test_loss and, for "validation", validation_loss.
        epochs: the result's.
        select_on: whose loss must be lowest; "last": the last of them.

    >>> curve = pd.DataFrame({"epoch": [1, 2, 3], "test_loss": [3.0, 1.0, 0.5]})
    >>> choose_epoch(curve, 2, "test"), choose_epoch(curve, 3, "test"), choose_epoch(curve, 3, "last")
    (2, 3, 3)
    """
    first = history[history["epoch"] <= epochs]
    if select_on == "last":
        return int(first["epoch"].iloc[-1])
    return int(first.loc[first[f"{select_on}_loss"].idxmin(), "epoch"])
