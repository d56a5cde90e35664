"""What 4.1 shows: tables with fewer columns than their CSV files, sentences, figures.

Tables are named after what makes them: `duplicates` by `duplicated_rows` and `ratios` by `edit_ratios` (tables.py),
`tests` by `paired_tests` (comparisons.py), `curves` by `shift_curves` and `videos` by `both_edits` (scoring.py).
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.beyond.audit.tables import Corrected, Row
from lib.notebook.plots import MEAN_COLOUR, SPLIT_COLOURS, WIDTH
from lib.notebook.tables import in_words
from lib.scoring.metrics import METRICS
from lib.scoring.published import SPLITS, published_table
from lib.scoring.stats import ALPHA, detectable_difference, power
from lib.scoring.words import display_name, span

COLOURS = {"supported": "#009E73", "contradicted": "#D55E00", "inconclusive": "#666666"}


def named(method: str, against: str, splits: int) -> str:
    """Name a comparison in words.

    >>> named("videoclip_own_8_epochs", "baseline", 4), named("asformer_authors_features", "baseline", 5)
    ('VideoCLIP, own weights, 8 epochs (4 splits)', 'ASFormer, public features')
    """
    words = display_name(method) if against == "baseline" else f"{display_name(method)} – {display_name(against)}"
    return words if splits == len(SPLITS) else f"{words} ({splits} splits)"


def shown_duplicates(duplicates: pd.DataFrame) -> Styler:
    """Show the two rows of each pair, what they share, what differs, and which is out of place."""
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
    """Show one row per comparison, with the plain and the corrected test side by side."""
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
    """Show one row per claim: verdict, number, reason."""
    rows = [
        {
            "claim": row["claim"],
            "verdict": row["verdict"],
            "thesis": row["where"],
            "difference": "–" if pd.isna(row["difference"]) else f"{row['difference']:+.3f}",
            "95 %": "–" if pd.isna(row["low"]) else _interval(row["low"], row["high"]),
            "p": "–" if pd.isna(row["p"]) else _p(row["p"]).removeprefix("= "),
            "reason": row["reason"],
        }
        for row in claims.to_dict("records")
    ]
    styler = pd.DataFrame(rows).style.hide().set_properties(subset=["95 %", "verdict"], **{"white-space": "nowrap"})
    return styler.map(lambda word: f"font-weight: bold; border-left: 4px solid {COLOURS[word]}", subset=["verdict"])


def shift_found(curves: pd.DataFrame, frames: int, spread: float) -> str:
    """Say what a shift by some frames costs.

    >>> rows = [("the truth", 0, 1.0, 1.0), ("the truth", 8, 0.99, 1.0), ("MS-TCN's", 0, 0.8, 0.7)]
    >>> rows += [("MS-TCN's", 8, 0.795, 0.69)]
    >>> table = pd.DataFrame(rows, columns=["prediction", "frames", "accuracy", "f1@50"])
    >>> shift_found(table, 8, 0.043)[:99]
    "8 frames late, the truth loses 0.010 in accuracy and 0.000 in F1@50, MS-TCN's predictions 0.005 and"
    """
    at = curves.set_index(["prediction", "frames"])[["accuracy", "f1@50"]]
    truth, model = ((at.loc[(name, 0)] - at.loc[(name, frames)]).tolist() for name in ("the truth", "MS-TCN's"))
    return (
        f"{frames} frames late, the truth loses {truth[0]:.3f} in accuracy and {truth[1]:.3f} in F1@50, MS-TCN's "
        f"predictions {model[0]:.3f} and {model[1]:.3f}. Table 2 spreads by {spread:.3f} in accuracy."
    )


def shown_reruns(table: pd.DataFrame) -> Styler:
    """Show the rows of `lib.beyond.audit.tables.reruns`, each with a link to its source and its splits unless five."""
    names = table["row"] + (" (" + table["splits"].astype(str) + " splits)").where(table["splits"] != 5, "")
    links = [
        f'<a href="{source}">{name}</a>' if source.startswith("http") else name
        for name, source in zip(names, table["source"], strict=True)
    ]
    shown = table.assign(row=links).drop(columns=["source", "splits"]).rename(columns={"row": "numbers"})
    return in_words(shown).style.hide().format("{:.1f}", subset=list(METRICS))


def reruns_found(table: pd.DataFrame) -> str:
    """Say how far the re-runs of others are from the papers. `table`: from `lib.beyond.audit.tables.reruns`."""
    paper = table[table["row"] == "paper"].set_index("method")
    others = table[table["row"] != "paper"]
    gaps = pd.DataFrame({m: others[m].to_numpy() - paper.loc[others["method"], m].to_numpy() for m in METRICS})
    below = int((gaps < 0).all(axis=1).sum())
    return (
        f"Of {len(gaps)} re-runs {below} are below their paper in all five measures; the edit score by "
        f"{span(gaps['edit'], '+.1f')}, F1@50 by {span(gaps['f1@50'], '+.1f')}. A reason is in the issues: MS-TCN++'s "
        "author reports the number of epochs that is best on the average of the five *test* parts, and users of ASRF "
        "write that its scores vary a lot from epoch to epoch. The baseline's last epoch is compared with such numbers."
    )


def _interval(low: float, high: float) -> str:
    return f"[{low:+.3f}, {high:+.3f}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def duplicate_found(duplicates: pd.DataFrame, slip: Row) -> str:
    """Say which printed row belongs to another split, and why."""
    double = next(row for row in duplicates.to_dict("records") if row["split"] != row["other_split"])
    return (
        f"Table {double['table']}, split {double['split']} equals Table {double['other_table']}, split "
        f"{double['other_split']} in every metric, though the losses differ ({double['best_loss']:.3f} and "
        f"{double['other_best_loss']:.3f}). In the first place the ratio is {double['ratio']:.3f}, in the second "
        f"{double['other_ratio']:.3f}; all other rows lie between {double['lowest']:.3f} and {double['highest']:.3f}. "
        f"So **Table {slip[0]}, split {slip[1]}** is out of place. The other {len(duplicates) - 1} pairs are one "
        "checkpoint each: the best epoch of the longer training came early."
    )


def mean_corrected(corrected: Corrected, slip: Row) -> str:
    """Say what the mean of a table is without its wrong row."""
    baseline = published_table(3).loc["mean", "accuracy"]
    low, mean, high = corrected.mean_low, corrected.mean, corrected.mean_high
    return (
        f"Accuracy over loss: r = {corrected.r:.2f}, residuals of {corrected.residual:.3f}, {corrected.rows} rows. "
        f"Split {slip[1]} then had {corrected.predicted:.3f} ({corrected.low:.3f} to {corrected.high:.3f}), and the "
        f"mean of Table {slip[0]} is **{mean:.3f}** ({low:.3f} to {high:.3f}), not {corrected.printed:.3f}: "
        f"{'below' if mean < baseline else 'not below'} the baseline's {baseline:.3f}. To reach the baseline, the "
        f"split would have needed {corrected.needed:.3f}; after 15 epochs it had "
        f"{published_table(7).loc[slip[1], 'accuracy']:.3f}."
    )


def variants_found(accuracy: pd.DataFrame, f1: pd.DataFrame, sound: pd.Series) -> str:
    """Say what tests of the printed numbers find for fine-tuned variants. `sound`: accuracy without the wrong split."""
    plain, corrected = ((accuracy[column] < ALPHA).sum() for column in ("p", "corrected_p"))
    return (
        f"Fine-tuned, the {len(accuracy)} variants differ in accuracy by {span(accuracy['difference'], '+.3f')} as "
        f"printed ({sound['difference']:+.3f} on the {sound['n']} sound splits of Table 6). The plain test finds "
        f"{plain} of these differences (p = {span(accuracy['p'], '.2f')}), the corrected one {corrected}. F1@50 is "
        f"lower by {span(-f1['difference'], '.2f')}; {(f1['holm_p'] < ALPHA).sum()} of {len(f1)} of these differences "
        "hold after both corrections. Table 10 of the thesis shows the accuracy alone."
    )


def power_found(sd: float, splits: int, test_share: float, gain: float) -> str:
    """Say which differences the splits can show, and how likely they are to show the largest printed gain.

    >>> power_found(0.03, 5, 0.25, 0.02).split(", ")[1]
    '5 splits show a true difference of 0.050 with 80 % chance'
    """
    least = [detectable_difference(sd, splits, share) for share in (0, test_share)]
    chance = [power(gain, sd, splits, share) for share in (0, test_share)]
    return (
        f"With differences that spread by {sd:.3f}, {splits} splits show a true difference of {least[0]:.3f} with 80 "
        f"% chance, allowing for shared training videos {least[1]:.3f}. They would find a true difference of "
        f"{gain:.3f}, the largest printed, with {chance[0]:.0%} and {chance[1]:.0%}. So the tables cannot show a gain "
        "of this size, and do not exclude it."
    )


PLAIN, CORRECTED, WRONG = "#0072B2", "#E69F00", "#D55E00"
MARKERS = ("o", "s", "^", "v", "D", "P")


def implied_lengths(ratios: pd.DataFrame, slip: Row, lines: str) -> Figure:
    """Draw edit distance / (1 - accuracy) of every row by split, with the length of the split's test videos."""
    figure, ax = plt.subplots(figsize=(WIDTH, 4))
    tables, colours = sorted(ratios["table"].unique()), [*SPLIT_COLOURS.values(), MEAN_COLOUR]
    for place, (table, marker, colour) in enumerate(zip(tables, MARKERS, colours, strict=True)):
        rows = ratios[ratios["table"] == table].set_index("split")["implied"]
        shift = (place - (len(tables) - 1) / 2) * 0.11
        ax.plot(rows.index + shift, rows, marker, color=colour, ms=6, label=f"Table {table}")
        if table == slip[0]:
            at = (slip[1] + shift, rows[slip[1]])
            ax.plot(*at, "o", ms=15, mfc="none", mec=WRONG, mew=1.8)
            ax.annotate(f"Table {slip[0]}, split {slip[1]}", at, (12, -4), textcoords="offset points", color=WRONG)
    lengths = ratios.groupby("split")["length"].first()
    ax.hlines(lengths, lengths.index - 0.42, lengths.index + 0.42, color=MEAN_COLOUR, lw=1.5, label=lines)
    ax.set(xlabel="split", ylabel="seconds per video", xticks=lengths.index)
    ax.grid(axis="x", visible=False)
    ax.legend(ncol=2, fontsize=8, loc="lower center", bbox_to_anchor=(0.58, 0))
    return figure


