"""Run the atoms of a plan and print one line per start and end; on a terminal, also what runs at the moment.

Snakemake starts each atom once those that it depends on are done, here or on a cluster. It works in a folder of the
profile; this process learns of progress only from its marks there and from the atoms' logs (`lib.run --log`).
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lib.batch.failures import failures, lines, short, troubled
from lib.batch.freshness import read_manifest
from lib.batch.plan import Planned, duration, named
from lib.batch.requirements import relative
from lib.batch.slurm import Queue, plain_sacct, queue, status_options
from lib.batch.warm import ADDRESS, SITE, compiled
from lib.core.chapters import MANY, TITLES, Atom, needs
from lib.core.files import write_json
from lib.core.paths import ROOT, Outputs
from lib.core.processes import WAITS, clean_environment, die_with_parent
from lib.data.profile import Profile

WIDTH = 118  # columns of a line of progress
EVERY = 0.5  # seconds between two looks
SNAKEMAKE = "snakemake.log"
CLUSTER = ("--workflow-profile", "--profile", "--executor", "-e")  # then the cluster decides how many atoms run at once
PATIENCE = {False: 1, True: 30}  # seconds to end, and on a cluster other than SLURM to cancel the jobs there


def log_file(out: Outputs, atom: Atom) -> Path:
    return out.logs / atom[0] / f"{atom[1]}.log"


def warnings_file(out: Outputs) -> Path:
    """File in which the Snakefile notes warnings of Snakemake and its plugins."""
    return out.logs / "warnings.log"


def failed_file(log: Path) -> Path:
    """The mark that `lib.run` leaves beside its log when it fails."""
    return log.with_suffix(".failed")


def run(
    profile: Profile, steps: Sequence[Planned], cores: int, further: Sequence[str], warm: Mapping[str, str]
) -> tuple[int, dict[Atom, str]]:
    """Run the steps that are not fresh.

    Returns Snakemake's exit code, and the atoms that failed, each with what a cluster says about its job.

    Raises KeyboardInterrupt: after Ctrl-C, once everything that runs here has been ended.
    """
    waiting = [step.atom for step in steps if step.runs]
    folder = profile.out.root / "schedule"
    shutil.rmtree(folder / "done", ignore_errors=True)
    before = {atom: [other for other in needs(atom, profile.params) if other in waiting] for atom in waiting}
    atoms = {"/".join(atom): ["/".join(other) for other in others] for atom, others in before.items()}
    paths = {"logs": str(profile.out.logs), "warnings": str(warnings_file(profile.out))}
    write_json(folder / "schedule.json", {"profile": profile.file, **paths, "atoms": atoms})
    jobs = queue(folder) if on_cluster(further) else None
    shutil.rmtree(folder / ".snakemake" / "slurm_logs", ignore_errors=True)
    log = profile.out.logs / SNAKEMAKE
    words = command(folder, cores, [*(status_options() if jobs else []), *further], waiting)
    environment = {"REPORT_CORES": str(cores), **warm, **(plain_sacct(folder / "bin") if jobs else {})}
    # the lines of progress are removed from the screen, also after Ctrl-C
    with ExitStack() as bars:
        snakemake = start(words, log, environment)
        try:
            return follow(profile, snakemake, waiting, jobs, bars)
        except KeyboardInterrupt:
            end(snakemake, PATIENCE[on_cluster(further) and not jobs])
            raise
        finally:
            if jobs:
                jobs.cancel()


def start(words: Sequence[str], log: Path, environment: dict[str, str], **further: Any) -> subprocess.Popen:
    """Start a process in the project's folder that ends with this one and adds its output to `log`.

    Ctrl-C reaches this process alone, which then ends all of them.
    """
    with log.open("a", encoding="utf-8") as file:
        return subprocess.Popen(
            words,
            cwd=ROOT,
            env=clean_environment() | {"REPORT_SCHEDULED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),
            **further,
        )


@contextmanager
def warm_start(out: Outputs, further: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield an environment in which jobs start as forks of a process that has loaded the libraries (lib.batch.warm).

    On a cluster, with a GPU (which does not survive a fork) and on systems other than Linux, each starts by itself, and
    the environment is empty. The logs of earlier runs are removed.
    """
    shutil.rmtree(out.logs, ignore_errors=True)
    out.logs.mkdir(parents=True)
    if on_cluster(further) or sys.platform != "linux" or any(Path("/dev").glob("nvidia[0-9]*")):
        yield {}
        return
    # in /tmp, because the address of a socket must be short
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/jobs")
        listener.listen(128)
        words, log = [sys.executable, "-m", "lib.batch.warm"], out.logs / SNAKEMAKE
        processes = [start([*words, "--serve", str(listener.fileno())], log, {}, pass_fds=[listener.fileno()])]
        if not compiled(SITE[-1]):
            processes.append(start([*words, "--ahead"], log, {}))
        # so that a job does not wait for a process that has ended
        listener.close()
        try:
            yield {ADDRESS: f"{folder}/jobs"}
        finally:
            for process in processes:
                process.kill()
                process.wait()


