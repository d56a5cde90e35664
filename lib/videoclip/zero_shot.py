"""Zero-shot action segmentation with VideoCLIP (thesis 2.7): a second's state against the vectors of the class names.

The video goes through the video tower in windows of 32 seconds every 16; scores of overlapping windows are averaged.
The thesis's names are raw (`cut_tomato`), it has no background class, and hides the video [CLS], as the published code.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from lib.core.devices import autocast
from lib.videoclip.model import VideoCLIP
from lib.videoclip.windows import cut_windows, merge_windows


def prompts(classes: Sequence[str], style: str) -> list[str]:
    """What the text tower reads for each class.

    Args:
        style: "raw" (the name as it is), "words" (spaces for underscores) or a template such as "how to {words}".

    >>> prompts(["cut_tomato"], "raw"), prompts(["cut_tomato"], "how to {words}")
    (['cut_tomato'], ['how to cut tomato'])
    """
    template = {"raw": "{raw}", "words": "{words}"}.get(style, style)
    return [template.format(raw=name, words=name.replace("_", " ")) for name in classes]


def class_vectors(model: VideoCLIP, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Tensor:
    """(K, H): the text tower's vector of each prompt."""
    rows = tokenizer(list(texts), padding=True, return_tensors="pt").to(next(model.parameters()).device)
    with torch.inference_mode():
        return model.encode_text(rows["input_ids"], rows["attention_mask"])


def second_scores(
    model: VideoCLIP,
    features: np.ndarray,
    vectors: Tensor,
    size: int,
    stride: int,
    cls_visible: bool,
    dtype: torch.dtype = torch.float32,
) -> np.ndarray:
    """Scores of the classes for each second of a video, (T, K) float32.

    Args:
        features: (T, D), one a second, of the set that the model learnt on.
        vectors: (K, H) from `class_vectors`.
        size, stride: of the windows, seconds.
        dtype: of the video tower's products; the scores are float32 always.
    """
    seconds = torch.from_numpy(np.asarray(features, np.float32)).to(vectors.device)
    windows, mask, starts = cut_windows(seconds, size, stride)
    with torch.inference_mode(), autocast(vectors.device, dtype):
        states = model.video_states(windows, mask, cls_visible).float()
    return merge_windows(states @ vectors.T, starts, len(seconds)).cpu().numpy()


def second_accuracy(
    model: VideoCLIP,
    tokenizer: PreTrainedTokenizerFast,
    videos: Sequence[tuple[np.ndarray, np.ndarray]],
    texts: Sequence[str],
    size: int = 32,
    stride: int = 16,
    cls_visible: bool = True,
    dtype: torch.dtype = torch.float32,
) -> float:
    """Share of seconds, over all videos, whose best class is the true one, percent.

    Args:
        videos: features (T, D) and true class numbers of the seconds (T',); the shorter of the two counts.
        texts: a prompt a class, in the order of the numbers.
        dtype: of the video tower's products.
    """
    model.eval()
    vectors = class_vectors(model, tokenizer, texts)
    right = total = 0
    for features, truth in videos:
        length = min(len(features), len(truth))
        chosen = second_scores(model, features, vectors, size, stride, cls_visible, dtype).argmax(axis=1)
        right += int((chosen[:length] == truth[:length]).sum())
        total += length
    return 100 * right / total
