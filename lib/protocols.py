"""The two ways of scoring side by side: the thesis's for VideoCLIP, a label a second, and one for all methods, a frame.

Both start from the same prediction files. The thesis scored ASFormer's predictions a frame and VideoCLIP's a second
(2.8, 2.9), by another edit distance; so its chapters cannot be compared but in accuracy, and that only nearly.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from lib.metrics import METRIC_COLUMNS, Convention, Pair, metric_table
from lib.seconds import at_one_fps, raw_edit_distance, second_targets

SECONDS = "thesis, 1 fps"  # the protocol's name in the long table


def score_both(
    pairs: Mapping[str, Pair],
    fps: float,
    uncovered: str,
    *,
    section: str,
    method: str,
    split: int,
    convention: Convention,
    ignore: Iterable[str] = (),
) -> pd.DataFrame:
    """The long table of one method on one split in both protocols.

    Args:
        pairs: video -> (prediction, ground truth), class names of the frames.
        fps: frames a second.
        uncovered: label of a second that no true segment fills: the first class, as in the thesis's code.
        convention, ignore: of the frame protocol, as in `lib.metrics.metric_table`.

    Returns:
        As `metric_table`; the protocol `SECONDS` has the further metric raw_edit (seconds, lower is better).
    """
    about = {"section": section, "method": method, "split": split}
    frames = metric_table(pairs, convention=convention, ignore=ignore, **about)
    seconds = {video: seconds_of(pair, fps, uncovered) for video, pair in pairs.items()}
    table = metric_table(seconds, convention="mstcn", protocol=SECONDS, **about)
    distances = {video: raw_edit_distance([pair]) for video, pair in seconds.items()}
    distances["all"] = raw_edit_distance(seconds.values())
    rows = [(section, method, split, video, SECONDS, "raw_edit", value) for video, value in distances.items()]
    return pd.concat([frames, table, pd.DataFrame(rows, columns=list(METRIC_COLUMNS))], ignore_index=True)


def seconds_of(pair: Pair, fps: float, uncovered: str) -> Pair:
    """Prediction and truth of the frames -> of the seconds, as the thesis compared them."""
    predicted = at_one_fps(pair[0], fps)
    return predicted, second_targets(pair[1], fps, uncovered, len(predicted))


def by_split(metrics: pd.DataFrame, method: str, protocol: str, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of the splits (video "all") in the thesis's units: accuracy and F1 as fractions, edit distance as it is.

    Returns:
        Index split ("1" …, with several the mean below), the columns asked for.
    """
    chosen = metrics.query("method == @method and protocol == @protocol and video == 'all'")
    table = chosen.pivot_table(index="split", columns="metric", values="value")[list(columns)]
    fractions = [name for name in columns if name == "accuracy" or name.startswith("f1@")]
    table[fractions] /= 100
    table.index = table.index.map(str)
    if len(table) > 1:
        table.loc["mean"] = table.mean()
    return table.rename_axis(index="split", columns=None)
