"""The one place for paths. Everything made lies below outputs/<profile>/."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "lib" / "site" / "web"  # styles and scripts of the site


def first_folder(candidates: Iterable[str]) -> Path | None:
    """The first of these folders, named relative to the project, that exists."""
    return next((ROOT / folder for folder in candidates if (ROOT / folder).is_dir()), None)


@dataclass
class Outputs:
    """Folders of one profile, e.g. `Outputs("demo").tables`."""

    profile: str

    def __post_init__(self) -> None:
        self.root = ROOT / "outputs" / self.profile
        # a file that names the parameter file whose results these are
        self.owner = self.root / ".profile"
        # the demo's data set, in the MS-TCN layout, and its narrated videos, in HowTo100M's
        self.data = self.root / "data"
        self.narrated = self.root / "narrated"
        # narrated features and captions as training reads them: packed/<feature set>/<train or val>
        self.packed = self.root / "packed"
        self.weights = self.root / "weights"
        self.tables = self.root / "tables"
        self.figures = self.root / "figures"
        self.metrics = self.root / "metrics"
        # small frames of each video, for the site's timeline explorer
        self.thumbnails = self.root / "thumbnails"
        # executed notebooks and their manifests: notebooks/<name>/<split>.ipynb, .json
        self.notebooks = self.root / "notebooks"
        # what atoms print while `make report` runs them: logs/<name>/<split>.log
        self.logs = self.root / "logs"
        self.report = self.root / "report"

    def run(self, method: str, split: int, seed: int | None = None) -> Path:
        """Checkpoint and history of one training, e.g. runs/asformer_own/split_3."""
        return self.root / "runs" / method / _part(split, seed)

    def predictions(self, method: str, split: int, seed: int | None = None) -> Path:
        """One text file per test video, in the form of ms-tcn and ASFormer."""
        return self.root / "predictions" / method / _part(split, seed)


def _part(split: int, seed: int | None) -> str:
    return f"split_{split}" if seed is None else f"split_{split}_seed_{seed}"
