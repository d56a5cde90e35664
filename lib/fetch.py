"""Fetch the public data sets into data/:

    python -m lib.fetch 50salads_scores                  # download 3 MB, check, convert into data/50salads_scores
    python -m lib.fetch 50salads_scores --from FOLDER    # the same from raw files that are present already
    python -m lib.fetch 50salads_sensors                 # the same for video features and accelerometers, 210 MB;
                                                         # a copy in ../shared/data is used in place of a download
    python -m lib.fetch 50salads                         # check data/50salads, or say where to get its 30 GB
    python -m lib.fetch 50salads_labels                  # the same for its labels and splits alone (chapters 2.1, 4.1)
    python -m lib.fetch mstcn_i3d_predictions            # a real model's predictions of all its videos, 8 MB (4.1)
    python -m lib.fetch howto100m_captions               # captions of 100 videos, 0.4 MB (2.1)
    python -m lib.fetch howto100m_lists --from HowTo100M_v1.csv      # train.lst and val.lst of data/howto100m

Exit code 0: the data set is in place and sound. 1: it is not, and one line says why. 2: the call is wrong.
"""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pooch

from lib.batch.sources import tables
from lib.core.command import one_line
from lib.core.files import sha256
from lib.core.paths import ROOT
from lib.data import sensors, svm_scores
from lib.data.dataset import Dataset, DatasetError, check_features, open_dataset
from lib.data.narrated import split_lists
from lib.data.sensors import CHANNELS

DATA = ROOT / "data"
FILES: dict[str, tuple[str, str]] = tables()["downloads"]  # address and SHA-256
PUBLISHED: dict[str, str] = tables()["published"]  # address of a folder; the checksums are in params/<name>.sha256
SPATIAL_CNN = tables()["spatial_cnn"]  # address of its folder; the checksums are in params/50salads_sensors.sha256
COPY = ROOT.parent / "shared" / "data" / "50salads_spatialcnn"
RAW = ("50salads_scores", "50salads_sensors", "howto100m_lists")  # made from raw files
INSTRUCTIONS: dict[str, str] = tables()["instructions"]


@partial(one_line, code=1)
def main(arguments: list[str] | None = None, data: Path = DATA) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.fetch", description="Fetch or check a public data set.")
    parser.add_argument("dataset", choices=(*RAW, *PUBLISHED, *INSTRUCTIONS))
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="raw files of 50salads_scores or 50salads_sensors, or HowTo100M_v1.csv",
    )
    options = parser.parse_args(arguments)
    folder = data / options.dataset.removesuffix("_labels").removesuffix("_lists")
    if options.source and options.dataset not in RAW:
        parser.error(f"--from is for {', '.join(RAW)}")
    if options.dataset == "howto100m_lists":
        if options.source is None:
            parser.error("howto100m_lists needs --from HowTo100M_v1.csv")
        train, validation = split_lists(options.source, folder)
        found = f"{train:,} videos in train.lst, {validation:,} in val.lst"
    elif options.dataset == "50salads_scores":
        found = described(fetch_scores(folder, options.source))
    elif options.dataset == "50salads_sensors":
        found = described(fetch_sensors(folder, options.source)) + f", {CHANNELS} of sensors"
    elif options.dataset in PUBLISHED:
        files = _summed(options.dataset, PUBLISHED[options.dataset])
        _download(folder, files)
        found = f"{len(files)} files"
    elif folder.exists():
        found = check_50salads(options.dataset, folder)
    else:
        instructions = INSTRUCTIONS[options.dataset].format(folder=folder, root=data.parent)
        print(f"{folder}: missing\n\n{instructions}", end="", file=sys.stderr)
        return 1
    print(f"{folder}: {found}, all checks passed")
    return 0


def check_50salads(name: str, root: Path) -> str:
    """Read everything that was fetched by hand, and describe it. Raises DatasetError: something cannot be used."""
    dataset = open_dataset(root, features="." if name == "50salads" else None, fps=30)
    if name == "50salads":
        check_features(dataset)
    return described(dataset)


def described(dataset: Dataset) -> str:
    """Describe the size of a data set in words."""
    frames = sum(len(dataset.labels(video)) for video in dataset.videos)
    channels = f", {dataset.feature_dim} channels" if dataset.feature_dim else ""
    return f"{len(dataset.videos)} videos, {frames} frames{channels}"


def fetch_scores(folder: Path, source: Path | None = None) -> Dataset:
    """Make the data set 50salads_scores in a folder; what is downloaded is kept beside it, in 50salads_scores_raw.

    Raises:
        DatasetError: a raw file is missing or not the published one.
        OSError: a download failed.
    """
    svm_scores.convert(_raw_files(folder, source, FILES), folder)
    dataset = open_dataset(folder, features=".", fps=1)
    check_features(dataset)
    return dataset


def fetch_sensors(folder: Path, source: Path | None = None) -> Dataset:
    """Make 50salads_sensors as `fetch_scores` does, or link to the copy in ../shared/data; opens the last split."""
    if source is None and COPY.is_dir():
        sensors.link(COPY, folder)
    else:
        sensors.convert(_raw_files(folder, source, _sensor_files()), folder)
    for k in svm_scores.SPLITS:
        dataset = open_dataset(folder, features=f"split_{k}", fps=3)
        check_features(dataset)
    sensors.read_sensors(dataset)
    return dataset


def _sensor_files() -> dict[str, tuple[str, str]]:
    """Address and SHA-256 of the 250 files, and of the splits and class names of the scores."""
    texts = {name: file for name, file in FILES.items() if name.endswith(".txt")}
    return _summed("50salads_sensors", SPATIAL_CNN) | texts


def _summed(name: str, address: str) -> dict[str, tuple[str, str]]:
    """Address and SHA-256 of the files in a published folder, as params/<name>.sha256 lists them."""
    sums = (ROOT / "params" / f"{name}.sha256").read_text(encoding="utf-8").splitlines()
    return {file: (f"{address}/{file}", digest) for file, digest in map(str.split, sums)}


def _raw_files(folder: Path, source: Path | None, files: Mapping[str, tuple[str, str]]) -> Path:
    """Folder of the published files: the given one if its files are sound, or a download beside the data set."""
    raw = source or folder.with_name(f"{folder.name}_raw")
    (_download if source is None else _verify)(raw, files)
    return raw


def _download(raw: Path, files: Mapping[str, tuple[str, str]]) -> None:
    for name, (url, digest) in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            pooch.retrieve(url, digest, fname=name, path=raw)
        except OSError as error:
            hint = f"not downloaded ({type(error).__name__}); without a network, copy it to {raw / name}"
            raise OSError(f"{url}: {hint}") from error


def _verify(raw: Path, files: Mapping[str, tuple[str, str]]) -> None:
    for name, (url, expected) in files.items():
        if not (raw / name).is_file():
            raise DatasetError(f"{raw / name}: missing; it is published at {url}")
        if sha256(raw / name) != expected:
            raise DatasetError(f"{raw / name}: not the published file (SHA-256 differs); get it from {url}")


if __name__ == "__main__":
    sys.exit(main())
