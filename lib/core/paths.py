"""The one place for paths. Everything made lies below outputs/<profile>/."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "lib" / "site" / "web"  # styles and scripts of the site


def first_folder(candidates: Iterable[str]) -> Path | None:
    """The first folder that exists, of candidates relative to the project; None if there is none."""
    return next((ROOT / folder for folder in candidates if (ROOT / folder).is_dir()), None)


@dataclass
class Outputs:
    """Folders of one profile, e.g. `Outputs("demo").tables`."""

    profile: str

    def __post_init__(self) -> None:
        self.root = ROOT / "outputs" / self.profile
        self.owner = self.root / ".profile"  # names the parameter file whose results these are
        self.data = self.root / "data"  # the demo's data set, in the MS-TCN layout
        self.narrated = self.root / "narrated"  # its narrated videos, in HowTo100M's
        self.packed = self.root / "packed"  # narrations as training reads them: <feature set>/<train or val>
        self.weights = self.root / "weights"
        self.tables = self.root / "tables"
        self.figures = self.root / "figures"
        self.metrics = self.root / "metrics"
        self.thumbnails = self.root / "thumbnails"  # small frames of each video, for the site's timeline explorer
        self.notebooks = self.root / "notebooks"  # executed ones and their manifests: <name>/<split>.ipynb, .json
        self.logs = self.root / "logs"  # what atoms print while `make report` runs them: <name>/<split>.log
        self.report = self.root / "report"

    def run(self, method: str, split: int, seed: int | None = None) -> Path:
        """Folder of one training's checkpoint and history, e.g. runs/asformer_own/split_3."""
        return self.root / "runs" / method / _part(split, seed)

    def predictions(self, method: str, split: int, seed: int | None = None) -> Path:
        """Folder of predictions: one text file per test video, in the form of MS-TCN and ASFormer."""
        return self.root / "predictions" / method / _part(split, seed)


def _part(split: int, seed: int | None) -> str:
    return f"split_{split}" if seed is None else f"split_{split}_seed_{seed}"
