"""What `make report` prints: the plan, a line for each start and end of an atom, and at last what failed.

Whole lines, so that a log file reads as well as a terminal.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from lib.batch import plan
from lib.batch.failures import behind, failures, lines, short, troubled
from lib.batch.plan import Step
from lib.core.chapters import TITLES, Atom, needs
from lib.core.settings import Params
from lib.data.profile import Profile


def plan_lines(steps: Sequence[Step], params: Params, cores: int | None) -> Iterator[str]:
    """The plan, atoms by name.

    Args:
        cores: atoms that run at a time; None where a cluster decides that.
    """
    running = [step for step in steps if step.runs]
    for step in running:
        about = f" ({plan.duration(step.seconds)})" if step.seconds is not None else ""
        yield f"  to run: {named(step.atom)}{about}: {step.reason}"
    if fresh := [short(step.atom) for step in steps if not step.runs]:
        yield f"  fresh: {'; '.join(fresh)}"
    yield f"plan: {len(running)} of {len(steps)} to run{_estimate(running, params, cores)}"


def _estimate(running: Sequence[Step], params: Params, cores: int | None) -> str:
    known = {step.atom: step.seconds for step in running if step.seconds is not None}
    if not running:
        return ""
    if not known:
        return "; how long it takes is not known, as nothing has run here before"
    brought = sum(step.seconds is not None and not step.measured_here for step in running)
    source = f"by the times that came with the project ({brought} of {len(known)})" if brought else "by the last run"
    unknown = f"; no time is known of {len(running) - len(known)}" if len(known) < len(running) else ""
    if cores is None:
        return f", {plan.duration(sum(known.values()))} one after the other, {source}{unknown}"
    times = dict.fromkeys((step.atom for step in running), 0.0) | known
    wall = plan.wall_seconds(list(times), {}, times, partial(needs, params=params), cores)
    return f", about {plan.duration(wall)} on {cores} cores, {source}; less where trainings can be read{unknown}"


def follow(
    happening: Iterable[dict], steps: Sequence[Step], params: Params, cores: int | None, keep_going: bool
) -> tuple[int, list[Atom]]:
    """Print what happens, a line each.

    Args:
        happening: events of lib.batch.events.

    Returns:
        Snakemake's exit code, and the atoms that failed.
    """
    times = {step.atom: step.seconds for step in steps if step.runs}
    waiting, running, failed, of = list(times), dict[Atom, float](), list[Atom](), behind(params)
    begin, done = time.monotonic(), 0
    for event in happening:
        if event["event"] == "end":
            return event["code"], failed
        atom, now = (event["atom"][0], event["atom"][1]), time.monotonic()
        if event["event"] == "planned":
            waiting.remove(atom)
            running[atom] = now
            told = f"started {named(atom)}"
        else:
            took = plan.duration(now - running.pop(atom))
            done += 1
            if event["event"] == "failed":
                failed.append(atom)
                waiting = [other for other in waiting if keep_going and atom not in of(other)]
            left = {other: max(0.0, (times[other] or 0.0) - (now - since)) for other, since in running.items()}
            gone = f"{plan.duration(now - begin)} gone{_left(waiting, left, times, params, cores)}"
            told = f"{'FAILED ' if atom in failed else 'done   '} {named(atom)} after {took}; {gone}"
        print(f"[{time.strftime('%H:%M:%S')} {done}/{len(times)}] {told}", flush=True)
    raise EOFError("the scheduler ended without a word")


def _left(
    waiting: Sequence[Atom],
    running: Mapping[Atom, float],
    times: Mapping[Atom, float | None],
    params: Params,
    cores: int | None,
) -> str:
    """The time that is left, where it is known."""
    known = {atom: seconds for atom, seconds in times.items() if seconds is not None}
    if cores is None or not known.keys() >= {*waiting, *running} or not (waiting or running):
        return ""
    wall = plan.wall_seconds(waiting, running, known, partial(needs, params=params), cores)
    return f", about {plan.duration(wall)} left"


def failure_lines(failed: Sequence[Atom], profile: Profile) -> Iterator[str]:
    """What failed, with its last lines, and which chapters are not whole because of it.

    Args:
        failed: atoms that Snakemake saw fail.
    """
    found = failures(profile)
    for failure in found:
        yield from lines(failure)
    for atom in set(failed) - {failure.atom for failure in found}:
        yield f"failed: {short(atom)}: it ended without a notebook; its last words stand above"
    for name, ones in troubled(profile.params, found).items():
        if all(failure.atom[0] != name for failure in ones):
            yield f"not made: {TITLES[name]}: it reads {', '.join(short(failure.atom) for failure in ones)}"


def named(atom: Atom) -> str:
    return TITLES[atom[0]] + (f", split {atom[1]}" if atom[1] != "all" else "")
