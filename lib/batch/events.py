"""Snakemake with a log handler of ours: what it plans, starts, ends and fails, told as events.

`events(...)` yields dictionaries: {"event": "planned", "atom": [notebook, split], "reason": in Snakemake's words}, then
"done" or "failed" for each atom, at last {"event": "end", "code": Snakemake's exit code}. In a dry run an atom is only
planned; in a run the event says that it starts. Snakemake's warnings and errors go to stderr, its other talk nowhere.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from logging import WARNING, LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from lib.core.paths import ROOT
from lib.core.processes import die_with_parent

NAME = "events"
YES, NO = property(lambda _: True), property(lambda _: False)


def events(profile: str, cores: int, chapters: Sequence[str], further: Sequence[str]) -> Iterator[dict]:
    """Run Snakemake over these chapters' atoms that are not fresh. Its own lock is off, as one lock a profile is ours.

    Args:
        profile: parameter file.
        further: more options of Snakemake, e.g. ["--dry-run"].
    """
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "lib.batch.events", "--snakefile", "Snakefile", "--cores", str(cores), "--nolock"]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "input", "--logger", NAME]
    command += [*further, "--config", f"params={profile}", f"chapters={','.join(chapters)}"]
    environment = os.environ | {"REPORT_SCHEDULED": "1", "REPORT_CORES": str(cores), "REPORT_EVENTS": str(writer)}
    child = subprocess.Popen(
        command, cwd=ROOT, env=environment, pass_fds=[writer], preexec_fn=partial(die_with_parent, os.getpid())
    )
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as lines:
        yield from map(json.loads, lines)
    yield {"event": "end", "code": child.wait()}


class LogHandler(LogHandlerBase):
    """The names are those that Snakemake's plugin interface asks for."""

    writes_to_stream = has_filter = has_formatter = YES  # in the place of Snakemake's own
    writes_to_file = needs_rulegraph = NO

    def __post_init__(self) -> None:
        writer = int(os.environ["REPORT_EVENTS"])
        os.set_inheritable(writer, False)  # atoms that outlive a killed scheduler do not hold it open
        self.pipe = os.fdopen(writer, "w", encoding="utf-8")
        self.atoms: dict[int, list[str]] = {}
        self.failed = False  # then Snakemake goes on to say what atoms have said themselves

    def emit(self, record: LogRecord) -> None:
        told = vars(record)
        match told.get("event"):
            case LogEvent.JOB_INFO if told["rule_name"] == "atom":
                self.atoms[told["jobid"]] = [told["wildcards"]["notebook"], told["wildcards"]["split"]]
                self._tell("planned", told["jobid"], reason=told["reason"])
            case LogEvent.JOB_FINISHED if told["job_id"] in self.atoms:
                self._tell("done", told["job_id"])
            case LogEvent.JOB_ERROR if told["jobid"] in self.atoms:
                self.failed = True
                self._tell("failed", told["jobid"])
            case LogEvent.ERROR if told["exception"] == "RuleException":  # a failed atom, told of below
                pass
            case None | LogEvent.ERROR if record.levelno >= WARNING and not self.failed:
                print(record.getMessage(), file=sys.stderr)

    def _tell(self, event: str, job: int, **more: str) -> None:
        print(json.dumps({"event": event, "atom": self.atoms[job]} | more), file=self.pipe, flush=True)


if __name__ == "__main__":
    from snakemake.cli import main
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{NAME}", sys.modules[__name__])
    main()