def forest(tests: pd.DataFrame) -> Figure:
    """Draw differences in accuracy and F1@50, a row per comparison: plain (thick), corrected (thin) 95 % intervals."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.2), sharey=True)
    for ax, metric in zip(axes, ("accuracy", "f1@50"), strict=True):
        rows = tests[tests["metric"] == metric]
        places = -np.arange(len(rows))
        ax.axvline(0, color=MEAN_COLOUR, lw=1)
        ax.hlines(places, rows["corrected_low"], rows["corrected_high"], color=CORRECTED, lw=1.6, label="corrected")
        ax.hlines(places, rows["low"], rows["high"], color=PLAIN, lw=4.5, label="plain")
        ax.plot(rows["difference"], places, "o", color="white", mec=MEAN_COLOUR, ms=6)
        ax.set_yticks(places, [named(row.method, row.against, row.n) for row in rows.itertuples()])
        ax.set(xlabel=f"{metric.replace('f1', 'F1')} - baseline's", ylim=(-len(rows) + 0.4, 0.6))
        ax.grid(axis="y", visible=False)
    axes[1].legend(fontsize=8, loc="center right")
    return figure


def power_curves(sd: float, n: int, test_share: float, gains: Sequence[float]) -> tuple[Figure, pd.DataFrame]:
    """Draw the chance of finding a true difference, by the plain and the corrected test: a figure, and its curves.

    `gains`: differences that were claimed; their range is shaded.
    """
    figure, ax = plt.subplots(figsize=(WIDTH, 3.4))
    differences = np.linspace(0, 0.15, 76)
    curves = pd.DataFrame({"difference": differences})
    for name, share, colour in (("plain", 0.0, PLAIN), ("corrected", test_share, CORRECTED)):
        curves[name] = [power(difference, sd, n, share) for difference in differences]
        ax.plot(curves["difference"], curves[name], color=colour, lw=2, label=name)
    ax.axvspan(min(gains), max(gains), color=WRONG, alpha=0.2, lw=0, label="the variants' gains")
    ax.axhline(0.8, color=MEAN_COLOUR, lw=1, ls="--")
    ax.set(xlabel="true difference in accuracy", ylabel="chance of finding it", ylim=(0, 1), xlim=(0, 0.15))
    ax.legend(loc="center right")
    return figure, curves


def shifts(curves: pd.DataFrame, spread: float) -> Figure:
    """Draw accuracy and F1@50 of predictions moved in time, with the spread of Table 2 as a band below the best."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.2), sharey=True)
    for ax, metric in zip(axes, ("accuracy", "f1@50"), strict=True):
        for (name, rows), colour in zip(curves.groupby("prediction", sort=False), (CORRECTED, PLAIN), strict=True):
            ax.plot(rows["frames"], rows[metric], "o-", color=colour, ms=5, label=name)
            if metric == "accuracy":
                ax.axhspan(rows[metric].max() - spread, rows[metric].max(), color=colour, alpha=0.15, lw=0)
        ax.set(xlabel="frames late", ylabel=metric.replace("f1", "F1"), ylim=(0.6, 1.01))
    axes[1].legend(title="prediction", fontsize=8, loc="center")
    return figure


def two_edits(videos: pd.DataFrame) -> Figure:
    """Draw both edit measures of each video against its wrong seconds."""
    figure, axes = plt.subplots(1, 2)
    labels = {"raw_edit": "edit distance, s (lower is better)", "edit": "edit score, % (higher is better)"}
    top = videos["wrong_seconds"].max() * 1.05
    for ax, (measure, label) in zip(axes, labels.items(), strict=True):
        ax.plot(videos["wrong_seconds"], videos[measure], "o", color=PLAIN, ms=6)
        ax.set(xlabel="wrong seconds of the video", ylabel=label, xlim=(0, top))
    axes[0].plot([0, top], [0, top], color=MEAN_COLOUR, lw=1, ls="--", label="distance = wrong seconds")
    axes[0].set(ylim=(0, top))
    axes[1].set(ylim=(0, 100))
    axes[0].legend(loc="upper left", fontsize=8)
    return figure
