# %% [markdown]
# # 2.9.2 Fine-tuning, public weights
#
# The same training from the weights that VideoCLIP's authors published. In the thesis this was the
# best result of all, .816 in accuracy, and it took no pre-training.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
from lib.notebook import plots
from lib.notebook import videoclip_sentences as sentences
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import alone, beside
from lib.pretraining.recipes import load_pretrained
from lib.scoring.confusion import long_table, split_matrices
from lib.scoring.published import published_table
from lib.scoring.stats import mean_interval
from lib.videoclip.evaluation import fine_tune_splits
from lib.videoclip.target import open_target

# %% tags=["hide-input"]
book = open_notebook("2_9_2_finetune_public", params, split, overrides)
settings = book.params.finetune
short, long = settings.epochs[0], settings.epochs[-1]
losses = {"train_loss": "training loss", "test_loss": "test loss"}

# %% [markdown]
# ## Training
#
# The step is that of 2.9.1, and so is the choice of the epoch by the loss on the test videos.

# %%
ready = load_pretrained(book, "public")
target = open_target(book, ready.layer, ready.feature_set)
result = fine_tune_splits(book, target, ready, "public")
book.metrics(result.metrics)

# %% tags=["remove-input"]
videos, classes = len(target.dataset.split(book.splits[0])[0]), len(target.dataset.classes)
outputs = settings.head or classes
begins = sentences.first_epoch(result.history, videos, settings.warmup, outputs, classes)
absent = sentences.not_learnt({number: target.absent(number) for number in book.splits})
book.say(f"{begins} {absent}")

# %%
begun = result.history[result.history["epoch"] <= short]
figure = plots.learning_curve_panels(begun, losses)
book.figure(24, figure, begun, f"Fine-tuning for {short} epochs, public weights.")

# %% tags=["remove-input"]
lowest_at_8 = int((published_table(8)["best_epoch"] == 8).sum())
book.say(sentences.losses_at_the_end(begun, lowest_at_8))

# %% [markdown]
# ## Table 8: after the first epochs

# %%
table, values = beside(result.tables[short], published_table(8), book.params.data.name)
caption = f"Fine-tuned for {short} epochs, public weights, one label per second."
book.table(8, table, values, f"{caption} {sentences.epoch_chosen(settings.select_on)}")

# %% tags=["remove-input"]
book.say(sentences.scores_beside(result.tables[short].iloc[-1], published_table(8).loc["mean"]))
book.say(sentences.seconds_not_scored(*target.unscored()))

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_public_{short}_epochs")
caption = f"Fine-tuned for {short} epochs, public weights: shares of the true class's seconds."
book.figure(25, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(sentences.most_confused(matrices))

# %% [markdown]
# ## Table 9: does longer training help?
#
# The thesis repeated the longer run for fairness; in its reading, eight or nine epochs are enough
# for these weights.

# %%
figure = plots.learning_curve_panels(result.history, losses)
book.figure(26, figure, result.history, f"Fine-tuning for {long} epochs, public weights.")

# %%
table, values = beside(result.tables[long], published_table(9), book.params.data.name)
caption = f"Fine-tuned for {long} epochs, public weights, one label per second."
book.table(9, table, values, f"{caption} {sentences.epoch_chosen(settings.select_on)}")

# %% tags=["remove-input"]
ours, theirs = result.tables[long], published_table(9)
book.say(sentences.scores_beside(ours.iloc[-1], theirs.loc["mean"]))
book.say(sentences.still_falling(result.history))
if book.whole:
    gains = (ours["accuracy"] - result.tables[short]["accuracy"]).drop("mean")
    thesis = (theirs["accuracy"] - published_table(8)["accuracy"])["mean"]
    what = f"{long} epochs against {short}"
    book.say(sentences.gain(what, mean_interval(gains.tolist()), thesis))

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_public_{long}_epochs")
caption = f"Fine-tuned for {long} epochs, public weights: shares of the true class's seconds."
book.figure(27, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(sentences.most_confused(matrices))

# %% [markdown]
# ## One protocol for all
#
# The same predictions with one label per frame and the segmental scores of 2.3. Nothing smooths the
# labels over time here: each second is judged from its window.

# %%
table, values = alone(result.frames, book.params.data.name)
caption = f"Fine-tuned for {long} epochs, public weights, scored per frame."
book.table("finetuned_public_frames", table, values, caption)

# %% tags=["remove-input"]
book.say(sentences.two_protocols(result.tables[long].iloc[-1], result.frames.iloc[-1]))
