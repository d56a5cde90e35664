"""The one place for paths. Everything made lies below outputs/<profile>/."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "lib" / "site" / "web"  # styles and scripts of the site


def first_folder(candidates: Iterable[str]) -> Path | None:
    """The first of these folders, named relative to the project, that exists."""
    return next((ROOT / folder for folder in candidates if (ROOT / folder).is_dir()), None)


@dataclass(frozen=True)
class Outputs:
    """Folders of one profile, e.g. `Outputs("demo").tables`."""

    profile: str

    @property
    def root(self) -> Path:
        return ROOT / "outputs" / self.profile

    @property
    def owner(self) -> Path:
        """Names the parameter file whose results these are."""
        return self.root / ".profile"

    @property
    def data(self) -> Path:
        """The demo's data set, in the MS-TCN layout."""
        return self.root / "data"

    @property
    def narrated(self) -> Path:
        """The demo's narrated videos, in HowTo100M's layout."""
        return self.root / "narrated"

    @property
    def packed(self) -> Path:
        """Narrated features and captions as training reads them: packed/<feature set>/<train or val>."""
        return self.root / "packed"

    @property
    def weights(self) -> Path:
        return self.root / "weights"

    @property
    def tables(self) -> Path:
        return self.root / "tables"

    @property
    def figures(self) -> Path:
        return self.root / "figures"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics"

    @property
    def thumbnails(self) -> Path:
        """Small frames of each video, for the site's timeline explorer."""
        return self.root / "thumbnails"

    @property
    def notebooks(self) -> Path:
        """Executed notebooks and their manifests: notebooks/<name>/<split>.ipynb, .json."""
        return self.root / "notebooks"

    @property
    def logs(self) -> Path:
        """What atoms write while `make report` runs them: logs/<name>/<split>.log."""
        return self.root / "logs"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def run(self, method: str, split: int, seed: int | None = None) -> Path:
        """Checkpoint and history of one training, e.g. runs/asformer_own/split_3."""
        return self.root / "runs" / method / _part(split, seed)

    def predictions(self, method: str, split: int, seed: int | None = None) -> Path:
        """A text file a test video, in the form of ms-tcn and ASFormer."""
        return self.root / "predictions" / method / _part(split, seed)


def _part(split: int, seed: int | None) -> str:
    return f"split_{split}" if seed is None else f"split_{split}_seed_{seed}"
