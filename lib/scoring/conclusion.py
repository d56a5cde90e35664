"""The conclusion (thesis 3, Table 10): all methods in one protocol, and the thesis's claims in our numbers.

A claim is a difference that should have a sign. It is taken per split (trimming: per test video of split 1) and judged
from its 95 % interval by `lib.scoring.stats.verdict`. Splits share training videos, so the intervals are on the narrow
side.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

import pandas as pd

from lib.data.dataset import Dataset, Trim
from lib.data.predictions import PredictionError
from lib.data.profile import Profile
from lib.scoring.folders import Cell, cells_of, half_widths, has_predicted, pairs_of, score_methods
from lib.scoring.labels import Labels, segments
from lib.scoring.metrics import METRICS
from lib.scoring.names import display_name
from lib.scoring.published import METHOD_TABLES, published_table
from lib.scoring.seconds import SECONDS
from lib.scoring.stats import Verdict, direction, mean_interval, verdict

Sign = Literal["higher", "lower"]
BY_FRAME = {  # name in Table 10 -> ours; one line per method (notebooks/guides/adding.md)
    "asformer_authors_features": "asformer_public",
    "baseline": "asformer_own",
}


def methods(epochs: tuple[int, ...]) -> dict[str, str]:
    """The thesis's name in Table 10 -> ours, below predictions/; its 8 and 15 epochs: the profile's first and last."""
    zero_shot = [f"videoclip_{weights}_zero_shot" for weights in ("own", "public")]
    tuned = {
        f"videoclip_{weights}_{theirs}_epochs": f"videoclip_{weights}_{ours}_epochs"
        for weights in ("own", "public")
        for theirs, ours in ((8, epochs[0]), (15, epochs[-1]))
    }
    return BY_FRAME | {name: name for name in zero_shot} | tuned


def predicted(profile: Profile) -> dict[str, str]:
    """Those of `methods` that have predicted all splits of this run.

    Raises:
        PredictionError: none.
    """
    known = methods(profile.params.finetune.epochs)
    found = {theirs: ours for theirs, ours in known.items() if has_predicted(profile, ours)}
    if not found:
        raise PredictionError(f"{profile.out.root / 'predictions'}: no method has predicted all splits; run one first")
    return found


def score_all(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.DataFrame:
    """The long table, both protocols, of all methods and of the ways to trim, under the thesis's names."""
    trims = {f"trim_{trim}": profile.out.predictions(f"asformer_trim_{trim}", 1) for trim in get_args(Trim)}
    cells = cells_of(profile, found)
    cells += [Cell(name, 1, folder) for name, folder in trims.items() if folder.is_dir()]
    return score_methods(profile, dataset, cells, (profile.params.data.convention, SECONDS))


def half_tens(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Half of the 95 % interval of each method's accuracy and F1@50 over other videos and seeds, fractions."""
    how = profile.params.data.convention, profile.params.data.ignore
    halves = {name: half_widths(dataset, cells_of(profile, {name: ours}), *how) for name, ours in found.items()}
    return {name: {f"{measure} ±": half / 100 for measure, half in both.items()} for name, both in halves.items()}


def table_ten(
    metrics: pd.DataFrame, convention: str, halves: Mapping[str, Mapping[str, float]] = MappingProxyType({})
) -> pd.DataFrame:
    """A row per method of the thesis's Table 10, then the methods that it does not have.

    Args:
        halves: as returned by `half_tens`.

    Returns:
        thesis (its accuracy, if it has one), as_thesis (ours, scored as the thesis scored that method), difference; in
        the common protocol the mean over splits and seeds of each metric, the standard deviation of the accuracy over
        the splits, and accuracy ± and f1@50 ±, half of the 95 % interval.
        Accuracy and F1 as fractions, edit in percent.
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


def segments_of(profile: Profile, dataset: Dataset, found: Mapping[str, str]) -> pd.Series:
    """Predicted segments per true segment, of each method: above 1 the videos are over-segmented."""
    ratios = {}
    for name, ours in found.items():
        pairs = [pair for cell in cells_of(profile, [ours]) for pair in pairs_of(dataset, cell).values()]
        predicted, true = (sum(len(segments(pair[side]).labels) for pair in pairs) for side in (0, 1))
        ratios[name] = predicted / true
    return pd.Series(ratios)


def chosen_videos(metrics: pd.DataFrame, convention: str) -> tuple[str, dict[str, tuple[str, int]]]:
    """Worst, middle and best video by accuracy of the baseline, or else of the first method.

    Returns:
        The method, and place -> (video, split).
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
    """A line per video: the accuracy of one method and of the best.

    Args:
        metrics: the long table of some videos in one protocol.

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

    Args:
        table: of `table_ten`, with `segments_of` as a column.
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
    """Judge all claims whose methods have predictions.

    Args:
        metrics: as returned by `score_all`.

    Returns:
        A row per claim: claim, measure, thesis (its difference), here, ± (half of the 95 % interval), over, verdict.
    """
    common = metrics[metrics["protocol"] == convention]
    wide = common.pivot_table(index=["method", "split", "video"], columns="metric", values="value") / 100
    ours = wide.xs("all", level="video")
    known, rows = set(ours.index.unique("method")), []

    def add(claim: str, sign: Sign, difference: Callable, *names: str, measure: str = "accuracy") -> None:
        """Judge a `difference` of these methods, per split here, and of the thesis's means."""
        if set(names) <= known:
            here = difference(*(ours.loc[name] for name in names)).dropna().tolist()
            thesis = difference(*(published_table(METHOD_TABLES[name]).loc["mean"] for name in names))
            mean, half, judged = judge(here, sign)
            rows.append([claim, measure, thesis, mean, half, "splits", judged])

    def gain(better, worse):
        return better["accuracy"] - worse["accuracy"]

    def lag(better, worse):
        return (better["f1@50"] - worse["f1@50"]) - gain(better, worse)

    for weights in ("own", "public"):
        zero, short, long = (f"videoclip_{weights}_{how}" for how in ("zero_shot", "8_epochs", "15_epochs"))
        add(f"Fine-tuning beats zero-shot ({weights} weights)", "higher", gain, short, zero)
        claim = f"Fine-tuned VideoCLIP beats the baseline ({weights} weights, 15 epochs)"
        add(claim, "higher", gain, long, "baseline")
    zero = [f"videoclip_{weights}_zero_shot" for weights in ("public", "own")]
    add("Public zero-shot beats own zero-shot", "higher", gain, *zero)
    add("Own I3D features lose to the authors'", "lower", gain, "baseline", "asformer_authors_features")
    public, own = ([f"videoclip_{weights}_{n}_epochs" for n in (15, 8)] for weights in ("public", "own"))
    add("More epochs help own weights", "higher", gain, *own)
    claim = "More epochs add less to public weights than to own weights"
    add(claim, "lower", lambda a, b, c, d: gain(a, b) - gain(c, d), *public, *own)
    rows += _trimming(wide)
    # right seconds in too many pieces cost more F1 than accuracy
    for weights in ("own", "public"):
        claim = f"VideoCLIP over-segments: F1 falls behind accuracy ({weights} weights)"
        add(claim, "lower", lag, f"videoclip_{weights}_15_epochs", "baseline", measure="F1@50 less accuracy")
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
