# %% [markdown]
# # 4.1 An audit of the thesis's numbers
#
# The thesis concludes that multimodal pre-training helps. This page asks how much its own tables
# support. Nothing is trained here: the numbers are those of `params/published.yaml`, the thesis's
# tables as printed. Some parts need the real annotations of 50 Salads, or a real model's
# predictions; if these are missing, the page says so. The verdicts are at the end.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.beyond.audit import claims, comparisons, scoring, tables, views
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import LABELS, in_words
from lib.scoring.claims import slips
from lib.scoring.metrics import count
from lib.scoring.published import published_list, published_table
from lib.scoring.seconds import raw_edit_distance
from lib.scoring.stats import verdict
from lib.scoring.words import interval, span, written

book = open_notebook("4_1_audit", params, split, overrides)

# %%
labels, predictions = book.real_labels(), book.real_predictions()
everything = {v: pair for pairs in (predictions or {}).values() for v, pair in pairs.items()}

# %% tags=["remove-input"]
needed = {"50salads_labels": labels, "mstcn_i3d_predictions": predictions}
absent = [f"`python -m lib.fetch {name}`" for name, found in needed.items() if found is None]
if absent:
    book.say(f"Missing here; how to get it: {' and '.join(absent)}.")
else:
    book.say(
        "On this machine are the real annotations, and what a real MS-TCN on I3D features predicted "
        f"for {len(everything)} test videos of {len(predictions)} splits ([Self-Action]"
        "(https://github.com/Nshwei/Self-Action); whether they are its refined or its plain "
        "predictions is not said there)."
    )

# %% [markdown]
# ## Do the tables agree with themselves?
#
# ### Means

# %%
means = tables.recomputed_means()
of_table = means.assign(units=means["units"].abs()).groupby("table")
columns = {"means": ("agrees", "size"), "agree": ("agrees", "sum"), "furthest": ("units", "max")}
shown = of_table.agg(**columns).style.format({"furthest": "{:.1f}"})
caption = "The printed means against those of the rows; the furthest in units of the last digit."
book.table("audit_means", shown, means, caption)

# %% tags=["remove-input"]
book.say(
    f"{means['agrees'].sum()} of {len(means)} printed means are those of their rows, to rounding. "
    "A mean can only be as right as its rows."
)

# %% [markdown]
# ### Duplicated rows
#
# Every row is compared with all rows of all tables. VideoCLIP's edit distance is in seconds of a
# video and cannot exceed the wrong seconds, (1 - accuracy) x length. So distance / (1 - accuracy)
# is the least length that the test videos of a row's split can have; the annotations give the true
# one. Without them, the largest among a split's rows stands in; its ratio is 1 by construction.

# %%
ratios = tables.edit_ratios(tables.mean_lengths(labels))
duplicates = tables.duplicated_rows(ratios)
shown = views.shown_duplicates(duplicates)
caption = "Rows that are equal in all five metrics (table, split). "
caption += "Ratio: edit distance / ((1 - accuracy) x length)."
book.table("duplicated_rows", shown, duplicates, caption, file="audit_duplicated_rows")

# %%
(slip,) = tables.slips(duplicates)
lines = "largest row (no annotations)" if labels is None else "test videos"
caption = "Edit distance / (1 - accuracy) of each row, in seconds per video."
book.figure("audit_lengths", views.implied_lengths(ratios, slip, lines), ratios, caption)

# %% tags=["remove-input"]
book.say(views.duplicate_found(duplicates, slip))

# %% [markdown]
# ### The mean without that row
#
# The row's loss is its own. In the other fine-tuned rows accuracy follows the loss closely, so the
# loss indicates roughly what the accuracy was.

# %%
corrected = tables.corrected_mean(slip)
line = pd.DataFrame([vars(corrected)])
shown = in_words(line).style.hide().format(precision=3)
caption = f"Table {slip[0]} with the accuracy of split {slip[1]} predicted from its loss; "
caption += "`needed`: to equal the baseline."
book.table("audit_corrected_mean", shown, line, caption)

