"""The drawing of 2.7: a video, its windows, the scores of one class in each, all classes' mean scores, the labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib import plots
from lib.branch import Trace


def draw_branch(one: Trace, classes: Sequence[str]) -> Figure:
    """From top to bottom as the video goes through the branch."""
    figure, axes = plt.subplots(
        4, 1, figsize=(plots.WIDTH, 9), sharex=True, height_ratios=[0.8, 1.1, 2.8, 0.7], squeeze=True
    )
    colours = list(plots.SPLIT_COLOURS.values())[:3]
    _windows(one, colours, axes[0])
    _one_class(one, classes, colours, axes[1])
    _all_classes(one, classes, axes[2])
    labels = {"truth": one.truth, "best class": one.merged.argmax(axis=1)}
    rows = {name: [str(classes[k]) for k in row] for name, row in labels.items()}
    plots.timeline(rows, 1.0, classes, axes[3])
    axes[3].get_legend().remove()
    axes[3].set_title("Truth and the best class of each second", loc="left", fontsize=9)
    return figure


def branch_table(one: Trace, classes: Sequence[str]) -> pd.DataFrame:
    """What the drawing shows: a row a second with its windows, truth, best class and mean scores."""
    count = np.zeros(len(one.truth), int)
    for start, inside in zip(one.starts, one.inside, strict=True):
        count[start : start + int(inside.sum())] += 1
    table = pd.DataFrame(one.merged, columns=list(classes)).rename_axis("second")
    table.insert(0, "best", [classes[k] for k in one.merged.argmax(axis=1)])
    table.insert(0, "truth", [classes[k] for k in one.truth])
    table.insert(0, "windows", count)
    return table.reset_index()


def _windows(one: Trace, colours: Sequence[str], ax: Axes) -> None:
    for number, (start, inside) in enumerate(zip(one.starts, one.inside, strict=True)):
        row = -(number % 3)
        ax.broken_barh([(start, int(inside.sum()))], (row - 0.35, 0.7), facecolors=colours[number % 3], alpha=0.75)
        ax.text(start + 0.5, row, str(number + 1), va="center", fontsize=7)
    ax.set(yticks=[], ylim=(-2.5, 0.5))
    ax.grid(visible=False)
    ax.set_title(f"{one.video}: windows of {one.inside.shape[1]} seconds", loc="left", fontsize=9)


def _one_class(one: Trace, classes: Sequence[str], colours: Sequence[str], ax: Axes) -> None:
    chosen = int(np.bincount(one.truth).argmax())
    for number, (start, inside) in enumerate(zip(one.starts, one.inside, strict=True)):
        length = int(inside.sum())
        middles = np.arange(start, start + length) + 0.5
        ax.plot(middles, one.window_scores[number, :length, chosen], color=colours[number % 3], lw=0.9)
    ax.plot(np.arange(len(one.merged)) + 0.5, one.merged[:, chosen], color=plots.MEAN_COLOUR, lw=2, label="mean")
    ax.set_ylabel("score")
    ax.legend(loc="upper right", fontsize=8)
    ax.set_title(f"Scores of {classes[chosen]} in each window, and their mean", loc="left", fontsize=9)


def _all_classes(one: Trace, classes: Sequence[str], ax: Axes) -> None:
    centred = one.merged - one.merged.mean(axis=1, keepdims=True)
    limit = float(np.abs(centred).max())
    extent = (0, len(one.truth), len(classes) - 0.5, -0.5)
    image = ax.imshow(centred.T, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, extent=extent)
    ax.plot(np.arange(len(one.truth)) + 0.5, one.truth, ".", color="black", ms=2.5)
    ax.set_yticks(range(len(classes)), list(classes), fontsize=7)
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, pad=0.01, fraction=0.03)
    ax.set_title("Mean scores less the second's mean over the classes; dots: truth", loc="left", fontsize=9)
