# %% [markdown]
# # 2.2 The baseline: I3D and ASFormer
#
# The unimodal baseline has two parts. A backbone, I3D
# ([Carreira and Zisserman, CVPR 2017](guides/bibliography.md#i3d)), turns 21 frames around a moment
# into one vector. ASFormer ([Yi, Wen and Jiang, BMVC 2021](guides/bibliography.md#asformer)) labels
# every frame of the whole sequence of vectors. The figures below are drawn from the modules
# themselves, with this profile's settings: shapes and counts are read from them. Where the thesis's
# text and code differ, here and later, one page [lists it](guides/deviations.md).

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd
import torch

from lib.asformer.model import ASFormer, Layer, WindowAttention, attention_mask, window_weights
from lib.asformer.training import segmentation_loss
from lib.backbones import i3d
from lib.backbones.labelled_clips import THINGS, VERBS
from lib.backbones.shipped import SHIPPED, record
from lib.backbones.steps import EPOCHS, SHORT, i3d_histories, i3d_steps
from lib.notebook import architecture, plots
from lib.notebook import pretraining_sentences as sentences
from lib.notebook.architecture import count_parameters
from lib.notebook.notebook import open_notebook

book = open_notebook("2_2_asformer", params, split, overrides)
settings, former = book.params.i3d, book.params.asformer

# %% [markdown]
# ## 2.2.1 The backbone
#
# The thesis's text describes the two-stream Inception-v1 of the paper. Its code ran pytorchvideo's
# `i3d_r50`: a ResNet-50 inflated over time, on RGB only. That is the net built here.

# %%
with torch.device("meta"):  # shapes without numbers
    net, full = i3d.I3DResNet(settings.width).eval(), i3d.I3DResNet()
    flow = i3d.I3DResNet(settings.width, input_channels=2)
    clip = torch.zeros(1, 3, settings.window, settings.crop, settings.crop)
blocks = architecture.trace_blocks(net.blocks[:6], clip)
blocks.insert(1, "full-size parameters", [count_parameters(block) for block in full.blocks[:6]])

# %%
figure = architecture.draw_i3d(blocks, clip.shape, full.blocks[1].res_blocks[0])
book.figure(3, figure, blocks, "I3D: a) its blocks with their outputs, b) an inflated block at full size.")

# %% tags=["remove-input"]
total = count_parameters(full)
here = count_parameters(net)
book.say(
    f"At full width the net has {total / 1e6:.2f} million parameters (the thesis quotes 25 M for two Inception streams); "
    f"this profile's net, of width {settings.width} instead of 64, has {here / 1e6:.2f} million. "
    f"A frame's feature has {net.feature_dim} numbers; the thesis's features have {full.feature_dim}."
)

# %% [markdown]
# Two such nets, one on frames and one on optical flow, make the two-stream variant (**Figure 4**).
# The paper averages their class scores. Features have no common axis to average over, so they are
# concatenated, RGB first, as in the features that MS-TCN released.

# %%
streams = {"frames": (3, net.feature_dim), "optical flow": (2, flow.feature_dim)}
figure = architecture.draw_two_streams(streams, settings.window)
table = pd.DataFrame.from_dict(streams, orient="index", columns=["channels in", "features out"])
book.figure(4, figure, table.rename_axis("stream"), "The two-stream variant.")

# %% [markdown]
# ### Weights
#
# The thesis used weights trained on Kinetics-400. The demo's come with the project: both streams
# learnt from rendered clips of other people, foods and crafts to name the verb and the thing in a
# clip, never from the target data set. `make weights` trains them anew.

# %%
runs = i3d_histories(book)
if runs:
    panels = {
        stream: history.set_index("epoch")[["verb", "thing"]].to_dict("series") for stream, history in runs.items()
    }
    figure = plots.curve_panels(panels, shared="training accuracy, %")
    table = pd.concat(runs, names=["stream"]).reset_index()
    book.figure("backbone_training", figure, table, "Training of the backbones.")

# %% tags=["remove-input"]
if runs:
    book.say(sentences.trained_streams(runs, len(VERBS), len(THINGS)))
if settings.weights == SHIPPED:
    nets = {f"i3d_{stream}": stream for stream in runs}
    book.say(sentences.provenance(record(), nets))
elif not runs:
    where = f"the weights are read from `{settings.weights}`."
    book.say(f"Where features are extracted (2.3.2), {where}")

# %% [markdown]
# The same code, a handful of steps from random weights:

# %%
if settings.weights == SHIPPED:
    steps = i3d_steps(book)
    shown = steps.style.hide().format(precision=3)
    book.table("backbone_steps", shown, steps, "A few steps of I3D's training.")
    book.say(sentences.live_steps(steps, SHORT["batches"] * EPOCHS))

