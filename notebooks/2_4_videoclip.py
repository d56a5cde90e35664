# %% [markdown]
# # 2.4 The multimodal model: S3D and VideoCLIP
#
# The thesis chose VideoCLIP ([Xu et al., EMNLP 2021](guides/bibliography.md#videoclip)) for three reasons: it learns from HowTo100M,
# the largest set of narrated videos; its contrastive loss keeps the video part separate from the
# text part; and its authors showed action segmentation with it, even without fine-tuning. Its
# backbone, S3D, is a relative of the baseline's I3D. As in 2.2, the figures are drawn from the
# modules themselves.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import copy
from dataclasses import asdict
from typing import get_args

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from lib.backbones.s3d import S3D, mil_nce_loss
from lib.backbones.s3d_features import (
    load_s3d,
    make_features,
    narrated_set,
    open_pack,
    sample_scores,
)
from lib.backbones.shipped import SHIPPED, record
from lib.backbones.steps import EPOCHS, SHORT, s3d_steps
from lib.core.settings import S3DLayer
from lib.notebook import architecture_videoclip, plots
from lib.notebook import pretraining_sentences as sentences
from lib.notebook.architecture import count_parameters
from lib.notebook.notebook import open_notebook
from lib.pretraining.pairs import overlapping_pair
from lib.videoclip.model import VideoCLIP, contrastive_loss
from lib.videoclip.towers import build_videoclip

# %% tags=["hide-input"]
book = open_notebook("2_4_videoclip", params, split, overrides)
settings, towers = book.params.s3d, book.params.videoclip
mil_nce, lengths = book.params.mil_nce, book.params.pretrain.pairs

# %% [markdown]
# ## 2.4.1 The net for features: S3D
#
# S3D ([Xie et al., ECCV 2018](guides/bibliography.md#s3d)) is an I3D whose convolutions over space and time are split: first over
# space, then over time. **Figure 13** follows a second of video through the net, and shows one of
# its inception blocks, to be set beside Figure 3.

# %%
# shapes without numbers
with torch.device("meta"):
    full = S3D()
net = S3D(settings.embedding_dim, settings.width, words=1)
blocks = architecture_videoclip.trace_s3d(net, full, (settings.fps, settings.crop, settings.crop))
figure = architecture_videoclip.draw_s3d(blocks, full.mixed_3b, "mixed_3b")
caption = "S3D: a) its blocks with their outputs, b) an inception block at full size."
book.figure(13, figure, blocks, caption)

# %% tags=["remove-input"]
text_side = count_parameters(full.text_module)
book.say(sentences.s3d(blocks, text_side, settings.width))

# %% [markdown]
# ### MIL-NCE
#
# HowTo100M has no labels, and what is said often comes before or after it is done. MIL-NCE
# ([Miech et al., CVPR 2020](guides/bibliography.md#mil-nce)) therefore takes the captions nearest
# in time to a clip as *candidates*, and asks only that some of them fit (equation 4):
#
# $$L = \max_{f,g} \sum_{i=1}^n \log \left(\frac{\sum_{(x,y) \in P_i} e^{f(x)^\top g(y)}}
# {\sum_{(x,y) \in P_i} e^{f(x)^\top g(y)} + \sum_{(x',y') \sim N_i} e^{f(x')^\top g(y')}} \right)
# , \tag{4}$$
#
# with $f$ the net above, $g$ the text side (fixed word vectors, two layers, a maximum over the
# words), $P_i$ the pairs of clip $i$ with its candidates, and $N_i$ pairs from the rest of the
# batch: the clip with captions of others, and its captions with other clips. Our loss is minus the
# mean of the same logarithms, to be minimized:

# %% tags=["remove-input"]
book.source(mil_nce_loss)

# %% [markdown]
# The published weights were trained on HowTo100M from scratch. The demo's come with the project:
# they learnt from narrated videos with people, foods and dishes that the target videos do not show
# (`make weights`). A thousand videos do not get this loss off the ground, so the net starts on the
# labelled clips of 2.2's I3D, and each later step sees some of them too. Several clips are drawn from
# each video; otherwise the net learns to distinguish kitchens, not actions.

