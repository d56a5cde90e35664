"""The plan of a report: the state of each atom, why it will run, and how long that took last time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.batch.failures import behind, failures, short
from lib.batch.freshness import read_by, read_manifest, reason
from lib.core.chapters import TITLES, Atom, atoms
from lib.data.profile import Profile


@dataclass(frozen=True)
class Planned:
    """An atom in the plan."""

    atom: Atom
    state: str  # "not run", "fresh", "stale" or "failed"
    reason: str  # why it will run; empty where it is fresh
    seconds: float | None  # how long it took last time; None if that is not known

    @property
    def runs(self) -> bool:
        return self.state != "fresh"


def plan(profile: Profile) -> list[Planned]:
    """Compare what each atom read with what it would read now.

    `profile`: its `notebooks` are the chapters that can run on this machine.
    """
    now = {name: read_by(name, profile) for name in profile.params.notebooks}
    failed = {failure.atom: failure.error for failure in failures(profile)}
    stands_on, steps = behind(profile.params), []
    for atom in atoms(profile.params):
        kept = read_manifest(profile.out, atom)
        before = {other: now[other[0]]["made_by"] for other in sorted(stands_on(atom) - {atom})}
        why = f"failed: {failed[atom]}" if atom in failed else reason(kept, now[atom[0]], before)
        state = "failed" if atom in failed else "not run" if kept is None else "stale" if why else "fresh"
        steps.append(Planned(atom, state, why, kept["seconds"] if kept else None))
    return steps


def plan_lines(steps: Sequence[Planned], cores: int | None) -> Iterator[str]:
    """Yield the lines of the plan, atoms by name. `cores`: atoms that run at a time; None if a cluster decides that."""
    running = [step for step in steps if step.runs]
    for step in running:
        about = f" ({duration(step.seconds)})" if step.seconds else ""
        yield f"  to run: {named(step.atom)}{about}: {step.reason}"
    if fresh := [short(step.atom) for step in steps if not step.runs]:
        yield f"  fresh: {'; '.join(fresh)}"
    known = [step.seconds for step in running if step.seconds]
    where = f" on {cores} cores" if cores else " one after the other"
    about = f"; {len(known)} of these took {duration(sum(known) / (cores or 1))}{where} last time" if known else ""
    yield f"plan: {len(running)} of {len(steps)} to run{about}"


def named(atom: Atom) -> str:
    return TITLES[atom[0]] + (f", split {atom[1]}" if atom[1] != "all" else "")


def duration(seconds: float) -> str:
    """Write a duration in words.

    >>> duration(41.2), duration(150), duration(7500)
    ('41 s', '2.5 min', '2 h 5 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.1f} min" if seconds < 10 * 60 else f"{seconds / 60:.0f} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"
