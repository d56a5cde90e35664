# %% [markdown]
# # 3 Conclusion
#
# The thesis ends with one table of accuracies and the sentence that its hypothesis was confirmed:
# multimodal pre-training helps. Here are the same nine rows, each with what that table leaves out:
# how the segments fared, the spread over the splits, and one way of scoring for all.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import style_ten
from lib.scoring import conclusion
from lib.scoring.names import display_name

book = open_notebook("3_conclusion", params, split, overrides)
dataset, convention = book.dataset(), book.params.data.convention

# %% [markdown]
# ## Table 10
#
# Every method wrote a label for each annotated frame; nothing below looks at a model. "As the
# thesis" scores ASFormer by frames and VideoCLIP by seconds. The common protocol scores all by
# frames: accuracy and F1 pooled over a split's videos, the edit score of the segments. The first
# row is the paper's own and has published values only.

# %%
found = conclusion.predicted(book)
metrics = conclusion.score_all(book, dataset, found)
book.metrics(metrics)
table = conclusion.table_ten(metrics, convention, conclusion.half_tens(book, dataset, found))
table["segments"] = conclusion.segments_of(book, dataset, found)

# %%
caption = "All methods, mean over splits and seeds, ± half of the 95 % interval over videos and seeds. "
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
# Patterns, not values: does a difference that the thesis reports show here too? A claim is
# supported if the whole 95 % interval lies on its side, contradicted if it lies on the other side,
# inconclusive otherwise. The interval is Student's t over the splits (trimming: over the test
# videos of split 1). Splits share training videos and every method was trained once, so the
# intervals are on the narrow side. Own and public weights are one pre-training each: a verdict
# between them is about these weights, not their recipes, and in the demo another machine reverses
# it. Chapters 4.1 and 4.2 test the claims more strictly.

# %%
claims = conclusion.check_claims(metrics, convention)
caption = "The thesis's claims in the numbers here."
book.table("claims", claims.style.hide().format(precision=3, na_rep="–"), claims, caption)

# %% tags=["remove-input"]
book.say(conclusion.tally(claims))
