"""What 4.2 and 4.5 show: questions, costs, tables, figures and sentences about the controls.

Tables are named after what makes them: `found` by `differences`, `conventions` by `conventions_table` (lib/beyond/
controls/intervals.py), `runs` by `write_decoded` (decoding.py; probes have epoch 0), `table` by `with_costs`, below.
Figures draw rows from top to bottom.
"""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.beyond.controls.design import CONTROLS, Control, Key
from lib.core.paths import Outputs
from lib.core.settings import Controls
from lib.data.profile import Profile
from lib.notebook.plots import WIDTH, draw_intervals
from lib.notebook.tables import BEST, interval_cells
from lib.pretraining.recipes import run_folder
from lib.scoring.folders import MEASURES, Cell
from lib.scoring.words import counted, display_name, interval, span, written

CHAPTER_2 = ("asformer_public", "asformer_own")  # finished runs under the protocol of the thesis
GAP = "ASFormer on I3D against fine-tuned VideoCLIP"
COLOURS = {"accuracy": "#222222", "f1@50": "#009E73"}
PLAIN, DECODED, BACKBONE, OWN = "#0072B2", "#D55E00", "#999999", "#009E73"

QUESTIONS = {  # what is asked: method, method less
    GAP: ("asformer_i3d", "videoclip"),
    "ASFormer on S3D's features in VideoCLIP's place": ("asformer_s3d", "videoclip"),
    "ASFormer on frozen states in the head's place": ("asformer_states", "videoclip"),
    "ASFormer on states that learn with it": ("asformer_joint", "videoclip"),
    "Viterbi on VideoCLIP": ("videoclip_viterbi", "videoclip"),
    "Viterbi on ASFormer on I3D": ("asformer_i3d_viterbi", "asformer_i3d"),
    "Viterbi on ASFormer on frozen states": ("asformer_states_viterbi", "asformer_states"),
    "Pre-training, fine-tuned": ("videoclip", "videoclip_text_start"),
    "Text model's start, fine-tuned": ("videoclip_text_start", "videoclip_random_start"),
    "Pre-trained states against their input, ASFormer": ("asformer_states", "asformer_s3d"),
    "Pre-trained states against their input, probe": ("probe_states", "probe_s3d"),
    "Pre-trained states against untrained, probe": ("probe_states", "probe_states_text_start"),
    "Backbone I3D against S3D, ASFormer": ("asformer_i3d", "asformer_s3d"),
    "Backbone I3D against S3D, probe": ("probe_i3d_bgr", "probe_s3d"),
    "Trained against random I3D, probe": ("probe_i3d_bgr", "probe_i3d_random"),
    "RGB against BGR, probe": ("probe_i3d_rgb", "probe_i3d_bgr"),
    "Other window mask (2.2), ASFormer": ("asformer_i3d_other_mask", "asformer_i3d"),
    "Pre-training, zero-shot": ("zero_shot", "zero_shot_text_start"),
    "Text model's start, zero-shot": ("zero_shot_text_start", "zero_shot_random_start"),
    "Words against raw names, zero-shot": ("zero_shot_words", "zero_shot"),
    "Not normalized against normalized, zero-shot": ("zero_shot_not_normalized", "zero_shot"),
    "S3D's text head against VideoCLIP, zero-shot": ("zero_shot_s3d_text", "zero_shot"),
}


PRETRAINING = ("Pre-training", "Pre-trained", "Text model", "Backbone", "Trained")  # how its questions begin
SMALL_CHOICES = ("RGB", "Other", "Words", "Not normalized", "S3D")


def control_cells(out: Outputs, runs: Iterable[Key]) -> dict[str, list[Cell]]:
    """Predictions of each method, and of its decoding as <method>_viterbi."""
    cells: dict[str, list[Cell]] = {}
    for name, split, seed in runs:
        for method in (name, f"{name}_viterbi"):
            folder = out.predictions(f"control_{method}", split, seed)
            cells.setdefault(method, []).append(Cell(method, split, folder, seed))
    return cells


def chapter_2_cells(profile: Profile) -> dict[str, list[Cell]]:
    """Cells of chapter 2's runs on the same test videos, of methods that have all predictions."""
    names = [*CHAPTER_2, *(f"videoclip_own_{epochs}_epochs" for epochs in profile.params.finetune.epochs)]
    found = {
        f"chapter 2: {name}": [
            Cell(f"chapter 2: {name}", split, profile.out.predictions(name, split, repeat or None), repeat)
            for split in profile.params.controls.splits
            for repeat in profile.repeats
        ]
        for name in names
    }
    return {name: cells for name, cells in found.items() if all(cell.folder.is_dir() for cell in cells)}


