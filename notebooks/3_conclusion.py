# %% [markdown]
# # 3 Conclusion
#
# The thesis ends with one table of accuracies and the sentence that its hypothesis was confirmed: multimodal pre-training
# helps. Here stand the same nine rows, each with what it leaves out: how the segments fared, the spread over the splits, and
# one way of scoring for all.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]

from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import style_ten
from lib.scoring import conclusion
from lib.scoring.conclusion import check_claims
from lib.scoring.folders import Cell, pairs_of

book = open_notebook("3_conclusion", params, split, overrides)
dataset, convention = book.dataset(), book.params.data.convention

# %% [markdown]
# ## Table 10
#
# Every method wrote a label for each annotated frame; nothing below has looked at a model. "As the thesis" scores ASFormer a
# frame and VideoCLIP a second. The common protocol is frame by frame for all: accuracy and F1 pooled over a split's videos,
# the edit score of the segments. The first row is the paper's own and has published values only.

# %%
found = conclusion.there(book)
metrics = conclusion.score_all(book, dataset, found)
book.metrics(metrics)
table = conclusion.table_ten(metrics, convention)
table["segments"] = conclusion.segments_of(book, dataset, found)

# %%
caption = (
    "All methods, mean over the splits; ± is the standard deviation over them; segments: predicted for each true one."
)
book.table(10, style_ten(table), table.reset_index(), caption)

# %% tags=["remove-input"]
book.say(f"{conclusion.left_out(found, book.out.root / 'predictions')} {conclusion.best_against_baseline(table)}")

# %% [markdown]
# ## What the methods see
#
# Worst, middle and best test video of the baseline (or, without it, of the first method there is) by accuracy, truth on top.

# %%
judge, videos = conclusion.chosen_videos(metrics, convention)
timelines = {}
for place, (video, number) in videos.items():
    rows = {"truth": dataset.names(video)}
    rows |= {
        conclusion.short(name): pairs_of(dataset, Cell(name, number, book.out.predictions(ours, number)))[video][0]
        for name, ours in found.items()
    }
    timelines[f"{video}, {place} of {conclusion.short(judge)}"] = rows
figure = plots.timelines(timelines, dataset.fps, dataset.classes)
shown = metrics[metrics["video"].isin([video for video, _ in videos.values()])]
book.figure("timelines", figure, shown, "Truth and all methods over time.")

# %% tags=["remove-input"]
each = shown.query("protocol == @convention and metric == 'accuracy'").pivot(
    index="video", columns="method", values="value"
)
book.say(
    "Accuracy in these videos: "
    + "; ".join(
        f"`{video}` {conclusion.short(judge)} {each.loc[video, judge]:.0f} %, best method `{each.loc[video].idxmax()}` {each.loc[video].max():.0f} %"
        for video, _ in videos.values()
    )
    + "."
)

# %% [markdown]
# ## The claims of the thesis
#
# Patterns, not values: does a difference that the thesis reports show here too? A claim is supported where the whole 95 % interval
# lies on its side, contradicted where it lies on the other. The interval is Student's t over the splits (trimming: over the test videos of split 1). Splits share
# training videos and every method was trained once, so the intervals are on the narrow side. Own and public weights are one
# pre-training each: a verdict between them is about these weights, not their recipes (in the demo a run on another machine turns
# it over, `notebooks/guides/demo.md`). Chapter 4 asks more of them.

# %%
claims = check_claims(metrics, convention)
caption = "The thesis's claims in the numbers here."
book.table("claims", claims.style.hide().format(precision=3, na_rep="–"), claims, caption)

# %% tags=["remove-input"]
book.say(conclusion.tally(claims))
