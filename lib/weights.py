"""Make the demo's trained backbones from nothing: lib/demo/weights/ (`make weights`).

    python -m lib.weights                # render, train, score, write
    python -m lib.weights --jobs 1       # one net after the other; otherwise two at a time, a core each

They learn from clips and narrations with people, foods and dishes that the fifty videos lack, with the settings
`backbone` and `mil_nce` of the profile, and are scored on a development set of another seed. What is finished is kept
in outputs/weights, so a killed run continues.
"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from lib.backbones.i3d import build
from lib.backbones.i3d_features import extract
from lib.backbones.labelled_clips import STREAMS, random_net, train_stream
from lib.backbones.mil_nce import build_s3d, train_s3d
from lib.backbones.probe import fit_probe
from lib.backbones.s3d import Words
from lib.backbones.s3d_features import LAYERS, extract_s3d
from lib.backbones.shipped import FOLDER, packed
from lib.core.checkpoints import save_tensors
from lib.core.command import one_line, profile_parser
from lib.core.files import revision, sha256, write_json, write_text
from lib.core.params import load
from lib.core.paths import Outputs
from lib.core.processes import spread
from lib.core.settings import Params, S3DLayer
from lib.data.dataset import Dataset, open_dataset
from lib.demo.clips import THINGS, VERBS, other_dishes
from lib.demo.narrated import render_narrated
from lib.demo.videos import render

NETS = ("s3d", "i3d_rgb", "i3d_flow")  # the longest training first
CORPUS = {"videos": 1000, "validation": 40}  # narrations
DISHES = 64
DEVELOPMENT = {"seed": 101, "videos_per_person": 1}


def train(params: Params, out: Outputs, name: str) -> tuple[dict[str, torch.Tensor], dict[str, list[dict]], float]:
    """Train one net, or load a finished one: its state for a file, its learning curves, and CPU minutes."""
    torch.set_num_threads(1)
    start, clock = time.process_time(), out.weights / f"{name}_minutes.txt"
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
        write_text(clock, f"{(time.process_time() - start) / 60:.1f}\n")
    curves = {part: history.round(5).to_dict("records") for part, history in histories.items()}
    return packed(net), curves, float(clock.read_text())


def development(params: Params, out: Outputs, states: Mapping[str, dict[str, torch.Tensor]]) -> dict[str, float]:
    """Score nets, as they are shipped, on the development set: name -> percent of labelled seconds (`probe`)."""
    render(params.demo.model_copy(update=DEVELOPMENT), out.data, 1)
    dataset = open_dataset(out.data, None, params.demo.fps)
    most = pd.Series(np.concatenate([dataset.labels(video) for video in dataset.videos])).value_counts(normalize=True)
    sets = [*(i3d_features(params, out, states, dataset)), *(s3d_features(params, out, states["s3d"], dataset))]
    return {"commonest class": round(100 * float(most.iloc[0]), 1)} | {
        name: round(probe(dataset, folder, middle), 1) for name, folder, middle in sets
    }


def i3d_features(
    params: Params, out: Outputs, states: Mapping[str, dict[str, torch.Tensor]], dataset: Dataset
) -> Iterator[tuple[str, Path, bool]]:
    """Extract features of both streams, of RGB read as in the thesis, and of an untrained net: name, folder, dense."""
    rgb, nets = params.i3d.model_copy(update={"channel_order": "rgb"}), {}
    for stream in STREAMS:
        nets[stream] = build(rgb, stream, seed=0, num_classes=len(VERBS) + len(THINGS))
        nets[stream].load_state_dict(states[f"i3d_{stream}"])
    untrained = random_net(params.demo, rgb, params.backbone.seed)
    for name, stream, net, settings in (
        ("i3d_rgb", "rgb", nets["rgb"], rgb),
        ("i3d_rgb read as bgr", "rgb", nets["rgb"], params.i3d),
        ("i3d_rgb untrained", "rgb", untrained, rgb),
        ("i3d_flow", "flow", nets["flow"], rgb),
    ):
        folder = out.data / "features" / name.replace(" ", "_")
        extract([out.data / "videos" / f"{video}.avi" for video in dataset.videos], folder, {stream: net}, settings)
        yield name, folder, True


def s3d_features(
    params: Params, out: Outputs, state: dict[str, torch.Tensor], dataset: Dataset
) -> Iterator[tuple[str, Path, bool]]:
    """Extract S3D's features, both layers: trained, after its start on labelled clips, and untrained."""
    words = Words((out.weights / "s3d_words.txt").read_text(encoding="utf-8").split())
    nets = [build_s3d(params.s3d, words, params.videoclip, params.mil_nce.seed).eval() for _ in range(3)]
    nets[0].load_state_dict(state)
    begun = load_file(out.weights / "s3d_clips" / "weights.safetensors")
    begun = {name.removeprefix("net."): value for name, value in begun.items() if name.startswith("net.")}
    nets[1].load_state_dict(nets[1].state_dict() | begun)
    videos = [out.data / "videos" / f"{video}.avi" for video in dataset.videos]
    for name, net in zip(("s3d", "s3d before MIL-NCE", "s3d untrained"), nets, strict=True):
        parent, prefix = out.data / "features", name.replace(" ", "_")
        folders: dict[S3DLayer, Path] = {layer: parent / f"{prefix}_{layer}" for layer in LAYERS}
        extract_s3d(videos, folders, net, params.s3d, rows=False)
        for layer, folder in folders.items():
            yield f"{name} {layer}", folder, False


def probe(dataset: Dataset, folder: Path, dense: bool) -> float:
    """Fit a linear probe of seconds, by the label in their middle: mean accuracy over the splits, in percent.

    Args:
        folder: <video>.npy, (D, T).
        dense: one feature per frame, of which the middle one of each second is read; otherwise one per second.
    """
    fps = round(dataset.fps)
    labels = {video: dataset.labels(video)[fps // 2 :: fps] for video in dataset.videos}
    chosen = slice(fps // 2, None, fps) if dense else slice(None)
    features = {video: np.load(folder / f"{video}.npy")[:, chosen].T for video in dataset.videos}

    def part(videos: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        rows = [features[video][: len(labels[video])] for video in videos]
        return np.concatenate(rows).astype(np.float32), np.concatenate([labels[video] for video in videos])

    splits = [dataset.split(split) for split in dataset.splits]
    return 100 * float(np.mean([fit_probe(*part(train)).score(*part(test)) for train, test in splits]))


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("weights", "Make the demo's trained backbones.")
    parser.add_argument("--jobs", type=int, default=2, help="nets trained at the same time (default: %(default)s)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # it prints lines about each damaged frame
    params, out, made_at = load(options.params), Outputs("weights"), revision()
    trained = dict(zip(NETS, spread(partial(train, params, out), NETS, options.jobs), strict=True))
    FOLDER.mkdir(exist_ok=True)
    for name, (state, _, _) in trained.items():
        save_tensors(FOLDER / f"{name}.safetensors", state, {})
    shutil.copyfile(out.weights / "s3d_words.txt", FOLDER / "s3d_words.txt")
    scores = development(params, out, {name: state for name, (state, _, _) in trained.items()})
    files = [*(f"{name}.safetensors" for name in NETS), "s3d_words.txt"]
    record = {
        "command": f"python -m lib.weights --params {options.params} --jobs {options.jobs}",
        "revision": made_at,
        "machine": processor(),
        "CPU minutes": {name: minutes for name, (_, _, minutes) in trained.items()},
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
