# %% [markdown]
# # 2.5 Pre-training, one cluster per update
#
# The thesis first pre-trained VideoCLIP on one GPU. Its training loss kept falling, its validation
# loss rose from about epoch 8 on, and 2.5.1 attributes that to $C = 1$: with one cluster per
# update, the model learns in one random part of the space at a time. This page repeats the run.
# What else might explain the figure is measured in 2.6.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.notebook import plots
from lib.notebook import pretraining_sentences as sentences
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.pretraining.clusters import mine
from lib.pretraining.loop import Pretraining
from lib.pretraining.recipes import recipe_history

book = open_notebook("2_5_pretrain_one_cluster", params, split, overrides)
settings = book.params.pretrain

# %% [markdown]
# ## Negatives
#
# Each video is represented by the mean of its clips' and captions' vectors (equation 6; $B_V$ are
# all known pairs of video $V$ in the thesis, and some pairs drawn from it in the code and here):
#
# $$z_V = \frac{1}{|2 B_V|} \sum_{(v, t) \in B_V} (z_v + z_t) . \tag{6}$$
#
# Videos are drawn at random. For each, the $2k$ nearest are looked up, and $k$ of them make a
# cluster, whose pairs are each other's negatives:

# %% tags=["remove-input"]
book.source(mine)

# %% [markdown]
# The thesis's text says that $C$ such clusters are made, one for each GPU. In the published code
# there are $N / k$ of them per epoch on any number of GPUs; $C$ is how many make one update. Each
# cluster has a softmax of its own (equation 5), and the gradient of an update is the mean over its
# clusters:

# %% tags=["remove-input"]
book.source(Pretraining.losses)
book.source(Pretraining.loss)

# %%
history = recipe_history(book, "one_cluster")
pairs = settings.videos_per_cluster * settings.pairs.per_video
figure = plots.pretraining_curves(history, pairs)
caption = "Pre-training with one cluster per update; the losses are means since the last measurement."
book.figure(16, figure, history, caption)

# %% tags=["remove-input"]
trained = history.iloc[1:]
clusters = settings.recipes["one_cluster"].clusters_per_update
book.say(sentences.lowest_loss(history, clusters) + " In the thesis it was lowest near epoch 8.")
book.say(sentences.training_loss(trained["train_loss"], pairs))

# %% [markdown]
# ## What the two curves compare
#
# The published code trains on mined clusters and validates on random ones. The gap between its two
# curves therefore mixes overfitting with the difficulty of the negatives. Mined validation clusters
# come closer, but are still easier than in training, because they are drawn from fewer videos.
# Dropout, which acts only in training, works the other way.

# %%
gaps = pd.DataFrame(
    {
        "with random negatives": trained["random_loss"] - trained["train_loss"],
        "with mined negatives": trained["hard_loss"] - trained["train_loss"],
    }
).set_index(trained["epoch"])
table = gaps.iloc[[0, len(gaps) // 2, -1]]
book.table("generalization_gap", table, gaps.reset_index(), "Validation loss less training loss.")

# %% tags=["remove-input"]
book.say(sentences.gaps_at_the_end(*gaps.iloc[-1], trained["relative_spread"].iloc[-1]))

# %% [markdown]
# ## Does it transfer while it trains?
#
# Zero-shot accuracy on the target set: one label per second, class names in words, the video [CLS]
# visible as in training. It is measured at each validation; nothing is chosen by it.

# %% tags=["remove-input"]
if "zero_shot" in history:
    book.say(sentences.zero_shot_while_training(history["zero_shot"]))

# %% [markdown]
# ## What the thesis says
#
# One run proves little; 2.6 repeats it with several seeds.

# %%
show_claims(book, runs={"one_cluster": history.assign(seed=0)})
