# %% [markdown]
# # 2.3.1 Training on public features
#
# ASFormer trained from scratch on features that others published. In the thesis these are the
# two-stream I3D features of MS-TCN. With them it reached the accuracy of ASFormer's paper, so code
# and data were in order before its own experiments began.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.asformer.cross_validation import cross_validate
from lib.asformer.training import fit_frames, segmentation_loss
from lib.data.predictions import prediction_pairs
from lib.notebook import plots
from lib.notebook.asformer_sentences import compared, training_ended, training_went_on
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.notebook.tables import PERCENT, alone, beside, mark_best
from lib.scoring.published import published_table

book = open_notebook("2_3_1_public_features", params, split, overrides)

# %% [markdown]
# ## Training
#
# A step takes one whole video. Each stage of ASFormer predicts a class for every frame. The loss
# is cross-entropy plus a term that smooths neighbouring frames, summed over the stages $s$
# (equation 3):
#
# $$\mathcal{L} = \sum_s \Big( \frac{1}{T} \sum_t -\log y^s_{t,c_t}
# + \lambda \frac{1}{TC} \sum_{t,c} \min(|\log y^s_{t,c} - \log y^s_{t-1,c}|, \tau)^2 \Big)$$

# %% tags=["remove-input"]
book.source(segmentation_loss)

# %% [markdown]
# All stages are trained from the first step on:

# %% tags=["remove-input"]
book.source(fit_frames)

# %% [markdown]
# Finished runs are loaded, not retrained.

# %%
dataset = book.public_dataset()
result = cross_validate(book, dataset, "asformer_public")

# %% tags=["remove-input"]
mean_length = sum(len(dataset.labels(video)) for video in dataset.videos) / len(dataset.videos)
book.say(
    f"{len(dataset.videos)} videos of {mean_length:.0f} labelled frames on average, "
    f"{dataset.fps:g} frames per second; features of {dataset.feature_dim} channels; "
    f"{len(dataset.classes)} classes."
)

# %%
curves = {"train_loss": "training loss (per video)", "train_accuracy": "training accuracy, %"}
figure = plots.learning_curve_panels(result.history, curves)
book.figure(6, figure, result.history, "Training on public features.")

# %% tags=["remove-input"]
book.say(training_ended(result.history))

# %% [markdown]
# ## On the test videos
#
# Measured during training, for the figure only. The reported result is that of the last epoch.

# %%
tested = result.history.dropna(subset=["accuracy"])
curves = {"accuracy": "test accuracy, %", "f1@50": "test F1@50, %"}
book.figure(7, plots.learning_curve_panels(tested, curves), tested, "Results on public features.")

# %% tags=["remove-input"]
book.say(training_went_on(tested))

# %% [markdown]
# ## Table 1: the last epoch's scores

# %%
if book.params.data.compare == "thesis":
    table, values = beside(result.table, published_table(1), book.params.data.name)
else:  # features other than I3D's cannot be compared with the thesis
    table, values = alone(result.table, book.params.data.name)
chosen = "* Chosen on the test videos, as the thesis prints it; not a result."
book.table(1, table, values, f"Public features. {chosen}")
book.metrics(result.metrics)

# %% tags=["remove-input"]
if book.params.data.compare == "thesis":
    sources = {"here": result.table.iloc[-1], "in the thesis": published_table(1).loc["mean"]}
    book.say(compared(sources | {"in ASFormer's paper": published_table("asformer_paper").iloc[0]}))

# %% tags=["remove-input"]
if book.params.data.compare == "scores_references":
    references = published_table("scores_references")
    mine = result.table[references.columns].iloc[[-1]].mul([100, 1, 100, 100, 100])
    both = pd.concat([mine.set_axis(["ASFormer, this run"]), references])
    shown = mark_best(both.rename(columns=PERCENT)).format(precision=1)
    book.table("scores_references", shown, both, "The same videos, splits and scoring.")
    better = (both.iloc[0] > references.loc["ed_tcn"]).sum()
    text = f"ASFormer is above ED-TCN on {better} of the five metrics."
    book.say(f"{text} Nothing was chosen on the test videos.")

# %% [markdown]
# ## What the thesis says

# %%
show_claims(book, histories={"asformer_public": result.history})

# %% [markdown]
# ## What a prediction looks like

# %%
video = dataset.split(book.splits[0])[1][0]
folder = book.out.predictions("asformer_public", book.splits[0])
predicted, truth = prediction_pairs(folder, dataset, [video])[video]
rows = {"truth": truth, "ASFormer": predicted[: len(truth)]}
figure = plots.timelines({"": rows}, dataset.fps, dataset.classes)
caption = f"Truth and prediction of {video}, a test video."
book.figure("public_features_timeline", figure, pd.DataFrame(rows), caption)
