# %% [markdown]
# # 2.9.1 Fine-tuning, own weights
#
# The thesis's text speaks of VideoCLIP's own training objective; its code trains a linear head with cross-entropy, with room for
# 779 classes where there are 19, as its authors had done for COIN. This page does what the code did. A run of 15 epochs
# contains that of eight: the learning rate is constant after the warm-up.

# %% tags=["parameters", "remove-cell"]
params = "params/demo.yaml"  # the profile
split = "all"  # a number: train and test this split; "all": all of them together
overrides = []

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from lib.notebook import plots
from lib.notebook.figures import draw_confusions
from lib.notebook.notebook import open_notebook
from lib.notebook.tables import alone, beside, mark_best
from lib.pretraining.recipes import load_pretrained
from lib.scoring.confusion import long_table, split_matrices
from lib.scoring.metrics import METRICS
from lib.scoring.published import published_table
from lib.scoring.seconds import by_split
from lib.scoring.stats import mean_interval
from lib.videoclip.evaluation import epoch_chosen, falling, fine_tune_splits, most_confused, objectives_compared
from lib.videoclip.target import open_target

# %% tags=["hide-input"]
book = open_notebook("2_9_1_finetune_own", params, split, overrides)
settings = book.params.finetune
short, long = settings.epochs[0], settings.epochs[-1]

# %% [markdown]
# ## Training
#
# All layers of the video tower learn, with a new linear head over the states of the seconds; one video a step, windows that
# overlap. As in the thesis's code, an epoch's loss on the test videos chooses the result, so the numbers in the tables are a little
# too good: `finetune.select_on: validation` holds people out of the training part instead.

# %%
ready = load_pretrained(book, "own")
target = open_target(book, ready.layer, ready.feature_set)
result = fine_tune_splits(book, target, ready, "own")
book.metrics(result.metrics)

# %% tags=["remove-input"]
first = result.history[result.history["epoch"] == 1]
outputs = settings.head or len(target.dataset.classes)
book.say(
    f"{len(target.dataset.split(book.splits[0])[0])} training videos, so as many updates an epoch; the warm-up takes {settings.warmup} updates. "
    f"The loss of the first epoch is {first['train_loss'].mean():.2f} on average; a guess among {outputs} outputs would give ln {outputs} = {np.log(outputs):.2f}, among the "
    f"{len(target.dataset.classes)} classes {np.log(len(target.dataset.classes)):.2f}. The epoch is chosen by: {settings.select_on}."
)
for number in book.splits:
    if absent := target.absent(number):
        book.say(f"Split {number}: no training video has {', '.join(absent)}, so nothing can be learnt of it.")

# %%
figure, (left, right) = plt.subplots(1, 2)
begun = result.history[result.history["epoch"] <= short]
plots.learning_curves(begun, "train_loss", left, "training loss").legend()
plots.learning_curves(begun, "test_loss", right, "test loss")
book.figure(20, figure, begun, f"Fine-tuning for {short} epochs, own weights.")

# %% tags=["remove-input"]
curve = begun.groupby("epoch")["test_loss"].mean()
lowest = begun.loc[begun.groupby("split")["test_loss"].idxmin(), "epoch"]
book.say(
    f"Mean over the splits: training loss {begun.groupby('epoch')['train_loss'].mean().iloc[-1]:.2f} and test loss {curve.iloc[-1]:.2f} after {short} epochs. "
    f"The test loss is lowest at the last of them in {(lowest == short).sum()} of {len(lowest)} splits (thesis: {int((published_table(6)['best_epoch'] == 8).sum())} of 5)."
)

# %% [markdown]
# ## Table 6

# %%
epoch = epoch_chosen(settings.select_on)
table, values = beside(result.tables[short], published_table(6), book.params.data.name)
book.table(6, table, values, f"Fine-tuned for {short} epochs, own weights, a label a second. {epoch}")