# %% tags=["remove-input"]
book.say(views.mean_corrected(corrected, slip))

# %% tags=["remove-input"]
for row in tables.equal_thresholds().to_dict("records"):
    gaps = span([row["lowest_gap"], row["highest_gap"]], ".3f")
    book.say(
        f"Another oddity: in Table {row['table']}, split {row['split']}, {row['equal'].upper()} "
        f"({row['value']:.3f}). In the other rows of such tables the gap is {gaps}. Probably a "
        "slip, of no consequence here."
    )

# %% [markdown]
# ## What "edit distance" means
#
# One heading, two quantities. In 2.2 and 2.3 it is the edit score of the *segments*, 0 to 100,
# higher is better. In 2.8 and 2.9 it is the number of edits between the labels of the *seconds*,
# lower is better:

# %% tags=["remove-input"]
book.source(raw_edit_distance)

# %% [markdown]
# The score of the segments is computed with the other counts of a video:

# %% tags=["remove-input"]
book.source(count)

# %%
if everything:
    videos = scoring.both_edits(everything, labels.fps)
    caption = f"MS-TCN's predictions of {len(videos)} test videos, both edit measures."
    book.figure("audit_edits", views.two_edits(videos), videos, caption)

# %% tags=["remove-input"]
if everything:
    related, share = videos.corr(), videos["raw_edit"].sum() / videos["wrong_seconds"].sum()
    book.say(
        f"The distance in seconds is the number of wrong seconds again ({share:.2f} of it, "
        f"r = {related.loc['raw_edit', 'wrong_seconds']:.3f}), so it adds nothing to the accuracy. "
        f"The score of the segments (r = {related.loc['edit', 'wrong_seconds']:.2f}) also counts "
        f"superfluous segments (r = {related.loc['edit', 'surplus_segments']:.2f})."
    )
else:
    book.say("Left out: this needs real predictions and annotations.")

# %% [markdown]
# ## One label per second, or thirty
#
# The baseline was scored at 30 labels per second, VideoCLIP at one, against targets that its code
# made from the segments. Here the same predictions are scored both ways. First at 30, each split
# as papers score it:

# %%
if everything:
    by_split = scoring.split_scores(predictions)
    shown = by_split.style.format("{:.1f}")
    caption = "MS-TCN's predictions, all frames, pooled over a split's videos; percent."
    book.table("audit_splits", shown, by_split.reset_index(), caption)

# %% [markdown]
# Then all videos pooled, at both rates; intervals by a bootstrap over the videos.

# %%
if everything:
    rates = scoring.at_rates(everything, labels.fps, uncovered=labels.classes[0])
    scored, effects = scoring.scored_at_rates(rates), scoring.rate_effects(rates)
    tenths, whole = ["edit", LABELS["raw_edit"]], ["segments"]
    shown = in_words(scored).style.format("{:.3f}").format("{:.1f}", subset=tenths)
    shown = shown.format("{:.0f}", subset=whole)
    caption = f"The same predictions of {len(everything)} videos at two rates, pooled; edit in %."
    book.table("audit_rates", shown, scored.reset_index(), caption)
    shown = effects.style.hide().format("{:+.3f}", subset=["difference", "low", "high"])
    caption = "What scoring at one label per second adds (95 % intervals)."
    book.table("audit_rate_effects", shown, effects, caption)

# %% tags=["remove-input"]
if everything:
    gain = effects.set_index(["scored at", "metric"]).loc[scoring.TARGETS]
    gain = gain.rename(columns={"low": "difference low", "high": "difference high"})
    f1, accuracy = (interval(gain.loc[m], "difference", "+.3f") for m in ("f1@50", "accuracy"))
    book.say(
        f"At one label per second F1@50 changes by {f1} and the accuracy by {accuracy}. Short "
        f"segments fall between two samples: {scored['segments'].iloc[0]} are predicted at 30 "
        f"labels, {scored['segments'].iloc[-1]} at one. VideoCLIP's F1 was scored so, and the "
        "baseline's was not, so the difference between them is if anything larger than printed."
    )
