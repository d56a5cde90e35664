"""The figure of 4.2: every method and control with its interval, and what went before it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

PLAIN, DECODED, BACKBONE, OWN = "#0072B2", "#D55E00", "#999999", "#009E73"


def methods_with_intervals(table: pd.DataFrame, measure: str, ax: Axes, label: str) -> Axes:
    """A row a method: the best class of each second, and beside it the Viterbi decoding, both with 95 % intervals.

    Args:
        table: of `lib.controls_views.with_costs`, drawn from top to bottom.
        measure: "accuracy" or "f1@50".
    """
    for ending, colour, shift, name in (("", PLAIN, 0.15, "best class"), (" viterbi", DECODED, -0.15, "Viterbi")):
        if measure + ending not in table:
            continue
        values = table[measure + ending]
        low, high = table[f"{measure} low{ending}"], table[f"{measure} high{ending}"]
        places = shift - np.arange(len(table))
        ax.hlines(places, low, high, color=colour, lw=1.4)
        ax.plot(values, places, "o", color=colour, ms=4, label=name)
    ax.set(xlabel=label, xlim=(0, 100), ylim=(-len(table) + 0.4, 0.6))
    return name_rows(list(table.index), ax)


def name_rows(names: Sequence[str], ax: Axes) -> Axes:
    ax.set_yticks(-np.arange(len(names)), list(names), fontsize=7.5)
    ax.grid(axis="y", visible=False)
    return ax


def pretraining_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Examples seen before the target set, thousands: of the backbone, and of VideoCLIP's pre-training after it."""
    places, before = -np.arange(len(table)), table["backbone_examples"].fillna(0) / 1000
    ax.barh(places, before, color=BACKBONE, height=0.6, label="backbone")
    ax.barh(places, table["videoclip_pairs"].fillna(0) / 1000, left=before, color=OWN, height=0.6, label="VideoCLIP")
    ax.set(xlabel="pre-training, 1000 examples", ylim=(-len(table) + 0.4, 0.6))
    ax.grid(axis="y", visible=False)
    return name_rows(list(table.index), ax)
