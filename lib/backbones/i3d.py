"""I3D with a ResNet-50 trunk (thesis 2.2.1, 2.3.2; Carreira and Zisserman, CVPR 2017; pytorchvideo's `i3d_r50`).

The thesis describes the paper's two-stream Inception-v1, but ran this net. Its features are the last maps, pooled as in
the classification head: the mean of each window of 4 x 7 x 7 (time, height, width), then the mean over windows.
"""

import copy
import warnings
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lib.core.checkpoints import load_strictly
from lib.core.settings import I3D

# pytorchvideo 0.1.5 scripts functions at import, which torch now discourages
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
    from pytorchvideo.models.hub import i3d_r50


# positions in time, height, width; fewer where the maps are smaller
HEAD_POOL = (4, 7, 7)


class I3DResNet(nn.Module):
    """I3D R50; `state_dict` has pytorchvideo's names, so that its checkpoints load.

    Args:
        width: channels of the stem. 64 is the published net (28.04 M parameters); features have 32 * width channels.
        input_channels: 3 for RGB, 2 for optical flow.
        num_classes: outputs of the classification head (400 in Kinetics).
    """

    def __init__(self, width: int = 64, input_channels: int = 3, num_classes: int = 400, dropout: float = 0.5):
        super().__init__()
        net = i3d_r50(
            input_channel=input_channels, stem_dim_out=width, model_num_class=num_classes, dropout_rate=dropout
        )
        # 0 stem, 1 res2, 2 pool in time, 3-5 res3-res5, 6 head
        self.blocks = cast(nn.ModuleList, net.blocks)
        self.feature_dim = 32 * width
        self.dropout = dropout

    def early(self, clip: Tensor) -> Tensor:
        """Stem and res2, which keep every frame: (B, C, T, H, W) -> (B, 4 * width, T, H / 4, W / 4)."""
        return self.blocks[1](self.blocks[0](clip))

    def late(self, maps: Tensor) -> Tensor:
        """Max-pool over pairs of frames (an odd last one is dropped), then res3-res5.

        (B, 4 * width, T, h, w) from `early` -> (B, 32 * width, T // 2, h / 8, w / 8).
        """
        for block in self.blocks[2:6]:
            maps = block(maps)
        return maps

    def forward(self, clip: Tensor) -> Tensor:
        """Features of clips: (B, C, T, H, W) -> (B, 32 * width). 21 frames of 224 x 224 give maps of 10 x 7 x 7."""
        vectors = pool_space(self.late(self.early(clip)))  # (B, 32 * width, t)
        return vectors @ time_weights(vectors.shape[2], vectors.device)

    def logits(self, clip: Tensor) -> Tensor:
        """Class scores: (B, C, T, H, W) -> (B, num_classes).

        pytorchvideo classifies each pooled window and takes the mean, which is the same because the layer is linear.
        """
        head: Any = self.blocks[6]
        return head.proj(F.dropout(self(clip), self.dropout, self.training))


def pool_space(maps: Tensor) -> Tensor:
    """Mean over the head's 7 x 7 windows: (B, C, t, h, w) -> (B, C, t), in float32.

    At 256 pixels maps are 8 x 8, and the four overlapping windows count the middle more than the border.
    """
    kernel = (1, min(HEAD_POOL[1], maps.shape[3]), min(HEAD_POOL[2], maps.shape[4]))
    return F.avg_pool3d(maps.float(), kernel, stride=1).mean(dim=(3, 4))


def time_weights(positions: int, device: torch.device | None = None) -> Tensor:
    """Weight of each position under the head's pooling: windows of four positions, then the mean over windows.

    >>> (time_weights(10) * 28).round().int().tolist()
    [1, 2, 3, 4, 4, 4, 4, 3, 2, 1]
    """
    one_hot = torch.eye(positions, device=device)[None]  # (1, positions, positions)
    return F.avg_pool1d(one_hot, min(HEAD_POOL[0], positions), stride=1).mean(dim=2)[0]


