"""What a pre-trained model knows of the target set without having seen its labels (thesis 2.7): zero-shot accuracy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lib.dataset import Dataset, open_dataset
from lib.multimodal import Sections, narrated_set
from lib.params import data_root
from lib.paths import Outputs
from lib.s3d_features import FeatureSetError, Layer, check_same_set, feature_set
from lib.seconds import at_one_fps
from lib.towers import tokenizer
from lib.training import Row
from lib.videoclip import VideoCLIP
from lib.zero_shot import prompts, second_accuracy


def transfer_of(params: Sections, out: Outputs, layer: Layer) -> Callable[[VideoCLIP], Row]:
    """Zero-shot accuracy on the target set's seconds, percent, by class names in words; nothing is chosen by it.

    The thesis gave the raw names (`cut_tomato`) and hid [CLS]; here both towers see what they saw in training.

    Raises:
        FeatureSetError: there are no features of the target, or they are made in another way than the pre-training's.
    """
    name = feature_set(layer, params.s3d)
    check_same_set(narrated_set(params, layer), name, params.howto100m.accept)
    root = data_root(params, out)
    dataset = open_dataset(root, None, params.data.fps)
    videos = target_seconds(dataset, out.data / "features" / name)
    words, texts = tokenizer(params.videoclip), prompts(dataset.classes, "words")
    size = params.videoclip.max_video_len

    def transfer(model: VideoCLIP) -> Row:
        return {"zero_shot": second_accuracy(model, words, videos, texts, size, size // 2)}

    return transfer


def target_seconds(dataset: Dataset, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Features (T, D) and true class numbers (T,) of the target videos' seconds.

    Raises:
        FeatureSetError: a video has none.
    """
    files = {video: folder / f"{video}.npy" for video in dataset.videos}
    if missing := [video for video, file in files.items() if not file.exists()]:
        raise FeatureSetError(f"{folder}: no features of {len(missing)} videos, first {missing[0]}; run 2_4 first")
    return [(np.load(file).T, at_one_fps(dataset.labels(video), dataset.fps)) for video, file in files.items()]
