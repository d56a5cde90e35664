"""The methods of 4.3 on one split: probe, ASFormer, fusion, mean of seeds, decoding; what is chosen, and by whom.

Two weights are chosen for each split: of the scores against lengths and order in the decoding, and of the sensors in
the late fusion. A split's own training videos cannot choose them, because its CNN knows those by heart. So another
split j lends its test people, who are training people here: nets are trained on j's features of the people whom neither
split tests, and j's test people choose. This split's test people take no part, though j's CNN has seen their labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import log_softmax, logsumexp
from sklearn.linear_model import Ridge

from lib.beyond.controls.decoding import SegmentModel, decode, learn_segments
from lib.beyond.modalities.inputs import INPUTS, Arrays, Inputs, Part, split_part
from lib.beyond.modalities.training import Scores, train_asformer
from lib.core.files import write_json
from lib.data.predictions import write_prediction
from lib.data.profile import Profile
from lib.scoring.metrics import score

LEAST = 0.01  # lower bound of what ridge regression gives a class, which may be negative


def lender(split: int, splits: int) -> int:
    """Number of the split whose test people choose for this one.

    >>> [lender(split, 5) for split in (1, 2, 5)]
    [2, 3, 1]
    """
    return split % splits + 1


def probe(profile: Profile, part: Part, inputs: Inputs) -> Scores:
    """Fit a linear probe, ridge regression of single seconds on one-hot classes; its values serve as probabilities."""
    step, arrays = profile.params.asformer.sample_rate, part.inputs[inputs]
    labels = np.concatenate([part.seconds.labels(video) for video in part.fit])
    steps = np.concatenate([arrays[video][:, ::step] for video in part.fit], axis=1).T
    model = Ridge(alpha=100.0).fit(steps, np.eye(len(part.seconds.classes))[labels])
    found = {video: model.predict(arrays[video][:, ::step].T) for video in part.asked}
    return {video: log_softmax(np.log(np.maximum(values, LEAST)), axis=1) for video, values in found.items()}


def by_heart(profile: Profile, sensors: Arrays, split: int) -> list[float]:
    """Accuracy of the linear probe of video, in percent, on training videos, which the CNN knows, and test videos."""
    part = split_part(profile, sensors, split)
    found = probe(profile, replace(part, asked=[*part.fit, *part.asked]), "video")
    right = {video: scores.argmax(axis=1) == part.seconds.labels(video) for video, scores in found.items()}
    return [100 * float(np.concatenate([right[video] for video in videos]).mean()) for videos in (part.fit, part.asked)]


def fused(video: Scores, sensors: Scores, share: float) -> Scores:
    """Fuse late: the weighted geometric mean of two nets' probabilities.

    p(k) is proportional to p_video(k)^(1 - share) p_sensors(k)^share.

    >>> one = {"v": np.log([[0.9, 0.1]])}
    >>> np.exp(fused(one, one, 0.3)["v"]).round(3).tolist()
    [[0.9, 0.1]]
    """
    return {name: log_softmax((1 - share) * video[name] + share * sensors[name], axis=1) for name in video}


def mean_of(models: Sequence[Scores]) -> Scores:
    """Logarithm of the mean probability of several models.

    >>> one, other = {"v": np.log([[0.9, 0.1]])}, {"v": np.log([[0.5, 0.5]])}
    >>> np.exp(mean_of([one, other])["v"]).round(3).tolist()
    [[0.7, 0.3]]
    """
    return {video: logsumexp([one[video] for one in models], axis=0) - np.log(len(models)) for video in models[0]}


@dataclass(frozen=True)
class Choices:
    """Choices of another split's test people: per method, the weight of the scores, and the sensors' share."""

    weights: Mapping[str, float]
    share: float


def choose(profile: Profile, sensors: Arrays, split: int) -> Choices:
    """Choose for a split as described above; the highest mean of the five measures wins, the first of equals."""
    how, tested = profile.params.modalities, profile.public_dataset(split).split(split)[1]
    part = split_part(profile, sensors, lender(split, profile.params.data.splits), without=tested)
    model, seconds = segment_model(part), part.seconds

    def quality(scores: Scores, weight: float | None) -> float:
        pairs = [
            ([seconds.classes[label] for label in labels_of(scores[video], model, weight)], seconds.names(video))
            for video in part.asked
        ]
        return float(np.mean(list(score(pairs, profile.params.data.convention, profile.params.data.ignore).values())))

    scores = {f"probe_{one}": probe(profile, part, one) for one in INPUTS}
    for one in INPUTS:
        scores[f"asformer_{one}"] = train_asformer(profile, part, one, how.seeds[0], f"modalities_choice_{one}", split)
    mixed = {share: fused(scores["asformer_video"], scores["asformer_sensors"], share) for share in how.sensor_shares}
    # without decoding, whose weight then depends on the share
    share = max(mixed, key=lambda share: quality(mixed[share], None))
    scores["asformer_late"] = mixed[share]
    weights = {name: max(how.score_weights, key=lambda weight: quality(one, weight)) for name, one in scores.items()}
    return Choices(weights, share)


def segment_model(part: Part) -> SegmentModel:
    """Learn lengths (seconds) and order of the training videos' segments."""
    return learn_segments([part.seconds.labels(video) for video in part.fit], len(part.seconds.classes))


def labels_of(scores: np.ndarray, model: SegmentModel, weight: float | None) -> list[int]:
    """Class of each second: the best by itself (`weight` None), or that of the best segmentation."""
    return (scores.argmax(axis=1) if weight is None else decode(scores, model, weight)).tolist()


def predict_split(profile: Profile, sensors: Arrays, split: int) -> pd.DataFrame:
    """Choose, train and write every method's predictions of one split.

    Returns one row per method: method, seeds, weight (of the scores in the decoding), share (of the sensors).
    """
    choices, seeds = choose(profile, sensors, split), profile.params.modalities.seeds
    part = split_part(profile, sensors, split)
    model = segment_model(part)
    found: dict[str, list[Scores]] = {f"probe_{one}": [probe(profile, part, one)] for one in INPUTS}
    for one in INPUTS:
        name = f"asformer_{one}"
        found[name] = [train_asformer(profile, part, one, seed, f"modalities_{one}", split) for seed in seeds]
    pairs = zip(found["asformer_video"], found["asformer_sensors"], strict=True)
    found["asformer_late"] = [fused(video, sensor, choices.share) for video, sensor in pairs]

    def write(method: str, seed: int, scores: Scores, weight: float | None) -> None:
        """Predictions of the test videos: each second's label for all of its steps."""
        folder, step = profile.out.predictions(f"modalities_{method}", split, seed), profile.params.asformer.sample_rate
        for video in part.asked:
            chosen = np.repeat(labels_of(scores[video], model, weight), step)[: len(part.dataset.labels(video))]
            write_prediction(folder / f"{video}.txt", [part.dataset.classes[label] for label in chosen])

    rows = []
    for name, runs in found.items():
        means = [("mean_of_seeds_" + name, [mean_of(runs)])] if len(runs) > 1 else []
        for method, several in [(name, runs), *means]:
            for ending, weight in (("", None), ("_viterbi", choices.weights[name])):
                for seed, scores in zip(seeds, several, strict=False):
                    write(f"{method}{ending}", seed, scores, weight)
        rows.append({"method": name, "seeds": len(runs), "weight": choices.weights[name]})
    write_json(profile.out.run("modalities_choices", split) / "choices.json", asdict(choices))
    return pd.DataFrame(rows).assign(share=choices.share)
