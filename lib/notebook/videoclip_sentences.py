"""Computed sentences about VideoCLIP on the target set (thesis 2.7 to 2.9)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.scoring.confusion import confused_pairs, summed


def seconds_not_scored(begun: int, left_out: int) -> str:
    """Say how many seconds are scored in the thesis but not here.

    >>> print(seconds_not_scored(4000, 12))
    Of 4,000 seconds begun, 12 (0.3 %) are not scored: they last half a second or less. The thesis scored these too.
    """
    return (
        f"Of {begun:,} seconds begun, {left_out:,} ({100 * left_out / begun:.1f} %) are not scored: they last half a "
        "second or less. The thesis scored these too."
    )


def transfer(ours: float, thesis: float, untrained: Sequence[float], commonest: float) -> str:
    """A zero-shot accuracy beside the thesis's and beside chance.

    >>> transfer(0.2, 0.3, [0.1, 0.15], 0.25)[-80:]
    '0.100 to 0.150 over 2 seeds, the commonest class 0.250: no evidence of transfer.'
    """
    verdict = ": no evidence of transfer." if ours <= max(*untrained, commonest) else "."
    return (
        f"Accuracy is {ours:.3f} here and {thesis:.3f} in the thesis. The same net without training scores "
        f"{min(untrained):.3f} to {max(untrained):.3f} over {len(untrained)} seeds, the commonest class "
        f"{commonest:.3f}{verdict}"
    )


def windows_of(video: str, table: pd.DataFrame, windows: int, size: int, stride: int, prompt: str) -> str:
    """Say how a video is covered by windows, and how many of its seconds are correct.

    >>> table = pd.DataFrame({"windows": [1, 2], "truth": ["cut", "mix"], "best": ["cut", "cut"]})
    >>> windows_of("rgb-01-1", table, 2, 32, 16, "cut_tomato")[:75]
    '`rgb-01-1`: 2 seconds in 2 windows of 32, one every 16. 50% of its seconds,'
    """
    return (
        f"`{video}`: {len(table)} seconds in {windows} windows of {size}, one every {stride}. "
        f"{(table['windows'] > 1).mean():.0%} of its seconds, all but those at its ends, are in more than one window. "
        f"The text tower read e.g. “{prompt}”. {(table['truth'] == table['best']).mean():.0%} of "
        "the seconds get their class."
    )


def window_edges(places: pd.DataFrame, overlapping: float, apart: float) -> str:
    """Accuracy at the edges and in the middle of windows, and after merging: overlapping by half, or side by side.

    >>> places = pd.DataFrame({"accuracy": [10.0, 30, 30, 10], "seconds": 5})
    >>> window_edges(places, 25.0, 20.0)[:84]
    'The outer half of a window has 10.0 % correct, the inner half 30.0 %. Windows that o'
    """
    outer, inner = _outer_and_inner(places)
    return (
        f"The outer half of a window has {outer:.1f} % correct, the inner half {inner:.1f} %. Windows that "
        f"overlap by half and are averaged give {overlapping:.1f} %, windows side by side {apart:.1f} %. "
        "Averaging scores and averaging states are the same, as a score is linear in the state."
    )


def _outer_and_inner(places: pd.DataFrame) -> list[float]:
    """Accuracy in the outer and in the inner half of the windows; NaN where a video is too short to have it."""
    edge = max(1, len(places) // 4)
    parts = places.iloc[[*range(edge), *range(-edge, 0)]], places.iloc[edge:-edge]
    return [(part["accuracy"] * part["seconds"]).sum() / (part["seconds"].sum() or np.nan) for part in parts]


def edge_gain(places: pd.DataFrame) -> float:
    """Accuracy in the inner half of the windows less accuracy in the outer half.

    >>> edge_gain(pd.DataFrame({"accuracy": [10.0, 30, 40, 20], "seconds": 5}))
    20.0
    """
    outer, inner = _outer_and_inner(places)
    return float(inner - outer)


def two_protocols(seconds: pd.Series, frames: pd.Series) -> str:
    """Say how the scores depend on the unit of scoring, second or frame.

    >>> two_protocols(pd.Series({"accuracy": 0.5, "raw_edit": 30.25}), pd.Series({"accuracy": 0.51, "edit": 60.0}))[:62]
    'Per frame, accuracy differs by +0.010 from accuracy per second'
    """
    return (
        f"Per frame, accuracy differs by {frames['accuracy'] - seconds['accuracy']:+.3f} from accuracy per second. The "
        f"edit score is {frames['edit']:.1f} of 100, the edit distance in seconds {seconds['raw_edit']:.1f}: two "
        "different things under one name."
    )


def names_given(matrices: Mapping[int, pd.DataFrame], most: int = 3) -> str:
    """The names that a model gives most often.

    >>> names_given({1: pd.DataFrame([[8, 0], [2, 0]], index=["cut", "mix"], columns=["cut", "mix"])}, most=1)
    'The 1 most frequent names cover 100% of all seconds: `cut` (100%, true 80%). 1 of 2 classes are hardly ever named.'
    """
    matrix = summed(matrices)
    total = matrix.to_numpy().sum()
    given, true = matrix.sum() / total, matrix.sum(axis=1) / total
    top = given.nlargest(most)
    named = ", ".join(f"`{name}` ({share:.0%}, true {true[name]:.0%})" for name, share in top.items())
    return (
        f"The {most} most frequent names cover {top.sum():.0%} of all seconds: {named}. "
        f"{(given < 0.005).sum()} of {len(given)} classes are hardly ever named."
    )


def prompts_and_cls(ways: pd.DataFrame) -> str:
    """Gains from words as prompts and from a visible [CLS]. `ways`: from `lib.videoclip.evaluation.ways_to_ask`.

    >>> columns = ["[CLS] hidden", "[CLS] seen"]
    >>> prompts_and_cls(pd.DataFrame([[20.0, 22.0], [21.0, 21.5]], ["raw", "words"], columns))[:74]
    'Words gain +1.0 points over raw names with [CLS] hidden, -0.5 with it seen'
    """
    words = ways.loc["words"] - ways.loc["raw"]
    seen = ways["[CLS] seen"] - ways["[CLS] hidden"]
    return (
        f"Words gain {words['[CLS] hidden']:+.1f} points over raw names with [CLS] hidden, {words['[CLS] seen']:+.1f} "
        f"with it seen. A visible [CLS] gains {seen['raw']:+.1f} (raw names) and {seen['words']:+.1f} points (words)."
    )


def first_epoch(history: pd.DataFrame, videos: int, warmup: int, outputs: int, classes: int) -> str:
    """Say how a fine-tuning starts, beside a guess.

    >>> first_epoch(pd.DataFrame({"epoch": [1, 2], "train_loss": [6.0, 3.0]}), 40, 122, 779, 19)[:61]
    '40 training videos, one update each; the warm-up takes 122 up'
    """
    loss = history.loc[history["epoch"] == 1, "train_loss"].mean()
    return (
        f"{videos} training videos, one update each; the warm-up takes {warmup} updates. The loss of the first epoch "
        f"is {loss:.2f} on average. A guess among {outputs} outputs has ln {outputs} = {np.log(outputs):.2f}, among "
        f"the {classes} classes {np.log(classes):.2f}."
    )


def not_learnt(absent: Mapping[int, Sequence[str]]) -> str:
    """The classes that no training video of a split contains, by split; nothing if there are none.

    >>> not_learnt({1: ["serve"], 2: ["peel", "serve"], 3: ["serve"], 4: []})
    'No training video has serve (splits 1, 3) or peel, serve (split 2), which therefore cannot be learnt.'
    >>> not_learnt({1: []})
    ''
    """
    where: dict[str, list[str]] = {}
    for split, names in absent.items():
        where.setdefault(", ".join(names), []).append(str(split))
    parts = [
        f"{names} (split{'s' if len(splits) > 1 else ''} {', '.join(splits)})"
        for names, splits in where.items()
        if names
    ]
    return f"No training video has {' or '.join(parts)}, which therefore cannot be learnt." if parts else ""


def losses_at_the_end(history: pd.DataFrame, thesis: int) -> str:
    """Losses after the short fine-tuning, and in how many splits the test loss is lowest there, here and in the thesis.

    >>> curve = {"split": [1, 1], "epoch": [1, 2], "train_loss": [3.0, 2.0], "test_loss": [3.0, 2.5]}
    >>> losses_at_the_end(pd.DataFrame(curve), 4)[-83:]
    'The test loss is lowest at the last epoch in 1 of 1 splits (thesis: 4 of 5 splits).'
    """
    last = history[history["epoch"] == history["epoch"].max()]
    return (
        f"After epoch {int(history['epoch'].max())} the training loss is {last['train_loss'].mean():.2f} and the test "
        f"loss {last['test_loss'].mean():.2f} (mean over the splits). The test loss is lowest at the last epoch in "
        f"{falling(history, 'test_loss')} of {len(last)} splits (thesis: {thesis} of 5 splits)."
    )


def falling(history: pd.DataFrame, loss: str) -> int:
    """Number of splits whose loss is lowest at the last epoch.

    >>> falling(pd.DataFrame({"split": [1, 1, 2, 2], "epoch": [1, 2, 1, 2], "loss": [3, 2, 2, 3]}), "loss")
    1
    """
    lowest = history.loc[history.groupby("split")[loss].idxmin(), "epoch"]
    return int((lowest == history["epoch"].max()).sum())


def still_falling(history: pd.DataFrame) -> str:
    """In how many splits the losses of the long fine-tuning are lowest at its end.

    >>> still_falling(pd.DataFrame({"split": 1, "epoch": [1, 2], "train_loss": [3, 2], "test_loss": [2, 3]}))
    'The training loss is lowest at the last epoch in 1 of 1 splits, the test loss in 0.'
    """
    return (
        f"The training loss is lowest at the last epoch in {falling(history, 'train_loss')} of "
        f"{history['split'].nunique()} splits, the test loss in {falling(history, 'test_loss')}."
    )


def epochs_missing(best: Sequence[float], short: int) -> str:
    """Say how many epochs the thesis's short fine-tuning lacked, by the epochs that its long one chose.

    >>> print(epochs_missing([11, 10, 13], 8))
    The thesis says that 2 or 3 epochs were missing. Its long training chose epochs 11, 10, 13: on average 3.3 later.
    """
    later = np.mean(np.array(best) - short)
    chosen = f"Its long training chose epochs {', '.join(f'{epoch:.0f}' for epoch in best)}"
    return f"The thesis says that 2 or 3 epochs were missing. {chosen}: on average {later:.1f} later."


def scores_beside(ours: pd.Series, thesis: pd.Series) -> str:
    """Accuracy and F1@50 beside the thesis's.

    >>> scores_beside(*[pd.Series({"accuracy": 0.8, "f1@50": 0.5})] * 2)
    'Accuracy is 0.800 here and 0.800 in the thesis, F1@50 0.500 and 0.500.'
    """
    return (
        f"Accuracy is {ours['accuracy']:.3f} here and {thesis['accuracy']:.3f} in the thesis, "
        f"F1@50 {ours['f1@50']:.3f} and {thesis['f1@50']:.3f}."
    )


def gain(what: str, found: tuple[float, float], thesis: float) -> str:
    """A difference in accuracy with its interval over the splits.

    >>> gain("15 epochs against 8", (0.01, 0.02), 0.03)
    '15 epochs against 8: +0.010 ± 0.020 in accuracy (95 % interval over the splits); in the thesis +0.030.'
    """
    mean, half = found
    return f"{what}: {mean:+.3f} ± {half:.3f} in accuracy (95 % interval over the splits); in the thesis {thesis:+.3f}."


def objectives(compared: pd.DataFrame) -> str:
    """The contrastive objective against the head.

    >>> objectives(pd.DataFrame([[60.0, 62], [58, 63]], ["head", "contrastive"], ["after 8 epochs", "highest*"]))
    'Contrastive against head: -2.0 points after 8 epochs. One split and one seed: a hint at most.'
    """
    when = compared.columns[0]
    gain = compared.loc["contrastive", when] - compared.loc["head", when]
    return f"Contrastive against head: {gain:+.1f} points {when}. One split and one seed: a hint at most."


def epoch_chosen(select_on: str) -> str:
    """Note to a table's columns with *.

    >>> epoch_chosen("test")
    '* Of the epoch chosen by the loss on the test videos.'
    """
    epoch = "last epoch" if select_on == "last" else f"epoch chosen by the loss on the {select_on} videos"
    return f"* Of the {epoch}."


def most_confused(matrices: Mapping[int, pd.DataFrame], most: int = 4) -> str:
    """The confusions that cost the most seconds, over all splits."""
    pairs = confused_pairs(matrices, most)
    worst = pairs[pairs["split"] == pairs["split"].iloc[-1]]
    named = [
        f"`{row.true}` taken for `{row.predicted}` ({row.seconds} s, {row.share:.0%} of its seconds; {row.kinds})"
        for row in worst.itertuples()
    ]
    return f"Most seconds are lost to these confusions: {'; '.join(named)}."
