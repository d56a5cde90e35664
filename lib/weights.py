"""Make the demo's trained backbones from nothing: lib/demo/weights/ (`make weights`).

    python -m lib.weights                # render, train, score, write
    python -m lib.weights --jobs 1       # one net after the other; otherwise two at a time, a core each

They learn from clips and narrations of people, foods and dishes that the fifty videos do not have, with the settings
`backbone` and `mil_nce` of the profile, and are scored on a development set of another seed. What is finished is kept
in outputs/weights, so a killed run continues.
"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from lib.backbones.i3d import I3DResNet
from lib.backbones.i3d_features import extract_video
from lib.backbones.labelled_clips import STREAMS, random_stream, train_stream
from lib.backbones.mil_nce import build_s3d, train_s3d
from lib.backbones.probe import fit_probe
from lib.backbones.s3d import S3D
from lib.backbones.s3d_features import LAYERS, video_features
from lib.backbones.shipped import FOLDER, packed
from lib.core.checkpoints import save_tensors
from lib.core.command import one_line, profile_parser
from lib.core.files import revision, sha256, write_json, write_text
from lib.core.params import load
from lib.core.paths import Outputs
from lib.core.processes import die_with_parent
from lib.core.settings import I3D, Params
from lib.data.dataset import Dataset, open_dataset
from lib.data.video import read_video
from lib.demo.clips import other_dishes
from lib.demo.narrated import render_narrated
from lib.demo.videos import render

NETS = ("s3d", "i3d_rgb", "i3d_flow")  # the longest training first
CORPUS = {"videos": 400, "validation": 40}  # narrations
DISHES = 64
DEVELOPMENT = {"seed": 101, "videos_per_person": 1}


def train(params: Params, out: Outputs, name: str) -> tuple[dict[str, torch.Tensor], dict[str, list[dict]], float]:
    """Train one net: its state to be written, its learning curves, and minutes; a finished one is loaded."""
    torch.set_num_threads(1)
    start, clock = time.time(), out.weights / f"{name}_minutes.txt"
    if name == "s3d":
        narration = params.narration.model_copy(update=CORPUS | {"seed": params.mil_nce.seed})
        render_narrated(params.demo, narration, out.narrated, 1, other_dishes(DISHES, narration.seed))
        sections = (params.demo, params.s3d, params.mil_nce, params.videoclip)
        net, words, history = train_s3d(out.narrated, *sections, out.weights / name)
        begun = pd.read_csv(out.weights / f"{name}_clips" / "history.csv")
        histories = {"s3d_clips": begun, "s3d": history}
        write_text(out.weights / "s3d_words.txt", "".join(f"{word}\n" for word in words.words))
    else:
        stream = STREAMS[name == "i3d_flow"]
        net, history = train_stream(stream, params.demo, params.i3d, params.backbone, out.weights / name)
        histories = {name: history}
    if not clock.exists():
        write_text(clock, f"{(time.time() - start) / 60:.1f}\n")
    curves = {part: history.round(5).to_dict("records") for part, history in histories.items()}
    return packed(net), curves, float(clock.read_text())


def development(params: Params, out: Outputs) -> dict[str, float]:
    """Score the trained nets on the development set: name -> linear probe, percent of labelled seconds (`probe`)."""
    render(params.demo.model_copy(update=DEVELOPMENT), out.data, 1)
    dataset, fps = open_dataset(out.data, None, params.demo.fps), params.demo.fps
    i3d = params.i3d.model_copy(update={"channel_order": "rgb"})
    most = pd.Series(np.concatenate([dataset.labels(video) for video in dataset.videos])).value_counts(normalize=True)
    scores = {"commonest class": 100 * float(most.iloc[0])}

    def probe_i3d(name: str, net: I3DResNet, stream: str, settings: I3D = i3d) -> None:
        files = {video: out.data / "videos" / f"{video}.avi" for video in dataset.videos}
        features = {video: extract_video(file, {stream: net}, settings)[0] for video, file in files.items()}
        scores[name] = probe(dataset, {video: each[:, fps // 2 :: fps] for video, each in features.items()})

    nets = {
        stream: train_stream(stream, params.demo, i3d, params.backbone, out.weights / f"i3d_{stream}")[0]
        for stream in STREAMS
    }
    for stream, net in nets.items():
        probe_i3d(f"i3d_{stream}", net, stream)
    probe_i3d("i3d_rgb read as bgr", nets["rgb"], "rgb", params.i3d)
    probe_i3d("i3d_rgb untrained", random_stream("rgb", params.demo, i3d, params.backbone.seed), "rgb")
    for name, net in s3d_nets(params, out).items():
        made = {
            video: video_features(read_video(out.data / "videos" / f"{video}.avi"), net, params.s3d)
            for video in dataset.videos
        }
        for layer in LAYERS:
            scores[f"{name} {layer}"] = probe(dataset, {video: each[layer].T for video, each in made.items()})
    return {name: round(score, 1) for name, score in scores.items()}


def s3d_nets(params: Params, out: Outputs) -> dict[str, S3D]:
    """S3D trained, after its start on labelled clips, and untrained."""
    sections = (params.demo, params.s3d, params.mil_nce, params.videoclip)
    net, words, _ = train_s3d(out.narrated, *sections, out.weights / "s3d")
    start, untrained = (build_s3d(params.s3d, words, params.videoclip, params.mil_nce.seed).eval() for _ in range(2))
    state = load_file(out.weights / "s3d_clips" / "weights.safetensors")
    parts = {name.removeprefix("net."): value for name, value in state.items() if name.startswith("net.")}
    start.load_state_dict(start.state_dict() | parts)
    return {"s3d": net, "s3d before MIL-NCE": start, "s3d untrained": untrained}


def probe(dataset: Dataset, features: dict[str, np.ndarray]) -> float:
    """Linear probe of seconds by the label in their middle: mean accuracy over the splits, in percent.

    Args:
        features: one column per second, (D, T), of each video; those after its last label are left out.
    """
    fps = round(dataset.fps)
    labels = {video: dataset.labels(video)[fps // 2 :: fps] for video in features}

    def part(videos: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        columns = [features[video][:, : len(labels[video])].T for video in videos]
        return np.concatenate(columns).astype(np.float32), np.concatenate([labels[video] for video in videos])

    splits = [dataset.split(split) for split in dataset.splits]
    return 100 * float(np.mean([fit_probe(*part(train)).score(*part(test)) for train, test in splits]))


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("weights", "Make the demo's trained backbones.")
    parser.add_argument("--jobs", type=int, default=2, help="nets trained at the same time (default: %(default)s)")
    options = parser.parse_args(arguments)
    params, out, made_at = load(options.params), Outputs("weights"), revision()
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), initializer=die_with_parent) as pool:
        jobs = {name: pool.submit(train, params, out, name) for name in NETS}
        trained = {name: job.result() for name, job in jobs.items()}
    FOLDER.mkdir(exist_ok=True)
    for name, (state, _, _) in trained.items():
        save_tensors(FOLDER / f"{name}.safetensors", state, {})
    shutil.copyfile(out.weights / "s3d_words.txt", FOLDER / "s3d_words.txt")
    scores = development(params, out)
    files = [*(f"{name}.safetensors" for name in NETS), "s3d_words.txt"]
    record = {
        "command": f"python -m lib.weights --params {options.params} --jobs {options.jobs}",
        "revision": made_at,
        "machine": processor(),
        "minutes": {name: minutes for name, (_, _, minutes) in trained.items()},
        "seed": {"clips and nets": params.backbone.seed, "narrations": params.mil_nce.seed, "development": 101},
        "settings": {part: getattr(params, part).model_dump() for part in ("backbone", "mil_nce", "i3d", "s3d")},
        "narrations": CORPUS,
        "word_dim": trained["s3d"][0]["text_module.word_embd.weight"].shape[1],
        "development": {"what": "linear probe, % of labelled seconds, mean over five splits of 25 videos", **scores},
        "sha256": {name: sha256(FOLDER / name) for name in files},
        "curves": {part: rows for _, curves, _ in trained.values() for part, rows in curves.items()},
    }
    write_json(FOLDER / "weights.json", record)
    for name, score in scores.items():
        print(f"{score:5.1f} % {name}")
    return 0


def processor() -> str:
    """Model of the processor, as Linux names it, and the number of cores."""
    file = Path("/proc/cpuinfo")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.search(r"model name\s*: (.*)", text)
    return f"{found.group(1) if found else platform.processor() or platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
