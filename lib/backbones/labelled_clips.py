"""Training of the demo's backbones on rendered, labelled clips of a wider domain (thesis 2.2.1, 2.4.1).

These stand in for Kinetics: people and foods that the target set lacks, and some other actions. As in EPIC-Kitchens
(Damen et al., ECCV 2018), an action is a verb and a thing, each with a softmax of its own; the heads are discarded.

I3D is trained on them one stream at a time. S3D starts on them, and keeps learning from them beside MIL-NCE: the
published net learnt from scratch, but from 1.2 million narrated videos. From a thousand its loss hardly leaves chance,
and MIL-NCE alone makes it forget.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.backbones.i3d import I3DResNet, build, calibrate
from lib.backbones.s3d import S3D
from lib.core.devices import choose_device
from lib.core.files import key
from lib.core.processes import die_with_parent
from lib.core.settings import I3D, Backbone, Demo, MilNce, S3DFeatures
from lib.core.training import TRAINER, Row, fit_batches
from lib.data.frames import random_squares, to_clips, to_flow, to_input
from lib.demo import clips
from lib.demo.clips import CLASSES, THINGS, VERBS, kept_clips, render_clips

MADE_BY = ("backbones.i3d", "backbones.labelled_clips", "backbones.s3d", "data.frames", *clips.MADE_BY, *TRAINER)
# (classes, 2)
TARGETS = torch.tensor([(VERBS.index(verb), THINGS.index(thing)) for verb, thing in CLASSES])
Stream = Literal["rgb", "flow"]
STREAMS: tuple[Stream, ...] = ("rgb", "flow")
# settings of I3D on which its training depends
SEEN = {"width", "dropout", "window", "short_side", "crop", "mean", "std"}
# settings of S3D on which its training does not depend
UNSEEN = {"weights", "dictionary", "normalize", "dtype"}
RELIGHT = 0.06  # deviation of the logarithm of a colour's gain, in augmentation
SMOOTHING = 0.1  # of the labels


def verb_thing_loss(logits: Tensor, targets: Tensor) -> tuple[Tensor, Row]:
    """Cross-entropy of the verb plus that of the thing, and the accuracy of each in percent.

    `logits`: (B, verbs + things); `targets`: numbers of verb and thing, (B, 2).
    """
    each = list(zip(logits.split([len(VERBS), len(THINGS)], dim=1), targets.to(logits.device).T, strict=True))
    loss = torch.stack([F.cross_entropy(scores, truth, label_smoothing=SMOOTHING) for scores, truth in each]).sum()
    correct = [100 * (scores.argmax(dim=1) == truth).float().mean().item() for scores, truth in each]
    return loss, dict(zip(("verb", "thing"), correct, strict=True))


def train_stream(
    stream: Stream, demo: Demo, i3d: I3D, settings: Backbone, folder: Path
) -> tuple[I3DResNet, pd.DataFrame]:
    """Train one stream of I3D; a finished run is loaded, a killed one is resumed.

    Returns the net in evaluation mode, and its history: epoch, learning_rate, loss, verb and thing (accuracy in
    percent, in training mode).
    """
    # published weights learnt from RGB, whatever order the features are later extracted in
    i3d = i3d.model_copy(update={"channel_order": "rgb"})
    values = [stream, i3d.model_dump(include=SEEN), demo.model_dump(), settings.model_dump()]
    net = build(i3d, stream, settings.seed, len(VERBS) + len(THINGS)).to(choose_device())

    # not rendered if the run is finished
    @cache
    def data() -> tuple[Tensor, Tensor]:
        clips, labels = kept_clips(demo, settings.clips, settings.clip_frames, settings.seed, folder.parent)
        if stream == "rgb":
            return torch.from_numpy(clips), TARGETS[labels]
        return torch.stack([to_flow(torch.from_numpy(clip), i3d).half() for clip in clips]), TARGETS[labels]

    def batch_loss() -> tuple[Tensor, Row]:
        clips, targets = data()
        chosen = torch.randint(len(clips), (settings.batch,))
        if stream == "rgb":
            inputs = to_input(augmented(_span(clips[chosen], settings.frames), settings.square), i3d)
        else:
            inputs = flow_batch(clips[chosen], settings)
        inputs = inputs.to(choose_device()).contiguous(memory_format=torch.channels_last_3d)
        return verb_thing_loss(net.logits(inputs), targets[chosen])

    history = fit_batches(
        net,
        torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay),
        batch_loss,
        batches=settings.batches,
        epochs=settings.epochs[stream],
        rate=settings.learning_rate,
        seed=settings.seed,
        folder=folder,
        key=key(values, code=MADE_BY),
    )
    return net.cpu(), history


def start_on_clips(
    net: S3D, demo: Demo, s3d: S3DFeatures, settings: MilNce, folder: Path
) -> tuple[nn.ModuleDict, Callable[[int], tuple[Tensor, Row]]]:
    """Train the video side of S3D on labelled clips, in batches of MIL-NCE's size; a finished run is loaded.

    Returns the net with its head (`net`, `head`), and a function for further training: it draws a given number of clips
    and returns their loss and accuracies.
    """
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        head = nn.Linear(net.feature_dim, len(VERBS) + len(THINGS))
    both = nn.ModuleDict({"net": net, "head": head}).to(choose_device())

    # not rendered if the run is finished
    @cache
    def data() -> tuple[Tensor, Tensor]:
        how = settings.labelled_clips, settings.labelled_frames, settings.seed
        clips, labels = kept_clips(demo, *how, folder.parent)
        return torch.from_numpy(clips), TARGETS[labels]

    def batch_loss(size: int) -> tuple[Tensor, Row]:
        clips, targets = data()
        chosen = torch.randint(len(clips), (size,))
        frames = augmented(_span(clips[chosen], settings.frames), settings.square)
        _, feature = net(to_clips(frames, s3d.crop).to(choose_device()))
        return verb_thing_loss(head(feature), targets[chosen])

    values = [s3d.model_dump(exclude=UNSEEN), settings.model_dump(), demo.model_dump()]
    fit_batches(
        both,
        torch.optim.AdamW(both.parameters(), settings.labelled_rate, weight_decay=settings.weight_decay, fused=True),
        partial(batch_loss, settings.batch),
        batches=settings.batches,
        epochs=settings.labelled_epochs,
        rate=settings.labelled_rate,
        seed=settings.seed,
        folder=folder,
        key=key(values, code=MADE_BY),
    )
    return both, batch_loss


def train_streams(demo: Demo, i3d: I3D, settings: Backbone, folder: Path) -> dict[str, pd.DataFrame]:
    """Train both streams, one process each, into `folder`/rgb and `folder`/flow; returns their histories."""
    with ProcessPoolExecutor(2, get_context("spawn"), initializer=die_with_parent) as pool:
        runs = {stream: pool.submit(train_stream, stream, demo, i3d, settings, folder / stream) for stream in STREAMS}
        return {stream: run.result()[1] for stream, run in runs.items()}


def random_net(demo: Demo, i3d: I3D, seed: int) -> I3DResNet:
    """Build the control of the RGB stream: the same net with random weights, its batch norms set by rendered clips."""
    net = build(i3d, "rgb", seed, len(VERBS) + len(THINGS))
    calibrate(net, to_input(torch.from_numpy(render_clips(demo, 64, i3d.window, seed)[0]), i3d))
    return net


def augmented(clips: Tensor, square: int) -> Tensor:
    """Augment uint8 clips (B, T, S, S, 3): `random_squares`, and a random gain for each colour of each clip."""
    clips = random_squares(clips, square)
    gains = torch.exp(RELIGHT * torch.randn(len(clips), 1, 1, 1, 3))
    return (clips * gains).clamp_(0, 255).byte()


def flow_batch(fields: Tensor, settings: Backbone) -> Tensor:
    """Augment: a random span, mirrored or not. float16 (B, 2, T, H, W) -> float32 (B, 2, frames, H, W)."""
    fields = _span(fields.movedim(1, 2), settings.frames).movedim(1, 2).float()
    mirror = torch.rand(len(fields)) < 0.5
    # a mirrored horizontal displacement changes its sign
    fields[mirror] = fields[mirror].flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
    return fields


def _span(clips: Tensor, frames: int) -> Tensor:
    """Cut a random run of frames, the same for all clips: (B, T, …) -> (B, frames, …)."""
    first = int(torch.randint(clips.shape[1] - frames + 1, ()))
    return clips[:, first : first + frames]
