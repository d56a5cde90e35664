"""The answer on the front page: two sentences to quote, the numbers behind them, a figure and a table.

Every method is scored as the thesis scored it (ASFormer per frame, VideoCLIP per second), so that each value stands
beside the thesis's; chapter 3 scores all methods in one way.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.beyond.controls import views
from lib.beyond.controls.intervals import USES, effect_sentence
from lib.beyond.modalities.views import answer_sentence
from lib.beyond.pairs.answer import verdict_sentence
from lib.beyond.pairs.views import TRAP, decisive_figure
from lib.core.files import revision
from lib.core.paths import Outputs
from lib.data.profile import Profile
from lib.notebook import plots
from lib.notebook.markup import Shown, accessible, description
from lib.notebook.notebook import data_uri, keep_data, keep_figure
from lib.notebook.plots import SPLIT_COLOURS, WIDTH
from lib.notebook.tables import BEST
from lib.scoring.claims import tally
from lib.scoring.conclusion import methods
from lib.scoring.folders import MEASURES
from lib.scoring.published import METHOD_TABLES, published_table
from lib.scoring.seconds import SECONDS
from lib.scoring.words import display_name

QUESTION = "Does multimodal pre-training help action segmentation?"
NO_ANSWER = "No method of the thesis has been scored in this profile."
TUNED = r"videoclip_\w+_epochs"


def answers(profile: Profile, done: list[str]) -> pd.DataFrame:
    """Collect one row per method of the thesis that the chapters `done` scored, in the order of its Table 10.

    Returns columns splits and, for each of MEASURES, its mean over the splits, `… sd` (standard deviation over them)
    and `… thesis`, as fractions. Empty if no method has been scored.
    """
    kept = [profile.out.metrics / f"{name}.parquet" for name in done]
    tables = [pd.read_parquet(file) for file in kept if file.exists()]
    theirs = {ours: theirs for theirs, ours in methods(profile.params.finetune.epochs).items()}
    rows = {}
    for table in tables:
        whole = table[(table["video"] == "all") & table["method"].isin(theirs)]
        for ours, scores in whole.groupby("method"):
            name = theirs[str(ours)]
            protocol = SECONDS if name.startswith("videoclip") else profile.params.data.convention
            wide = scores[scores["protocol"] == protocol].pivot_table(index="split", columns="metric", values="value")
            if wide.empty or name in rows:  # 2.3.1 comes before a chapter that scores its method again
                continue
            published = published_table(METHOD_TABLES[name]).loc["mean"]
            rows[name] = {"splits": len(wide)}
            for measure in MEASURES:
                mean, spread = wide[measure].mean() / 100, wide[measure].std() / 100
                rows[name] |= {measure: mean, f"{measure} sd": spread, f"{measure} thesis": published[measure]}
    order = [name for name in METHOD_TABLES if name in rows]
    return pd.DataFrame.from_dict(rows, orient="index").reindex(order).rename_axis("method")


def controlled(out: Outputs, done: list[str]) -> pd.DataFrame:
    """Read what pre-training adds, all else equal (4.2), in points: one row per question asked about it."""
    file = out.tables / "table_controls_differences.csv"
    if "4_2_controls" not in done or not file.exists():
        return pd.DataFrame()
    return views.asked(pd.read_csv(file).set_index("question"), views.PRETRAINING)


def best_tuned(table: pd.DataFrame, column: str = "accuracy") -> str | None:
    """Find the fine-tuned VideoCLIP with the highest value in a column of `answers`; None if none has been scored."""
    tuned = table.filter(regex=TUNED, axis=0)[column].dropna()
    return None if tuned.empty else str(tuned.idxmax())


def shown(table: pd.DataFrame) -> Styler:
    """Format the answers for readers: thesis, here ± standard deviation; the best of each column underlined."""
    cells, marks = {}, {}
    for measure, title in MEASURES.items():
        here, thesis = table[measure], table[f"{measure} thesis"]
        spread = table[f"{measure} sd"].map(lambda sd: "" if pd.isna(sd) else f" ± {sd:.3f}")
        for name, values, after in (("thesis", thesis, ""), ("here", here, spread)):
            cells[f"{title}, 0–1", name] = values.map("{:.3f}".format) + after
            marks[f"{title}, 0–1", name] = [BEST if value == values.max() > 0 else "" for value in values]
    css = pd.DataFrame(marks, index=table.index)
    return pd.DataFrame(cells).style.apply(lambda _: css, axis=None)


def audit_sentence(claims: pd.DataFrame) -> str:
    """Say what the thesis's own numbers show about its hypothesis (4.1's claims), for readers without statistics.

    >>> row = {"claim": "it helps (the hypothesis)", "difference": 0.0234, "verdict": "inconclusive"}
    >>> audit_sentence(pd.DataFrame([row]))[:62]
    "The thesis's own numbers do not show that pre-training helps: "
    """
    row = claims[claims["claim"].str.endswith("(the hypothesis)")].iloc[0]
    meaning = {"supported": "show", "contradicted": "contradict", "inconclusive": "do not show"}[row["verdict"]]
    gain, within = 100 * row["difference"], "a difference that five splits cannot tell from chance"
    return (
        f"The thesis's own numbers {meaning} that pre-training helps: its best model is {abs(gain):.1f} points of "
        f"accuracy {'ahead of' if gain >= 0 else 'behind'} the baseline"
        f"{f', {within}' if row['verdict'] == 'inconclusive' else ''}."
    )


def sentences(table: pd.DataFrame, effects: pd.DataFrame, profile: Profile, done: list[str]) -> list[str]:
    """Give the answer in words, then the numbers behind it; what the finished chapters cannot say is left out."""
    quoted, said, out = [], [], profile.out
    if "4_1_audit" in done:
        quoted.append(audit_sentence(pd.read_csv(out.tables / "audit_claims.csv")))
    if len(effects):
        uses = [question for question in USES if question in effects.index]
        quoted.append(effect_sentence(effects.loc[uses], profile.params.data.name))
        asked = f"Chapter 4.2 asks {len(effects)} questions on pre-training, in one protocol."
        said.append(f"{asked} {views.effects(effects)}")
    if (best := best_tuned(table)) and "baseline" in table.index:
        theirs, baseline = table.loc[best_tuned(table, "accuracy thesis")], table.loc["baseline"]
        common = out.tables / "table_10.csv"
        shared = pd.read_csv(common).set_index("method") if "3_conclusion" in done else table
        parts = []
        for measure, title in MEASURES.items():
            here = _against(shared.loc[best, measure], shared.loc["baseline", measure])
            there = _against(theirs[f"{measure} thesis"], baseline[f"{measure} thesis"])
            parts.append(f"{title} is {here} here and {there} in the thesis")
        said.append(
            f"Against ASFormer trained from scratch, fine-tuned VideoCLIP's {'; its '.join(parts)} (the best "
            f"of each on test videos: {display_name(best)}, here; {display_name(str(theirs.name))}, in the thesis)."
        )
    elif len(table):
        one = table.loc[table["accuracy"].idxmax()]
        said.append(
            f"This profile has {len(table)} of the thesis's {len(METHOD_TABLES)} methods, too few for an answer. "
            f"The most accurate is {display_name(str(one.name))}: {one['accuracy']:.3f} here, "
            f"{one['accuracy thesis']:.3f} in the thesis."
        )
    if "3_conclusion" in done:
        claims = pd.read_csv(out.tables / "table_claims.csv")
        verdicts = claims.loc[claims["evidence"] == profile.params.data.name, "verdict"]
        said.append(f"{len(verdicts)} claims of the thesis are tested on this data (chapter 3): {tally(verdicts)}.")
    return [f"**{' '.join(quoted)}**", *said] if quoted else said


def _against(ours: float, other: float) -> str:
    """Compare two values in words.

    >>> _against(0.25, 0.7), _against(0.5, 0.5)
    ('lower by 0.450 (0.250 against 0.700)', 'equal (0.500)')
    """
    if ours == other:
        return f"equal ({ours:.3f})"
    return f"{'higher' if ours > other else 'lower'} by {abs(ours - other):.3f} ({ours:.3f} against {other:.3f})"


KIND_COLOURS = {"ASFormer": SPLIT_COLOURS[1], "zero-shot": SPLIT_COLOURS[4], "epochs": SPLIT_COLOURS[5]}


def draw_answer(table: pd.DataFrame, effects: pd.DataFrame) -> Figure:
    """Draw each method here and in the thesis (`answers`) and, below, what pre-training adds (`controlled`)."""
    heights = [0.32 * len(table) + 0.9] + ([0.32 * len(effects) + 0.7] if len(effects) else [])
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(len(heights), len(MEASURES), height_ratios=heights)
    axes = {measure: figure.add_subplot(grid[0, place]) for place, measure in enumerate(MEASURES)}
    for measure, title in MEASURES.items():
        methods_beside_thesis(table, measure, axes[measure]).set_xlabel(title)
    axes["f1@50"].set_yticklabels([])
    figure.legend(*axes["accuracy"].get_legend_handles_labels(), loc="outside upper right", ncol=2, fontsize=8)
    if len(effects):
        below = figure.add_subplot(grid[1, :])
        views.draw_effects(effects, below)
        below.set_xlabel("points, all else equal (4.2)")
        below.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return figure


def methods_beside_thesis(table: pd.DataFrame, measure: str, ax: Axes) -> Axes:
    """Draw one row per method: a dot for here, with the standard deviation over splits, a diamond for the thesis."""
    for place, (method, row) in enumerate(table.iterrows()):
        colour = next(colour for kind, colour in KIND_COLOURS.items() if kind in display_name(str(method)))
        spread = np.nan_to_num(row[f"{measure} sd"])
        label = "here ± sd over splits" if place == 0 else None
        ax.errorbar(row[measure], place, xerr=spread, fmt="o", color=colour, capsize=2.5, label=label)
        label = "thesis" if place == 0 else None
        ax.plot(row[f"{measure} thesis"], place, "D", mfc="none", mec="#555555", ms=6, label=label)
    ax.set_yticks(range(len(table)), [display_name(str(method)) for method in table.index])
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    ax.set(xlim=(0, 0.95), ylim=(len(table) - 0.5, -0.5))
    return ax


def two_modalities(profile: Profile, done: list[str]) -> list[str]:
    """Give the answer of 4.3, on real videos with a second modality; nothing until it is done."""
    if "4_3_real_modalities" not in done:
        return []
    found = pd.read_csv(profile.out.tables / "table_modalities.csv", index_col="method")
    added = pd.read_csv(profile.out.tables / "table_modalities_added.csv", index_col="question")
    said = answer_sentence(found, added, len(profile.params.modalities.seeds))
    return [f"{said} [Chapter 4.3](4_3_real_modalities.ipynb) has all methods, with intervals."]


def answer(profile: Profile, done: list[str], folder: Path, embed: bool = False) -> list[str]:
    """Give the answer's sentences in Markdown, its figure and its table; nothing if no method has been scored.

    Args:
        folder: where figures/ and tables/ are written, on the site its root.
        embed: put the picture into the page, for a page that stands alone.
    """
    table, effects = answers(profile, done), controlled(profile.out, done)
    if table.empty:
        return two_modalities(profile, done)
    said = sentences(table, effects, profile, done)
    plots.set_style()
    data = pd.concat({"methods": table, "pre-training (4.2), points": effects}, names=["part", "what"])
    splits = f"{table['splits'].min():.0f}" if table["splits"].nunique() == 1 else "the"
    caption = f"Each method, here and in the thesis: mean over {splits} splits, ± standard deviation over them."
    if len(effects):
        if len(profile.params.controls.seeds) == 1:
            cover = "test videos, but not the variation between trainings"
        elif profile.params.data.repeats == 1:
            cover = "test videos and seeds of fine-tuning, but rest on a single pre-training"
        else:
            cover = "test videos and seeds"
        caption += " Below: what pre-training, the text model's start and the backbone add (4.2). "
        caption += f"The 95 % intervals cover {cover}."
    alt = description(QUESTION, caption, table.drop(columns="splits"))
    name = profile.params.data.name
    picture = keep_picture("figure_answer", draw_answer(table, effects), data, caption, alt, name, folder, embed)
    keep_data(table, folder / "tables" / "table_answer.csv")
    numbers = Shown(
        id="table_answer",
        title="Table",
        caption="The same in numbers, scored as in the thesis: ASFormer per frame, VideoCLIP per second. "
        "The best of a column is underlined.",
        data="tables/table_answer.csv",
        about=name,
        revision=revision(),
    )
    body = accessible(shown(table), "table_answer")
    # on one line: Markdown would end the HTML at an empty one
    return [*said, picture, " ".join(line.strip() for line in numbers.figure(body).splitlines())]


def pairs_answer(profile: Profile, done: list[str], folder: Path) -> list[str]:
    """Give the verdict of 4.4 in Markdown, on real pairs, and its figure; nothing if 4.4 is incomplete."""
    file = profile.out.tables / "table_pairs.csv"
    if "4_4_pairs" not in done or not file.exists():
        return []
    found = pd.read_csv(file).set_index(["way", "contrast"])
    plots.set_style()
    caption = f"What pre-training on pairs adds to a model of video alone (4.4), 95 % intervals. {TRAP}"
    alt, name = description(QUESTION, caption, found), profile.params.data.name
    picture = keep_picture("figure_pairs_answer", decisive_figure(found), found, caption, alt, name, folder)
    return [f"{verdict_sentence(found, name)} {TRAP}", picture]


def keep_picture(
    stem: str, figure: Figure, data: pd.DataFrame, caption: str, alt: str, about: str, folder: Path, embed: bool = False
) -> str:
    """Keep a figure of the front page with its data below `folder`/figures; returns its HTML."""
    picture = keep_figure(figure, data, folder / "figures", stem)
    files = {"data": f"figures/{stem}.csv", "picture": f"figures/{picture.name}"}
    shown = Shown(id=stem, title="Figure", caption=caption, alt=alt, about=about, revision=revision(), **files)
    return shown.image(data_uri(picture)) if embed else shown.image(shown.picture, linked=True)
