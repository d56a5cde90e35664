# %% [markdown]
# # 2.3.3 The baseline on own features
#
# The baseline of the thesis: ASFormer trained from scratch on the features extracted in 2.3.2, with the vectors that
# outlast the labels cut at the end, on each of the splits. What is reported is the last epoch.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from lib.asformer.cross_validation import cross_validate
from lib.notebook import plots
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import beside
from lib.scoring.published import published_curve, published_table

book = open_notebook("2_3_3_baseline", params, split, overrides)

# %% [markdown]
# ## Training
#
# One video a step, Adam, the learning rate cut where the training loss stops falling; all stages are trained from the
# first step on. A split whose run is finished is read, not trained again.

# %%
dataset = book.dataset(book.own_features, trim="end")
result = cross_validate(book, dataset, "asformer_own")

# %%
figure, (left, right) = plt.subplots(1, 2)
plots.learning_curves(result.history, "train_loss", left, "training loss (a video)").legend()
plots.learning_curves(result.history, "train_accuracy", right, "training accuracy, %")
book.figure(11, figure, result.history, "Training of the baseline on the splits.")

# %% tags=["remove-input"]
last = result.history[result.history["epoch"] == result.history["epoch"].max()]
book.say(
    f"After {last['epoch'].max()} epochs the training accuracy is {last['train_accuracy'].mean():.1f} % on average "
    f"({last['train_accuracy'].min():.1f} to {last['train_accuracy'].max():.1f} over the splits); the learning "
    f"rate ended at {last['learning_rate'].min():.1e} to {last['learning_rate'].max():.1e}."
)

# %% [markdown]
# ## On the test videos
#
# Measured during training for the figure; nothing is chosen by it.

# %%
figure, (left, right) = plt.subplots(1, 2)
plots.learning_curves(result.history, "accuracy", left, "test accuracy, %").set_title(book.params.data.name)
published = (
    published_curve("baseline").rename_axis("epoch").melt(ignore_index=False, var_name="split", value_name="accuracy")
)
thesis = published.reset_index().assign(accuracy=published["accuracy"].to_numpy() * 100)
plots.learning_curves(thesis, "accuracy", right, "test accuracy, %").set_title(
    "thesis, 50Salads (read off its notebook)"
)
right.legend()

# %%
tested = result.history.dropna(subset=["accuracy"])
book.figure(12, figure, tested, "The baseline on the test videos, here and in the thesis.")

# %% tags=["remove-input"]
drops = thesis.pivot(index="epoch", columns="split", values="accuracy").diff()
worst = drops.loc[50].nsmallest(3)
book.say(
    f"The thesis reads its dips at epoch 50 (splits {', '.join(map(str, sorted(worst.index)))}: "
    f"{', '.join(f'{value:+.1f}' for value in worst)} points) as a switch from training the encoder to training the decoders. "
    "There is no such switch: the losses of all stages are summed from the first step."
)

# %% [markdown]
# ## Table 3

# %%
table, values = beside(result.table, published_table(3), book.params.data.name)
book.table(3, table, values, "The baseline. * Chosen on the test videos, as the thesis prints it; not a result.")
book.metrics(result.metrics)

# %% tags=["remove-input"]
ours, theirs = result.table.iloc[-1], published_table(3).loc["mean"]
book.say(
    f"Accuracy {ours['accuracy']:.3f} here, {theirs['accuracy']:.3f} in the thesis; edit score {ours['edit']:.1f} and "
    f"{theirs['edit']:.1f}; F1@50 {ours['f1@50']:.3f} and {theirs['f1@50']:.3f}. Choosing the epoch on the test videos would have "
    f"added {ours['best_accuracy'] - ours['accuracy']:.3f} here and {theirs['best_accuracy'] - theirs['accuracy']:.3f} in the thesis."
)