def pretraining_examples(profile: Profile, control: Control) -> dict[str, float]:
    """Numbers of examples seen before the target set, by backbone and by VideoCLIP; NaN for weights from elsewhere."""
    params, backbone, own = profile.params, float("nan"), 0.0
    if control.backbone == "random":
        backbone = 0.0
    elif control.backbone == "s3d" and params.s3d.weights in (None, "shipped"):
        mil = params.mil_nce
        backbone = mil.labelled_clips * mil.labelled_epochs + mil.batch * mil.batches * mil.epochs
    elif control.backbone in ("rgb", "two_stream") and params.i3d.weights in (None, "shipped"):
        streams = ("rgb", "flow") if control.backbone == "two_stream" else ("rgb",)
        epochs = sum(params.backbone.epochs[stream] for stream in streams)
        backbone = params.backbone.batch * params.backbone.batches * epochs
    if control.pretrained:
        history = run_folder(profile.out, params.controls.recipe) / "history.csv"
        own = float(pd.read_csv(history)["pairs"].iloc[-1]) if history.exists() else float("nan")
    return {"backbone_examples": backbone, "videoclip_pairs": own}


def with_costs(profile: Profile, estimated: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of `estimates` (intervals.py), each with the method's Viterbi decoding and what it costs.

    Further columns: the decoding's, which end in " viterbi", cpu_seconds (of one training on the target),
    backbone_examples, videoclip_pairs.
    """
    decoded = estimated.index.str.endswith("_viterbi")
    beside = estimated[decoded].rename(index=lambda name: name.removesuffix("_viterbi"))
    joined = estimated[~decoded].join(beside.drop(columns=["seeds", "videos"]).add_suffix(" viterbi"))
    joined["cpu_seconds"] = runs.groupby("method")["cpu_seconds"].mean()
    costs = {name: pretraining_examples(profile, CONTROLS[name]) for name in joined.index if name in CONTROLS}
    return joined.join(pd.DataFrame.from_dict(costs, orient="index"))


def _decoded(table: pd.DataFrame) -> pd.DataFrame:
    """Select the decoding's columns, under the names of the plain ones."""
    return table.filter(regex=" viterbi$").rename(columns=lambda name: name.removesuffix(" viterbi"))


def shown_methods(table: pd.DataFrame) -> Styler:
    """Format for display: value and interval in one cell, percent; the best of a column marked."""
    best, cells = {}, {"seeds": table["seeds"].astype(int)}
    for measure, title in MEASURES.items():
        for part, name in ((table, f"{title}, %"), (_decoded(table), f"{title}, Viterbi, %")):
            best[name] = part[measure]
            cells |= interval_cells(part, {measure: name}, ".1f")
        cells[f"± seeds, {title}, %"] = table[f"{measure} seeds"]
    cells["CPU s"] = table["cpu_seconds"]
    styler = pd.DataFrame(cells, index=table.index).style.format(precision=1, na_rep="–")
    for title, values in best.items():
        styler = styler.map(lambda _: BEST, subset=pd.IndexSlice[values == values.max(), [title]])
    return styler


def shown_differences(found: pd.DataFrame) -> Styler:
    """Format for display: difference and interval in one cell, points; share of the F1 gap to VideoCLIP."""
    cells, formats = {}, {}
    for measure, title in MEASURES.items():
        cells |= interval_cells(found, {measure: f"{title}, points"})
        cells[f"{title}: verdict"] = found[f"{measure} direction"]
    if GAP in found.index:
        share = found["f1@50"] / found.loc[GAP, "f1@50"]
        cells["share of the F1 gap"] = share.where(found["less"] == "videoclip")
        formats = {"share of the F1 gap": "{:.0%}"}
    return pd.DataFrame(cells, index=found.index).style.format(formats, na_rep="–")


def asked(found: pd.DataFrame, beginnings: Sequence[str]) -> pd.DataFrame:
    """Select the rows whose question begins with one of `beginnings`."""
    return found[found.index.str.startswith(tuple(beginnings))]


def forest(found: pd.DataFrame) -> Figure:
    """Draw a row per question: the difference in accuracy and in F1@50, points, with 95 % intervals."""
    figure, ax = plt.subplots(figsize=(WIDTH, 0.36 * len(found) + 1.1))
    draw_effects(found, ax)
    figure.legend(loc="outside upper center", ncol=2, fontsize=9, frameon=False)
    return figure


def draw_effects(found: pd.DataFrame, ax: Axes) -> None:
    """Draw the rows of `forest` into `ax`."""
    ax.axvline(0, color="#555555", lw=1)
    for shift, (measure, title) in zip((0.13, -0.13), MEASURES.items(), strict=True):
        draw_intervals(found, measure, shift - np.arange(len(found)), COLOURS[measure], ax, title)
    _name_rows(list(found.index), ax)
    ax.set(xlabel="points, with 95 % intervals", ylim=(-len(found) + 0.4, 0.6))


def methods_figure(table: pd.DataFrame) -> Figure:
    """Draw a row per method: accuracy and F1@50 with 95 % intervals, plain and decoded; examples of pre-training."""
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 0.3 * len(table) + 1.4), sharey=True)
    for ax, (measure, title) in zip(axes, MEASURES.items(), strict=False):
        draw_intervals(table, measure, 0.15 - np.arange(len(table)), PLAIN, ax, "best class")
        draw_intervals(_decoded(table), measure, -0.15 - np.arange(len(table)), DECODED, ax, "Viterbi")
        ax.set(xlabel=f"{title}, %", xlim=(0, 100))
    places, before = -np.arange(len(table)), table["backbone_examples"].fillna(0) / 1000
    axes[2].barh(places, before, color=BACKBONE, height=0.6, label="backbone")
    own = table["videoclip_pairs"].fillna(0) / 1000
    axes[2].barh(places, own, left=before, color=OWN, height=0.6, label="VideoCLIP")
    axes[2].set(xlabel="examples before, 1000s", ylim=(-len(table) + 0.4, 0.6))
    _name_rows([display_name(str(name)) for name in table.index], axes[0])
    for ax in axes[1:]:
        ax.grid(axis="y", visible=False)
        ax.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


