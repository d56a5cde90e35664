"""The thesis's claims, each with the number that decides it (4.1), judged by the rule of `lib.scoring.stats.verdict`.

A difference counts as found if its corrected test (Nadeau and Bengio) finds it at the 5 % level after Holm's correction
over the comparisons of its question. A claim is also inconclusive if what decides it is not on this machine.
`detectable` is the difference that would have been found with 80 % chance.
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
    PUBLIC_15,
    PUBLIC_ZERO,
    SOUND,
    VARIANTS,
    WEIGHTS,
    run_to_run,
)
from lib.beyond.audit.scoring import shift_scores, trained_on
from lib.beyond.audit.tables import Corrected, Row
from lib.data.dataset import Dataset
from lib.scoring.published import METHOD_TABLES, published_list, published_table
from lib.scoring.stats import ALPHA, Direction, holm, verdict

Claimed = Literal["higher", "lower", "level"]


def judged(claim: str, where: str, claimed: Claimed, test: dict, reason: str, causes: int = 1) -> dict:
    """Judge a claim by a test: a row of `lib.beyond.audit.comparisons.paired_tests`, or what `t_test` returns."""
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


def t_test(difference: float, error: float, freedom: float, p: float | None = None) -> dict:
    """Test a difference in accuracy by its standard `error`, for `judged`; `p` if it was adjusted."""
    half = error * stats.t.ppf(1 - ALPHA / 2, freedom)
    return {
        "metric": "accuracy",
        "difference": difference,
        "corrected_low": difference - half,
        "corrected_high": difference + half,
        "holm_p": 2 * stats.t.sf(abs(difference) / error, freedom) if p is None else p,
    }


@dataclass(frozen=True)
class Evidence:
    """The evidence by which the claims are judged."""

    tests: pd.DataFrame  # as returned by `lib.beyond.audit.comparisons.paired_tests`
    slip: Row  # the row (table, split) that is out of place
    corrected: Corrected  # its table's mean without it
    labels: Dataset | None  # the real annotations, if they are present

    def test(self, question: str, method: str, metric: str = "accuracy") -> dict:
        at = self.tests.set_index(["question", "method", "metric"], drop=False)
        return at.loc[(question, method, metric)].to_dict()


def claims(evidence: Evidence) -> pd.DataFrame:
    """Judge every claim.

    Returns columns claim, where in the thesis, measure, difference, low, high (95 %, corrected), p (adjusted),
    detectable, reason, verdict.
    """
    rows = [*_variants(evidence), *_against_baseline(evidence), *_longer(evidence), *_weights(evidence), _trimming()]
    return pd.DataFrame([*rows, *_on_annotations(evidence.labels)])


def _variants(evidence: Evidence) -> list[dict]:
    """Claims on each fine-tuned variant against the baseline."""
    rows = []
    for method, name in VARIANTS.items():
        test = evidence.test(AS_PRINTED, method)
        reason = f"{_ahead(test)}; a gain below {test['detectable']:.3f} would mostly be missed"
        if METHOD_TABLES[method] == evidence.slip[0]:
            printed, test = test["difference"], evidence.test(SOUND, method)
            reason = f"{printed:+.3f} with the row of another split; {test['n']} splits are left without it"
        rows.append(judged(f"fine-tuned VideoCLIP ({name}) beats the baseline", "2.9, 3", "higher", test, reason))
    return rows


def _against_baseline(evidence: Evidence) -> list[dict]:
    """Claims against the baseline: the hypothesis, the variants together, zero-shot, and the authors' features."""
    metrics = {"accuracy": "accuracy", "f1@50": "F1"}
    printed = {metric: [evidence.test(AS_PRINTED, method, metric) for method in VARIANTS] for metric in metrics}
    best = {metric: max(tests, key=lambda test: test["difference"]) for metric, tests in printed.items()}
    losses = [-test["difference"] for test in printed["f1@50"] if test["holm_p"] < ALPHA and test["difference"] < 0]
    causes = len(published_list("fine_tuned_differences"))
    reason = (
        f"the best of {len(VARIANTS)} variants in accuracy; F1@50 is lower in {len(losses)} of {len(VARIANTS)}, by "
        f"{min(losses):.2f} to {max(losses):.2f}; and {causes} things differ at once"
    )
    claim = "multimodal pre-training improves quality (the hypothesis)"
    rows = [judged(claim, "3", "higher", best["accuracy"], reason, causes)]
    for metric, name in metrics.items():
        claim = f"fine-tuned VideoCLIP is level with the baseline in {name}"
        reason = f"the best of {len(VARIANTS)} variants; {_ahead(best[metric])}"
        rows.append(judged(claim, "3", "level", best[metric], reason))
    zero, features = evidence.test(AS_PRINTED, PUBLIC_ZERO), evidence.test(FEATURES, AUTHORS)
    reason = f"public weights, the better of the two; {_ahead(zero)}"
    rows.append(judged("zero-shot VideoCLIP is far below the baseline", "2.8, 3", "lower", zero, reason))
    claim = "the authors' features are better than the own I3D ones"
    reason = f"{_ahead(features)}; a second run on them lies {run_to_run()['moved']:+.3f} from this one"
    return [*rows, judged(claim, "2.3.3", "higher", features, reason)]


