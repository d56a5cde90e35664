"""The site's front page, for a reader with thirty seconds: the question, its answer, the data and the method as
pictures, what is real, where to start, and the chapters."""

import html
import re
from collections.abc import Mapping
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from lib.batch.failures import Failure
from lib.batch.plan import duration
from lib.core.chapters import CHAPTERS, TITLES
from lib.core.files import read_json
from lib.core.paths import ROOT, WEB
from lib.core.settings import Params
from lib.data.profile import Profile
from lib.data.sensors import motion_table, read_sensors, tool_motion
from lib.notebook import plots
from lib.notebook.figures import draw_sensors
from lib.notebook.markup import MADE, description, heading, plain
from lib.scoring.conclusion import labels_of, predicted
from lib.scoring.words import counted
from lib.site.answer import NO_ANSWER, QUESTION, answer, answers, best_tuned, keep_picture, pairs_answer
from lib.site.made import manifests
from lib.site.pages import failure_list, linked

ABOUT = (
    "A master's thesis compared two ways to label every frame of a cooking video with an action: **ASFormer**, trained "
    "from scratch on 50 Salads, and **VideoCLIP**, pre-trained on narrated videos (HowTo100M). It concluded that the "
    "pre-training helps. This report rebuilds each system, figure and table, and then tests the conclusion."
)
FRAMES = 8  # in the picture of the data


def page(
    profile: Profile,
    done: list[str],
    left_out: Mapping[str, str],
    failed: Mapping[str, list[Failure]],
    further: list[str],
    extra: Path,
) -> str:
    """Write the page in Markdown. `further`: pages beyond the chapters; `extra`: the site's root, for its figures."""
    whole = [name for name in done if name not in failed]
    lines = [
        f"# {plain(heading(profile.params.title))}",
        f'<div class="notice">{html.escape(profile.params.notice)}</div>',
        f"## {QUESTION}",
        ABOUT,
        *([*pairs_answer(profile, whole, extra), *answer(profile, whole, extra)] or [NO_ANSWER]),
        "## The data",
        real_or_rendered(profile.params.data.source, profile.params.data.name, "4_1_audit" in done),
        what_is_small(profile.params),
        *data_picture(profile, whole, extra),
        *method(done, further),
        "## Where to start",
        start(done, further),
        "## Chapters",
        _about(profile, whole),
        _chapters(whole),
    ]
    lacking = [f"- {TITLES[name]}: {reason}" for name, reason in left_out.items() if name not in done]
    if failed:
        lines += ["Failed; each page gives the reason and what has been made so far:", failure_list(failed)]
    if lacking:
        lines += ["Left out, because their inputs are not on this machine:", "\n".join(lacking)]
    elsewhere = [TITLES[name] for name in CHAPTERS if name not in profile.params.notebooks]
    unfinished = [TITLES[name] for name in profile.params.notebooks if name not in {*done, *left_out}]
    for why, titles in (("Not in this profile", elsewhere), ("Not finished", unfinished)):
        lines += [f"{why}: {'; '.join(titles)}."] if titles else []
    for part, names in parts(done, further).items():
        contents = "\n".join(names)
        lines.append(f"```{{toctree}}\n:hidden:\n:caption: {part}\n\n{contents}\n```")
    return "\n\n".join(lines) + "\n"


def real_or_rendered(source: str, name: str, audited: bool) -> str:
    """Say what data the numbers of the report come from.

    >>> real_or_rendered("mstcn", "50 Salads", audited=False)
    'Every number is measured on 50 Salads, read from disk; values marked "thesis" are as the thesis printed them.'
    """
    printed = 'values marked "thesis" are as the thesis printed them'
    if source != "demo":
        return f"Every number is measured on {name}, read from disk; {printed}."
    only = "; only 4.1, which examines the printed values, speaks of 50 Salads itself" if audited else ""
    return (
        "**Rendered** from a seed: the videos, their labels and the narrated videos, so that the report runs from a "
        f"bare clone. **Real**: the training and scoring of every model, and {printed}{only}."
    )


