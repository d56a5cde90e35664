"""The front page's figure: every method beside its twin in the thesis, and what pre-training adds."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lib.answer import MEASURES, name_of
from lib.plots import SPLIT_COLOURS, WIDTH

KIND_COLOURS = {"ASFormer": SPLIT_COLOURS[1], "zero-shot": SPLIT_COLOURS[4], "epochs": SPLIT_COLOURS[5]}
EFFECT_COLOURS = {"accuracy": "#222222", "f1@50": SPLIT_COLOURS[3]}


def draw_answer(table: pd.DataFrame, effects: pd.DataFrame) -> Figure:
    """The figure of `lib.answer.answers` and `controlled`; the second may be empty."""
    heights = [0.32 * len(table) + 0.9] + ([0.32 * len(effects) + 0.7] if len(effects) else [])
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(len(heights), len(MEASURES), height_ratios=heights)
    axes = {measure: figure.add_subplot(grid[0, place]) for place, measure in enumerate(MEASURES)}
    for measure, title in MEASURES.items():
        methods_beside_thesis(table, measure, axes[measure]).set_xlabel(title)
    axes["f1@50"].set_yticklabels([])
    axes["accuracy"].legend(loc="lower right", fontsize=8, framealpha=1)
    if len(effects):
        pretraining_effects(effects, figure.add_subplot(grid[1, :])).legend(loc="best", fontsize=8, framealpha=1)
    return figure


def methods_beside_thesis(table: pd.DataFrame, measure: str, ax: Axes) -> Axes:
    """A row a method: here a dot with its standard deviation over the splits, the thesis's a diamond."""
    for place, (method, row) in enumerate(table.iterrows()):
        colour = next(colour for kind, colour in KIND_COLOURS.items() if kind in name_of(str(method)))
        spread = np.nan_to_num(row[f"{measure} sd"])
        label = "here ± sd over splits" if place == 0 else None
        ax.errorbar(row[measure], place, xerr=spread, fmt="o", color=colour, capsize=2.5, label=label)
        label = "thesis" if place == 0 else None
        ax.plot(row[f"{measure} thesis"], place, "D", mfc="none", mec="#555555", ms=6, label=label)
    ax.set_yticks(range(len(table)), [name_of(str(method)) for method in table.index])
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    ax.set(xlim=(0, 0.95), ylim=(len(table) - 0.5, -0.5))
    return ax


def pretraining_effects(effects: pd.DataFrame, ax: Axes) -> Axes:
    """Differences in points with their 95 % intervals, two measures a row."""
    for shift, (measure, title) in zip((-0.12, 0.12), MEASURES.items(), strict=True):
        places = np.arange(len(effects)) + shift
        low, high = (effects[measure] - effects[f"{measure} low"], effects[f"{measure} high"] - effects[measure])
        colour = EFFECT_COLOURS[measure]
        ax.errorbar(
            effects[measure], places, xerr=np.stack([low, high]), fmt="o", color=colour, capsize=2.5, label=title
        )
    ax.axvline(0, color="#555555", lw=1)
    ax.set_yticks(range(len(effects)), [f"pre-training, {kind}" for kind in effects.index])
    ax.set(ylim=(len(effects) - 0.5, -0.5), xlabel="points that pre-training adds, all else equal (4.2)")
    return ax
