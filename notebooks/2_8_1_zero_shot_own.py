# %% [markdown]
# # 2.8.1 Zero-shot transfer, own weights
#
# The pre-trained model is given the names of the classes and has never seen a label of the target set. In the thesis this
# gave an accuracy of less than a third, "not random, but far below the baseline". Whether it is more than chance takes two
# controls that the thesis did not have: the same net without pre-training, and the commonest class.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import alone, beside, mark_best
from lib.pretraining.recipes import load_pretrained
from lib.scoring.confusion import long_table, split_matrices, summed
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table
from lib.scoring.seconds import SECOND_COLUMNS, SECONDS, by_split
from lib.videoclip.evaluation import untrained_table, ways_to_ask, zero_shot
from lib.videoclip.target import open_target

book = open_notebook("2_8_1_zero_shot_own", params, split, overrides)

# %% [markdown]
# ## Table 4

# %%
ready = load_pretrained(book, "own")
target = open_target(book, ready.layer, ready.feature_set)
metrics = zero_shot(book, target, ready, "own")
book.metrics(metrics)

# %%
ours = by_split(metrics, "videoclip_own_zero_shot", SECONDS, SECOND_COLUMNS)
controls = {
    "untrained, mean of the seeds": untrained_table(metrics, "own"),
    "commonest class of training": by_split(metrics, "commonest_class", SECONDS, SECOND_COLUMNS),
}
table, values = beside(ours, published_table(4), book.params.data.name, controls=controls)
book.table(4, table, values, "Zero-shot transfer of the model with own weights, a label a second.")

# %% tags=["remove-input"]
untrained = [
    by_split(metrics, f"videoclip_own_untrained_{seed}", SECONDS, ["accuracy"])["accuracy"].iloc[-1]
    for seed in book.params.zero_shot.seeds
]
commonest, theirs = controls["commonest class of training"].iloc[-1], published_table(4).loc["mean"]
book.say(
    f"Accuracy {ours['accuracy'].iloc[-1]:.3f} here, {theirs['accuracy']:.3f} in the thesis. The same net untrained scores "
    f"{min(untrained):.3f} to {max(untrained):.3f} over {len(untrained)} seeds, the commonest class {commonest['accuracy']:.3f}"
    + (": no evidence of transfer." if ours["accuracy"].iloc[-1] <= max(*untrained, commonest["accuracy"]) else ".")
)

# %% [markdown]
# ## One protocol for all
#
# The table above is scored as the thesis scored VideoCLIP: a label a second, and an edit distance in seconds, which is close
# to the number of wrong seconds. The same predictions, a label a frame, with the segmental scores of 2.3:

# %%
frames = by_split(metrics, "videoclip_own_zero_shot", book.params.data.convention, METRICS)
table, values = alone(frames, book.params.data.name)
book.table("zero_shot_own_frames", table, values, "Zero-shot, own weights, scored a frame.")

# %% tags=["remove-input"]
mean = frames.iloc[-1]
book.say(
    f"A frame counts {mean['accuracy'] - ours['accuracy'].iloc[-1]:+.3f} in accuracy against a second. The edit score is {mean['edit']:.1f} of 100 "
    f"where the distance in seconds is {ours['raw_edit'].iloc[-1]:.1f}: two different things under one name."
)

# %% [markdown]
# ## Where it errs
#
# Each row sums to one: what the seconds of a class were taken for.

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, "videoclip_own_zero_shot")
book.figure(
    18,
    draw_confusions(matrices),
    long_table(matrices),
    "Zero-shot transfer, own weights: shares of the true class's seconds.",
)

# %% tags=["remove-input"]
named = summed(matrices)
given, true = named.sum() / named.to_numpy().sum(), named.sum(axis=1) / named.to_numpy().sum()
top = given.nlargest(3)
book.say(
    f"{top.sum():.0%} of all seconds are given one of three names: {', '.join(f'`{name}` ({share:.0%}, true {true[name]:.0%})' for name, share in top.items())}; "
    f"{(given < 0.005).sum()} of {len(given)} classes are hardly ever named."
)

# %% [markdown]
# ## How to ask
#
# The thesis gave the text tower the names as they stand in the file, `cut_tomato`, and its code hid the video [CLS] from the
# other tokens, though pre-training saw it. Words, and [CLS] as in pre-training, cost nothing to try. Nothing is chosen by it.

# %%
ways = ways_to_ask(book, target, ready)
book.table(
    "prompts_own",
    mark_best(ways).format(precision=1),
    ways.reset_index(),
    "Accuracy of the seconds by prompt and [CLS], percent.",
)

# %% tags=["remove-input"]
gain = ways.loc["words"] - ways.loc["raw"]
book.say(
    f"Words against raw names: {gain.iloc[0]:+.1f} points with [CLS] hidden, {gain.iloc[1]:+.1f} with it seen. Seeing [CLS] against hiding it: "
    + ", ".join(f"{row['[CLS] seen'] - row['[CLS] hidden']:+.1f} ({style})" for style, row in ways.iterrows())
    + " points."
)
