"""Each claim of the thesis with the number that decides it (4.1), judged by the rule of `lib.scoring.stats.verdict`.

A difference is found where its corrected test (Nadeau and Bengio) finds it at the 5 % level after Holm's correction over
the comparisons of its question. What decides may be absent from this machine; the claim is then inconclusive. For an
inconclusive claim `detectable` says which difference would have been found with 80 % chance.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from lib.beyond.audit.comparisons import (
    AS_PRINTED,
    AUTHORS,
    FEATURES,
    LONGER,
    OWN_8,
    OWN_15,
    PUBLIC_8,
    PUBLIC_15,
    PUBLIC_ZERO,
    SOUND,
    WEIGHTS,
    run_to_run,
)
from lib.beyond.audit.scoring import shift_scores, trained_on
from lib.beyond.audit.tables import Corrected, Row
from lib.data.dataset import Dataset
from lib.scoring.published import METHOD_TABLES, published_list, published_table
from lib.scoring.stats import ALPHA, Direction, holm, verdict

Claimed = Literal["higher", "lower", "level"]
COLUMNS = ("claim", "where", "measure", "difference", "low", "high", "p", "detectable", "reason", "verdict")


def judged(claim: str, where: str, claimed: Claimed, test: dict, reason: str, causes: int = 1) -> dict:
    """A claim that a test decides.

    Args:
        where: section or table of the thesis.
        test: metric, difference, corrected_low, corrected_high, holm_p and perhaps detectable, as a row of
            `lib.beyond.audit.comparisons.paired_tests`.
        reason: in a line.
    """
    found: Direction = "higher" if test["difference"] > 0 else "lower"
    return {
        "claim": claim,
        "where": where,
        "measure": test["metric"].replace("f1", "F1"),
        "difference": test["difference"],
        "low": test["corrected_low"],
        "high": test["corrected_high"],
        "p": test["holm_p"],
        "detectable": test.get("detectable", float("nan")),
        "reason": reason,
        "verdict": verdict(found if test["holm_p"] < ALPHA else "inconclusive", claimed, causes),
    }


def reasoned(claim: str, where: str, measure: str, difference: float, reason: str, excluded: bool) -> dict:
    """A claim that needs no test: a fact excludes it, or leaves it open."""
    row = dict.fromkeys(COLUMNS, float("nan"))
    row |= {"claim": claim, "where": where, "measure": measure, "difference": difference, "reason": reason}
    return row | {"verdict": "contradicted" if excluded else "inconclusive"}


def undecided(claim: str, where: str) -> dict:
    """A claim that only the real annotations decide, where they are absent."""
    reason = "needs the real annotations, which are not on this machine"
    return reasoned(claim, where, "–", float("nan"), reason, excluded=False)


VARIANTS = {
    OWN_8: "own, 8 epochs",
    OWN_15: "own, 15 epochs",
    PUBLIC_8: "public, 8 epochs",
    PUBLIC_15: "public, 15 epochs",
}


@dataclass(frozen=True)
class Evidence:
    """What the claims are judged by.

    Attributes:
        tests: as of `lib.beyond.audit.comparisons.paired_tests`.
        slip: the row (table, split) that is out of place.
        corrected: its table's mean without it.
        labels: the real annotations, where they are there.
    """

    tests: pd.DataFrame
    slip: Row
    corrected: Corrected
    labels: Dataset | None

    def test(self, question: str, method: str, metric: str = "accuracy") -> dict:
        at = self.tests.set_index(["question", "method", "metric"], drop=False)
        return at.loc[(question, method, metric)].to_dict()


def claims(evidence: Evidence) -> pd.DataFrame:
    """Every claim: claim, where in the thesis, measure, difference, low, high (95 %, corrected), p (adjusted),
    detectable, reason, verdict."""
    rows = [*_each_variant(evidence), _hypothesis(evidence), *_against_baseline(evidence)]
    rows += [*_longer(evidence), *_weights(evidence), _trimming(), *_on_annotations(evidence.labels)]
    return pd.DataFrame(rows)[list(COLUMNS)]


def _each_variant(evidence: Evidence) -> list[dict]:
    rows = []
    for method, name in VARIANTS.items():
        printed = evidence.test(AS_PRINTED, method)
        wrong = METHOD_TABLES[method] == evidence.slip[0]
        test = evidence.test(SOUND, method) if wrong else printed
        reason = f"{_ahead(test)}; a gain below {test['detectable']:.3f} would mostly be missed"
        if wrong:
            reason = (
                f"{printed['difference']:+.3f} with the row of another split; {test['n']} splits are left without it"
            )
        rows.append(judged(f"fine-tuned VideoCLIP ({name}) beats the baseline", "2.9, 3", "higher", test, reason))
    return rows


def _hypothesis(evidence: Evidence) -> dict:
    best = max((evidence.test(AS_PRINTED, method) for method in VARIANTS), key=lambda test: test["difference"])
    losses = [evidence.test(AS_PRINTED, method, "f1@50") for method in VARIANTS]
    found = [-test["difference"] for test in losses if test["holm_p"] < ALPHA and test["difference"] < 0]
    causes = published_list("fine_tuned_differences")
    reason = (
        f"the best of {len(VARIANTS)} variants in accuracy; F1@50 is lower in {len(found)} of {len(losses)}, by "
        f"{min(found):.2f} to {max(found):.2f}; and {len(causes)} things differ at once"
    )
    claim = "multimodal pre-training improves quality (the hypothesis)"
    return judged(claim, "3", "higher", best, reason, causes=len(causes))


def _against_baseline(evidence: Evidence) -> list[dict]:
    rows = []
    for metric, name in (("accuracy", "accuracy"), ("f1@50", "F1")):
        tests = [evidence.test(AS_PRINTED, method, metric) for method in VARIANTS]
        best = max(tests, key=lambda test: test["difference"])
        reason = f"the best of {len(tests)} variants; {_ahead(best)}"
        rows.append(judged(f"fine-tuned VideoCLIP is level with the baseline in {name}", "3", "level", best, reason))
    zero = evidence.test(AS_PRINTED, PUBLIC_ZERO)
    reason = f"public weights, the better of the two; {_ahead(zero)}"
    rows.append(judged("zero-shot VideoCLIP is far below the baseline", "2.8, 3", "lower", zero, reason))
    features = evidence.test(FEATURES, AUTHORS)
    reason = f"{_ahead(features)}; a second run on them lies {run_to_run()['moved']:+.3f} from this one"
    claim = "the authors' features are better than the own I3D ones"
    rows.append(judged(claim, "2.3.3", "higher", features, reason))
    return rows


def _longer(evidence: Evidence) -> list[dict]:
    """15 epochs against 8: the mean, and the split that is said to degrade."""
    test, (table, split) = evidence.test(LONGER, OWN_15), evidence.slip
    own_15, own_8 = (published_table(METHOD_TABLES[method])["accuracy"] for method in (OWN_15, OWN_8))
    reason = (
        f"{own_15['mean'] - own_8['mean']:+.3f} as printed; on the {test['n']} sound splits {test['wins']} are ahead"
    )
    rows = [judged("own weights: 15 epochs are better than 8", "2.9.1", "higher", test, reason)]
    corrected, freedom = evidence.corrected, evidence.corrected.rows - 2
    difference = own_15[split] - corrected.predicted
    error = (corrected.high - corrected.low) / 2 / stats.t.ppf(1 - ALPHA / 2, freedom)
    found = {
        "metric": "accuracy",
        "difference": difference,
        "corrected_low": own_15[split] - corrected.high,
        "corrected_high": own_15[split] - corrected.low,
        "holm_p": 2 * stats.t.sf(abs(difference) / error, freedom),
    }
    reason = (
        f"{published_table(table).loc[split, 'accuracy']:.3f} at 8 epochs is another split's row; the loss says about "
        f"{corrected.predicted:.3f}, and 15 epochs gave {own_15[split]:.3f}"
    )
    rows.append(judged(f"own weights: split {split} degraded from 8 to 15 epochs", "2.9.1", "lower", found, reason))
    return rows


def _weights(evidence: Evidence) -> list[dict]:
    zero, causes = evidence.test(WEIGHTS, PUBLIC_ZERO), published_list("zero_shot_differences")
    reason = _ahead(zero)
    rows = [judged("public weights are better than own, zero-shot", "2.8.2", "higher", zero, reason)]
    reason = f"{len(causes)} things differ at once, the number of clusters is one"
    claim = "... because C was 7 and not 8"
    rows.append(judged(claim, "2.8.2", "higher", zero, reason, causes=len(causes)))
    for metric in ("accuracy", "f1@50"):
        test = evidence.test(WEIGHTS, PUBLIC_15, metric)
        reason = f"15 epochs; {_ahead(test)}"
        claim = f"public weights are better than own, fine-tuned: {metric.replace('f1', 'F1')}"
        rows.append(judged(claim, "2.9.2, Table 10", "higher", test, reason))
    return rows


def _trimming() -> dict:
    """Each variant was trained once, on split 1: the noise is that of a run, from those on the authors' features."""
    accuracy, noise = published_table(2)["accuracy"], run_to_run()
    gains = accuracy["end"] - accuracy.drop("end")
    error = noise["sd"] * np.sqrt(2)
    half = error * stats.t.ppf(1 - ALPHA / 2, noise["freedom"])
    test = {
        "metric": "accuracy",
        "difference": gains.min(),
        "corrected_low": gains.min() - half,
        "corrected_high": gains.min() + half,
        "holm_p": holm(2 * stats.t.sf(gains.abs() / error, noise["freedom"])).max(),
    }
    reason = f"against the nearer of the others; one run each, and two runs of one setting differ by ± {error:.3f}"
    return judged("trimming at the end is best", "2.3.2, Table 2", "higher", test, reason)


