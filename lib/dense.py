"""What VideoCLIP says of each second when it is fine-tuned, and the losses over seconds (thesis 2.9, equation 5)."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.sections_transfer import Finetune
from lib.videoclip import VideoCLIP


@dataclass(frozen=True)
class Names:
    """The class names as the text tower reads them, (K, L) both: what `tokenizer(…, return_tensors="pt")` gives."""

    input_ids: Tensor
    attention_mask: Tensor


def learner_model(pretrained: VideoCLIP, settings: Finetune, classes: int, seed: int) -> VideoCLIP:
    """A copy of the pre-trained model that learns: with a new head and without its text tower, or both towers.

    Raises:
        ValueError: a head with fewer outputs than classes.
    """
    model = copy.deepcopy(pretrained)
    if settings.objective == "contrastive":
        return model
    outputs = settings.head or classes
    if outputs < classes:
        raise ValueError(f"finetune.head: {outputs} outputs for {classes} classes; null makes one for each")
    width = model.text.config.hidden_size
    model.head = nn.Linear(width, outputs)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        nn.init.normal_(model.head.weight, std=model.text.config.initializer_range)
    nn.init.zeros_(model.head.bias)
    model.text.requires_grad_(False)
    return model


def dense_scores(model: VideoCLIP, windows: Tensor, mask: Tensor, names: Names, settings: Finetune) -> Tensor:
    """Scores of the seconds of windows (N, W, D), (N, W) -> (N, W, outputs of the head, or K names)."""
    if settings.objective == "head":
        return model.frame_logits(windows, mask, settings.cls_visible)
    return model.video_states(windows, mask, settings.cls_visible) @ model.encode_text(*vars(names).values()).T


def names_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Equation 5 over a video's seconds (n, K): a second finds its name, a name its seconds (the mean over them).

    >>> round(names_loss(torch.zeros(6, 4), torch.tensor([0, 0, 1, 1, 1, 3])).item(), 3)  # ln 4 + ln 6
    3.178
    """
    among_seconds = scores.log_softmax(dim=0).gather(1, truth[:, None])[:, 0]
    present, place = truth.unique(return_inverse=True)
    sums = scores.new_zeros(len(present)).index_add_(0, place, among_seconds)
    return F.cross_entropy(scores, truth) - (sums / torch.bincount(place)).mean()


OBJECTIVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"head": F.cross_entropy, "contrastive": names_loss}
