"""Two small towers, one for video features and one for motion of the tools, and what a clip of either looks like (4.4).

VideoCLIP's towers are BERTs over clips of up to 32 s (Xu et al., EMNLP 2021). On 50 videos small dilated convolutions
take their place. A tower reads a passage once; a clip's vector is the mean of its states, as VideoCLIP's is the mean of
its tokens. No convolution sees an end of a passage. With zeros there, states would reveal their place in the passage,
which a video clip and a sensor clip share, and the towers could match even shuffled pairs.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Tower(nn.Module):
    """A small tower that computes a state for each second.

    Args:
        inputs: D, channels of a second.
        width: H of the states.
        layers: residual convolutions of three taps, layer i looking 2**i seconds to either side.
        channel_mask: share of input channels hidden from a whole passage in training.
    """

    def __init__(self, inputs: int, width: int, layers: int, channel_mask: float, dropout: float):
        super().__init__()
        self.enter = nn.Linear(inputs, width)
        # three taps beside each other; on short passages a product is much faster than a convolution
        self.layers = nn.ModuleList(nn.Linear(3 * width, width) for _ in range(layers))
        self.leave = nn.Linear(width, width)
        self.channel_mask, self.dropout = channel_mask, dropout

    @property
    def margin(self) -> int:
        """Seconds that a state sees to either side."""
        return 2 ** len(self.layers) - 1

    def forward(self, x: Tensor) -> Tensor:
        """Compute states: (B, D, T + 2 * margin) -> (B, H, T)."""
        x = self.enter(F.dropout1d(x, self.channel_mask, self.training).transpose(1, 2)).relu()
        for number, layer in enumerate(self.layers):
            step = 2**number
            middle = x[:, step:-step]
            taps = torch.cat((x[:, : -2 * step], middle, x[:, 2 * step :]), dim=2)
            x = middle + F.dropout(layer(taps).relu(), self.dropout, self.training)
        return self.leave(x).transpose(1, 2)

    def states(self, x: Tensor) -> Tensor:
        """States of a whole video, padded with its first and last second: (1, D, T) -> (1, H, T)."""
        return self(F.pad(x, (self.margin, self.margin), mode="replicate"))


def passages(videos: Sequence[Tensor], seconds: int, margin: int) -> Tensor:
    """Cut videos, (1, D, T) each, into passages of L seconds with what surrounds them, (N, D, L + 2 * margin).

    A video is padded with its first and last second; a rest shorter than a passage is left out.

    >>> passages([torch.arange(5.0).view(1, 1, 5)], seconds=2, margin=1).int().tolist()
    [[[0, 0, 1, 2]], [[1, 2, 3, 4]]]
    """
    padded = [F.pad(video, (margin, margin), mode="replicate")[0] for video in videos]
    return torch.cat([video.unfold(1, seconds + 2 * margin, seconds).transpose(0, 1) for video in padded])


def clip_vectors(states: Tensor, spans: Tensor) -> Tensor:
    """Average the states of each clip, (N * P, H).

    Args:
        states: (N, H, L) of passages.
        spans: (N, P, 2) first second of each clip, and the one after its last.

    >>> clip_vectors(torch.tensor([[[1.0, 3.0, 8.0]]]), torch.tensor([[[0, 2], [2, 3]]])).tolist()
    [[2.0], [8.0]]
    """
    sums = F.pad(states.cumsum(dim=2), (1, 0)).transpose(1, 2)  # (N, L + 1, H), of all seconds before one
    first, end = (spans[..., side, None].expand(-1, -1, states.shape[1]) for side in (0, 1))
    return ((sums.gather(1, end) - sums.gather(1, first)) / (end - first)).flatten(0, 1)
