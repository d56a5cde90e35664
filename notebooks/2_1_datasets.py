# %% [markdown]
# # 2.1 Data sets
#
# The thesis measures on **50 Salads** (Stein and McKenna, UbiComp 2013): 25 people prepare two salads each under a static
# camera from above. It pre-trains on **HowTo100M**. Every later page reads the target set in one form, the layout in which
# MS-TCN released it: a label a frame in `groundTruth/`, splits by person in `splits/`, features as arrays of
# (dimension, frames) in `features/`, videos in `videos/`.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.core.processes import cores
from lib.data.dataset import person
from lib.data.facts import class_statistics, facts, middle_frames
from lib.data.video import read_frames
from lib.notebook import plots
from lib.notebook.notebook import open_notebook

book = open_notebook("2_1_datasets", params, split, overrides)

# %% [markdown]
# ## 2.1.1 The target set
#
# With the demo profile the set is rendered here, from a seed: real video files with the names, classes, order of steps and
# splits of the real set. With other profiles it is read from where it lies.

# %%
if book.params.data.source == "demo":
    from lib.demo.videos import render

    render(book.params.demo, book.root, workers=cores())
dataset = book.dataset()

# %%
real = book.real_labels()
columns = {book.params.data.name: facts(dataset)}
if real is not None:
    columns["50Salads, real labels"] = facts(real)
columns["thesis, 2.1.1"] = {"videos": 50, "people": 25, "classes": 19, "hours": 4.5}
overview = pd.DataFrame(columns)
book.table(
    "datasets",
    overview.style.format(plots.count_or_short),
    overview.reset_index(names="quantity"),
    "The data sets in numbers.",
)

# %% tags=["remove-input"]
if real is not None:
    measured = columns["50Salads, real labels"]
    book.say(
        f"The real annotations last {measured['hours']:.2f} hours, not the thesis's 4.5; a video lasts "
        f"{measured['mean length, s']:.0f} s on average and {measured['longest, s'] / 60:.1f} minutes at most."
    )
else:
    book.say("The real 50 Salads labels are not on this machine, so only this profile's set is shown.")

# %% [markdown]
# **Figure 1** of the thesis shows frames of a video. Here: one frame from the middle of each action of one video, where
# there are videos, and the actions of three videos on a time axis.

# %%
video = dataset.videos[2]
path = dataset.root / "videos" / f"{video}.avi"
if path.exists():
    chosen = middle_frames(dataset.names(video), dataset.classes)
    frames = read_frames(path, list(chosen.values()))
    titles = [f"{plots.wrap(action)}, {frame / dataset.fps:.0f} s" for action, frame in chosen.items()]
    figure = plots.frame_grid(list(zip(titles, frames, strict=True)), columns=7)
    sampled = pd.DataFrame({"action": list(chosen), "frame": list(chosen.values())})
    book.figure(1, figure, sampled, f"Frames of {video}, one from the middle of each action.", raster=True)

# %%
shown = {name: dataset.names(name) for name in dataset.videos[:3]}
figure = plots.timelines({"": shown}, dataset.fps, dataset.classes)
segments = pd.concat(
    {name: pd.Series(labels, name="label") for name, labels in shown.items()}, names=["video", "frame"]
)
number = "1_timelines" if path.exists() else 1
book.figure(number, figure, segments.reset_index(), "The annotated actions of three videos.")

# %% tags=["remove-input"]
first, second = (set(dataset.names(name)) for name in dataset.videos[:2])
book.say(
    f"The first two videos share {len(first & second)} of {len(first | second)} actions; the order is free, since the "
    "participants got ingredients, not a recipe."
)

# %% [markdown]
# ### How frequent is each action?

# %%
statistics = class_statistics(dataset)
both = {book.params.data.name: statistics}
if real is not None:
    both["50Salads, real labels"] = class_statistics(real)
shares = {name: table["share"] * 100 for name, table in both.items()}
figure = plots.class_bars(shares, "share of frames, %")
book.figure("class_shares", figure, pd.concat(both, names=["set"]).reset_index(), "Shares of the classes.")

