"""What the timeline explorer shows of a video: the truth, and each method's prediction with its scores.

Sequences are kept as runs of equal labels, `[class, frames, class, frames, …]`; the page divides them by the frame rate
and is exact to the frame. A whole data set takes a few hundred kilobytes of JSON.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lib.beyond.modalities.views import METHODS, display
from lib.core.settings import Params
from lib.data.dataset import Dataset
from lib.data.predictions import prediction_pairs
from lib.data.profile import Profile
from lib.scoring.conclusion import methods
from lib.scoring.labels import segments
from lib.scoring.metrics import score
from lib.scoring.words import display_name

SHOWN_SCORES = ("accuracy", "edit", "f1@50")
THESIS, CONTROLS, REAL, OTHERS = "Methods of the thesis", "Controls (4.2)", "Video and sensors (4.3)", "Others"
PUBLISHED = "mstcn_i3d_predictions"
# share of the labels in which two annotations of one video agree
SAME = 0.95
_PART = re.compile(r"split_(\d+)(?:_seed_(\d+))?")
Folders = dict[int, tuple[Path, int | None]]  # split -> folder of its predictions, and its seed if it has one


def predicted(folder: Path) -> dict[str, Folders]:
    """Find methods with predictions below `folder`; if a split was run only with seeds, the lowest seed counts."""
    found: dict[str, Folders] = {}
    for method in sorted(path for path in folder.glob("[!.]*") if path.is_dir()):
        parts = []
        for path in method.iterdir():
            if part := _PART.fullmatch(path.name):
                parts.append((int(part[1]), int(part[2] or -1), path))
        for split, seed, path in sorted(parts, reverse=True):  # the lowest comes last and stays
            found.setdefault(method.name, {})[split] = (path, None if seed < 0 else seed)
    return found


def named_methods(found: Mapping[str, Folders], params: Params) -> dict[str, dict[str, str]]:
    """Names and groups of the methods as the page shows them.

    Those of the thesis's Table 10 come first, in its order, then 4.3's best of each input.
    """
    of_thesis = list(methods(params.finetune.epochs).values())
    of_real = {f"modalities_{method}": display(method, len(params.modalities.seeds)) for method in METHODS}
    first = [*of_thesis, *(method for method in of_real if "modalities_asformer" in method and "viterbi" in method)]
    named = {}
    for method in sorted(found, key=lambda name: first.index(name) if name in first else len(first)):
        seeds = sorted({seed for _, seed in found[method].values() if seed is not None})
        name = of_real.get(method) or display_name(method)
        if seeds and "mean of" not in name:
            name += f", seed {seeds[0]}"
        groups = {THESIS: method in of_thesis, REAL: method in of_real, CONTROLS: method.startswith("control_")}
        named[method] = {"name": name, "group": next((one for one, belongs in groups.items() if belongs), OTHERS)}
    return named


def split_of_videos(dataset: Dataset, splits: tuple[int, ...]) -> dict[str, int]:
    """Video -> the split that tests it, in the order of the videos' names."""
    found = {video: split for split in reversed(splits) for video in dataset.split(split)[1]}
    return dict(sorted(found.items()))


def video_data(
    dataset: Dataset,
    video: str,
    split: int,
    found: Mapping[str, Folders],
    params: Params,
    published: list[str] | None = None,
) -> dict[str, Any]:
    """Truth and predictions of one video, ready for JSON; `published`: the real model's (`published_predictions`).

    Returns split; fps; truth, as runs; rows, for each method that has predicted this video: method, runs, and scores
    (SHOWN_SCORES) of this video alone, in percent with one decimal, in the profile's convention.

    Raises PredictionError: a prediction is shorter than the truth or has a class that is not in the mapping.
    """
    numbers = {name: number for number, name in enumerate(dataset.classes)}
    rows = []
    predictions = {} if published is None else {PUBLISHED: published}
    for method, folders in found.items():
        folder = folders.get(split, (None, None))[0]
        if folder is not None and any((folder / name).is_file() for name in (video, f"{video}.txt")):
            predictions[method] = prediction_pairs(folder, dataset, [video])[video][0]
    truth = dataset.names(video)
    for method, prediction in predictions.items():
        scores = score([(prediction, truth)], convention=params.data.convention, ignore=params.data.ignore)
        shown = [round(scores[name], 1) for name in SHOWN_SCORES]
        rows.append({"method": method, "runs": runs(prediction, numbers), "scores": shown})
    return {"split": split, "fps": dataset.fps, "truth": runs(truth, numbers), "rows": rows}


def published_predictions(profile: Profile, dataset: Dataset) -> dict[str, list[str]]:
    """Read a real model's predictions (30 fps) of videos that both data sets have, at steps of the profile's labels.

    A data set may begin later than the real labels and have fewer steps per second, like Lea et al.'s. It is taken to
    begin where both labels agree best, leaving out classes that are not scored; below `SAME` it is another video.
    """
    real, data = profile.real_predictions(), profile.params.data
    if real is None or data.source == "demo":
        return {}
    step, found = round(30 / dataset.fps), {}
    for video, (prediction, truth) in {v: pair for pairs in real.values() for v, pair in pairs.items()}.items():
        own = np.array(dataset.names(video)) if video in dataset.videos else np.array([])
        places, known = step * np.arange(len(own)), ~np.isin(own, data.ignore)
        if not known.any() or places[-1] >= len(truth):
            continue
        numbers, all_labels = {}, (own[known].tolist(), truth)
        mine, theirs = (np.array([numbers.setdefault(name, len(numbers)) for name in names]) for names in all_labels)
        agree = np.array([(theirs[places[known] + at] == mine).mean() for at in range(len(truth) - places[-1])])
        if agree.max() >= SAME:
            # several beginnings, some frames apart, may agree equally well
            begin = int(np.median(np.flatnonzero(agree == agree.max())))
            labels = [prediction[begin + place] for place in places]
            found[video] = [name if name in dataset.classes else data.ignore[0] for name in labels]
    return found


def runs(names: list[str], numbers: Mapping[str, int]) -> list[int]:
    """Encode labels as runs of equal ones, in a flat list: class, frames, class, frames, …

    >>> runs(["cut", "cut", "mix"], {"cut": 0, "mix": 1})
    [0, 2, 1, 1]
    """
    found = segments(names)
    pairs = zip(found.labels.tolist(), (found.ends - found.starts).tolist(), strict=True)
    return [number for name, length in pairs for number in (numbers[name], length)]
