"""The claims of the thesis's conclusion, looked for in the numbers at hand (thesis 3): patterns, not values.

A claim is a difference that ought to have a sign. It is taken in each split (trimming: in each test video of split 1)
and judged by its 95 % interval: all on the claimed side "seen here", all on the other "not seen here", else "can't
tell". Splits share training videos, so the intervals are on the narrow side.
"""

from collections.abc import Sequence

import pandas as pd

from lib.published import METHOD_TABLES, published_table
from lib.stats import mean_interval


def judge(differences: Sequence[float], sign: int = 1) -> tuple[float, float, str]:
    """Mean, half width of its 95 % interval, verdict.

    Args:
        differences: at least one; of one alone nothing can be told.
        sign: the claimed one.

    >>> judge([1.0, 2.0, 3.0], sign=-1)[2], judge([4.0, 5.0, 6.0])[2], judge([4.0, 5.0, 6.0], sign=-1)[2]
    ("can't tell", 'seen here', 'not seen here')
    """
    if len(differences) == 1:
        return differences[0], float("nan"), "can't tell"
    mean, half = mean_interval(differences)
    if abs(mean) <= half:
        return mean, half, "can't tell"
    return mean, half, "seen here" if mean * sign > 0 else "not seen here"


def check_claims(metrics: pd.DataFrame, convention: str) -> pd.DataFrame:
    """All claims whose methods are there.

    Args:
        metrics: of `lib.conclusion.score_all`.

    Returns:
        A row a claim: claim, measure, thesis (its own difference), here, ± (half of the 95 % interval), over, verdict.
    """
    common = metrics[metrics["protocol"] == convention]
    wide = common.pivot_table(index=["method", "split", "video"], columns="metric", values="value") / 100
    rows = []

    def add(claim: str, better: str, worse: str, metric: str = "accuracy", sign: int = 1) -> None:
        if {better, worse} <= set(wide.index.unique("method")):
            values = [wide.xs((name, "all"), level=("method", "video"))[metric] for name in (better, worse)]
            found = judge((values[0] - values[1]).dropna().tolist(), sign)
            rows.append([claim, metric, _thesis(better, worse, metric), *found[:2], "splits", found[2]])

    for weights in ("own", "public"):
        name = f"videoclip_{weights}"
        add(f"Fine-tuning beats zero-shot ({weights} weights)", f"{name}_8_epochs", f"{name}_zero_shot")
        add(f"Fine-tuned VideoCLIP beats the baseline ({weights} weights, 15 epochs)", f"{name}_15_epochs", "baseline")
    add("Public zero-shot beats own zero-shot", "videoclip_public_zero_shot", "videoclip_own_zero_shot")
    add("Own I3D features lose to the authors'", "baseline", "asformer_authors_features", sign=-1)
    add("More epochs help own weights", "videoclip_own_15_epochs", "videoclip_own_8_epochs")
    rows += _longer_by_weights(wide) + _trimming(wide) + _over_segmentation(wide)
    return pd.DataFrame(rows, columns=["claim", "measure", "thesis", "here", "±", "over", "verdict"])


def _longer_by_weights(wide: pd.DataFrame) -> list[list]:
    """What epochs 9 to 15 add with public weights, less what they add with own ones (thesis 2.9.2: almost nothing)."""
    methods = {weights: [f"videoclip_{weights}_{epochs}_epochs" for epochs in (15, 8)] for weights in ("public", "own")}
    if not {name for names in methods.values() for name in names} <= set(wide.index.unique("method")):
        return []
    gains, published = {}, {}
    for weights, (longer, shorter) in methods.items():
        ends = [wide.xs((name, "all"), level=("method", "video"))["accuracy"] for name in (longer, shorter)]
        gains[weights], published[weights] = ends[0] - ends[1], _thesis(longer, shorter, "accuracy")
    mean, half, verdict = judge((gains["public"] - gains["own"]).dropna().tolist(), sign=-1)
    claim = "More epochs add less to public weights than to own weights"
    return [[claim, "accuracy", published["public"] - published["own"], mean, half, "splits", verdict]]


def _trimming(wide: pd.DataFrame) -> list[list]:
    """Trimming at the end against the better of the other two, in the test videos of split 1."""
    if "trim_end" not in wide.index.unique("method"):
        return []
    each = {trim: wide.loc[(f"trim_{trim}", 1), "accuracy"].drop("all") for trim in ("start", "both_ends", "end")}
    other = max(("start", "both_ends"), key=lambda trim: each[trim].mean())
    theirs = published_table(2)["accuracy"]
    mean, half, verdict = judge((each["end"] - each[other]).tolist())
    published = theirs["end"] - theirs.drop("end").max()
    return [["Trimming at the end is best", "accuracy", published, mean, half, "videos of split 1", verdict]]


def _over_segmentation(wide: pd.DataFrame) -> list[list]:
    """VideoCLIP loses more in F1@50 than in accuracy against the baseline: right seconds in too many pieces."""
    rows = []
    for weights in ("own", "public"):
        name = f"videoclip_{weights}_15_epochs"
        if not {name, "baseline"} <= set(wide.index.unique("method")):
            continue
        tuned, baseline = (wide.xs((method, "all"), level=("method", "video")) for method in (name, "baseline"))
        loss = (tuned - baseline)["f1@50"] - (tuned - baseline)["accuracy"]
        mean, half, verdict = judge(loss.tolist(), sign=-1)
        published = _thesis(name, "baseline", "f1@50") - _thesis(name, "baseline", "accuracy")
        claim = f"VideoCLIP over-segments: F1 falls behind accuracy ({weights} weights)"
        rows.append([claim, "F1@50 less accuracy", published, mean, half, "splits", verdict])
    return rows


def _thesis(better: str, worse: str, metric: str) -> float:
    means = [published_table(METHOD_TABLES[name]).loc["mean", metric] for name in (better, worse)]
    return float(means[0] - means[1])
