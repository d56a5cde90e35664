# %% [markdown]
# # 2.8.2 Zero-shot transfer, public weights
#
# The same with the weights that VideoCLIP's authors published: features after S3D's last layer,
# eight clusters per update. On real data their checkpoint is read; in the demo the recipe of 2.6
# stands for it.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.notebook import videoclip_sentences as sentences
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import alone, beside
from lib.pretraining.recipes import load_pretrained
from lib.scoring.confusion import long_table, split_matrices
from lib.scoring.published import published_table
from lib.scoring.seconds import SECONDS, by_split
from lib.scoring.stats import mean_interval
from lib.videoclip.evaluation import zero_shot
from lib.videoclip.target import open_target

book = open_notebook("2_8_2_zero_shot_public", params, split, overrides)

# %% [markdown]
# ## Table 5: zero-shot accuracy

# %%
ready = load_pretrained(book, "public")
target = open_target(book, ready.layer, ready.feature_set)
result = zero_shot(book, target, ready, "public")
book.metrics(result.metrics)

# %%
published = published_table(5)
table, values = beside(result.ours, published, book.params.data.name, controls=result.controls)
caption = "Zero-shot transfer of the model with public weights, one label per second."
book.table(5, table, values, caption)

# %% tags=["remove-input"]
ours = result.ours["accuracy"].iloc[-1]
commonest = result.controls["commonest class of training"]["accuracy"].iloc[-1]
thesis = published["accuracy"]["mean"]
book.say(sentences.transfer(ours, thesis, result.untrained, commonest))
book.say(sentences.seconds_not_scored(*target.unscored()))

# %% [markdown]
# ## One protocol for all
#
# The table above is scored as the thesis scored VideoCLIP: one label per second, and an edit
# distance in seconds, which is close to the number of wrong seconds. The same predictions, with one
# label per
# frame and the segmental scores of 2.3:

# %%
table, values = alone(result.frames, book.params.data.name)
book.table("zero_shot_public_frames", table, values, "Zero-shot, public weights, scored per frame.")

# %% tags=["remove-input"]
book.say(sentences.two_protocols(result.ours.iloc[-1], result.frames.iloc[-1]))

# %% [markdown]
# ## Which classes it confuses
#
# Each row sums to one: it shows what the seconds of a class were taken for.

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, "videoclip_public_zero_shot")
caption = "Zero-shot transfer, public weights: shares of the true class's seconds."
book.figure(19, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(sentences.names_given(matrices))

# %% [markdown]
# ## Against own weights
#
# The thesis attributes the difference to eight clusters per update instead of seven. The two also
# differ in their features (512 numbers after the last layer, 1024 before it) and in how these were
# made, so no single cause can be identified.

# %% tags=["remove-input"]
file = book.out.metrics / "2_8_1_zero_shot_own.parquet"
if file.exists() and book.whole:
    own = by_split(pd.read_parquet(file), "videoclip_own_zero_shot", SECONDS, ["accuracy"])
    found = mean_interval((result.ours - own)["accuracy"].drop("mean").tolist())
    thesis = (published_table(5)["accuracy"] - published_table(4)["accuracy"])["mean"]
    book.say(sentences.gain("Public weights against own", found, thesis))
