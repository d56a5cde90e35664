# %% [markdown]
# # 2.4 The multimodal model: S3D and VideoCLIP
#
# The thesis chose VideoCLIP (Xu et al., EMNLP 2021) for three reasons: it learns from HowTo100M, the largest set of narrated
# videos; its contrastive loss keeps the part for video apart from the part for text; and its authors showed action
# segmentation with it, even without fine-tuning. Its backbone, S3D, is a relative of the baseline's I3D. As in 2.2, the
# figures are drawn from the modules themselves.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from transformers import BertConfig, BertModel

from lib.backbones.s3d import S3D
from lib.backbones.s3d_features import load_s3d, make_features, open_pack, sample_scores
from lib.notebook import architecture_videoclip, plots
from lib.notebook.notebook import open_notebook
from lib.pretraining.pairs import overlapping_pair
from lib.videoclip.model import VideoCLIP
from lib.videoclip.towers import build_videoclip

# %% tags=["hide-input"]
book = open_notebook("2_4_videoclip", params, split, overrides)
settings, towers = book.params.s3d, book.params.videoclip
mil_nce, lengths = book.params.mil_nce, book.params.pretrain.pairs

# %% [markdown]
# ## 2.4.1 The net for features: S3D
#
# S3D (Xie et al., ECCV 2018) is an I3D whose convolutions over space and time are split: first over space, then over time.
# **Figure 13** follows a second of video through the net, and shows one of its inception blocks, to be set beside Figure 3.

# %%
with torch.device("meta"):  # shapes without numbers
    full = S3D()
net = S3D(settings.embedding_dim, settings.width, words=1)
blocks = architecture_videoclip.trace_s3d(net, full, (settings.fps, settings.crop, settings.crop))
figure = architecture_videoclip.draw_s3d(blocks, full.mixed_3b, "mixed_3b")
book.figure(13, figure, blocks, "S3D: a) its blocks with their outputs, b) an inception block at full size.")

# %% tags=["remove-input"]
here, published = blocks["parameters"].sum(), blocks["full-size parameters"].sum()
text_side = architecture_videoclip.count_parameters(full.text_module)
stem = blocks.set_index("block").loc["conv1"]
book.say(
    f"The thesis writes that the first and the third convolution are split. In the released net only the third is "
    f"(`conv_2c`): the first has one kernel, {stem['kernels']}, and reads cubes of 2x2x2 pixels that have become channels (the first "
    f"of its outputs along each axis is cut off). Nor does the text name the gates: this is S3D-G. "
    f"At full size the video side has {published / 1e6:.2f} million parameters, with the text side of Figure 14 "
    f"{(published + text_side) / 1e6:.2f} million. Here the video side has {here / 1e6:.2f} million, at width {settings.width:g}."
)

# %% [markdown]
# ### MIL-NCE
#
# Nobody labelled HowTo100M, and what is said often comes before or after it is done. MIL-NCE (Miech et al., CVPR 2020)
# therefore takes the captions nearest in time to a clip as *candidates*, and asks only that some of them fit (equation 4):
#
# $$L = \max_{f,g} \sum_{i=1}^n \log \left(\frac{\sum_{(x,y) \in P_i} e^{f(x)^\top g(y)}}
#   {\sum_{(x,y) \in P_i} e^{f(x)^\top g(y)} + \sum_{(x',y') \sim N_i} e^{f(x')^\top g(y')}} \right) ,$$
#
# with $f$ the net above, $g$ the text side (fixed word vectors, two layers, a maximum over the words), $P_i$ the pairs of
# clip $i$ with its candidates, and $N_i$ pairs from the rest of the batch: the clip with captions of others, and its captions
# with other clips. Our loss is the mean of the same logarithms with a minus, so it is made small.
#
# The published weights learnt on HowTo100M, from scratch. The demo's net learns here, on the narrated videos of 2.1. A few
# hundred do not get this loss off the ground in minutes, so it begins with the labelled clips on which the I3D of 2.2
# learnt; and of each video several clips are drawn, for else it learns to tell kitchens apart and not actions.

