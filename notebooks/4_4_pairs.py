# %% [markdown]
# # 4.4 Pre-training on real pairs of video and sensors
#
# The thesis's question, on real videos with a real second modality. The accelerometers on ten
# kitchen tools take the place of the narration: two towers, one for video features and one for the
# motion of the tools, learn by VideoCLIP's method which clips belong together. Then only the video
# is used, as in the thesis.

# %% tags=["parameters", "remove-cell"]
params = "params/50salads_sensors.yaml"  # the profile
split = "all"  # a number: this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
from lib.beyond.pairs import answer, views
from lib.beyond.pairs.experiment import design_of, results
from lib.beyond.pairs.pretraining import PairPretraining, draw_clips
from lib.beyond.pairs.towers import clip_vectors
from lib.notebook.notebook import open_notebook
from lib.pretraining.clusters import mine
from lib.videoclip.model import contrastive_loss

book = open_notebook("4_4_pairs", params, split, overrides)
design = design_of(book)

# %% [markdown]
# **A trap in every number here.** The CNN behind the video features was trained on the labels of
# all training people of the split. So few labelled videos do not mean few labels: a tower that
# learns from these features without a label still learns from labels, and the features carry more
# about the training people than about others. Fair questions remain. Do true pairs help more than
# shuffled ones? Do they help a head with temporal context?
#
# ## Pairs
#
# The training people's videos are cut into passages of 16 seconds, which take the place of
# HowTo100M's videos. A second of the sensors counts as a caption of one word. The sampler of 2.5
# then draws a run of sensor seconds and a clip of video that overlaps with it:

# %% tags=["remove-input"]
book.source(draw_clips)

# %% [markdown]
# A tower is a few dilated convolutions, and the vector of a clip is the mean of its states. No
# convolution sees where a passage ends: with zeros there, even shuffled pairs could be matched, by
# their place in the passage.

# %% tags=["remove-input"]
book.source(clip_vectors)

# %% [markdown]
# The loss is VideoCLIP's. Each clip $v$ has to find its sensors $s$ among those of its cluster, and
# the other way round (equation 5):
#
# $$L = -\sum_{(v, s)} \log \frac{\exp z_v \cdot z_s}{\sum_{s'} \exp z_v \cdot z_{s'}}
# + \log \frac{\exp z_v \cdot z_s}{\sum_{v'} \exp z_{v'} \cdot z_s}$$

# %% tags=["remove-input"]
book.source(contrastive_loss)
book.source(PairPretraining.loss)

# %% [markdown]
# Its clusters are mined as in 2.5, anew in every epoch: passages that are close in the mean of both
# vectors (equation 6) become each other's negatives.

# %% tags=["remove-input"]
book.source(PairPretraining.represent)
book.source(mine)

# %% [markdown]
# ## Runs
#
# Each seed of each split has a pre-training on pairs and three controls: **shuffled pairs**, where
# each passage has the sensors of another video; **video alone**, as many updates of the same loss
# between two clips of the video; and the same tower **untrained**. A fourth start has pairs with
# random negatives. A tower then stays as it is (frozen) or learns with its head, which is linear or
# a small ASFormer. The heads' learning rate and ASFormer's depth were chosen on held-out training
# people of split 1, everything else by its cost; no setting was chosen by a test score.

# %%
found = results(book)

# %% tags=["remove-input"]
book.say(views.runs_sentence(found.pretrainings, found.scores, design))

# %% [markdown]
# ## The answer
#
# One difference at a time, all 40 videos labelled. Intervals come from resampling people and seeds.

# %%
if book.whole:
    effects = answer.effects(found.scores, max(design.labelled))
    caption = "What pre-training on pairs adds to video alone, points with 95 % intervals. "
    caption += f"The shaded row decides. {views.TRAP}"
    book.figure("pairs", views.decisive_figure(effects), effects.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    book.say(f"{answer.verdict_sentence(effects, book.params.data.name)} {views.TRAP}")
    book.say(views.control_sentence(effects))

# %%
if book.whole:
    caption = "All contrasts, points with 95 % intervals over people and seeds, bold where zero is outside. "
    caption += f"Detectable: what would be found with a chance of 80 %. {views.TRAP}"
    book.table("pairs", views.shown_effects(effects), effects.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    book.say(views.chance_sentence(effects))

# %% [markdown]
# ## Fewer labelled videos
#
# This is not label-efficient learning, whatever the curves look like: see the trap above.

# %%
if book.whole:
    levels = answer.levels(found.scores)
    caption = f"Accuracy by the number of labelled videos, 95 % intervals. {views.TRAP}"
    book.figure("pairs_labels", views.curves_figure(levels), levels.reset_index(), caption)

# %%
if book.whole:
    few = answer.few_labels(found.scores)
    caption = "What pairs add by the number of labelled videos, points of accuracy, bold where the "
    caption += f"interval excludes zero. {views.TRAP}"
    book.table("pairs_labels", views.shown_few(few), few.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    book.say(f"{views.chance_sentence(few)} {views.TRAP}")

# %%
if book.whole:
    caption = f"Percent, convention lea, 95 % intervals. {views.TRAP}"
    shown = views.shown_levels(levels.xs(max(design.labelled), level="labelled"))
    book.table("pairs_levels", shown, levels.reset_index(), caption)

# %% [markdown]
# ## Zero-shot by names
#
# Not possible here. No tower has seen a word, so there is nothing to compare a class name with; nor
# can a name be tied to a sensor, because the release does not say which sensor is on which tool. A
# map from states to word vectors, learned on some classes and tried on the others, would not be
# zero-shot either: the CNN behind the video saw the labels of the held-out classes.
#
# ## Does C matter?
#
# The clusters per update $C$ of 2.6, and clusters that are mined in each epoch (fresh), in the
# first only (stale) or never (random). At equal updates a larger $C$ has seen more pairs, at equal
# pairs it has made fewer updates. Losses are those of the test people's passages in random and in
# mined clusters; the probe is a linear head over the frozen states, all videos labelled.

# %%
if book.whole:
    table = answer.variants_table(found.pretrainings)
    caption = "Pre-trainings at equal updates and equal pairs: mean ± half of the 95 % interval "
    caption += f"over the runs. {views.TRAP}"
    book.table("pairs_variants", views.shown_variants(table), table, caption)

# %%
if book.whole:
    numbers = design.sensor_pairs.clusters_per_update
    differences = answer.variant_differences(found.pretrainings, numbers)
    caption = "Differences between pre-trainings, paired by split and seed, 95 % intervals."
    figure = views.variants_figure(differences)
    book.figure("pairs_variants", figure, differences.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    book.say(views.clusters_sentence(differences))
