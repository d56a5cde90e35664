"""The thesis's question, answered from what the notebooks kept: does multimodal pre-training help action segmentation?

Every method is scored as the thesis scored it (ASFormer a frame, VideoCLIP a second), so that each value has its twin;
chapter 3 scores all in one way.
"""

from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from lib.conclusion import SHORT, methods
from lib.paths import Outputs
from lib.protocols import SECONDS
from lib.published import METHOD_TABLES, published_table
from lib.sections import Params
from lib.tables import BEST, signed

MEASURES = {"accuracy": "accuracy", "f1@50": "F1@50"}
CONTROLS = {"Pre-training, zero-shot": "zero-shot", "Pre-training, fine-tuned": "fine-tuned"}  # questions of 4.2
TUNED = r"videoclip_\w+_epochs"


def name_of(method: str) -> str:
    return f"VideoCLIP, {SHORT[method]}" if method.startswith("videoclip") else SHORT[method]


def answers(params: Params, out: Outputs, done: list[str]) -> pd.DataFrame:
    """A row a method of the thesis that the chapters `done` scored, in the order of its Table 10.

    Returns:
        Columns splits and, for each of MEASURES, its mean over the splits, `… sd` (standard deviation over them) and
        `… thesis`; fractions. Empty where no method has been scored.
    """
    kept = [out.metrics / f"{name}.parquet" for name in done]
    tables = [pd.read_parquet(file) for file in kept if file.exists()]
    theirs = {ours: theirs for theirs, ours in methods(params.finetune.epochs).items()}
    rows = {}
    for table in tables:
        whole = table[(table["video"] == "all") & table["method"].isin(theirs)]
        for ours, scores in whole.groupby("method"):
            name = theirs[str(ours)]
            protocol = SECONDS if name.startswith("videoclip") else params.data.convention
            wide = scores[scores["protocol"] == protocol].pivot_table(index="split", columns="metric", values="value")
            if wide.empty or name in rows:  # 2.3.1 comes before a chapter that scores its method again
                continue
            published = published_table(METHOD_TABLES[name]).loc["mean"]
            rows[name] = {"splits": len(wide)}
            for measure in MEASURES:
                rows[name] |= {measure: wide[measure].mean() / 100, f"{measure} sd": wide[measure].std() / 100}
                rows[name][f"{measure} thesis"] = published[measure]
    order = [name for name in METHOD_TABLES if name in rows]
    return pd.DataFrame.from_dict(rows, orient="index").reindex(order).rename_axis("method")


def controlled(out: Outputs, done: list[str]) -> pd.DataFrame:
    """What pre-training adds with all else equal (4.2): a row a question of CONTROLS that was asked, points."""
    file = out.tables / "table_controls_differences.csv"
    if "4_2_controls" not in done or not file.exists():
        return pd.DataFrame()
    found = pd.read_csv(file).set_index("question")
    return found.reindex([question for question in CONTROLS if question in found.index]).rename(index=CONTROLS)


def shown(table: pd.DataFrame) -> Styler:
    """The answers for the eye: thesis, here ± standard deviation, difference; the best of each column marked."""
    cells, marks = {}, {}
    for measure, title in MEASURES.items():
        here, thesis = table[measure], table[f"{measure} thesis"]
        spread = table[f"{measure} sd"].map(lambda sd: "" if pd.isna(sd) else f" ± {sd:.3f}")
        columns = {"thesis": thesis.map("{:.3f}".format), "here": here.map("{:.3f}".format) + spread}
        columns["difference"] = (here - thesis).map(signed)
        for name, texts in columns.items():
            cells[f"{title}, 0–1", name] = texts
            best = {"thesis": thesis, "here": here}.get(name, pd.Series(dtype=float))
            marks[f"{title}, 0–1", name] = [BEST if best.get(row) == best.max() else "" for row in table.index]
    frame = pd.DataFrame(cells).rename(index=name_of).rename_axis("method")
    css = pd.DataFrame(marks, index=frame.index)
    return frame.style.apply(lambda _: css, axis=None)


def sentences(table: pd.DataFrame, effects: pd.DataFrame, claims: Path) -> list[str]:
    """The answer in computed numbers, the thesis's beside; what the chapters at hand cannot tell is left out."""
    told = []
    tuned = table.filter(regex=TUNED, axis=0)
    if len(tuned) and "baseline" in table.index:
        best, baseline = tuned.loc[tuned["accuracy"].idxmax()], table.loc["baseline"]
        theirs = tuned.loc[tuned["accuracy thesis"].idxmax()]
        parts = [
            f"{title} **is {_against(best[measure], baseline[measure])} here**; in the thesis it is "
            f"{_against(theirs[f'{measure} thesis'], baseline[f'{measure} thesis'])}"
            for measure, title in MEASURES.items()
        ]
        told.append(
            f"The best fine-tuned VideoCLIP (here {SHORT[str(best.name)]}, in the thesis {SHORT[str(theirs.name)]}) "
            f"beside ASFormer trained from scratch: {'. '.join(parts)}."
        )
    elif len(table):
        one = table.loc[table["accuracy"].idxmax()]
        told.append(
            f"This profile has {len(table)} of the thesis's {len(METHOD_TABLES)} methods, too few for an answer. "
            f"The most accurate, {name_of(str(one.name))}: {one['accuracy']:.3f}, "
            f"in the thesis {one['accuracy thesis']:.3f}."
        )
    if len(effects):
        parts = [
            f"{kind} {row[measure]:+.1f} points of {title} "
            f"[{row[f'{measure} low']:+.1f}, {row[f'{measure} high']:+.1f}]"
            for kind, row in effects.iterrows()
            for measure, title in MEASURES.items()
        ]
        told.append(f"The same model with its pre-training, less without (4.2, 95 % intervals): {'; '.join(parts)}.")
    if claims.exists():
        verdicts = pd.read_csv(claims)["verdict"].value_counts()
        counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        told.append(f"Of {verdicts.sum()} claims of the thesis (3): {counts}.")
    return told


def _against(ours: float, other: float) -> str:
    word = "higher" if ours > other else "lower" if ours < other else "equal"
    return f"{word}, {ours:.3f} against {other:.3f} ({signed(ours - other)})"
