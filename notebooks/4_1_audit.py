# %% [markdown]
# # 4.1 An audit of the thesis's numbers
#
# The thesis concludes that multimodal pre-training helps. This page asks what its own tables can carry. Nothing is
# trained here: the numbers are those of `params/published.yaml`, the thesis's tables as printed. What needs the real
# annotations of 50 Salads, or a real model's predictions, says so where they are absent. The verdicts stand at the end.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import pandas as pd

from lib.beyond.audit import claims, comparisons, scoring, tables, views
from lib.beyond.audit import views as drawings
from lib.notebook.notebook import open_notebook
from lib.notebook.plots import WIDTH
from lib.notebook.tables import LABELS, in_words
from lib.scoring.published import published_list, published_table
from lib.scoring.stats import detectable_difference, power

book = open_notebook("4_1_audit", params, split, overrides)

# %%
labels, predictions = book.real_labels(), book.real_predictions()

# %% tags=["remove-input"]
absent = {"real annotations": labels, "real predictions of split 1": predictions}
absent = [what for what, found in absent.items() if found is None]
where = "; `python -m lib.fetch 50salads_labels` and `python -m lib.fetch 50salads_predictions` say where they are to be had"
book.say(f"On this machine: no {' and no '.join(absent)}{where}." if absent else "Both are on this machine.")

# %% [markdown]
# ## Do the tables agree with themselves?
#
# ### Means

# %%
means = tables.recomputed_means()
of_table = means.assign(units=means["units"].abs()).groupby("table")
shown = of_table.agg(means=("agrees", "size"), agree=("agrees", "sum"), furthest=("units", "max"))
caption = "The printed means against those of the rows; the furthest in units of the last digit."
book.table("audit_means", shown.style.format({"furthest": "{:.1f}"}), means, caption)

# %% tags=["remove-input"]
book.say(
    f"{means['agrees'].sum()} of {len(means)} printed means are those of their rows, to rounding. A mean can only be as "
    "right as its rows."
)

# %% [markdown]
# ### Rows that stand twice
#
# Rows are compared with all others of all tables. VideoCLIP's edit distance is in seconds of a video and cannot exceed the
# wrong seconds, (1 - accuracy) x length. So distance / (1 - accuracy) says how long the test videos of a row's split must
# be, and the annotations say how long they are. (Without them the largest of a split's rows stands in.)

# %%
ratios = tables.edit_ratios(tables.mean_lengths(labels))
duplicates = tables.duplicated_rows(ratios)
caption = "Rows that are equal in all five metrics (table, split). Ratio: edit distance / ((1 - accuracy) x length)."
shown = views.shown_duplicates(duplicates)
book.table("duplicated_rows", shown, duplicates, caption, file="audit_duplicated_rows")

# %%
(slip,) = tables.slips(duplicates)
figure, ax = plt.subplots(figsize=(WIDTH, 4))
drawings.implied_lengths(ratios, slip, ax)
book.figure(
    "audit_lengths", figure, ratios, "Edit distance / (1 - accuracy) of each row; a line: the split's test videos."
)

# %% tags=["remove-input"]
double = next(row for row in duplicates.to_dict("records") if row["split"] != row["other_split"])
book.say(
    f"Table {double['table']}, split {double['split']} is Table {double['other_table']}, split {double['other_split']} in every "
    f"metric, though the losses differ ({double['best_loss']:.3f} and {double['other_best_loss']:.3f}). In the first place the "
    f"ratio is {double['ratio']:.3f}, in the second {double['other_ratio']:.3f}; all other rows lie between "
    f"{double['lowest']:.3f} and {double['highest']:.3f}. So **Table {slip[0]}, split {slip[1]}** is out of place. The other "
    f"{len(duplicates) - 1} pairs are one checkpoint each, the best epoch of the longer training having come early."
)

# %% [markdown]
# ### The mean without that row
#
# The row's loss is its own. Over the other fine-tuned rows accuracy follows the loss closely, so the loss says what the
# accuracy was about.

