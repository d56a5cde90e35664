"""Bring the public data sets into data/:

    python -m lib.fetch 50salads_scores                  # download 3 MB, check, convert into data/50salads_scores
    python -m lib.fetch 50salads_scores --from FOLDER    # the same from raw files that are there already
    python -m lib.fetch 50salads                         # check data/50salads, or say where its 30 GB are to be had
    python -m lib.fetch 50salads_labels                  # the same for its labels and splits alone (chapters 2.1, 4.1)
    python -m lib.fetch 50salads_predictions             # the same for a real model's predictions (chapter 4.1)

Exit code 0: the data set is in its place and sound. 1: it is not, and one line says why. 2: the call is wrong.
"""

import argparse
import sys
from pathlib import Path

import pooch

from lib.core.files import sha256
from lib.core.paths import ROOT
from lib.data.dataset import Dataset, DatasetError, check_features, open_dataset
from lib.data.predictions import prediction_pairs
from lib.data.sources import MSTCN_ARCHIVE
from lib.data.svm_scores import SPLITS, convert

DATA = ROOT / "data"
TCN = "https://raw.githubusercontent.com/colincsl/TemporalConvolutionalNetworks"  # MIT licence
SCORES_AT = f"{TCN}/cccdf868ed4c7a56745b41d30fd9f1dc637eb3f3"
ACTIONS_AT = f"{TCN}/14983b6d80165f5f02cd5e6f7835dcd45564b78c/code/50Salads/labels"

SHA256 = {
    "Split_1.mat": "4e5dcf178d93a222ee5164f5844b3232f110d42dc55053f6e287a7710f00b46e",
    "Split_2.mat": "cadd570e41d6ebba68e7c78d0cfc424fddd5f2bf69cbc11ca5ba5b2d4f0c1856",
    "Split_3.mat": "97dda448095de35fc073c5780305199f28a1f417cf47a6fce5c54f1c8ecaf903",
    "Split_4.mat": "825a4717fd352d9d2644cbe574235e63bb5dbeea47da3c2a51d44c0bff3eee79",
    "Split_5.mat": "d0b219c550ac1eb63b34b7f54dcf1ce149728e1eabb1498858864eb42fdf5e18",
    "splits/Split_1/test.txt": "8e736fa74062c06959657b35443394881305aa0b3ee911e7f416aaf5541bd9d5",
    "splits/Split_2/test.txt": "8ac25de962a2adbe44f54d066b3115cd919e1d1d633448da8ff3419aad4870b6",
    "splits/Split_3/test.txt": "975b831bd30968f29adcb52c6de6df0d65b8005faa3453f087c305ae5be79893",
    "splits/Split_4/test.txt": "fc33da4108521e911a7fae342c2f74b4358fade58001485800b68cd9e9543e93",
    "splits/Split_5/test.txt": "975c9f053f95a9f99823c5223f9613e3f8e2a1e5257244434ec79f3d333fb2d6",
    "mid_level_actions.txt": "fa171c87300f1e870018e54d423ac4f4499dc05aef87045655a4ffc1bfa84f38",
}

URLS = {
    **{f"Split_{k}.mat": f"{SCORES_AT}/predictions/50Salads/mid/mid_video_SVM/Split_{k}.mat" for k in SPLITS},
    **{f"splits/Split_{k}/test.txt": f"{SCORES_AT}/splits/50Salads/Split_{k}/test.txt" for k in SPLITS},
    "mid_level_actions.txt": f"{ACTIONS_AT}/mid_level_actions.txt",
}

