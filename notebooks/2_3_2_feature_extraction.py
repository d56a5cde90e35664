# %% [markdown]
# # 2.3.2 Extracting the features
#
# The thesis could not find the weights behind the public features, so it extracted its own from the videos, with the I3D
# of pytorchvideo: a window of 21 frames around each frame, one vector a frame. Two things had to be settled on the way:
# damaged videos, and features that come out longer than the labels.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: extract this split's test videos; "all": all videos, then the experiments
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib.asformer.cross_validation import backbone_comparison, trimming_experiment
from lib.backbones.i3d_features import RANDOM, damaged, extract_sets, mode_agreement
from lib.data.video import read_frames
from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import PERCENT, beside, mark_best
from lib.scoring.published import published_table

book = open_notebook("2_3_2_feature_extraction", params, split, overrides)

# %% [markdown]
# ## Extraction
#
# Frames are decoded with OpenCV's `VideoCapture`, resized, cropped, normalized, and padded with zeros at both ends of the
# video; every frame gets the pooled output of the window around it. Each split's part extracts its test videos, and every
# video is tested once. A video that is done is not done again.

# %%
videos = [video for k in book.splits for video in book.dataset().split(k)[1]]
sets = extract_sets(book, videos)
book.table("feature_sets", sets, sets.reset_index(), "The feature sets of these videos.")

# %% tags=["remove-input"]
if book.whole:
    cosine, faster = mode_agreement(book, videos[0])
    book.say(
        f"This profile extracts in mode `{book.params.i3d.mode}`. On the first {len(cosine)} frames of `{videos[0]}` each window alone and the "
        f"dense pass agree with a cosine of {pd.Series(cosine).median():.4f} in the median and {cosine.min():.4f} at the least, the mean feature "
        f"removed; dense was {faster:.1f} times as fast (both float32, one thread)."
    )

# %% [markdown]
# ## Damaged videos
#
# A frame that cannot be decoded must not be lost: every later label would move. The reader counts on; the last good frame
# stands in. A frame that still decodes, however spoilt it looks, comes as it is. (The thesis says that damaged frames are skipped; its code stops reading at the first.)

# %%
spoilt = damaged(book, videos)
if spoilt:
    pictures = []
    for video, bad in spoilt.items():
        shown = [max(0, bad[0] - 2), max(0, bad[0] - 1), bad[0], bad[len(bad) // 2], bad[-1]]
        frames = read_frames(book.root / "videos" / f"{video}.avi", shown)
        for number, frame in zip(shown, frames, strict=True):
            state = "lost, replaced" if number in bad else "decoded"
            pictures.append((f"{video}, frame {number}\n{state}", frame))
    figure = plots.frame_grid(pictures, columns=5)
    numbers = pd.DataFrame(
        [(video, frame) for video, bad in spoilt.items() for frame in bad], columns=["video", "frame"]
    )
    book.figure(8, figure, numbers, "Damaged videos: around the first and the last damaged frame.", raster=True)

# %% tags=["remove-input"]
tested_in = {video: k for k in book.splits for video in book.dataset().split(k)[1]}
for video, bad in spoilt.items():
    book.say(
        f"`{video}`: {len(bad)} frames cannot be decoded; it is a test video of split {tested_in.get(video, '(another)')}."
    )
if book.whole and spoilt:
    book.say(
        "The thesis explains its weak split 1 by the damaged videos, since both are in that split's training part. "
        f"They are in those of splits {', '.join(str(k) for k in book.splits[1:] if k not in {tested_in[v] for v in spoilt})} as well."
    )

# %% [markdown]
# ## Where to trim?
#
# There are a few more vectors than labels: in the thesis eight in every video. It cut them at the start, at both ends or at
# the end, and trained split 1 once for each.

# %%
if book.whole:
    trimming = trimming_experiment(book)
    history, trimmed = trimming.history, trimming.table
    book.metrics(trimming.metrics)
    figure, (left, right) = plt.subplots(1, 2)
    accuracy = {name: part.set_index("epoch")["train_accuracy"] for name, part in history.groupby("trim", sort=False)}
    plots.labelled_curves(accuracy, left, "training accuracy, %").legend()
    loss = {name: part.set_index("epoch")["train_loss"] for name, part in history.groupby("trim", sort=False)}
    plots.labelled_curves(loss, right, "training loss (a video)")
    book.figure(9, figure, history, "The trimming experiment, training.")

# %%
if book.whole:
    figure, ax = plt.subplots()
    measured = history.dropna(subset=["accuracy"])
    tested = {name: part.set_index("epoch")["accuracy"] for name, part in measured.groupby("trim", sort=False)}
    plots.labelled_curves(tested, ax, "test accuracy, %").legend()
    book.figure(10, figure, measured, "The trimming experiment, test videos.")

# %%
if book.whole:
    table, values = beside(trimmed, published_table(2), book.params.data.name)
    book.table(2, table, values, "Trimming, split 1. * Chosen on the test videos.")

# %% tags=["remove-input"]
if book.whole:
    spread = trimmed["accuracy"].max() - trimmed["accuracy"].min()
    theirs = published_table(2)["accuracy"]
    book.say(
        f"Here the three ways lie {spread:.3f} apart in accuracy, in the thesis {theirs.max() - theirs.min():.3f}, one run each. "
        f"The best is `{trimmed['accuracy'].idxmax()}` here and `{theirs.idxmax()}` there. A shift of eight frames is the same in training and "
        "test, so a network can learn it: compare the spread between seeds before reading anything into the order."
    )

# %% [markdown]
# ## Does a trained backbone help?
#
# The demo's own acceptance test: the same network with random weights must be clearly worse, else the scenes could be told
# apart without having learnt to see. A linear probe reads single frames; ASFormer, with three seeds, reads the sequence. There is
# one net of each kind, so the spread below is ASFormer's, not the backbone's.

# %%
if book.whole and book.params.data.source == "demo":
    comparison = backbone_comparison(book, {"trained": book.own_features, "random": RANDOM})
    book.table(
        "backbones",
        mark_best(comparison.rename(columns=PERCENT)).format(precision=1),
        comparison.reset_index(),
        "Trained against random I3D, split 1.",
    )

# %% tags=["remove-input"]
if book.whole and book.params.data.source == "demo":
    means = comparison.groupby("backbone", sort=False).mean()
    spread = comparison.groupby("backbone", sort=False)["accuracy"].agg(lambda values: values.max() - values.min())
    gain = means.loc["trained"] - means.loc["random"]
    book.say(
        f"Linear probe: {means.loc['trained', 'linear probe']:.1f} trained, {means.loc['random', 'linear probe']:.1f} random. "
        f"ASFormer over three seeds: accuracy {means.loc['trained', 'accuracy']:.1f} against {means.loc['random', 'accuracy']:.1f} "
        f"({gain['accuracy']:+.1f}), F1@50 {means.loc['trained', 'f1@50']:.1f} against {means.loc['random', 'f1@50']:.1f} ({gain['f1@50']:+.1f}). "
        f"Between seeds accuracy varies by {spread['trained']:.1f} points (trained), which is the yardstick for the trimming table above."
    )
