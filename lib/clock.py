"""How long a set of atoms takes, and how to say it."""

import heapq
from collections.abc import Callable, Collection, Mapping

from lib.chapters import Atom


def in_words(seconds: float) -> str:
    """
    >>> in_words(41.2), in_words(150), in_words(7500)
    ('41 s', '2.5 min', '2 h 5 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.1f} min" if seconds < 10 * 60 else f"{seconds / 60:.0f} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def wall_seconds(
    waiting: Collection[Atom],
    running: Mapping[Atom, float],
    seconds: Mapping[Atom, float],
    needs: Callable[[Atom], Collection[Atom]],
    workers: int,
) -> float:
    """Time until all is done, each worker taking the next atom whose needs are done.

    Args:
        waiting: atoms that have not started, in order.
        running: those that have, and the seconds that each still takes.
        seconds: what those that wait will take.
        needs: what must be done before an atom.

    >>> wall_seconds("abc", {}, {"a": 2, "b": 3, "c": 1}, {"a": "", "b": "", "c": "b"}.get, workers=2)
    4.0
    """
    waiting, now = list(waiting), 0.0
    ends = [(left, atom) for atom, left in running.items()]
    heapq.heapify(ends)
    while waiting or ends:
        undone = {*waiting, *(atom for _, atom in ends)}
        ready = [atom for atom in waiting if not undone & set(needs(atom))]
        for atom in ready[: max(0, workers - len(ends))]:
            waiting.remove(atom)
            heapq.heappush(ends, (now + seconds[atom], atom))
        now, _ = heapq.heappop(ends)
    return now
