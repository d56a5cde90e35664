"""Progress that a person can read: stage, count and time left, one line every ten seconds (the notebook keeps them)."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def track(items: Iterable[Item], stage: str, total: int | None = None, initial: int = 0) -> Iterator[Item]:
    """Yield the items, reporting to stderr: `2_3_3_baseline split 3: epoch 17/60, 00:41 left`.

    Args:
        items: what to go through.
        stage: what an item is, e.g. "epoch".
        total: how many there are, where `items` has no length.
        initial: items done before (a resumed run).
    """
    where = os.environ.get("REPORT_ATOM", "")  # set by lib.run: notebook and split
    yield from tqdm(
        items,
        desc=f"{where}: {stage}" if where else stage,
        total=total,
        initial=initial,
        mininterval=10,
        maxinterval=10,
        file=sys.stderr,
        bar_format="{desc} {n_fmt}/{total_fmt}, {elapsed} gone, {remaining} left{postfix}\n",
        dynamic_ncols=False,
        leave=True,
    )
