"""The conclusion (thesis 3, Table 10): all methods in one protocol.

`halves` is made by `half_tens`, `metrics` by `score_all`, `segments` by `segments_of`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from lib.data.dataset import Dataset, Trim
from lib.data.predictions import PredictionError
from lib.data.profile import Profile
from lib.scoring.confusion import video_matrices
from lib.scoring.folders import Cell, cells_of, half_widths, has_predicted, pairs_of, score_methods
from lib.scoring.labels import Labels, segments
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table
from lib.scoring.seconds import SECONDS
from lib.scoring.words import display_name

BY_FRAME = {  # name in Table 10 -> ours; one line per method (notebooks/guides/adding.md)
    "asformer_authors_features": "asformer_public",
    "baseline": "asformer_own",
}
# of split 1; 2.3.3 cuts at the end, so that this training is the same
TRIMMED: dict[Trim, str] = {
    "start": "asformer_trim_start",
    "both_ends": "asformer_trim_both_ends",
    "end": BY_FRAME["baseline"],
}


def methods(epochs: tuple[int, ...]) -> dict[str, str]:
    """Name in Table 10 of the thesis -> ours, below predictions/; 8 and 15 epochs are the profile's first and last."""
    zero_shot = [f"videoclip_{weights}_zero_shot" for weights in ("own", "public")]
    tuned = {
        f"videoclip_{weights}_{theirs}_epochs": f"videoclip_{weights}_{ours}_epochs"
        for weights in ("own", "public")
        for theirs, ours in ((8, epochs[0]), (15, epochs[-1]))
    }
    return BY_FRAME | {name: name for name in zero_shot} | tuned


def predicted(profile: Profile) -> dict[str, str]:
    """Select those of `methods` that have predicted all splits of this run. Raises PredictionError: there are none."""
    known = methods(profile.params.finetune.epochs)
    found = {theirs: ours for theirs, ours in known.items() if has_predicted(profile, ours)}
    if not found:
        raise PredictionError(f"{profile.out.root / 'predictions'}: no method has predicted all splits; run one first")
    return found


