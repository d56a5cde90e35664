"""What 4.3 shows: its methods beside the published ones, what each part adds, and the answer in words.

`metrics` is made by `scored`, `videos` by `per_video`, `found` by `estimates` or `with_published`, `added` by
`differences`, `chosen` by `lib.beyond.modalities.methods.predict_split`, with a column split.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lib.beyond.modalities.inputs import INPUTS
from lib.data.profile import Profile
from lib.notebook.plots import WIDTH
from lib.notebook.tables import BEST, interval_cells
from lib.scoring.folders import Cell, score_methods
from lib.scoring.metrics import METRICS, Convention
from lib.scoring.published import published_table
from lib.scoring.stats import bootstrap_interval, direction_of
from lib.scoring.words import interval, written

FUSED = (*INPUTS, "late")
INPUT_NAMES = {
    "video": "video",
    "sensors": "sensors",
    "both": "video + sensors",
    "late": "video × sensors, late fusion",
}
NETS = {
    "probe": "linear probe",
    "asformer": "ASFormer",
    "mean_of_seeds_asformer": "ASFormer, mean of {seeds} seeds",
}
REFERENCES = {"spatial_cnn": "Spatial CNN", "ed_tcn": "ED-TCN", "tricornet": "TricorNet", "tdrn": "TDRN (unverified)"}
TITLES = {name: name.replace("f1", "F1") for name in METRICS}
PLAIN = ("f1@10", "f1@25")  # tables show their intervals only in the data
METHODS = tuple(
    f"{net}_{inputs}{ending}"
    for net in NETS
    for inputs in (INPUTS if net == "probe" else FUSED)
    for ending in ("", "_viterbi")
)


def display(method: str, seeds: int = 3) -> str:
    """A method's name for readers.

    >>> display("mean_of_seeds_asformer_late_viterbi")
    'ASFormer, mean of 3 seeds, video × sensors, late fusion, Viterbi'
    """
    name, decoded = method.removesuffix("_viterbi"), method.endswith("_viterbi")
    net, _, inputs = name.rpartition("_")
    parts = [NETS[net].format(seeds=seeds), INPUT_NAMES[inputs]]
    return ", ".join([*parts, "Viterbi"] if decoded else parts)


def scored(profile: Profile, protocols: Sequence[Convention] = ()) -> pd.DataFrame:
    """The long table (`lib.scoring.folders.score_methods`) of all methods and seeds, at the seconds that nets read."""
    seeds, every = profile.params.modalities.seeds, profile.params.asformer.sample_rate
    cells = [
        Cell(method, split, profile.out.predictions(f"modalities_{method}", split, seed), seed)
        for method in METHODS
        if len(seeds) > 1 or not method.startswith("mean")
        for split in profile.splits
        for seed in (seeds if method.startswith("asformer") else seeds[:1])
    ]
    return score_methods(profile, profile.dataset(), cells, protocols, every=every)


def per_video(metrics: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Scores by method: a row per test video, a column per metric; mean over the seeds."""
    videos = metrics[metrics["video"] != "all"]
    return {
        str(method): part.pivot_table(index="video", columns="metric", values="value")[list(METRICS)]
        for method, part in videos.groupby("method", sort=False)
    }


def estimates(videos: Mapping[str, pd.DataFrame], resamples: int = 1000) -> pd.DataFrame:
    """One row per method: each metric's mean over the videos (Lea's score), with low and high of its interval."""
    return pd.DataFrame.from_dict({name: _row(table, resamples) for name, table in videos.items()}, orient="index")


def differences(
    videos: Mapping[str, pd.DataFrame], asked: Mapping[str, tuple[str, str]], resamples: int = 1000
) -> pd.DataFrame:
    """Differences of methods, in points, with 95 % intervals over the videos and direction; one row per question."""
    rows = {}
    for question, (first, second) in asked.items():
        row = _row(videos[first] - videos[second], resamples)
        directions = {f"{name} direction": direction_of(row, name) for name in METRICS}
        rows[question] = {"method": first, "less": second} | row | directions
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")


