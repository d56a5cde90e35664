"""The site's front page: the answer in one figure and one table, what it shows and how to make it, the chapters."""

import html
import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from lib import plots
from lib.answer import answers, controlled, sentences, shown
from lib.artifacts import atomic
from lib.chapter_page import failure_list
from lib.chapters import CHAPTERS
from lib.drawings_answer import draw_answer
from lib.failures import Failure
from lib.language import Translator, translate
from lib.markup import accessible, description, figcaption
from lib.paths import ROOT, Outputs
from lib.provenance import revision
from lib.sections import Params
from lib.titles import TITLES
from lib.translated import translate_figure, translate_table

NO_ANSWER = "No method of the thesis has been scored in this profile."
QUESTION = "Does multimodal pre-training help action segmentation?"


def page(
    params: Params,
    out: Outputs,
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
    words = Translator(params.language, frozenset({params.data.name}), "the front page")
    titles = {name: words(title) for name, title in TITLES.items()}
    lines = [
        f"# {translate(params.title, params.language)}",
        f'<div class="notice" lang="en">{html.escape(params.notice)}</div>',
    ]
    lines.append(f"## {words(QUESTION)}")
    whole = [name for name in done if name not in failed]
    lines += answer(params, out, whole, extra, words) or [NO_ANSWER]
    lines += [f"## {words('What this is')}", _about(params, out, whole)]
    lines += [f"## {words('Chapters')}", _chapters(out, whole, words)]
    elsewhere = [titles[name] for name in CHAPTERS if name not in params.notebooks]
    lacking = [f"- {titles[name]}: {reason}" for name, reason in left_out.items() if name not in done]
    unfinished = [titles[name] for name in params.notebooks if name not in {*done, *left_out}]
    if failed:
        lines += ["Failed, so not whole (each page says why, and shows what there is):", failure_list(failed, titles)]
    if lacking:
        lines += ["Left out, as what they read is not on this machine:", "\n".join(lacking)]
    if elsewhere:
        lines.append("Not in this profile: " + "; ".join(elsewhere) + ".")
    if unfinished:
        lines.append("Not finished: " + "; ".join(unfinished) + ".")
    contents = "\n".join([*done, *further])
    lines.append(f"```{{toctree}}\n:hidden:\n\n{contents}\n```")
    return "\n\n".join(lines) + "\n"


def answer(params: Params, out: Outputs, done: list[str], extra: Path, words: Translator) -> list[str]:
    """The answer's sentences in Markdown, its figure and its table; nothing where no method has been scored.

    Args:
        done: chapters that are whole.
        extra: folder of the site's root.
    """
    table, effects = answers(params, out, done), controlled(out, done)
    if table.empty:
        return []
    claims = out.tables / "table_claims.csv"
    told = sentences(table, effects, claims if "3_conclusion" in done else extra / "none")
    plots.set_style()
    figure = draw_answer(table, effects)
    translate_figure(figure, words)
    with atomic(extra / "figures" / "figure_answer.svg") as file:
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    data = pd.concat({"methods": table, "pre-training (4.2), points": effects}, names=["part", "what"])
    for place, values in (("figures/figure_answer.csv", data), ("tables/table_answer.csv", table)):
        with atomic(extra / place) as file:
            values.to_csv(file, float_format="%.6g")
    data_link = f'<a href="{{}}">{words("data")}</a>'
    splits = f"{table['splits'].min():.0f}" if table["splits"].nunique() == 1 else "the"
    caption = words(
        f"Every method beside its twin in the thesis; mean over {splits} splits, ± standard deviation over them."
    )
    alt = html.escape(description(words(QUESTION), caption, table.drop(columns="splits"), words), quote=True)
    picture = f'<a href="figures/figure_answer.svg"><img src="figures/figure_answer.svg" alt="{alt}"></a>'
    below = figcaption(words("Figure"), caption, params.data.name, data_link.format("figures/figure_answer.csv"))
    caption = words(
        "The same in numbers, scored as in the thesis (ASFormer a frame, VideoCLIP a second). Underlined: the best."
    )
    above = figcaption(words("Table"), caption, params.data.name, data_link.format("tables/table_answer.csv"))
    body = _one_line(translate_table(accessible(shown(table).to_html()), words))
    return [
        *told,
        f'<figure class="report" id="figure_answer" lang="{words.language}">{picture}{below}</figure>',
        f'<figure class="report" id="table_answer" lang="{words.language}">{above}{body}</figure>',
    ]


def _one_line(text: str) -> str:
    """HTML that Markdown does not take apart at an empty line."""
    return " ".join(line.strip() for line in text.splitlines())


def _about(params: Params, out: Outputs, done: list[str]) -> str:
    manifests = [json.loads((out.notebooks / name / "all.json").read_text(encoding="utf-8")) for name in done]
    if not manifests:
        return f"Profile `{out.profile}`, data set: {params.data.name}."
    times = sorted(manifest["finished"][:16].replace("T", " ") for manifest in manifests)
    revisions = list(dict.fromkeys(manifest["revision"] for manifest in manifests))
    profile = ROOT / "params" / f"{out.profile}.yaml"
    command = f"make report PARAMS={profile.relative_to(ROOT)}"
    return (
        f"Profile `{out.profile}`, data set: {params.data.name}. Its {len(done)} chapters finished from {times[0]} to "
        f"{times[-1]} UTC, from revision {', '.join(f'`{one}`' for one in revisions)}; these pages were put together "
        f"from `{revision()}`. To make it: `{command}`."
    )


def _chapters(out: Outputs, done: list[str], words: Translator) -> str:
    head = " | ".join(map(words, ("section", "made, UTC", "revision", "minutes")))
    rows = [f"| {head} |", "|---|---|---|--:|"]
    for name in done:
        splits = [json.loads(file.read_text()) for file in (out.notebooks / name).glob("[!.]*.json")]
        whole = json.loads((out.notebooks / name / "all.json").read_text())
        minutes = sum(part["seconds"] for part in splits) / 60
        made = whole["finished"][:16].replace("T", " ")
        when = f'<span class="made-when">{made}</span>'
        rows.append(f"| [{words(TITLES[name])}]({name}.ipynb) | {when} | {whole['revision']} | {minutes:.1f} |")
    return "\n".join(rows)
