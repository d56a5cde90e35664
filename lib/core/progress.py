"""Progress in lines that a notebook keeps: stage, count and time left, once every ten seconds."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def track(items: Iterable[Item], stage: str, total: int | None = None, initial: int = 0) -> Iterator[Item]:
    """Yield the items and report to stderr, e.g. `2_3_3_baseline split 3: epoch 17/60, 00:16 gone, 00:41 left`.

    Args:
        items: what to go through.
        stage: what an item is, e.g. "epoch".
        total: how many there are, where `items` has no length.
        initial: items done before (a resumed run).
    """
    # notebook and split, set by lib.run; `make report` has a log for each, which it shows under that name
    where = "" if "REPORT_SCHEDULED" in os.environ else os.environ.get("REPORT_ATOM", "")
    yield from tqdm(
        items,
        desc=f"{where}: {stage}" if where else stage,
        total=total,
        initial=initial,
        mininterval=10,
        maxinterval=10,
        # silent where all is done by then
        delay=5,
        file=sys.stderr,
        bar_format="{desc} {n_fmt}/{total_fmt}, {elapsed} gone, {remaining} left{postfix}\n",
        dynamic_ncols=False,
        leave=True,
    )
