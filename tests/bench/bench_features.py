"""Features by `mode: dense` against the thesis's way, and memory on long videos: python -m tests.bench.bench_features

Weights are random, since the published ones are not in the project. How well the two ways agree depends on the weights:
on how much of the signal the residual branches carry, for there the padding of a window's ends comes in. So it is shown
for branches at full strength and at .3. Notebook 2_3_2 shows it for the weights that it runs.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lib.backbones.i3d import I3DResNet, build, calibrate, for_inference
from lib.backbones.i3d_features import agreement, extract_video, padded_inputs
from lib.backbones.s3d import S3D
from lib.core.settings import I3D
from lib.data.video import read_video
from tests.bench.machine import alone, highest, peak
from tests.videos import write_frames

FRAMES = 176
WINDOWS = 6  # of the slow way; it is the same work for each
SECONDS = 4  # of S3D's way
GAINS = (1.0, 0.3)
LENGTHS = (2_000, 18_000)  # frames; the longest video of 50 Salads has 18,143
ALL_FRAMES = 577_595  # of 50 Salads


def settings(width: int, size: int, mode: str, dtype: str, chunk: int) -> I3D:
    fixed = {"weights": None, "dropout": 0, "channel_order": "bgr", "mean": 0.45, "std": 0.225, "window": 21}
    sizes = {"width": width, "short_side": size, "crop": size, "chunk": chunk, "use_last_frame": True}
    return I3D.model_validate(fixed | sizes | {"mode": mode, "dtype": dtype})


def write_video(path: Path, frames: int, size: tuple[int, int]) -> None:
    """A picture that slides, turns and changes colour, with noise."""
    rng = np.random.default_rng(0)
    width, height = size
    picture = cv2.resize(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8), (width, height))

    def frame(t: int) -> np.ndarray:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 20 * np.sin(t / 40), 1 + 0.3 * np.sin(t / 60))
        turn[:, 2] += width / 8 * np.array([np.sin(t / 17), np.cos(t / 23)])
        moved = cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REFLECT) * (0.7 + 0.3 * np.sin(t / 50))
        return np.clip(moved + rng.normal(0, 4, moved.shape), 0, 255).astype(np.uint8)

    write_frames(path, map(frame, range(frames)), 30)


def bench_speed(folder: Path) -> None:
    video = folder / "video.avi"
    write_video(video, FRAMES, (320, 240))
    slow, fast = settings(64, 224, "window", "float32", 1), settings(64, 224, "dense", "bfloat16", 64)
    net = build(slow, "rgb", seed=0)
    inputs = torch.stack(list(padded_inputs(read_video(video), "rgb", slow)), dim=1)  # (3, FRAMES + 20, 224, 224)
    calibrate(net, torch.stack([inputs[:, start : start + 21] for start in (30, 90, 150)]))
    print(f"I3D R50, 224 x 224, {torch.get_num_threads()} threads, {FRAMES} frames", flush=True)
    for gain in GAINS:
        for name, parameter in net.named_parameters():
            if name.endswith("norm_c.weight"):
                nn.init.constant_(parameter, gain)
        compare(video, net, inputs, fast, gain)


def compare(video: Path, net: I3DResNet, inputs: torch.Tensor, fast: I3D, gain: float) -> None:
    chosen = np.linspace(10, FRAMES - 11, WINDOWS).astype(int)
    alone = for_inference(net, torch.float32)
    start = time.perf_counter()
    with torch.inference_mode():
        exact = torch.cat([alone(inputs[None, :, number : number + 21]) for number in chosen]).T.numpy()
    per_window = (time.perf_counter() - start) / WINDOWS
    start = time.perf_counter()
    features, _ = extract_video(video, {"rgb": net}, fast)
    per_frame = (time.perf_counter() - start) / FRAMES
    cosine = agreement(exact, features[:, chosen])
    print(f"  residual branches weighted {gain}:")
    print(f"    window by window, float32: {per_window:.2f} s a frame")
    print(f"    dense, bfloat16, decoding included: {per_frame:.3f} s, {per_window / per_frame:.1f} times as fast")
    print(f"    cosine after removing the mean: median {np.median(cosine):.3f}, least {cosine.min():.3f} of {WINDOWS}")


def run(net: nn.Module, clips: Sequence[torch.Tensor]) -> None:
    with torch.inference_mode():
        for clip in clips:
            net(clip)


def print_days(name: str, work: Callable[[], object], frames: int, dtype: str) -> None:
    """Time `work` on so many frames; the count of its operations takes no time beside them."""
    with FlopCounterMode(display=False) as counter:
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
    share = counter.get_total_flops() / seconds / peak(getattr(torch, dtype))
    days = seconds / frames * ALL_FRAMES / 86_400
    print(f"  {name}: {seconds / frames:.3f} s a frame, {days:.1f} days, {share:.0%} of the peak", flush=True)


def bench_days(folder: Path) -> None:
    """The real set by one core, at the size of the thesis, from a few of its frames."""
    video, threads = folder / "large.avi", torch.get_num_threads()
    write_video(video, FRAMES, (640, 480))
    torch.set_num_threads(1)
    print(f"one thread: days for the {ALL_FRAMES:,} frames of 50 Salads; the peak is that of a matrix product")
    for mode, dtype, chunk, frames in (
        ("window", "float32", 16, WINDOWS), ("dense", "float32", 64, FRAMES), ("dense", "bfloat16", 64, FRAMES)
    ):  # fmt: skip
        how = settings(64, 256, mode, dtype, chunk)
        net = build(how, "rgb", seed=0)
        if mode == "window":
            clip = torch.stack(list(islice(padded_inputs(read_video(video), "rgb", how), 21)), dim=1)[None]
            work = partial(run, for_inference(net, torch.float32), [clip] * frames)
        else:
            work = partial(extract_video, video, {"rgb": net}, how)
        print_days(f"I3D R50, {mode}, {dtype}, 256 x 256", work, frames, dtype)
    clips = torch.rand(SECONDS, 1, 3, 30, 224, 224).unbind()
    print_days("S3D, float32, 224 x 224", partial(run, S3D().eval(), clips), 30 * SECONDS, "float32")
    torch.set_num_threads(threads)


def measure_memory(video: Path) -> None:
    """Extract with the demo's small net, print the peak."""
    small = settings(8, 64, "dense", "bfloat16", 128)
    start = time.perf_counter()
    features, _ = extract_video(video, {"rgb": build(small, "rgb", seed=0)}, small)
    seconds = time.perf_counter() - start
    size = features.nbytes / 2**20
    print(f"  {features.shape[1]:6} frames: peak {highest():.0f} MB, features {size:.0f} MB, {seconds:.1f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_speed(folder)
        bench_days(folder)
        print("small I3D, 64 x 64, dense, memory:", flush=True)
        for frames in LENGTHS:
            write_video(folder / "long.avi", frames, (64, 64))
            alone(measure_memory, folder / "long.avi")


if __name__ == "__main__":
    main()
