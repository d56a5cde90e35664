"""The zero-shot chapters (thesis 2.8.1, 2.8.2): VideoCLIP's predictions, and what has to stand beside them.

An untrained model scores well above or below one class in 19, by its seed: a zero-shot figure means nothing without it,
nor without the score of the commonest class.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from lib.notebook import Notebook
from lib.predictions import prediction_pairs
from lib.pretrained import Pretrained
from lib.protocols import SECONDS, by_split, score_both
from lib.tables import SECOND_COLUMNS
from lib.target import Target
from lib.towers import build_videoclip, tokenizer
from lib.videoclip import VideoCLIP
from lib.zero_shot import class_vectors, prompts, second_scores

PROMPTS = ("raw", "words")


def zero_shot(book: Notebook, target: Target, ready: Pretrained, weights: str) -> pd.DataFrame:
    """Predict and score the book's splits: the pre-trained model, untrained ones, the commonest class of training.

    Args:
        weights: "own" or "public"; the methods are videoclip_<weights>_zero_shot, videoclip_<weights>_untrained_<seed>
            and commonest_class.

    Returns:
        The long table, both protocols.
    """
    names = prompts(target.dataset.classes, book.params.zero_shot.prompts)
    models = {f"videoclip_{weights}_zero_shot": ready.model}
    for seed in book.params.zero_shot.seeds:
        untrained = build_videoclip(book.params.videoclip, ready.model.input_dim, seed).eval()
        models[f"videoclip_{weights}_untrained_{seed}"] = untrained.to(next(ready.model.parameters()).device)
    for method, model in models.items():
        visible = book.params.zero_shot.cls_visible
        for split, video, scores in scores_of(book, target, model, names, visible):
            target.write(book.out.predictions(method, split), video, scores.argmax(axis=1))
    for split in book.splits:
        commonest = Counter(label for video in target.dataset.split(split)[0] for label in target.dataset.names(video))
        number = target.dataset.classes.index(commonest.most_common(1)[0][0])
        for video in target.dataset.split(split)[1]:
            target.write(book.out.predictions("commonest_class", split), video, [number])
    return pd.concat(
        scored(book, target, method, split) for method, split in product([*models, "commonest_class"], book.splits)
    )


def untrained_table(metrics: pd.DataFrame, weights: str) -> pd.DataFrame:
    """The thesis's columns for the untrained models, mean over their seeds."""
    methods = [name for name in metrics["method"].unique() if name.startswith(f"videoclip_{weights}_untrained_")]
    tables = [by_split(metrics, method, SECONDS, SECOND_COLUMNS) for method in methods]
    return sum(tables[1:], tables[0]) / len(tables)


def scored(book: Notebook, target: Target, method: str, split: int) -> pd.DataFrame:
    """The long table, both protocols, of the predictions that a method wrote for a split."""
    dataset, data = target.dataset, book.params.data
    pairs = prediction_pairs(book.out.predictions(method, split), dataset, dataset.split(split)[1])
    about = {"section": book.section, "method": method, "split": split}
    return score_both(pairs, dataset.fps, dataset.classes[0], convention=data.convention, ignore=data.ignore, **about)


def scores_of(
    book: Notebook, target: Target, model: VideoCLIP, texts: list[str], cls_visible: bool
) -> Iterator[tuple[int, str, np.ndarray]]:
    """Split, test video and class scores of its seconds (T, K), for the book's splits."""
    vectors = class_vectors(model, tokenizer(book.params.videoclip), texts)
    stride = book.params.zero_shot.stride
    for split, video in target.tested():
        if split in book.splits:
            features = target.features(video, model.input_dim)
            yield split, video, second_scores(model, features, vectors, model.max_video_len, stride, cls_visible)


def ways_to_ask(book: Notebook, target: Target, ready: Pretrained) -> pd.DataFrame:
    """Accuracy of the seconds for raw names and words, with [CLS] hidden and seen; nothing is chosen by it.

    Returns:
        Percent; a row a prompt style, a column a way to treat [CLS].
    """
    right: dict[tuple[str, str], int] = {}
    total = 0
    for style, (seen, visible) in product(PROMPTS, (("[CLS] hidden", False), ("[CLS] seen", True))):
        right[style, seen] = total = 0
        for _, video, scores in scores_of(book, target, ready.model, prompts(target.dataset.classes, style), visible):
            truth = target.truth(video, len(scores))
            right[style, seen] += int((scores.argmax(axis=1) == truth).sum())
            total += len(truth)
    return 100 * pd.Series(right).unstack() / total
