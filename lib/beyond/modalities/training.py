"""Training of ASFormer on one input of 4.3: every phase of the sampled steps, one cycle of the learning rate."""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch

from lib.asformer.training import build_asformer, fit_frames
from lib.beyond.modalities.inputs import Arrays, Inputs, Part, Perturbed, Steps
from lib.core.checkpoints import Learner
from lib.core.files import key
from lib.core.training import TRAINER, Row, one_cycle, set_rate
from lib.data.profile import Profile

MADE_BY = ("asformer.model", "asformer.training", "beyond.modalities.inputs", "beyond.modalities.training", *TRAINER)
CLIP = 5.0  # norm of the gradient

Scores = Mapping[str, np.ndarray]  # video -> log-probabilities of its seconds (T, K)


def train_asformer(profile: Profile, part: Part, inputs: Inputs, seed: int, run: str, split: int) -> Scores:
    """Train ASFormer on every phase of the sampled steps, the rate following one cycle; predict at the first phase.

    Args:
        run: name of the folder below runs/.
    """
    params, arrays = profile.params.asformer, part.inputs[inputs]
    how, rate = profile.params.modalities, params.sample_rate
    width = next(iter(arrays.values())).shape[0]
    channels = {"video": width, "sensors": 0, "both": len(part.inputs["video"][part.fit[0]])}[inputs]
    train = [f"{video}@{first}" for video in part.fit for first in range(rate)]
    model = build_asformer(width, len(part.dataset.classes), params, seed)
    frames = Perturbed(part.dataset, arrays, rate, channels, how.shift, how.noise)
    clean = Steps(part.dataset, arrays, rate)
    model = model.to(frames.device)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay, fused=True
    )
    steps = params.epochs * len(train)

    def measure(epoch: int, sums: Row) -> Row:
        return {"train_loss": sums["loss"] / len(train), "train_accuracy": 100 * sums["correct"] / sums["frames"]}

    identity = key([params.model_dump(), how.shift, how.noise, seed, train, _content(part, arrays)], code=MADE_BY)
    fit_frames(
        Learner(model, optimizer, clip=CLIP),
        frames,
        train,
        params.smoothing,
        measure,
        before=lambda step: set_rate(optimizer, params.learning_rate * one_cycle(step - 1, steps)),
        epochs=params.epochs,
        seed=seed,
        folder=profile.out.run(run, split, seed),
        key=identity,
    )
    with torch.inference_mode():
        found = {video: model(clean.features(video))[-1, 0].log_softmax(dim=0).T for video in part.asked}
    return {video: values.cpu().numpy() for video, values in found.items()}


def _content(part: Part, arrays: Arrays) -> str:
    content = hashlib.sha256()
    for video in part.fit:
        content.update(part.dataset.labels(video).tobytes())
        content.update(arrays[video].tobytes())
    return content.hexdigest()
