"""Training the demo's small I3D, a stream at a time, on rendered clips of a wider domain (thesis 2.2.1).

It stands where Kinetics stood for the thesis's weights: people, foods and some of the actions are not those of the data
set that the features are made for. As in EPIC-Kitchens (Damen et al., ECCV 2018), an action is a verb and a thing, each
with a softmax of its own; only the pooled features are used later.

A start for the demo's S3D: verbs and things of labelled clips, before it learns from narrations.

The published net learnt from scratch, from 1.2 million narrated videos. With a few hundred, in minutes instead of days,
its loss hardly leaves chance; so here, as for the demo's I3D, labelled clips of a wider domain stand for Kinetics. No
person, food or spice of the target set is in them; five of its actions, such as stirring and serving, are.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.backbones.i3d import I3DResNet, build, calibrate, pool_space, pool_time
from lib.backbones.s3d import S3D
from lib.core.checkpoints import Learner
from lib.core.files import key
from lib.core.processes import die_with_parent
from lib.core.settings import I3D, Backbone, Demo, MilNce, S3DFeatures
from lib.core.training import TRAINER, Row, fit, one_cycle, set_rate
from lib.data.frames import random_squares, to_clips, to_flow, to_input
from lib.demo import clips
from lib.demo.clips import CLASSES, kept_clips, render_clips

MADE_BY = ("backbones.i3d", "backbones.labelled_clips", "backbones.s3d", "data.frames", *clips.MADE_BY, *TRAINER)
VERBS = tuple(sorted({verb for verb, _ in CLASSES}))
THINGS = tuple(sorted({thing for _, thing in CLASSES}))
TARGETS = torch.tensor([(VERBS.index(verb), THINGS.index(thing)) for verb, thing in CLASSES])  # (classes, 2)


def start_on_clips(net: S3D, demo: Demo, s3d: S3DFeatures, settings: MilNce, folder: Path) -> None:
    """Train the video side to name verb and thing, each with a softmax of its own; the heads are thrown away.

    Args:
        net: in the state it begins with; finished runs are loaded into it.
        settings: `labelled_…`; batches are those of the narrations.
        folder: of the run.
    """
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        both = nn.ModuleDict({"net": net, "head": nn.Linear(net.feature_dim, len(VERBS) + len(THINGS))})

    @cache  # not rendered when the run is finished
    def data() -> tuple[Tensor, Tensor]:
        clips, labels = kept_clips(
            demo, settings.labelled_clips, settings.labelled_frames, settings.seed, folder.parent
        )
        return torch.from_numpy(clips), TARGETS[labels]

    def batches_of(epoch: int) -> range:
        set_rate(optimizer, settings.labelled_rate * one_cycle(epoch - 1, settings.labelled_epochs))
        return range(settings.batches)

    def losses_of(_batch: int) -> list[tuple[Tensor, Row]]:
        clips, targets = data()
        chosen = torch.randint(len(clips), (settings.batch,))
        first = int(torch.randint(settings.labelled_frames - settings.frames + 1, ()))
        frames = random_squares(clips[chosen][:, first : first + settings.frames], settings.square)
        feature = net(to_clips(frames, s3d.crop))[1]
        verbs, things = both["head"](feature).split([len(VERBS), len(THINGS)], dim=1)
        verb, thing = targets[chosen].T
        loss = F.cross_entropy(verbs, verb) + F.cross_entropy(things, thing)
        return [(loss, {"verb": 100 * (verbs.argmax(1) == verb).float().mean().item()})]

    def measure(_epoch: int, sums: Row) -> Row:
        return {name: value / settings.batches for name, value in sums.items()}

    learns = [parameter for parameter in both.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learns, settings.labelled_rate, weight_decay=settings.weight_decay, fused=True)
    values = [s3d.model_dump(exclude={"normalize", "dtype"}), settings.model_dump(), demo.model_dump()]
    run = {"epochs": settings.labelled_epochs, "seed": settings.seed, "folder": folder}
    fit(
        Learner(both, optimizer),
        batches_of,
        losses_of,
        measure,
        key=key(values, code=MADE_BY),
        **run,
    )


Stream = Literal["rgb", "flow"]
SEEN = {"width", "dropout", "window", "short_side", "crop", "mean", "std"}  # of the section I3D, by the training
STREAMS: tuple[Stream, ...] = ("rgb", "flow")


def train_stream(
    stream: Stream, demo: Demo, i3d: I3D, settings: Backbone, folder: Path
) -> tuple[I3DResNet, pd.DataFrame]:
    """Train one stream; what is finished is loaded, what was killed goes on.

    Args:
        stream: "rgb" or "flow".
        demo: how clips look; their people are others than those of its videos.
        folder: of the run (weights.safetensors, history.csv).

    Returns:
        The net in evaluation mode, and its history: epoch, learning_rate, loss, verb and thing (accuracy in percent, in
        training mode).
    """
    i3d = i3d.model_copy(
        update={"channel_order": "rgb"}
    )  # as published weights learnt, however features are taken later
    prepared = i3d.model_dump(include=SEEN)
    identity = key([stream, prepared, demo.model_dump(), settings.model_dump()], code=MADE_BY)
    net = build(i3d, stream, settings.seed, len(VERBS) + len(THINGS))

    @cache  # not rendered when the run is finished
    def data() -> tuple[Tensor, Tensor]:
        clips, labels = kept_clips(demo, settings.clips, settings.clip_frames, settings.seed, folder.parent)
        return (torch.from_numpy(clips) if stream == "rgb" else flow_clips(clips, i3d)), TARGETS[labels]

    def batches_of(epoch: int) -> range:
        set_rate(optimizer, settings.learning_rate * one_cycle(epoch - 1, settings.epochs[stream]))
        return range(settings.batches)

    def losses_of(_batch: int) -> list[tuple[Tensor, Row]]:
        clips, targets = data()
        chosen = torch.randint(len(clips), (settings.batch,))
        inputs = rgb_batch(clips[chosen], i3d, settings) if stream == "rgb" else flow_batch(clips[chosen], settings)
        verbs, things = logits(net, inputs).split([len(VERBS), len(THINGS)], dim=1)
        verb, thing = targets[chosen].T
        correct = {"verb": (verbs.argmax(1) == verb), "thing": (things.argmax(1) == thing)}
        loss = F.cross_entropy(verbs, verb) + F.cross_entropy(things, thing)
        return [(loss, {name: 100 * hits.float().mean().item() for name, hits in correct.items()})]

    def measure(_epoch: int, sums: Row) -> Row:
        return {name: value / settings.batches for name, value in sums.items()}

    optimizer = torch.optim.AdamW(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    run = {"epochs": settings.epochs[stream], "seed": settings.seed, "folder": folder, "key": identity}
    return net, fit(Learner(net, optimizer), batches_of, losses_of, measure, **run)


def train_streams(demo: Demo, i3d: I3D, settings: Backbone, folder: Path) -> dict[Stream, pd.DataFrame]:
    """Both streams side by side, a process each; returns their histories. Folders: `folder`/rgb, `folder`/flow."""
    sections = (demo, i3d, settings)
    with ProcessPoolExecutor(2, get_context("spawn"), initializer=die_with_parent) as pool:
        runs = {stream: pool.submit(train_stream, stream, *sections, folder / stream) for stream in STREAMS}
        return {stream: runs[stream].result()[1] for stream in STREAMS}


def random_stream(stream: Stream, demo: Demo, i3d: I3D, seed: int) -> I3DResNet:
    """The control: a net of the same size with random weights, its batch norms set by rendered clips."""
    net = build(i3d, stream, seed, len(VERBS) + len(THINGS))
    clips, _ = render_clips(demo, 64, i3d.window, seed)
    inputs = to_input(torch.from_numpy(clips), i3d) if stream == "rgb" else flow_clips(clips, i3d).float()
    calibrate(net, inputs)
    return net


def logits(net: I3DResNet, clips: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B, verbs + things); the trunk in bfloat16, pooling and head in float32."""
    clips = clips.contiguous(memory_format=torch.channels_last_3d)
    with torch.autocast(clips.device.type, torch.bfloat16):
        maps = net.late(net.early(clips))
    head: Any = net.blocks[6]
    return head.proj(pool_time(pool_space(maps)))


