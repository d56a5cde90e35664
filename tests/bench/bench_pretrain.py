"""VideoCLIP's pre-training step against the plain reference: pairs per second, memory against C (`make bench`).

One step = draw the pairs of C clusters, forward, loss, backward, clip, Adam, on 2 threads; random features, captions of
random words. "demo" is params/demo.yaml, "base" two towers of BERT-base's width (12 and 6 layers, random weights) with
pairs as published, but clusters of 8 videos x 16 = 128 pairs instead of 512, as two cores need a minute for those. Each
figure comes from a process of its own, the two in turn; seconds are the fastest step after a first. The
exit code is 1 where a target of the project is missed.

    python -m tests.bench.bench_pretrain --quick     # to see that it runs; its figures mean nothing
"""

import argparse
import json
import os
import string
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import BertConfig

from lib.core import params
from lib.core.devices import autocast
from lib.core.settings import Pairs, Pretrain
from lib.data.packs import Narrated, open_packed, pack
from lib.pretraining.clusters import VIDEOS_AT_ONCE
from lib.pretraining.pairs import Batch, ClusterBatches, spanning_pair
from lib.videoclip.model import VideoCLIP, contrastive_loss
from lib.videoclip.towers import build_videoclip
from tests.bench.machine import TWO_THREADS, alone, highest, peak
from tests.narrated_data import minilm_tokenizer, write_narrated
from tests.reference_videoclip import SECONDS, TEXT, draw_pairs, make_plain, update

CHANNELS = 512
VIDEOS = 64
WORDS = 10  # of a caption, on average, each one word piece; a caption every 4 s, as in HowTo100M
STEPS = {"demo": 8, "base": 4}  # the first does not count; the machine's pages are all there after two or three
DTYPES = ("float32", "bfloat16")
SPEED_UP = 1.5  # at least, in every row
CLUSTERS = (1, 2, 8)  # of an update, whose memory is compared
MEMORY = 1.1  # of that with one cluster, at most
EPOCH = 34_375  # clusters of 32 videos x 16 pairs, as published (1.1 million videos)
SUSTAINED = (50, 100, 200)  # TFLOP/s of a GPU
FULL = np.array([SECONDS + 2]), np.array([TEXT])  # positions of the reference
ENVIRONMENT = TWO_THREADS | {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",  # freed memory is kept, as it is on a GPU: what the system takes to clear
    "MALLOC_TRIM_THRESHOLD_": "20000000000",  # new pages varies, between a tenth and a third of a step of either
}


class Size(NamedTuple):
    settings: Pretrain
    clusters: int  # of an update
    videos: int  # of a cluster

    @property
    def pairs(self) -> int:
        return self.clusters * self.videos * self.settings.pairs.per_video


def size_of(name: str, quick: bool) -> Size:
    if name == "demo":
        settings = params.load("params/demo.yaml").pretrain
        count = 1 if quick else settings.recipes["own"].clusters_per_update
        return Size(settings, count, settings.videos_per_cluster)
    settings = params.load("params/50salads.yaml").pretrain
    pairs = settings.pairs.model_copy(update={"per_video": 2}) if quick else settings.pairs
    return Size(settings.model_copy(update={"pairs": pairs}), 1, 2 if quick else 8)


def build(name: str) -> VideoCLIP:
    torch.manual_seed(0)
    if name == "demo":
        return build_videoclip(params.load("params/demo.yaml").videoclip, CHANNELS, seed=0).train()
    return VideoCLIP(BertConfig(), 6, CHANNELS).train()


def sizes_of(name: str) -> VideoCLIP:
    """The model, for its sizes only; that of BERT-base without memory."""
    with torch.device("meta" if name == "base" else "cpu"):
        return build(name)


def write_videos(folder: Path) -> None:
    """Pack VIDEOS videos of 60 to 180 s; the captions' texts stay in narrated/raw_caption.json."""
    rng, tokenizer = np.random.default_rng(0), minilm_tokenizer()
    words = sorted(word for word in tokenizer.vocab if len(word) > 2 and set(word) <= set(string.ascii_lowercase))
    features, tracks = {}, {}
    for video in (f"video{number:02d}" for number in range(VIDEOS)):
        seconds = int(rng.integers(60, 180, endpoint=True))
        features[video] = rng.standard_normal((seconds, CHANNELS)).astype(np.float16)
        start = np.arange(0, seconds - 1, 4)
        lengths = rng.integers(WORDS - 5, WORDS + 5, len(start), endpoint=True)
        texts = [" ".join(rng.choice(words, length)) for length in lengths]
        tracks[video] = {"start": start.tolist(), "end": (start + 4).tolist(), "text": texts}
    write_narrated(folder / "narrated", features, tracks)
    pack(folder / "narrated", "random", "train", folder / "packed", tokenizer)


