"""Compare methods of a profile by their predictions alone.

    python -m lib.compare --params params/demo.yaml asformer_public asformer_own

Without names, all methods with predictions are compared. Any program may have written these, such as ASFormer's own.
"""

import sys
from collections.abc import Sequence

import pandas as pd

from lib.core.command import one_line, profile_parser
from lib.data.predictions import PredictionError
from lib.data.profile import Profile, open_profile
from lib.scoring.folders import cells_of, has_predicted, score_methods
from lib.scoring.metrics import METRICS


def compare(profile: Profile, methods: Sequence[str], step: int = 2) -> pd.DataFrame:
    """Score methods, all with the profile's convention.

    Returns one row per method: the mean over the splits of accuracy, edit, f1@10, f1@25, f1@50, in percent, and the
    standard deviation of the accuracy over the splits.

    Raises PredictionError: a prediction is missing or cannot be used.
    """
    metrics = score_methods(profile, profile.dataset(), cells_of(profile, methods), step=step).query("video == 'all'")
    table = metrics.pivot_table(index=["method", "split"], columns="metric", values="value")[list(METRICS)]
    by_method = table.groupby("method")
    return by_method.mean().assign(accuracy_sd=by_method["accuracy"].std()).loc[list(methods)]


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("compare", "Score methods by their predictions.")
    parser.add_argument("methods", nargs="*", help="folders below predictions/ (default: all)")
    options = parser.parse_args(arguments)
    profile = open_profile(options.params)
    folders = sorted((profile.out.root / "predictions").glob("*"))
    methods = options.methods or [folder.name for folder in folders if has_predicted(profile, folder.name)]
    if not methods:
        raise PredictionError(f"{profile.out.root / 'predictions'}: no method has predicted all splits; run one first")
    step = max(2, profile.params.asformer.sample_rate)
    print(compare(profile, methods, step).round(1).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
