"""The conclusion (thesis 3, Table 10): all methods in one protocol, and the thesis's claims in our numbers.

A claim is a difference that should have a sign. It is taken per split (trimming: per test video of split 1) and judged
from its 95 % interval by `lib.scoring.stats.verdict`. Splits share training videos, so the intervals are on the narrow
side.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from lib.data.dataset import Dataset, Trim
from lib.data.predictions import PredictionError
from lib.data.profile import Profile
from lib.scoring.folders import Cell, cells_of, pairs_of, score_methods
from lib.scoring.labels import segments
from lib.scoring.metrics import METRICS
from lib.scoring.published import METHOD_TABLES, VIDEOCLIP_NAMES, published_table
from lib.scoring.seconds import SECONDS
from lib.scoring.stats import Verdict, direction, mean_interval, verdict

Sign = Literal["higher", "lower"]
BY_FRAME = {  # name in Table 10 -> ours; one line per method (notebooks/guides/adding.md)
    "asformer_authors_features": "asformer_public",
    "baseline": "asformer_own",
}
SHORT = {  # names in figures
    "asformer_authors_features": "ASFormer, public",
    "baseline": "ASFormer, own",
    **VIDEOCLIP_NAMES,
}


def methods(epochs: tuple[int, ...]) -> dict[str, str]:
    """The thesis's name in Table 10 -> ours, below predictions/; its 8 and 15 epochs: the profile's first and last."""
    found = dict(BY_FRAME)
    for weights in ("own", "public"):
        found[f"videoclip_{weights}_zero_shot"] = f"videoclip_{weights}_zero_shot"
    for weights in ("own", "public"):
        for theirs, ours in ((8, epochs[0]), (15, epochs[-1])):
            found[f"videoclip_{weights}_{theirs}_epochs"] = f"videoclip_{weights}_{ours}_epochs"
    return found


def there(profile: Profile) -> dict[str, str]:
    """Those of `methods` whose predictions for all of the book's splits are there.

    Raises:
        PredictionError: none.
    """
    found = methods(profile.params.finetune.epochs)
    made = {
        theirs: ours
        for theirs, ours in found.items()
        if all(profile.out.predictions(ours, split).is_dir() for split in profile.splits)
    }
    if not made:
        raise PredictionError(f"{profile.out.root / 'predictions'}: no method has predicted all splits; run one first")
    return made


def score_all(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.DataFrame:
    """The long table, both protocols, of all methods and of the ways to trim, under the thesis's names."""
    trims = {f"trim_{trim}": profile.out.predictions(f"asformer_trim_{trim}", 1) for trim in get_args(Trim)}
    cells = cells_of(profile, found)
    cells += [Cell(name, 1, folder) for name, folder in trims.items() if folder.is_dir()]
    return score_methods(profile, dataset, cells, (profile.params.data.convention, SECONDS))


def table_ten(metrics: pd.DataFrame, convention: str) -> pd.DataFrame:
    """A row a method of the thesis's Table 10, then those that it does not have.

    Returns:
        thesis (its accuracy, if it has one), as_thesis (ours, scored as the thesis scored that method), difference;
        then of the common protocol the mean over the splits of each metric, and the standard deviation of the accuracy.
        Accuracy and F1 as fractions, edit in percent.
    """
    whole = metrics.query("video == 'all'")
    rows = {}
    theirs_of = published_table(10)["accuracy"].to_dict()
    for name in dict.fromkeys([*theirs_of, *_compared(metrics)]):
        theirs = theirs_of.get(name, float("nan"))
        row = {"thesis": theirs}
        own = whole[whole["method"] == name].pivot_table(index="split", columns=["protocol", "metric"], values="value")
        if len(own):
            protocol = SECONDS if str(name).startswith("videoclip") else convention
            row["as_thesis"] = own[protocol]["accuracy"].mean() / 100
            row["difference"] = row["as_thesis"] - theirs
            common = own[convention]
            row |= {metric: common[metric].mean() / (1 if metric == "edit" else 100) for metric in METRICS}
            row["accuracy_sd"] = common["accuracy"].std() / 100
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def _compared(metrics: pd.DataFrame) -> list[str]:
    """The methods of a long table in their order, without the ways to trim."""
    return [name for name in metrics["method"].unique() if not name.startswith("trim_")]