def rgb_batch(clips: Tensor, i3d: I3D, settings: Backbone) -> Tensor:
    """Augmented: a random square and span of each clip, mirrored or not.

    uint8 (B, T, H, W, 3) -> float32 (B, 3, frames, crop, crop).
    """
    return to_input(_span(random_squares(clips, settings.square), settings.frames), i3d)


def flow_batch(fields: Tensor, settings: Backbone) -> Tensor:
    """Augmented: a random span, mirrored or not. float16 (B, 2, T, H, W) -> float32 (B, 2, frames, H, W)."""
    fields = _span(fields.movedim(1, 2), settings.frames).movedim(1, 2).float()
    mirror = torch.rand(len(fields)) < 0.5
    fields[mirror] = fields[mirror].flip(-1) * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)  # x turns round
    return fields


def _span(clips: Tensor, frames: int) -> Tensor:
    """`frames` frames in a row of (B, T, …), the same ones of all."""
    first = int(torch.randint(clips.shape[1] - frames + 1, ()))
    return clips[:, first : first + frames]


def flow_clips(clips: np.ndarray, i3d: I3D) -> Tensor:
    """Optical flow of clips: uint8 (N, T, H, W, 3) -> float16 (N, 2, T - 1, crop, crop)."""
    return torch.stack([to_flow(torch.from_numpy(clip), i3d).half() for clip in clips])