def _on_annotations(labels: Dataset | None) -> list[dict]:
    misaligned, damaged = "Table 2 spreads by misaligned vectors", "damaged videos explain the weak split 1"
    where = ("2.3.2", "2.3.1, 2.3.2")
    if labels is None:
        return [undecided(misaligned, where[0]), undecided(damaged, where[1])]
    accuracy, (surplus,) = published_table(2)["accuracy"], published_list("surplus_vectors")
    spread, cost = accuracy.max() - accuracy.min(), 1 - shift_scores(labels, surplus)["accuracy"]
    reason = (
        f"{surplus} frames late, a perfect prediction still loses only {cost:.3f}; the table spreads by {spread:.3f}"
    )
    rows = [reasoned(misaligned, where[0], "accuracy", cost - spread, reason, excluded=cost < spread)]

    same = trained_on(labels, published_list("damaged_videos"))
    authors = published_table(METHOD_TABLES[AUTHORS])["accuracy"]
    others = [split for split in same if split != 1]
    reason = f"splits {', '.join(map(str, same))} all train on them, and reach " + ", ".join(
        f"{authors[k]:.3f}" for k in same
    )
    gap = authors[1] - authors[others].mean()
    rows.append(reasoned(damaged, where[1], "accuracy, Table 1", gap, reason, excluded=bool(others)))
    return rows


def _ahead(test: dict) -> str:
    return f"ahead on {test['wins']} of {test['n']} splits"