def what_is_small(params: Params) -> str:
    """Say what the demo's numbers cannot decide, and which profile says more; empty for other data."""
    if params.data.source != "demo":
        return ""
    tested = params.demo.people_per_split * params.demo.videos_per_person  # in a split
    videos, repeats = params.data.splits * tested, params.data.repeats
    small = f"**Small here**: {videos} videos, frames of 64 × 64 pixels, networks of a few layers"
    in_controls = counted(len(params.controls.splits) * tested, "test video")
    controls = (
        f"Chapter 4.2 has {in_controls} and {counted(len(params.controls.seeds), 'training')} of each method; its "
        f"ASFormer learns for {params.controls.asformer_epochs} epochs, {params.asformer.epochs} elsewhere."
    )
    if repeats > 1:
        return f"{small}; in chapters 2 and 3 each of them but the backbones was trained {repeats} times. {controls}"
    more = "`make report PARAMS=params/demo_full.yaml` has 50 videos and three trainings of each in chapters 2 and 3"
    return (
        f"{small}, each trained once, so no interval covers run-to-run variation. {controls} {more}: quote its "
        "numbers, not these."
    )


def data_picture(profile: Profile, done: list[str], folder: Path) -> list[str]:
    """Draw frames of one test video over its true and predicted labels, or its sensors over the true ones, if any."""
    if "4_3_real_modalities" in done:
        return [sensors_picture(profile, folder)]
    if "3_conclusion" not in done:
        return []
    dataset, split = profile.dataset(), profile.params.data.split_numbers[0]
    video = dataset.split(split)[1][0]
    table = answers(profile, done)
    methods = {name: ours for name, ours in predicted(profile).items() if name in ("baseline", best_tuned(table))}
    if not (profile.out.thumbnails / f"{video}.webp").exists():
        return []
    (found,) = labels_of(profile, dataset, methods, [(video, split)])
    rows = {name: [str(label) for label in labels] for name, labels in found.items()}
    plots.set_style()
    figure = plots.timelines({"": rows}, dataset.fps, dataset.classes)
    add_frames(figure, profile.out.thumbnails / video, len(rows["truth"]) / dataset.fps)
    data = pd.DataFrame(rows).rename_axis("frame")
    caption = f"Test video {video}: its frames, the true actions and what two models predict."
    alt = description("The data.", caption, data)
    return [keep_picture("figure_data", figure, data, caption, alt, profile.params.data.name, folder)]


def sensors_picture(profile: Profile, folder: Path) -> str:
    dataset = profile.dataset()
    video = dataset.split(profile.params.data.split_numbers[0])[1][0]
    moved = tool_motion(read_sensors(dataset, [video])[video])
    plots.set_style()
    figure = draw_sensors(moved, dataset.names(video), dataset.fps, dataset.classes)
    data = motion_table(moved)
    caption = f"Video {video}: what ten kitchen tools do, above the annotated actions (2.1)."
    alt = description("The data.", caption, data)
    return keep_picture("figure_data", figure, data, caption, alt, profile.params.data.name, folder)


def add_frames(figure: Figure, sheet: Path, seconds: float) -> None:
    """Set frames of a video above its timeline, each over its time. `sheet`: the explorer's, without endings."""
    about = read_json(sheet.with_suffix(".json"))["sheet"]
    pixels, (width, height) = imread(sheet.with_suffix(".webp")), (about["width"], about["height"])
    ax = figure.axes[0]
    figure.set_figheight(figure.get_figheight() + 1)
    ax.set_ylim(top=2.2 * ax.get_ylim()[1] + 2)
    for time in (np.arange(FRAMES) + 0.5) * seconds / FRAMES:
        row, column = divmod(min(int(time / about["every"]), about["count"] - 1), about["columns"])
        frame = pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        box = AnnotationBbox(OffsetImage(frame, zoom=44 / width), (time, 1.7), frameon=False)
        ax.add_artist(box)


def method(done: list[str], further: list[str]) -> list[str]:
    """Show the picture of the thesis's method, if the profile has its models."""
    if not {"2_3_1_public_features", "2_3_3_baseline"} & {*done}:
        return []
    svg = (WEB / "pipeline.svg").read_text(encoding="utf-8")
    return ["## The method", "Each box leads to its chapter.", pipeline(svg, [*done, *further])]


