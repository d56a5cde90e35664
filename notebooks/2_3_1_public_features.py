# %% [markdown]
# # 2.3.1 Training on public features
#
# ASFormer trained from scratch on features that others published: in the thesis the two-stream I3D features that MS-TCN
# released. With that set it reached the paper's accuracy, so code and data were in order before anything of its own began.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib.asformer.cross_validation import cross_validate
from lib.data.predictions import prediction_pairs
from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import PERCENT, alone, beside, mark_best
from lib.scoring.published import published_table

book = open_notebook("2_3_1_public_features", params, split, overrides)

# %% [markdown]
# ## Training

# %%
dataset = book.public_dataset()
result = cross_validate(book, dataset, "asformer_public")

# %% tags=["remove-input"]
mean_length = sum(len(dataset.labels(video)) for video in dataset.videos) / len(dataset.videos)
book.say(
    f"{len(dataset.videos)} videos of {mean_length:.0f} labelled frames on average at {dataset.fps:g} a second, "
    f"features of {dataset.feature_dim} channels, {len(dataset.classes)} classes."
)

# %%
figure, (left, right) = plt.subplots(1, 2)
plots.learning_curves(result.history, "train_loss", left, "training loss (a video)").legend()
plots.learning_curves(result.history, "train_accuracy", right, "training accuracy, %")
book.figure(6, figure, result.history, "Training on public features.")

# %% tags=["remove-input"]
last = result.history[result.history["epoch"] == result.history["epoch"].max()]
book.say(
    f"After {last['epoch'].max()} epochs the training accuracy is {last['train_accuracy'].mean():.1f} % on average "
    f"(dropout and channel masking on), and {last['accuracy'].mean():.1f} % of the test frames are right."
)

# %% [markdown]
# ## On the test videos
#
# Measured while training, for the figure; the reported result is the last epoch's.

# %%
figure, (left, right) = plt.subplots(1, 2)
plots.learning_curves(result.history, "accuracy", left, "test accuracy, %").legend()
plots.learning_curves(result.history, "f1@50", right, "test F1@50, %")
book.figure(7, figure, result.history.dropna(subset=["accuracy"]), "Results on public features.")

# %% tags=["remove-input"]
tested = result.history.dropna(subset=["accuracy"])
half = tested[tested["epoch"] <= tested["epoch"].max() / 2].groupby("split").last()
end = tested.groupby("split").last()
book.say(
    f"In the second half of the training accuracy still changes by {(end['accuracy'] - half['accuracy']).mean():+.1f} points and F1@50 by "
    f"{(end['f1@50'] - half['f1@50']).mean():+.1f}, on average over the splits."
)

# %% [markdown]
# ## Table 1

# %%
if book.params.data.compare == "thesis":
    table, values = beside(result.table, published_table(1), book.params.data.name)
else:  # other features: not to be set beside I3D's
    table, values = alone(result.table, book.params.data.name)
book.table(1, table, values, "Public features. * Chosen on the test videos, as the thesis prints it; not a result.")
book.metrics(result.metrics)

# %% tags=["remove-input"]
ours = result.table.iloc[-1]
if book.params.data.compare == "thesis":
    theirs, paper = published_table(1).loc["mean"], published_table("asformer_paper").iloc[0]
    book.say(
        f"Accuracy {ours['accuracy']:.3f}, edit {ours['edit']:.1f}, F1@50 {ours['f1@50']:.3f} here; the thesis got {theirs['accuracy']:.3f}, "
        f"{theirs['edit']:.1f} and {theirs['f1@50']:.3f}, ASFormer's paper {paper['accuracy']:.3f}, {paper['edit']:.1f} and {paper['f1@50']:.3f}."
    )

# %% tags=["remove-input"]
if book.params.data.compare == "scores_references":
    references = published_table("scores_references")
    mine = result.table[references.columns].iloc[[-1]].mul([100, 1, 100, 100, 100])
    both = pd.concat([mine.set_axis(["ASFormer, this run"]), references])
    shown = mark_best(both.rename(columns=PERCENT)).format(precision=1)
    book.table("scores_references", shown, both, "The same videos, splits and scoring.")
    better = (both.iloc[0] > references.loc["ed_tcn"]).sum()
    book.say(f"ASFormer is above ED-TCN on {better} of the five metrics; nothing was chosen on the test videos.")

# %% [markdown]
# ## What a prediction looks like

# %%
video = dataset.split(book.splits[0])[1][0]
folder = book.out.predictions("asformer_public", book.splits[0])
predicted, truth = prediction_pairs(folder, dataset, [video])[video]
rows = {"truth": truth, "ASFormer": predicted[: len(truth)]}
figure, frames = plots.timelines({"": rows}, dataset.fps, dataset.classes), pd.DataFrame(rows)
book.figure("public_features_timeline", figure, frames, f"Truth and prediction of {video}, a test video.")