def chosen(count: int, videos: int) -> list[list[int]]:
    """`count` clusters of `videos`; the same whoever asks."""
    rng = np.random.default_rng(1)
    return [rng.choice(VIDEOS, videos, replace=False).tolist() for _ in range(count)]


def optimizer_of(model: VideoCLIP, settings: Pretrain, fused: bool) -> torch.optim.Adam:
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.Adam(learns, settings.learning_rate, betas=(0.9, 0.98), fused=fused)


def our_step(model: VideoCLIP, optimizer: torch.optim.Adam, batches: ClusterBatches, clip: float, dtype: torch.dtype):
    """As `lib.pretrain` and `lib.core.training` do it."""
    optimizer.zero_grad()
    total = torch.zeros(())
    for number in range(len(batches)):
        with autocast(torch.device("cpu"), dtype):
            video, text = batches[number].encode(model)
        loss = contrastive_loss(video.float(), text.float()) / len(batches)
        loss.backward()
        total += loss.detach()
    assert np.isfinite(total.item())
    torch.nn.utils.clip_grad_norm_([value for value in model.parameters() if value.requires_grad], clip)
    optimizer.step()


def measure_speed(folder: Path, name: str, dtype: str, quick: bool, who: str) -> list[float]:
    """Seconds of the fastest step, and the peak of the machine."""
    size, narrated, kind = size_of(name, quick), open_packed(folder / "packed"), getattr(torch, dtype)
    model, pairs, clip = build(name), size.settings.pairs, size.settings.clip
    clusters = chosen(size.clusters, size.videos)
    optimizer = optimizer_of(model, size.settings, fused=who == "ours")
    if who == "ours":
        batches = ClusterBatches(narrated, clusters, pairs, seed=0, epoch=1)

        def step() -> None:
            our_step(model, optimizer, batches, clip, kind)
    else:
        tracks = json.loads((folder / "narrated" / "raw_caption.json").read_text())
        texts, tokenizer = {video: track["text"] for video, track in tracks.items()}, minilm_tokenizer()
        make_plain(model)

        def step() -> None:
            generators = [np.random.default_rng([0, 1, number]) for number in range(len(clusters))]
            drawn = [
                draw_pairs(narrated, texts, cluster, pairs, rng)
                for cluster, rng in zip(clusters, generators, strict=True)
            ]
            update(model, tokenizer, optimizer, drawn, clip, pairs.longest_text, kind)

    seconds = []
    for _ in range(2 if quick else STEPS[name]):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return [min(seconds[1:]), peak(kind)]


def measure_memory(folder: Path, count: int) -> list[float]:
    """Megabytes: highest resident size over two updates (the second has Adam's moments), and that after the imports."""
    size, narrated, before = size_of("demo", False), open_packed(folder / "packed"), highest()
    model = build("demo")
    batches = ClusterBatches(narrated, chosen(count, size.videos), size.settings.pairs, seed=0, epoch=1)
    optimizer = optimizer_of(model, size.settings, fused=True)
    for _ in range(2):
        our_step(model, optimizer, batches, size.settings.clip, torch.float32)
    return [highest(), before]


def forward_flop(layers: int, hidden: int, inner: int, length: np.ndarray) -> np.ndarray:
    """Operations of a BERT tower on one row of `length` positions; a multiplication and an addition are two.

    A layer multiplies every position with four (hidden, hidden) and two (hidden, inner) matrices, and scores and sums
    up `length` others of it. Norms, softmax, GELU and sums of vectors are left out, as torch.utils.flop_counter does.
    """
    return layers * length * (2 * (4 * hidden**2 + 2 * hidden * inner) + 4 * length * hidden)


def pair_flop(model: VideoCLIP, clips: np.ndarray, texts: np.ndarray) -> float:
    """Operations, forward, of a pair: means over the lengths of clips and captions in positions."""
    text, video = model.text.config, model.video.config
    hidden, inner = text.hidden_size, text.intermediate_size
    mlp = 2 * (model.input_dim * hidden + hidden**2) * clips
    ours = mlp + forward_flop(video.num_hidden_layers, hidden, inner, clips)
    return float(ours.mean() + forward_flop(text.num_hidden_layers, hidden, inner, texts).mean())


def lengths(batches: list[Batch]) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of all clips and all captions, with their marks."""
    clips = torch.cat([batch.clips.rows.bincount() for batch in batches])
    return clips.numpy(), torch.cat([batch.captions.rows.bincount() for batch in batches]).numpy()


def step_flop(name: str, quick: bool, narrated: Narrated) -> tuple[float, float]:
    """Operations of a step, forward and backward (twice as many): the reference's, ours."""
    size, model = size_of(name, quick), sizes_of(name)
    batches = ClusterBatches(narrated, chosen(size.clusters, size.videos), size.settings.pairs, 0, 1)
    ours = pair_flop(model, *lengths([batches[number] for number in range(size.clusters)]))
    return 3 * pair_flop(model, *FULL) * size.pairs, 3 * ours * size.pairs


