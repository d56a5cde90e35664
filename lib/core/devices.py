"""The processes that train one model together: one, or as many as `torchrun` started.

What is asked of them is little: sums over all, and waiting. Each process draws what it works on from the common seed.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed
from torch import Tensor

PATIENCE = timedelta(days=1)  # while one packs or mines, the others wait


@dataclass(frozen=True)
class Group:
    """Attributes:
    rank: number of this process, from 0.
    size: how many there are.
    device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in one exchange; all must be of one type."""
        tensors = list(tensors)
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(total.view_as(tensor))

    def tell(self, value: Any) -> Any:
        """What the first process says, in all of them: so that no two decide differently."""
        values = [value]
        if self.size > 1:
            torch.distributed.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Until every process has come here."""
        if self.size > 1:
            torch.distributed.barrier()


def join_group() -> Group:
    """The group of this process; without a launcher it is alone, on the GPU if there is one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    if size == 1:
        return Group(0, 1, torch.device("cuda" if cuda else "cpu"))
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    return Group(torch.distributed.get_rank(), size, device)


def leave_group() -> None:
    """At the end of a program that joined one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def alone() -> Group:
    """A group of this process only, on the GPU if there is one."""
    return Group(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Mixed precision, or none for float32."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
