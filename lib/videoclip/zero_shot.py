"""Zero-shot action segmentation with VideoCLIP (thesis 2.7): states of seconds against vectors of class names.

As in the thesis, class names are read as they stand (`cut_tomato`), no background class is added, and the video [CLS]
is hidden, as in the published code; `prompts` and `cls_visible` change that.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from lib.core.devices import autocast
from lib.videoclip.model import VideoCLIP
from lib.videoclip.windows import over_windows


def prompts(classes: Sequence[str], style: str) -> list[str]:
    """Make the text that the text tower reads for each class.

    `style`: "raw" (the name as it stands), "words" (spaces for underscores) or a template such as "how to {words}".

    >>> prompts(["cut_tomato"], "raw"), prompts(["cut_tomato"], "how to {words}")
    (['cut_tomato'], ['how to cut tomato'])
    """
    template = {"raw": "{raw}", "words": "{words}"}.get(style, style)
    return [template.format(raw=name, words=name.replace("_", " ")) for name in classes]


def class_vectors(model: VideoCLIP, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Tensor:
    """Encode one prompt per class with the text tower: (K, H)."""
    rows = tokenizer(list(texts), padding=True, return_tensors="pt").to(next(model.parameters()).device)
    with torch.inference_mode():
        return model.encode_text(rows["input_ids"], rows["attention_mask"])


def second_scores(
    model: VideoCLIP,
    features: np.ndarray,
    vectors: Tensor,
    stride: int,
    cls_visible: bool,
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """Score the classes in each second of a video: (T, K) float32.

    Args:
        features: (T, D), one per second, of the set on which the model was pre-trained.
        vectors: (K, H) from `class_vectors`.
        stride: seconds between two windows of the longest clip that the model takes.
        dtype: of the video tower's products; the scores are always float32.
    """

    def scores(windows: Tensor, mask: Tensor) -> Tensor:
        with autocast(vectors.device, dtype):
            states = model.video_states(windows, mask, cls_visible)
        # h_t · z_k: one dot product per second and class
        return states.float() @ vectors.T

    seconds = torch.from_numpy(np.asarray(features, np.float32)).to(vectors.device)
    with torch.inference_mode():
        return over_windows(seconds, model.max_video_len, stride, scores).cpu().numpy()


def second_accuracy(
    model: VideoCLIP,
    tokenizer: PreTrainedTokenizerFast,
    videos: Sequence[tuple[np.ndarray, np.ndarray]],
    texts: Sequence[str],
    stride: int,
    dtype: torch.dtype = torch.float32,
) -> float:
    """Percent of seconds, over all videos, whose best class is correct; attention sees [CLS], as in pre-training.

    Args:
        videos: features (T, D) and true class numbers of the seconds (T',); the longer of the two is cut.
        texts: one prompt per class, in the order of the class numbers.
    """
    model.eval()
    vectors = class_vectors(model, tokenizer, texts)
    correct = total = 0
    for features, truth in videos:
        length = min(len(features), len(truth))
        chosen = second_scores(model, features, vectors, stride, True, dtype).argmax(axis=1)
        correct += int((chosen[:length] == truth[:length]).sum())
        total += length
    return 100 * correct / total
