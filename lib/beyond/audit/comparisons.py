"""Paired tests over the five splits for what the thesis compares by means alone (4.1, beyond the thesis).

Each question is a family: Holm's correction covers its comparisons, one metric at a time, with the corrected p-values.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from lib.beyond.audit.scoring import POOLED
from lib.beyond.audit.tables import Row
from lib.scoring.published import METHOD_TABLES, SPLITS, published_curve, published_table
from lib.scoring.stats import detectable_difference, holm, paired_t, wilcoxon_exact

TEST_SHARE = 10 / 40  # test videos of a split to its training videos
AUTHORS, BASELINE = "asformer_authors_features", "baseline"
BEST = "baseline_best_epoch"  # the epoch with the highest accuracy on the test videos
OWN_8, OWN_15 = "videoclip_own_8_epochs", "videoclip_own_15_epochs"
PUBLIC_8, PUBLIC_15 = "videoclip_public_8_epochs", "videoclip_public_15_epochs"
OWN_ZERO, PUBLIC_ZERO = "videoclip_own_zero_shot", "videoclip_public_zero_shot"
VARIANTS = {
    OWN_8: "own, 8 epochs",
    OWN_15: "own, 15 epochs",
    PUBLIC_8: "public, 8 epochs",
    PUBLIC_15: "public, 15 epochs",
}
AS_PRINTED = "against the baseline, as printed"
SOUND = "against the baseline, without the wrong row"
FEATURES = "the authors' features against own"
WEIGHTS = "public weights against own"
LONGER = "15 epochs against 8"
CHOSEN = "against the baseline, both chosen on the test videos"
UPPER = "against the authors' features"

QUESTIONS = {  # question -> (method, what it is compared with)
    AS_PRINTED: [(method, BASELINE) for method in (OWN_ZERO, PUBLIC_ZERO, *VARIANTS)],
    SOUND: [(OWN_8, BASELINE)],
    FEATURES: [(AUTHORS, BASELINE)],
    WEIGHTS: [(PUBLIC_ZERO, OWN_ZERO), (PUBLIC_8, OWN_8), (PUBLIC_15, OWN_15)],
    LONGER: [(OWN_15, OWN_8), (PUBLIC_15, PUBLIC_8)],
    CHOSEN: [(OWN_15, BEST), (PUBLIC_15, BEST)],
    UPPER: [(OWN_15, AUTHORS), (PUBLIC_15, AUTHORS)],
}


def paired_tests(wrong: Collection[Row]) -> pd.DataFrame:
    """Test every comparison of QUESTIONS in accuracy and F1.

    `wrong`: rows (table, split) to be left out of all questions but the one as printed.

    Returns one row per question, method and metric: n, difference (method - against), sd, low and high (95 % interval),
    t, p; the same with the correction of Nadeau and Bengio (corrected_…); holm_p; wilcoxon_p and the lowest that it can
    be; wins and ties of the n splits; detectable: the difference that the corrected test finds with 80 % chance.
    """
    rows = []
    for question, pairs in QUESTIONS.items():
        for method, against in pairs:
            tables = [METHOD_TABLES.get(name) for name in (method, against)]
            left_out = {k for table, k in wrong if table in tables and question != AS_PRINTED}
            splits = [k for k in SPLITS if k not in left_out]
            for metric in POOLED if against != BEST else POOLED[:1]:
                tested = _test(_values(method, metric, splits), _values(against, metric, splits))
                rows.append({"question": question, "method": method, "against": against, "metric": metric} | tested)
    found = pd.DataFrame(rows)
    adjusted = found.groupby(["question", "metric"])["corrected_p"].transform(holm)
    found.insert(found.columns.get_loc("corrected_p") + 1, "holm_p", adjusted)
    return found


def run_to_run() -> dict[str, float]:
    """Estimate the variation of one training from run to run: two runs of ASFormer on the authors' features.

    Returns:
        sd: standard deviation of one split's accuracy from run to run: the root of mean(d^2) / 2 of the paired
            differences d, so with as many degrees of `freedom` as splits.
        moved: how far the mean moved from the first run to the second.
        last_epochs: standard deviation of the baseline's test accuracy over its last five measurements (epochs 80 to
            120), pooled over splits.
        trimming: Table 3 minus Table 2, split 1, trimmed at the end, nominally one setting.
    """
    runs = (METHOD_TABLES[AUTHORS], "authors_features_second_run")
    first, second = (published_table(name)["accuracy"] for name in runs)
    differences = (second - first).loc[list(SPLITS)]
    sd = float(np.sqrt((differences**2).mean() / 2))
    return {
        "sd": sd,
        "freedom": len(differences),
        "moved": float(differences.mean()),
        "last_epochs": float(np.sqrt(published_curve("baseline").iloc[-5:].var(ddof=1).mean())),
        "trimming": published_table(3).loc[1, "accuracy"] - published_table(2).loc["end", "accuracy"],
    }


def _test(first: list[float], second: list[float]) -> dict[str, float]:
    plain, corrected = paired_t(first, second), paired_t(first, second, TEST_SHARE)
    wilcoxon_p, lowest_p = wilcoxon_exact(first, second)
    differences = np.round(np.subtract(first, second), 9)
    return {
        **vars(plain),
        **{f"corrected_{name}": getattr(corrected, name) for name in ("low", "high", "t", "p")},
        "wilcoxon_p": wilcoxon_p,
        "wilcoxon_lowest": lowest_p,
        "wins": int((differences > 0).sum()),
        "ties": int((differences == 0).sum()),
        "detectable": detectable_difference(plain.sd, plain.n, TEST_SHARE),
    }


def _values(method: str, metric: str, splits: list[int]) -> list[float]:
    if method == BEST:
        return published_table(METHOD_TABLES[BASELINE]).loc[splits, f"best_{metric}"].tolist()
    return published_table(METHOD_TABLES[method]).loc[splits, metric].tolist()
