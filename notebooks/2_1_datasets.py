# %% [markdown]
# # 2.1 Data sets
#
# The thesis measures on **50 Salads** ([Stein and McKenna, UbiComp
# 2013](guides/bibliography.md#50-salads)): 25 people prepare two
# salads each under a static camera from above. It pre-trains on
# [HowTo100M](guides/bibliography.md#howto100m). Every later page
# reads the target set in one form, the layout in which MS-TCN released it: one label per frame in
# `groundTruth/`, splits by person in `splits/`, features as arrays of (dimension, frames) in
# `features/`, videos in `videos/`.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.core.processes import cores
from lib.data import facts
from lib.data.sensors import (
    motion_sentence,
    motion_shares,
    motion_table,
    read_sensors,
    sensor_folder,
    tool_motion,
)
from lib.data.video import read_frames
from lib.notebook import figures, plots
from lib.notebook.figures import draw_sensors
from lib.notebook.notebook import open_notebook

book = open_notebook("2_1_datasets", params, split, overrides)

# %% [markdown]
# ## 2.1.1 The target set
#
# With the demo profile the set is rendered here, from a seed: real video files with the names,
# classes, order of steps and splits of the real set. Other profiles read it from disk.

# %%
demo = book.params.data.source == "demo"
if demo:
    from lib.demo.videos import render

    render(book.params.demo, book.root, workers=cores())
dataset = book.dataset()

# %%
real = book.real_labels()
columns = {book.params.data.name: facts.dataset_facts(dataset)}
if real is not None:
    columns["50Salads, real labels"] = facts.dataset_facts(real)
columns["thesis, 2.1.1"] = {"videos": 50, "people": 25, "classes": 19, "hours": 4.5}
overview = pd.DataFrame(columns)
book.table(
    "datasets",
    overview.style.format(plots.count_or_short),
    overview.reset_index(names="quantity"),
    "The data sets in numbers.",
)

# %% tags=["remove-input"]
book.say(facts.length_sentence(columns.get("50Salads, real labels")))

# %% [markdown]
# **Figure 1** of the thesis shows frames of a video. Here: one frame from the middle of each
# action of one video, if there are videos, and the actions of up to three videos on a time axis.

# %%
shown = dataset.videos[:3]
pictures = (dataset.root / "videos" / f"{shown[-1]}.avi").exists()
if pictures:
    chosen = facts.middle_frames(dataset.names(shown[-1]), dataset.classes)
    titles = [f"{figures.wrap(name)}, {at / dataset.fps:.0f} s" for name, at in chosen.items()]
    frames = read_frames(dataset.root / "videos" / f"{shown[-1]}.avi", list(chosen.values()))
    figure = figures.frame_grid(list(zip(titles, frames, strict=True)), columns=7)
    sampled = pd.DataFrame({"action": list(chosen), "frame": list(chosen.values())})
    caption = f"Frames of {shown[-1]}, one from the middle of each action."
    book.figure(1, figure, sampled, caption, raster=True)

# %%
labels = {video: dataset.names(video) for video in shown}
series = {video: pd.Series(names, name="label") for video, names in labels.items()}
book.figure(
    "1_timelines" if pictures else 1,
    plots.timelines({"": labels}, dataset.fps, dataset.classes),
    pd.concat(series, names=["video", "frame"]).reset_index(),
    f"The annotated actions of {'three' if len(shown) == 3 else 'two'} videos.",
)

# %% tags=["remove-input"]
book.say(facts.shared_sentence(dataset.names(shown[0]), dataset.names(shown[1])))

# %% [markdown]
# **Sensors.** Some sets have a second modality. In 50 Salads, ten kitchen tools carry an
# accelerometer each; the release does not say which is which. A tool's motion is the change of its
# acceleration from one step to the next, averaged over its three axes and over five steps.

# %%
if sensor_folder(dataset.root) is None:
    book.say("This data set has no sensors.")
else:
    sensors = read_sensors(dataset)
    moved = tool_motion(sensors[shown[0]])
    book.figure(
        "sensors",
        draw_sensors(moved, labels[shown[0]], dataset.fps, dataset.classes),
        motion_table(moved).assign(label=labels[shown[0]]).rename_axis("step").reset_index(),
        f"What ten kitchen tools do in {shown[0]}, above the annotated actions.",
    )
    book.say(motion_sentence(motion_shares(dataset, sensors)))

# %% [markdown]
# ### How frequent is each action?

# %%
statistics = {book.params.data.name: facts.class_statistics(dataset)}
if real is not None:
    statistics["50Salads, real labels"] = facts.class_statistics(real)
