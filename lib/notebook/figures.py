"""Whole figures: frames, captions, class shares (2.1); a video's windows (2.7); confusions and their kinds (2.8.3)."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.data.narrated import CaptionTrack
from lib.notebook import plots
from lib.scoring.confusion import row_shares, summed
from lib.videoclip.windows import Trace


def draw_branch(one: Trace, classes: Sequence[str]) -> Figure:
    """Draw a video's way through the branch: windows, one class's score in each, all classes' mean scores, labels."""
    heights = [0.8, 1.1, 2.8, 0.7]
    figure, axes = plt.subplots(4, 1, figsize=(plots.WIDTH, 9.6), sharex=True, height_ratios=heights)
    colours = list(plots.SPLIT_COLOURS.values())[:3]
    _windows(one, colours, axes[0])
    _one_class(one, classes, colours, axes[1])
    _all_classes(one, classes, axes[2])
    labels = {"truth": one.truth, "best class": one.merged.argmax(axis=1)}
    rows = {name: [str(classes[k]) for k in row] for name, row in labels.items()}
    plots.timeline(rows, 1.0, classes, axes[3])
    axes[3].set_title("Truth and the best class of each second", loc="left", fontsize=9)
    return figure


def branch_table(one: Trace, classes: Sequence[str]) -> pd.DataFrame:
    """The data of `draw_branch`: one row per second with its windows, truth, best class and mean scores."""
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
        ax.text(start + 0.5, row, str(number + 1), va="center", fontsize=8)
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
    ax.set_yticks(range(len(classes)), list(classes), fontsize=8)
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, pad=0.01, fraction=0.03)
    ax.set_title("Mean scores minus the second's mean over the classes; dots: truth", loc="left", fontsize=9)


WRITTEN = 0.05  # smaller shares are coloured and not written
ABSENT = "#c9c9c9"  # a class without true seconds