# %% tags=["remove-input"]
ours, theirs = result.tables[short].iloc[-1], published_table(6).loc["mean"]
book.say(
    f"Accuracy {ours['accuracy']:.3f} here, {theirs['accuracy']:.3f} in the thesis; F1@50 {ours['f1@50']:.3f} and {theirs['f1@50']:.3f}."
)

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_own_{short}_epochs")
caption = f"Fine-tuned for {short} epochs, own weights."
book.figure(21, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(most_confused(matrices))

# %% [markdown]
# ## Longer
#
# The thesis saw no end of the fall in its curves after eight epochs and went on to 15.

# %%
figure, (left, right) = plt.subplots(1, 2)
plots.learning_curves(result.history, "train_loss", left, "training loss").legend()
plots.learning_curves(result.history, "test_loss", right, "test loss")
book.figure(22, figure, result.history, f"Fine-tuning for {long} epochs, own weights.")

# %%
table, values = beside(result.tables[long], published_table(7), book.params.data.name)
book.table(7, table, values, f"Fine-tuned for {long} epochs, own weights, a label a second. {epoch}")

# %% tags=["remove-input"]
ours, theirs = result.tables[long].iloc[-1], published_table(7).loc["mean"]
book.say(
    f"Accuracy {ours['accuracy']:.3f} here, {theirs['accuracy']:.3f} in the thesis. The training loss is still falling in "
    f"{falling(result.history, 'train_loss')} of {len(book.splits)} splits at the last epoch, the test loss in {falling(result.history, 'test_loss')}."
)
if book.whole:
    mean, half = mean_interval(
        (result.tables[long]["accuracy"] - result.tables[short]["accuracy"]).drop("mean").tolist()
    )
    gain = theirs["accuracy"] - published_table(6).loc["mean", "accuracy"]
    book.say(
        f"{long} epochs against {short}: {mean:+.3f} ± {half:.3f} (95 % interval over the splits); in the thesis {gain:+.3f}."
    )

# %%
matrices = split_matrices(book.out, target.dataset, book.splits, f"videoclip_own_{long}_epochs")
caption = f"Fine-tuned for {long} epochs, own weights."
book.figure(23, draw_confusions(matrices), long_table(matrices), caption)

# %% tags=["remove-input"]
book.say(most_confused(matrices))

# %% [markdown]
# ## The other objective
#
# The thesis's text and slides describe a contrastive loss between the seconds and the names of the classes. Split 1 trained
# that way, both towers, beside the head of the code:

# %%
if book.whole:
    compared = objectives_compared(book, target, ready, "own")
    caption = "Two objectives, split 1: accuracy of the test seconds, percent. * Chosen on the test videos."
    book.table("objectives", mark_best(compared).format(precision=1), compared.reset_index(), caption)

# %% tags=["remove-input"]
if book.whole:
    gain = compared.loc["contrastive"] - compared.loc["head"]
    book.say(
        f"Contrastive against head: {gain.iloc[0]:+.1f} points after {short} epochs, {gain.iloc[len(settings.epochs) - 1]:+.1f} after {long}. One split, one "
        "seed: a hint at most."
    )

# %% [markdown]
# ## One protocol for all
#
# The same predictions a label a frame, with the segmental scores of 2.3. Nothing smooths the labels over time here: each
# second is judged from its window.

# %%
frames = by_split(result.metrics, f"videoclip_own_{long}_epochs", book.params.data.convention, METRICS)
table, values = alone(frames, book.params.data.name)
book.table("finetuned_own_frames", table, values, f"Fine-tuned for {long} epochs, own weights, scored a frame.")

# %% tags=["remove-input"]
mean = frames.iloc[-1]
book.say(
    f"A frame counts {mean['accuracy'] - ours['accuracy']:+.3f} in accuracy against a second; the edit score is {mean['edit']:.1f} of 100, F1@50 {mean['f1@50']:.3f}."
)