def _name_rows(names: Sequence[str], ax: Axes) -> None:
    ax.set_yticks(-np.arange(len(names)), list(names), fontsize=8)
    ax.grid(axis="y", visible=False)


def weights_chosen(runs: pd.DataFrame) -> str:
    """Say which weights of the scores the held-out people chose.

    >>> weights_chosen(pd.DataFrame({"weight": [0.2, 0.2, 1.0]}))
    'Weights of the scores that the held-out people chose: 0.2 (2 runs), 1 (1 run).'
    """
    counts = runs.groupby("weight").size()
    parts = [f"{weight:g} ({counted(count, 'run')})" for weight, count in counts.items()]
    return f"Weights of the scores that the held-out people chose: {', '.join(parts)}."


def epochs_chosen(runs: pd.DataFrame, settings: Controls) -> str:
    """Say which epochs the held-out people chose, and whether more would have helped."""
    trained = runs.query("epoch > 0")
    heads = trained["method"].isin([name for name, control in CONTROLS.items() if control.net == "head"])
    last = (trained["epoch"] == np.where(heads, settings.videoclip_epochs, settings.asformer_epochs)).sum()
    return (
        f"The held-out people chose epochs {span(trained['epoch'], '.0f')}, the last one in {last} of {len(trained)} "
        f"trainings, which would gain from more. A training takes {trained['cpu_seconds'].mean():.0f} CPU seconds."
    )


def best_methods(table: pd.DataFrame) -> str:
    """Name the highest accuracy and F1@50 of the controls, plain and decoded."""
    ours, parts = table[~table.index.str.startswith("chapter 2")], []
    for measure, title in MEASURES.items():
        best, decoded = (part.loc[part[measure].idxmax()] for part in (ours, _decoded(ours)))
        parts.append(
            f"Highest {title}: {display_name(str(best.name))}, {interval(best, measure, '.1f')} %; "
            f"with Viterbi {display_name(str(decoded.name))}, {interval(decoded, measure, '.1f')} %."
        )
    return " ".join(parts)


