# %% [markdown]
# # 2.8.3 Error analysis
#
# The thesis looks at its confusion matrices (Figures 18 and 19) and explains the low zero-shot
# scores by classes that are alike: one verb with different foods, one food under different verbs,
# bottles that look the same. Here the program finds the confusions, asks how many errors are
# between similar classes and how many would be by chance, and checks the thesis's statements one
# by one.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"
overrides = []

# %% tags=["hide-input"]
import pandas as pd

from lib.notebook.figures import draw_kinds
from lib.notebook.notebook import open_notebook
from lib.notebook.parts import show_claims
from lib.notebook.tables import in_words
from lib.scoring.claims import undecidable
from lib.scoring.confusion import (
    LOOK_ALIKE,
    alike_errors,
    confused_pairs,
    confused_part,
    kind_shares,
    kind_summary,
    predicted_methods,
    summed,
    video_matrices,
    worst_pair,
)

CUT = "cut_cucumber"
book = open_notebook("2_8_3_error_analysis", params, split, overrides)

# %% [markdown]
# The matrices are those of 2.8.1 and 2.8.2, counted again from the predictions, in seconds.

# %%
methods = {"own": "videoclip_own_zero_shot", "public": "videoclip_public_zero_shot"}
present = predicted_methods(book.out, methods)
dataset = book.dataset()
each = {
    name: video_matrices(book.out, dataset, book.splits, method)
    for name, method in present.items()  # own, public
}
weights = {name: {split: summed(videos) for split, videos in splits.items()} for name, splits in each.items()}

# %% tags=["remove-input"]
for name in methods.keys() - present.keys():
    book.say(f"**No predictions with {name} weights**: `{methods[name]}` has not run.")

# %% [markdown]
# ## The most confused pairs
#
# The pairs that cost the most seconds, in each split and overall; the share is that of the true
# class's seconds. A pair may share the verb, share the object, or have objects that look alike. A
# pair with `action_start` or `action_end` is neutral.

# %%
pairs = {name: confused_pairs(part, most=5) for name, part in weights.items()}
confused = pd.concat(pairs, names=["weights"]).reset_index(level="weights")
for name, part in confused.groupby("weights"):
    shown = part.drop(columns="weights").style.hide().format(precision=2)
    book.table(f"confused_{name}", shown, part, f"The most confused pairs with {name} weights.")

# %% tags=["remove-input"]
for name, part in pairs.items():
    book.say(f"**{name.capitalize()} weights**: {worst_pair(part)}")

# %% [markdown]
# ## Are errors between alike classes?
#
# Declared to look alike, after the thesis:

# %% tags=["remove-input"]
alike = [f"- {' and '.join(sorted(things))}: {reason}" for things, reason in LOOK_ALIKE.items()]
book.say("\n".join(alike))

# %% [markdown]
# "By chance" means: each class keeps its number of wrong seconds, and these fall on the other
# classes in proportion to how often each is predicted overall, right or wrong. (`uniform` in the
# data: evenly on all other classes.) So a class that the model predicts too often proves nothing.

# %%
shares = pd.concat({name: kind_shares(part) for name, part in weights.items()}, names=["weights"])
shares = shares.reset_index(level="weights")
figure = draw_kinds(shares)
caption = "Kinds of pairs among the wrong seconds: mean over the splits, one point per split. "
caption += "Alike: any of the three above."
book.figure("kinds_of_errors", figure, shares, caption)

# %%
kinds = {name: kind_summary(part, 4999) for name, part in weights.items()}
summary = pd.concat(kinds, names=["weights"])
shown = in_words(summary.reset_index()).style.hide().format(precision=4, na_rep="–")
caption = "Kinds of errors, mean over the splits. "
caption += "p: share of 4999 random namings of the classes that do at least as well."
book.table("kinds_of_errors", shown, summary, caption)

# %% tags=["remove-input"]
for name, table in kinds.items():
    book.say(f"**{name.capitalize()} weights**: {alike_errors(table, len(book.splits))}")

# %% [markdown]
# A matrix does not show the order in time. Steps with the same food follow each other (peeled,
# cut, placed), so a boundary that is some seconds early or late also counts as an error with a
# shared object.
#
# ## What the thesis says, claim by claim
#
# The thesis judged by eye; here one rule decides. Two classes are confused if at least a tenth of
# the seconds of one of them is labelled as the other; the number is the larger of the two shares. A
# comparison is public less own weights. The 95 % interval over the splits gives the verdict; a
# claim that names splits is judged in each of them, by resampling its test videos.
#
# The problem with `cut_cucumber` is measured as the share of errors among all seconds that have, or
# are given, this label. How well `cut_…` is recognized is the share of its seconds labelled
# `cut_…`, less the share of all other seconds that are. The thesis writes "10 add_dressing", but
# its class 10 is `mix_dressing`; both are checked.

# %%
show_claims(book, matrices={methods[name]: videos for name, videos in each.items()})

# %% tags=["remove-input"]
for name, part in weights.items():
    book.say(
        f"With {name} weights the rule calls {confused_part(part):.0%} of all pairs of classes "
        f"confused, and {confused_part(part, CUT):.0%} of those with `{CUT}`. A claim about a pair "
        "drawn at random would hold as often in a split."
    )

# %% [markdown]
# ## What cannot be decided here
#
# The thesis also gives reasons, here and in other chapters, that nothing on these pages supports or
# contradicts.

# %%
reasons = undecidable()
shown = reasons.style.hide().set_properties(**{"text-align": "left"})
book.table("undecidable", shown, reasons, "Suppositions of the thesis, and what would decide them.")