WHERE = {
    "50salads": f"""\
50 Salads (Stein and McKenna, UbiComp 2013, CC BY-NC-SA 4.0): labels, splits and I3D features as released with MS-TCN.
  from:    {MSTCN_ARCHIVE} (30 GB with Breakfast and GTEA; 50 Salads is 4.7 GB of it)
  into:    {{folder}}: mapping.txt, groundTruth/, splits/, features/*.npy
  how:     cd {{root}}
           curl --location --continue-at - --output data.zip {MSTCN_ARCHIVE}
           unzip data.zip 'data/50salads/*'
  videos:  {{folder}}/videos/rgb-01-1.avi ... rgb-27-2.avi, from the data set's authors; chapter 2.3.2 reads them""",
    "50salads_labels": f"""\
50 Salads (Stein and McKenna, UbiComp 2013, CC BY-NC-SA 4.0): labels and splits as released with MS-TCN.
  from:    {MSTCN_ARCHIVE} (30 GB, of which the labels are a few MB)
  into:    {{folder}}: mapping.txt, groundTruth/, splits/
  how:     cd {{root}}
           curl --location --continue-at - --output data.zip {MSTCN_ARCHIVE}
           unzip data.zip data/50salads/mapping.txt 'data/50salads/groundTruth/*' 'data/50salads/splits/*'""",
    "50salads_predictions": """\
What an MS-TCN predicted for the ten test videos of split 1 of 50 Salads, a label a frame.
  from:    https://github.com/Epzq/Transformer, folder 50salads/MSTCN, commit 2d0ebea735821d9f0ed06ff665f46bcbdf679424
           (no licence is given there, so this command does not download them)
  into:    {folder}: rgb-01-1.txt ... rgb-05-2.txt
  or:      another model's predictions of these videos, in the form of MS-TCN's code (lib/data/predictions.py)""",
}


def main(arguments: list[str] | None = None, data: Path = DATA) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.fetch", description="Bring a public data set.")
    parser.add_argument("dataset", choices=("50salads_scores", *WHERE))
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="raw files of 50salads_scores")
    options = parser.parse_args(arguments)
    folder = data / options.dataset.removesuffix("_labels")
    if options.source and options.dataset != "50salads_scores":
        parser.error("--from is for 50salads_scores")
    try:
        if options.dataset == "50salads_scores":
            found = described(fetch_scores(folder, options.source))
        elif folder.exists():
            found = check_50salads(options.dataset, folder, data / "50salads")
        else:
            where = WHERE[options.dataset].format(folder=folder, root=data.parent)
            print(f"{folder}: not there\n\n{where}", file=sys.stderr)
            return 1
    except (OSError, ValueError) as error:  # no network, no room on the disk, a wrong checksum, a fault in the data
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(f"{folder}: {found}, all sound")
    return 0


def check_50salads(name: str, folder: Path, root: Path) -> str:
    """Read all that was brought by hand.

    Args:
        name: "50salads", "50salads_labels" or "50salads_predictions".
        folder: of it.
        root: of the labels, with which predictions are compared.

    Returns:
        What is there, in words.

    Raises:
        DatasetError, PredictionError: the first fault.
    """
    dataset = open_dataset(root, features="." if name == "50salads" else None, fps=30)
    if name == "50salads_predictions":
        return f"predictions of {len(prediction_pairs(folder, dataset, dataset.split(1)[1]))} videos"
    if name == "50salads":
        check_features(dataset)
    return described(dataset)


def described(dataset: Dataset) -> str:
    """Its size in words."""
    frames = sum(len(dataset.labels(video)) for video in dataset.videos)
    channels = f", {dataset.feature_dim} channels" if dataset.feature_dim else ""
    return f"{len(dataset.videos)} videos, {frames} frames{channels}"


def fetch_scores(folder: Path, source: Path | None = None) -> Dataset:
    """Make the data set 50salads_scores.

    Args:
        folder: of the data set; what is downloaded is kept beside it, in 50salads_scores_raw.
        source: folder of raw files to use in place of a download.

    Raises:
        DatasetError: a raw file is missing or not the published one.
        OSError: a download failed.
    """
    raw = source or folder.with_name(f"{folder.name}_raw")
    if source is None:
        _download(raw)
    else:
        _verify(raw)
    convert(raw, folder)
    dataset = open_dataset(folder, features=".", fps=1)
    check_features(dataset)
    return dataset


def _download(raw: Path) -> None:
    files = pooch.create(path=raw, base_url="", registry=SHA256, urls=URLS)
    for name, url in URLS.items():
        try:
            files.fetch(name)
        except OSError as error:
            hint = f"not downloaded ({type(error).__name__}); without a network, bring the raw files and use --from"
            raise OSError(f"{url}: {hint}") from error


def _verify(raw: Path) -> None:
    for name, expected in SHA256.items():
        if not (raw / name).is_file():
            raise DatasetError(f"{raw / name}: missing; it is published at {URLS[name]}")
        if sha256(raw / name) != expected:
            raise DatasetError(f"{raw / name}: not the published file (SHA-256 differs); get it from {URLS[name]}")


if __name__ == "__main__":
    sys.exit(main())
