"""The jobs of a report on SLURM: why they wait, how they ended, and how those left over are cancelled.

Snakemake's plugin submits them and reports none of this. Jobs are found by their working directory, which is
Snakemake's, and name their atom in the comment.
"""

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lib.core.chapters import Atom
from lib.core.params import ParameterError

ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
USUAL = {"None", "Priority"}  # reasons to wait that need no line
# SLURM's own hold, after a launch that failed (a controller that was killed as it launched): it never ends by itself
HELD = ("launch failed requeued held", "job requeued in held state")
EVERY = 10  # seconds between two looks at the queue
LONGEST_SLEEP = 180  # seconds between two looks of the plugin: a job forgotten before that is never seen to end
PATIENCE = 60  # seconds for an answer, and for cancelled jobs to end


class Job(NamedTuple):
    """A job as squeue shows it: its number, state (PENDING, RUNNING, ...) and why it waits or ended."""

    number: str
    state: str
    reason: str

    @property
    def held(self) -> bool:
        return self.state == "PENDING" and self.reason in HELD

    @property
    def failed(self) -> bool:
        return self.held or self.state in ENDED - {"COMPLETED"}

    @property
    def waits(self) -> bool:
        return self.state == "PENDING" and self.reason not in USUAL

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason not in USUAL else ""
        return f"SLURM job {self.number} {self.state.lower().replace('_', ' ')}{why}"


class Queue:
    """The jobs of one profile in SLURM's queue. Raises ParameterError: SLURM does not answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder  # Snakemake's working directory
        # the newest job of each atom in this run, by the last look
        self.jobs: dict[Atom, Job] = {}
        self.earlier: set[str] = set()
        self.looked = 0.0
        if numbers := self.cancel():
            print(f"cancelled what an earlier run left in the queue: SLURM jobs {', '.join(numbers)}")
        self.earlier = {job.number for _, job in self._listed()}

    def changes(self, now: bool) -> Iterator[tuple[Atom, Job, Path]]:
        """Yield atoms whose job is new or has changed, with the job's log; none if SLURM does not answer.

        Between two looks there is nothing to yield, unless it is to look `now`.
        """
        if not now and time.monotonic() - self.looked < EVERY:
            return
        self.looked = time.monotonic()
        try:
            listed = self._listed()
        except ParameterError:
            return
        for atom, job in listed + self._forgotten(listed):
            if job.number not in self.earlier and self.jobs.get(atom) != job:
                self.jobs[atom] = job
                if job.held:
                    _ask("scancel", job.number)
                # SLURM's own messages, and Snakemake's on the node
                yield atom, job, self.folder / ".snakemake/slurm_logs/rule_atom" / "_".join(atom) / f"{job.number}.log"

    def cancel(self) -> list[str]:
        """Cancel all jobs that have not ended, and wait until they have; returns their numbers."""
        numbers = [job.number for _, job in self._listed() if job.state not in ENDED]
        if numbers:
            _ask("scancel", *numbers)
        end = time.monotonic() + PATIENCE
        while active := [str(job) for _, job in self._listed() if job.state not in ENDED]:
            if time.monotonic() > end:
                raise ParameterError(f"{'; '.join(active)}: scancel did not end it")
            time.sleep(1)
        return numbers

    def _listed(self) -> list[tuple[Atom, Job]]:
        """This profile's jobs, oldest first."""
        form = "%i|%T|%r|%k|%Z"
        found = []
        for line in _ask("squeue", "--me", "--states=all", "--noheader", f"--format={form}").splitlines():
            number, state, reason, comment, folder = line.split("|", 4)
            if folder == str(self.folder):
                notebook, _, split = comment.removeprefix("rule_atom_wildcards_").rpartition("_")
                found.append(((notebook, split), Job(number, state, reason)))
        return sorted(found, key=lambda one: int(one[1].number))

    def _forgotten(self, listed: list[tuple[Atom, Job]]) -> list[tuple[Atom, Job]]:
        """Jobs that had not ended at the last look and are no longer listed, as accounting, if any, knows them."""
        there = {job.number for _, job in listed}
        atoms = {job.number: atom for atom, job in self.jobs.items() if job.state not in ENDED}
        gone = [number for number in atoms if number not in there]
        if not gone:
            return []
        form = ("--allocations", "--noheader", "--parsable2", "--format=JobIDRaw,State,Reason")
        try:
            rows = [line.split("|") for line in _ask("sacct", *form, f"--jobs={','.join(gone)}").splitlines()]
        except ParameterError:
            return []
        # the state may be "CANCELLED by 1000"
        return [(atoms[number], Job(number, state.split()[0], reason)) for number, state, reason in rows]


def queue(folder: Path) -> Queue | None:
    """SLURM's queue; None on another cluster."""
    return Queue(folder) if shutil.which("squeue") else None


def status_options() -> list[str]:
    """Choose the plugin's options by which it learns that a job has ended.

    squeue lists an ended job for MinJobAge seconds. If that is too short, sacct is asked, which needs accounting.
    The plugin asks until it is answered: after a failed last attempt it would forget its jobs and wait forever.

    Raises ParameterError: neither is possible here, and Snakemake would wait forever.
    """
    found = re.search(r"MinJobAge\s*=\s*(\d+)", _ask("scontrol", "show", "config"))
    seconds = int(found[1]) if found else 0
    if seconds <= LONGEST_SLEEP:
        try:
            _ask("sacct", "--allocations", "--noheader")
        except ParameterError as error:
            raise ParameterError(
                f"SLURM forgets an ended job after {seconds} s (MinJobAge) and keeps no accounts ({error}), "
                "so Snakemake could not see it end; use an array of jobs instead (guide on clusters)"
            ) from None
    often = ["--slurm-status-attempts", str(10**9), "--max-status-checks-per-second", "0.2"]
    return ["--slurm-status-command", "squeue" if seconds > LONGEST_SLEEP else "sacct", *often]


def plain_sacct(folder: Path) -> dict[str, str]:
    """Put a sacct into `folder` that says CANCELLED, and return an environment in which it is found first.

    SLURM's own says "CANCELLED by 1000", which the plugin does not know: it would wait for such a job forever.
    """
    if not (program := shutil.which("sacct")):
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "sacct"
    script.write_text(f"#!/bin/sh\n{shlex.quote(program)} \"$@\" | sed 's/CANCELLED by [0-9]*/CANCELLED/'\n")
    script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def _ask(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ParameterError(f"{command[0]}: {error}") from None
    if answer.returncode:
        raise ParameterError(f"{command[0]}: {' '.join(answer.stderr.split()) or f'exit code {answer.returncode}'}")
    return answer.stdout