# %%
net, words, history = load_s3d(book)
if history is not None:
    curves = history.set_index("epoch")
    labels = {
        "mil_nce": "MIL-NCE loss",
        "hit": "clips that find their captions, %",
        "verb": "verb of labelled clips, %",
    }
    figure = plots.curve_panels({label: {name: curves[name]} for name, label in labels.items()})
    book.figure("s3d_training", figure, history, "Training of the demo's S3D.")

# %% tags=["remove-input"]
if history is not None:
    batches = mil_nce.epochs * mil_nce.batches
    book.say(sentences.s3d_training(history["hit"].iloc[-1], batches, mil_nce.batch, len(words)))
if settings.weights == SHIPPED:
    book.say(sentences.provenance(record(), {"s3d": "both parts"}))

# %% [markdown]
# The same code, a handful of steps from random weights:

# %%
if settings.weights == SHIPPED:
    steps = s3d_steps(book)
    shown = steps.style.hide().format(precision=3)
    book.table("s3d_steps", shown, steps, "A few steps of MIL-NCE.")
    book.say(sentences.live_steps(steps, SHORT["batches"] * EPOCHS))

# %% [markdown]
# ### One feature per second
#
# The thesis's own pre-training read features as HowTo100M's authors released them, and its transfer
# read features that another program had made. Here the name of a feature set says how it was made,
# and a model remembers the name.

# %%
sets = make_features(book)
shown = sets.style.hide().format(precision=2)
book.table("second_features", shown, sets, "Features of S3D, one vector per second.")

# %% [markdown]
# **Figure 14** shows both sides, and real scores: seconds of some validation videos against the
# captions nearest to each.

# %%
# made here for the demo, by `lib.pretrain` for HowTo100M
packs = [book.out.packed / narrated_set(book.params, layer) for layer in get_args(S3DLayer)]
narrated = all((pack / "val" / "note.json").exists() for pack in packs)
if narrated:
    scores = sample_scores(book)
    size = (settings.fps, settings.crop, settings.crop)
    figure = architecture_videoclip.draw_mil_nce(net, size, mil_nce.words, scores)
    table = pd.DataFrame(scores, index=pd.RangeIndex(1, len(scores) + 1, name="clip"))
    caption = "Training of S3D: both sides, and scores of clips and captions."
    book.figure(14, figure, table.reset_index(), caption)

# %% tags=["remove-input"]
if narrated:
    book.say(sentences.mil_nce_scores(scores, settings.normalize))
    book.say(f"The demo trains with batches of {mil_nce.batch} clips.")

# %% [markdown]
# ## 2.4.2 The main model: VideoCLIP
#
# Two towers, each the first layers of BERT, read a clip (one feature per second, through a small
# MLP) and its captions. The vectors of a clip, $z_v$, and of a text, $z_t$, are means over the last
# states, without [CLS], with [SEP] (**Figure 15**):

# %% tags=["remove-input"]
book.source(VideoCLIP._video_tokens)
book.source(VideoCLIP.encode_video)
book.source(VideoCLIP.encode_text)

# %% [markdown]
# The contrastive loss (equation 5) pulls the two vectors of a pair together:
#
# $$L = -\sum_{(v,t) \in B} \left(\log \frac{\exp(z_v \cdot z_t^+ / \tau)}{\sum_{z \in \{z_t^+,
# z_t^-\}} \exp(z_v \cdot z / \tau)} + \log \frac{\exp(z_t \cdot z_v^+ / \tau)}{\sum_{z \in \{z_v^+,
# z_v^-\}} \exp(z_t \cdot z / \tau)} \right), \qquad \tau = 1 . \tag{5}$$
#
# Negatives ($-$) are all other pairs of the batch $B$. The code takes the mean over the pairs where
# the equation has the sum. (The thesis's legend calls $z_v$ the vector of the captions and $z_t$
# that of the clip; in the equation, and here, it is the other way round.)