def _longer(evidence: Evidence) -> list[dict]:
    """Claims on 15 epochs against 8: the mean, and the split that is said to degrade."""
    test, (table, split), corrected = evidence.test(LONGER, OWN_15), evidence.slip, evidence.corrected
    own_15, own_8 = (published_table(METHOD_TABLES[method])["accuracy"] for method in (OWN_15, OWN_8))
    gain = own_15["mean"] - own_8["mean"]
    reason = f"{gain:+.3f} as printed; on the {test['n']} sound splits {test['wins']} are ahead"
    mean = judged("own weights: 15 epochs are better than 8", "2.9.1", "higher", test, reason)
    freedom = corrected.rows - 2
    error = (corrected.high - corrected.low) / 2 / stats.t.ppf(1 - ALPHA / 2, freedom)
    found = t_test(own_15[split] - corrected.predicted, error, freedom)
    reason = (
        f"{published_table(table).loc[split, 'accuracy']:.3f} at 8 epochs is another split's row; the loss says about "
        f"{corrected.predicted:.3f}, and 15 epochs gave {own_15[split]:.3f}"
    )
    return [mean, judged(f"own weights: split {split} degraded from 8 to 15 epochs", "2.9.1", "lower", found, reason)]


def _weights(evidence: Evidence) -> list[dict]:
    """Claims on public weights against own ones."""
    zero, causes = evidence.test(WEIGHTS, PUBLIC_ZERO), len(published_list("zero_shot_differences"))
    rows = [judged("public weights are better than own, zero-shot", "2.8.2", "higher", zero, _ahead(zero))]
    reason = f"{causes} things differ at once, the number of clusters is one"
    rows.append(judged("... because C was 7 and not 8", "2.8.2", "higher", zero, reason, causes))
    for metric in ("accuracy", "f1@50"):
        test = evidence.test(WEIGHTS, PUBLIC_15, metric)
        claim = f"public weights are better than own, fine-tuned: {metric.replace('f1', 'F1')}"
        rows.append(judged(claim, "2.9.2, Table 10", "higher", test, f"15 epochs; {_ahead(test)}"))
    return rows


def _trimming() -> dict:
    """Claim on the ways to trim, each trained once on split 1; noise is that of two runs on the authors' features."""
    accuracy, noise = published_table(2)["accuracy"], run_to_run()
    gains, error = accuracy["end"] - accuracy.drop("end"), noise["sd"] * np.sqrt(2)
    p = holm(2 * stats.t.sf(gains.abs() / error, noise["freedom"])).max()
    test = t_test(gains.min(), error, noise["freedom"], p)
    reason = f"against the nearer of the others; one run each, and two runs of one setting differ by ± {error:.3f}"
    return judged("trimming at the end is best", "2.3.2, Table 2", "higher", test, reason)


def _on_annotations(labels: Dataset | None) -> list[dict]:
    """Claims that need no test: the real annotations contradict them or leave them open."""
    spreads = {"claim": "Table 2 spreads by misaligned vectors", "where": "2.3.2"}
    weak = {"claim": "damaged videos explain the weak split 1", "where": "2.3.1, 2.3.2"}
    if labels is None:
        reason = "needs the real annotations, which are not on this machine"
        return [claim | {"measure": "–", "reason": reason, "verdict": "inconclusive"} for claim in (spreads, weak)]
    accuracy, (surplus,) = published_table(2)["accuracy"], published_list("surplus_vectors")
    spread, cost = accuracy.max() - accuracy.min(), 1 - shift_scores(labels, surplus)["accuracy"]
    reason = (
        f"{surplus} frames late, a perfect prediction still loses only {cost:.3f}; the table spreads by {spread:.3f}"
    )
    spreads |= {"measure": "accuracy", "difference": cost - spread, "reason": reason}
    spreads["verdict"] = "contradicted" if cost < spread else "inconclusive"
    same = trained_on(labels, published_list("damaged_videos"))
    authors = published_table(METHOD_TABLES[AUTHORS])["accuracy"]
    others = [split for split in same if split != 1]
    reason = f"splits {', '.join(map(str, same))} all train on them, and reach "
    reason += ", ".join(f"{authors[split]:.3f}" for split in same)
    weak |= {"measure": "accuracy, Table 1", "difference": authors[1] - authors[others].mean(), "reason": reason}
    weak["verdict"] = "contradicted" if others else "inconclusive"
    return [spreads, weak]


def _ahead(test: dict) -> str:
    return f"ahead on {test['wins']} of {test['n']} splits"