def pretraining_seen(table: pd.DataFrame) -> str:
    """Say how many examples each pre-training saw."""
    examples = table[["videoclip_pairs", "backbone_examples"]].map(lambda value: written(value, ".0f"))
    s3d, i3d = (
        "weights from elsewhere" if count == "–" else f"{count} examples"
        for count in examples.loc[["videoclip", "asformer_i3d"], "backbone_examples"]
    )
    return (
        f"VideoCLIP's pre-training saw {examples.loc['videoclip', 'videoclip_pairs']} pairs of clip and caption. "
        f"Before it, its backbone S3D saw {s3d}; I3D: {i3d}."
    )


def effects(found: pd.DataFrame) -> str:
    """Count the differences whose interval excludes zero, and how many would by chance.

    >>> signs = ["higher", "lower", "inconclusive"]
    >>> print(effects(pd.DataFrame({"accuracy direction": signs, "f1@50 direction": signs})))
    In accuracy 1 of 3 differences is positive and 1 negative; in F1@50 1 of 3 is positive and 1 negative.
    The others are inconclusive. By chance about 0.2 of each would leave zero out.
    """
    parts = []
    for measure, title in MEASURES.items():
        higher, lower = ((found[f"{measure} direction"] == sign).sum() for sign in ("higher", "lower"))
        what = "" if parts else " differences"
        verb = "is" if higher == 1 else "are"
        parts.append(f"in {title} {higher} of {len(found)}{what} {verb} positive and {lower} negative")
    text = "; ".join(parts)
    chance = f"The others are inconclusive. By chance about {written(0.05 * len(found))} of each would leave zero out."
    return f"{text[0].upper()}{text[1:]}.\n{chance}"


def gap_closed(found: pd.DataFrame, table: pd.DataFrame) -> str:
    """Say what raises VideoCLIP's F1@50, and at what cost."""
    gap, parts = found.loc[GAP], found[(found["less"] == "videoclip") & (found.index != GAP)]
    if not gap["f1@50"] > 0:
        return "There is no gap to close in this profile."
    closed = parts[parts["f1@50 direction"] == "higher"]
    trainings = {name: table["cpu_seconds"].get(name) for name in ("videoclip", *parts["method"])}
    costs = [f"{display_name(name)} {spent:.0f}" for name, spent in trainings.items() if spent]
    return (
        f"The gap is {interval(gap, 'f1@50')} points of F1@50 and {interval(gap, 'accuracy')} points of accuracy. "
        f"{len(closed)} of {len(parts)} changes raise F1@50 with an interval above zero. "
        f"CPU seconds per training: {', '.join(costs)}; the decoding adds no training."
    )


def convention_effect(conventions: pd.DataFrame) -> str:
    """Say how far the convention alone moves ASFormer's scores."""
    spread = conventions.loc["asformer"].max() - conventions.loc["asformer"].min()
    moved = [f"{name.replace('f1', 'F1')} by {written(spread[name])}" for name in ("f1@50", "edit", "accuracy")]
    return f"The convention alone moves ASFormer's {', '.join(moved)} points."


def from_references(conventions: pd.DataFrame) -> str:
    """Say how far the better ASFormer is from the published ED-TCN, if that is in the table."""
    lea = conventions.xs("lea", level="convention")
    if "ed_tcn, published" not in lea.index:
        return ""
    best = lea.loc[["asformer", "asformer_viterbi"], "f1@50"].idxmax()
    gain = lea.loc[best] - lea.loc["ed_tcn, published"]
    points = [f"{written(gain[name], '+.1f')} in {name.replace('f1', 'F1')}" for name in ("accuracy", "edit", "f1@50")]
    return f"In the references' convention `{best}` differs from ED-TCN by {', '.join(points)} points."


def seed_effect(seeds: pd.DataFrame) -> str:
    """Say how much another seed and another split change. `seeds`: from `seeds_table` (intervals.py).

    >>> one = pd.DataFrame({"f1@50, seeds": [1.0], "f1@50, splits": [3.0]}, index=["asformer"])
    >>> seed_effect(one).split(". ")[0]
    "Another seed moves ASFormer's F1@50 on a split by 1.00 (standard deviation), another split by 3.00"
    """
    seed, split = seeds.loc["asformer", ["f1@50, seeds", "f1@50, splits"]]
    return (
        f"Another seed moves ASFormer's F1@50 on a split by {written(seed, '.2f')} (standard deviation), another split "
        f"by {written(split, '.2f')}. The thesis has one seed and five splits. Differences below about "
        f"{written(2 * 2**0.5 * seed)} points between two trainings on one split can be the seed's."
    )