figure = figures.class_bars(facts.largest_classes(statistics), "share of frames, %")
data = pd.concat(statistics, names=["set"]).reset_index()
book.figure("class_shares", figure, data, "Shares of the classes.")

# %% tags=["remove-input"]
for name, table in statistics.items():
    book.say(facts.class_sentence(name, table))

# %% [markdown]
# ### The splits

# %%
splits, caption = facts.split_table(dataset)
book.table("splits", splits, splits.reset_index(), caption)

# %% [markdown]
# ### How a prediction is scored
#
# - **Accuracy**: the share of frames (or seconds) with the correct label, over all test videos.
# - **Edit score**: $100\,(1 - d / \max(n, m))$, where $d$ edits turn the $m$ predicted segments
#   into the $n$ true ones; only their order counts, not their lengths. Mean over the videos.
# - **F1@k**: a predicted segment is correct if it overlaps a true segment of its class, not matched
#   before, by at least $k$ % (intersection over union). Hits, false alarms and misses are *pooled*,
#   that is, summed over a split's test videos, before F1 is taken. Cutting one action into two
#   hardly costs accuracy but costs F1.
# - **Background**: 50 Salads marks the time before and after the recipe as `action_start` and
#   `action_end`. They are classes like any other here; some papers leave them out.

# %% [markdown]
# ## 2.1.2 The pre-training set
#
# HowTo100M holds 136.6 million clips of 1.2 million narrated videos (the thesis's figures, after
# the data set's paper). Nobody labelled it: people say what they do, early, late or not at all.
# Its place in the demo is taken by narrated videos from the same renderer: dishes of several
# categories, made by other people in other kitchens.

# %%
narrations = {}
if demo:
    from lib.data.narrated import caption_file, caption_tracks, read_list
    from lib.demo.narrated import render_narrated

    narrated = book.out.narrated
    render_narrated(book.params.demo, book.params.narration, narrated, workers=cores())
    listed = {*read_list(narrated, "train"), *read_list(narrated, "val")}
    tracks = caption_tracks(caption_file(narrated), listed)
    script = facts.script_facts(narrated)
    narrations["the demo"] = facts.caption_facts(tracks) | script
if published := facts.real_tracks(book):
    real = narrations["HowTo100M, 100 videos"] = facts.caption_facts(published)

# %%
if narrations:
    corpora = pd.DataFrame(narrations)
    style = corpora.style.format(plots.count_or_short)
    caption = "Narrations in numbers; a video lasts until its last caption ends."
    book.table("narrated", style, corpora.reset_index(names="quantity"), caption)
if not published:
    book.say("Missing here; how to get it: `python -m lib.fetch howto100m_captions`.")

# %% [markdown]
# **The rule for filler** is a list of words with which narrators address their viewers or speak of
# the video. It is the same for both corpora:

# %% tags=["remove-input"]
book.source(facts.is_talk)

# %% tags=["remove-input"]
book.say(f"The words: {', '.join(sorted(facts.TALK))}.")
if demo and published:
    book.say(facts.distance_sentence(narrations["the demo"], real))

# %% [markdown]
# **Figure 2** shows some of the videos: for the demo, what is done, with the captions of one video
# in the table below; for HowTo100M, which is read as features and captions, what is said.

# %%
if demo:
    videos = read_list(narrated, "train")[:14]
    frames = facts.narrated_frames(narrated, videos, book.params.demo.fps)
    listed, figure = pd.DataFrame({"video": videos}), figures.frame_grid(frames, columns=7)
    book.figure(2, figure, listed, "Narrated videos: what is done in them.", raster=True)
elif published:
    some = published[:: len(published) // 8][:8]
    listed, figure = pd.DataFrame({"video": [track[0] for track in some]}), figures.draw_captions(some, 24)
    book.figure(2, figure, listed, "Narrated videos: what is said around the middle of some.")

# %%
if demo:
    lines = facts.said_and_done(narrated, videos[0])
    style = lines.style.hide().format(precision=1)
    book.table("narration", style, lines, f"The captions of {videos[0]}.")

# %% tags=["remove-input"]
if demo:
    from lib.demo.script import HELD_OUT

    book.say(
        f"{facts.narration_sentence(script)} No caption uses a class name's "
        "words for what it shows, and these actions of the salads never occur: "
        f"{', '.join(f'`{name}`' for name in sorted(HELD_OUT))}. The demo can therefore show "
        "transfer to other people, other wording and some new pairs of verb and food within one "
        "renderer, much less than from HowTo100M to 50 Salads."
    )

# %% [markdown]
# The demo's I3D, in place of one trained on Kinetics, learns from labelled clips of the same wider
# domain (2.2).
