# %% [markdown]
# # 2.7 The video branch
#
# Pre-training compares clips with captions. On the target set there are no captions, only the names of the classes: they go
# through the text tower once, and the video tower's states, one a second and not pooled, are compared with them by dot
# product. A video of minutes does not fit into the tower, so it goes through in windows that overlap by half.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lib.backbones.text import tokenizer
from lib.notebook import plots
from lib.notebook.figures import branch_table, draw_branch
from lib.notebook.notebook import open_notebook
from lib.pretraining.recipes import load_pretrained
from lib.videoclip.target import open_target
from lib.videoclip.windows import by_position, merged_accuracy, trace
from lib.videoclip.zero_shot import class_vectors, prompts

book = open_notebook("2_7_video_branch", params, split, overrides)
settings = book.params.zero_shot

# %% [markdown]
# ## One video on its way
#
# The text tower reads each class name once. No background class is added: every second of the data set has one of the
# classes, and two of them, `action_start` and `action_end`, are close to a background.

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
book.figure("branch", figure, branch_table(one, classes), "A video on its way through the branch, own weights.")

# %% tags=["remove-input"]
shown = branch_table(one, classes)
book.say(
    f"`{one.video}`, {len(one.truth)} seconds in {len(one.starts)} windows of {one.inside.shape[1]}, one every {settings.stride}. {(shown['windows'] > 1).mean():.0%} of its seconds are in more than one window; "
    f"the first {settings.stride} and the last are in one only. The text tower read e.g. “{texts[0]}”. {(shown['truth'] == shown['best']).mean():.0%} of the seconds get their class."
)

# %% [markdown]
# ## Are the edges worse?
#
# The thesis overlaps the windows because a second at a window's edge sees only what came before it, or only what comes
# after. That can be measured: accuracy by the place in the window, before anything is merged.

# %%
places = by_position(traces)
figure, ax = plt.subplots(figsize=(plots.WIDTH, 3))
ax.bar(places.index + 1, places["accuracy"], color="#0072B2", width=0.8)
ax.axhline(merged_accuracy(traces), color=plots.MEAN_COLOUR, ls="--", lw=1.2, label="after merging")
ax.set(xlabel="second of the window", ylabel="accuracy, %")
ax.legend(loc="lower right")
book.figure("window_edges", figure, places.reset_index(), "Accuracy by the place in the window.")

# %%
options["stride"] = ready.model.max_video_len
apart = [trace(target, video, ready.model, vectors, **options) for _, video in target.tested()]

# %% tags=["remove-input"]
edge = max(1, len(places) // 4)
outer, inner = places.iloc[[*range(edge), *range(-edge, 0)]], places.iloc[edge:-edge]
means = [(part["accuracy"] * part["seconds"]).sum() / part["seconds"].sum() for part in (outer, inner)]
book.say(
    f"The outer half of a window has {means[0]:.1f} % right, the inner half {means[1]:.1f} %. Windows that overlap by half and are averaged give {merged_accuracy(traces):.1f} %, "
    f"windows side by side {merged_accuracy(apart):.1f} %: overlap is worth {merged_accuracy(traces) - merged_accuracy(apart):+.1f} points here. "
    "Averaging the scores and averaging the states are the same thing, since a score is linear in the state."
)
