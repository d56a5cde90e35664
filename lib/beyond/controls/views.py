"""What 4.2 shows: names, questions, costs and sentences about the controls (lib/beyond/controls/design.py).

The figure of 4.2: every method and control with its interval, and what went before it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.io.formats.style import Styler

from lib.beyond.controls.decoding import DECODINGS, method_name
from lib.beyond.controls.design import Key
from lib.core.paths import Outputs
from lib.data.profile import Profile
from lib.notebook.tables import BEST
from lib.pretraining.recipes import run_folder
from lib.scoring.folders import Cell

CHAPTER_2 = ("asformer_public", "asformer_own")  # finished runs under the protocol of the thesis
GAP = "ASFormer on I3D against fine-tuned VideoCLIP"

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
    "Banded against published attention": ("asformer_i3d_banded", "asformer_i3d"),
    "Pre-training, zero-shot": ("zero_shot", "zero_shot_text_start"),
    "Text model's start, zero-shot": ("zero_shot_text_start", "zero_shot_random_start"),
    "Words against raw names, zero-shot": ("zero_shot_words", "zero_shot"),
    "Not normalized against normalized, zero-shot": ("zero_shot_not_normalized", "zero_shot"),
    "S3D's text head against VideoCLIP, zero-shot": ("zero_shot_s3d_text", "zero_shot"),
}


def control_cells(out: Outputs, runs: Iterable[Key]) -> dict[str, list[Cell]]:
    """Method, and method_viterbi -> its predictions."""
    cells: dict[str, list[Cell]] = {}
    for name, split, seed in runs:
        for decoding in DECODINGS:
            method = name if decoding == "argmax" else f"{name}_{decoding}"
            folder = out.predictions(method_name(name, decoding), split, seed)
            cells.setdefault(method, []).append(Cell(method, split, folder, seed))
    return cells


def chapter_2_cells(profile: Profile) -> dict[str, list[Cell]]:
    """Finished runs of chapter 2 on the same test videos, where all their predictions exist."""
    names = [*CHAPTER_2, *(f"videoclip_own_{epochs}_epochs" for epochs in profile.params.finetune.epochs)]
    found = {
        f"chapter 2: {name}": [
            Cell(f"chapter 2: {name}", split, profile.out.predictions(name, split), seed=0)
            for split in profile.params.controls.splits
        ]
        for name in names
    }
    return {name: cells for name, cells in found.items() if all(cell.folder.is_dir() for cell in cells)}


def pretraining_examples(profile: Profile, method: str) -> dict[str, float]:
    """Examples seen before the target set, of the backbone and of VideoCLIP: NaN where weights came from elsewhere."""
    backbone, own = float("nan"), 0.0
    name = method.removesuffix("_viterbi")
    if "random" in name and "i3d" in name:
        backbone = 0.0
    elif "i3d" in name and profile.params.i3d.weights is None:
        epochs = profile.params.backbone.epochs["rgb"] + (
            profile.params.backbone.epochs["flow"] if "two_stream" in name else 0
        )
        backbone = profile.params.backbone.batch * profile.params.backbone.batches * epochs
    elif "i3d" not in name and profile.params.s3d.weights is None:
        mil = profile.params.mil_nce
        backbone = mil.labelled_clips * mil.labelled_epochs + mil.batch * mil.batches * mil.epochs
    if ("states" in name or name in ("videoclip", "asformer_joint") or "zero_shot" in name) and not any(
        word in name for word in ("start", "s3d_text")
    ):
        history = run_folder(profile.out, profile.params.controls.recipe) / "history.csv"
        own = float(pd.read_csv(history)["pairs"].iloc[-1]) if history.exists() else float("nan")
    return {"backbone_examples": backbone, "videoclip_pairs": own}


def with_costs(profile: Profile, table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """The methods with Viterbi beside them and what they cost.

    Args:
        table: of `lib.beyond.controls.intervals.estimates`.
        runs: of `lib.beyond.controls.decoding.write_decoded`.

    Returns:
        A row a method: the columns of `table`, those of its decoding with the ending " viterbi", cpu_seconds (of one
        training on the target), backbone_examples, videoclip_pairs.
    """
    plain = table[~table.index.str.endswith("_viterbi")]
    decoded = table[table.index.str.endswith("_viterbi")].rename(index=lambda name: name.removesuffix("_viterbi"))
    joined = plain.join(decoded.drop(columns=["seeds", "videos"]).add_suffix(" viterbi"))
    joined["cpu_seconds"] = runs.groupby("method")["cpu_seconds"].mean()
    trained = [name for name in joined.index if not name.startswith("chapter 2")]
    costs = {name: pretraining_examples(profile, name) for name in trained}
    return joined.join(pd.DataFrame.from_dict(costs, orient="index"))


def shown_methods(table: pd.DataFrame) -> Styler:
    """For the eye: value and interval in one cell, percent; the best of a column marked."""
    best: dict[str, pd.Series] = {}
    cells = {"seeds": table["seeds"].astype(int)}
    for measure in ("accuracy", "f1@50"):
        for ending, title in (("", measure), (" viterbi", f"{measure}, Viterbi")):
            low, high = (f"{measure} {side}{ending}" for side in ("low", "high"))
            title = title.replace("f1", "F1") + ", %"
            if measure + ending in table:
                best[title] = table[measure + ending]
                cells[title] = [
                    "–"
                    if pd.isna(row[measure + ending])
                    else f"{row[measure + ending]:.1f} [{row[low]:.1f}, {row[high]:.1f}]"
                    for _, row in table.iterrows()
                ]
        cells[f"± seeds, {measure}, %".replace("f1", "F1")] = table[f"{measure} seeds"]
    cells["CPU s"] = table["cpu_seconds"]
    styler = pd.DataFrame(cells, index=table.index).style.format(precision=1, na_rep="–")
    for title, values in best.items():
        styler = styler.map(lambda _: BEST, subset=pd.IndexSlice[values == values.max(), [title]])
    return styler


def shown_differences(found: pd.DataFrame) -> Styler:
    """For the eye: difference and interval in one cell, points; share of the F1 gap where VideoCLIP is the other."""
    cells = {}
    for measure in ("accuracy", "f1@50"):
        title = measure.replace("f1", "F1")
        cells[f"{title}, points"] = [
            f"{row[measure]:+.1f} [{row[f'{measure} low']:+.1f}, {row[f'{measure} high']:+.1f}]"
            for _, row in found.iterrows()
        ]
        cells[f"{title}: told"] = found[f"{measure} told"]
    if GAP in found.index:
        share = found["f1@50"] / found.loc[GAP, "f1@50"]
        cells["share of the F1 gap"] = share.where(found["less"] == "videoclip")
    return pd.DataFrame(cells, index=found.index).style.format(
        {"share of the F1 gap": "{:.0%}"} if GAP in found.index else {}, na_rep="–"
    )


def told(found: pd.DataFrame, questions: list[str], measure: str) -> str:
    """Sentences about some of the differences."""
    words = []
    for question in questions:
        if question in found.index:
            row = found.loc[question]
            interval = f"[{row[f'{measure} low']:+.1f}, {row[f'{measure} high']:+.1f}]"
            words.append(f"{question}: {row[measure]:+.1f} points {interval}, {row[f'{measure} told']}")
    return "; ".join(words) + "."


PLAIN, DECODED, BACKBONE, OWN = "#0072B2", "#D55E00", "#999999", "#009E73"


def methods_with_intervals(table: pd.DataFrame, measure: str, ax: Axes, label: str) -> Axes:
    """A row a method: the best class of each second, and beside it the Viterbi decoding, both with 95 % intervals.

    Args:
        table: of `lib.beyond.controls.views.with_costs`, drawn from top to bottom.
        measure: "accuracy" or "f1@50".
    """
    for ending, colour, shift, name in (("", PLAIN, 0.15, "best class"), (" viterbi", DECODED, -0.15, "Viterbi")):
        if measure + ending not in table:
            continue
        values = table[measure + ending]
        low, high = table[f"{measure} low{ending}"], table[f"{measure} high{ending}"]
        places = shift - np.arange(len(table))
        ax.hlines(places, low, high, color=colour, lw=1.4)
        ax.plot(values, places, "o", color=colour, ms=4, label=name)
    ax.set(xlabel=label, xlim=(0, 100), ylim=(-len(table) + 0.4, 0.6))
    return name_rows(list(table.index), ax)


def name_rows(names: Sequence[str], ax: Axes) -> Axes:
    ax.set_yticks(-np.arange(len(names)), list(names), fontsize=7.5)
    ax.grid(axis="y", visible=False)
    return ax


def pretraining_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Examples seen before the target set, thousands: of the backbone, and of VideoCLIP's pre-training after it."""
    places, before = -np.arange(len(table)), table["backbone_examples"].fillna(0) / 1000
    ax.barh(places, before, color=BACKBONE, height=0.6, label="backbone")
    ax.barh(places, table["videoclip_pairs"].fillna(0) / 1000, left=before, color=OWN, height=0.6, label="VideoCLIP")
    ax.set(xlabel="pre-training, 1000 examples", ylim=(-len(table) + 0.4, 0.6))
    ax.grid(axis="y", visible=False)
    return name_rows(list(table.index), ax)
