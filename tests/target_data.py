"""A small target set for tests: labels in the MS-TCN layout, features that determine the class, and a tiny model."""

from pathlib import Path

import numpy as np
import torch
from narrated_data import minilm_tokenizer
from transformers import BertConfig

from lib.data.dataset import open_dataset
from lib.videoclip.finetuning import Names
from lib.videoclip.model import VideoCLIP
from lib.videoclip.target import Target
from lib.videoclip.zero_shot import prompts

CLASSES = ("cut_tomato", "add_oil", "mix_ingredients", "action_end")
DIM, SIZE, FPS = 12, 8, 4
TEST = ("rgb-09-1", "rgb-10-1")


def make_target(root: Path, lengths: dict[str, int] | None = None) -> Target:
    """Ten people with one video of 14 to 30 s each; the last two are tested.

    Args:
        lengths: video -> seconds, in place of the drawn ones.
    """
    rng = np.random.default_rng(0)
    videos = [f"rgb-{person:02d}-1" for person in range(1, 11)]
    for folder in ("groundTruth", "splits", "features"):
        (root / folder).mkdir(parents=True)
    (root / "mapping.txt").write_text("".join(f"{number} {name}\n" for number, name in enumerate(CLASSES)))
    for video in videos:
        seconds = (lengths or {}).get(video, int(rng.integers(14, 31)))
        runs = rng.permutation(np.arange(seconds) % len(CLASSES))
        labels = np.sort(runs) if rng.random() < 0.5 else np.sort(runs)[::-1]
        names = [CLASSES[label] for label in np.repeat(labels, FPS)]
        (root / "groundTruth" / f"{video}.txt").write_text("".join(f"{name}\n" for name in names))
        features = 0.5 * rng.standard_normal((DIM, seconds)) + 3 * np.eye(DIM)[:, labels]
        np.save(root / "features" / f"{video}.npy", features.astype(np.float16))
    for side, part in (("train", [video for video in videos if video not in TEST]), ("test", TEST)):
        (root / "splits" / f"{side}.split1.bundle").write_text("".join(f"{video}.txt\n" for video in part))
    return Target(open_dataset(root, None, FPS), root / "features")


def tiny_videoclip(dropout: float = 0.0, input_dim: int = DIM) -> VideoCLIP:
    config = BertConfig(
        hidden_size=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        intermediate_size=32,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    torch.manual_seed(0)
    return VideoCLIP(config, 1, input_dim, max_video_len=SIZE).eval()


def class_names() -> Names:
    rows = minilm_tokenizer()(prompts(CLASSES, "words"), padding=True, return_tensors="pt")
    return Names(rows["input_ids"], rows["attention_mask"])
