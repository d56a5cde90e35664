"""The plan of a report: what will run and why, what is fresh, what failed; and how long it takes.

Snakemake's dry run decides, so that the plan, the run and JupyterLab's start page never differ.

How long a set of atoms takes, and how to say it.
"""

import heapq
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib.batch.events import events
from lib.batch.failures import failures
from lib.core.chapters import Atom, atoms, number
from lib.core.params import ParameterError
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile


def duration(seconds: float) -> str:
    """
    >>> duration(41.2), duration(150), duration(7500)
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


SHOWN = 3  # files that a reason names
IN_WORDS = {
    "Incomplete output files": "was interrupted",
    "Updated input files": "changed: {}",
    "Input files updated by another job": "after {}",
    "Set of input files has changed since last execution": "reads other files than before",
    "Forced execution": "forced",
}


@dataclass(frozen=True)
class Step:
    """An atom in the plan.

    Attributes:
        atom: notebook and split.
        state: "not run", "fresh", "stale" or "failed".
        reason: why it will run; empty where it is fresh.
        seconds: what it will take; None where nothing is known.
        measured_here: the time is of a run on this machine, not the one that came with the project.
    """

    atom: Atom
    state: str
    reason: str
    seconds: float | None
    measured_here: bool

    @property
    def runs(self) -> bool:
        return self.state != "fresh"


def plan(profile: Profile, further: Sequence[str] = ()) -> list[Step]:
    """Ask Snakemake.

    Args:
        params: `notebooks` are the chapters that can run on this machine.
        further: options of Snakemake that change what runs.

    Raises:
        ParameterError: Snakemake could not make a plan; it says why on stderr.
    """
    again = forgotten(profile)
    forced = ["--forcerun", *(str(manifest(profile.out, atom).relative_to(ROOT)) for atom in again)] if again else []
    options = [*forced, *further, "--dry-run"]
    reasons: dict[Atom, str] = {}
    for event in events(profile.file, 1, profile.params.notebooks, options):
        if event["event"] == "planned":
            atom = (event["atom"][0], event["atom"][1])
            reasons[atom] = again.get(atom) or in_words(event["reason"])
        elif event["event"] == "end" and event["code"]:
            raise ParameterError("Snakemake could not plan; it says why above")
    failed = {failure.atom for failure in failures(profile)}
    here, brought = last_seconds(profile.out), measured(profile.out)
    steps = []
    for atom in atoms(profile.params):
        run_before = manifest(profile.out, atom).exists()
        state = "failed" if atom in failed else "not run" if not run_before else "stale" if atom in reasons else "fresh"
        seconds = here.get(atom, brought.get(atom))
        steps.append(Step(atom, state, reasons.get(atom, ""), seconds, atom in here))
    return [step for step in steps if step.state == "fresh" or step.atom in reasons]


def manifest(out: Outputs, atom: Atom) -> Path:
    return out.notebooks / atom[0] / f"{atom[1]}.json"


def forgotten(profile: Profile) -> dict[Atom, str]:
    """Atoms whose result counts for nothing though its manifest is there, and why."""
    again = {failure.atom: f"failed: {failure.error}" for failure in failures(profile)}
    for file in profile.out.notebooks.glob("*/[!.]*.json"):
        if json.loads(file.read_text(encoding="utf-8"))["overrides"]:
            again.setdefault((file.parent.name, file.stem), "was made by hand with --set")
    return again


def in_words(reason: str) -> str:
    """Snakemake's reason, shortened.

    >>> in_words("Updated input files: lib/notebook/plots.py, outputs/demo/params/asformer.json")
    'changed: lib/notebook/plots.py, parameters of asformer'
    >>> in_words("Missing output files: outputs/demo/notebooks/2_1_datasets/all.json; Set of input files has changed")
    'not run yet'
    """
    if reason.startswith("Missing output files"):
        return "not run yet"
    told = []
    for part in reason.split("; "):
        what, _, files = part.partition(": ")
        names = list(dict.fromkeys(map(_named, sorted(files.split(", ")))))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        told.append(IN_WORDS.get(what, part).format(", ".join(names[:SHOWN]) + more))
    return "; ".join(told)


def _named(file: str) -> str:
    path = Path(file)
    if path.parent.name == "params" and path.suffix == ".json":
        return f"parameters of {path.stem}"
    return number(path.parent.name) if path.parent.parent.name == "notebooks" else file


def last_seconds(out: Outputs) -> dict[Atom, float]:
    """What each atom took when it ran last, by its manifest."""
    files = out.notebooks.glob("*/[!.]*.json")
    return {(file.parent.name, file.stem): json.loads(file.read_text(encoding="utf-8"))["seconds"] for file in files}


def measured(out: Outputs) -> dict[Atom, float]:
    """What atoms of this profile took where the project was released: for a first run."""
    known = yaml.safe_load((ROOT / "lib" / "batch" / "measured.yaml").read_text(encoding="utf-8"))
    return {(name, "all"): seconds for name, seconds in known.get(out.profile, {}).items()}
