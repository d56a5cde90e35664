# %% [markdown]
# # 2.3.2 Extracting the features
#
# The thesis could not find the weights behind the public features, so it extracted its own from
# the videos with pytorchvideo's I3D: a window of 21 frames around each frame, one vector per frame.
# Two problems had to be solved on the way: damaged videos, and features that outlast the labels.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: extract this split's test videos; "all": all videos, then the experiments
overrides = []

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from lib.asformer.cross_validation import backbone_comparison, trimming_experiment
from lib.backbones.i3d_features import RANDOM, damaged, extract_sets, mode_agreement
from lib.data.facts import damaged_frames, sudden_changes
from lib.notebook import figures, plots
from lib.notebook.asformer_sentences import backbone_gain
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.notebook.tables import PERCENT, beside, mark_best
from lib.scoring.published import published_list, published_table

book = open_notebook("2_3_2_feature_extraction", params, split, overrides)

# %% [markdown]
# ## Extraction
#
# Frames are decoded with OpenCV's `VideoCapture`, resized, cropped and normalized, and zeros are
# added at both ends of the video. Every frame gets the pooled output of the window around it. Each
# split extracts its test videos, and every video is tested once. A finished video is not extracted
# again.

# %%
videos = [video for k in book.splits for video in book.dataset().split(k)[1]]
sets = extract_sets(book, videos)
book.table("feature_sets", sets, sets.reset_index(), "The feature sets of these videos.")

# %% tags=["remove-input"]
if book.whole:
    cosine, faster = mode_agreement(book, videos[0])
    book.say(
        f"This profile extracts in mode `{book.params.i3d.mode}`. The mode `window` computes each "
        "window alone, `dense` one pass over the video. On the first "
        f"{len(cosine)} frames of `{videos[0]}` the features of both agree with a cosine of "
        f"{pd.Series(cosine).median():.4f} in the median and {cosine.min():.4f} at least, with the "
        f"mean feature removed. Dense was {faster:.1f} times as fast (float32, one thread)."
    )

# %% [markdown]
# ## Damaged videos
#
# A frame that cannot be decoded must not be lost, or every later label would be shifted. The reader
# keeps counting and repeats the last good frame. A frame that still decodes is used, however spoilt
# it looks. (The thesis says that damaged frames are skipped; its code stops reading at the first.)
# Damage is located by how it begins and ends: in whole blocks of pixels, within one frame.

# %% tags=["remove-input"]
book.source(sudden_changes)

# %%
spoilt = damaged(book, videos)
named = [video for video in published_list("damaged_videos") if video in videos]
shown = {video: spoilt.get(video, []) for video in dict.fromkeys([*named, *spoilt])}
if shown:
    pictures, frames = damaged_frames(book.root / "videos", shown)
    caption = "The videos that the thesis calls damaged, and those with lost frames: where a picture "
    caption += "changes most suddenly in whole blocks, and the first frame that is lost."
    book.figure(8, figures.frame_grid(pictures, 5), frames, caption, raster=True)

# %% tags=["remove-input"]
if shown and not spoilt and book.params.data.source == "demo":
    book.say("The demo's videos are rendered and whole: these changes are of people at work.")

# %% tags=["remove-input"]
tested_in = {video: k for k in book.splits for video in book.dataset().split(k)[1]}
for video, bad in spoilt.items():
    book.say(
        f"`{video}`: {len(bad)} frames cannot be decoded. "
        f"It is a test video of split {tested_in.get(video, '(another)')}."
    )
if book.whole and spoilt:
    others = [str(k) for k in book.splits[1:] if k not in {tested_in[video] for video in spoilt}]
    book.say(
        "The thesis explains its weak split 1 by the damaged videos, since both are among that "
        f"split's training videos. They are among those of splits {', '.join(others)} as well."
    )

# %% [markdown]
# ## Where to trim?
#
# There are a few more vectors than labels: in the thesis eight in every video. It cut them at the
# start, at both ends or at the end, and trained split 1 once for each. The last is the baseline of
# 2.3.3, and is not trained twice.

# %% tags=["remove-input"]
if book.whole:
    labelled, folder = book.dataset(), book.out.data / "features" / book.own_features
    surplus = pd.Series(
        np.load(folder / f"{video}.npy", mmap_mode="r").shape[1] - len(labelled.labels(video))
        for video in labelled.videos
    )
    found = ", ".join(f"{size} in {videos}" for size, videos in surplus.value_counts().items())
    book.say(f"Vectors beyond the labels here: {found} videos.")
    show_claims(book, values={"surplus": surplus - surplus.mode()[0]})

# %%
if book.whole:
    trimming = trimming_experiment(book)
    history, trimmed = trimming.history, trimming.table
    book.metrics(trimming.metrics)
    parts = {name: part.set_index("epoch") for name, part in history.groupby("trim", sort=False)}
    labels = {"train_accuracy": "training accuracy, %", "train_loss": "training loss (per video)"}
    curves = {
        label: {name: part[column] for name, part in parts.items()}
        for column, label in labels.items()  # one panel each
    }
    book.figure(9, plots.curve_panels(curves), history, "The trimming experiment, training.")

# %%
if book.whole:
    tested = {name: part["accuracy"].dropna() for name, part in parts.items()}
    figure = plots.curve_panels({"test accuracy, %": tested})
    measured = history.dropna(subset=["accuracy"])
    book.figure(10, figure, measured, "The trimming experiment, test videos.")

# %%
if book.whole:
    table, values = beside(trimmed, published_table(2), book.params.data.name)
    book.table(2, table, values, "Trimming, split 1. * Chosen on the test videos.")

# %% tags=["remove-input"]
if book.whole:
    ours, theirs = trimmed["accuracy"], published_table(2)["accuracy"]
    book.say(
        f"The three ways lie {ours.max() - ours.min():.3f} apart in accuracy here, "
        f"{theirs.max() - theirs.min():.3f} in the thesis, one run each. The best is "
        f"`{ours.idxmax()}` here and `{theirs.idxmax()}` there. A shift of eight frames is the "
        "same in training and test, so a network can learn it. Compare the spread between seeds "
        "below before reading anything into the order."
    )

# %% [markdown]
# ## Does a trained backbone help?
#
# The demo's own acceptance test. The same network with random weights must be clearly worse;
# otherwise the scenes could be recognized without learning to see. A linear probe reads single
# frames; ASFormer, trained once per repeat of the profile, reads the sequence. There is one net of
# each kind, so the spread is ASFormer's, not the backbone's.

# %%
if book.whole and book.params.data.source == "demo":
    comparison = backbone_comparison(
        book,
        {"trained": (book.own_features, "asformer_own"), "random": (RANDOM, "asformer_random_backbone")},
    )
    shown = mark_best(comparison.rename(columns=PERCENT)).format(precision=1)
    caption = "Trained against random I3D, split 1."
    book.table("backbones", shown, comparison.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole and book.params.data.source == "demo":
    book.say(backbone_gain(comparison))
