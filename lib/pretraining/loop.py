"""One pre-training of VideoCLIP: its videos, its settings, its clusters and its validation (thesis 2.5, 2.6).

The loop of pre-training: updates of C clusters each, dealt out to the processes there are (thesis 2.5, 2.6).

An update takes C clusters, each with a softmax of its own; its gradient is the mean over them. C is a number of the
recipe and not that of the devices: the clusters are dealt out to the devices there are, and each takes its own one
after another. One device with C = 8 therefore makes the update of eight GPUs with a cluster each. (The thesis took C
for the number of GPUs, and blamed the failure of its run on one GPU on C = 1.)
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lib.core.checkpoints import Learner
from lib.core.devices import Group, autocast
from lib.core.files import write_json
from lib.core.settings import Pretrain, Recipe
from lib.core.training import Row, fit, linear, set_rate
from lib.data.packs import Narrated
from lib.pretraining import clusters
from lib.pretraining.pairs import Batch, ClusterBatches
from lib.videoclip.model import VideoCLIP, contrastive_loss


@dataclass(frozen=True)
class Pretraining:
    """One pre-training.

    Attributes:
        train, validation: packed videos.
        recipe: what is varied.
        settings: what is not.
        folder: of the run; also keeps each epoch's clusters.
        group: the processes that take part.
        identity: key of the run.
        seed: of everything drawn but the first weights.
    """

    train: Narrated
    validation: Narrated
    recipe: Recipe
    settings: Pretrain
    folder: Path
    group: Group
    identity: str
    seed: int

    @property
    def updates_per_epoch(self) -> int:
        """Clusters that do not make up a whole update are left out."""
        return len(self.train) // self.settings.videos_per_cluster // self.recipe.clusters_per_update

    def stretches(self) -> list[range]:
        """Updates of an epoch (from 0), cut at the validations."""
        parts = np.array_split(
            np.arange(self.updates_per_epoch), min(self.settings.validations, self.updates_per_epoch)
        )
        return [range(int(part[0]), int(part[-1]) + 1) for part in parts]

    @property
    def dtype(self) -> torch.dtype:
        return getattr(torch, self.settings.dtype)

    def represent(self, model: VideoCLIP, narrated: Narrated, epoch: int) -> np.ndarray:
        pairs = self.settings.pairs.model_copy(update={"per_video": self.settings.mining.per_video})
        return clusters.represent(model, narrated, pairs, self.seed, epoch, self.group, self.dtype)

    def loss(self, model: VideoCLIP, batch: Batch) -> Tensor:
        with autocast(self.group.device, self.dtype):
            video, text = batch.to(self.group.device).encode(model)
        return contrastive_loss(video.float(), text.float())


def untrained(run: Pretraining, model: VideoCLIP, transfer: Callable[[VideoCLIP], Row]) -> Row:
    """Losses and transfer of the model that a run begins with; kept in a file, so that a resumed run has them."""
    file = run.folder / "untrained.json"
    if kept := run.group.tell(_kept(file, run.identity)):
        return kept["row"]
    model.eval()
    row = {**validate(run, model), **transfer(model)}
    if run.group.rank == 0:
        write_json(file, {"key": run.identity, "row": row})
    return row


def clusters_of(run: Pretraining, model: VideoCLIP, epoch: int) -> dict:
    """The epoch's clusters, mined with the weights at its beginning and kept in a file, so that a resumed run has them.

    Fresh ones are mined each epoch. Stale ones are the first epoch's in another order: so it is in fairseq since
    December 2022, whose loading processes hold on to what they began with, and so probably in the thesis's runs. Random
    ones are drawn anew.
    """
    file = run.folder / f"clusters_{epoch}.json"
    if kept := run.group.tell(_kept(file, run.identity)):
        return kept
    vectors = run.represent(model, run.train, epoch)
    found = None
    if run.group.rank == 0:
        rng, size = np.random.default_rng([run.seed, epoch]), run.settings.videos_per_cluster
        mining, known = run.settings.mining, 1.0
        if mining.negatives == "stale" and epoch > 1:
            mined = json.loads((run.folder / "clusters_1.json").read_text())["clusters"]
            mined = [mined[number] for number in rng.permutation(len(mined))]
        elif mining.negatives == "random":
            mined = clusters.random_clusters(len(vectors), size, rng)
        else:
            mined = clusters.mine(vectors, size, mining, rng)
            known = clusters.measured_recall(vectors, size, mining, rng)
        alike = clusters.alikeness(vectors, mined)
        found = {"key": run.identity, "clusters": mined, "alikeness": alike, "recall": known}
        write_json(file, found)
    return run.group.tell(found)


def _kept(file: Path, identity: str) -> dict | None:
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return kept if kept.get("key") == identity else None


def validate(run: Pretraining, model: VideoCLIP) -> Row:
    """Loss of the validation videos in random clusters and in clusters mined just now.

    The published code validates on random ones while it trains on mined ones, so its two curves measure two things. The
    random clusters and their pairs are the same each time; the mined ones are those that this model finds hard.
    """
    size = min(run.settings.videos_per_cluster, len(run.validation))
    vectors = run.represent(model, run.validation, 0)
    parts = {
        "random_loss": clusters.random_clusters(len(run.validation), size, np.random.default_rng(0)),
        "hard_loss": clusters.mine(vectors, size, run.settings.mining, np.random.default_rng(0)),
    }
    losses = {}
    for name, chosen in parts.items():
        batches = ClusterBatches(run.validation, chosen, run.settings.pairs, 0, 0)
        total = torch.zeros((), device=run.group.device)
        with torch.inference_mode():
            for number in range(run.group.rank, len(batches), run.group.size):
                total += run.loss(model, batches[number])
        run.group.add_up([total])
        losses[name] = total.item() / len(batches)
    return losses


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
