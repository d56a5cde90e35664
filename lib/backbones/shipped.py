"""The demo's trained backbones, which ship with the project as the thesis's came from Kinetics and HowTo100M.

lib/demo/weights/ holds the nets (safetensors), S3D's words, and weights.json: for each net the command, seed, revision,
machine, minutes, learning curve and scores on a development set. `make weights` (lib/weights.py) makes all of it.
"""

from pathlib import Path

import pandas as pd
from torch import Tensor, nn

from lib.backbones.i3d import I3DResNet, build
from lib.backbones.s3d import S3D, Words
from lib.core.checkpoints import WeightsError, load_strictly
from lib.core.files import read_json, sha256
from lib.core.paths import ROOT
from lib.core.settings import I3D, S3DFeatures
from lib.demo.clips import THINGS, VERBS

SHIPPED = "shipped"  # the value of i3d.weights and s3d.weights that names them
FOLDER = ROOT / "lib" / "demo" / "weights"
REMEDY = "`git checkout lib/demo/weights` restores it, `make weights` makes it anew"


def record(folder: Path = FOLDER) -> dict:
    """Read weights.json. Raises WeightsError: it is missing."""
    file = folder / "weights.json"
    if not file.is_file():
        raise WeightsError(f"{file}: no such file; {REMEDY}")
    return read_json(file)


def shipped_file(name: str, folder: Path = FOLDER) -> Path:
    """Path of a file in the folder, after a comparison with weights.json.

    Raises WeightsError: it is missing, or is not the file that weights.json describes.
    """
    file = folder / name
    if not file.is_file():
        raise WeightsError(f"{file}: no such file of weights; {REMEDY}")
    if sha256(file) != record(folder)["sha256"].get(name):
        raise WeightsError(f"{file}: not the file that weights.json describes; {REMEDY}")
    return file


def shipped_i3d(settings: I3D, stream: str) -> I3DResNet:
    """Load one stream, "rgb" or "flow", in evaluation mode.

    Raises WeightsError: the file is missing, changed, or of another net than the settings describe.
    """
    net = build(settings, stream, seed=0, num_classes=len(VERBS) + len(THINGS))
    load_strictly(net, shipped_file(f"i3d_{stream}.safetensors"), None, REMEDY)
    return net.eval()


def shipped_s3d(settings: S3DFeatures) -> tuple[S3D, Words]:
    """Load S3D, in evaluation mode, and its vocabulary.

    Raises WeightsError: a file is missing, changed, or of another net than the settings describe.
    """
    words = Words(shipped_file("s3d_words.txt").read_text(encoding="utf-8").split())
    net = S3D(settings.embedding_dim, settings.width, len(words) + 1, record()["word_dim"], settings.text_hidden)
    load_strictly(net, shipped_file("s3d.safetensors"), None, REMEDY)
    return net.eval(), words


def curve(name: str) -> pd.DataFrame:
    """The learning curve of a net: i3d_rgb, i3d_flow, s3d_clips (S3D's start) or s3d (MIL-NCE)."""
    return pd.DataFrame(record()["curves"][name])


def packed(net: nn.Module) -> dict[str, Tensor]:
    """State of a net for a file: weights in float16, statistics of batch norms as they are (they span decades)."""
    parameters = {name for name, _ in net.named_parameters()}
    return {
        name: (value.half() if name in parameters else value).contiguous() for name, value in net.state_dict().items()
    }
