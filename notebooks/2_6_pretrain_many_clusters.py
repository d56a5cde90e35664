# %% [markdown]
# # 2.6 Multimodal pre-training, seven clusters an update
#
# The second pre-training of the thesis ran on seven GPUs, took seven clusters an update, and did not overfit before epoch
# 22. It became the thesis's own weights. Here $C$ has nothing to do with the number of devices: the clusters of an update
# are computed one after the other where there is one device, and the gradient is the same.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib import plots
from lib.experiment import compare, difference, run_experiment, verdict
from lib.group import alone
from lib.notebook import open_notebook
from lib.pretrain import run_recipe
from lib.processes import cores

book = open_notebook("2_6_pretrain_many_clusters", params, split, overrides)
settings = book.params.pretrain

# %% [markdown]
# ## Own weights
#
# Thesis recipe: features of S3D before its last layer, $C = 7$.

# %%
own = run_recipe(book.params, book.out, "own", alone())
figure, ax = plt.subplots()
names = {
    "train_loss": "training",
    "random_loss": "validation, random negatives",
    "hard_loss": "validation, mined negatives",
}
by_epoch = own.set_index("epoch")
plots.labelled_curves({label: by_epoch[name] for name, label in names.items()}, ax, "contrastive loss").legend()
book.figure(17, figure, own, "Pre-training with seven clusters an update.")

# %% tags=["remove-input"]
rise = by_epoch["random_loss"].iloc[-1] - by_epoch["random_loss"].min()
book.say(
    f"{int(own['update'].iloc[-1])} updates of {settings.recipes['own'].clusters_per_update} clusters in {by_epoch.index[-1]:.0f} epochs. The validation loss is lowest at epoch "
    f"{by_epoch['random_loss'].idxmin():.2f} and ends {rise:.2f} above that. (Thesis: hints of overfitting after epoch 22 of 25.)"
)

# %% [markdown]
# ## The reference recipe
#
# The weights that the authors published: features after S3D's last layer, $C = 8$. Where their checkpoint is at hand it is
# taken instead; in the demo the recipe is run.

# %%
public = run_recipe(book.params, book.out, "public", alone())
runs = {"own, C = 7": own, "public, C = 8": public}
figure, ax = plt.subplots()
curves = {name: history.set_index("epoch")["zero_shot"] for name, history in runs.items()}
plots.labelled_curves(curves, ax, "zero-shot accuracy, % of seconds").legend()
book.figure(
    "transfer", figure, pd.concat(runs, names=["weights"]).reset_index(level=0), "Transfer during pre-training."
)

# %% [markdown]
# ## Was it C?
#
# At equal epochs $C = 1$ makes seven times as many updates as $C = 7$, at the same learning rate. The thesis changed both
# at once. Below, small pre-trainings that differ in one thing each: $C$ with clusters mined anew each epoch, and at $C = 7$
# stale clusters (those of the first epoch throughout, which is what the published code's loaders amounted to) and random
# ones. Each with the same seeds; the untrained model beside them.

# %%
histories = run_experiment(book.params, book.out, workers=cores())
untrained = histories[histories["update"] == 0].drop_duplicates("seed")["zero_shot"]
tables = {by: compare(histories, by) for by in ("update", "pairs")}
both = pd.concat(tables, names=["equal"]).droplevel(1).reset_index()
book.table(
    "clusters", both.style.hide().format(precision=2), both, "Means over the seeds, ± half of the 95 % interval."
)

# %% tags=["remove-input"]
seeds = book.params.experiment.seeds
book.say(
    f"The untrained model scores {untrained.mean():.1f} % (from {untrained.min():.1f} to {untrained.max():.1f} over {len(seeds)} seeds). "
    f"Intervals are Student's t over {len(seeds)} seeds, so they are wide: they cover the seeds' luck, not that of the videos."
)

# %%
figure, axes = plt.subplots(1, 2, sharey=True)
fresh = histories[histories["negatives"] == "fresh"]
for ax, by in zip(axes, ("update", "pairs"), strict=True):
    mean = fresh.groupby(["clusters", by])["zero_shot"].mean()
    curves = {f"C = {clusters}": mean.loc[clusters] for clusters in sorted(fresh["clusters"].unique())}
    plots.labelled_curves(curves, ax, "zero-shot accuracy, %").set(xlabel=by + "s" * (by == "update"), xscale="symlog")
axes[0].legend()
book.figure("clusters", figure, histories, "The same runs by updates and by pairs seen, mean over the seeds.")

# %% [markdown]
# ### What the experiment says
#
# Differences are paired by seed. Where an interval holds zero, it says so.

# %% tags=["remove-input"]
few, many = min(book.params.experiment.clusters_per_update), max(book.params.experiment.clusters_per_update)
for measure, unit in (
    ("zero_shot", "points of zero-shot accuracy"),
    ("hard_loss", "in validation loss (mined negatives)"),
):
    for by in ("update", "pairs"):
        found = verdict(*difference(histories, measure, (few, "fresh"), (many, "fresh"), by), unit)
        book.say(f"- **C = {many} against C = {few}, equal {by}{'s' * (by == 'update')}**: {found}.")

# %% tags=["remove-input"]
middle = settings.recipes["own"].clusters_per_update
for negatives in book.params.experiment.negatives if middle in book.params.experiment.clusters_per_update else ():
    found = verdict(*difference(histories, "zero_shot", (middle, "fresh"), (middle, negatives), "pairs"), "points")
    book.say(f"- **{negatives.capitalize()} against fresh clusters** (C = {middle}, zero-shot): {found}.")

# %% tags=["remove-input"]
gap = (histories["hard_loss"] - histories["random_loss"])[histories["update"] > 0]
book.say(
    f"- **Mined against random validation**: with the same weights the loss on mined clusters is {gap.mean():.2f} higher on average, from {gap.min():.2f} to {gap.max():.2f}. "
    "Curves that train on one and validate on the other differ by about that much before any overfitting."
)

# %% [markdown]
# ## What a real pre-training would take
#
# HowTo100M has 1.1 million usable videos: 34,375 clusters of 32 an epoch, or 4,297 updates of eight. The README estimates
# GPU-hours and disk from the measured pairs a second.
