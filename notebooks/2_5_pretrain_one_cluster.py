# %% [markdown]
# # 2.5 Pre-training, one cluster an update
#
# The thesis first pre-trained VideoCLIP on one GPU. Its training loss fell all the time, its validation loss rose from
# about epoch 8 on, and 2.5.1 puts that down to $C = 1$: with one cluster an update, the model learns in a random part of
# the space at a time. This page repeats the run. What else may explain the figure is measured in 2.6.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.pretraining.recipes import recipe_history

book = open_notebook("2_5_pretrain_one_cluster", params, split, overrides)
settings = book.params.pretrain

# %% [markdown]
# ## Negatives
#
# For each video a vector is made from its clips and captions (equation 6; $B_V$ are all pairs known of video $V$ in the
# thesis, and some pairs drawn from it in the code and here):
#
# $$z_V = \frac{1}{|2 B_V|} \sum_{(v, t) \in B_V} (z_v + z_t) .$$
#
# Around videos drawn at random the $2k$ nearest are looked up, and $k$ of them make a cluster: its pairs are each other's
# negatives. The thesis's text says that $C$ such clusters are made, one for each GPU. In the published code there are
# $N / k$ of them in an epoch on any number of GPUs; $C$ is how many make one update.

# %%
run = settings.recipes["one_cluster"]
history = recipe_history(book, "one_cluster")

# %%
by_epoch = history.set_index("epoch")
figure = plots.pretraining_curves(history)
book.figure(16, figure, history, "Pre-training with one cluster an update; the loss is taken several times an epoch.")

# %% tags=["remove-input"]
trained = history.iloc[1:]
best, last = by_epoch["random_loss"].idxmin(), by_epoch.index[-1]
rise = by_epoch["random_loss"].iloc[-1] - by_epoch["random_loss"].min()
pairs = settings.videos_per_cluster * settings.pairs.per_video
book.say(
    f"{int(history['update'].iloc[-1])} updates of {run.clusters_per_update} cluster ({settings.videos_per_cluster} videos with {settings.pairs.per_video} pairs each) in {last:.0f} epochs. "
    f"The training loss falls from {trained['train_loss'].iloc[0]:.2f} to {trained['train_loss'].iloc[-1]:.2f}; the validation loss (random negatives, as in the thesis) is lowest at epoch "
    f"{best:.2f} and ends {rise:.2f} above that. In the thesis the lowest point was near epoch 8. "
    f"Were every pair as likely as any other, the loss would be 2 ln {pairs} = {2 * np.log(pairs):.2f}."
)

# %% [markdown]
# ## What the two curves compare
#
# The published code trains on mined clusters and validates on random ones. The gap between its two curves therefore mixes
# overfitting with the difficulty of the negatives. Mined validation clusters come closer, but are still easier than those
# of training: they are drawn from fewer videos. Dropout, on in training only, works the other way.

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
random, mined = gaps.iloc[-1]
book.say(
    f"At the end validation lies {random:+.2f} from training with random negatives and {mined:+.2f} with mined ones. "
    f"The videos of a training cluster lie {trained['alikeness'].iloc[-1]:.2f} times as far apart as videos drawn at random."
)

# %% [markdown]
# ## What it is good for
#
# Zero-shot accuracy on the target set, a label a second, class names in words, the video [CLS] seen as in training. It is
# measured at each validation and used for no choice.

# %% tags=["remove-input"]
if "zero_shot" in history:
    book.say(
        f"The untrained model scores {history['zero_shot'].iloc[0]:.1f} % of the seconds, this run {history['zero_shot'].iloc[-1]:.1f} % at its end "
        f"and {trained['zero_shot'].max():.1f} % at most on the way."
    )
