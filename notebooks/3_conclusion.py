# %% [markdown]
# # 3 Conclusion
#
# The thesis ends with one table of accuracies and the sentence that its hypothesis was confirmed:
# multimodal pre-training helps. Here are the same nine rows, each with what that table leaves out:
# segmental scores, the spread over the splits, and one way of scoring for all. They do not answer
# the thesis's question: 4.1 asks what its own numbers can show, and 4.2 changes one thing at a
# time.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import all_claims, show_claims, shown_claims
from lib.notebook.tables import style_ten
from lib.scoring import conclusion
from lib.scoring.claims import tally
from lib.scoring.stats import verdict
from lib.scoring.words import display_name

book = open_notebook("3_conclusion", params, split, overrides)
dataset, convention = book.dataset(), book.params.data.convention

# %% [markdown]
# ## Table 10: all methods in one protocol
#
# Every method wrote one label per annotated frame; everything below is computed from these. "As the
# thesis" scores ASFormer by frames and VideoCLIP by seconds. The common protocol scores all by
# frames: accuracy and F1 pooled over a split's videos, the edit score of the segments. The first
# row is from ASFormer's paper and has published values only.

# %%
found = conclusion.predicted(book)
metrics = conclusion.score_all(book, dataset, found)
book.metrics(metrics)
table = conclusion.table_ten(metrics, convention, conclusion.half_tens(book, dataset, found))
segments = conclusion.segments_of(book, dataset, found)
table["segments"] = segments.mean(axis=1)

# %%
caption = "All methods, mean over splits and seeds, ± half of the 95 % interval over videos, and seeds if several. "
caption += "Segments: predicted segments per true segment."
book.table(10, style_ten(table), table.reset_index(), caption)

# %% tags=["remove-input"]
book.say(f"{conclusion.left_out(found)} {conclusion.best_against_baseline(table)}")

# %% [markdown]
# ## What the methods see
#
# Worst, middle and best test video of the baseline (or, without it, of the first method) by
# accuracy, with the truth on top.

# %%
judge, videos = conclusion.chosen_videos(metrics, convention)
rows = conclusion.labels_of(book, dataset, found, videos.values())
titles = [f"{video}, {place} of {display_name(judge)}" for place, (video, _) in videos.items()]
panels = dict(zip(titles, rows, strict=True))
figure = plots.timelines(panels, dataset.fps, dataset.classes)
shown = metrics[metrics["video"].isin([video for video, _ in videos.values()])]
book.figure("timelines", figure, shown, "Truth and all methods over time.")

# %% tags=["remove-input"]
book.say(conclusion.accuracies(shown[shown["protocol"] == convention], judge))

# %% [markdown]
# ## The claims of the thesis
#
# Patterns, not values: does what the thesis reports show here too? Each chapter checks the thesis's
# claims about its subject; those that need several chapters are checked on this page. One rule
# judges all:

# %% tags=["remove-input"]
book.source(verdict)

# %% [markdown]
# A quantity is compared with the value that the claim names, mostly zero, by the 95 % interval of
# its mean over the splits (or seeds, or videos). Splits share training videos, so these intervals
# tend to be too narrow, and they are not corrected for the number of claims. A claim that names
# splits must hold in each of them, by resampling that split's test videos. A claim that compares
# single trainings (the two recipes of pre-training, ways to trim) is judged over repeated trainings
# and stays inconclusive where there are none (`data.repeats`). In brackets: how many splits, seeds
# or videos would show the difference seen with a chance of 80 %, if it is real. Chapter 4.1
# tests the thesis's own numbers, more strictly; 4.2 adds the controls that it lacked.

# %%
evidence = conclusion.claim_evidence(book, dataset, metrics, segments, found)
show_claims(book, **evidence)

# %% [markdown]
# ### All of them
#
# By section of the thesis; `evidence` says whether a claim was tested on the data of this profile
# or on the thesis's own tables (4.1).

# %%
claims = all_claims(book.out, book.params.data.name)
caption = "Every claim of the thesis that could be checked."
book.table("all_claims", shown_claims(claims, ["evidence"]), claims, caption, file="table_claims")

# %% tags=["remove-input"]
for name, part in claims.groupby("evidence", sort=False):
    book.say(f"Of {len(part)} claims tested on {name}: {tally(part['verdict'])}.")
