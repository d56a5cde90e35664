# %% [markdown]
# # 2.3.3 The baseline on own features
#
# The baseline of the thesis: ASFormer trained from scratch on each split, on the features of 2.3.2;
# vectors beyond the labels are cut off at the end. The last epoch is reported.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
from lib.asformer.cross_validation import cross_validate
from lib.notebook import plots
from lib.notebook.asformer_sentences import (
    compared,
    dips,
    published_history,
    rates_of_scoring,
    selection_gain,
    training_ended,
)
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.notebook.tables import beside
from lib.notebook.videoclip_sentences import most_confused
from lib.scoring.confusion import long_table, split_matrices
from lib.scoring.published import published_table

book = open_notebook("2_3_3_baseline", params, split, overrides)

# %% [markdown]
# ## Training
#
# As in 2.3.1: one video per step, Adam, and a learning rate that is cut when the training loss
# stops falling.

# %%
dataset = book.dataset(book.own_features, trim="end")
result = cross_validate(book, dataset, "asformer_own")

# %%
curves = {"train_loss": "training loss (per video)", "train_accuracy": "training accuracy, %"}
figure = plots.learning_curve_panels(result.history, curves)
book.figure(11, figure, result.history, "Training of the baseline on the splits.")

# %% tags=["remove-input"]
book.say(training_ended(result.history))

# %% [markdown]
# ## The dips on the test videos
#
# Measured during training for the figure; nothing is chosen by it.

# %%
thesis = published_history()
tested = result.history.dropna(subset=["accuracy"])
histories = {book.params.data.name: tested, "thesis, 50 Salads (read off its notebook)": thesis}
figure = plots.learning_curve_panels(histories, {"accuracy": "test accuracy, %"})
book.figure(12, figure, tested, "The baseline on the test videos, here and in the thesis.")

# %% tags=["remove-input"]
book.say(
    f"The thesis's accuracy dips {dips(thesis)}. It explains this by a switch from training the "
    "encoder to training the decoders. There is no such switch: the losses of all stages are "
    "summed from the first step on."
)
book.say(rates_of_scoring())

# %% [markdown]
# ## Table 3: the last epoch's scores

# %%
table, values = beside(result.table, published_table(3), book.params.data.name)
chosen = "* Chosen on the test videos, as the thesis prints it; not a result."
book.table(3, table, values, f"The baseline. {chosen}")
book.metrics(result.metrics)

# %% tags=["remove-input"]
sources = {"here": result.table.iloc[-1], "in the thesis": published_table(3).loc["mean"]}
book.say(f"{compared(sources)} {selection_gain(sources)}")

# %% [markdown]
# ## What the thesis says
#
# It concludes from its curves that the encoder learns first and the decoders later. Here the
# training accuracy of each stage is recorded: the last decoder's less the encoder's, in points, in
# the first quarter of the epochs and in the last epoch.

# %%
lost = result.table.assign(lost=result.table["best_accuracy"] - result.table["accuracy"])
own = {"asformer_own": result.history}
show_claims(book, histories=own, tables={"asformer_own": lost})

# %% [markdown]
# ## Which classes it confuses
#
# Each row sums to one: it shows how the seconds of a class were labelled. The thesis shows such
# matrices for VideoCLIP only (Figures 18 to 27).

# %%
matrices = split_matrices(book.out, dataset, book.splits, "asformer_own")
caption = "The baseline: shares of the true class's seconds."
book.figure("asformer_confusion", draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(most_confused(matrices))