def build_warm(profile: Profile, warm: Mapping[str, str]) -> int:
    """Build the site by `lib.report` in the environment of `warm_start`; returns its exit code."""
    words = [sys.executable, "-m", "lib.batch.warm", "lib.report", "--params", profile.file]
    return subprocess.run(words, cwd=ROOT, env={**clean_environment(), **warm}).returncode


def command(folder: Path, cores: int, further: Sequence[str], waiting: Sequence[Atom]) -> list[str]:
    """Make Snakemake's command line; its own lock is off, because the profile has one."""
    found = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    found += ["--cores", str(cores), "--nolock", "--rerun-incomplete", "--rerun-triggers", "mtime"]
    # the longest chain of chapters goes through these
    urgent = [f"done/{'/'.join(atom)}" for atom in waiting if atom[0] == MANY]
    found += ["--prioritize", *urgent] if urgent else []
    # without one, Snakemake would look for settings of its own
    given = any(word.startswith("--workflow-profile") for word in further)
    return [*found, *([] if given else ["--workflow-profile", "none"]), *further]


def on_cluster(further: Sequence[str]) -> bool:
    return any(word.startswith(CLUSTER) for word in further)


def end(snakemake: subprocess.Popen, patience: float) -> None:
    """End Snakemake and what it started here; it cancels a cluster's jobs itself, if it does so in time."""
    for way in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(snakemake.pid, way)
            snakemake.wait(patience)


