"""Training of ASFormer on one input of 4.3: every phase of the sampled steps, one cycle of the learning rate."""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch

from lib.asformer.training import build_asformer, fit_frames
from lib.beyond.modalities.inputs import Inputs, Part, Perturbed, Steps
from lib.core.checkpoints import Learner
from lib.core.files import key
from lib.core.training import TRAINER, Row, one_cycle, set_rate
from lib.data.profile import Profile

MADE_BY = ("asformer.model", "asformer.training", "beyond.modalities.inputs", "beyond.modalities.training", *TRAINER)
CLIP = 5.0  # norm of the gradient

Scores = Mapping[str, np.ndarray]  # video -> log-probabilities of its seconds (T, K)


def train_asformer(profile: Profile, part: Part, inputs: Inputs, seed: int, run: str, split: int) -> Scores:
    """Train ASFormer in runs/<run>/ with one cycle of the learning rate; predict at the first phase of the steps."""
    params, arrays = profile.params.asformer, part.inputs[inputs]
    how, rate = profile.params.modalities, params.sample_rate
    channels = 0 if inputs == "sensors" else len(part.inputs["video"][part.fit[0]])
    train = [f"{video}@{first}" for video in part.fit for first in range(rate)]
    frames = Perturbed(part.dataset, arrays, rate, channels, how.shift, how.noise)
    clean = Steps(part.dataset, arrays, rate)
    model = build_asformer(len(arrays[part.fit[0]]), len(part.dataset.classes), params, seed).to(frames.device)
    optimizer = torch.optim.Adam(model.parameters(), params.learning_rate, weight_decay=params.weight_decay, fused=True)
    steps = params.epochs * len(train)

    def measure(epoch: int, sums: Row) -> Row:
        return {"train_loss": sums["loss"] / len(train), "train_accuracy": 100 * sums["correct"] / sums["frames"]}

    content = hashlib.sha256()
    for video in part.fit:
        content.update(part.dataset.labels(video).tobytes())
        content.update(arrays[video].tobytes())
    identity = [params.model_dump(), how.shift, how.noise, seed, train, content.hexdigest()]
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
        key=key(identity, code=MADE_BY),
    )
    with torch.inference_mode():
        found = {video: model(clean.features(video))[-1, 0].log_softmax(dim=0).T for video in part.asked}
    return {video: values.cpu().numpy() for video, values in found.items()}
