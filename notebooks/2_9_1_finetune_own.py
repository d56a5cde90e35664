# %% [markdown]
# # 2.9.1 Fine-tuning, own weights
#
# The thesis's text speaks of VideoCLIP's own training objective. Its code trains a linear head with
# cross-entropy, with room for 779 classes where there are 19, as VideoCLIP's authors did for COIN.
# This page does what the code did. A run of 15 epochs contains the run of eight, because the
# learning rate hardly falls after the warm-up.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
from lib.notebook import videoclip_sentences as sentences
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import (
    fine_tuned_frames,
    fine_tuned_results,
    fine_tuning_begins,
    fine_tuning_claims,
    fine_tuning_losses,
)
from lib.notebook.tables import mark_best
from lib.pretraining.recipes import load_pretrained
from lib.scoring.published import published_table
from lib.videoclip.evaluation import fine_tune_splits, objectives_compared
from lib.videoclip.finetuning import FineTuning, dense_scores
from lib.videoclip.target import open_target

# %% tags=["hide-input"]
book = open_notebook("2_9_1_finetune_own", params, split, overrides)
settings = book.params.finetune
short, long = settings.epochs[0], settings.epochs[-1]

# %% [markdown]
# ## Training
#
# All layers of the video tower are trained, with a new linear head $W$ over the states $h_{w,i}$ of
# the seconds. A step takes one video: its windows $w$ overlap, and each second of each window counts
# once,
#
# $$L = -\frac{1}{\sum_w n_w} \sum_w \sum_{i=1}^{n_w} \log \mathrm{softmax}(W h_{w,i})_{y(w,i)} .$$

# %% tags=["remove-input"]
book.source(FineTuning.loss)
book.source(dense_scores)

# %% [markdown]
# As in the thesis's code, the epoch with the lowest loss on the test videos is reported, so the
# numbers in the tables are slightly too good; `finetune.select_on: validation` holds out people from
# the training part instead.

# %%
ready = load_pretrained(book, "own")
target = open_target(book, ready.layer, ready.feature_set)
result = fine_tune_splits(book, target, ready, "own")
book.metrics(result.metrics)

# %%
fine_tuning_losses(book, result, "own", short, figure=20)

# %% tags=["remove-input"]
fine_tuning_begins(book, target, result, table=6)

# %% [markdown]
# ## Table 6: after the first epochs

# %%
fine_tuned_results(book, target, result, "own", short, table=6, figure=21)

# %% [markdown]
# ## Table 7: does longer training help?
#
# In the thesis the losses were still falling after eight epochs, so it went on to 15.

# %%
fine_tuning_losses(book, result, "own", long, figure=22)

# %% tags=["remove-input"]
book.say(sentences.still_falling(result.history))

# %%
fine_tuned_results(book, target, result, "own", long, table=7, figure=23)

# %% tags=["remove-input"]
chosen = published_table(7)["best_epoch"].drop("mean").tolist()
book.say(sentences.epochs_missing(chosen, 8))

# %% [markdown]
# ## The contrastive objective instead of a head
#
# The thesis's text and slides describe a contrastive loss between the seconds and the names of the
# classes. Here split 1 is trained that way, with both towers, and compared with the code's head:

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
# labels over time here: each second is labelled from its window.

# %%
fine_tuned_frames(book, result, "own")

# %% [markdown]
# ## What the thesis says
#
# Two classes are confused if at least a tenth of the seconds of one of them is labelled as the
# other. A claim that names splits is judged in each, by resampling its test videos.

# %%
fine_tuning_claims(book, target, result, "own")