# %% tags=["remove-input"]
for name, table in both.items():
    largest, smallest = table["frames"].idxmax(), table["frames"].idxmin()
    book.say(
        f"**{name}**: the largest class is `{largest}` with {table['share'].max():.1%} of the frames, so a guess of "
        f"always the same class reaches {table['share'].max():.3f}; the smallest is `{smallest}` "
        f"({table['share'].min():.1%}). Segments last from {table['mean_seconds'].min():.1f} s "
        f"(`{table['mean_seconds'].idxmin()}`) to {table['mean_seconds'].max():.1f} s on average."
    )

# %% [markdown]
# ### The splits

# %%
rows = {
    k: {
        "train videos": len(train),
        "test videos": len(test),
        "people tested": ", ".join(sorted({person(video).removeprefix("rgb-") for video in test})),
    }
    for k, (train, test) in ((k, dataset.split(k)) for k in dataset.splits)
}
splits = pd.DataFrame.from_dict(rows, orient="index").rename_axis("split")
book.table("splits", splits, splits.reset_index(), "The cross-validation: no person is in both parts.")

# %% [markdown]
# ## 2.1.2 The pre-training set
#
# HowTo100M holds 136.6 million clips of 1.2 million narrated videos (the thesis's figures, after the data set's paper).
# Nobody labelled it: people say what they do, early, late or not at all. Its place in the demo is taken by narrated videos
# from the same renderer: dishes of several categories, made by other people in other kitchens.

# %%
if book.params.data.source == "demo":
    from lib.data.facts import corpus_facts, said_and_done
    from lib.data.narrated import read_list
    from lib.demo.narrated import render_narrated

    render_narrated(book.params.demo, book.params.narration, book.out.narrated, workers=cores())
    corpus = pd.DataFrame({"narrated videos": corpus_facts(book.out.narrated)})
    book.table(
        "narrated", corpus.style.format(plots.count_or_short), corpus.reset_index(names="quantity"), "The corpus."
    )

# %% [markdown]
# **Figure 2** shows what is done in some of the videos, and the table below what is said in one of them meanwhile.

# %%
if book.params.data.source == "demo":
    shown = read_list(book.out.narrated, "train")[:14]
    frames = []
    for name in shown:
        lines = said_and_done(book.out.narrated, name)
        done = lines.iloc[len(lines) // 2]
        second = (done["start, s"] + done["end, s"]) / 2
        (frame,) = read_frames(book.out.narrated / "videos" / f"{name}.avi", [int(second * book.params.demo.fps)])
        frames.append((done["done then"].replace(" ", "_"), frame))
    figure = plots.frame_grid(frames, columns=7)
    book.figure(2, figure, pd.DataFrame({"video": shown}), "Narrated videos: what is done in them.", raster=True)
else:
    book.say("Figure 2 needs HowTo100M's videos, which this profile does not use.")

# %%
if book.params.data.source == "demo":
    lines = said_and_done(book.out.narrated, shown[0])
    sayings = ("said", "done then")
    book.table("narration", lines.style.hide().format(precision=1), lines, f"The captions of {shown[0]}.")

# %% tags=["remove-input"]
if book.params.data.source == "demo":
    from lib.demo.script import HELD_OUT

    book.say(
        f"{corpus.loc['filler, %'].item():.0f} % of the captions speak of nothing that is done; the others begin "
        f"{corpus.loc['begins after its step by, s'].item():.1f} ± {corpus.loc['spread of that, s'].item():.1f} s after their step. "
        "No caption has a class name's wording for what it shows, and these actions of the salads never occur: "
        f"{', '.join(f'`{name}`' for name in sorted(HELD_OUT))}. What can be shown is transfer to other people, other "
        "wording and some new pairs of verb and food within one renderer, much less than from HowTo100M to 50 Salads."
    )

# %% [markdown]
# The demo's I3D, in the place of one trained on Kinetics, learns on labelled clips of the same wider domain (2.2).
