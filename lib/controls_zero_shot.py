"""Zero-shot controls (4.2): other prompts, towers without pre-training, features of another length, S3D's text head."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import log_softmax

from lib.controls import Key, Run, tower_from
from lib.controls_features import embeddings
from lib.multimodal import load_s3d
from lib.notebook import Notebook
from lib.pretrained import Pretrained
from lib.s3d_features import video_features
from lib.target import Target
from lib.towers import tokenizer
from lib.video import read_video
from lib.videoclip import VideoCLIP
from lib.zero_shot import class_vectors, prompts, second_scores


def zero_shot_controls(book: Notebook, target: Target, ready: Pretrained, length: float) -> dict[Key, Run]:
    """Log-probabilities of every video's seconds, each control and split; nothing is trained.

    Args:
        length: of features that are not normalized, for the mismatch (`feature_length`).
    """
    dim, seeds = ready.model.input_dim, book.params.controls.seeds
    features = {video: target.features(video, dim) for video in target.dataset.videos}
    longer = {video: length * rows for video, rows in features.items()}
    models = {("zero_shot", seeds[0]): (ready.model, "raw", features)}
    models["zero_shot_words", seeds[0]] = (ready.model, "words", features)
    models["zero_shot_not_normalized", seeds[0]] = (ready.model, "raw", longer)
    for seed in seeds:
        for start in ("text", "random"):
            tower = tower_from(book.params, book.out, start, dim, seed).eval()
            models[f"zero_shot_{start}_start", seed] = (tower, "raw", features)
    found = {key: _scores(book, target, *how) for key, how in models.items()}
    found["zero_shot_s3d_text", seeds[0]] = s3d_text_scores(book, target)
    splits = book.params.controls.splits
    return {(name, split, seed): Run(scores, 0, 0.0) for (name, seed), scores in found.items() for split in splits}


def s3d_text_scores(book: Notebook, target: Target) -> dict[str, np.ndarray]:
    """S3D's embedding of a second against its own text vectors of the class names in words, as MIL-NCE trained both."""
    net, words, _ = load_s3d(book.params, book.out)
    texts = prompts(target.dataset.classes, "words")
    with torch.inference_mode():
        vectors = net.text_module(words.numbers(texts)).float().cpu().numpy()  # (K, D)
    return {video: _log(rows @ vectors.T) for video, rows in embeddings(book, target).items()}


def feature_length(book: Notebook, target: Target, ready: Pretrained, video: str) -> float:
    """Mean length of a video's S3D features where they are not normalized."""
    net, _, _ = load_s3d(book.params, book.out)
    settings = book.params.s3d.model_copy(update={"normalize": False})
    rows = video_features(read_video(book.root / "videos" / f"{video}.avi"), net, settings)[ready.layer]
    return float(np.linalg.norm(rows.astype(np.float32), axis=1).mean())


def _scores(
    book: Notebook, target: Target, model: VideoCLIP, style: str, features: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    vectors = class_vectors(model, tokenizer(book.params.videoclip), prompts(target.dataset.classes, style))
    how = (book.params.videoclip.max_video_len, book.params.zero_shot.stride, book.params.zero_shot.cls_visible)
    return {video: _log(second_scores(model, rows, vectors, *how)) for video, rows in features.items()}


def _log(scores: np.ndarray) -> np.ndarray:
    return log_softmax(scores, axis=1).astype(np.float32)
