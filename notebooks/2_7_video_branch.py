# %% [markdown]
# # 2.7 The video branch
#
# Pre-training compares clips with captions. The target set has no captions, only names of classes.
# These go through the text tower once, and the video tower's states, one per second and not pooled,
# are compared with them by dot product. A video several minutes long does not fit into the tower,
# so it is processed in windows that overlap by half.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib.backbones.text import tokenizer
from lib.notebook import plots
from lib.notebook import videoclip_sentences as sentences
from lib.notebook.figures import branch_table, draw_branch
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.pretraining.recipes import load_pretrained
from lib.scoring.seconds import second_targets
from lib.videoclip.target import open_target
from lib.videoclip.windows import by_position, cut_windows, merge_windows, merged_accuracy, trace
from lib.videoclip.zero_shot import class_vectors, prompts

book = open_notebook("2_7_video_branch", params, split, overrides)
settings = book.params.zero_shot

# %% [markdown]
# ## The windows
#
# A window $w$ begins every 16 seconds. What is computed for second $t$ is averaged over the windows
# $W_t$ that contain it, $y_t = \frac{1}{|W_t|} \sum_{w \in W_t} y_{w,t}$, whether states or scores:

# %% tags=["remove-input"]
book.source(cut_windows)
book.source(merge_windows)

# %% [markdown]
# ## One video on its way
#
# The text tower reads each class name once. No background class is added; two of the classes,
# `action_start` and `action_end`, come close to one. Seconds without a label, at the end of some
# videos, count as the first class, as in the thesis's code.

# %%
ready = load_pretrained(book, "own")
target = open_target(book, ready.layer, ready.feature_set)
texts = prompts(target.dataset.classes, settings.prompts)
vectors = class_vectors(ready.model, tokenizer(book.params.videoclip), texts)
options = {"stride": settings.stride, "cls_visible": settings.cls_visible}
traces = [trace(target, video, ready.model, vectors, **options) for _, video in target.tested()]

# %%
one = traces[0]
figure, classes = draw_branch(one, target.dataset.classes), target.dataset.classes
caption = "A video on its way through the branch, own weights."
book.figure("branch", figure, branch_table(one, classes), caption)

# %% tags=["remove-input"]
size, table = one.inside.shape[1], branch_table(one, classes)
about = (one.video, table, len(one.starts), size, settings.stride, texts[0])
book.say(sentences.windows_of(*about))

# %% [markdown]
# ## Are the edges worse?
#
# The thesis overlaps the windows because a second at a window's edge sees only what comes before
# it, or only what comes after. That can be measured: accuracy by position in the window, before the
# windows are merged.

# %%
places = by_position(traces)
figure, ax = plt.subplots(figsize=(plots.WIDTH, 3))
ax.bar(places.index + 1, places["accuracy"], color="#0072B2", width=0.8)
ax.axhline(merged_accuracy(traces), color=plots.MEAN_COLOUR, ls="--", lw=1.2, label="after merging")
ax.set(xlabel="second of the window", ylabel="accuracy, %")
_ = ax.legend(loc="lower right")
book.figure("window_edges", figure, places.reset_index(), "Accuracy by the position in the window.")

# %%
options["stride"] = ready.model.max_video_len
apart = [trace(target, video, ready.model, vectors, **options) for _, video in target.tested()]

# %% tags=["remove-input"]
book.say(sentences.window_edges(places, merged_accuracy(traces), merged_accuracy(apart)))

# %% [markdown]
# ## What the thesis says
#
# By video: accuracy in the inner half of the windows less that in the outer half, accuracy with
# overlapping windows less that with windows side by side (points), and seconds without a label.

# %%
both = list(zip(traces, apart, strict=True))
values = {
    "edges": [sentences.edge_gain(by_position([one])) for one in traces],
    "overlap": [merged_accuracy([one]) - merged_accuracy([other]) for one, other in both],
    "unlabelled": [
        (second_targets(target.dataset.labels(one.video), target.dataset.fps, -1) < 0).sum()
        for one in traces  # as the thesis's code made its targets
    ],
}
show_claims(book, values={name: pd.Series(each) for name, each in values.items()})
