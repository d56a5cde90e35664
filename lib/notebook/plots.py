"""Plots in one style: colours of splits, methods and classes that colour-blind readers can tell apart.

Functions that end in a Figure draw a whole figure in one call; those that take an `ax` draw one panel and return it.

Nineteen classes cannot all have colours that anybody can tell apart. So colour stands for the verb and pattern for the
object: `cut_tomato` and `cut_cheese` have nearly the same blue, `cut_cheese` and `place_cheese_into_bowl` the same
hatching. Classes that name no action are grey. With more than six verbs some share a colour, and their classes still
differ in pattern as long as there are patterns.

Colours of different verbs are at least 20 apart in CIELAB in normal sight, under protanopia and under deuteranopia, by
the simulation of Machado et al., IEEE TVCG 2009 (tests/test_class_colours.py). Within a verb, only the pattern and the
name in the legend differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lib.scoring.confusion import NEUTRAL
from lib.scoring.labels import segments

# Darkest and lightest colour of each family, 12 units of CIELAB lightness apart. Found by a random search for the
# largest minimum distance between families under the three kinds of sight.
FAMILIES = (
    ("#3e60db", "#677dfe"),  # blue
    ("#d79f27", "#fbbf4a"),  # amber
    ("#971381", "#b93da0"),  # plum
    ("#2aab68", "#53cd86"),  # green
    ("#029bdb", "#4bbbfe"),  # sky
    ("#475001", "#656d22"),  # olive
)
GREY = ("#818181", "#a0a0a0")

# Bokeh's name -> Matplotlib's. No dots: they make an SVG of half a megabyte.
PATTERNS = {
    "blank": "",
    "right_diagonal_line": "////",
    "left_diagonal_line": "\\\\\\\\",
    "diagonal_cross": "xxxx",
    "horizontal_line": "----",
    "cross": "++++",
    "vertical_line": "||||",  # last, since on a time axis they look like borders
}


@dataclass(frozen=True)
class ClassStyle:
    """Style of a class: a colour such as "#3e60db", one of PATTERNS, and the pattern's colour, the ink.

    `verb` is its group in a legend, "no action" for neutral classes.
    """

    verb: str
    colour: str
    pattern: str
    ink: str


def class_styles(classes: Sequence[str]) -> dict[str, ClassStyle]:
    """Choose a style for each class, in the order of the classes.

    Names are read as verb, object, and maybe a place, as in lib.scoring.confusion.

    >>> styles = class_styles(["cut_tomato", "cut_cheese", "place_tomato_into_bowl", "action_start"])
    >>> [style.pattern for style in styles.values()]
    ['blank', 'right_diagonal_line', 'blank', 'blank']
    >>> styles["cut_tomato"].colour, styles["action_start"].verb
    ('#3e60db', 'no action')
    """
    verbs = {name: "no action" if name in NEUTRAL else name.split("_")[0] for name in classes}
    actions = list(dict.fromkeys(verb for verb in verbs.values() if verb != "no action"))
    family = {verb: number % len(FAMILIES) for number, verb in enumerate(actions)} | {"no action": -1}
    members: dict[int, list[str]] = {}
    for name, verb in verbs.items():
        members.setdefault(family[verb], []).append(name)
    patterns = _patterns(members)
    styles = {}
    for name, verb in verbs.items():
        mates = members[family[verb]]
        share = mates.index(name) / (len(mates) - 1) if len(mates) > 1 else 0.5
        colour, light = _between(FAMILIES[family[verb]] if family[verb] >= 0 else GREY, share)
        styles[name] = ClassStyle(verb, colour, patterns[name], "#000000" if light else "#ffffff")
    return styles


def _patterns(members: dict[int, list[str]]) -> dict[str, str]:
    """Choose for each class a pattern that no other class of its family has, if possible one per object."""
    kept: dict[str, str] = {}  # object -> pattern
    found: dict[str, str] = {}
    for mates in members.values():
        free = list(PATTERNS)
        for name in sorted(mates, key=lambda name: _object(name) not in kept):  # objects that have one choose first
            choice = kept.get(_object(name))
            if choice not in free:
                choice = free[0] if free else "blank"
            if choice in free:
                free.remove(choice)
            kept.setdefault(_object(name), choice)
            found[name] = choice
    return found


def _object(name: str) -> str:
    return "_".join(name.split("_")[1:2])


def _between(ends: tuple[str, str], share: float) -> tuple[str, bool]:
    """Mix a colour between two, and tell whether it is light, so that a pattern on it is black."""
    dark, bright = (bytes.fromhex(end[1:]) for end in ends)
    mixed = [round(a + share * (b - a)) for a, b in zip(dark, bright, strict=True)]
    red, green, blue = ((value / 255) ** 2.2 for value in mixed)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#{:02x}{:02x}{:02x}".format(*mixed), luminance > 0.3


# Okabe and Ito's palette: https://jfly.uni-koeln.de/color; beyond it `curve_style` dashes
SPLIT_COLOURS = {1: "#0072B2", 2: "#E69F00", 3: "#009E73", 4: "#CC79A7", 5: "#D55E00"}
MEAN_COLOUR = "#222222"
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


def short(value: float, sign: str = "") -> str:
    """Write a number with the precision of the thesis's tables: three decimals for fractions, one for percentages."""
    return "–" if pd.isna(value) else f"{value:{sign}.3f}" if abs(value) < 2 else f"{value:{sign}.1f}"


