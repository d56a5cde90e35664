"""A profile in use: its parameters, folders, splits and data set. Everything that reads or writes takes one.

`lib.notebook.notebook.Notebook` is the profile that can also show figures and tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.core.params import ParameterError, load, outputs_of
from lib.core.paths import ROOT, Outputs, first_folder
from lib.core.settings import Params
from lib.data.dataset import Dataset, Trim, check_classes, check_lengths, open_dataset
from lib.data.predictions import prediction_pairs


@dataclass(frozen=True)
class Profile:
    """Parameters and the folders they apply to."""

    params: Params
    out: Outputs
    file: str = ""  # the parameter file, as the user named it
    split: int | None = None  # the only split of this run; None: all of them
    section: str = ""  # of the thesis, e.g. "2.3.3"; names the rows of metric tables

    @property
    def splits(self) -> tuple[int, ...]:
        """The splits of this run, counted from 1."""
        return self.params.data.split_numbers if self.split is None else (self.split,)

    @property
    def shown_file(self) -> str:
        """The parameter file as pages show it: relative to the project if it lies inside."""
        file = ROOT / self.file
        return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else self.file

    @property
    def repeats(self) -> range:
        """Numbers of each method's trainings: 0 uses the seed of its section, each further one its number as seed."""
        return range(self.params.data.repeats)

    @property
    def root(self) -> Path:
        """Folder of the data set: rendered into the outputs, or the first of `data.roots` that exists.

        Raises ParameterError: none of them exists.
        """
        if self.params.data.source == "demo":
            return self.out.data
        if root := first_folder(self.params.data.roots):
            return root.resolve()
        raise ParameterError(
            f"data.roots: no data set at {' or '.join(self.params.data.roots)}; "
            "`.venv/bin/python -m lib.fetch 50salads` (or 50salads_scores) downloads it or says how to get it"
        )

    @property
    def narrated_root(self) -> Path:
        """Folder of the narrated videos. Raises ParameterError: none of `howto100m.roots` exists."""
        if self.params.data.source == "demo":
            return self.out.narrated
        if root := first_folder(self.params.howto100m.roots):
            return root
        raise ParameterError(
            f"howto100m.roots: nothing at {' or '.join(self.params.howto100m.roots)}; "
            "notebooks/guides/adding.md says what belongs there"
        )

    def dataset(self, features: str | None = None, trim: Trim | None = None) -> Dataset:
        """The data set with a feature set or folder (None: labels only), cut to the labels as `trim` says.

        Raises DatasetError: the data set cannot be used, or not with this profile.
        """
        data = self.params.data
        dataset = open_dataset(self.root, features, data.fps, trim, data.splits)
        check_classes(data.ignore, dataset.classes, "data.ignore")
        # a notebook that does not train ASFormer has no such section
        if features is not None and (asformer := getattr(self.params, "asformer", None)):
            check_lengths(dataset, asformer.sample_rate)
        return dataset

    def public_dataset(self, split: int = 1) -> Dataset:
        """The data set with its public features, those of the split if each split has its own.

        The demo's are cut to the labels; released ones must have the labels' length.

        Raises DatasetError: the data set cannot be used, or not with this profile.
        """
        sets, data = self.public_sets, self.params.data
        return self.dataset(sets[min(split, len(sets)) - 1], "end" if data.source == "demo" else None)

    @property
    def public_sets(self) -> tuple[str, ...]:
        """Folders in features/: one, or one per split where the feature net was trained on each split."""
        name = self.params.data.public_features or "."
        return tuple(dict.fromkeys(name.replace("{split}", str(split)) for split in self.params.data.split_numbers))

    @property
    def own_features(self) -> str:
        """Folder of the features that 2.3.2 extracts: among the outputs, even if the videos are user-supplied."""
        return str(self.out.data / "features" / str(self.params.data.own_features))

    def real_labels(self) -> Dataset | None:
        """The real 50 Salads annotations (30 fps); None if they are not on this machine.

        Raises DatasetError: they cannot be used.
        """
        root = first_folder(self.params.data.real_labels)
        return None if root is None else open_dataset(root, None, 30.0)

    def real_predictions(self) -> dict[int, dict[str, tuple[list[str], list[str]]]] | None:
        """A real model's predictions of test videos and the truth (30 fps): split -> name -> (prediction, truth).

        None if either is not on this machine.

        Raises:
            DatasetError: the annotations cannot be used.
            PredictionError: a prediction is missing or cannot be used.
        """
        labels, root = self.real_labels(), first_folder(self.params.data.real_predictions)
        if labels is None or root is None:
            return None
        folders = {int(folder.name.removeprefix("split_")): folder for folder in root.glob("split_[1-9]*")}
        return {split: prediction_pairs(folders[split], labels, labels.split(split)[1]) for split in sorted(folders)}


def open_profile(file: str | Path, overrides: Sequence[str] = ()) -> Profile:
    """Open the profile of a parameter file. Raises ParameterError: the file, a key or a value cannot be used."""
    return Profile(load(file, overrides), outputs_of(file), str(file))
