"""Published numbers to compare with, from params/published.yaml: the thesis's Tables 1–10, curves and lists."""

from functools import cache
from io import StringIO

import pandas as pd
import yaml

from lib.core.paths import ROOT

SPLITS = (1, 2, 3, 4, 5)  # of 50 Salads, in the thesis; a profile's own: data.splits

METHOD_TABLES = {  # the thesis's methods, by their names in Table 10 -> the table of each
    "asformer_authors_features": 1,
    "baseline": 3,
    "videoclip_own_zero_shot": 4,
    "videoclip_public_zero_shot": 5,
    "videoclip_own_8_epochs": 6,
    "videoclip_own_15_epochs": 7,
    "videoclip_public_8_epochs": 8,
    "videoclip_public_15_epochs": 9,
}


def published_table(name: int | str, printed: bool = False) -> pd.DataFrame:
    """Read a published table.

    Args:
        name: number of the thesis's table, or another entry of `tables` such as "asformer_paper".
        printed: give the cells as they are printed (strings, "-" where empty), not as numbers.

    Returns:
        A row per split (1 … 5, "mean"), trimming or method, a column per metric; accuracy and F1 as fractions in the
        thesis's tables. Title and place are in `attrs`.

    Raises ValueError: no such table.

    >>> published_table(3).loc["mean", "accuracy"]
    np.float64(0.793)
    >>> published_table(1, printed=True).loc[1, "f1@50"]
    '0.700'
    """
    return _frame("tables", name, printed)


def published_curve(name: str = "baseline") -> pd.DataFrame:
    """Read a published training curve: a row per epoch, a column per split; title and place in `attrs`.

    Raises ValueError: no such curve.

    >>> published_curve().loc[120, 3]
    np.float64(0.832)
    """
    return _frame("curves", name, printed=False)


def published_list(name: str) -> list:
    """Read a list from the thesis or its code, such as the damaged videos. Raises ValueError: no such list.

    >>> published_list("damaged_videos")
    ['rgb-14-1', 'rgb-18-1']
    """
    return _entry("lists", name)["items"]


@cache
def _entries() -> dict[str, dict]:
    return yaml.safe_load((ROOT / "params" / "published.yaml").read_text(encoding="utf-8"))


def _entry(kind: str, name: int | str) -> dict:
    entries = _entries()[kind]
    if name not in entries:
        raise ValueError(f"params/published.yaml: {kind} has no {name!r}; it has {', '.join(map(str, entries))}")
    return entries[name]


def _frame(kind: str, name: int | str, printed: bool) -> pd.DataFrame:
    entry = _entry(kind, name)
    if len({len(row.split()) for row in entry["rows"].splitlines()}) != 1:
        raise ValueError(f"params/published.yaml: {kind} {name!r}: its rows differ in their number of cells")
    table = pd.read_csv(StringIO(entry["rows"]), sep=r"\s+", index_col=0, dtype=str, keep_default_na=False)
    table = table.rename(index=_number, columns=_number)
    if not printed:
        table = table.replace("-", "nan").astype(float)
    table.attrs = {"title": entry["title"], "place": entry["place"]}
    return table


def _number(name: str) -> int | str:
    return int(name) if name.isdecimal() else name