def _row(table: pd.DataFrame, resamples: int) -> dict[str, float]:
    row = {}
    for name in table.columns:
        low, high = bootstrap_interval(
            table[name].tolist(), lambda drawn: float(np.mean(drawn)), resamples, "percentile"
        )
        row |= {name: table[name].mean(), f"{name} low": low, f"{name} high": high}
    return row


def seed_spread(metrics: pd.DataFrame) -> pd.Series:
    """Standard deviation of F1@50 over a method's seeds, mean over the splits; NaN with one seed."""
    whole = metrics[(metrics["video"] == "all") & (metrics["metric"] == "f1@50")]
    return whole.groupby(["method", "split"])["value"].std().groupby("method").mean()


def with_published(found: pd.DataFrame) -> pd.DataFrame:
    """Put the published rows on the same video features above those of `estimates`."""
    published = published_table("modalities_references")
    published.index = [f"{REFERENCES[str(name)]}, published, video" for name in published.index]
    return pd.concat([published, found])


def shown(found: pd.DataFrame, spread: pd.Series, seeds: int) -> Styler:
    """Format for display: each metric in percent, three with their intervals; the best of a column marked."""
    cells = interval_cells(found, TITLES, ".1f") | {
        TITLES[name]: [written(value) for value in found[name]] for name in PLAIN
    }
    names = [display(str(name), seeds) if "published" not in str(name) else str(name) for name in found.index]
    table = pd.DataFrame(cells, index=pd.Index(names, name="method"))
    table["± seeds, F1@50"] = [spread.get(name, float("nan")) for name in found.index]
    styler = table.style.format({"± seeds, F1@50": "{:.1f}"}, na_rep="–")
    for name, title in TITLES.items():
        best = (found[name] == found[name].max()).to_numpy()
        styler = styler.map(lambda _: BEST, subset=pd.IndexSlice[table.index[best], [title]])
    return styler


def shown_differences(found: pd.DataFrame) -> Styler:
    """Format for display: points with their intervals, for the metrics that have one in `shown`."""
    titles = {name: title for name, title in TITLES.items() if name not in PLAIN}
    return pd.DataFrame(interval_cells(found, titles), index=found.index).style


def draw(found: pd.DataFrame, seeds: int) -> Figure:
    """Draw one row per method, three measures: ours with 95 % intervals, the published ones as lines."""
    measures = ("accuracy", "edit", "f1@50")
    ours = found[~found.index.str.contains("published")]
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 0.27 * len(ours) + 1.5), sharey=True)
    places = -np.arange(len(ours))
    colours = {"video": "#0072B2", "sensors": "#E69F00", "both": "#009E73", "late": "#CC79A7"}
    kinds = [str(name).removesuffix("_viterbi").rpartition("_")[2] for name in ours.index]
    for ax, measure in zip(axes, measures, strict=True):
        for (_, row), place, kind in zip(ours.iterrows(), places, kinds, strict=True):
            ax.hlines(place, row[f"{measure} low"], row[f"{measure} high"], color=colours[kind], lw=1.4)
            ax.plot(row[measure], place, "o", color=colours[kind], ms=4)
        for (name, row), style in zip(found.drop(ours.index).iterrows(), (":", "--", "-.", "-"), strict=True):
            label = str(name).removesuffix(", video") if ax is axes[0] else None
            ax.axvline(row[measure], color="#555555", lw=1, ls=style, label=label)
        ax.set_xlabel(f"{TITLES[measure]}, %")
        ax.grid(axis="y", visible=False)
    axes[0].set_yticks(places, [display(str(name), seeds) for name in ours.index], fontsize=8)
    figure.legend(loc="outside upper center", ncol=4, fontsize=8, frameon=False)
    return figure


ADDED = "Sensors beside video, late fusion and Viterbi"
QUESTIONS = {
    ADDED: ("asformer_late_viterbi", "asformer_video_viterbi"),
    "Video beside sensors, late fusion and Viterbi": ("asformer_late_viterbi", "asformer_sensors_viterbi"),
    "Sensors beside video, concatenated": ("asformer_both", "asformer_video"),
    "Late fusion against concatenation": ("asformer_late", "asformer_both"),
    "Viterbi on ASFormer, video": ("asformer_video_viterbi", "asformer_video"),
    "Viterbi on ASFormer, video + sensors": ("asformer_both_viterbi", "asformer_both"),
    "Mean of seeds, video": ("mean_of_seeds_asformer_video", "asformer_video"),
    "Mean of seeds, video + sensors": ("mean_of_seeds_asformer_both", "asformer_both"),
    "ASFormer against the probe, both with Viterbi, video + sensors": ("asformer_both_viterbi", "probe_both_viterbi"),
}


