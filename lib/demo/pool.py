"""Rendering on several processors: a picture is small, so one thread a process."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import cv2

from lib.processes import die_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    """`map(function, items)` over so many processes, in order; in this process where one is enough."""
    if workers == 1 or len(items) < 2:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")  # a notebook's process has threads, which fork does not survive
    with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
        yield from pool.map(function, items)


def _start() -> None:
    die_with_parent()
    cv2.setNumThreads(1)
