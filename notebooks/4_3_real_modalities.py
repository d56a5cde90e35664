# %% [markdown]
# # 4.3 Video and sensors on real videos
#
# The thesis asks whether a second modality helps to segment actions, and answers on video and
# speech. Here is a real data set on which the question can be asked in a minute: all 50 videos of
# 50 Salads with two real modalities, each aligned to the other.
#
# - **Video:** 128 numbers from the spatial CNN of Lea et al. (CVPR 2017), trained anew for each
#   split on its training videos. ED-TCN, TricorNet and TDRN read the same numbers.
# - **Sensors:** accelerometers on ten kitchen tools. No label has touched them.
#
# Splits and scoring are Lea's: one label per second, scores per video, background ignored.

# %% tags=["parameters", "remove-cell"]
params = "params/50salads_sensors.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from lib.beyond.controls.decoding import decode
from lib.beyond.modalities import views
from lib.beyond.modalities.inputs import Perturbed
from lib.beyond.modalities.methods import by_heart, choose, fused, predict_split
from lib.data.sensors import motion_windows, read_sensors
from lib.notebook.notebook import open_notebook
from lib.scoring.published import published_table

book = open_notebook("4_3_real_modalities", params, split, overrides)
settings = book.params.modalities

# %% [markdown]
# ## What the nets read
#
# The sensors become windowed means of motion and of presence:

# %%
book.source(motion_windows)

# %% [markdown]
# The video features have a trap: the CNN knows its training videos by heart.

# %% tags=["remove-input"]
sensors = read_sensors(book.dataset())
known, new = np.mean([by_heart(book, sensors, number) for number in book.splits], axis=0)
book.say(
    f"A linear probe of its features is right on {known:.0f} % of their seconds, but on {new:.0f} % "
    "of the test videos'."
)

# %% [markdown]
# A net that trusts the training features as they are trusts them too much. So in training the video
# channels are moved, anew each time:

# %%
book.source(Perturbed.features)

# %% [markdown]
# ## Nets, fusion, decoding
#
# A **linear probe** (ridge regression of single seconds) and **ASFormer** read the video, the
# sensors, or both side by side. **Late fusion** multiplies the class probabilities of two
# separately trained nets:
#
# $$p(k) \propto p_{\text{video}}(k)^{1-s}\; p_{\text{sensors}}(k)^{s}$$

# %%
book.source(fused)

# %% [markdown]
# **Viterbi** finds the best segmentation by the net's scores, the lengths and the order of the
# training videos' actions (4.2 derives it).

# %%
book.source(decode)

# %% [markdown]
# ## Training
#
# Two weights remain to be chosen: of the scores in the decoding, and of the sensors in the fusion.
# Test videos choose nothing, and the split's training videos cannot, because the CNN knows them:

# %%
book.source(choose)

# %%
rows = {number: predict_split(book, sensors, number) for number in book.splits}
chosen = pd.concat(rows, names=["split"]).reset_index(level="split")

# %% tags=["remove-input"]
book.say(views.choices_sentence(chosen))

# %% [markdown]
# ## Results

# %%
metrics = views.scored(book)
book.metrics(metrics)
videos = views.per_video(metrics)
seeds = len(settings.seeds)
found = views.with_published(views.estimates(videos))
styled = views.shown(found, views.seed_spread(metrics), seeds)
caption = "Mean over the test videos of all splits and the seeds, with 95 % intervals over the videos; "
caption += "rows of a mean of models say so. The published rows read the same video features."
book.table("modalities", styled, found.rename_axis("method").reset_index(), caption)

# %% tags=["remove-input"]
place = published_table("modalities_references").attrs["place"]
book.say(f"Published: {place}.")

# %%
caption = "Each method with its 95 % interval over the videos; the published results as lines."
book.figure("modalities", views.draw(found, seeds), found.rename_axis("method").reset_index(), caption)

# %% [markdown]
# ## What each part adds
#
# Differences on the same videos, so that easy and hard videos cancel.

# %%
added = views.differences(videos, views.QUESTIONS)
caption = "Points that each part adds, with 95 % intervals over the videos."
book.table("modalities_added", views.shown_differences(added), added.reset_index(), caption)

# %% [markdown]
# ## The same predictions under other conventions
#
# ASFormer's papers pool the segments of all test videos and count the background.

# %%
conventions = views.conventions(views.scored(book, ("lea", "asformer")), seeds)
caption = "Mean over splits and seeds, percent."
book.table("modalities_conventions", conventions.style.format(precision=1), conventions, caption)

# %% [markdown]
# ## Without the split that was tuned on
#
# How long, at what rate and with how much noise to train was chosen once for all splits, on the
# test people of split 2 (the guide to real data has the trials). They are training people of the
# other splits, whose own test people chose nothing.

# %% tags=["remove-input"]
book.say(views.untuned_sentence(metrics, seeds))

# %% [markdown]
# ## Answer

# %% tags=["remove-input"]
book.say(views.answer_sentence(found, added, seeds))
