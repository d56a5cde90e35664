"""The site's front page: the answer in one figure and one table, what it shows and how to make it, the chapters.

The thesis's question, answered from what the notebooks kept: does multimodal pre-training help action segmentation?

Every method is scored as the thesis scored it (ASFormer a frame, VideoCLIP a second), so that each value has its twin;
chapter 3 scores all in one way.

The front page's figure: every method beside its twin in the thesis, and what pre-training adds.
"""

import html
import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.batch.failures import Failure
from lib.core.chapters import CHAPTERS, TITLES
from lib.core.files import atomic, revision
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile
from lib.notebook import plots
from lib.notebook.markup import accessible, description, figcaption
from lib.notebook.plots import SPLIT_COLOURS, WIDTH
from lib.notebook.tables import BEST, signed
from lib.scoring.conclusion import SHORT, methods
from lib.scoring.published import METHOD_TABLES, published_table
from lib.scoring.seconds import SECONDS
from lib.site.pages import failure_list

MEASURES = {"accuracy": "accuracy", "f1@50": "F1@50"}
CONTROLS = {"Pre-training, zero-shot": "zero-shot", "Pre-training, fine-tuned": "fine-tuned"}  # questions of 4.2
TUNED = r"videoclip_\w+_epochs"


def name_of(method: str) -> str:
    return f"VideoCLIP, {SHORT[method]}" if method.startswith("videoclip") else SHORT[method]


def answers(profile: Profile, done: list[str]) -> pd.DataFrame:
    """A row a method of the thesis that the chapters `done` scored, in the order of its Table 10.

    Returns:
        Columns splits and, for each of MEASURES, its mean over the splits, `… sd` (standard deviation over them) and
        `… thesis`; fractions. Empty where no method has been scored.
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


KIND_COLOURS = {"ASFormer": SPLIT_COLOURS[1], "zero-shot": SPLIT_COLOURS[4], "epochs": SPLIT_COLOURS[5]}
EFFECT_COLOURS = {"accuracy": "#222222", "f1@50": SPLIT_COLOURS[3]}


def draw_answer(table: pd.DataFrame, effects: pd.DataFrame) -> Figure:
    """The figure of `lib.site.front.answers` and `controlled`; the second may be empty."""
    heights = [0.32 * len(table) + 0.9] + ([0.32 * len(effects) + 0.7] if len(effects) else [])
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    grid = figure.add_gridspec(len(heights), len(MEASURES), height_ratios=heights)
    axes = {measure: figure.add_subplot(grid[0, place]) for place, measure in enumerate(MEASURES)}
    for measure, title in MEASURES.items():
        methods_beside_thesis(table, measure, axes[measure]).set_xlabel(title)
    axes["f1@50"].set_yticklabels([])
    axes["accuracy"].legend(loc="lower right", fontsize=8, framealpha=1)
    if len(effects):
        pretraining_effects(effects, figure.add_subplot(grid[1, :])).legend(loc="best", fontsize=8, framealpha=1)
    return figure


def methods_beside_thesis(table: pd.DataFrame, measure: str, ax: Axes) -> Axes:
    """A row a method: here a dot with its standard deviation over the splits, the thesis's a diamond."""
    for place, (method, row) in enumerate(table.iterrows()):
        colour = next(colour for kind, colour in KIND_COLOURS.items() if kind in name_of(str(method)))
        spread = np.nan_to_num(row[f"{measure} sd"])
        label = "here ± sd over splits" if place == 0 else None
        ax.errorbar(row[measure], place, xerr=spread, fmt="o", color=colour, capsize=2.5, label=label)
        label = "thesis" if place == 0 else None
        ax.plot(row[f"{measure} thesis"], place, "D", mfc="none", mec="#555555", ms=6, label=label)
    ax.set_yticks(range(len(table)), [name_of(str(method)) for method in table.index])
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8])
    ax.set(xlim=(0, 0.95), ylim=(len(table) - 0.5, -0.5))
    return ax


def pretraining_effects(effects: pd.DataFrame, ax: Axes) -> Axes:
    """Differences in points with their 95 % intervals, two measures a row."""
    for shift, (measure, title) in zip((-0.12, 0.12), MEASURES.items(), strict=True):
        places = np.arange(len(effects)) + shift
        low, high = (effects[measure] - effects[f"{measure} low"], effects[f"{measure} high"] - effects[measure])
        colour = EFFECT_COLOURS[measure]
        ax.errorbar(
            effects[measure], places, xerr=np.stack([low, high]), fmt="o", color=colour, capsize=2.5, label=title
        )
    ax.axvline(0, color="#555555", lw=1)
    ax.set_yticks(range(len(effects)), [f"pre-training, {kind}" for kind in effects.index])
    ax.set(ylim=(len(effects) - 0.5, -0.5), xlabel="points that pre-training adds, all else equal (4.2)")
    return ax


NO_ANSWER = "No method of the thesis has been scored in this profile."
QUESTION = "Does multimodal pre-training help action segmentation?"


