"""The loop of pre-training: updates of C clusters each, dealt out to the processes there are (thesis 2.5, 2.6).

An update takes C clusters, each with a softmax of its own; its gradient is the mean over them. C is a number of the
recipe and not that of the devices: the clusters are dealt out to the devices there are, and each takes its own one
after another. One device with C = 8 therefore makes the update of eight GPUs with a cluster each. (The thesis took C
for the number of GPUs, and blamed the failure of its run on one GPU on C = 1.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lib.batches import Batch, ClusterBatches
from lib.checkpoints import Learner
from lib.pretraining import Pretraining, clusters_of, untrained, validate
from lib.rates import linear, set_rate
from lib.training import Row, fit
from lib.videoclip import VideoCLIP


@dataclass(frozen=True)
class Update:
    """Attributes:
    number: from 1, over the whole training.
    size: C.
    batches: of this process's share of the clusters.
    """

    number: int
    size: int
    batches: Iterator[Batch]

    def __str__(self) -> str:
        return f"update {self.number}"


def pretrain(run: Pretraining, model: VideoCLIP, transfer: Callable[[VideoCLIP], Row] = lambda _: {}) -> pd.DataFrame:
    """Train; what is finished is loaded, what was killed goes on.

    Args:
        model: in the state it begins with.
        transfer: measured at each validation, e.g. zero-shot accuracy.

    Returns:
        A row for the untrained model, then a row a validation: epoch (fraction done), update, pairs (seen so far),
        train_loss (mean of the clusters since the last row), random_loss and hard_loss (of validation videos in random
        and in mined clusters), alikeness of the training clusters (1 = random), recall of the index, and what
        `transfer` gives.
    """
    settings, recipe = run.settings, run.recipe
    model.to(run.group.device)
    if settings.gradient_checkpointing:
        for tower in (model.video, model.text):
            tower.activation_checkpointing_enable({"use_reentrant": False})
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learns, settings.learning_rate, betas=(0.9, 0.98), fused=True)
    stretches = run.stretches()

    @lru_cache(1)  # of an epoch's beginning
    def mined(epoch: int) -> dict:
        return clusters_of(run, model, epoch)

    def place(stretch: int) -> tuple[int, int]:
        """Stretch (from 1) -> its epoch (from 1), its number within it (from 0)."""
        return (stretch - 1) // len(stretches) + 1, (stretch - 1) % len(stretches)

    def updates_of(stretch: int) -> Iterator[Update]:
        epoch, part = place(stretch)
        size = recipe.clusters_per_update
        share = {  # the clusters of each update that are this process's
            number: range(number * size + run.group.rank, (number + 1) * size, run.group.size)
            for number in stretches[part]
        }
        batches = ClusterBatches(run.train, mined(epoch)["clusters"], settings.pairs, run.seed, epoch)
        order = [cluster for one in share.values() for cluster in one]
        loader = iter(DataLoader(batches, batch_size=None, sampler=order, num_workers=settings.workers))
        before = (epoch - 1) * run.updates_per_epoch
        return (Update(before + number + 1, size, islice(loader, len(one))) for number, one in share.items())

    def losses_of(update: Update) -> Iterator[tuple[Tensor, Row]]:
        set_rate(optimizer, settings.learning_rate * linear(update.number, settings.warmup, settings.decay_updates))
        for batch in update.batches:
            yield run.loss(model, batch) / update.size, {}

    def measure(stretch: int, sums: Row) -> Row:
        epoch, part = place(stretch)
        done = (epoch - 1) * run.updates_per_epoch + stretches[part].stop
        pairs = recipe.clusters_per_update * settings.videos_per_cluster * settings.pairs.per_video
        return {
            "epoch": done / run.updates_per_epoch,
            "update": done,
            "pairs": done * pairs,
            "train_loss": sums["loss"] / len(stretches[part]),
            **validate(run, model),
            "alikeness": mined(epoch)["alikeness"],
            "recall": mined(epoch)["recall"],
            **transfer(model),
        }

    before = {"epoch": 0.0, "update": 0, "pairs": 0, **untrained(run, model, transfer)}
    history = fit(
        Learner(model, optimizer, clip=settings.clip, group=run.group),
        updates_of,
        losses_of,
        measure,
        epochs=recipe.epochs * len(stretches),
        seed=run.seed,
        folder=run.folder,
        key=run.identity,
    )
    return pd.concat([pd.DataFrame([before]), history], ignore_index=True)
