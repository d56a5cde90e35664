"""S3D-G with a text side, as published with MIL-NCE (thesis 2.4.1, equation 4).

Net: Xie et al., ECCV 2018 (arXiv 1712.04851), an I3D whose 3D convolutions are split into space and time and whose
branches are gated. Training: Miech et al., CVPR 2020 (arXiv 1912.06430). Parameters are named as in the published
`s3d_howto100m.pth`, which loads strictly; its text side reads the words of `s3d_dict.npy`.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.core.checkpoints import WeightsError

# Output channels of an inception block: 1x1x1; 1x1x1 then 3x3x3; 1x1x1 then 3x3x3; pool then 1x1x1.
INCEPTION = {
    "mixed_3b": (64, 96, 128, 16, 32, 32),
    "mixed_3c": (128, 128, 192, 32, 96, 64),
    "mixed_4b": (192, 96, 208, 16, 48, 64),
    "mixed_4c": (160, 112, 224, 24, 64, 64),
    "mixed_4d": (128, 128, 256, 24, 64, 64),
    "mixed_4e": (112, 144, 288, 32, 64, 64),
    "mixed_4f": (256, 160, 320, 32, 128, 128),
    "mixed_5b": (256, 160, 320, 32, 128, 128),
    "mixed_5c": (384, 192, 384, 48, 128, 128),
}

POOLED_BEFORE = {"mixed_4b": ((3, 3, 3), (2, 2, 2)), "mixed_5b": ((2, 2, 2), (2, 2, 2))}  # kernel, stride
SPATIAL_POOL = ((1, 3, 3), (1, 2, 2))


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU; if separable, first over space, then over time with a norm of its own."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int, int], separable: bool = False):
        super().__init__()
        time, height, width = kernel
        first = 1 if separable else time
        spatial = (first // 2, height // 2, width // 2)
        self.conv1 = nn.Conv3d(inputs, outputs, (first, height, width), padding=spatial, bias=False)
        self.bn1 = nn.BatchNorm3d(outputs)
        if separable:
            self.conv2 = nn.Conv3d(outputs, outputs, (time, 1, 1), padding=(time // 2, 0, 0), bias=False)
            self.bn2 = nn.BatchNorm3d(outputs)
        self.separable = separable

    def forward(self, x: Tensor) -> Tensor:
        """Convolve: (B, C, T, H, W) -> (B, C', T, H, W); an even kernel adds one element per dimension."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(x)), inplace=True) if self.separable else x


class SelfGating(nn.Module):
    """Multiply each channel by the sigmoid of a linear map of all channels' means."""

    def __init__(self, channels: int):
        super().__init__()
        self.fc = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Gate the channels: (B, C, T, H, W) -> (B, C, T, H, W)."""
        return x * torch.sigmoid(self.fc(x.mean(dim=(2, 3, 4))))[:, :, None, None, None]


class Inception(nn.Module):
    """Four branches side by side, each gated (thesis Figure 13b)."""

    def __init__(self, inputs: int, channels: Sequence[int]):
        super().__init__()
        single, reduce1, wide1, reduce2, wide2, pooled = channels
        self.conv_b0 = Convolution(inputs, single, (1, 1, 1))
        self.conv_b1_a = Convolution(inputs, reduce1, (1, 1, 1))
        self.conv_b1_b = Convolution(reduce1, wide1, (3, 3, 3), separable=True)
        self.conv_b2_a = Convolution(inputs, reduce2, (1, 1, 1))
        self.conv_b2_b = Convolution(reduce2, wide2, (3, 3, 3), separable=True)
        self.conv_b3_b = Convolution(inputs, pooled, (1, 1, 1))
        self.gating_b0 = SelfGating(single)
        self.gating_b1 = SelfGating(wide1)
        self.gating_b2 = SelfGating(wide2)
        self.gating_b3 = SelfGating(pooled)
        self.output_dim = single + wide1 + wide2 + pooled

    def forward(self, x: Tensor) -> Tensor:
        """Join the branches: (B, C, T, H, W) -> (B, output_dim, T, H, W)."""
        branches = (
            self.gating_b0(self.conv_b0(x)),
            self.gating_b1(self.conv_b1_b(self.conv_b1_a(x))),
            self.gating_b2(self.conv_b2_b(self.conv_b2_a(x))),
            self.gating_b3(self.conv_b3_b(F.max_pool3d(x, 3, stride=1, padding=1))),
        )
        return torch.cat(branches, dim=1)


class SentenceEmbedding(nn.Module):
    """Fixed word vectors, two layers, and the maximum over the words (thesis Figure 14, g)."""

    def __init__(self, embedding_dim: int, words: int, word_dim: int, hidden: int):
        super().__init__()
        self.word_embd = nn.Embedding(words, word_dim)
        self.word_embd.weight.requires_grad_(False)
        self.fc1 = nn.Linear(word_dim, hidden)
        self.fc2 = nn.Linear(hidden, embedding_dim)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed sentences: word numbers (B, W), padded with 0 -> (B, E). As published, the padding takes part."""
        return self.fc2(F.relu(self.fc1(self.word_embd(ids))).amax(dim=1))


class S3D(nn.Module):
    """Encoder of clips and sentences into one space.

    Args:
        width: factor on all channels of the video net; 1 as published.
        words: rows of the word table, the first for padding.
    """

    def __init__(
        self,
        embedding_dim: int = 512,
        width: float = 1.0,
        words: int = 66250,
        word_dim: int = 300,
        text_hidden: int = 2048,
    ):
        super().__init__()

        def scaled(channels: int) -> int:
            # processors have fast kernels for multiples of eight
            return max(8, 8 * round(channels * width / 8))

        self.conv1 = Convolution(24, scaled(64), (2, 4, 4))
        self.conv_2b = Convolution(scaled(64), scaled(64), (1, 1, 1))
        self.conv_2c = Convolution(scaled(64), scaled(192), (3, 3, 3), separable=True)
        self.gating = SelfGating(scaled(192))
        channels = scaled(192)
        for name, outputs in INCEPTION.items():
            block = Inception(channels, [scaled(count) for count in outputs])
            self.add_module(name, block)
            channels = block.output_dim
        # 1024 as published
        self.feature_dim = channels
        self.fc = nn.Linear(channels, embedding_dim)
        self.text_module = SentenceEmbedding(embedding_dim, words, word_dim, text_hidden)

    def forward(self, clip: Tensor) -> tuple[Tensor, Tensor]:
        """Encode clips (B, 3, T, H, W), RGB in [0, 1].

        Returns video_embedding (B, E) and mixed_5c (B, feature_dim), the last maps' mean over time and space.

        Raises ValueError: an odd T, H or W.
        """
        if clip.ndim != 5 or clip.shape[1] != 3 or any(size % 2 for size in clip.shape[2:]):
            raise ValueError(f"S3D takes clips (B, 3, T, H, W) with even T, H and W; got {tuple(clip.shape)}")
        # an even kernel, padded on both sides, gives one element too many
        x = self.conv1(space_to_depth(clip))[:, :, 1:, 1:, 1:]
        x = max_pool_same(x, *SPATIAL_POOL)
        x = self.gating(self.conv_2c(self.conv_2b(x)))
        x = max_pool_same(x, *SPATIAL_POOL)
        for name in INCEPTION:
            if name in POOLED_BEFORE:
                x = max_pool_same(x, *POOLED_BEFORE[name])
            x = self.get_submodule(name)(x)
        feature = x.float().mean(dim=(2, 3, 4))
        # small differences matter here, so always in float32
        with torch.autocast(clip.device.type, enabled=False):
            return self.fc(feature), feature


def space_to_depth(clip: Tensor) -> Tensor:
    """Turn cubes of 2x2x2 into channels, channels last (fast): (B, C, T, H, W) -> (B, 8 C, T/2, H/2, W/2)."""
    batch, channels, time, height, width = clip.shape
    cubes = clip.reshape(batch, channels, time // 2, 2, height // 2, 2, width // 2, 2)
    return cubes.permute(0, 2, 4, 6, 3, 5, 7, 1).flatten(4).permute(0, 4, 1, 2, 3)


def max_pool_same(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Max-pool with TensorFlow's SAME padding (the odd element behind); zeros, because no input is negative."""
    total = [max(size - step, 0) for size, step in zip(kernel, stride, strict=True)]
    padding = [side for size in reversed(total) for side in (size // 2, size - size // 2)]
    return F.max_pool3d(F.pad(x, padding), kernel, stride, ceil_mode=True)


def mil_nce_loss(video: Tensor, text: Tensor) -> Tensor:
    """MIL-NCE (equation 4): each clip against its own K captions and all others of the batch, in both directions.

    As in the published code, own captions are in the row and in the column, so the denominator counts them twice.

    `video`: (B, D); `text`: (B·K, D), whose rows i·K … i·K + K - 1 are the captions nearest in time to clip i.

    >>> round(mil_nce_loss(torch.zeros(2, 4), torch.zeros(6, 4)).item(), 4)  # ln(12 / 3)
    1.3863
    """
    # (clip, clip of the caption, K)
    scores = (video @ text.T).view(len(video), len(video), -1)
    # numerator: any of a clip's own candidates may fit
    own = scores.diagonal().T.logsumexp(dim=1)
    # denominator: the clip with all captions, and its captions with all clips
    both = torch.cat((scores, scores.transpose(0, 1)), dim=1).flatten(1).logsumexp(dim=1)
    return (both - own).mean()


WORD = re.compile(r"[\w']+")


class Words:
    """A vocabulary: words in the order of their table rows, and their numbers, from 1 (row 0 is for padding)."""

    def __init__(self, words: Iterable[str]):
        self.words = tuple(words)
        self._number = {word: number for number, word in enumerate(self.words, 1)}

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, sentences: Sequence[str], longest: int = 16) -> Tensor:
        """Encode sentences, (sentences, longest) int64: lower case, unknown words dropped, cut or padded with 0.

        >>> Words(["slice", "the", "apple"]).numbers(["Slice the red apple!"], longest=5).tolist()
        [[1, 2, 3, 0, 0]]
        """
        rows = torch.zeros(len(sentences), longest, dtype=torch.int64)
        for row, sentence in zip(rows, sentences, strict=True):
            known = [self._number[word] for word in WORD.findall(sentence.lower()) if word in self._number][:longest]
            row[: len(known)] = torch.tensor(known, dtype=torch.int64)
        return rows


def read_dictionary(path: Path) -> Words:
    """Read the words of the published `s3d_dict.npy`; if a word occurs twice, the later row counts, as published.

    Raises WeightsError: the file is missing, or not an array of words.
    """
    try:
        words = np.load(path)
    except FileNotFoundError:
        raise WeightsError(f"{path}: S3D's dictionary is missing; it is published beside the weights") from None
    except (OSError, ValueError, EOFError) as error:
        raise WeightsError(f"{path}: not an array of words ({error}); download it again") from None
    if not isinstance(words, np.ndarray) or words.ndim != 1 or words.dtype.kind != "U":
        raise WeightsError(f"{path}: not an array of words; download it again")
    return Words(words.tolist())


def words_of(captions: Iterable[str]) -> Words:
    """Vocabulary of all words of a corpus, in alphabetical order."""
    return Words(sorted({word for caption in captions for word in WORD.findall(caption.lower())}))


def piece_vectors(words: Words, pieces: Tensor, tokenize) -> Tensor:
    """Make a table for `Words`, (1 + words, H) of unit variance, row 0 zero: each word is the mean of its pieces.

    Args:
        pieces: (vocabulary, H), a text model's input vectors.
        tokenize: words -> numbers of their pieces, without special tokens.
    """
    rows = torch.stack([pieces[numbers].mean(dim=0) for numbers in tokenize(list(words.words))])
    return torch.cat((torch.zeros_like(rows[:1]), rows / rows.std()))