# %%
corrected = tables.corrected_mean(slip)
line = pd.DataFrame([vars(corrected)])
caption = (
    f"Table {slip[0]} with the accuracy of split {slip[1]} predicted from its loss; `needed`: to equal the baseline."
)
book.table("audit_corrected_mean", in_words(line).style.hide().format(precision=3), line, caption)

# %% tags=["remove-input"]
baseline = published_table(3).loc["mean", "accuracy"]
book.say(
    f"Accuracy over loss: r = {corrected.r:.2f}, residuals of {corrected.residual:.3f}, {corrected.rows} rows. Split {slip[1]} then had "
    f"{corrected.predicted:.3f} ({corrected.low:.3f} to {corrected.high:.3f}), and the mean of Table {slip[0]} is "
    f"**{corrected.mean:.3f}** ({corrected.mean_low:.3f} to {corrected.mean_high:.3f}), not {corrected.printed:.3f}: "
    f"{'below' if corrected.mean < baseline else 'not below'} the baseline's {baseline:.3f}. To reach the baseline the "
    f"split would have needed {corrected.needed:.3f}; after 15 epochs it had {published_table(7).loc[slip[1], 'accuracy']:.3f}."
)

# %% tags=["remove-input"]
equal = tables.equal_thresholds()
for row in equal.to_dict("records"):
    book.say(
        f"Another oddity: in Table {row['table']}, split {row['split']}, {row['equal'].upper()} ({row['value']:.3f}). In the other rows of such "
        f"tables the gap is {row['lowest_gap']:.3f} to {row['highest_gap']:.3f}; probably a slip, of no consequence here."
    )

# %% [markdown]
# ## What "edit distance" means
#
# One heading, two quantities. In 2.2 and 2.3 it is the edit score of the *segments*, 0 to 100, higher is better. In 2.8 and 2.9 it is
# the number of edits between the labels of the *seconds*, lower is better. Both of the same real predictions, a video each:

# %%
if predictions is not None:
    videos = scoring.both_edits(predictions, labels.fps)
    figure, axes = plt.subplots(1, 2)
    drawings.two_edits(videos, axes)
    book.figure(
        "audit_edits", figure, videos, "MS-TCN's predictions of the ten test videos of split 1, both edit measures."
    )

# %% tags=["remove-input"]
if predictions is not None:
    seconds, related = videos["wrong_seconds"], videos.corr()
    book.say(
        f"The distance in seconds is the number of wrong seconds again ({videos['raw_edit'].sum() / seconds.sum():.2f} of it, "
        f"r = {related.loc['raw_edit', 'wrong_seconds']:.3f}), so beside the accuracy it says nothing new. The score of the segments "
        f"(r = {related.loc['edit', 'wrong_seconds']:.2f}) also counts superfluous segments (r = {related.loc['edit', 'surplus_segments']:.2f})."
    )
else:
    book.say("Left out, since it needs real predictions and annotations.")

# %% [markdown]
# ## One label a second, or thirty
#
# The baseline was scored at 30 labels a second, VideoCLIP at one, against targets that its code made of the segments. The
# same predictions, scored both ways; intervals by a bootstrap over the videos.

# %%
if predictions is not None:
    rates = scoring.at_rates(predictions, labels.fps, uncovered=labels.classes[0])
    scored, effects = scoring.scored_at_rates(rates), scoring.rate_effects(rates)
    shown = (
        in_words(scored)
        .style.format("{:.3f}")
        .format("{:.1f}", subset=["edit", LABELS["raw_edit"]])
        .format("{:.0f}", subset=["segments"])
    )
    book.table("audit_rates", shown, scored.reset_index(), "The same predictions at two rates; edit in %.")
    shown = effects.style.hide().format("{:+.3f}", subset=["difference", "low", "high"])
    book.table("audit_rate_effects", shown, effects, "What scoring at one label a second adds (95 % intervals).")