# %% tags=["remove-input"]
book.source(contrastive_loss)

# %%
model = build_videoclip(towers, net.feature_dim, seed=0)
with torch.device("meta"):
    full = VideoCLIP(BertConfig(), video_layers=6, input_dim=512)
    pooler = BertModel(BertConfig()).pooler
figure = architecture_videoclip.draw_videoclip(model, lengths.longest_text)
parts = pd.DataFrame({"part": ["mlp", "video", "text"]})
for name, net_of in (("parameters", model), ("full-size parameters", full)):
    parts[name] = [count_parameters(net_of.get_submodule(part)) for part in parts["part"]]
caption = "VideoCLIP: tokens with their positions, towers, means and dot products."
book.figure(15, figure, parts, caption)

# %% tags=["remove-input"]
book.say(sentences.videoclip_size(parts, 2 * count_parameters(pooler), model.max_video_len + 1))

# %% [markdown]
# Only the MLP is new: as published, it starts as BERT's own layers do, from N(0, 0.02) and zero
# biases. The biases matter, because features of length 1 are small beside torch's random ones.

# %% tags=["remove-input"]
inputs = torch.randn(1000, model.input_dim, generator=torch.Generator().manual_seed(0))
usual = copy.deepcopy(model.mlp)
with torch.random.fork_rng():
    torch.manual_seed(0)
    usual.linear1.reset_parameters()
    usual.linear2.reset_parameters()
with torch.inference_mode():
    both = [mlp(F.normalize(inputs)) for mlp in (model.mlp, usual)]
ours, torchs = (y.mean(dim=0).square().sum() / y.square().sum(dim=1).mean() for y in both)
book.say(
    f"Of the untrained MLP's output for random vectors of length 1, {ours:.1%} (in squares) is the "
    f"same for all of them. From torch's initial weights it would be {torchs:.0%}, and clips would "
    "begin nearly alike."
)

# %% [markdown]
# ### Positive pairs
#
# A clip and captions of exactly the same time would often not fit, so a pair need only overlap:
#
# 1. draw a caption, and let it grow by its neighbours on random sides until it has a random number
# of word pieces; 2. draw a second $t_c$ between its start $t_s$ and its end $t_e$; 3. draw a
# length, and let a clip of that length grow from $t_c$ to random sides. (In the thesis's text $t_c$
# is the middle of the clip; in the code, and here, it lies anywhere in it or just beside it.)

# %% tags=["remove-input"]
book.source(overlapping_pair)

# %% [markdown]
# YouTube's automatic captions roll: each repeats the end of the one before. As in VideoCLIP's code,
# `pretrain.deduplicate` removes the repeats first; 2.1 counts the words that only repeat others, in
# real captions and in the demo's.
#
# Text comes first so that no clip is drawn where nobody speaks. Below are pairs as our pre-training
# draws them.

# %%
if narrated:
    narration = open_pack(book, "mixed_5c", "val")
    number = max(range(min(64, len(narration))), key=lambda video: len(narration.features(video)))
    track, seconds = narration.track(number), len(narration.features(number))
    rng = np.random.default_rng(0)
    pairs = [overlapping_pair(track, seconds, lengths, rng) for _ in range(1000)]
    drawn = pd.DataFrame([asdict(pair) for pair in pairs])
    drawn["text start"] = track.start[drawn["first"]]
    drawn["text end"] = track.end[drawn["last"] - 1]
    figure = architecture_videoclip.draw_pairs(track, pairs[:6], seconds)
    caption = "Captions of a validation video, and six pairs drawn from it."
    book.figure("positives", figure, drawn.head(6), caption)

# %% tags=["remove-input"]
if narrated:
    book.say(sentences.pair_overlap(drawn, seconds, lengths.video_seconds))
else:
    book.say("Scores and pairs need narrated videos, which `lib.pretrain` packs; here are none.")
