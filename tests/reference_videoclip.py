"""A plain pre-training step of VideoCLIP, from the published code's behaviour, to test and time ours.

Every caption is padded to 63 positions and every clip to 32 seconds, a cluster goes through the towers as a whole, the
attention is written out (transformers 3.4 had no other), dropout is torch's, the loss is read after every cluster.
Captions are text that is split into word pieces in the loop (the published pre-training, like ours, has them split
beforehand). It shares with lib/ the weights, the feature MLP, and how pairs are drawn.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from lib.core.settings import Pairs
from lib.data.packs import Narrated
from lib.pretraining.pairs import overlapping_pair
from lib.videoclip.model import VideoCLIP
from lib.videoclip.packed_rows import Dropout

TEXT = 63  # [CLS], up to 61 word pieces, [SEP]
SECONDS = 32

Drawn = tuple[np.ndarray, str]  # features (T, D) of a clip, its captions


def draw_pairs(
    narrated: Narrated, texts: dict[str, list[str]], cluster: Sequence[int], pairs: Pairs, rng: np.random.Generator
) -> list[Drawn]:
    """The pairs of a cluster; the same as `lib.pretraining.pairs.ClusterBatches` draws with this generator.

    Args:
        texts: captions of each video.
    """
    drawn = []
    for video in cluster:
        features, track, said = narrated.features(video), narrated.track(video), texts[narrated.videos[video]]
        for _ in range(pairs.per_video):
            pair = overlapping_pair(track, len(features), pairs, rng)
            drawn.append((features[pair.start : pair.end], " ".join(said[pair.first : pair.last])))
    return drawn


def make_plain(model: VideoCLIP) -> None:
    """Let the towers compute as transformers 3.4 did: attention step by step, torch's own dropout."""
    for tower in (model.video, model.text):
        tower.set_attn_implementation("eager")
        for part in tower.modules():
            for name, child in part.named_children():
                if isinstance(child, Dropout):
                    setattr(part, name, nn.Dropout(child.p))


def pad_clips(clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Features (B, 32, D), zeros after the end, and their mask (B, 32)."""
    features, mask = torch.zeros(len(clips), SECONDS, clips[0].shape[1]), torch.zeros(len(clips), SECONDS)
    for row, clip in enumerate(clips):
        features[row, : len(clip)] = torch.from_numpy(clip.astype(np.float32))
        mask[row, : len(clip)] = 1
    return features, mask


def pad_texts(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, longest: int = TEXT - 2
) -> tuple[Tensor, Tensor]:
    """Word pieces (B, 63) with [CLS], [SEP] and padding, and their mask.

    Args:
        longest: word pieces that are kept of a text.
    """
    longest = longest + 2
    cut = tokenizer(list(texts), truncation=True, max_length=longest, return_attention_mask=False)["input_ids"]
    padded = tokenizer.pad({"input_ids": cut}, padding="max_length", max_length=TEXT, return_tensors="pt")
    return padded["input_ids"], padded["attention_mask"]


def mean(states: Tensor, mask: Tensor) -> Tensor:
    """Of what is not padding, without [CLS]: (B, L, H), (B, L) -> (B, H)."""
    mask = mask.clone().float()
    mask[:, 0] = 0
    return torch.einsum("blh,bl->bh", states.float(), mask / mask.sum(dim=1, keepdim=True))


def cluster_loss(
    model: VideoCLIP, tokenizer: PreTrainedTokenizerFast, drawn: Sequence[Drawn], longest: int = TEXT - 2
) -> Tensor:
    """Equation 5 of one cluster."""
    clips, texts = zip(*drawn, strict=True)
    features, seen = pad_clips(clips)
    ends = torch.ones(len(clips), 1)
    seen = torch.cat((ends, seen, ends), dim=1)
    cls, sep = model.video.embeddings.word_embeddings(torch.tensor([[101], [102]]))
    tokens = torch.cat((cls.expand(len(clips), 1, -1), model.mlp(features), sep.expand(len(clips), 1, -1)), dim=1)
    video = mean(model.video(inputs_embeds=tokens, attention_mask=seen.long()).last_hidden_state, seen)

    ids, seen = pad_texts(texts, tokenizer, longest)
    text = mean(model.text(input_ids=ids, attention_mask=seen).last_hidden_state, seen)

    with torch.autocast("cpu", enabled=False):
        scores = video @ text.T
    own = torch.arange(len(clips))
    return F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)


def update(
    model: VideoCLIP,
    tokenizer: PreTrainedTokenizerFast,
    optimizer: torch.optim.Optimizer,
    clusters: Sequence[Sequence[Drawn]],
    clip: float,
    longest: int = TEXT - 2,
    dtype: torch.dtype = torch.float32,
) -> float:
    """One update: the gradient is the mean over the clusters, then cut to the norm `clip`. Returns their mean loss."""
    total = 0.0
    optimizer.zero_grad()
    for drawn in clusters:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss = cluster_loss(model, tokenizer, drawn, longest) / len(clusters)
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return total
