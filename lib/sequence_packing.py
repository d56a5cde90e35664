"""Rows of differing length laid end to end, without padding, and attention that keeps to each row (thesis 2.4.2).

The published code pads every caption to 63 tokens and every clip to 32 seconds, about one and a half times what there
is. Here linear maps, norms and activations see one long sequence, and attention is computed for all rows of one length
together, so that vectors and gradients are those of each row alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from lib.dropout import dropout

ATTENTION = "sdpa_rows"  # its name in transformers: attention as "sdpa" does it, but for packed rows


@dataclass(frozen=True)
class PackedRows:
    """Rows, the longest first.

    Attributes:
        values: (N,) token numbers or (N, D) features of all rows.
        rows: (N,) number of the row that each belongs to, in the order in which they were given.
        places: (N,) place within the row, from 0.
        groups: (rows, length) of each run of rows of one length, in order.
    """

    values: Tensor
    rows: Tensor
    places: Tensor
    groups: list[tuple[int, int]]

    def to(self, device: torch.device) -> "PackedRows":
        return replace(self, values=self.values.to(device), rows=self.rows.to(device), places=self.places.to(device))

    @property
    def count(self) -> int:
        """B, how many rows there are."""
        return sum(rows for rows, _ in self.groups)

    @property
    def last(self) -> Tensor:
        """(N,) bool: the last place of each row."""
        return torch.cat((self.places[1:] == 0, self.places.new_ones(1, dtype=torch.bool)))

    def mean(self, states: Tensor) -> Tensor:
        """Mean of each row's states but the first, in float32: (N, H) -> (B, H)."""
        weights = (self.places > 0).float()
        sums = states.new_zeros((self.count, states.shape[1]), dtype=torch.float32)
        sums = sums.index_add(0, self.rows, states.float() * weights[:, None])
        return sums / sums.new_zeros(self.count).index_add(0, self.rows, weights)[:, None]


def pack_rows(rows: Sequence[np.ndarray], dtype: type) -> PackedRows:
    """Lay rows (L,) or (L, D) end to end.

    >>> packed = pack_rows([np.array([7]), np.array([1, 2, 3])], np.int64)
    >>> packed.values.tolist(), packed.rows.tolist(), packed.places.tolist(), packed.groups
    ([1, 2, 3, 7], [1, 1, 1, 0], [0, 1, 2, 0], [(1, 3), (1, 1)])
    """
    lengths = np.array([len(row) for row in rows])
    order = np.argsort(-lengths, kind="stable")
    ends = lengths[order].cumsum()
    values = np.concatenate([rows[number] for number in order]).astype(dtype)
    places = np.arange(ends[-1]) - np.repeat(ends - lengths[order], lengths[order])
    groups = [(len(list(equal)), int(length)) for length, equal in groupby(lengths[order])]
    numbers = np.repeat(order, lengths[order])
    return PackedRows(torch.from_numpy(values), torch.from_numpy(numbers), torch.from_numpy(places), groups)


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    groups: Sequence[tuple[int, int]] | None = None,
    dropout: float = 0.0,
    **further: Any,
) -> tuple[Tensor, None]:
    """Attention for transformers: of packed rows where `groups` are given, else its own.

    Args:
        query, key, value: (1, heads, N, D) of packed rows, else (B, heads, L, D).

    Returns:
        (1, N, heads, D) or (B, L, heads, D).
    """
    if groups is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout=dropout, **further)
    sizes = [rows * length for rows, length in groups]
    parts = zip(groups, *(whole.squeeze(0).split(sizes, dim=1) for whole in (query, key, value)), strict=True)
    seen = []
    for (rows, length), *part in parts:
        apart = [one.unflatten(1, (rows, length)).transpose(0, 1) for one in part]  # (rows, heads, length, D)
        together = _attention(*apart, rate=dropout)
        seen.append(together.transpose(1, 2).flatten(0, 1))  # (rows · length, heads, D)
    return torch.cat(seen)[None], None


def _attention(query: Tensor, key: Tensor, value: Tensor, *, rate: float) -> Tensor:
    """Fused where nothing is dropped, or off the processor, whose fused kernel drops nothing; (rows, heads, L, D)."""
    if rate == 0 or query.device.type != "cpu":
        return scaled_dot_product_attention(query, key, value, dropout_p=rate)
    scores = query * query.shape[3] ** -0.5 @ key.transpose(2, 3)
    return dropout(scores.softmax(dim=3, dtype=torch.float32).to(value.dtype), rate) @ value


AttentionInterface.register(ATTENTION, attend)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