def answer_sentence(found: pd.DataFrame, added: pd.DataFrame, seeds: int) -> str:
    """Give the chapter's answer: video alone against the published rows, and what the sensors add.

    The rows that count were fixed before the test videos were scored: late fusion and Viterbi, and their mean of seeds.
    """

    def score(inputs: str, kind: str = "") -> str:
        row = found.loc[f"{kind}asformer_{inputs}_viterbi"]
        return f"{row['accuracy']:.1f} % of the seconds correctly (F1@50 {row['f1@50']:.1f})"

    levels, row = found[list(METRICS)], added.loc[ADDED]
    published = levels[levels.index.str.contains("published")]
    beaten, more = (
        published.index[(published < levels.loc[ours]).all(axis=1)].str.removesuffix(", published, video")
        for ours in ("asformer_video_viterbi", "mean_of_seeds_asformer_video_viterbi")
    )
    ahead = f"ahead of {', '.join(beaten)} in all five measures" if len(beaten) else "ahead of no published row in all"
    further = more.difference(beaten)
    also = f", then ahead of {', '.join(further)} too" if len(further) else ""
    return (
        f"**From real video alone, ASFormer with Viterbi labels {score('video')}, {ahead}.** With ten accelerometers, "
        f"fused late, it labels {score('late')}: {interval(row, 'accuracy')} points of accuracy and "
        f"{interval(row, 'f1@50')} of F1@50 more. The mean of {seeds} seeds' models labels "
        f"{score('video', 'mean_of_seeds_')} from video{also}, and {score('late', 'mean_of_seeds_')} with both."
    )


TUNED = 2  # the split whose test people chose the length, noise and rate of the trainings, as the guide reports


def untuned_sentence(metrics: pd.DataFrame, seeds: int) -> str:
    """Give both answers on the splits whose test people chose nothing; "" if there are none."""
    rest = metrics[(metrics["split"] != TUNED) & (metrics["video"] != "all")]
    if rest.empty:
        return ""
    means = rest.groupby(["method", "metric"])["value"].mean()
    answers = ("asformer_video_viterbi", "asformer_late_viterbi")
    parts = [
        f"{display(method, seeds)}: {'/'.join(f'{means[method, name]:.1f}' for name in METRICS)}" for method in answers
    ]
    return f"Without split {TUNED}, {rest['video'].nunique()} videos: {'; '.join(parts)}."


def choices_sentence(chosen: pd.DataFrame) -> str:
    """Say what another split's test people chose.

    >>> row = {"split": 1, "method": "asformer_both", "weight": 0.2, "share": 0.5}
    >>> choices_sentence(pd.DataFrame([row]))
    'Share of the sensors in the fusion: 0.5. Weights of the scores: ASFormer, video + sensors 0.2.'
    """
    weights = [
        f"{display(str(name))} {', '.join(f'{weight:g}' for weight in dict.fromkeys(part['weight']))}"
        for name, part in chosen.groupby("method", sort=False)
    ]
    shares = ", ".join(f"{share:g}" for share in dict.fromkeys(chosen["share"]))
    return f"Share of the sensors in the fusion: {shares}. Weights of the scores: {'; '.join(weights)}."


def conventions(metrics: pd.DataFrame, seeds: int) -> pd.DataFrame:
    """One row per method and convention, in percent: the mean over splits and seeds of ASFormer's rows."""
    whole = metrics[(metrics["video"] == "all") & metrics["method"].str.contains("asformer")]
    table = whole.pivot_table(index=["method", "protocol"], columns="metric", values="value", sort=False)
    table = table[list(METRICS)].rename(columns=TITLES).reset_index()
    return table.assign(method=[display(str(name), seeds) for name in table["method"]])
