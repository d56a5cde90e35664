"""`make report`: check the parameters, print the plan, run the atoms that are not fresh, build the site.

    python -m lib.schedule --params params/demo.yaml --cores 2

Chapters whose inputs are not on this machine are listed and left out; `python -m lib.check` says where to get them.
`--dry-run` stops after the plan; `--keep-going` makes the rest of the report if an atom fails. Further options are
Snakemake's, e.g. `--workflow-profile params/slurm`. After a kill, the same command resumes.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

from lib.batch.plan import plan, plan_lines
from lib.batch.requirements import hint, relative, unable, without
from lib.batch.running import build_warm, failure_lines, on_cluster, run, warm_start
from lib.core.chapters import TITLES
from lib.core.command import one_line, profile_parser
from lib.core.files import remove_leftovers
from lib.core.params import ParameterError, claim
from lib.core.processes import die_with_parent
from lib.data.profile import Profile, open_profile
from lib.site.build import build

PATIENCE = 20  # seconds that the processes of a killed run get to end


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("schedule", "Make the report of a profile.")
    parser.add_argument("--cores", default=os.cpu_count(), type=int, help="atoms at a time (default: %(default)s)")
    options, further = parser.parse_known_args(arguments)
    if options.cores < 1:
        raise ParameterError(f"--cores {options.cores}: at least one is needed")
    # a script's background job starts with SIGINT ignored, and so would its children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    profile = open_profile(options.params)
    left_out = unable(profile)
    for name, reason in left_out.items():
        print(f"left out: {TITLES[name]}: {reason}; {hint(profile.file)}")
    if "MAKELEVEL" in os.environ:
        die_with_parent()
    with take_lock(profile):
        remove_leftovers(profile.out.root)
        return make(profile, options.cores, further, left_out)


def make(profile: Profile, cores: int, further: Sequence[str], left_out: Mapping[str, str]) -> int:
    """Print the plan, run it, build the site. Returns the exit code: 0 if everything that can run has been made."""
    able = without(profile, left_out)
    steps = plan(able)
    print(*plan_lines(steps, None if on_cluster(further) else cores), sep="\n", flush=True)
    if {"--dry-run", "-n"} & {*further}:
        return 0
    claim(profile.out, profile.file)
    if not any(step.runs for step in steps):
        print(f"the report: {relative(build(profile, left_out))}")
        return 0
    with warm_start(profile.out, further) as warm:
        code, failed = run(able, steps, cores, further, warm)
        if code:
            print(*failure_lines(failed, able), sep="\n", flush=True)
        if code and not {"--keep-going", "-k"} & {*further}:
            print("the report was not made; OPTIONS=--keep-going makes the rest of it")
            return code
        if warm:
            return build_warm(profile, warm) or code
        print(f"the report: {relative(build(profile, left_out))}")
        return code


def take_lock(profile: Profile) -> TextIO:
    """Lock the profile, giving what is left of a killed run time to release it. Raises ParameterError: another run."""
    path = profile.out.root / ".lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    for _ in range(PATIENCE * 2):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(0.5)
    file.close()
    raise ParameterError(f"another run is making {relative(profile.out.root)}; wait for it or stop it")


if __name__ == "__main__":
    sys.exit(main())
