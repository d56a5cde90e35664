"""The parameter sections of the thesis's 2.7 to 2.9: VideoCLIP on the target set, zero-shot and fine-tuned."""

from typing import Annotated, Literal

from pydantic import Field

from lib.section import PositiveInt, Section


class ZeroShot(Section):
    """VideoCLIP without the target's labels (thesis 2.7, 2.8; lib/zero_shot.py)."""

    prompts: str  # what the text tower reads of a class: raw, words, or a template such as "how to {words}"
    stride: PositiveInt  # seconds between two windows of videoclip.max_video_len seconds
    cls_visible: bool  # whether the video [CLS] is seen, as it was in pre-training
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of the untrained models beside every row


class Finetune(Section):
    """VideoCLIP's video tower trained on the target's labels (thesis 2.9; lib/finetune.py)."""

    objective: Literal["head", "contrastive"]  # a new linear head; or the class names' vectors, both towers trained
    head: PositiveInt | None  # outputs of the head; null: one a class
    select_on: Literal["test", "validation", "last"]  # whose loss chooses the epoch; last: none is chosen
    validation_people: PositiveInt  # of the training part that are held out where select_on is validation
    train_stride: PositiveInt  # seconds between two windows, in training and for the loss that chooses
    test_stride: PositiveInt
    cls_visible: bool
    epochs: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # results wanted; one run of the longest gives all
    learning_rate: Annotated[float, Field(gt=0)]
    warmup: PositiveInt  # updates of one video; constant afterwards
    clip: Annotated[float, Field(gt=0)]  # norm of the gradient
    dtype: Literal["float32", "bfloat16"]
    seed: int