else:
    book.say("The scores are left out: they need real predictions and annotations.")

# %% [markdown]
# ### Features that are a little late
#
# Table 2 is said to show misaligned features: eight vectors too many, cut off at the start, at the
# end or at both. The labels are shifted by eight frames at most. What does that cost, if nothing
# else changes? Here the truth itself and the model's predictions are shifted in time:

# %%
(surplus,), table_2 = published_list("surplus_vectors"), published_table(2)["accuracy"]
spread = table_2.max() - table_2.min()
if everything:
    moves = [-30, -2 * surplus, -surplus, 0, surplus, 2 * surplus, 30]
    curves = scoring.shift_curves(everything, moves)
    caption = "Scores of all videos, all frames moved. The bands are as wide as Table 2's spread."
    book.figure("audit_shift", views.shifts(curves, spread), curves, caption)

# %% tags=["remove-input"]
if everything:
    book.say(views.shift_found(curves, surplus, spread))

# %% tags=["remove-input"]
if labels is not None:
    book.say(
        f"On the real labels of all {len(labels.videos)} videos the thesis's targets differ from "
        f"the frames in {scoring.target_disagreement(labels):.1%} of them. Training and test were "
        f"shifted alike, so that Table 2's {spread:.3f} owes even less to the shift."
    )
else:
    book.say("The targets and the shift are left out: they need the real annotations.")

# %% [markdown]
# ## Every method against the baseline
#
# Five splits give five paired differences. The plain interval treats them as independent; the
# corrected one ([Nadeau and Bengio, 2003](guides/bibliography.md#corrected-t-test)) allows for
# shared training videos, with 40 for training and 10 for testing. Holm's correction covers the
# comparisons of one question. Wilcoxon's p cannot fall below the value in brackets, whatever the
# data.

# %%
tests = comparisons.paired_tests([slip])
accuracy, f1 = (tests[tests["metric"] == metric] for metric in ("accuracy", "f1@50"))
first = accuracy[accuracy["against"] == "baseline"]
caption = f"Accuracy against the baseline's, with and without Table {slip[0]}, split {slip[1]}. "
caption += "The data hold all comparisons."
shown = views.shown_tests(first)
book.table("paired_tests", shown, tests, caption, file="audit_paired_tests")
second = f1[f1["against"] == "baseline"]
caption = "F1@50 against the baseline's, the same rows."
book.table("audit_f1", views.shown_tests(second), second, caption)
third = accuracy[accuracy["against"] != "baseline"]
caption = "Accuracy, other comparisons, without that row."
book.table("audit_others", views.shown_tests(third), third, caption)

# %%
methods = tests["method"].isin([*comparisons.VARIANTS, comparisons.AUTHORS])
drawn = tests[methods & (tests["against"] == "baseline")]
drawn = drawn.sort_values(["method", "n"], ascending=[True, False])
far = first[first["method"].isin([comparisons.OWN_ZERO, comparisons.PUBLIC_ZERO])]["difference"]
caption = "Differences from the baseline with 95 % intervals. "
caption += f"Zero-shot ({span(far, '+.2f')} in accuracy) is not drawn."
book.figure("audit_forest", views.forest(drawn), drawn, caption)

# %% tags=["remove-input"]
printed = tests[tests["question"] == comparisons.AS_PRINTED]
printed = printed[printed["method"].isin(comparisons.VARIANTS)]
accuracy, f1 = (printed[printed["metric"] == metric] for metric in ("accuracy", "f1@50"))
sound = tests[(tests["question"] == comparisons.SOUND) & (tests["metric"] == "accuracy")].iloc[0]
book.say(views.variants_found(accuracy, f1, sound))

