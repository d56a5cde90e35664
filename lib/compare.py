"""Methods of a profile side by side, from nothing but the predictions that they wrote.

    python -m lib.compare --params params/demo.yaml asformer_public asformer_own

Without names: all methods with predictions. A folder of predictions may come from any program, also ASFormer's own.
"""

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from lib.core.command import one_line
from lib.data.predictions import PredictionError
from lib.data.profile import Profile, open_profile
from lib.scoring.folders import cells_of, score_methods
from lib.scoring.metrics import METRICS


def compare(profile: Profile, methods: Sequence[str], step: int = 2) -> pd.DataFrame:
    """Score methods with the profile's convention, all in one way.

    Args:
        methods: folders below predictions/, each with all splits.
        step: see `lib.data.predictions.prediction_pairs`.

    Returns:
        A row per method: the mean over the splits of accuracy, edit, f1@10, f1@25, f1@50, in percent, and the standard
        deviation of the accuracy over the splits.

    Raises:
        PredictionError: a prediction is missing or cannot be used.
    """
    metrics = score_methods(profile, profile.dataset(), cells_of(profile, methods), step=step).query("video == 'all'")
    table = metrics.pivot(index=["method", "split"], columns="metric", values="value")[list(METRICS)]
    by_method = table.groupby("method")
    return by_method.mean().assign(accuracy_sd=by_method["accuracy"].std()).loc[list(methods)]


def predicted(profile: Profile) -> list[str]:
    """Methods that have a folder of predictions for every split."""
    folders = sorted(path for path in (profile.out.root / "predictions").glob("*") if path.is_dir())
    whole = (path.name for path in folders)
    return [
        name
        for name in whole
        if all(profile.out.predictions(name, split).is_dir() for split in profile.params.data.split_numbers)
    ]


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.compare", description="Score methods by their predictions.")
    parser.add_argument("methods", nargs="*", help="folders below predictions/ (default: all)")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    options = parser.parse_args(arguments)
    profile = open_profile(options.params)
    if not (methods := options.methods or predicted(profile)):
        raise PredictionError(f"{profile.out.root / 'predictions'}: no method has predicted all splits; run one first")
    step = max(2, profile.params.asformer.sample_rate)
    print(compare(profile, methods, step).round(1).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