def curve_style(number: int) -> dict[str, Any]:
    """Colour and dashes of the curve with this number, from 0: the palette solid, then again dashed, then dotted.

    >>> curve_style(0), curve_style(5)
    ({'color': '#0072B2', 'ls': '-'}, {'color': '#0072B2', 'ls': '--'})
    """
    colours, dashes = list(SPLIT_COLOURS.values()), ("-", "--", ":", "-.")
    return {"color": colours[number % len(colours)], "ls": dashes[number // len(colours) % len(dashes)]}


def learning_curves(history: pd.DataFrame, value: str, ax: Axes, label: str) -> Axes:
    """Draw one line per split over the tested epochs and, with several, their mean and the band of them all."""
    measured = history.dropna(subset=[value])
    curves = {f"split {split}": curve.set_index("epoch")[value] for split, curve in measured.groupby("split")}
    labelled_curves(curves, ax, label, {name: int(name.split()[1]) - 1 for name in curves})
    if len(curves) > 1:
        labelled_curves({"mean": measured.pivot(index="epoch", columns="split", values=value)}, ax, label)
    return ax


def labelled_curves(
    curves: Mapping[str, pd.Series | pd.DataFrame], ax: Axes, label: str, numbers: Mapping[str, int] | None = None
) -> Axes:
    """Draw one line per named series over its index, e.g. the three ways to trim.

    Args:
        curves: a table has a column per seed or split; their mean and the band between the outermost are drawn.
        label: of the vertical axis; the horizontal one has the name of the series' index, by default "epoch".
        numbers: number of each curve's style (`curve_style`), if not its place.
    """
    name = "epoch"
    for place, (key, curve) in enumerate(curves.items()):
        style: dict[str, Any] = {"lw": 1.4} | curve_style(place if numbers is None else numbers[key])
        if key == "mean":
            style = {"color": MEAN_COLOUR, "lw": 2.2}
        if isinstance(curve, pd.DataFrame):
            ax.fill_between(curve.index, curve.min(axis=1), curve.max(axis=1), color=style["color"], alpha=0.15, lw=0)
            curve = curve.mean(axis=1)
        ax.plot(curve.index, curve, marker="o" if len(curve) <= 15 else "", ms=4, label=key, **style)
        name = curve.index.name or name
    ax.set(xlabel=name, ylabel=label)
    return ax


def zoom(ax: Axes, first: float) -> Axes:
    """Scale the vertical axis to what the lines show from `first` on, so that a steep start does not decide it."""
    points = np.concatenate([np.column_stack(line.get_data()) for line in ax.get_lines()])
    shown = points[points[:, 0] >= first, 1]
    room = 0.08 * (shown.max() - shown.min()) or 0.1
    ax.set(ylim=(shown.min() - room, shown.max() + room))
    return ax


def learning_curve_panels(history: pd.DataFrame | Mapping[str, pd.DataFrame], values: Mapping[str, str]) -> Figure:
    """Draw learning curves side by side, one panel per measured value.

    Args:
        history: as for `learning_curves`; or several by title, drawn in panels of one scale.
        values: column of the history -> label of the vertical axis.
    """
    histories = {"": history} if isinstance(history, pd.DataFrame) else history
    places = list(product(histories, values))
    figure, axes = plt.subplots(1, len(places), sharey=len(histories) > 1, squeeze=False)
    for ax, (title, column) in zip(axes[0], places, strict=True):
        learning_curves(histories[title], column, ax, values[column]).set_title(title)
        if column.startswith("train_") and histories[title]["epoch"].max() > 3:
            zoom(ax, 2)
        if len(histories) > 1:
            ax.label_outer()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncol=6, frameon=False)
    return figure


def curve_panels(
    panels: Mapping[str, Mapping[str, pd.Series | pd.DataFrame]],
    shared: str = "",
    level: tuple[str, float] | None = None,
) -> Figure:
    """Draw named curves side by side, one panel per entry.

    Args:
        panels: label of the vertical axis -> curves by name; with `shared`, title of the panel -> curves.
        shared: label of the vertical axis that all panels have in common.
        level: label and height of a horizontal line in all panels, e.g. an untrained model's score.
    """
    figure, axes = plt.subplots(1, len(panels), sharey=bool(shared), squeeze=False)
    for ax, (name, curves) in zip(axes[0], panels.items(), strict=True):
        labelled_curves(curves, ax, shared or name).set_title(name if shared else "")
        if shared:
            ax.label_outer()
        if level:
            ax.axhline(level[1], color=MEAN_COLOUR, ls="--", lw=1, label=level[0])
    if len(axes[0, 0].get_lines()) > 1:
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncol=6, frameon=False)
    return figure