# %%
net, words, history = load_s3d(book)
if history is not None:
    curves = history.set_index("epoch")
    labels = {"loss": "MIL-NCE loss", "hit": "clips that find their captions, %"}
    figure = plots.curve_panels({label: {name: curves[name]} for name, label in labels.items()})
    book.figure("s3d_training", figure, history, "Training of the demo's S3D.")

# %% tags=["remove-input"]
if history is not None:
    book.say(
        f"After {mil_nce.epochs * mil_nce.batches} batches, {history['hit'].iloc[-1]:.0f} % of the clips score highest, among the captions of {mil_nce.batch} clips, "
        f"with one of their own; guessing would give {100 / mil_nce.batch:.0f} %. It knows {len(words)} words."
    )

# %% [markdown]
# ### One feature a second
#
# The thesis's own pre-training read features as HowTo100M's authors released them, and its transfer read features that
# another program had made. Here the name of a feature set says how it was made, and a model remembers the name.

# %%
sets = make_features(book)
book.table("second_features", sets.style.hide().format(precision=2), sets, "Features of S3D, a vector a second.")

# %% [markdown]
# **Figure 14** has both sides, and real scores: seconds of some validation videos against the captions nearest to each.

# %%
narrated = book.params.data.source == "demo"  # their captions are at hand
if narrated:
    scores = sample_scores(book)
    size = (settings.fps, settings.crop, settings.crop)
    figure = architecture_videoclip.draw_mil_nce(net, size, mil_nce.words, scores)
    table = pd.DataFrame(scores, index=pd.RangeIndex(1, len(scores) + 1, name="clip"))
    book.figure(14, figure, table.reset_index(), "Training of S3D: both sides, and scores of clips and captions.")

