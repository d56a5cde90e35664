"""What a pre-trained model knows of the target set without having seen its labels (thesis 2.7): zero-shot accuracy."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch

from lib.multimodal import Sections, narrated_set
from lib.paths import Outputs
from lib.s3d_features import Layer
from lib.target import open_target
from lib.towers import tokenizer
from lib.training import Row
from lib.videoclip import VideoCLIP
from lib.zero_shot import prompts, second_accuracy


def transfer_of(params: Sections, out: Outputs, layer: Layer) -> Callable[[VideoCLIP], Row]:
    """Zero-shot accuracy on the target set's seconds, percent, by class names in words; nothing is chosen by it.

    The thesis gave the raw names (`cut_tomato`) and hid [CLS]; here both towers see what they saw in training, and
    the video tower computes as it did there (`pretrain.dtype`).

    Raises:
        FeatureSetError: there are no features of the target, or they are made in another way than the pre-training's.
    """
    target = open_target(params, out, layer, narrated_set(params, layer))
    words, texts = tokenizer(params.videoclip), prompts(target.dataset.classes, "words")
    dtype = getattr(torch, params.pretrain.dtype)

    @cache  # read once, measured often
    def videos(feature_dim: int) -> list[tuple[np.ndarray, np.ndarray]]:
        features = {video: target.features(video, feature_dim) for video in target.dataset.videos}
        return [(seconds, target.truth(video, len(seconds))) for video, seconds in features.items()]

    def transfer(model: VideoCLIP) -> Row:
        size = model.max_video_len
        seconds = videos(model.input_dim)
        return {"zero_shot": second_accuracy(model, words, seconds, texts, size, size // 2, dtype=dtype)}

    return transfer