# %% [markdown]
# ## 2.2.2 ASFormer
#
# With $q$, $k$, $v$ three linear maps of a frame's vector, attention (equation 1) is
#
# $$\text{Attention}(Q, K, V) = \text{softmax}\left(\frac{QK^\top}{\sqrt d}\right) V . \tag{1}$$
#
# In layer $i$ it is restricted to windows around blocks of $2^i$ frames. `cut` takes each block with
# half a block on either side; the bias hides keys outside the window.

# %%
book.source(window_weights)
book.source(WindowAttention.forward)

# %% [markdown]
# Each layer first convolves over time with dilation $2^i$, then attends. Equation 2 of the thesis,
#
# $$h = \text{feed forward}(x), \qquad \text{out} = \alpha \cdot \text{attention}(\text{norm}(h)) + h , \tag{2}$$
#
# omits what the code adds at the end: a 1x1 convolution, dropout and the residual $x$.

# %%
book.source(Layer.forward)

# %% [markdown]
# In the encoder $\alpha = 1$; in decoder $s = 0, 1, 2$ it is $e^{-3s}$. A decoder takes its values
# $v$ from the stage before it. (The text says that queries and keys mix both streams; in the
# published code both come from the decoder's own stream.)

# %%
num_classes, input_dim = 19, 2048  # 50 Salads, full-size I3D
model = ASFormer(input_dim, num_classes, former.num_layers, former.num_maps, former.num_decoders)
counts = [count_parameters(stage) for stage in (model.encoder, *model.decoders)]
names = ["encoder", *(f"decoder {n + 1}" for n in range(former.num_decoders))]
parts = pd.DataFrame({"stage": names, "parameters": counts})
figure = architecture.draw_asformer(counts, num_classes, former.num_maps)
book.figure(5, figure, parts, "ASFormer: a) a block of the encoder, b) the whole, c) a block of a decoder.")

# %% tags=["remove-input"]
official = count_parameters(ASFormer(2048, 19))
book.say(
    f"On 2048-d features this profile's model has {sum(counts):,} parameters; with the thesis's settings (10 layers, 64 maps, "
    f"3 decoders, 19 classes) it has {official:,}."
)

# %% [markdown]
# ### What a layer sees
#
# The thesis describes 9 blocks with a largest dilation of $2^9$; its code has 10 blocks, $2^0$ to
# $2^9$. The table gives, for each layer of this profile, its dilation, the span of its attention
# window, and the frames that the convolutions of one stage have reached by then.

# %%
rate = book.params.data.fps / former.sample_rate
layers = pd.DataFrame({"layer": range(1, former.num_layers + 1)})
layers["dilation"] = [layer.feed_forward["layer"][0].dilation[0] for layer in model.encoder.layers]
layers["window, frames"] = 2 * layers["dilation"] - 1 if former.attention_band == "published" else layers["dilation"]
layers["window, s"] = layers["window, frames"] / rate
layers["reached by convolutions, frames"] = 1 + 2 * layers["dilation"].cumsum()
layers["reached, s"] = layers["reached by convolutions, frames"] / rate
book.table(
    "asformer_layers",
    layers.style.hide().format(precision=1),
    layers,
    f"The layers of a stage, at {rate:g} frames per second.",
)

# %%
frames, block = 32, 8
masks = {band: attention_mask(frames, block, band, torch.zeros(1)) for band in ("published", "thesis")}
seen = {band: architecture.visible_keys(mask, frames) for band, mask in masks.items()}
pairs = pd.DataFrame({band: matrix.reshape(-1).tolist() for band, matrix in seen.items()}).astype(int)
figure = architecture.draw_visible(seen, block)
book.figure("attention_windows", figure, pairs, "Which frames a frame attends to, from the masks that the model uses.")

# %% tags=["remove-input"]
published, thesis = (matrix.sum(1).float().mean().item() for matrix in seen.values())
book.say(
    f"In the released code an index is missing in the line that builds the mask, so all frames of a block see the same "
    f"window: {published:.1f} frames on average in this example, against {thesis:.1f} in the band that the paper draws. "
    "The released weights were trained this way. The thesis's repository had corrected the line before its first run, so "
    f"its Tables 1 to 3 are the band's. This profile runs `{former.attention_band}`; 4.2 measures the difference."
)

# %% [markdown]
# ### The loss
#
# Each stage has a loss, and the losses are summed (equation 3). The text penalizes changes of
# probabilities with $\lambda = 0.25$; the code penalizes clipped changes of log-probabilities with
# $\lambda = 0.15$:
#
# $$L = -\frac1T \sum_t \log y_{t,c_t} + \frac{\lambda}{TC} \sum_{t,c}
#   \min\left(\left|\log y_{t,c} - \log \bar y_{t-1,c}\right|, 4\right)^2 , \tag{3}$$
#
# where no gradient passes through $\bar y$.

# %%
book.source(segmentation_loss)
