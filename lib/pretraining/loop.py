"""Pre-training of VideoCLIP: updates of C clusters each, shared among the processes (thesis 2.5, 2.6).

Each of the C clusters of an update has a softmax of its own; the gradient is the mean over them. C belongs to the
recipe, not to the hardware: the clusters of an update are divided among the processes, and each computes its share one
after another. One device with C = 8 therefore makes the same update as eight GPUs with a cluster each. (The thesis took
C for the number of GPUs, and blamed C = 1 for the failure of its run on one GPU.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lib.core.checkpoints import Learner
from lib.core.devices import Group, autocast
from lib.core.files import read_json, write_json
from lib.core.settings import Pretrain, Recipe
from lib.core.training import Row, fit, linear, set_rate
from lib.data.packs import Narrated
from lib.pretraining import clusters
from lib.pretraining.pairs import Batch, ClusterBatches
from lib.videoclip.model import VideoCLIP, contrastive_loss


@dataclass(frozen=True)
class Update:
    """One update: its number from 1 over the whole training, and this process's share of the C clusters."""

    number: int
    batches: Iterator[Batch]

    def __str__(self) -> str:
        return f"update {self.number}"


@dataclass
class Pretraining:
    """One pre-training. Validations cut an epoch into stretches, which are the epochs of `fit`."""

    train: Narrated
    validation: Narrated
    model: VideoCLIP
    recipe: Recipe
    settings: Pretrain
    folder: Path  # of the run; also keeps each epoch's clusters
    group: Group
    identity: str  # key of the run
    seed: int  # of everything drawn except the initial weights
    transfer: Callable[[VideoCLIP], Row]  # measured at each validation, e.g. zero-shot accuracy
    # called before each checkpoint; raises an error if processes no longer see the same data
    agree: Callable[[], object]

    def run(self) -> pd.DataFrame:
        """Train, resume a run that was killed, or load a finished one.

        Returns one row for the untrained model, then one per validation: epoch (with its fraction done), update, pairs
        (seen so far), train_loss (mean over the clusters since the last row), random_loss and hard_loss (of validation
        videos in random and in mined clusters), relative_spread of the training clusters (1 = random), recall of the
        index, and what `transfer` measures.
        """
        self.model.to(self.group.device)
        if self.settings.gradient_checkpointing:
            for tower in (self.model.video, self.model.text):
                tower.activation_checkpointing_enable({"use_reentrant": False})
        before = {"epoch": 0.0, "update": 0, "pairs": 0, **self.untrained()}
        history = fit(
            Learner(self.model, self.optimizer, clip=self.settings.clip, group=self.group),
            self.updates,
            self.losses,
            self.measure,
            epochs=self.recipe.epochs * len(self.stretches),
            seed=self.seed,
            folder=self.folder,
            key=self.identity,
        )
        return pd.concat([pd.DataFrame([before]), history], ignore_index=True)

    @cached_property
    def optimizer(self) -> torch.optim.Adam:
        how = {"betas": self.settings.betas, "eps": self.settings.epsilon}
        return torch.optim.Adam(self.model.parameters(), self.settings.learning_rate, **how, fused=True)

    @property
    def updates_per_epoch(self) -> int:
        """Number of whole updates in an epoch; clusters that are left over are not used."""
        return len(self.train) // self.settings.videos_per_cluster // self.recipe.clusters_per_update

    @cached_property
    def stretches(self) -> list[range]:
        """Updates of an epoch (from 0), cut at the validations."""
        parts = np.array_split(range(self.updates_per_epoch), min(self.settings.validations, self.updates_per_epoch))
        return [range(int(part[0]), int(part[-1]) + 1) for part in parts]

    def place(self, stretch: int) -> tuple[int, range]:
        """Find a stretch's (from 1) epoch (from 1), and its updates within that epoch (from 0)."""
        epoch, part = divmod(stretch - 1, len(self.stretches))
        return epoch + 1, self.stretches[part]

    def updates(self, stretch: int) -> Iterator[Update]:
        """Yield the updates of a stretch, each with this process's share of its clusters."""
        epoch, numbers = self.place(stretch)
        found = self.clusters_of(epoch)["clusters"]
        # of update u's clusters u·C … u·C + C - 1, every size-th is this process's
        size = self.recipe.clusters_per_update
        shares = [range(number * size + self.group.rank, (number + 1) * size, self.group.size) for number in numbers]
        batches = ClusterBatches(self.train, found, self.settings.pairs, self.seed, epoch)
        order = [cluster for share in shares for cluster in share]
        # a new loader for each stretch: one that lives on would keep the clusters of its first epoch
        loader = iter(DataLoader(batches, batch_size=None, sampler=order, num_workers=self.settings.workers))
        first = (epoch - 1) * self.updates_per_epoch + numbers.start + 1
        return (Update(number, islice(loader, len(share))) for number, share in enumerate(shares, first))

    def losses(self, update: Update) -> Iterator[tuple[Tensor, Row]]:
        """Yield the loss of each cluster of an update, divided by C, so that gradients add up to their mean."""
        factor = linear(update.number, self.settings.warmup, self.settings.decay_updates)
        set_rate(self.optimizer, self.settings.learning_rate * factor)
        for place, batch in enumerate(update.batches):
            # dropout by cluster, so that it does not depend on the number of processes
            cluster = update.number * self.recipe.clusters_per_update + self.group.rank + place * self.group.size
            torch.manual_seed(self.seed * 1_000_003 + cluster)
            yield self.loss(batch) / self.recipe.clusters_per_update, {}

    def loss(self, batch: Batch) -> Tensor:
        """Equation 5 over one cluster: its pairs are each other's negatives."""
        with autocast(self.group.device, self.dtype):
            video, text = batch.to(self.group.device).encode(self.model)
        return contrastive_loss(video.float(), text.float(), self.settings.temperature)

    def measure(self, stretch: int, sums: Row) -> Row:
        """Measure a row of the history at the end of a stretch; `sums` as in `fit`."""
        self.agree()
        epoch, numbers = self.place(stretch)
        done = (epoch - 1) * self.updates_per_epoch + numbers.stop
        pairs = self.recipe.clusters_per_update * self.settings.videos_per_cluster * self.settings.pairs.per_video
        found = self.clusters_of(epoch)
        return {
            "epoch": done / self.updates_per_epoch,
            "update": done,
            "pairs": done * pairs,
            "train_loss": sums["loss"] / len(numbers),
            **self.validate(),
            "relative_spread": found["relative_spread"],
            "recall": found["recall"],
            **self.transfer(self.model),
        }

    def validate(self) -> Row:
        """Loss of the validation videos in random clusters, and in clusters that are hard for the present model.

        The published code trains on mined clusters and validates on random ones, so its two curves measure different
        things.
        """
        size = min(self.settings.videos_per_cluster, len(self.validation))
        parts = clusters.held_out(self.represent(self.validation, 0), size, self.settings.mining)
        losses = {}
        for name, chosen in parts.items():
            batches = ClusterBatches(self.validation, chosen, self.settings.pairs, 0, 0)
            total = torch.zeros((), device=self.group.device)
            with torch.inference_mode():
                for number in range(self.group.rank, len(batches), self.group.size):
                    total += self.loss(batches[number])
            self.group.all_reduce([total])
            losses[name] = total.item() / len(batches)
        return losses

    def untrained(self) -> Row:
        """Losses and transfer of the initial model, kept in a file for a resumed run."""
        file = self.folder / "untrained.json"
        if kept := self.group.broadcast(self._kept(file)):
            return kept["row"]
        self.model.eval()
        row = {**self.validate(), **self.transfer(self.model)}
        if self.group.rank == 0:
            write_json(file, {"key": self.identity, "row": row})
        return row

    def clusters_of(self, epoch: int) -> dict:
        """The epoch's clusters, mined with the weights at its beginning and kept in a file for a resumed run."""
        file = self.folder / f"clusters_{epoch}.json"
        if kept := self.group.broadcast(self._kept(file)):
            return kept
        vectors, found = self.represent(self.train, epoch), None
        if self.group.rank == 0:
            size, mining = self.settings.videos_per_cluster, self.settings.mining
            rng, stale = np.random.default_rng([self.seed, epoch]), mining.negatives == "stale" and epoch > 1
            first = read_json(self.folder / "clusters_1.json")["clusters"] if stale else []
            chosen = clusters.of_epoch(lambda: vectors, len(vectors), size, mining, first, rng)
            mined = mining.negatives != "random" and not stale
            recall = clusters.measured_recall(vectors, size, mining, rng) if mined else 1.0
            spread = clusters.relative_spread(vectors, chosen)
            found = {"key": self.identity, "clusters": chosen, "relative_spread": spread, "recall": recall}
            write_json(file, found)
        return self.group.broadcast(found)

    def represent(self, narrated: Narrated, epoch: int) -> np.ndarray:
        """Equation 6 for every video, with the pairs per video that the mining settings name."""
        pairs = self.settings.pairs.model_copy(update={"per_video": self.settings.mining.per_video})
        return clusters.represent(self.model, narrated, pairs, self.seed, epoch, self.group, self.dtype)

    @property
    def dtype(self) -> torch.dtype:
        return getattr(torch, self.settings.dtype)

    def _kept(self, file: Path) -> dict | None:
        kept = read_json(file, optional=True)
        return kept if kept.get("key") == self.identity else None
