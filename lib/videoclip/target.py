"""The target set as VideoCLIP sees it: one feature and one label per second, and the way back to frames (thesis 2.7).

Whatever would make a model useless raises a one-line error: features of another set than the model was trained on, of
another width, too few, or not finite.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lib.backbones.s3d_features import FeatureSetError, check_same_set, feature_set
from lib.core.settings import S3DLayer
from lib.data.dataset import Dataset
from lib.data.files import array_header
from lib.data.predictions import write_prediction
from lib.data.profile import Profile
from lib.scoring.seconds import at_one_fps, second_targets, to_frames


@dataclass(frozen=True)
class Target:
    """The target set and its features."""

    dataset: Dataset  # opened for its labels
    folder: Path  # of the features, <video>.npy, (D, T), one per second

    def features(self, video: str, feature_dim: int) -> np.ndarray:
        """Read a video's features, (T, D) float32; T includes a last second that has only begun.

        Raises FeatureSetError: they are missing, of another width than D, end before the labels, or are not finite.
        """
        features = self._opened(video, feature_dim)
        bad = np.flatnonzero(~np.isfinite(features).all(axis=0))
        if bad.size:
            file = self.folder / f"{video}.npy"
            raise FeatureSetError(f"{file}: NaN or infinite, first in second {bad[0]}; extract it again")
        return np.ascontiguousarray(features.T, np.float32)

    def check(self) -> None:
        """Look at the headers of every video's features, so that faults come before hours of work.

        Raises FeatureSetError: a video's features are missing or end before its labels.
        """
        for video in self.dataset.videos:
            self._opened(video)

    def _opened(self, video: str, feature_dim: int | None = None) -> np.ndarray:
        """Map a video's features (D, T) without reading them; `feature_dim`: D, if it is known."""
        path = self.folder / f"{video}.npy"
        if not path.exists():
            raise FeatureSetError(f"{path}: missing; run 2_4, which extracts S3D's features of the target set")
        features = array_header(path, "(D, T)")
        if feature_dim not in (None, len(features)):
            raise FeatureSetError(f"{path}: shape {features.shape}; this model takes ({feature_dim}, seconds)")
        labelled = int(len(self.dataset.labels(video)) / self.dataset.fps)
        if features.shape[1] < labelled:
            raise FeatureSetError(f"{path}: {features.shape[1]} seconds, but {labelled} are labelled; extract it again")
        return features

    def truth(self, video: str, seconds: int) -> np.ndarray:
        """Class numbers of the seconds, (seconds,), as in the thesis's code: seconds without a segment are class 0."""
        return second_targets(self.dataset.labels(video), self.dataset.fps, 0, seconds)

    def unscored(self) -> tuple[int, int]:
        """Number of seconds begun in the test videos, and of those not scored because their middle has no label."""
        begun = scored = 0
        for _, video in self.tested():
            labels = self.dataset.labels(video)
            begun += math.ceil(len(labels) / self.dataset.fps)
            scored += len(at_one_fps(labels, self.dataset.fps))
        return begun, begun - scored

    def absent(self, split: int) -> list[str]:
        """Classes that no training video of a split contains."""
        seen = {label for video in self.dataset.split(split)[0] for label in self.dataset.names(video)}
        return [name for name in self.dataset.classes if name not in seen]

    def tested(self) -> Iterator[tuple[int, str]]:
        """Yield split and video, once for every test video of every split."""
        return ((split, video) for split in self.dataset.splits for video in self.dataset.split(split)[1])

    def write(self, folder: Path, video: str, seconds: Sequence[int] | np.ndarray) -> None:
        """Write class numbers of seconds as a prediction, one label per annotated frame."""
        labels = to_frames(seconds, len(self.dataset.labels(video)), self.dataset.fps)
        write_prediction(folder / f"{video}.txt", [self.dataset.classes[label] for label in labels.tolist()])


def open_target(profile: Profile, layer: S3DLayer, learnt_on: str) -> Target:
    """Open the target set with the features that a model takes.

    Raises FeatureSetError: the target's features were made in another way, and `howto100m.accept` does not name the
    two.
    """
    name = feature_set(layer, profile.params.s3d)
    check_same_set(learnt_on, name, profile.params.howto100m.accept)
    return Target(profile.dataset(), profile.out.data / "features" / name)
