"""Captions and clips of differing length without padding: packed rows, and their attention and dropout (thesis 2.4.2).

The published code pads every caption to 63 tokens and every clip to 32 seconds: about one and a half times what they
hold. Here, rows are laid end to end. Linear maps, norms and activations see one long sequence. Only attention pads:
rows of similar length, to the longest of their bucket. Vectors and gradients are those of each row by itself.

Dropout (Srivastava et al., JMLR 2014) with cheaper masks. On a CPU, torch draws one random number per element, one
after another: a tenth of a training step of BERT. Here one draw of 64 bits serves four elements, so the rate is exact
to 1/65,536, and the other elements are scaled for that very rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

# number of values of the 16 bits that decide about an element
STEPS = 1 << 16
# name under which transformers finds this attention: like "sdpa", but for packed rows
ATTENTION = "sdpa_rows"
# shortest row of a bucket, as a share of its longest: fewer buckets mean fewer operations, but more padding
SHORTEST = 0.75


class Dropout(nn.Dropout):
    """torch's dropout layer, computed by `drop_elements`."""

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of x, which may have any shape."""
        return drop_elements(x, self.p) if self.training else x


def drop_elements(x: Tensor, rate: float) -> Tensor:
    """Set each element to 0 with probability `rate`, and scale the others so that the mean stays the same.

    Raises ValueError: the rate is not in [0, 1).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: a rate of {rate} is not in [0, 1)")
    if x.device.type != "cpu":
        return F.dropout(x, rate)
    dropped = round(rate * STEPS)
    if dropped == 0:
        return x
    draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
    kept = draws.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - STEPS // 2
    return x * (kept.to(x.dtype) * (STEPS / (STEPS - dropped)))


def use_quick_dropout(module: nn.Module) -> None:
    """Replace torch's dropout by `Dropout` throughout a module."""
    for part in list(module.modules()):
        for name, child in part.named_children():
            if type(child) is nn.Dropout:
                setattr(part, name, Dropout(child.p))


@dataclass(frozen=True)
class PackedRows:
    """Rows, the longest first, and the buckets in which attention pads them."""

    values: Tensor  # (N,) token numbers or (N, D) features of all rows
    rows: Tensor  # (N,) number of the row that each element belongs to, in the order in which rows were given
    places: Tensor  # (N,) position within the row, from 0
    widths: Tensor  # (N,) length of the longest row of its bucket
    starts: Tensor  # (N,) where its row begins if every row is padded to the longest of its bucket
    buckets: list[tuple[int, int]]  # (number of rows, longest) of each bucket

    def to(self, device: torch.device) -> "PackedRows":
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **moved)

    @property
    def count(self) -> int:
        """Number of rows, B."""
        return sum(rows for rows, _ in self.buckets)

    @property
    def last(self) -> Tensor:
        """(N,) bool: whether an element is the last of its row."""
        return torch.cat((self.places[1:] == 0, self.places.new_ones(1, dtype=torch.bool)))

    def mean(self, states: Tensor) -> Tensor:
        """Mean of each row's states except the first, in float32: (N, H) -> (B, H)."""
        weights = (self.places > 0).float()
        sums = states.new_zeros((self.count, states.shape[1]), dtype=torch.float32)
        sums = sums.index_add(0, self.rows, states.float() * weights[:, None])
        return sums / sums.new_zeros(self.count).index_add(0, self.rows, weights)[:, None]


