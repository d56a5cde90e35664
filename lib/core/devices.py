"""The processes that train one model together, each on a device of its own: one, or as many as `torchrun` started.

They exchange only sums and the first process's decisions; each draws its own work from the common seed.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed
from torch import Tensor

# The others wait while one process packs or mines.
TIMEOUT = timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """This process among those that train together."""

    rank: int  # number of this process, from 0
    size: int
    device: torch.device

    def all_reduce(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in one exchange; all must have the same type."""
        tensors = list(tensors)
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def broadcast(self, value: Any) -> Any:
        """Return the first process's value in all processes, so that no two decide differently."""
        values = [value]
        if self.size > 1:
            torch.distributed.broadcast_object_list(values)
        return values[0]

    def gather(self, value: Any) -> list[Any]:
        """Return every process's value in all processes, by rank."""
        values = [value] * self.size
        if self.size > 1:
            torch.distributed.all_gather_object(values, value)
        return values

    def barrier(self) -> None:
        """Wait until every process has arrived here."""
        if self.size > 1:
            torch.distributed.barrier()


def choose_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def single_process() -> Group:
    """A group of this process only."""
    return Group(0, 1, choose_device())


def join_group() -> Group:
    """Join the processes that `torchrun` started; without it, this process trains by itself."""
    size, device = int(os.environ.get("WORLD_SIZE", "1")), choose_device()
    if size == 1:
        return single_process()
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    return Group(torch.distributed.get_rank(), size, device)


def leave_group() -> None:
    """Leave the group, if one was joined; the last call of a program."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Mixed precision, or none for float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