# %% tags=["remove-input"]
if narrated:
    candidates = scores.shape[1] // len(scores)
    hits = (scores.argmax(axis=1) // candidates == np.arange(len(scores))).sum()
    batch = f"The demo trains with {mil_nce.candidates} candidates and batches of {mil_nce.batch} clips. "
    book.say(
        f"The thesis takes the 5 nearest captions, and 512 negatives from the batch. The released code samples none: it takes "
        f"all other clips and captions of the batch, and it counts the own scores twice below the line. "
        f"{batch if settings.weights is None else ''}"
        f"Clips that score highest with one of their own {candidates} candidates: {hits} of {len(scores)}; guessing would give 1. "
        f"{'The vectors f(x) in the figure have length 1, as features are kept.' if settings.normalize else ''}"
    )

# %% [markdown]
# ## 2.4.2 The main model: VideoCLIP
#
# Two towers, each the first layers of BERT, read a clip (a feature a second, through a small MLP) and its captions.
# A vector a clip, $z_v$, and a vector a text, $z_t$, are means over the last states: without [CLS], with [SEP]
# (**Figure 15**). The contrastive loss (equation 5) draws the two of a pair together:
#
# $$L = -\sum_{(v,t) \in B} \left(\log \frac{\exp(z_v \cdot z_t^+ / \tau)}{\sum_{z \in \{z_t^+, z_t^-\}} \exp(z_v \cdot z / \tau)}
#   + \log \frac{\exp(z_t \cdot z_v^+ / \tau)}{\sum_{z \in \{z_v^+, z_v^-\}} \exp(z_t \cdot z / \tau)} \right), \qquad \tau = 1 .$$
#
# Negatives ($-$) are all other pairs of the batch $B$. The code takes the mean over the pairs where the equation has the sum.
# (The thesis's legend names $z_v$ the vector of the captions and $z_t$ that of the clip; in the equation, and here, it is
# the other way round.)

# %%
model = build_videoclip(towers, net.feature_dim, seed=0)
with torch.device("meta"):
    full, pooler = VideoCLIP(BertConfig(), video_layers=6, input_dim=512), BertModel(BertConfig()).pooler
figure = architecture_videoclip.draw_videoclip(model, lengths.longest_text)
parts = pd.DataFrame({"part": ["mlp", "video", "text"]})
for name, clip_model in (("parameters", model), ("full-size parameters", full)):
    parts[name] = [architecture_videoclip.count_parameters(clip_model.get_submodule(part)) for part in parts["part"]]
book.figure(15, figure, parts, "VideoCLIP: tokens with their positions, towers, means and dot products.")

# %% tags=["remove-input"]
count, poolers = parts["full-size parameters"].sum(), 2 * architecture_videoclip.count_parameters(pooler)
book.say(
    f"With 6 and 12 layers of bert-base-uncased and features of {full.input_dim} numbers our VideoCLIP has {count / 1e6:.1f} million "
    f"parameters; the published one has 176.2 million without BERT's poolers, which it carries along but never uses, and 177.4 "
    f"million with them (ours: {(count + poolers) / 1e6:.1f}). This profile's has {parts['parameters'].sum() / 1e6:.1f} million, with "
    f"{towers.video_layers} and {towers.text_layers} layers of `{towers.start}` and features of {model.input_dim} numbers. [SEP] of a clip has "
    f"position {model.max_video_len + 1}, however short the clip."
)

# %% [markdown]
# ### Positive pairs
#
# A clip and captions of exactly the same time would often not fit, so a pair need only overlap:
#
# 1. draw a caption, and let it grow by its neighbours on random sides until it has a random number of word pieces;
# 2. draw a second $t_c$ between its start $t_s$ and its end $t_e$;
# 3. draw a length, and let a clip of that length grow from $t_c$ to random sides. (In the thesis's text $t_c$ is the middle of
#    the clip; in the code, and here, it lies anywhere in it or just beside it.)
#
# Text comes first so that no clip is drawn where nobody speaks. Below, pairs as the sampler of our pre-training draws them.

# %%
if narrated:
    narration = open_pack(book, "mixed_5c", "val")
    number = max(range(min(64, len(narration))), key=lambda video: len(narration.features(video)))
    track, seconds = narration.track(number), len(narration.features(number))
    rng = np.random.default_rng(0)
    pairs = [overlapping_pair(track, seconds, lengths, rng) for _ in range(1000)]
    drawn = pd.DataFrame([asdict(pair) for pair in pairs])
    drawn["text start"], drawn["text end"] = track.start[drawn["first"]], track.end[drawn["last"] - 1]
    figure = architecture_videoclip.draw_pairs(track, pairs[:6], seconds)
    book.figure("positives", figure, drawn.head(6), "Captions of a validation video, and six pairs drawn from it.")

# %% tags=["remove-input"]
if narrated:
    common = drawn[["end", "text end"]].min(axis=1) - drawn[["start", "text start"]].max(axis=1)
    clip, text = drawn["end"] - drawn["start"], drawn["text end"] - drawn["text start"]
    shortest, longest = lengths.video_seconds
    book.say(
        f"The thesis draws clips of 0 to 32 seconds; its code draws 3 to 32, this profile {shortest} to {longest}. Of 1000 pairs of "
        f"this video ({seconds} s) a clip lasts {clip.mean():.1f} s on average and its captions {text.mean():.1f} s. The thesis says that the two "
        f"need only overlap by half; nothing asks for as much: {100 * (common < clip / 2).mean():.0f} % of the clips share less than half of their "
        f"time with their captions, and {100 * (common <= 0).mean():.1f} % share none, as the drawn second may lie at "
        f"the very edge of both."
    )
else:
    book.say(
        "Scores and pairs are drawn from narrated videos, which 2.5 and 2.6 read; this profile's page leaves them out."
    )
