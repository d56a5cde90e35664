"""The audit's tables as they are shown (4.1): fewer columns than their CSV files, and in words."""

import pandas as pd
from pandas.io.formats.style import Styler

from lib.published import SPLITS, VIDEOCLIP_NAMES

NAMES = {
    "baseline": "baseline",
    "baseline_best_epoch": "baseline, best test epoch",
    "asformer_authors_features": "ASFormer, authors' features",
    **VIDEOCLIP_NAMES,
}
COLOURS = {"supported": "#009E73", "not supported": "#D55E00", "can't tell": "#666666"}


def named(method: str, against: str, splits: int) -> str:
    """A comparison in words.

    >>> named("videoclip_own_8_epochs", "baseline", 4), named("videoclip_own_15_epochs", "videoclip_own_8_epochs", 5)
    ('own, 8 epochs (4 splits)', 'own, 15 epochs – own, 8 epochs')
    """
    words = NAMES[method] if against == "baseline" else f"{NAMES[method]} – {NAMES[against]}"
    return words if splits == len(SPLITS) else f"{words} ({splits} splits)"


def shown_duplicates(duplicates: pd.DataFrame) -> Styler:
    """Of `lib.audit_duplicates.duplicated_rows`: the two rows, what they share, what differs, which is out of place."""
    rows = [
        {
            "rows": f"{row['table']}, {row['split']} = {row['other_table']}, {row['other_split']}",
            "accuracy": f"{row['accuracy']:.3f}",
            "edit distance": f"{row['raw_edit']:.1f}",
            "F1@10": f"{row['f1@10']:.3f}",
            "best loss": f"{row['best_loss']:.3f}; {row['other_best_loss']:.3f}",
            "at epoch": f"{row['best_epoch']:.0f}; {row['other_best_epoch']:.0f}",
            "ratio": f"{row['ratio']:.3f}; {row['other_ratio']:.3f}",
            "others' ratios": f"{row['lowest']:.3f} to {row['highest']:.3f}",
            "out of place": row["out_of_place"],
        }
        for row in duplicates.to_dict("records")
    ]
    return pd.DataFrame(rows).style.hide()


def shown_tests(tests: pd.DataFrame) -> Styler:
    """Of `lib.audit_tests.paired_tests`: a row a comparison, plain and corrected side by side."""
    rows = [
        {
            "method": named(row["method"], row["against"], row["n"]),
            "difference": f"{row['difference']:+.3f}",
            "plain": f"{_interval(row['low'], row['high'])}<br>t = {row['t']:.2f}, p {_p(row['p'])}",
            "corrected": f"{_interval(row['corrected_low'], row['corrected_high'])}"
            f"<br>t = {row['corrected_t']:.2f}, p {_p(row['corrected_p'])}",
            "Holm": f"p {_p(row['holm_p'])}",
            "Wilcoxon (lowest)": f"p = {row['wilcoxon_p']:.4f} ({row['wilcoxon_lowest']:.4f})",
            "wins": f"{row['wins']} of {row['n']}",
        }
        for row in tests.to_dict("records")
    ]
    return pd.DataFrame(rows).style.hide().set_properties(subset=["plain", "corrected"], **{"white-space": "nowrap"})


def shown_claims(claims: pd.DataFrame) -> Styler:
    """Of `lib.audit_claims.claims`: claim, number, reason, verdict."""
    rows = [
        {
            "claim": row["claim"],
            "thesis": row["where"],
            "measure": row["measure"],
            "difference": "–" if pd.isna(row["difference"]) else f"{row['difference']:+.3f}",
            "95 %": "–" if pd.isna(row["low"]) else _interval(row["low"], row["high"]),
            "p": "–" if pd.isna(row["p"]) else _p(row["p"]).removeprefix("= "),
            "reason": row["reason"],
            "verdict": row["verdict"],
        }
        for row in claims.to_dict("records")
    ]
    styler = pd.DataFrame(rows).style.hide().set_properties(subset=["95 %", "verdict"], **{"white-space": "nowrap"})
    return styler.map(lambda word: f"font-weight: bold; border-left: 4px solid {COLOURS[word]}", subset=["verdict"])


def _interval(low: float, high: float) -> str:
    return f"[{low:+.3f}, {high:+.3f}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
