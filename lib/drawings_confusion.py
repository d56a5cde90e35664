"""Confusion matrices as figures (thesis Figures 18, 19, 21, 23, 25, 27), and the kinds of confused pairs (2.8.3)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.confusion import row_shares, summed

WIDTH = 10.0  # inches, wider than the text of the report's other figures: two matrices of 19 names side by side
WRITTEN = 0.05  # smaller shares are coloured and not written
ABSENT = "#c9c9c9"  # a class without true seconds


def draw_confusions(matrices: Mapping[int, pd.DataFrame]) -> Figure:
    """One panel a split, then their sum, two in a row; all on one colour scale from 0 to 1.

    Names stand at the left column and below the lowest panel of each column, with the class's number, which stands at
    every panel. Shares of a true class's seconds are written in percent from 5 % on.
    """
    panels = {f"split {split}": matrix for split, matrix in matrices.items()}
    if len(matrices) > 1:
        panels["all splits"] = summed(matrices)
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    size = (WIDTH, 3.0 + 4.0 * rows) if columns == 2 else (0.7 * WIDTH, 0.75 * WIDTH)
    hidden = {"visible": False}  # seaborn draws the whole figure for each matrix, to see whether names overlap
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, subplot_kw=hidden)
    for place, ((name, matrix), ax) in enumerate(zip(panels.items(), grid.flat, strict=False)):
        draw_confusion(matrix, ax, left=place % columns == 0, below=place + columns >= len(panels)).set_title(name)
    for ax in grid.flat[len(panels) :]:
        ax.remove()
    used = list(grid.flat[: len(panels)])
    for ax in used:
        ax.set_visible(True)
    bar = figure.colorbar(used[0].collections[0], ax=used, location="top", shrink=0.5, aspect=40, pad=0.01)
    bar.set_label("share of the true class's seconds (written in %)")
    if any((matrix.sum(axis=1) == 0).any() for matrix in panels.values()):
        figure.legend(handles=[Patch(color=ABSENT, label="no true seconds")], loc="upper right", frameon=False)
    return figure


def draw_confusion(matrix: pd.DataFrame, ax: Axes, left: bool = True, below: bool = True) -> Axes:
    """One matrix, each row's shares.

    Args:
        left, below: write the names of the true and of the predicted classes there, and not their numbers alone.
    """
    shares = row_shares(matrix)
    written = shares.map(lambda share: f"{100 * share:.0f}" if share >= WRITTEN else "")
    numbers = [str(number) for number in range(len(matrix))]
    names = [f"{name}  {number}" for number, name in enumerate(matrix.index)]
    ax.set_facecolor(ABSENT)  # seen where a share is NaN
    sns.heatmap(
        shares, ax=ax, vmin=0, vmax=1, cmap="Blues", cbar=False, square=True, mask=shares.isna(), annot=written, fmt="",
        annot_kws={"size": 7}, linewidths=0.3, linecolor="#e4e4e4", yticklabels=names if left else numbers,
        xticklabels=names if below else numbers,
    )  # fmt: skip
    ax.set(ylabel="true" if left else "", xlabel="predicted" if below else "")
    ax.tick_params(axis="y", labelrotation=0, labelsize=8.5, length=0, pad=1)
    ax.tick_params(axis="x", labelrotation=90 if below else 0, labelsize=8.5, length=0, pad=1)
    return ax


def draw_kinds(shares: pd.DataFrame, ax: Axes) -> Axes:
    """Mean share of each kind in the wrong seconds, a bar for each weights; a point a split; a line where chance is.

    Args:
        shares: as of `lib.pair_kinds.kind_shares`, with a column weights.
    """
    kinds, weights = list(shares["kind"].unique()), list(shares["weights"].unique())
    height = 0.8 / len(weights)
    for row, name in enumerate(weights):
        part = shares[shares["weights"] == name].groupby("kind", sort=False)
        places = np.arange(len(kinds)) + (row - (len(weights) - 1) / 2) * height
        colour = sns.color_palette("colorblind")[row]
        ax.barh(
            places, 100 * part["share"].mean()[kinds], height * 0.9, color=colour, alpha=0.55, label=f"{name} weights"
        )
        for place, kind in zip(places, kinds, strict=True):
            values = 100 * part.get_group(kind)["share"]
            ax.plot(values, np.full(len(values), place), "o", ms=3, color=colour)
        chance = 100 * part["by_prediction"].mean()[kinds]
        ax.vlines(
            chance,
            places - height / 2,
            places + height / 2,
            colors="black",
            lw=1.6,
            label="_" * bool(row) + "by chance",
        )
    ax.set_yticks(range(len(kinds)), kinds)
    ax.invert_yaxis()
    ax.set(xlabel="share of the wrong seconds, %", xlim=(0, None))
    ax.grid(axis="y", visible=False)
    ax.legend()
    return ax