# %% tags=["remove-input"]
if predictions is not None:
    gain = effects.set_index(["scored at", "metric"]).loc[scoring.TARGETS]
    book.say(
        f"At one label a second F1@50 is {gain.loc['f1@50', 'difference']:+.3f} ({gain.loc['f1@50', 'low']:+.3f} to {gain.loc['f1@50', 'high']:+.3f}) "
        f"and the accuracy {gain.loc['accuracy', 'difference']:+.3f} ({gain.loc['accuracy', 'low']:+.3f} to {gain.loc['accuracy', 'high']:+.3f}): "
        f"short segments fall between two samples ({scored['segments'].iloc[0]} predicted ones at 30, {scored['segments'].iloc[-1]} at one). "
        "VideoCLIP's F1 was scored so, and the baseline's was not, so the difference between them is if anything larger than printed."
    )
else:
    book.say("The scores are left out, since they need real predictions and annotations.")

# %% tags=["remove-input"]
if labels is not None:
    (surplus,) = published_list("surplus_vectors")
    late, table_2 = scoring.shift_scores(labels, surplus), published_table(2)["accuracy"]
    book.say(
        f"On the real labels of all {len(labels.videos)} videos the thesis's targets differ from the frames in "
        f"{scoring.target_disagreement(labels):.1%} of them. And a perfect prediction that comes {surplus} frames late still has "
        f"accuracy {late['accuracy']:.3f} and F1@50 {late['f1@50']:.3f}, while Table 2, said to show misaligned features, spreads by "
        f"{table_2.max() - table_2.min():.3f}; and training and test were shifted alike."
    )
else:
    book.say("The targets and the shift are left out, since they need the real annotations.")

# %% [markdown]
# ## Every method against the baseline
#
# Five splits give five paired differences. The plain interval treats them as independent; the corrected one (Nadeau and
# Bengio, 2003) allows for shared training videos, with 40 for training and 10 for the test. Holm's correction runs over the
# comparisons of a question. Wilcoxon's test cannot go below the p in brackets, whatever the data.

# %%
tests = comparisons.paired_tests([slip])
accuracy, f1 = (tests[tests["metric"] == metric] for metric in ("accuracy", "f1@50"))
first = accuracy[accuracy["against"] == "baseline"]
caption = f"Accuracy against the baseline's, with and without Table {slip[0]}, split {slip[1]}. The data hold all comparisons."
book.table("paired_tests", views.shown_tests(first), tests, caption, file="audit_paired_tests")
second = f1[f1["against"] == "baseline"]
book.table("audit_f1", views.shown_tests(second), second, "F1@50 against the baseline's, the same rows.")
third = accuracy[accuracy["against"] != "baseline"]
book.table("audit_others", views.shown_tests(third), third, "Accuracy, other comparisons, without that row.")

# %%
drawn = tests[tests["method"].isin([*comparisons.VARIANTS, comparisons.AUTHORS]) & (tests["against"] == "baseline")]
drawn = drawn.sort_values(["method", "n"], ascending=[True, False])
figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.2), sharey=True)
for ax, metric, name in zip(axes, ("accuracy", "f1@50"), ("accuracy", "F1@50"), strict=True):
    rows = drawn[drawn["metric"] == metric]
    names = [views.named(row.method, row.against, row.n) for row in rows.itertuples()]
    drawings.forest(rows, names, ax, f"{name} - baseline's")
axes[1].legend(fontsize=8, loc="center right")
book.figure(
    "audit_forest", figure, drawn, "Differences from the baseline with 95 % intervals. Zero-shot lies far to the left."
)

# %% tags=["remove-input"]
printed = tests[(tests["question"] == comparisons.AS_PRINTED) & tests["method"].isin(comparisons.VARIANTS)]
accuracy, f1 = (printed[printed["metric"] == metric] for metric in ("accuracy", "f1@50"))  # of the four variants
sound = tests[(tests["question"] == comparisons.SOUND) & (tests["metric"] == "accuracy")].iloc[0]
book.say(
    f"Fine-tuned, the {len(accuracy)} variants differ in accuracy by {accuracy['difference'].min():+.3f} to {accuracy['difference'].max():+.3f} as "
    f"printed ({sound['difference']:+.3f} on the {sound['n']} sound splits of Table {slip[0]}). {(accuracy['p'] < 0.05).sum()} of the plain tests find it, "
    f"p = {accuracy['p'].min():.2f} to {accuracy['p'].max():.2f}; of the corrected ones {(accuracy['corrected_p'] < 0.05).sum()}. "
    f"F1@50 is lower by {-f1['difference'].max():.2f} to {-f1['difference'].min():.2f}, and {(f1['holm_p'] < 0.05).sum()} of {len(f1)} of these hold after "
    "both corrections. Table 10 of the thesis shows the accuracy alone."
)