def build(settings: I3D, stream: str, seed: int, num_classes: int = 400) -> I3DResNet:
    """Build a net with random weights for one stream, "rgb" or "flow"; the global generator is not used."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return I3DResNet(settings.width, 3 if stream == "rgb" else 2, num_classes, settings.dropout)


def load_weights(net: I3DResNet, path: Path) -> None:
    """Load safetensors of ours or a checkpoint of pytorchvideo (.pyth), every name and shape checked.

    Raises WeightsError: the file is missing, damaged or of another net.
    """
    load_strictly(net, path, "model_state", "put the file there or train it (2_2)")


class FlatConv(nn.Module):
    """A convolution over time alone or over space alone, computed in two dimensions, for inference.

    Where a process has one thread, torch computes most of I3D's three-dimensional convolutions of one clip in a slow
    loop. As a matrix product, or a convolution of images, they take a third of the time.
    """

    def __init__(self, conv: nn.Conv3d):
        super().__init__()
        self.conv = conv

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve: (B, C, T, H, W) -> (B, C', T', H', W')."""
        conv, weight, batch = self.conv, self.conv.weight, len(maps)
        if weight.shape[2:] == (1, 1, 1):
            across, down = conv.stride[1:]
            rows = maps[:, :, :, ::across, ::down].movedim(1, 4).contiguous()
            return F.linear(rows, weight[:, :, 0, 0, 0], conv.bias).movedim(4, 1)
        if weight.shape[2] == 1:
            images = maps.transpose(1, 2).flatten(0, 1)  # (B * T, C, H, W)
            images = F.conv2d(images, weight[:, :, 0], conv.bias, conv.stride[1:], weight.shape[3] // 2)
            return images.unflatten(0, (batch, -1)).transpose(1, 2)
        lines = maps.flatten(3)  # (B, C, T, H * W)
        lines = F.conv2d(lines, weight[:, :, :, 0], conv.bias, padding=(weight.shape[2] // 2, 0))
        return lines.unflatten(3, maps.shape[3:])


def flat(conv: nn.Conv3d) -> bool:
    """Whether `FlatConv` can compute a convolution."""
    time, *space = conv.kernel_size
    return conv.stride[0] == 1 and (time == 1 or (space == [1, 1] and conv.stride[1:] == (1, 1)))


def for_inference(net: I3DResNet, dtype: torch.dtype) -> I3DResNet:
    """Copy a net for extraction: batch norms folded into their convolutions, channels last, weights in `dtype`."""
    net = copy.deepcopy(net).eval().requires_grad_(False)
    for module in net.modules():
        for name in [name for name, _ in module.named_children()]:
            # conv_a with norm_a, branch1_conv with branch1_norm
            norm = name.replace("conv", "norm")
            if "conv" in name and isinstance(getattr(module, norm, None), nn.BatchNorm3d):
                fused = fuse_conv_bn_eval(getattr(module, name), getattr(module, norm))
                setattr(module, name, FlatConv(fused) if flat(fused) else fused)
                setattr(module, norm, nn.Identity())
        if isinstance(module, nn.ReLU):
            module.inplace = True
    # torch's stubs know 4 dimensions only
    return cast(Any, net).to(dtype=dtype, memory_format=torch.channels_last_3d)


def calibrate(net: I3DResNet, clips: Tensor) -> None:
    """Make a net with random weights a fair control: set its batch norms by clips (B, C, T, H, W), in one pass.

    pytorchvideo initializes the last norm of every residual branch to 0. That helps training, but in an untrained net
    it removes the branches from the features, and with them nearly all layers and all of time. Here it is 1.
    """
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm3d)]
    for norm in norms:
        nn.init.ones_(norm.weight)
        norm.reset_running_stats()
        # a plain mean, not a moving one
        norm.momentum = None
    net.train()
    with torch.no_grad():
        net(clips)
    net.eval()
    for norm in norms:
        norm.momentum = 0.1