def score_all(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.DataFrame:
    """The long table of all methods and ways to trim in both protocols, under the thesis's names."""
    trims = {f"trim_{trim}": profile.out.predictions(method, 1) for trim, method in TRIMMED.items()}
    cells = cells_of(profile, found)
    cells += [Cell(name, 1, folder) for name, folder in trims.items() if folder.is_dir()]
    return score_methods(profile, dataset, cells, (profile.params.data.convention, SECONDS))


def half_tens(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Half of the 95 % interval of each method's accuracy and F1@50 over other videos and seeds, as fractions."""
    how = profile.params.data.convention, profile.params.data.ignore
    halves = {name: half_widths(dataset, cells_of(profile, {name: ours}), *how) for name, ours in found.items()}
    return {name: {f"{measure} ±": half / 100 for measure, half in both.items()} for name, both in halves.items()}


def table_ten(
    metrics: pd.DataFrame, convention: str, halves: Mapping[str, Mapping[str, float]] = MappingProxyType({})
) -> pd.DataFrame:
    """One row per method of the thesis's Table 10, then the methods that it does not have.

    Returns thesis (its accuracy, if it has one), as_thesis (ours, scored as the thesis scored that method), difference;
    in the common protocol the mean over splits and seeds of each metric, the standard deviation of the accuracy over
    the splits, and accuracy ± and f1@50 ±, half of the 95 % interval. Accuracy and F1 as fractions, edit in percent.
    """
    whole = metrics.query("video == 'all'")
    rows = {}
    theirs_of = published_table(10)["accuracy"].to_dict()
    for name in dict.fromkeys([*theirs_of, *_compared(metrics)]):
        row = {"thesis": theirs_of.get(name, float("nan"))}
        own = whole[whole["method"] == name].pivot_table(index="split", columns=["protocol", "metric"], values="value")
        if len(own):
            protocol = SECONDS if str(name).startswith("videoclip") else convention
            row["as_thesis"] = own[protocol]["accuracy"].mean() / 100
            row["difference"] = row["as_thesis"] - row["thesis"]
            common = own[convention]
            row |= {metric: common[metric].mean() / (1 if metric == "edit" else 100) for metric in METRICS}
            row["accuracy_sd"] = common["accuracy"].std() / 100
            row |= halves.get(str(name), {})
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _compared(metrics: pd.DataFrame) -> list[str]:
    """The methods of a long table in their order, without the ways to trim."""
    return [name for name in metrics["method"].unique() if not name.startswith("trim_")]


def segments_of(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.DataFrame:
    """Predicted segments per true segment: a row per method, a column per split; above 1 is over-segmentation."""
    counts: dict[tuple[str, int], np.ndarray] = {}
    for cell in cells_of(profile, found):
        pairs = pairs_of(dataset, cell).values()
        both = np.array([sum(len(segments(pair[side]).labels) for pair in pairs) for side in (0, 1)])
        # several cells where a method was trained with several seeds
        counts[cell.method, cell.split] = counts.get((cell.method, cell.split), 0) + both
    return pd.Series({place: predicted / true for place, (predicted, true) in counts.items()}).unstack()


def chosen_videos(metrics: pd.DataFrame, convention: str) -> tuple[str, dict[str, tuple[str, int]]]:
    """Worst, middle and best video by accuracy of the baseline, or else of the first method.

    Returns the method, and place -> (video, split).
    """
    known = _compared(metrics)
    judge = "baseline" if "baseline" in known else known[0]
    each = metrics.query("method == @judge and metric == 'accuracy' and protocol == @convention and video != 'all'")
    # of the first training
    each = each.drop_duplicates(["split", "video"]).sort_values(["value", "video"])
    places = {"worst": 0, "middle": len(each) // 2, "best": len(each) - 1}
    chosen = {name: (str(each["video"].iloc[at]), int(each["split"].iloc[at])) for name, at in places.items()}
    return judge, chosen


def labels_of(
    profile: Profile, dataset: Dataset, found: Mapping[str, str], videos: Iterable[tuple[str, int]]
) -> list[dict[str, Labels]]:
    """Truth and the methods' labels of each (video, split), by names for readers."""
    return [
        {"truth": dataset.names(video)}
        | {
            display_name(name): pairs_of(dataset, Cell(name, split, profile.out.predictions(ours, split)))[video][0]
            for name, ours in found.items()
        }
        for video, split in videos
    ]


def accuracies(metrics: pd.DataFrame, judge: str) -> str:
    """Say per video, in one line, the accuracy of one method and of the best.

    `metrics`: the long table of some videos in one protocol.

    >>> rows = [("v", "baseline", "accuracy", 80.0), ("v", "asformer_public", "accuracy", 90.0)]
    >>> print(accuracies(pd.DataFrame(rows, columns=["video", "method", "metric", "value"]), "baseline"))
    - `v`: ASFormer, own features 80 %; best: ASFormer, public features, 90 %.
    """
    each = metrics[metrics["metric"] == "accuracy"].pivot_table(
        index="video", columns="method", values="value", aggfunc="first"
    )
    return "\n".join(
        f"- `{video}`: {display_name(judge)} {row[judge]:.0f} %; "
        f"best: {display_name(str(row.idxmax()))}, {row.max():.0f} %."
        for video, row in each.iterrows()
    )


def best_against_baseline(table: pd.DataFrame) -> str:
    """Compare the best fine-tuned VideoCLIP with the baseline, if the table has both.

    `table`: of `table_ten`, with the means of `segments_of` as a column.
    """
    tuned = table.filter(like="videoclip", axis=0)["accuracy"].dropna()
    if tuned.empty or pd.isna(table.loc["baseline", "accuracy"]):
        return ""
    ours, baseline = table.loc[tuned.idxmax()], table.loc["baseline"]
    gain = ours - baseline
    return (
        f"The best VideoCLIP here is {display_name(str(tuned.idxmax()))}. Its accuracy is {ours['accuracy']:.3f}, the "
        f"baseline's {baseline['accuracy']:.3f} ({gain['accuracy']:+.3f}; in the thesis {gain['thesis']:+.3f}). Its "
        f"F1@50 is {ours['f1@50']:.3f}, the baseline's {baseline['f1@50']:.3f} ({gain['f1@50']:+.3f}). It predicts "
        f"{ours['segments']:.1f} segments per true segment, the baseline {baseline['segments']:.1f}."
    )


def left_out(found: Iterable[str]) -> str:
    """Name the methods of Table 10 without predictions here, if any."""
    missing = [display_name(str(name)) for name in published_table(10).index[1:] if name not in found]
    return f"No predictions of: {'; '.join(missing)}." if missing else ""


def claim_evidence(
    profile: Profile, dataset: Dataset, metrics: pd.DataFrame, segments: pd.DataFrame, found: Mapping[str, str]
) -> dict[str, dict]:
    """Evidence for `lib.scoring.claims.check` on the claims that several chapters decide together."""
    common = metrics[metrics["protocol"] == profile.params.data.convention]
    wide = common.pivot_table(index=["method", "split", "video"], columns="metric", values="value") / 100
    whole = wide.xs("all", level="video")
    tables = {name: whole.loc[name].assign(segments=segments.loc[name]) for name in found}
    trained = common[common["video"] == "all"].pivot_table(index=["method", "seed"], columns="metric", values="value")
    by_seed = {name: trained.loc[name].reset_index(drop=True) / 100 for name in found}
    repeats = {name: table for name, table in by_seed.items() if len(table) > 1}
    errors = {
        name: video_matrices(profile.out, dataset, profile.splits, found[name])
        for name in ("videoclip_own_8_epochs", "videoclip_own_zero_shot")
        if name in found
    }
    values = {}
    if "trim_end" in wide.index.unique("method"):
        each = {trim: wide.loc[(f"trim_{trim}", 1), "accuracy"].drop("all") for trim in TRIMMED}
        values["trim_end"] = each.pop("end")
        values["other trims"] = max(each.values(), key=lambda accuracy: accuracy.mean())
    return {"tables": tables, "repeats": repeats, "matrices": errors, "values": values}