# %% tags=["remove-input"]
chosen = tests[tests["question"] == comparisons.CHOSEN]
left = [f"{row.difference:+.3f} (p = {row.p:.2f})" for row in chosen.itertuples()]
book.say(
    "VideoCLIP's epoch was chosen by its loss on the test videos; the baseline's is its last. "
    f"With the baseline's epoch chosen there too, the gain is {' and '.join(left)}."
)

# %% [markdown]
# ### What could five splits have shown?
#
# The power of both tests, with the spread of the variants' differences.

# %%
sd, splits, gains = accuracy["sd"].median(), int(accuracy["n"].max()), accuracy["difference"]
figure, curves = views.power_curves(sd, splits, comparisons.TEST_SHARE, gains.tolist())
caption = "Chance of finding a true difference in accuracy with five splits."
book.figure("audit_power", figure, curves, caption)

# %% tags=["remove-input"]
book.say(views.power_found(sd, splits, comparisons.TEST_SHARE, gains.max()))

# %% [markdown]
# ### Run-to-run variation

# %% tags=["remove-input"]
noise = comparisons.run_to_run()
book.say(
    "The baseline was trained once. ASFormer on the authors' features was trained twice: from run "
    f"to run a split's accuracy has a standard deviation of {noise['sd']:.3f}, and the mean over "
    f"the splits moved by {noise['moved']:+.3f}. Within a run of the baseline, the last "
    f"measurements spread by {noise['last_epochs']:.3f}. And nominally the same setting, split 1 "
    f"trimmed at the end, is {noise['trimming']:.3f} higher in accuracy in Table 3 than in Table 2, "
    f"{written(noise['trimming'] / gains.max())} times the largest gain of VideoCLIP. The thesis "
    "does not say what changed in between."
)

# %% [markdown]
# ### Is the literature steadier?
#
# What papers report for 50 Salads, and what users got when they re-ran the code or the weights:

# %%
own = by_split.loc["mean"].to_dict() if everything else None
reruns = tables.reruns(own)
caption = "Papers and re-runs on I3D features; percent, mean over the splits."
book.table("reruns", views.shown_reruns(reruns), reruns, caption, file="audit_reruns")

# %% tags=["remove-input"]
book.say(views.reruns_found(reruns))

# %% [markdown]
# ## Slips of the text

# %%
wrong = slips()
shown = wrong.style.hide().set_properties(**{"text-align": "left"})
book.table("slips", shown, wrong, "Where the thesis's text contradicts itself or the facts.")

# %% [markdown]
# ## The verdicts
#
# One rule for all:

# %% tags=["remove-input"]
book.source(verdict)

# %% [markdown]
# A difference counts as found if the corrected test finds it at the 5 % level after Holm's
# correction. A claim is also inconclusive if the data that would decide it are not on this machine.
# Intervals are corrected; p is Holm's.

# %%
judged = claims.claims(claims.Evidence(tests, slip, corrected, labels))
caption = "What the thesis claims, and whether its numbers support it."
book.table("claims", views.shown_claims(judged), judged, caption, file="audit_claims")

# %% tags=["remove-input"]
words = ", ".join(f"{count} {word}" for word, count in judged["verdict"].value_counts().items())
causes = published_list("fine_tuned_differences")
hypothesis = judged.loc[judged["claim"].str.contains("hypothesis"), "verdict"].item()
book.say(
    f"Of {len(judged)} claims: {words}. **The hypothesis** is {hypothesis}. Its best case is "
    f"{gains.max():+.3f} in accuracy, which five splits cannot distinguish from nothing, while "
    f"F1@50 is lower by {-f1['difference'].max():.2f} at least. {len(causes)} things differ "
    f"between the two systems at once: {'; '.join(causes)}. No control isolates one of them: there "
    "is no VideoCLIP without pre-training and no ASFormer on S3D's features."
)
