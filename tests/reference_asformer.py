"""A plain ASFormer, from the paper's description and the published code's behaviour, to test and time ours.

It loops over the attention windows and cuts each from the padded sequence, as the published code does, so it is slow in
the same way: every cut has a backward pass as long as the video. It shares only the parameter names with
lib/asformer/model.py, which are those of the published checkpoints.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SlidingAttention(nn.Module):
    """Attention of blocks of `block` queries to the `2 * block` keys around the block (one key where block is 1)."""

    def __init__(self, maps: int, block: int, band: str):
        super().__init__()
        self.query_conv = nn.Conv1d(maps, maps // 2, 1)
        self.key_conv = nn.Conv1d(maps, maps // 2, 1)
        self.value_conv = nn.Conv1d(maps, maps // 2, 1)
        self.conv_out = nn.Conv1d(maps // 2, maps, 1)
        self.block = block
        width = block + 2 * (block // 2)
        row, column = torch.arange(block)[:, None], torch.arange(width)[None]
        # As published, every row of a block sees all keys but the last; the band is what the paper draws.
        published, drawn = column < max(width - 1, 1), (column >= row) & (column < row + block)
        self.band = (published.expand(block, width) if band == "published" else drawn).float()[None]

    def forward(self, x: Tensor, values: Tensor) -> Tensor:
        """x, values: (1, C, T) -> (1, C, T)"""
        query, key, value = self.query_conv(x), self.key_conv(x), self.value_conv(values)
        frames, block, half = x.shape[2], self.block, self.block // 2
        blocks = math.ceil(frames / block)
        missing = blocks * block - frames
        query = F.pad(query, (0, missing))
        key, value = F.pad(key, (half, half + missing)), F.pad(value, (half, half + missing))
        valid = F.pad(x.new_ones(1, 1, frames), (half, half + missing))
        cuts = [slice(i * block, (i + 1) * block + 2 * half) for i in range(blocks)]
        query = torch.cat([query[:, :, i * block : (i + 1) * block] for i in range(blocks)])
        key = torch.cat([key[:, :, cut] for cut in cuts])
        value = torch.cat([value[:, :, cut] for cut in cuts])
        mask = torch.cat([valid[:, :, cut] for cut in cuts]) * self.band.to(x)
        energy = query.transpose(1, 2) @ key / math.sqrt(query.shape[1]) + torch.log(mask + 1e-6)
        weights = torch.softmax(energy, dim=2) * mask
        out = value @ weights.transpose(1, 2)  # (blocks, C/2, block)
        out = out.permute(1, 0, 2).reshape(1, -1, blocks * block)[:, :, :frames]
        return self.conv_out(F.relu(out))


class Block(nn.Module):
    def __init__(self, maps: int, dilation: int, alpha: float, band: str):
        super().__init__()
        conv = nn.Conv1d(maps, maps, 3, padding=dilation, dilation=dilation)
        self.feed_forward = nn.ModuleDict({"layer": nn.Sequential(conv, nn.ReLU())})
        self.att_layer = SlidingAttention(maps, dilation, band)
        self.conv_1x1 = nn.Conv1d(maps, maps, 1)
        self.instance_norm = nn.InstanceNorm1d(maps, track_running_stats=False)
        self.dropout = nn.Dropout()
        self.alpha = alpha

    def forward(self, x: Tensor, previous: Tensor | None) -> Tensor:
        out = self.feed_forward["layer"](x)
        normed = self.instance_norm(out)
        out = self.alpha * self.att_layer(normed, normed if previous is None else previous) + out
        return x + self.dropout(self.conv_1x1(out))


class Stage(nn.Module):
    def __init__(self, inputs: int, classes: int, layers: int, maps: int, alpha: float, band: str):
        super().__init__()
        self.conv_1x1 = nn.Conv1d(inputs, maps, 1)
        self.layers = nn.ModuleList(Block(maps, 2**i, alpha, band) for i in range(layers))
        self.conv_out = nn.Conv1d(maps, classes, 1)

    def forward(self, x: Tensor, previous: Tensor | None = None) -> tuple[Tensor, Tensor]:
        feature = self.conv_1x1(x)
        for layer in self.layers:
            feature = layer(feature, previous)
        return self.conv_out(feature), feature


class ReferenceASFormer(nn.Module):
    def __init__(
        self, input_dim, num_classes, num_layers=10, num_maps=64, num_decoders=3, channel_mask=0.3, band="published"
    ):
        super().__init__()
        self.channel_mask = nn.Dropout1d(channel_mask)
        self.encoder = Stage(input_dim, num_classes, num_layers, num_maps, 1.0, band)
        self.decoders = nn.ModuleList(
            Stage(num_classes, num_classes, num_layers, num_maps, math.exp(-3 * s), band) for s in range(num_decoders)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (1, D, T) -> (1 + decoders, 1, K, T)"""
        logits, feature = self.encoder(self.channel_mask(x))
        outputs = [logits]
        for decoder in self.decoders:
            logits, feature = decoder(F.softmax(logits, dim=1), feature)
            outputs.append(logits)
        return torch.stack(outputs)