def follow(
    profile: Profile, snakemake: subprocess.Popen, waiting: list[Atom], jobs: Queue | None, bars: ExitStack
) -> tuple[int, dict[Atom, str]]:
    """Print what happens until Snakemake ends; `bars` closes the lines of progress. Returns as `run` does."""
    out, total, begin = profile.out, len(waiting), time.monotonic()
    started: dict[Atom, tuple[float, tqdm]] = {}
    # lost: atoms whose job on a cluster has failed, in SLURM's words; printed: lines that need no repeating
    ended, failed, lost, printed, code = 0, dict[Atom, str](), dict[Atom, str](), set[str](), None

    def say(text: str) -> None:
        if text not in printed:
            printed.add(text)
            tqdm.write(f"[{time.strftime('%H:%M:%S')} {ended}/{total}] {text}")
            sys.stdout.flush()

    while code is None:
        # before the logs are read, so that the last reading sees all
        code = snakemake.poll()
        if warnings_file(out).exists():
            for warning in warnings_file(out).read_text(encoding="utf-8").splitlines():
                say(f"warning {warning}")
        for atom in [atom for atom in waiting if log_file(out, atom).exists()]:
            waiting.remove(atom)
            bar = tqdm(bar_format="  {desc}", leave=False, disable=not sys.stdout.isatty(), file=sys.stdout)
            started[atom] = time.monotonic(), bars.enter_context(bar)
            say(f"started {named(atom)}")
        for atom, job, log in jobs.changes(code is not None) if jobs else ():
            if job.failed:
                # the first words stay, not those of a later cancellation; what never started has no log
                lost.setdefault(atom, f"{job}; its log: {relative(log)}" if log.exists() else str(job))
                if atom in waiting:
                    waiting.remove(atom)
                    ended += 1
                    failed[atom] = lost[atom]
                    say(f"FAILED  {named(atom)}: {job}")
                continue
            # its node had failed, and SLURM has put it back into the queue
            if lost.pop(atom, "") and failed.pop(atom, ""):
                waiting.append(atom)
                ended -= 1
            if job.waits:
                say(f"waits   {named(atom)}: {job}")
        for atom, (since, bar) in list(started.items()):
            took = duration(time.monotonic() - since)
            if not (result := outcome(out, atom, code is not None or atom in lost)):
                line = last_line(log_file(out, atom))
                bar.set_description_str(f"{short(atom)}, {took}: {line}"[:WIDTH])
                if line.startswith(WAITS):
                    say(f"waits   {named(atom)}: {line.removeprefix(WAITS)}")
                continue
            bar.close()
            del started[atom]
            ended += 1
            if result == "FAILED":
                failed[atom] = lost.get(atom, "")
            say(f"{result:7} {named(atom)} after {took}; {duration(time.monotonic() - begin)} elapsed")
        if code is None:
            time.sleep(EVERY)
    # a job can fail after its atom has been made, or seem to succeed without
    return code or int(bool(failed)), failed or (lost if code else {})


def outcome(out: Outputs, atom: Atom, over: bool) -> str:
    """Find out how an atom that was started has ended; "" while it runs.

    `over`: whether Snakemake or the atom's job has ended; an atom that left no mark was then killed.
    """
    if failed_file(log_file(out, atom)).exists():
        return "FAILED"
    mark = out.root / "schedule" / "done" / atom[0] / atom[1]
    # srun on a node that fails may report success: the mark alone proves nothing
    kept = read_manifest(out, atom) if mark.exists() else None
    return "done" if kept and not kept.get("unfinished") else "FAILED" if over else ""


def last_line(file: Path) -> str:
    """Read the last line of a log."""
    with file.open("rb") as log:
        log.seek(max(0, os.path.getsize(file) - 2000))
        found = map(str.strip, log.read().decode(errors="replace").split("\n"))
    # papermill interrupts a kernel before it ends it, which the kernel reports as an error
    written = [line for line in found if line and not line.startswith("[IPKernelApp]")]
    return written[-1] if written else ""


def failure_lines(failed: Mapping[Atom, str], profile: Profile) -> Iterator[str]:
    """Yield what failed, with its last lines and its log, and which chapters are incomplete because of it."""
    found = failures(profile)
    for failure in found:
        yield from lines(failure)
    for atom in sorted({*failed} - {failure.atom for failure in found}):
        log = log_file(profile.out, atom)
        error = last_line(log).removeprefix("error: ") if failed_file(log).exists() else failed[atom]
        yield f"failed: {short(atom)}: {error or 'it was killed before it could report an error'}"
    for atom in failed:
        if log_file(profile.out, atom).exists():
            yield f"the log of {short(atom)}: {relative(log_file(profile.out, atom))}"
    for name, ones in troubled(profile).items():
        if all(failure.atom[0] != name for failure in ones):
            yield f"not made: {TITLES[name]}: it reads {', '.join(short(failure.atom) for failure in ones)}"
    log = profile.out.logs / SNAKEMAKE
    refused = re.search(r"^ +message: (SLURM sbatch.*?)\.?$", log.read_text(encoding="utf-8"), re.MULTILINE)
    if refused or not failed:
        yield f"error: Snakemake: {refused[1] if refused else last_line(log)}; its log: {relative(log)}"
