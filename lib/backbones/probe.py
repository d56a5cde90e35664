"""How much a frame's feature says by itself: a linear probe, the usual measure of a backbone (thesis: not done)."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.data.dataset import Dataset


def linear_probe(dataset: Dataset, split: int, every: int, regularization: float = 0.05) -> float:
    """Frame-wise accuracy in percent on the test videos of logistic regression on single frames of the training videos.

    Args:
        every: only each n-th frame is used, in training and test; neighbours are nearly alike.
        regularization: inverse strength (scikit-learn's C), on standardized channels.
    """
    train, test = dataset.split(split)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=regularization, max_iter=300))
    probe.fit(*_frames(dataset, train, every))
    return 100 * float(probe.score(*_frames(dataset, test, every)))


def _frames(dataset: Dataset, videos: tuple[str, ...], every: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, D) and labels (N,) of the videos' frames."""
    features = np.concatenate([dataset.feature(video)[:, ::every].T for video in videos])
    return features, np.concatenate([dataset.labels(video)[::every] for video in videos])
