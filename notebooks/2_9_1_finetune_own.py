# %% [markdown]
# # 2.9.1 Fine-tuning, own weights
#
# The thesis's text speaks of VideoCLIP's own training objective. Its code trains a linear head with
# cross-entropy, with room for 779 classes where there are 19, as VideoCLIP's authors did for COIN.
# This page does what the code did. A run of 15 epochs contains that of eight, as the learning rate
# is constant after the warm-up.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
from lib.notebook import plots
from lib.notebook import videoclip_sentences as sentences
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import alone, beside, mark_best
from lib.pretraining.recipes import load_pretrained
from lib.scoring.confusion import long_table, split_matrices
from lib.scoring.published import published_table
from lib.scoring.stats import mean_interval
from lib.videoclip.evaluation import fine_tune_splits, objectives_compared
from lib.videoclip.finetuning import FineTuning, dense_scores
from lib.videoclip.target import open_target

# %% tags=["hide-input"]
book = open_notebook("2_9_1_finetune_own", params, split, overrides)
settings = book.params.finetune
short, long = settings.epochs[0], settings.epochs[-1]
losses = {"train_loss": "training loss", "test_loss": "test loss"}

# %% [markdown]
# ## Training
#
# All layers of the video tower learn, with a new linear head $W$ over the states $h_{w,i}$ of the
# seconds. A step takes one video: its windows $w$ overlap, and each second of each window counts
# once,
#
# $$L = -\frac{1}{\sum_w n_w} \sum_w \sum_{i=1}^{n_w} \log \mathrm{softmax}(W h_{w,i})_{y(w,i)} .$$

# %% tags=["remove-input"]
book.source(FineTuning.loss)
book.source(dense_scores)

# %% [markdown]
# As in the thesis's code, an epoch's loss on the test videos chooses the result, so the numbers in
# the tables are slightly too good: `finetune.select_on: validation` holds out people of the
# training part instead.

# %%
ready = load_pretrained(book, "own")
target = open_target(book, ready.layer, ready.feature_set)
result = fine_tune_splits(book, target, ready, "own")
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
book.figure(20, figure, begun, f"Fine-tuning for {short} epochs, own weights.")

# %% tags=["remove-input"]
lowest_at_8 = int((published_table(6)["best_epoch"] == 8).sum())
book.say(sentences.losses_at_the_end(begun, lowest_at_8))

# %% [markdown]
# ## Table 6: after the first epochs

# %%
table, values = beside(result.tables[short], published_table(6), book.params.data.name)
caption = f"Fine-tuned for {short} epochs, own weights, one label per second."
book.table(6, table, values, f"{caption} {sentences.epoch_chosen(settings.select_on)}")

# %% tags=["remove-input"]
book.say(sentences.scores_beside(result.tables[short].iloc[-1], published_table(6).loc["mean"]))
book.say(sentences.seconds_not_scored(*target.unscored()))

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_own_{short}_epochs")
caption = f"Fine-tuned for {short} epochs, own weights: shares of the true class's seconds."
book.figure(21, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(sentences.most_confused(matrices))

# %% [markdown]
# ## Table 7: does longer training help?
#
# In the thesis the losses still fell after eight epochs, so it went on to 15.

# %%
figure = plots.learning_curve_panels(result.history, losses)
book.figure(22, figure, result.history, f"Fine-tuning for {long} epochs, own weights.")

# %%
table, values = beside(result.tables[long], published_table(7), book.params.data.name)
caption = f"Fine-tuned for {long} epochs, own weights, one label per second."
book.table(7, table, values, f"{caption} {sentences.epoch_chosen(settings.select_on)}")

# %% tags=["remove-input"]
ours, theirs = result.tables[long], published_table(7)
book.say(sentences.scores_beside(ours.iloc[-1], theirs.loc["mean"]))
book.say(sentences.still_falling(result.history))
book.say(sentences.epochs_missing(theirs["best_epoch"].drop("mean").tolist(), 8))
if book.whole:
    gains = (ours["accuracy"] - result.tables[short]["accuracy"]).drop("mean")
    thesis = (theirs["accuracy"] - published_table(6)["accuracy"])["mean"]
    what = f"{long} epochs against {short}"
    book.say(sentences.gain(what, mean_interval(gains.tolist()), thesis))

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_own_{long}_epochs")
caption = f"Fine-tuned for {long} epochs, own weights: shares of the true class's seconds."
book.figure(23, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(sentences.most_confused(matrices))

# %% [markdown]
# ## The contrastive objective instead of a head
#
# The thesis's text and slides describe a contrastive loss between the seconds and the names of the
# classes. Split 1 trained that way, with both towers, beside the head of the code:

# %%
if book.whole:
    compared = objectives_compared(book, target, ready, "own")
    shown = mark_best(compared).format(precision=1)
    caption = "Two objectives, split 1: accuracy of the test seconds, percent. * Chosen on them."
    book.table("objectives", shown, compared.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    book.say(sentences.objectives(compared))

# %% [markdown]
# ## One protocol for all
#
# The same predictions with one label per frame and the segmental scores of 2.3. Nothing smooths the
# labels over time here: each second is judged from its window.

# %%
table, values = alone(result.frames, book.params.data.name)
caption = f"Fine-tuned for {long} epochs, own weights, scored per frame."
book.table("finetuned_own_frames", table, values, caption)

# %% tags=["remove-input"]
book.say(sentences.two_protocols(result.tables[long].iloc[-1], result.frames.iloc[-1]))
