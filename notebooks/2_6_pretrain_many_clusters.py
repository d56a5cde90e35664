# %% [markdown]
# # 2.6 Pre-training, seven clusters per update
#
# The second pre-training of the thesis ran on seven GPUs, took seven clusters per update, and did
# not overfit before epoch 22. It became the thesis's own weights. Here $C$ is independent of the
# number of devices: one device computes the clusters of an update one after another, and the
# gradient is the same.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.core.processes import cores
from lib.notebook import plots
from lib.notebook import pretraining_sentences as sentences
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.notebook.tables import fold_widths, in_words, mark_best
from lib.pretraining.experiment import compare, findings, fresh_curves, run_experiment, runs_of
from lib.pretraining.loop import Pretraining
from lib.pretraining.recipes import load_pretrained, published_weights, recipe_history, transfer_of

book = open_notebook("2_6_pretrain_many_clusters", params, split, overrides)
settings = book.params.pretrain

# %% [markdown]
# ## Own weights
#
# The recipe of the thesis: features of S3D before its last layer, $C = 7$. This method deals out
# the clusters of each update to the devices:

# %% tags=["remove-input"]
book.source(Pretraining.updates)

# %%
own = recipe_history(book, "own")
figure = plots.pretraining_curves(own, settings.videos_per_cluster * settings.pairs.per_video)
book.figure(17, figure, own, "Pre-training with seven clusters per update.")

# %% tags=["remove-input"]
clusters = settings.recipes["own"].clusters_per_update
thesis = "(Thesis: hints of overfitting after epoch 22.)"
book.say(f"{sentences.lowest_loss(own, clusters)} {thesis}")

# %% [markdown]
# ## The reference recipe
#
# The recipe of the weights that the authors published: features after S3D's last layer, $C = 8$. If
# their checkpoint is present, it is used; in the demo the recipe is run.

# %%
runs = {"own": own}
if published_weights(settings.recipes["public"]) is None:
    runs["public"] = recipe_history(book, "public")
curves = {
    f"{name}, C = {settings.recipes[name].clusters_per_update}": run.set_index("epoch")["zero_shot"]
    for name, run in runs.items()
}

# %%
level = ("untrained (own)", own["zero_shot"].iloc[0])
figure = plots.curve_panels({"zero-shot accuracy, % of seconds": curves}, level=level)
data = pd.concat(runs, names=["weights"]).reset_index(level=0)
book.figure("transfer", figure, data, "Transfer during pre-training.")

# %% tags=["remove-input"]
if "public" not in runs:
    ready = load_pretrained(book, "public")
    score = transfer_of(book, "video_embedding")(ready.model)["zero_shot"]
    book.say(sentences.published_checkpoint(score, own["zero_shot"].iloc[0]))

# %% [markdown]
# ## Was it C?
#
# At equal epochs $C = 1$ makes seven times as many updates as $C = 7$, at the same learning rate.
# The thesis changed both at once. Below, the runs of 2.5 and of this page are compared at equal
# numbers of updates and at equal numbers of pairs seen. A profile may add others that differ from
# them in one thing each: another $C$, or, at $C = 7$, stale clusters: those of the first epoch
# throughout, as in fairseq since December 2022 and so probably in the thesis's runs. All have the
# same seeds; the untrained model is shown beside them. The warm-up is the same number of updates
# for all, so it is a larger part of a run with many clusters per update. On HowTo100M further runs
# would take months.

# %%
small = book.params.data.source == "demo"
if small:
    histories = run_experiment(book, workers=cores())
    both = pd.concat({by: compare(histories, by) for by in ("update", "pairs")}, names=["equal"])
    both = both.droplevel(1).reset_index()
    equal = "The variants at equal updates and at equal pairs"
    caption = f"{equal}: means over the seeds, ± half of the 95 % interval."
    named = in_words(both)
    counted = ["clusters", "updates", "pairs", *named.filter(like="±")]
    shown = mark_best(named, lower=list(named.filter(like="loss")), skip=counted).hide()
    book.table("clusters", fold_widths(shown, 2), both, caption)

# %% tags=["remove-input"]
if small:
    untrained = histories[histories["update"] == 0].drop_duplicates("seed")["zero_shot"]
    book.say(sentences.untrained_seeds(untrained))

# %%
if small:
    figure = plots.curve_panels(fresh_curves(histories), shared="zero-shot accuracy, %")
    caption = "The same runs by updates and by pairs seen: mean and range of the seeds."
    book.figure("clusters", figure, histories, caption)

# %% [markdown]
# ### What the experiment says
#
# Differences are paired by seed; a single run of each, or an interval that contains zero, is
# inconclusive. Each model mines its own validation clusters.

# %% tags=["remove-input"]
if small:
    for line in findings(histories, book.params):
        book.say(f"- {line}")

# %% [markdown]
# ## What the thesis says
#
# Figure 17 is called smoother than Figure 16, thanks to the mean over seven clusters. The measure
# here is the root mean square of a curve's second differences, / √6, by seed. "In the end" is the
# second half of a run. A smaller $k$ means fewer negatives per pair: $k$ is made smaller and $C$
# larger, so that an update has as many pairs and only their negatives are fewer.

# %%
show_claims(book, runs=runs_of(histories) if small else {f"C = {clusters}": own.assign(seed=0)})

# %% [markdown]
# ## What a real pre-training would take
#
# HowTo100M has about 1.1 million usable videos: 34,375 clusters of 32 per epoch, or 4,296 updates
# of eight. The guide to real data (`notebooks/guides/real_data.md`) estimates disk space and
# GPU-hours.
