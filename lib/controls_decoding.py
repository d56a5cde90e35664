"""From scores of seconds to predictions (4.2): the best class of each second, and the segmental decoding on top.

Lengths and order are learnt on the training videos; how much the scores weigh is chosen by F1@50 on the people who also
chose the epoch. Both predictions are written like any method's, a label an annotated frame.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from lib.controlled import parts
from lib.controls import Key, Run
from lib.dataset import Dataset, open_dataset
from lib.metrics import score
from lib.multimodal import Sections
from lib.paths import Outputs
from lib.predictions import write_prediction
from lib.seconds import to_frames
from lib.viterbi import SegmentModel, decode, learn_segments

DECODINGS = ("argmax", "viterbi")


def method_name(name: str, decoding: str) -> str:
    """Below predictions/ and in the long table.

    >>> method_name("videoclip", "argmax"), method_name("videoclip", "viterbi")
    ('control_videoclip', 'control_videoclip_viterbi')
    """
    return f"control_{name}" if decoding == "argmax" else f"control_{name}_{decoding}"


def write_decoded(
    params: Sections, out: Outputs, dataset: Dataset, root: Path, runs: Mapping[Key, Run]
) -> pd.DataFrame:
    """Write both predictions of every run.

    Args:
        dataset: of the annotated frames.
        root: the data set of the seconds (lib.by_second).

    Returns:
        A row a run: method, split, seed, epoch, weight (of the scores), cpu_seconds.
    """
    seconds, people = open_dataset(root, None, 1.0), params.controls.validation_people

    @cache
    def learnt(split: int) -> SegmentModel:
        train, _, _ = parts(seconds, split, people)
        return learn_segments([seconds.labels(video) for video in train], len(seconds.classes), longest(seconds))

    rows = []
    for (name, split, seed), run in runs.items():
        _, validation, test = parts(seconds, split, people)
        weight = _best_weight(run, learnt(split), seconds, validation, params)
        for video in test:
            scores = run.scores[video]
            labels = {"argmax": scores.argmax(axis=1), "viterbi": decode(scores, learnt(split), weight)}
            for decoding in DECODINGS:
                frames = to_frames(labels[decoding], len(dataset.labels(video)), dataset.fps).tolist()
                path = out.predictions(method_name(name, decoding), split, seed) / f"{video}.txt"
                write_prediction(path, [dataset.classes[label] for label in frames])
        rows.append([name, split, seed, run.epoch, weight, run.cpu_seconds])
    return pd.DataFrame(rows, columns=["method", "split", "seed", "epoch", "weight", "cpu_seconds"])


def longest(seconds: Dataset) -> int:
    """Seconds of the longest video: a segment may be no longer, and every video can be decoded."""
    return max(len(seconds.labels(video)) for video in seconds.videos) + 1


def _best_weight(run: Run, model: SegmentModel, seconds: Dataset, validation: Sequence[str], params: Sections) -> float:
    """The weight with the highest F1@50 of the validation people's seconds, the first of equals."""
    found = {}
    for weight in params.controls.score_weights:
        pairs = [
            ([seconds.classes[label] for label in decode(run.scores[video], model, weight)], seconds.names(video))
            for video in validation
        ]
        cut = [(ours[: len(true)], true) for ours, true in pairs]
        found[weight] = score(cut, params.data.convention, params.data.ignore)["f1@50"]
    return max(found, key=lambda weight: found[weight])