def page(
    profile: Profile,
    done: list[str],
    left_out: Mapping[str, str],
    failed: Mapping[str, list[Failure]],
    further: list[str],
    extra: Path,
) -> str:
    """The page in Markdown.

    Args:
        done: chapters that have a page.
        left_out: those that cannot run on this machine, and why.
        failed: those that are not whole, and why.
        further: names of pages beyond the chapters, for the table of contents.
        extra: folder of the site's root, where the figure and the data of both are written.
    """
    lines = [
        f"# {profile.params.title}",
        f'<div class="notice" lang="en">{html.escape(profile.params.notice)}</div>',
    ]
    lines.append(f"## {QUESTION}")
    whole = [name for name in done if name not in failed]
    lines += answer(profile, whole, extra) or [NO_ANSWER]
    lines += ["## What this is", _about(profile, whole)]
    lines += ["## Chapters", _chapters(profile.out, whole)]
    elsewhere = [TITLES[name] for name in CHAPTERS if name not in profile.params.notebooks]
    lacking = [f"- {TITLES[name]}: {reason}" for name, reason in left_out.items() if name not in done]
    unfinished = [TITLES[name] for name in profile.params.notebooks if name not in {*done, *left_out}]
    if failed:
        lines += ["Failed, so not whole (each page says why, and shows what there is):", failure_list(failed, TITLES)]
    if lacking:
        lines += ["Left out, as what they read is not on this machine:", "\n".join(lacking)]
    if elsewhere:
        lines.append("Not in this profile: " + "; ".join(elsewhere) + ".")
    if unfinished:
        lines.append("Not finished: " + "; ".join(unfinished) + ".")
    contents = "\n".join([*done, *further])
    lines.append(f"```{{toctree}}\n:hidden:\n\n{contents}\n```")
    return "\n\n".join(lines) + "\n"


def answer(profile: Profile, done: list[str], extra: Path) -> list[str]:
    """The answer's sentences in Markdown, its figure and its table; nothing where no method has been scored.

    Args:
        done: chapters that are whole.
        extra: folder of the site's root.
    """
    table, effects = answers(profile, done), controlled(profile.out, done)
    if table.empty:
        return []
    claims = profile.out.tables / "table_claims.csv"
    told = sentences(table, effects, claims if "3_conclusion" in done else extra / "none")
    plots.set_style()
    figure = draw_answer(table, effects)
    with atomic(extra / "figures" / "figure_answer.svg") as file:
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    data = pd.concat({"methods": table, "pre-training (4.2), points": effects}, names=["part", "what"])
    for place, values in (("figures/figure_answer.csv", data), ("tables/table_answer.csv", table)):
        with atomic(extra / place) as file:
            values.to_csv(file, float_format="%.6g")
    data_link = '<a href="{}">data</a>'
    splits = f"{table['splits'].min():.0f}" if table["splits"].nunique() == 1 else "the"
    caption = f"Every method beside its twin in the thesis; mean over {splits} splits, ± standard deviation over them."
    alt = html.escape(description(QUESTION, caption, table.drop(columns="splits")), quote=True)
    picture = f'<a href="figures/figure_answer.svg"><img src="figures/figure_answer.svg" alt="{alt}"></a>'
    below = figcaption("Figure", caption, profile.params.data.name, data_link.format("figures/figure_answer.csv"))
    caption = (
        "The same in numbers, scored as in the thesis (ASFormer a frame, VideoCLIP a second). Underlined: the best."
    )
    above = figcaption("Table", caption, profile.params.data.name, data_link.format("tables/table_answer.csv"))
    body = _one_line(accessible(shown(table).to_html()))
    return [
        *told,
        f'<figure class="report" id="figure_answer">{picture}{below}</figure>',
        f'<figure class="report" id="table_answer">{above}{body}</figure>',
    ]


def _one_line(text: str) -> str:
    """HTML that Markdown does not take apart at an empty line."""
    return " ".join(line.strip() for line in text.splitlines())


def _about(profile: Profile, done: list[str]) -> str:
    manifests = [json.loads((profile.out.notebooks / name / "all.json").read_text(encoding="utf-8")) for name in done]
    if not manifests:
        return f"Profile `{profile.out.profile}`, data set: {profile.params.data.name}."
    times = sorted(manifest["finished"][:16].replace("T", " ") for manifest in manifests)
    revisions = list(dict.fromkeys(manifest["revision"] for manifest in manifests))
    file = ROOT / "params" / f"{profile.out.profile}.yaml"
    command = f"make report PARAMS={file.relative_to(ROOT)}"
    return (
        f"Profile `{profile.out.profile}`, data set: {profile.params.data.name}. Its {len(done)} chapters finished from {times[0]} to "
        f"{times[-1]} UTC, from revision {', '.join(f'`{one}`' for one in revisions)}; these pages were put together "
        f"from `{revision()}`. To make it: `{command}`."
    )


def _chapters(out: Outputs, done: list[str]) -> str:
    head = " | ".join(("section", "made, UTC", "revision", "minutes"))
    rows = [f"| {head} |", "|---|---|---|--:|"]
    for name in done:
        splits = [json.loads(file.read_text()) for file in (out.notebooks / name).glob("[!.]*.json")]
        whole = json.loads((out.notebooks / name / "all.json").read_text())
        minutes = sum(part["seconds"] for part in splits) / 60
        made = whole["finished"][:16].replace("T", " ")
        when = f'<span class="made-when">{made}</span>'
        rows.append(f"| [{TITLES[name]}]({name}.ipynb) | {when} | {whole['revision']} | {minutes:.1f} |")
    return "\n".join(rows)
