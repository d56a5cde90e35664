"""The thesis's claims as data (claims.yaml), the few measures that check them, and one rule for the verdict.

A claim is a quantity that should lie above or below a value, or at it. It is measured in each split (or seed, or
video), and Student's 95 % interval of the mean goes to `lib.scoring.stats.verdict`. Splits share training videos, so
these intervals tend to be too narrow. There are four other cases:

- The thesis names splits. The claim is judged in each of them, by resampling that split's test videos. It must hold in
  all of them and, if it says "only", in none of the others.
- It singles out one split. That split is compared with the interval that the others predict for one more split.
- It says "always". It is counted: one exception contradicts it.
- It compares single trainings: two recipes of pre-training, ways to trim on one split. It is judged over repeated
  trainings. Without them no interval covers chance between trainings: inconclusive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from lib.core.chapters import number
from lib.scoring.confusion import (
    CONFUSED,
    confusion,
    labelled_as,
    lead,
    lead_in_row,
    summed,
    verb_recognized,
    wrong_part,
)
from lib.scoring.published import METHOD_TABLES, published_table
from lib.scoring.stats import ALPHA, Direction, Verdict, bootstrap_interval, direction, enough, mean_interval, verdict
from lib.scoring.words import display_name, span, written

RESAMPLES = 500
COLUMNS = ("section", "claim", "holds if", "thesis", "here", "low", "high", "over", "each", "verdict", "would decide")
Sign = Literal["higher", "lower", "level"]


# Measures of a table of scores with one row per split, and of training histories


def score(table: pd.DataFrame, column: str) -> pd.Series:
    """Scores of one column, by split."""
    each = table[column].drop("mean", errors="ignore")
    return each.set_axis(each.index.astype(int))


def falls(history: pd.DataFrame, column: str, first: int, by: str = "split") -> pd.Series:
    """Fall of a curve from epoch `first` (or the last one before it) to its end, by split or by another column."""
    curves = history.pivot_table(index="epoch", columns=by, values=column)
    return curves[curves.index <= max(first, curves.index[0])].iloc[-1] - curves.iloc[-1]


def mean_of(history: pd.DataFrame, column: str) -> pd.Series:
    """Mean of a curve over the epochs, by split."""
    return history.groupby("split")[column].mean()


def stage_gap(history: pd.DataFrame, when: Literal["early", "late"]) -> pd.Series:
    """Training accuracy of the last decoder less the encoder's, in points: in the first quarter, or the last epoch."""
    stages = sorted(history.filter(regex=r"^train_accuracy_stage_\d+$"), key=lambda name: int(name.rsplit("_", 1)[1]))
    last = history["epoch"].max()
    part = history[history["epoch"] <= max(1, last // 4) if when == "early" else history["epoch"] == last]
    return (part[stages[-1]] - part[stages[0]]).groupby(part["split"]).mean()


def roughness(runs: pd.DataFrame, column: str) -> pd.Series:
    """Roughness of a curve, by seed: root mean square of its second differences / √6.

    For white noise this is its standard deviation.

    >>> runs = pd.DataFrame({"seed": 0, "update": [0, 1, 2, 3, 4], "loss": [9.0, 3.0, 2.0, 3.0, 2.0]})
    >>> round(float(roughness(runs, "loss")[0]), 3)  # second differences 2 and -2, without the untrained model
    0.816
    """
    trained = runs[runs["update"] > 0].groupby("seed").filter(lambda run: len(run) > 2)
    return trained.groupby("seed")[column].apply(lambda curve: float(np.sqrt(np.mean(np.diff(curve, 2) ** 2) / 6)))


def rise(runs: pd.DataFrame, column: str) -> pd.Series:
    """Change of a curve over the second half of a training, by seed."""
    trained = runs[runs["update"] > 0]
    return trained.groupby("seed")[column].apply(lambda curve: curve.iloc[-1] - curve.iloc[(len(curve) - 1) // 2])


def at_end(runs: pd.DataFrame, column: str) -> pd.Series:
    """Last value of a curve, by seed."""
    return runs.groupby("seed")[column].last()


def measured(values: pd.Series) -> pd.Series:
    """Values as the notebook has measured them."""
    return values


# name in claims.yaml -> kind of evidence, function, claimed sign, value to compare with
QUANTITIES: dict[str, tuple[str, Callable, Sign, float]] = {
    "confused": ("matrices", confusion, "higher", CONFUSED),
    "apart": ("matrices", confusion, "lower", CONFUSED),
    "taken": ("matrices", labelled_as, "higher", CONFUSED),
    "confusion": ("matrices", confusion, "lower", 0),
    "right": ("matrices", labelled_as, "higher", 0),
    "lead": ("matrices", lead, "higher", 0),
    "lead_in_row": ("matrices", lead_in_row, "higher", 0),
    "wrong_part": ("matrices", wrong_part, "lower", 0),
    "verb_recognized": ("matrices", verb_recognized, "higher", 0),
    "score": ("tables", score, "higher", 0),
    "falls": ("histories", falls, "higher", 0),
    "mean_of": ("histories", mean_of, "lower", 0),
    "stage_gap": ("histories", stage_gap, "higher", 0),
    "roughness": ("runs", roughness, "lower", 0),
    "rise": ("runs", rise, "higher", 0),
    "at_end": ("runs", at_end, "higher", 0),
    "measured": ("values", measured, "higher", 0),
}
TEXTS = {
    "confused": "{0} is confused with {1}",
    "apart": "{0} and {1} are kept apart",
    "taken": "{0} is taken for {1}",
}
OVER: dict[str, str] = dict.fromkeys(("matrices", "tables", "histories"), "splits")
OVER |= {"repeats": "trainings per side", "runs": "seeds", "values": "videos"}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim."""

    section: str
    text: str
    measure: str  # one of QUANTITIES
    of: tuple = ()  # its further arguments
    # those measured; of two, the first less the second; of four, the first such difference less the second
    methods: tuple[str, ...]
    claimed: Sign  # sign of the measured quantity less `than`
    than: float
    splits: tuple[int, ...] = ()  # those that the thesis names
    only: bool = False  # it says that it does not hold in the others
    but: tuple[int, ...] = ()  # splits that it excludes
    unlike: int | None = None  # a split that it singles out
    once: bool = False  # each of its sides is a single training, unless that was repeated
    always: bool = False  # it allows no exception

    @property
    def rule(self) -> str:
        return f"{ {'higher': '>', 'lower': '<', 'level': '='}[self.claimed] } {self.than:g}"


def _splits(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"splits {', '.join(first)} and {last}" if first else f"split {last}"


def _claim(entry: dict) -> Claim:
    """Read a claim from its entry, in which the measure's name is the key of its arguments."""
    (name,) = QUANTITIES.keys() & entry.keys()
    of = entry.pop(name)
    of = tuple(of) if isinstance(of, list) else (of,)
    only, _, claimed, than = "only" in entry, *QUANTITIES[name][1:]
    splits, but = tuple(entry.pop("only", entry.pop("splits", ()))), tuple(entry.pop("but", ()))
    methods = tuple(entry.pop("methods"))
    text = entry.pop("text", None)
    if text is None:
        model = display_name(methods[0]).removeprefix("VideoCLIP, ")
        text = f"{model}: {TEXTS[name].format(of[0], ' or '.join(of[1:]))}"
    text += f" on {_splits(splits)}{' only' * only}" if splits else f" but on {_splits(but)}" if but else ""
    how = {"claimed": claimed, "than": than} | entry
    return Claim(text=text, measure=name, of=of, methods=methods, splits=splits, only=only, but=but, **how)


def chapters() -> list[str]:
    """The notebooks that check claims, in the order of the thesis."""
    return list(_file()["claims"])


@cache
def _file() -> dict[str, Any]:
    return yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def claims_of(chapter: str) -> list[Claim]:
    """The claims that a notebook checks."""
    groups: list[dict] = _file()["claims"][chapter]
    return [
        _claim({"section": number(chapter)} | {key: group[key] for key in group.keys() - {"claims"}} | entry)
        for group in groups
        for entry in group["claims"]
    ]


def undecidable() -> pd.DataFrame:
    """Suppositions of the thesis that nothing here can decide: one row each, columns named for readers."""
    return pd.DataFrame(
        _file()["undecidable"], columns=["section", "what the thesis supposes", "what would decide"], dtype=str
    )


def slips() -> pd.DataFrame:
    """Contradictions and errors of fact in the thesis's text: one row each, columns named for readers."""
    return pd.DataFrame(_file()["slips"], columns=["section", "what the thesis says", "correct"], dtype=str)


def check(chapter: str, **evidence: Mapping[str, Any]) -> pd.DataFrame:
    """Check a notebook's claims.

    Args:
        evidence: kind -> method -> its data. matrices: `lib.scoring.confusion.video_matrices`; tables: scores, one row
            per split; repeats: the same, one row per repeated training; histories: columns split and epoch; runs:
            columns seed and update; values: one number per video. Claims about methods without evidence are left out.

    Returns:
        One row per claim, COLUMNS: `thesis` is the same quantity in the thesis's tables, `here` its mean with the 95 %
        interval low … high, `over` what it is a mean of, `each` its values, `would decide` what `enough` says.

    Raises ValueError: the matrices lack a class that a claim is about.
    """
    rows = []
    for claim in claims_of(chapter):
        kind = QUANTITIES[claim.measure][0]
        if claim.once and set(claim.methods) <= evidence.get("repeats", {}).keys():
            kind = "repeats"
        if set(claim.methods) <= evidence.get(kind, {}).keys():
            rows.append(_checked(claim, kind, [evidence[kind][method] for method in claim.methods]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _checked(claim: Claim, kind: str, evidence: list) -> dict:
    values = _values(claim, kind, evidence).dropna().drop(list(claim.but), errors="ignore")
    here, low, high = _interval(values, claim)
    about = {"section": claim.section, "claim": claim.text, "holds if": claim.rule, "thesis": _published(claim, kind)}
    once = claim.once and kind != "repeats"
    over = f"{len(values)} {OVER[kind]}" + (", one training per side" if once else "")
    each = ", ".join(written(value, ".2f") for value in values) if len(values) <= 6 else span(values, ".2f")
    found = about | {"here": here, "low": low, "high": high, "over": over, "each": each}
    judged: Verdict = "inconclusive" if once else _verdict(claim, values, evidence, low, high)
    usual = not (once or claim.always or claim.splits or claim.unlike)
    needs = enough(values.to_numpy() - claim.than, OVER[kind]) if usual and judged == "inconclusive" else ""
    return found | {"verdict": judged, "would decide": needs}


def _values(claim: Claim, kind: str, evidence: list) -> pd.Series:
    """Measured values by split, seed or video; methods enter with the signs +, -, -, + in turn."""
    measure = QUANTITIES[claim.measure][1]
    parts = []
    for one in evidence:
        if kind == "matrices":
            try:
                each = {split: measure(summed(videos), *claim.of) for split, videos in one.items()}
            except KeyError as error:
                raise ValueError(f"claim “{claim.text}”: the data set has no class {error}") from None
            parts.append(pd.Series(each, dtype=float))
        else:
            parts.append(pd.Series(measure(one, *claim.of), dtype=float))
    first, *others = (sign * part for sign, part in zip(cycle((1, -1, -1, 1)), parts))
    return sum(others, start=first)


def _interval(values: pd.Series, claim: Claim) -> tuple[float, float, float]:
    """Mean (or the difference of the split singled out), low and high; NaN where there are too few values."""
    nothing = (float("nan"), float("nan"))
    if claim.always:
        return (float(values.mean()), float(values.min()), float(values.max())) if len(values) else (np.nan, *nothing)
    if claim.unlike is not None:
        others = values.drop(claim.unlike, errors="ignore")
        if claim.unlike not in values or len(others) < 2:
            return (np.nan, *nothing)
        here = float(values[claim.unlike] - others.mean())
        scale = float(others.std()) * np.sqrt(1 + 1 / len(others))
        half = float(stats.t.ppf(1 - ALPHA / 2, len(others) - 1)) * scale
        return here, here - half, here + half
    values = values[list(claim.splits)] if claim.splits and set(claim.splits) <= set(values.index) else values
    if len(values) < 2:
        return (float(values.mean()), *nothing)
    here, half = mean_interval(values.tolist())
    return here, here - half, here + half


def _verdict(claim: Claim, values: pd.Series, evidence: list, low: float, high: float) -> Verdict:
    if not len(values):
        return "inconclusive"
    if claim.always:
        return "supported" if low == high == claim.than else "contradicted"
    if not claim.splits:
        return verdict(direction(low - claim.than, high - claim.than), claim.claimed)
    others = [split for split in values.index if split not in claim.splits and claim.only]
    opposite: Sign = "lower" if claim.claimed == "higher" else "higher"
    verdicts = [verdict(_in_split(claim, evidence, split), claim.claimed) for split in claim.splits]
    verdicts += [verdict(_in_split(claim, evidence, split), opposite) for split in others]
    worst_first: tuple[Verdict, ...] = ("contradicted", "inconclusive", "supported")
    return next(word for word in worst_first if word in verdicts)


def _in_split(claim: Claim, evidence: list, split: int) -> Direction:
    """Resample one split's test videos; inconclusive if only the split's score is known."""
    if QUANTITIES[claim.measure][0] != "matrices" or len(evidence) > 1 or len(evidence[0].get(split, [])) < 2:
        return "inconclusive"
    measure = QUANTITIES[claim.measure][1]

    def resampled(videos: list[pd.DataFrame]) -> float:
        return measure(summed(dict(enumerate(videos))), *claim.of) - claim.than

    videos = list(evidence[0][split].values())
    return direction(*bootstrap_interval(videos, resampled, RESAMPLES, "percentile"))


def _published(claim: Claim, kind: str) -> float:
    """A claim's quantity in the thesis's tables, mean over their splits; NaN if they do not have it."""
    tables = [published_table(METHOD_TABLES[method]) for method in claim.methods if method in METHOD_TABLES]
    known = kind in ("tables", "repeats") and len(tables) == len(claim.methods)
    if not known or any(claim.of[0] not in table for table in tables):
        return float("nan")
    return _interval(_values(claim, kind, tables).drop(list(claim.but)), claim)[0]


def tally(verdicts: pd.Series) -> str:
    """Count the claims with each verdict, in words.

    >>> tally(pd.Series(["supported", "inconclusive", "inconclusive"]))
    '1 supported, 0 contradicted, 2 inconclusive'
    """
    return ", ".join(f"{(verdicts == word).sum()} {word}" for word in get_args(Verdict))
