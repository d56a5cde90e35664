"""A start for the demo's S3D: verbs and things of labelled clips, before it learns from narrations.

The published net learnt from scratch, from 1.2 million narrated videos. With a few hundred, in minutes instead of days,
its loss hardly leaves chance; so here, as for the demo's I3D, labelled clips of a wider domain stand for Kinetics. No
person, food or spice of the target set is in them; five of its actions, such as stirring and serving, are.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.artifacts import key
from lib.checkpoints import Learner
from lib.demo.clips import CLASSES, kept_clips
from lib.inputs import random_squares, to_clips
from lib.rates import one_cycle, set_rate
from lib.s3d import S3D
from lib.sections import Demo
from lib.sections_pretraining import MilNce, S3DFeatures
from lib.training import Row, fit

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
    fit(Learner(both, optimizer), batches_of, losses_of, measure, key=key(values, code=("lib.clip_classes",)), **run)