def pack_rows(rows: Sequence[np.ndarray], dtype: type) -> PackedRows:
    """Lay rows (L,) or (L, D) end to end.

    >>> packed = pack_rows([np.array([7]), np.array([1, 2, 3]), np.array([4, 5, 6, 7])], np.int64)
    >>> packed.values.tolist(), packed.rows.tolist(), packed.places.tolist()
    ([4, 5, 6, 7, 1, 2, 3, 7], [2, 2, 2, 2, 1, 1, 1, 0], [0, 1, 2, 3, 0, 1, 2, 0])
    >>> packed.buckets, packed.widths.tolist(), packed.starts.tolist()
    ([(2, 4), (1, 1)], [4, 4, 4, 4, 4, 4, 4, 1], [0, 0, 0, 0, 4, 4, 4, 8])
    """
    lengths = np.array([len(row) for row in rows])
    order = np.argsort(-lengths, kind="stable")
    lengths = lengths[order]
    buckets, first = [], 0
    while first < len(lengths):
        count = int((lengths[first:] >= SHORTEST * lengths[first]).sum())
        buckets.append((count, int(lengths[first])))
        first += count
    widths = np.repeat([longest for _, longest in buckets], [count for count, _ in buckets])
    ends = lengths.cumsum()
    columns = {
        "rows": np.repeat(order, lengths),
        "places": np.arange(ends[-1]) - np.repeat(ends - lengths, lengths),
        "widths": np.repeat(widths, lengths),
        "starts": np.repeat(widths.cumsum() - widths, lengths),
    }
    values = np.concatenate([rows[number] for number in order]).astype(dtype)
    tensors = {name: torch.from_numpy(column) for name, column in columns.items()}
    return PackedRows(torch.from_numpy(values), buckets=buckets, **tensors)


class Unpad(torch.autograd.Function):
    """Select rows of x, (size, D) -> (N, D), none twice: gradients are copied, where torch would add them up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.size = len(x)
        return x.index_select(0, places)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad.new_zeros(ctx.size, grad.shape[1]).index_copy_(0, ctx.saved_tensors[0], grad), None


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    packed: PackedRows | None = None,
    dropout: float = 0.0,
    **further: Any,
) -> tuple[Tensor, None]:
    """Attention for transformers: its own, or if rows are packed, each row's attention to itself.

    query, key, value: (1, heads, N, D) of packed rows -> (1, N, heads, D), else (B, heads, L, D) -> (B, L, heads, D)
    """
    if packed is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout=dropout, **further)
    heads, sizes = query.shape[1], [rows * longest for rows, longest in packed.buckets]
    seen = packed.places.new_zeros(sum(sizes), dtype=torch.bool).index_fill_(0, packed.starts + packed.places, True)

    # a bucket is (rows, heads, longest, D); places: where each head of each element lies in all buckets laid end to end
    first, step = packed.starts * heads + packed.places, packed.widths
    places = (first[:, None] + step[:, None] * torch.arange(heads, device=step.device)).flatten()

    def padded(whole: Tensor) -> tuple[Tensor, ...]:
        """(1, heads, N, D) -> for each bucket (rows · heads · longest, D)."""
        elements = whole.squeeze(0).transpose(0, 1).flatten(0, 1)
        zeros = elements.new_zeros(sum(sizes) * heads, elements.shape[1])
        return zeros.index_copy(0, places, elements).split([size * heads for size in sizes])

    out = []
    buckets = zip(packed.buckets, seen.split(sizes), *map(padded, (query, key, value)), strict=True)
    for (rows, longest), mask, *bucket in buckets:
        queries, keys, values = (part.view(rows, heads, longest, -1) for part in bucket)
        out.append(_attention(queries, keys, values, mask.view(rows, 1, 1, longest), dropout).flatten(0, 2))
    return Unpad.apply(torch.cat(out), places).unflatten(0, (1, -1, heads)), None


def _attention(query: Tensor, key: Tensor, value: Tensor, seen: Tensor, rate: float) -> Tensor:
    """Attention within rows, (rows, heads, L, D); written out on a CPU, whose fused kernel has no dropout."""
    if rate == 0 or query.device.type != "cpu":
        return scaled_dot_product_attention(query, key, value, seen, dropout_p=rate)
    scores = (query * query.shape[3] ** -0.5 @ key.transpose(2, 3)).masked_fill(~seen, -torch.inf)
    return drop_elements(scores.softmax(dim=3, dtype=torch.float32).to(value.dtype), rate) @ value


AttentionInterface.register(ATTENTION, attend)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
