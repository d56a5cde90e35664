"""One pre-training of VideoCLIP: its videos, its settings, its clusters and its validation (thesis 2.5, 2.6)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib import clusters
from lib.artifacts import write_json
from lib.batches import Batch, ClusterBatches
from lib.group import Group, autocast
from lib.sections_pretraining import Pretrain, Recipe
from lib.shards import Narrated
from lib.training import Row
from lib.videoclip import VideoCLIP, contrastive_loss


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