def draw_confusions(matrices: Mapping[int, pd.DataFrame]) -> Figure:
    """Draw confusion matrices in one colour scale: all splits together, large, and below them each split."""
    rows = -(-len(matrices) // SPLITS) if len(matrices) > 1 else 0
    figure = plt.figure(figsize=(plots.WIDTH, 6.4 + 1.75 * rows))
    grid = figure.add_gridspec(1 + rows, SPLITS, height_ratios=[6.4, *[1.75] * rows])
    large = figure.add_subplot(grid[0, :])
    draw_confusion(summed(matrices), large).set_title("all splits" if rows else f"split {next(iter(matrices))}")
    bar = figure.colorbar(large.collections[0], ax=large, location="right", shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("share of the true class's seconds (written in %)")
    for place, (split, matrix) in enumerate(matrices.items() if rows else ()):
        ax = figure.add_subplot(grid[1 + place // SPLITS, place % SPLITS])
        ax.set_facecolor(ABSENT)
        ax.imshow(row_shares(matrix), vmin=0, vmax=1, cmap="Blues", interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"split {split}", fontsize=9)
    if any((matrix.sum(axis=1) == 0).any() for matrix in matrices.values()):
        figure.legend(handles=[Patch(color=ABSENT, label="no true seconds")], loc="upper right", frameon=False)
    return figure


SPLITS = 5  # matrices of splits in a row


def draw_confusion(matrix: pd.DataFrame, ax: Axes) -> Axes:
    """Draw one matrix as shares of each row, the predicted classes by their numbers."""
    shares = row_shares(matrix)
    written = shares.map(lambda share: f"{100 * share:.0f}" if share >= WRITTEN else "")
    numbers = [str(number) for number in range(len(matrix))]
    names = [f"{name}  {number}" for number, name in enumerate(matrix.index)]
    ax.set_facecolor(ABSENT)  # seen where a share is NaN
    sns.heatmap(
        shares, ax=ax, vmin=0, vmax=1, cmap="Blues", cbar=False, square=True, mask=shares.isna(), annot=written, fmt="",
        annot_kws={"size": 8}, linewidths=0.3, linecolor="#e4e4e4", yticklabels=names, xticklabels=numbers,
    )  # fmt: skip
    ax.set(ylabel="true", xlabel="predicted")
    ax.tick_params(axis="both", labelrotation=0, labelsize=8.5, length=0, pad=1)
    return ax


def draw_kinds(shares: pd.DataFrame) -> Figure:
    """Draw each kind of confusion's share of the wrong seconds: a bar per weights, points for splits, a chance line."""
    figure, ax = plt.subplots(figsize=(plots.WIDTH, 4.2))
    kinds, weights = list(shares["kind"].unique()), list(shares["weights"].unique())
    height = 0.8 / len(weights)
    for row, name in enumerate(weights):
        part = shares[shares["weights"] == name].groupby("kind", sort=False)
        places = np.arange(len(kinds)) + (row - (len(weights) - 1) / 2) * height
        colour = sns.color_palette("colorblind")[row]
        mean, chance = (100 * part[column].mean()[kinds] for column in ("share", "by_prediction"))
        ax.barh(places, mean, height * 0.9, color=colour, alpha=0.55, label=f"{name} weights")
        for place, kind in zip(places, kinds, strict=True):
            values = 100 * part.get_group(kind)["share"]
            ax.plot(values, np.full(len(values), place), "o", ms=3, color=colour)
        label = "_" * bool(row) + "by chance"
        ax.vlines(chance, places - height / 2, places + height / 2, colors="black", lw=1.6, label=label)
    ax.set_yticks(range(len(kinds)), kinds)
    ax.invert_yaxis()
    ax.set(xlabel="share of the wrong seconds, %", xlim=(0, None))
    ax.grid(axis="y", visible=False)
    ax.legend()
    return figure


def draw_sensors(motion: np.ndarray, labels: Sequence[str], fps: float, classes: Sequence[str]) -> Figure:
    """Draw how much each tool moves, above the actions, on one time axis. `motion`: (tools, T)."""
    figure = plots.timelines({"": {"action": labels}}, fps, classes)
    below = figure.axes[0]
    figure.set_figheight(figure.get_figheight() + 2.6)
    grid = figure.add_gridspec(2, 1, height_ratios=(6, 1))
    below.set_subplotspec(grid[1])
    ax = figure.add_subplot(grid[0], sharex=below)
    shown = np.sqrt(motion)  # so that a stirring spoon is seen beside a chopping knife
    extent = (0, motion.shape[1] / fps, len(motion) + 0.5, 0.5)
    image = ax.imshow(shown, aspect="auto", cmap="Greys", interpolation="nearest", extent=extent)
    ax.set_yticks(range(1, len(motion) + 1))
    ax.set(ylabel="sensor", title="motion of ten kitchen tools (darker: more)")
    ax.tick_params(labelbottom=False)
    ax.grid(visible=False)
    image.set_clim(0, float(np.sqrt(np.quantile(motion, 0.995))))
    return figure


def wrap(name: str) -> str:
    """Break a long class name into two lines.

    >>> wrap("place_cucumber_into_bowl").splitlines()
    ['place_cucumber', 'into_bowl']
    """
    return name.replace("_into_", "\ninto_").replace("_onto_", "\nonto_")


def frame_grid(frames: Sequence[tuple[str, np.ndarray]], columns: int) -> Figure:
    """Draw frames (H, W, 3), RGB, row by row, each with a title."""
    rows = -(-len(frames) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(plots.WIDTH, 1.5 * rows * 7 / columns), squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, image) in zip(axes.flat, frames, strict=False):  # the last row may not be full
        ax.imshow(image)
        ax.set_title(title, fontsize=8)
    return figure


def draw_captions(tracks: Sequence[CaptionTrack], seconds: float) -> Figure:
    """Draw what is said around each video's middle caption: boxes over time, in two rows because they may overlap."""
    figure, axes = plt.subplots(len(tracks), 1, figsize=(plots.WIDTH, 0.85 * len(tracks)), squeeze=False)
    for (name, start, end, said), ax in zip(tracks, axes[:, 0], strict=True):
        first = max(0.0, float(start[len(start) // 2]) - seconds / 2)
        ax.set(xlim=(first, first + seconds), ylim=(-0.5, 1.5), yticks=[])
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        ax.grid(visible=False)
        inside = np.flatnonzero((start < first + seconds) & (end > first))
        for row, number in enumerate(inside):
            left, right = max(start[number], first), min(end[number], first + seconds)
            colour = plots.SPLIT_COLOURS[1 + row % 2]
            ax.broken_barh([(left, right - left)], (0.55 - row % 2, 0.9), facecolors=colour, alpha=0.25)
            # so many characters of this size fit
            characters = int((right - left) * 130 / seconds)
            lines = textwrap.wrap(said[number], characters)[:2] if characters > 7 else []
            ax.text(left, 1 - row % 2, "\n".join(lines), fontsize=8, va="center", linespacing=0.95, clip_on=True)
    axes[-1, 0].set_xlabel("seconds of the video")
    return figure


def class_bars(shares: Mapping[str, pd.Series], label: str) -> Figure:
    """Draw horizontal bars per class, the largest on top, one panel per data set."""
    figure, axes = plt.subplots(1, len(shares), figsize=(plots.WIDTH, 4.6), squeeze=False)
    for ax, (name, values) in zip(axes[0], shares.items(), strict=True):
        ordered = values.sort_values()
        bars = ax.barh(ordered.index, ordered, color=plots.SPLIT_COLOURS[1], height=0.75)
        ax.bar_label(bars, fmt=" %.1f", fontsize=8)
        ax.set(xlabel=label, ylabel="", title=name)
        ax.grid(axis="y", visible=False)
        ax.margins(y=0.01)
    return figure
