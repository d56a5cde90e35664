"""One pre-training of VideoCLIP: its videos, its settings, its clusters and its validation (thesis 2.5, 2.6)."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lib import clusters
from lib.artifacts import write_json
from lib.batches import Batch, ClusterBatches
from lib.group import Group
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
        return clusters.represent(model, narrated, pairs, self.seed + epoch, self.group, self.dtype)

    def loss(self, model: VideoCLIP, batch: Batch) -> Tensor:
        with clusters.autocast(self.group.device, self.dtype):
            video, text = batch.to(self.group.device).encode(model)
        return contrastive_loss(video.float(), text.float())


def clusters_of(run: Pretraining, model: VideoCLIP, epoch: int) -> dict:
    """The epoch's clusters, mined with the weights at its beginning and kept in a file, so that a resumed run has them.

    Fresh ones are mined each epoch; stale ones are the first epoch's in another order, which is what the published code
    amounted to (its loading processes held on to the first epoch's); random ones are drawn anew.
    """
    settings = run.settings
    file = run.folder / f"clusters_{epoch}.json"
    if file.exists() and (kept := json.loads(file.read_text()))["key"] == run.identity:
        return kept
    rng = np.random.default_rng([run.seed, epoch])
    if settings.mining.negatives == "stale" and epoch > 1:
        first = clusters_of(run, model, 1)
        found = first | {"clusters": [first["clusters"][number] for number in rng.permutation(len(first["clusters"]))]}
    else:
        vectors = run.represent(model, run.train, epoch)
        size = settings.videos_per_cluster
        if settings.mining.negatives == "random":
            mined = clusters.random_clusters(len(vectors), size, rng)
        else:
            mined = clusters.mine(vectors, size, settings.mining, rng)
        hardness = clusters.alikeness(vectors, mined)
        known = clusters.measured_recall(vectors, size, settings.mining, rng)
        found = {"key": run.identity, "clusters": mined, "alikeness": hardness, "recall": known}
    run.group.wait()  # every process has looked for the file
    if run.group.rank == 0:
        write_json(file, found)
    return found


def validate(run: Pretraining, model: VideoCLIP) -> Row:
    """Loss of the validation videos, the same pairs each time, in random clusters and in clusters mined just now.

    The published code validates on random ones while it trains on mined ones, so its two curves measure two things.
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