def short(name: str) -> str:
    """A method's name in figures."""
    return SHORT.get(name, name)


def segments_of(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.Series:
    """Predicted segments for each true one, a number a method: above 1 the videos are over-segmented."""
    ratios = {}
    for name, ours in found.items():
        pairs = [pair for cell in cells_of(profile, [ours]) for pair in pairs_of(dataset, cell).values()]
        predicted, true = (sum(len(segments(pair[side]).labels) for pair in pairs) for side in (0, 1))
        ratios[name] = predicted / true
    return pd.Series(ratios)


def chosen_videos(metrics: pd.DataFrame, convention: str) -> tuple[str, dict[str, tuple[str, int]]]:
    """Worst, middle and best video by accuracy of the baseline, or else of the first method that there is.

    Returns:
        The method, and place -> (video, split).
    """
    known = _compared(metrics)
    judge = "baseline" if "baseline" in known else known[0]
    each = metrics.query(
        "method == @judge and metric == 'accuracy' and protocol == @convention and video != 'all'"
    ).sort_values(["value", "video"])
    places = {"worst": 0, "middle": len(each) // 2, "best": len(each) - 1}
    chosen = {name: (str(each["video"].iloc[at]), int(each["split"].iloc[at])) for name, at in places.items()}
    return judge, chosen


def best_against_baseline(table: pd.DataFrame) -> str:
    """A sentence that sets the best VideoCLIP against the baseline, where both are there.

    Args:
        table: of `table_ten`, with `segments_of` as a column.
    """
    tuned = table.filter(like="videoclip", axis=0)["accuracy"].dropna()
    if tuned.empty or pd.isna(table.loc["baseline", "accuracy"]):
        return ""
    ours, baseline = table.loc[tuned.idxmax()], table.loc["baseline"]
    gain = ours - baseline
    return (
        f"The best VideoCLIP here is `{tuned.idxmax()}`: accuracy {ours['accuracy']:.3f} against the baseline's "
        f"{baseline['accuracy']:.3f} ({gain['accuracy']:+.3f}; in the thesis {gain['thesis']:+.3f}), F1@50 "
        f"{ours['f1@50']:.3f} against {baseline['f1@50']:.3f} ({gain['f1@50']:+.3f}). It predicts "
        f"{ours['segments']:.1f} segments for each true one, the baseline {baseline['segments']:.1f}."
    )


def left_out(found: Mapping[str, str], folder: Path) -> str:
    """A sentence about the methods that have no predictions here, or nothing."""
    missing = [name for name in published_table(10).index[1:] if name not in found]
    return f"No predictions in {folder.name}/ of: {', '.join(missing)}." if missing else ""


def judge(differences: Sequence[float], claimed: Sign) -> tuple[float, float, Verdict]:
    """Mean difference, half the width of its 95 % interval, verdict.

    Args:
        differences: at least one; one alone is inconclusive.

    >>> judge([4.0, 5.0, 6.0], "higher")[2], judge([4.0, 5.0, 6.0], "lower")[2], judge([1.0, 2.0, 3.0], "lower")[2]
    ('supported', 'contradicted', 'inconclusive')
    """
    mean, half = mean_interval(differences) if len(differences) > 1 else (differences[0], float("nan"))
    return mean, half, verdict(direction(mean - half, mean + half), claimed)


def check_claims(metrics: pd.DataFrame, convention: str) -> pd.DataFrame:
    """All claims whose methods are there.

    Args:
        metrics: of `lib.scoring.conclusion.score_all`.

    Returns:
        A row a claim: claim, measure, thesis (its own difference), here, ± (half of the 95 % interval), over, verdict.
    """
    common = metrics[metrics["protocol"] == convention]
    wide = common.pivot_table(index=["method", "split", "video"], columns="metric", values="value") / 100
    rows = []

    def add(claim: str, better: str, worse: str, metric: str = "accuracy", claimed: Sign = "higher") -> None:
        if {better, worse} <= set(wide.index.unique("method")):
            values = [wide.xs((name, "all"), level=("method", "video"))[metric] for name in (better, worse)]
            found = judge((values[0] - values[1]).dropna().tolist(), claimed)
            rows.append([claim, metric, _thesis(better, worse, metric), *found[:2], "splits", found[2]])

    for weights in ("own", "public"):
        name = f"videoclip_{weights}"
        add(f"Fine-tuning beats zero-shot ({weights} weights)", f"{name}_8_epochs", f"{name}_zero_shot")
        add(f"Fine-tuned VideoCLIP beats the baseline ({weights} weights, 15 epochs)", f"{name}_15_epochs", "baseline")
    add("Public zero-shot beats own zero-shot", "videoclip_public_zero_shot", "videoclip_own_zero_shot")
    add("Own I3D features lose to the authors'", "baseline", "asformer_authors_features", claimed="lower")
    add("More epochs help own weights", "videoclip_own_15_epochs", "videoclip_own_8_epochs")
    rows += _longer_by_weights(wide) + _trimming(wide) + _over_segmentation(wide)
    return pd.DataFrame(rows, columns=["claim", "measure", "thesis", "here", "±", "over", "verdict"])


def tally(claims: pd.DataFrame) -> str:
    """A line per verdict: how many claims have it, and which.

    >>> print(tally(pd.DataFrame({"claim": ["A beats B", "C helps"], "verdict": ["supported", "inconclusive"]})))
    - **Supported** (1 of 2): A beats B.
    - **Contradicted** (0 of 2): none.
    - **Inconclusive** (1 of 2): C helps.
    """
    named = {word: claims.loc[claims["verdict"] == word, "claim"] for word in get_args(Verdict)}
    return "\n".join(
        f"- **{word.capitalize()}** ({len(found)} of {len(claims)}): {'; '.join(found) or 'none'}."
        for word, found in named.items()
    )


def _longer_by_weights(wide: pd.DataFrame) -> list[list]:
    """What epochs 9 to 15 add with public weights, less what they add with own ones (thesis 2.9.2: almost nothing)."""
    methods = {weights: [f"videoclip_{weights}_{epochs}_epochs" for epochs in (15, 8)] for weights in ("public", "own")}
    if not {name for names in methods.values() for name in names} <= set(wide.index.unique("method")):
        return []
    gains, published = {}, {}
    for weights, (longer, shorter) in methods.items():
        ends = [wide.xs((name, "all"), level=("method", "video"))["accuracy"] for name in (longer, shorter)]
        gains[weights], published[weights] = ends[0] - ends[1], _thesis(longer, shorter, "accuracy")
    mean, half, judged = judge((gains["public"] - gains["own"]).dropna().tolist(), "lower")
    claim = "More epochs add less to public weights than to own weights"
    return [[claim, "accuracy", published["public"] - published["own"], mean, half, "splits", judged]]


def _trimming(wide: pd.DataFrame) -> list[list]:
    """Trimming at the end against the better of the other two, in the test videos of split 1."""
    if "trim_end" not in wide.index.unique("method"):
        return []
    each = {trim: wide.loc[(f"trim_{trim}", 1), "accuracy"].drop("all") for trim in ("start", "both_ends", "end")}
    other = max(("start", "both_ends"), key=lambda trim: each[trim].mean())
    theirs = published_table(2)["accuracy"]
    mean, half, judged = judge((each["end"] - each[other]).tolist(), "higher")
    published = theirs["end"] - theirs.drop("end").max()
    return [["Trimming at the end is best", "accuracy", published, mean, half, "videos of split 1", judged]]


def _over_segmentation(wide: pd.DataFrame) -> list[list]:
    """VideoCLIP loses more in F1@50 than in accuracy against the baseline: right seconds in too many pieces."""
    rows = []
    for weights in ("own", "public"):
        name = f"videoclip_{weights}_15_epochs"
        if not {name, "baseline"} <= set(wide.index.unique("method")):
            continue
        tuned, baseline = (wide.xs((method, "all"), level=("method", "video")) for method in (name, "baseline"))
        loss = (tuned - baseline)["f1@50"] - (tuned - baseline)["accuracy"]
        mean, half, judged = judge(loss.tolist(), "lower")
        published = _thesis(name, "baseline", "f1@50") - _thesis(name, "baseline", "accuracy")
        claim = f"VideoCLIP over-segments: F1 falls behind accuracy ({weights} weights)"
        rows.append([claim, "F1@50 less accuracy", published, mean, half, "splits", judged])
    return rows


def _thesis(better: str, worse: str, metric: str) -> float:
    means = [published_table(METHOD_TABLES[name]).loc["mean", metric] for name in (better, worse)]
    return float(means[0] - means[1])
