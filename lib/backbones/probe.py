"""How much single feature vectors reveal: a linear probe, the usual measure of a backbone (beyond the thesis)."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.data.dataset import Dataset


def fit_probe(features: np.ndarray, labels: np.ndarray) -> Pipeline:
    """Fit a logistic regression on standardized channels: features (N, D), labels (N,)."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=300)).fit(features, labels)


def linear_probe(dataset: Dataset, split: int, every: int) -> float:
    """Frame-wise accuracy, in percent, on the test videos of a probe fitted on the training videos.

    Only every n-th frame of both is used, because neighbours are nearly alike.
    """
    train, test = dataset.split(split)
    return 100 * float(fit_probe(*frames_of(dataset, train, every)).score(*frames_of(dataset, test, every)))


def frames_of(dataset: Dataset, videos: Sequence[str], every: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, D) and labels (N,) of every n-th frame of the videos."""
    features = np.concatenate([dataset.feature(video)[:, ::every].T for video in videos])
    return features, np.concatenate([dataset.labels(video)[::every] for video in videos])
