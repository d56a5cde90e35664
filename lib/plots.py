"""Plot functions: data and an `ax` in, the `ax` out. One style; one colour-blind-safe colour a split everywhere."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.class_colours import ClassStyle, class_styles
from lib.labels import segments

# Okabe and Ito's palette: https://jfly.uni-koeln.de/color
SPLIT_COLOURS = {
    1: "#0072B2",
    2: "#E69F00",
    3: "#009E73",
    4: "#CC79A7",
    5: "#D55E00",
}  # then again, dashed
MEAN_COLOUR = "#222222"
PRETRAINING_LOSSES = {
    "train_loss": "training",
    "random_loss": "validation, random negatives",
    "hard_loss": "validation, mined negatives",
}
WIDTH = 8.0  # inches: the text width of the report


def set_style() -> None:
    sns.set_theme(
        context="paper",
        style="whitegrid",
        font_scale=1.15,
        rc={
            "figure.figsize": (WIDTH, 3.6),
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "hatch.linewidth": 0.5,
            "svg.hashsalt": "report",  # equal figures are equal files
            "svg.fonttype": "path",
        },
    )


def short(value: float) -> str:
    """Three decimals for fractions, one for percents and the like: the precision of the thesis's tables."""
    return "–" if pd.isna(value) else f"{value:.3f}" if abs(value) < 2 else f"{value:.1f}"


def learning_curves(history: pd.DataFrame, value: str, ax: Axes, label: str) -> Axes:
    """One line a split over the epochs and, where there are several splits, their mean.

    Args:
        history: columns split, epoch and `value`; rows without a value (epochs that were not tested) are left out.
        label: of the vertical axis.
    """
    measured = history.dropna(subset=[value])
    colours = list(SPLIT_COLOURS.values())
    for split, curve in measured.groupby("split"):
        ax.plot(
            curve["epoch"],
            curve[value],
            color=colours[(int(split) - 1) % len(colours)],
            ls="-" if int(split) <= len(colours) else "--",
            lw=1.2,
            marker=_marker(curve),
            label=f"split {split}",
        )
    if measured["split"].nunique() > 1:
        mean = measured.groupby("epoch")[value].mean()
        ax.plot(mean.index, mean, color=MEAN_COLOUR, lw=2.2, label="mean")
    ax.set(xlabel="epoch", ylabel=label)
    return ax


def _marker(curve: pd.DataFrame | pd.Series) -> str:
    return "o" if len(curve) <= 15 else ""


def labelled_curves(curves: Mapping[str, pd.Series], ax: Axes, label: str) -> Axes:
    """One line a named series, e.g. the three ways to trim."""
    for (name, curve), colour in zip(curves.items(), SPLIT_COLOURS.values(), strict=False):
        ax.plot(curve.index, curve, color=colour, lw=1.6, marker=_marker(curve), label=name)
    ax.set(xlabel="epoch", ylabel=label)
    return ax


def pretraining_curves(history: pd.DataFrame, ax: Axes) -> Axes:
    """The losses of a pre-training over its epochs (Figures 16, 17); `history` is that of lib.pretrain.run_recipe."""
    by_epoch = history.set_index("epoch")
    curves = {label: by_epoch[name] for name, label in PRETRAINING_LOSSES.items()}
    labelled_curves(curves, ax, "contrastive loss").legend()
    return ax


def class_bars(shares: pd.Series, ax: Axes, label: str) -> Axes:
    """Horizontal bars, largest class on top. `shares`: value by class name."""
    ordered = shares.sort_values()
    ax.barh(ordered.index, ordered, color="#0072B2", height=0.75)
    for place, value in enumerate(ordered):
        ax.text(value, place, f" {value:.1f}", va="center", fontsize=8)
    ax.set(xlabel=label, ylabel="")
    ax.grid(axis="y", visible=False)
    ax.margins(y=0.01)
    return ax


def timeline(rows: Mapping[str, Sequence[str]], fps: float, classes: Sequence[str], ax: Axes) -> Axes:
    """Label sequences as bars on one time axis, coloured by verb and hatched by object (lib.class_colours).

    Args:
        rows: name -> label a frame, e.g. {"truth": …, "ASFormer": …}; drawn from top to bottom.
        fps: frames a second of the labels.
        classes: all class names, for the colours and the legend.
    """
    styles = class_styles(classes)
    for place, labels in enumerate(rows.values()):
        runs = segments(labels)
        for name in np.unique(runs.labels).tolist():
            own = runs.labels == name
            starts, ends = runs.starts[own] / fps, runs.ends[own] / fps
            spans = list(zip(starts, ends - starts, strict=True))
            ax.broken_barh(spans, (-place - 0.4, 0.8), lw=0, **_filling(styles[name]))
    ax.set_yticks([-place for place in range(len(rows))], list(rows))
    ax.set(xlabel="seconds", xlim=(0, max(len(labels) for labels in rows.values()) / fps))
    ax.grid(visible=False)
    seen = [name for name in classes if any(name in labels for labels in rows.values())]
    handles = [Patch(lw=0, label=name, **_filling(styles[name])) for name in seen]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.28 - 0.12 / len(rows)),
        ncol=4,
        fontsize=7.5,
        frameon=False,
    )
    return ax


def class_legend(classes: Sequence[str], figure: Figure) -> None:
    """One legend of all classes below a figure of timelines."""
    handles = [Patch(lw=0, label=name, **_filling(style)) for name, style in class_styles(classes).items()]
    figure.legend(handles=handles, loc="outside lower center", ncol=4, fontsize=7.5, frameon=False)


def _filling(style: ClassStyle) -> dict[str, Any]:
    return {"facecolor": style.colour, "hatch": style.hatch, "hatchcolor": style.ink}


def wrap(name: str) -> str:
    """A class name in two lines where it is long.

    >>> wrap("place_cucumber_into_bowl").splitlines()
    ['place_cucumber', 'into_bowl']
    """
    return name.replace("_into_", "\ninto_").replace("_onto_", "\nonto_")


def picture(image: np.ndarray, title: str, ax: Axes) -> Axes:
    """A frame (H, W, 3), RGB, without axes."""
    ax.imshow(image)
    ax.set_title(title, fontsize=7.5)
    ax.set_axis_off()
    return ax


def count_or_short(value: float) -> str:
    """Whole numbers without decimals, others as `short`."""
    return f"{value:.0f}" if not pd.isna(value) and value == round(value) else short(value)