def pipeline(svg: str, pages: list[str]) -> str:
    """Put the method's picture on one line, because Markdown ends HTML at an empty one; keep links to `pages` only.

    >>> pipeline('<svg>\\n<a href="a.html">A</a><a href="b.html">B</a></svg>', ["a"])
    '<div class="scroll" tabindex="0"><svg> <a href="a.html">A</a><g>B</g></svg></div>'
    """

    def link(found: re.Match[str]) -> str:
        return found[0] if found[1] in pages else f"<g>{found[2]}</g>"

    linked = re.sub(r'<a href="(\w+)\.html">(.*?)</a>', link, " ".join(svg.split("\n")).strip())
    return f'<div class="scroll" tabindex="0">{linked}</div>'


def start(done: list[str], further: list[str]) -> str:
    """Make links for a first reading, to pages that this site has.

    >>> start(["2_1_datasets", "3_conclusion"], ["search"])
    '- [Chapter 3](3_conclusion.ipynb) compares all methods.'
    """
    ways = {
        "3_conclusion": "[Chapter 3](3_conclusion.ipynb) compares all methods.",
        "4_1_audit": "[Chapter 4.1](4_1_audit.ipynb): what the thesis's own tables can show.",
        "4_3_real_modalities": "[Chapter 4.3](4_3_real_modalities.ipynb): video and sensors of real videos.",
        "4_2_controls": "[Chapter 4.2](4_2_controls.ipynb): one difference at a time; this decides the question.",
        "4_4_pairs": "[Chapter 4.4](4_4_pairs.ipynb): the question on real pairs of video and sensors.",
        "explorer": "[Explorer](explorer.md): every test video, frame by frame.",
        "README": "[README](README.md): how to run, change and extend the report.",
    }
    return "\n".join(f"- {way}" for name, way in ways.items() if name in {*done, *further})


def parts(done: list[str], further: list[str]) -> dict[str, list[str]]:
    """Make the table of contents: parts of the menu, each with its pages.

    >>> parts(["2_1_datasets", "4_1_audit"], ["explorer", "README", "notebooks/guides/demo"])
    {'The thesis, rebuilt': ['2_1_datasets'], 'Beyond the thesis': ['4_1_audit'], 'Look up': ['explorer'], \
'Use it': ['README', 'notebooks/guides/demo']}
    """
    lists = ("notebooks/guides/deviations", "notebooks/guides/bibliography")
    guides = [name for name in further if name.startswith(("README", "notebooks")) and name not in lists]
    found = {
        "The thesis, rebuilt": [name for name in done if not name.startswith("4")],
        "Beyond the thesis": [name for name in done if name.startswith("4")],
        "Look up": [name for name in further if name not in guides],
        "Use it": guides,
    }
    return {part: names for part, names in found.items() if names}


def _about(profile: Profile, done: list[str]) -> str:
    made = manifests(profile, done)
    about = f"Profile `{profile.out.profile}`, data set: {plain(profile.params.data.name)}."
    if not made:
        return about
    total = duration(sum(one["seconds"] for one in made.values()))
    last = max(one["finished"][:10] for one in made.values())
    return (
        f"{about} Made on {last} in {total} of computing, finished trainings reused; to make it again: "
        f"`make report PARAMS={profile.shown_file}`. "
        f"[How this was made]({MADE}.md) has times, parameters, versions and data."
    )


def _chapters(done: list[str]) -> str:
    """List what each chapter is about: the first sentence of its notebook."""
    rows = []
    for name in done:
        cell = jupytext.read(ROOT / "notebooks" / f"{name}.py").cells[0].source
        first = re.split(r"(?<=[.?]) (?=[A-Z])", " ".join(cell.split("\n\n")[1].split()))[0]
        rows.append(f"| [{TITLES[name]}]({name}.ipynb) | {linked(first, {})} |")
    return "\n".join(["| section | |", "|---|---|", *rows])
