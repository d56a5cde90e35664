"""A small target set for tests: labels in the MS-TCN layout, features that determine the class, and a tiny model."""

from pathlib import Path

import numpy as np
from narrated_data import minilm_tokenizer, tiny_videoclip

from lib.data.dataset import open_dataset, write_data_set
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
    rng, frames = np.random.default_rng(0), {}
    (root / "features").mkdir(parents=True)
    for video in (f"rgb-{person:02d}-1" for person in range(1, 11)):
        seconds = (lengths or {}).get(video, int(rng.integers(14, 31)))
        runs = rng.permutation(np.arange(seconds) % len(CLASSES))
        labels = np.sort(runs) if rng.random() < 0.5 else np.sort(runs)[::-1]
        frames[video] = np.repeat(labels, FPS)
        features = 0.5 * rng.standard_normal((DIM, seconds)) + 3 * np.eye(DIM)[:, labels]
        np.save(root / "features" / f"{video}.npy", features.astype(np.float16))
    write_data_set(root, CLASSES, frames, {1: TEST})
    return Target(open_dataset(root, None, FPS), root / "features")


def target_videoclip(dropout: float = 0.0) -> VideoCLIP:
    return tiny_videoclip(DIM, SIZE, dropout=dropout).eval()


def class_names() -> Names:
    rows = minilm_tokenizer()(prompts(CLASSES, "words"), padding=True, return_tensors="pt")
    return Names(rows["input_ids"], rows["attention_mask"])