# %% tags=["remove-input"]
chosen = tests[tests["question"] == comparisons.CHOSEN]
left = [f"{row.difference:+.3f} (p = {row.p:.2f})" for row in chosen.itertuples()]
book.say(
    "VideoCLIP's epoch was chosen by its loss on the test videos, the baseline's is its last. With the baseline's epoch "
    f"chosen there too, what is left is {' and '.join(left)}."
)

# %% [markdown]
# ### What could five splits have shown?
#
# The power of both tests, with the spread that the variants' differences have.

# %%
sd, splits = accuracy["sd"].median(), int(accuracy["n"].max())
figure, ax = plt.subplots(figsize=(WIDTH, 3.4))
_, curves = drawings.power_curves(sd, splits, comparisons.TEST_SHARE, accuracy["difference"].tolist(), ax)
book.figure("audit_power", figure, curves, "Chance of finding a true difference in accuracy with five splits.")

# %% tags=["remove-input"]
least = [detectable_difference(sd, splits, share) for share in (0, comparisons.TEST_SHARE)]
most = accuracy["difference"].max()
book.say(
    f"With differences that spread by {sd:.3f}, {splits} splits show a true difference of {least[0]:.3f} with 80 % chance, allowing for shared training "
    f"videos {least[1]:.3f}. A true difference as large as the largest printed, {most:.3f}, would be found with {power(most, sd, splits):.0%} and "
    f"{power(most, sd, splits, comparisons.TEST_SHARE):.0%}. So the tables cannot show a gain of this size, and do not exclude it."
)

# %% [markdown]
# ### How far does a run land from itself?

# %% tags=["remove-input"]
noise = comparisons.run_to_run()
book.say(
    f"The baseline was trained once. ASFormer on the authors' features was trained twice: from run to run a split's accuracy has a standard deviation "
    f"of {noise['sd']:.3f}, and the mean over the splits moved by {noise['moved']:+.3f}. Within a run of the baseline, the last measurements spread by "
    f"{noise['last_epochs']:.3f}. And what is nominally one setting, trimmed at the end on split 1, has {noise['trimming']:.3f} more accuracy in Table 3 than in "
    f"Table 2, {noise['trimming'] / most:.1f} times the largest gain of VideoCLIP; the thesis does not say what changed between."
)

# %% [markdown]
# ## The verdicts
#
# One rule for all (`lib.scoring.stats.verdict`). **Supported**: a difference with the claimed sign is
# found, and nothing else differed that could have made it. **Contradicted**: a difference with another
# sign is found, or any difference where equality is claimed. **Inconclusive**: no difference is found,
# which proves no equality; or several things differed that could be its cause; or what decides is not
# on this machine. A difference is found if its corrected test finds it at the 5 % level after Holm's
# correction. Intervals are corrected; p is Holm's.

# %%
judged = claims.claims(claims.Evidence(tests, slip, corrected, labels))
caption = "What the thesis claims, and whether its numbers carry it."
book.table("claims", views.shown_claims(judged), judged, caption, file="audit_claims")

# %% tags=["remove-input"]
verdicts = judged["verdict"].value_counts()
book.say(f"Of {len(judged)} claims: " + ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items()) + ".")

# %% tags=["remove-input"]
causes = published_list("fine_tuned_differences")
book.say(
    f"**The hypothesis.** Its best case is {most:+.3f} in accuracy, which five splits cannot tell from nothing, beside F1@50 lower by "
    f"{-f1['difference'].max():.2f} at least. And {len(causes)} things differ between the two systems at once: {'; '.join(causes)}. A control for any of them is missing: "
    "no VideoCLIP without pre-training, no ASFormer on S3D's features."
)
