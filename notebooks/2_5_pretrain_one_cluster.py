# %% [markdown]
# # 2.5 Multimodal pre-training, one cluster an update
#
# The thesis first pre-trained VideoCLIP on one GPU. Its training loss fell all the time, its validation loss rose from
# about epoch 8 on, and 2.5.1 puts that down to $C = 1$: with one cluster an update, the model learns in a random part of
# the space at a time. This page repeats the run. What else may explain the figure is measured in 2.6.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib import plots
from lib.group import alone
from lib.notebook import open_notebook
from lib.pretrain import run_recipe

book = open_notebook("2_5_pretrain_one_cluster", params, split, overrides)
settings = book.params.pretrain

# %% [markdown]
# ## Negatives
#
# For each video a vector is made from its clips and captions (equation 6, $B_V$ the pairs drawn from video $V$):
#
# $$z_V = \frac{1}{|2 B_V|} \sum_{(v, t) \in B_V} (z_v + z_t) .$$
#
# Around videos drawn at random the $2k$ nearest are looked up, and $k$ of them make a cluster: its pairs are each other's
# negatives. The thesis's text says that $C$ such clusters are made, one for each GPU. In the published code there are
# $N / k$ of them in an epoch on any number of GPUs; $C$ is how many make one update.

# %%
run = settings.recipes["one_cluster"]
history = run_recipe(book.params, book.out, "one_cluster", alone())

# %%
figure, ax = plt.subplots()
names = {
    "train_loss": "training",
    "random_loss": "validation, random negatives",
    "hard_loss": "validation, mined negatives",
}
by_epoch = history.set_index("epoch")
plots.labelled_curves({label: by_epoch[name] for name, label in names.items()}, ax, "contrastive loss").legend()
book.figure(16, figure, history, "Pre-training with one cluster an update; the loss is taken several times an epoch.")

# %% tags=["remove-input"]
best, last = by_epoch["random_loss"].idxmin(), by_epoch.index[-1]
rise = by_epoch["random_loss"].iloc[-1] - by_epoch["random_loss"].min()
book.say(
    f"{int(history['update'].iloc[-1])} updates of one cluster ({settings.videos_per_cluster} videos with {settings.pairs.per_video} pairs each) in {last:.0f} epochs. "
    f"The training loss falls from {history['train_loss'].iloc[0]:.2f} to {history['train_loss'].iloc[-1]:.2f}; the validation loss (random negatives, as in the thesis) is lowest at epoch "
    f"{best:.2f} and ends {rise:.2f} above that. In the thesis the lowest point was near epoch 8 of 25. "
    f"Chance would be 2 ln {settings.videos_per_cluster * settings.pairs.per_video}: every pair as likely as any other."
)

# %% [markdown]
# ## What the two curves compare
#
# The published code trains on mined clusters and validates on random ones. The gap between its two curves therefore mixes
# overfitting with the difficulty of the negatives. With mined negatives on both sides it is one thing only.

# %%
gaps = pd.DataFrame(
    {
        "with random negatives": history["random_loss"] - history["train_loss"],
        "with mined negatives": history["hard_loss"] - history["train_loss"],
    }
).set_index(history["epoch"])
table = gaps.iloc[[0, len(gaps) // 2, -1]]
book.table("generalization_gap", table, gaps.reset_index(), "Validation loss less training loss.")

# %% tags=["remove-input"]
random, mined = gaps.iloc[-1]
book.say(
    f"At the end validation lies {random:+.2f} from training with random negatives and {mined:+.2f} with mined ones. "
    f"The training clusters' videos lie {history['alikeness'].iloc[-1]:.2f} times as far apart as videos drawn at random."
)

# %% [markdown]
# ## What it is good for
#
# Zero-shot accuracy on the target set, a label a second, measured at each validation and used for no choice.

# %% tags=["remove-input"]
if "zero_shot" in history:
    book.say(
        f"It ends at {history['zero_shot'].iloc[-1]:.1f} % of the seconds, at most {history['zero_shot'].max():.1f} % on the way. "
        "The score of the untrained model stands beside it in 2.6."
    )
