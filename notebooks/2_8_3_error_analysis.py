# %% [markdown]
# # 2.8.3 Error analysis
#
# The thesis looks at its confusion matrices (Figures 18 and 19) and explains the low zero-shot scores by classes that are
# alike: one verb with different foods, one food under different verbs, bottles that look the same. Here the program finds
# the confusions, asks how many errors are between alike classes and how many would be by chance, and checks what the
# thesis says one by one.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.notebook.figures import draw_kinds
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import in_words
from lib.scoring.confusion import (
    LOOK_ALIKE,
    confused_pairs,
    kind_shares,
    kind_summary,
    predicted_methods,
    split_matrices,
)
from lib.scoring.error_claims import CLAIMS, CUT, UNDECIDABLE, check_claims, claims_table, confused_part, vote

book = open_notebook("2_8_3_error_analysis", params, split, overrides)

# %% [markdown]
# The matrices are those of 2.8.1 and 2.8.2, counted again from the predictions, in seconds.

# %%
methods = {"own": "videoclip_own_zero_shot", "public": "videoclip_public_zero_shot"}
there = predicted_methods(book.out, methods)
dataset = book.dataset()
weights = {name: split_matrices(book.out, dataset, book.splits, method) for name, method in there.items()}

# %% tags=["remove-input"]
for name in methods.keys() - there.keys():
    book.say(
        f"**There are no predictions with {name} weights** (`{methods[name]}`). What follows is about {', '.join(there)} weights alone."
    )

# %% [markdown]
# ## The most confused pairs
#
# The pairs that cost the most seconds, in each split and in all; the share is that of the true class's seconds. A pair
# shares the verb, shares the object, or has objects that look alike; a pair with `action_start` or `action_end` is neutral.

# %%
confused = pd.concat({name: confused_pairs(part, most=5) for name, part in weights.items()}, names=["weights"])
confused = confused.reset_index(level="weights")
for name, part in confused.groupby("weights"):
    shown = part.drop(columns="weights").style.hide().format(precision=2)
    book.table(f"confused_{name}", shown, part, f"The most confused pairs with {name} weights.")

# %% tags=["remove-input"]
for name, part in confused.groupby("weights"):
    worst = part[part["split"].isin(book.splits)].groupby("split").head(1)[["true", "predicted"]].drop_duplicates()
    top = part[part["split"] == part["split"].iloc[-1]].iloc[0]
    book.say(
        f"**{name.capitalize()} weights**: most seconds go from `{top['true']}` to `{top['predicted']}` ({top['seconds']} s, "
        f"{100 * top['share']:.0f} % of that class; {top['kinds']}). Pairs that are worst in some split: {len(worst)}."
    )

# %% [markdown]
# ## Are errors between alike classes?
#
# Declared to look alike, after the thesis:

# %% tags=["remove-input"]
for things, reason in LOOK_ALIKE.items():
    book.say(f"- {' and '.join(sorted(things))}: {reason}")

# %% [markdown]
# By chance is: each class keeps its number of wrong seconds, and they fall on the other classes in proportion to how often
# each is predicted in all, right or wrong. (`uniform` in the data: on all other classes alike.) A class that the model
# says too often therefore proves nothing.

# %%
shares = pd.concat({name: kind_shares(part) for name, part in weights.items()}, names=["weights"])
shares = shares.reset_index(level="weights")
figure = draw_kinds(shares)
caption = "Kinds of pairs among the wrong seconds: mean over the splits, a point each. Alike: any of the three above."
book.figure("kinds_of_errors", figure, shares, caption)

# %%
summary = pd.concat({name: kind_summary(part, 4999) for name, part in weights.items()}, names=["weights"])
shown = in_words(summary.reset_index()).style.hide().format(precision=4, na_rep="–")
caption = "Kinds of errors, mean over the splits. p: the part of 4999 random namings of the classes that do as well."
book.table("kinds_of_errors", shown, summary, caption)

# %% tags=["remove-input"]
for name in weights:
    alike, verb, thing = (summary.loc[(name, kind)] for kind in ("alike", "shared verb", "shared object"))
    book.say(
        f"**{name.capitalize()} weights**: {100 * alike['share']:.0f} % of the wrong seconds are between alike classes; by chance "
        f"{100 * alike['by_prediction']:.0f} % would be. More than by chance in {alike['splits_above']:.0f} of {len(book.splits)} "
        f"splits; p = {alike['p']:.4f} against random namings of the classes. Shared verb: {100 * verb['share']:.0f} % "
        f"({100 * verb['by_prediction']:.0f} % by chance), shared object: {100 * thing['share']:.0f} % "
        f"({100 * thing['by_prediction']:.0f} %)."
    )

# %% [markdown]
# A matrix knows no order in time. Steps with the same food follow each other (peeled, cut, placed), so a border put some
# seconds too early or too late also counts as an error with a shared object.
#
# ## What the thesis says, claim by claim
#
# The thesis judged by eye. Here two classes are confused in a split if at least a tenth of the seconds of one of them is
# labelled as the other; the number is the larger of the two shares. A comparison is public less own, and counts from a
# twentieth on. Supported: in more than half of the splits; contradicted: in none. Where the thesis names splits, it must be so there and
# nowhere else. Bold: as claimed.
#
# The problem with `cut_cucumber` is the wrong share of all seconds that are, or are labelled, so. How well `cut_…` is told
# is the share of its seconds labelled `cut_…`, less the share of all others that are. The thesis writes "10 add_dressing", but its
# class 10 is `mix_dressing`; both are looked at.

# %%
checked = check_claims(CLAIMS, weights)
book.table("error_claims", *claims_table(checked), "The claims of 2.8.3 on the matrices at hand.")

# %% tags=["remove-input"]
counts = checked.groupby("claim")["as_claimed"].agg(vote).value_counts()
book.say(f"Of {len(CLAIMS)} claims: " + ", ".join(f"{count} {what}" for what, count in counts.items()) + ".")
for name, part in weights.items():
    book.say(
        f"With {name} weights the rule calls {100 * confused_part(part):.0f} % of all pairs of classes confused, and "
        f"{100 * confused_part(part, CUT):.0f} % of those with `{CUT}`: as often would a claim about a pair drawn by lot be seen in a split."
    )

# %% [markdown]
# ## What no matrix can show
#
# The paragraph also gives reasons. The matrices neither support nor contradict them.

# %%
reasons = pd.DataFrame(UNDECIDABLE.items(), columns=["what the thesis supposes", "what would decide"])
shown = reasons.style.hide().set_properties(**{"text-align": "left"})
book.table("undecidable", shown, reasons, "Not decidable from confusion matrices.")
