"""Figures and sentences of 4.4.

Tables are named after what makes them in lib/beyond/pairs/answer.py: `found` by `effects`, `table` by `levels`,
`differences` by `variant_differences`.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.beyond.pairs.answer import DECIDES, EASIER, LOSSES, SCRATCH, SHUFFLED, WAYS
from lib.beyond.pairs.pretraining import Design
from lib.notebook.plots import SPLIT_COLOURS, WIDTH, draw_intervals
from lib.notebook.tables import interval_cells
from lib.scoring.folders import MEASURES
from lib.scoring.words import interval, span, written

COLOURS = {SCRATCH: "#222222", SHUFFLED: "#D55E00", EASIER: "#0072B2"}
START_STYLES = {
    "untrained": ("no pre-training", "#222222", "o-"),
    "pairs": ("pairs", "#0072B2", "s-"),
    "shuffled": ("shuffled pairs", "#D55E00", "^--"),
    "features alone": ("features alone", "#999999", "x:"),
}
EQUAL_COLOURS = {"updates": SPLIT_COLOURS[1], "pairs": SPLIT_COLOURS[5]}
TRAP = "The CNN behind the video features saw the labels of all 40 training videos."


def decisive_figure(found: pd.DataFrame) -> Figure:
    """Draw what pairs add to video alone in each way to use them, points, 95 % intervals; the first row decides."""
    names = [way for way in WAYS.values() if way in found.index.get_level_values("way")]
    titles = {measure: f"{title}, points" for measure, title in MEASURES.items()}
    parts = {contrast: found.xs(contrast, level="contrast").reindex(names) for contrast in COLOURS}
    figure = _side_by_side(titles, parts, [*COLOURS.values()], spread=0.22, height=0.6)
    for ax in figure.axes:
        ax.axhspan(-0.5, 0.5, color="#0072B2", alpha=0.08, lw=0)
    return figure


def _side_by_side(
    titles: Mapping[str, str], parts: Mapping[str, pd.DataFrame], colours: Sequence[str], spread: float, height: float
) -> Figure:
    """Draw points with their 95 % intervals, a panel per measure, a line per row, the parts below each other on it.

    `parts`: label -> its rows, the same index in all; columns the measures, "<measure> low" and "<measure> high".
    """
    names = list(next(iter(parts.values())).index)
    figure, axes = plt.subplots(1, len(titles), figsize=(WIDTH, height * len(names) + 1.3), sharey=True)
    for ax, (measure, title) in zip(axes, titles.items(), strict=True):
        ax.axvline(0, color="#555555", lw=1)
        for place, ((label, part), colour) in enumerate(zip(parts.items(), colours, strict=True)):
            places = np.arange(len(names)) + (place - (len(parts) - 1) / 2) * spread
            draw_intervals(part, measure, places, colour, ax, label)
        ax.set_xlabel(title)
        ax.grid(axis="y", visible=False)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncol=len(parts), frameon=False)
    return figure


def curves_figure(table: pd.DataFrame) -> Figure:
    """Draw accuracy over the number of labelled videos, a panel per way, with 95 % intervals."""
    counted = table.groupby("way").apply(lambda part: part.index.get_level_values("labelled").nunique() > 1)
    names = [way for way in WAYS.values() if counted.get(way, False)]
    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.2), sharey=True, squeeze=False)
    for ax, way in zip(axes[0], names, strict=True):
        part = table.xs(way, level="way")
        for place, (start, (label, colour, line)) in enumerate(START_STYLES.items()):
            if start in part.index.get_level_values("start"):
                one = part.xs(start, level="start").sort_index()
                x = one.index.to_numpy() * 1.04 ** (place - 1.5)
                ax.plot(x, one["accuracy"], line, color=colour, ms=4, label=label)
                ax.vlines(x, one["accuracy low"], one["accuracy high"], color=colour, lw=1)
        ax.set_xscale("log")
        ticks = sorted(part.index.get_level_values("labelled").unique())
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
        ax.set_title(way.replace(", ", ",\n", 1), fontsize=9)
        ax.set_xlabel("labelled videos")
    axes[0, 0].set_ylabel("accuracy, %")
    figure.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside upper center", ncol=4, frameon=False)
    return figure


def variants_figure(differences: pd.DataFrame) -> Figure:
    """Draw how pre-trainings differ in held-out loss and a linear probe, with 95 % intervals over splits and seeds."""
    names = list(dict.fromkeys(differences.index.get_level_values("what")))
    parts = {f"equal {equal}": differences.xs(equal, level="equal").reindex(names) for equal in EQUAL_COLOURS}
    return _side_by_side(LOSSES, parts, [*EQUAL_COLOURS.values()], spread=0.28, height=0.42)


def shown_effects(found: pd.DataFrame) -> Styler:
    """Format for display: difference and interval in one cell, points, bold where the interval excludes zero."""
    cells, sure = {}, {}
    for measure, title in MEASURES.items():
        cells |= interval_cells(found, {measure: f"{title}, points"})
        cells[f"{title}: detectable"] = [written(value) for value in found[f"{measure} detectable"]]
        sure[f"{title}, points"] = found[f"{measure} direction"].isin(["higher", "lower"])
    return _bold(pd.DataFrame(cells, index=found.index), pd.DataFrame(sure))


def shown_few(found: pd.DataFrame) -> Styler:
    """Format for display: accuracy, points, a column per number of labelled videos; bold where zero is outside."""
    said = found["accuracy"].map(lambda value: written(value, "+.1f"))
    counts = sorted(found.index.get_level_values("labelled").unique())
    cells, sure = (
        values.unstack("labelled", sort=False)[counts].rename(columns="{} videos".format)
        for values in (said, found["accuracy direction"].isin(["higher", "lower"]))
    )
    return _bold(cells.fillna("–"), sure.eq(True))


def _bold(cells: pd.DataFrame, sure: pd.DataFrame) -> Styler:
    """Style cells in bold where `sure`, which may lack columns."""
    marks, nowrap = sure.reindex(columns=cells.columns, fill_value=False), "white-space: nowrap"
    # a row is two lines at most
    styler = cells.style.map_index(lambda _: "min-width: 14em", axis="index", level="contrast")
    return styler.apply(lambda _: np.where(marks, f"font-weight: bold; {nowrap}", nowrap), axis=None)


def shown_levels(table: pd.DataFrame) -> Styler:
    """Format for display: accuracy and F1@50 with their intervals, percent."""
    cells = interval_cells(table, {measure: f"{title}, %" for measure, title in MEASURES.items()}, ".1f")
    return pd.DataFrame(cells | {"seeds": table["seeds"].astype(int)}, index=table.index).style


def shown_variants(table: pd.DataFrame) -> Styler:
    """Format for display: each mean with half its interval in one cell."""
    cells = table.drop(columns=[name for measure in LOSSES for name in (measure, f"{measure} ±")])
    for measure, title in LOSSES.items():
        cells[title] = [f"{row[measure]:.2f} ± {row[f'{measure} ±']:.2f}" for _, row in table.iterrows()]
    return cells.style.hide()


def runs_sentence(pretrainings: pd.DataFrame, scores: pd.DataFrame, design: Design) -> str:
    """Say how much was run."""
    runs = pretrainings.groupby(["split", "seed", "partner", "clusters", "negatives"])
    heads = scores[(scores["inputs"] == "states") & ~((scores["head"] == "linear") & scores["frozen"])]
    trained = heads.groupby(["split", "seed", "start", "head", "frozen", "labelled"]).ngroups
    seeds = pretrainings["seed"].nunique()
    return (
        f"{runs.ngroups} pre-trainings ({seeds} seeds per split, {runs['update'].max().max()} updates at C = "
        f"{design.first}) and {trained} trained heads; frozen towers with a linear head are solved. "
        f"ASFormer on few labelled videos has {min(design.few_seeds, seeds)} seeds. {TRAP}"
    )


def control_sentence(found: pd.DataFrame) -> str:
    """Say what the other contrasts of the deciding way show, and what pre-training adds while the tower is frozen."""
    part = found.xs(DECIDES, level="way")
    said = [f"{name} {interval(row, 'accuracy')}" for name, row in part.iterrows() if name not in COLOURS]
    frozen = [
        f"{interval(found.loc[(way, SCRATCH)], 'accuracy')} ({way.removesuffix(', tower frozen')}; against shuffled "
        f"pairs {interval(found.loc[(way, SHUFFLED)], 'accuracy')})"
        for way in WAYS.values()
        if way.endswith(", tower frozen")
    ]
    return (
        f"Further differences in accuracy ({DECIDES}): {'; '.join(said)}. While the tower is frozen, pairs change "
        f"accuracy by {' and '.join(frozen)}: what a head alone cannot learn."
    )


def chance_sentence(found: pd.DataFrame) -> str:
    """Count a table's differences whose interval excludes zero, and how many would by chance.

    >>> accuracy, f1 = ["higher", "inconclusive"], ["lower", "inconclusive"]
    >>> table = pd.DataFrame({"accuracy direction": accuracy, "f1@50 direction": f1})
    >>> chance_sentence(table)
    'Of 4 differences 1 is above zero and 1 below; by chance about 0.2 would be.'
    """
    signs = pd.concat([found[f"{measure} direction"] for measure in MEASURES])
    higher, lower = (int((signs == what).sum()) for what in ("higher", "lower"))
    counted = f"Of {len(signs)} differences {higher} {'is' if higher == 1 else 'are'} above zero and {lower} below"
    return f"{counted}; by chance about {written(0.05 * len(signs))} would be."


def clusters_sentence(differences: pd.DataFrame) -> str:
    """Say which pre-trainings differ in the linear probe; the figure shows the losses."""
    decided = differences[differences["ridge direction"].isin(["higher", "lower"])]
    names = [f"{what} (equal {equal}) {interval(row, 'ridge')}" for (what, equal), row in decided.iterrows()]
    return (
        f"In the linear probe these differences have an interval without zero, points: {'; '.join(names) or 'none'}. "
        f"Differences of {span(differences['ridge detectable'])} points would be found with a chance of 80 %."
    )
