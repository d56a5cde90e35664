"""Figures of the audit (4.1): lengths implied by the edit distances, differences with their intervals, power.

The audit's tables as they are shown (4.1): fewer columns than their CSV files, and in words.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.io.formats.style import Styler

from lib.beyond.audit.tables import Row
from lib.notebook.plots import MEAN_COLOUR, SPLIT_COLOURS
from lib.scoring.published import SPLITS, VIDEOCLIP_NAMES
from lib.scoring.stats import power

NAMES = {
    "baseline": "baseline",
    "baseline_best_epoch": "baseline, best test epoch",
    "asformer_authors_features": "ASFormer, authors' features",
    **VIDEOCLIP_NAMES,
}
COLOURS = {"supported": "#009E73", "contradicted": "#D55E00", "inconclusive": "#666666"}


def named(method: str, against: str, splits: int) -> str:
    """A comparison in words.

    >>> named("videoclip_own_8_epochs", "baseline", 4), named("videoclip_own_15_epochs", "videoclip_own_8_epochs", 5)
    ('own, 8 epochs (4 splits)', 'own, 15 epochs – own, 8 epochs')
    """
    words = NAMES[method] if against == "baseline" else f"{NAMES[method]} – {NAMES[against]}"
    return words if splits == len(SPLITS) else f"{words} ({splits} splits)"


def shown_duplicates(duplicates: pd.DataFrame) -> Styler:
    """Of `lib.beyond.audit.tables.duplicated_rows`: the two rows, what they share, what differs, which is out of place."""
    rows = [
        {
            "rows": f"{row['table']}, {row['split']} = {row['other_table']}, {row['other_split']}",
            "accuracy": f"{row['accuracy']:.3f}",
            "edit distance": f"{row['raw_edit']:.1f}",
            "F1@10": f"{row['f1@10']:.3f}",
            "best loss": f"{row['best_loss']:.3f}; {row['other_best_loss']:.3f}",
            "at epoch": f"{row['best_epoch']:.0f}; {row['other_best_epoch']:.0f}",
            "ratio": f"{row['ratio']:.3f}; {row['other_ratio']:.3f}",
            "others' ratios": f"{row['lowest']:.3f} to {row['highest']:.3f}",
            "out of place": row["out_of_place"],
        }
        for row in duplicates.to_dict("records")
    ]
    return pd.DataFrame(rows).style.hide()


def shown_tests(tests: pd.DataFrame) -> Styler:
    """Of `lib.beyond.audit.comparisons.paired_tests`: a row a comparison, plain and corrected side by side."""
    rows = [
        {
            "method": named(row["method"], row["against"], row["n"]),
            "difference": f"{row['difference']:+.3f}",
            "plain": f"{_interval(row['low'], row['high'])}<br>t = {row['t']:.2f}, p {_p(row['p'])}",
            "corrected": f"{_interval(row['corrected_low'], row['corrected_high'])}"
            f"<br>t = {row['corrected_t']:.2f}, p {_p(row['corrected_p'])}",
            "Holm": f"p {_p(row['holm_p'])}",
            "Wilcoxon (lowest)": f"p = {row['wilcoxon_p']:.4f} ({row['wilcoxon_lowest']:.4f})",
            "wins": f"{row['wins']} of {row['n']}",
        }
        for row in tests.to_dict("records")
    ]
    return pd.DataFrame(rows).style.hide().set_properties(subset=["plain", "corrected"], **{"white-space": "nowrap"})


def shown_claims(claims: pd.DataFrame) -> Styler:
    """Of `lib.beyond.audit.claims.claims`: claim, number, reason, verdict."""
    rows = [
        {
            "claim": row["claim"],
            "thesis": row["where"],
            "measure": row["measure"],
            "difference": "–" if pd.isna(row["difference"]) else f"{row['difference']:+.3f}",
            "95 %": "–" if pd.isna(row["low"]) else _interval(row["low"], row["high"]),
            "p": "–" if pd.isna(row["p"]) else _p(row["p"]).removeprefix("= "),
            "reason": row["reason"],
            "verdict": row["verdict"],
        }
        for row in claims.to_dict("records")
    ]
    styler = pd.DataFrame(rows).style.hide().set_properties(subset=["95 %", "verdict"], **{"white-space": "nowrap"})
    return styler.map(lambda word: f"font-weight: bold; border-left: 4px solid {COLOURS[word]}", subset=["verdict"])


def _interval(low: float, high: float) -> str:
    return f"[{low:+.3f}, {high:+.3f}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


PLAIN, CORRECTED, WRONG = "#0072B2", "#E69F00", "#D55E00"
MARKERS = ("o", "s", "^", "v", "D", "P")


def implied_lengths(ratios: pd.DataFrame, slip: Row, ax: Axes) -> Axes:
    """Edit distance / (1 - accuracy) of every row by split, with the length of the split's test videos.

    Args:
        ratios: as of `lib.beyond.audit.tables.edit_ratios`.
        slip: the row that is out of place; it is circled.
    """
    tables = sorted(ratios["table"].unique())
    for place, (table, marker) in enumerate(zip(tables, MARKERS, strict=True)):
        rows = ratios[ratios["table"] == table]
        at = rows["split"] + (place - (len(tables) - 1) / 2) * 0.11
        colour = list(SPLIT_COLOURS.values())[place % 5] if place < 5 else MEAN_COLOUR
        ax.plot(at, rows["implied"], marker, color=colour, ms=6, label=f"Table {table}")
        if table == slip[0]:
            x, y = float(at[rows["split"] == slip[1]].iloc[0]), rows.set_index("split")["implied"][slip[1]]
            ax.plot(x, y, "o", ms=15, mfc="none", mec=WRONG, mew=1.8)
            ax.annotate(f"Table {slip[0]}, split {slip[1]}", (x, y), (12, -4), textcoords="offset points", color=WRONG)
    lengths = ratios.groupby("split")["length"].first()
    ax.hlines(lengths, lengths.index - 0.42, lengths.index + 0.42, color=MEAN_COLOUR, lw=1.5, label="test videos")
    ax.set(xlabel="split", ylabel="seconds a video", xticks=lengths.index)
    ax.grid(axis="x", visible=False)
    ax.legend(ncol=2, fontsize=8, loc="lower center", bbox_to_anchor=(0.58, 0))
    return ax


def forest(tests: pd.DataFrame, names: Sequence[str], ax: Axes, label: str) -> Axes:
    """Differences with the plain (thick) and the corrected (thin) 95 % interval, a row a comparison.

    Args:
        tests: rows of `lib.beyond.audit.comparisons.paired_tests`, drawn from top to bottom.
        names: of the rows.
        label: of the horizontal axis.
    """
    places = -np.arange(len(tests))
    ax.axvline(0, color=MEAN_COLOUR, lw=1)
    ax.hlines(places, tests["corrected_low"], tests["corrected_high"], color=CORRECTED, lw=1.6, label="corrected")
    ax.hlines(places, tests["low"], tests["high"], color=PLAIN, lw=4.5, label="plain")
    ax.plot(tests["difference"], places, "o", color="white", mec=MEAN_COLOUR, ms=6)
    ax.set_yticks(places, list(names))
    ax.set(xlabel=label, ylim=(-len(tests) + 0.4, 0.6))
    ax.grid(axis="y", visible=False)
    return ax


def power_curves(sd: float, n: int, test_share: float, gains: Sequence[float], ax: Axes) -> tuple[Axes, pd.DataFrame]:
    """Chance of finding a true difference, by the plain and the corrected test.

    Args:
        sd: standard deviation of a paired difference.
        gains: differences that were claimed; their range is shaded.

    Returns:
        The axes, and the curves: columns difference, plain, corrected.
    """
    differences = np.linspace(0, 0.15, 76)
    curves = pd.DataFrame({"difference": differences})
    for name, share, colour in (("plain", 0.0, PLAIN), ("corrected", test_share, CORRECTED)):
        curves[name] = [power(difference, sd, n, share) for difference in differences]
        ax.plot(curves["difference"], curves[name], color=colour, lw=2, label=name)
    ax.axvspan(min(gains), max(gains), color=WRONG, alpha=0.2, lw=0, label="the variants' gains")
    ax.axhline(0.8, color=MEAN_COLOUR, lw=1, ls="--")
    ax.set(xlabel="true difference in accuracy", ylabel="chance of finding it", ylim=(0, 1), xlim=(0, 0.15))
    ax.legend(loc="center right")
    return ax, curves


def two_edits(videos: pd.DataFrame, axes: Sequence[Axes]) -> Sequence[Axes]:
    """Both edit measures of each video against its wrong seconds; `videos` is of `lib.beyond.audit.scoring.both_edits`."""
    labels = {"raw_edit": "edit distance, s (lower is better)", "edit": "edit score, % (higher is better)"}
    for ax, (measure, label) in zip(axes, labels.items(), strict=True):
        ax.plot(videos["wrong_seconds"], videos[measure], "o", color=PLAIN, ms=6)
        ax.set(xlabel="wrong seconds of the video", ylabel=label)
    top = videos["wrong_seconds"].max() * 1.05
    axes[0].plot([0, top], [0, top], color=MEAN_COLOUR, lw=1, ls="--", label="distance = wrong seconds")
    axes[0].set(xlim=(0, top), ylim=(0, top))
    axes[1].set(xlim=(0, top), ylim=(0, 100))
    axes[0].legend(loc="upper left", fontsize=8)
    return axes