def pretraining_curves(history: pd.DataFrame, pairs: int) -> Figure:
    """Draw the losses of a pre-training over its epochs (Figures 16, 17): all, and from the end of the first epoch on.

    Args:
        history: as returned by `lib.pretraining.recipes.run_recipe`.
        pairs: per cluster; equal scores for all give the loss 2 ln(pairs), twice the entropy of guessing.
    """
    by_epoch = history.set_index("epoch")
    names = {
        "train_loss": "training",
        "random_loss": "validation, random negatives",
        "hard_loss": "validation, mined negatives",
    }
    curves = {label: by_epoch[name] for name, label in names.items()}
    panels = {"contrastive loss": curves, "the same, from epoch 1 on": curves}
    figure = curve_panels(panels, level=("chance", 2 * float(np.log(pairs))))
    zoom(figure.axes[1], 1)
    return figure


def timelines(videos: Mapping[str, Mapping[str, Sequence[str]]], fps: float, classes: Sequence[str]) -> Figure:
    """Draw label sequences as bars (`timeline`), one panel per video by title, with a legend of classes that occur."""
    rows = max(map(len, videos.values()))
    figure, axes = plt.subplots(len(videos), 1, figsize=(WIDTH, 1.1 + (0.6 + 0.28 * rows) * len(videos)), squeeze=False)
    for ax, (title, sequences) in zip(axes[:, 0], videos.items(), strict=True):
        timeline(sequences, fps, classes, ax).set_title(title, fontsize=9)
    seen = {name for sequences in videos.values() for labels in sequences.values() for name in labels}
    styles = {name: style for name, style in class_styles(classes).items() if name in seen}
    handles = [Patch(lw=0, label=name, **_filling(style)) for name, style in styles.items()]
    if len(handles) <= 48:  # a longer legend would leave no room for the bars
        figure.legend(handles=handles, loc="outside lower center", ncol=4, fontsize=8, frameon=False)
    return figure


def timeline(rows: Mapping[str, Sequence[str]], fps: float, classes: Sequence[str], ax: Axes) -> Axes:
    """Draw label sequences, one label per frame, as bars on one time axis, coloured by verb and hatched by object."""
    styles = class_styles(classes)
    for place, labels in enumerate(rows.values()):
        runs = segments(labels)
        for name in np.unique(runs.labels).tolist():
            own = runs.labels == name
            starts, ends = runs.starts[own] / fps, runs.ends[own] / fps
            spans = list(zip(starts, ends - starts, strict=True))
            # as vectors, the patterns of a page of timelines take megabytes
            ax.broken_barh(spans, (-place - 0.4, 0.8), lw=0, rasterized=True, **_filling(styles[name]))
    ax.set_yticks([-place for place in range(len(rows))], list(rows))
    ax.set(xlabel="seconds", xlim=(0, max(len(labels) for labels in rows.values()) / fps))
    ax.grid(visible=False)
    return ax


def _filling(style: ClassStyle) -> dict[str, Any]:
    return {"facecolor": style.colour, "hatch": PATTERNS[style.pattern], "hatchcolor": style.ink}


def count_or_short(value: float) -> str:
    """Write whole numbers without decimals; others, including infinity, as `short` does.

    >>> count_or_short(3.0), count_or_short(float("inf"))
    ('3', 'inf')
    """
    return f"{value:.0f}" if np.isfinite(value) and value == round(value) else short(value)


def draw_intervals(table: pd.DataFrame, measure: str, places: np.ndarray, colour: str, ax: Axes, label: str) -> None:
    """Draw points at their heights with the intervals of the columns "<measure> low" and "<measure> high"."""
    ax.hlines(places, table[f"{measure} low"], table[f"{measure} high"], color=colour, lw=1.5)
    ax.plot(table[measure], places, "o", color=colour, ms=4.5, label=label)