def estimate(narrated: Narrated, machine: float) -> None:
    """Print what an epoch of the published training takes at BERT-base size.

    Args:
        machine: TFLOP/s of this one, as measured.
    """
    pairs: Pairs = params.load("params/50salads.yaml").pretrain.pairs
    count, model = EPOCH * 32 * pairs.per_video, sizes_of("base")
    training = ClusterBatches(narrated, chosen(8, 32), pairs, 0, 1)
    mining = ClusterBatches(narrated, [list(range(VIDEOS_AT_ONCE))], pairs, 0, 1, spanning_pair)
    clips, texts = lengths([training[number] for number in range(8)])
    step = 3 * pair_flop(model, clips, texts)
    full = 3 * pair_flop(model, *FULL)
    looked = pair_flop(model, *lengths([mining[0]]))
    whole = (step + looked) * count / 1e12  # TFLOP
    print(f"a published epoch: {EPOCH:,} clusters x {32 * pairs.per_video} = {count:,} pairs, BERT-base, 12 + 6 layers")
    print(
        f"  a pair, packed: {texts.mean():.1f} positions of text, {clips.mean():.1f} of video,"
        f" {step / 1e9:.1f} GFLOP forward and backward (all padded: {full / 1e9:.1f}, {full / step:.2f}x);"
        f" {looked / 1e9:.1f} to mine"
    )
    print(f"  an epoch: {whole / 1e6:.2f} EFLOP, of which mining {looked / (step + looked):.0%}")
    hours = ", ".join(f"{whole / rate / 3600:.1f} h at {rate} TFLOP/s" for rate in SUSTAINED)
    print(f"  GPU-hours an epoch: {hours} (sustained); 25 epochs: {25 * whole / 100 / 3600:.0f} h at 100 TFLOP/s")
    print(f"  this machine: {machine:.3f} TFLOP/s in the step above, {whole / machine / 86400:,.0f} days an epoch")


def compare(folder: Path, quick: bool) -> tuple[bool, float]:
    """Print pairs per second; returns whether a row is too slow, and the TFLOP/s at BERT-base size."""
    narrated, missed, best = open_packed(folder / "packed"), False, 0.0
    print("padded = operations of the reference over ours, all due to padding")
    print(
        f"{'size':>4} {'pairs a step':>12} {'dtype':>8} {'reference':>13} {'ours':>13} {'ratio':>6} padded ours GFLOP/s"
        " of the peak"
    )
    for name in STEPS:
        size, (full, flop) = size_of(name, quick), step_flop(name, quick, narrated)
        for dtype in DTYPES:
            (slow, _), (fast, most) = (
                alone(measure_speed, folder, name, dtype, quick, who) for who in ("reference", "ours")
            )
            print(
                f"{name:>4} {size.clusters:>5} x {size.pairs // size.clusters:<4} {dtype:>8} {size.pairs / slow:6.1f}"
                f" pair/s {size.pairs / fast:6.1f} pair/s {slow / fast:5.2f}x {full / flop:5.2f}x"
                f" {flop / fast / 1e9:12.0f} {flop / fast / most:11.0%}",
                flush=True,
            )
            missed |= slow / fast < SPEED_UP
            best = max(best, flop / fast / 1e12) if name == "base" else best
    print(f"target, {SPEED_UP:g}x in every row: {'missed' if missed else 'met'}", flush=True)
    return missed, best


def compare_memory(folder: Path) -> bool:
    """Print memory against C; returns whether it grows too much."""
    peaks = {}
    for count in CLUSTERS:
        peaks[count], before = alone(measure_memory, folder, count)
        print(
            f"demo, C = {count}: peak {peaks[count]:.0f} MB, {peaks[count] / peaks[1]:.2f}x;"
            f" {peaks[count] - before:.0f} MB of it since the imports",
            flush=True,
        )
    missed = peaks[max(CLUSTERS)] > MEMORY * peaks[1]
    print(f"target, {MEMORY:g}x: {'missed' if missed else 'met'}", flush=True)
    return missed


def main(quick: bool) -> int:
    os.environ |= ENVIRONMENT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_videos(folder)
        slow, machine = compare(folder, quick)
        grows = compare_memory(folder)
        estimate(open_packed(folder / "packed"), machine)
    return int(slow or grows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="tiny clusters, two steps")
    sys.exit(main(parser.parse_args().quick))
