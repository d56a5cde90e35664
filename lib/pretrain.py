"""Pre-train VideoCLIP by one recipe of a profile (thesis 2.5, 2.6), on one device or many.

    torchrun --nproc-per-node 8 -m lib.pretrain --params params/50salads.yaml --recipe own

The demo's notebooks train by the same recipes; with a user-supplied corpus they only read the finished run. HowTo100M
is packed first, which takes hours but no GPU: `python -m lib.pretrain --params … --recipe own --only-pack`.
"""

import os
import sys
from contextlib import nullcontext

from lib.backbones.s3d_features import pack_narrated
from lib.core.command import one_line, profile_parser
from lib.core.devices import join_group, leave_group
from lib.core.params import ParameterError
from lib.core.processes import only_one
from lib.data.profile import open_profile
from lib.pretraining.recipes import recipe_of, run_recipe


@one_line
def main(arguments: list[str] | None = None) -> int:
    parser = profile_parser("pretrain", "Pre-train VideoCLIP by one recipe.")
    parser.add_argument("--recipe", default="own", help="one_cluster, own or public (default: %(default)s)")
    parser.add_argument("--only-pack", action="store_true", help="pack the narrated videos, and stop")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="section.key=value")
    options = parser.parse_args(arguments)
    profile = open_profile(options.params, options.overrides)
    recipe = recipe_of(profile, options.recipe)
    if options.only_pack:
        pack_narrated(profile, recipe.features)
        return 0
    check_start()
    group = join_group()
    # a process of a node that SLURM has given up may still train; the others wait for the first in any case
    lock = profile.out.root.with_name(f".{profile.out.root.name}_{options.recipe}.lock")
    alone = only_one(lock) if group.rank == 0 else nullcontext()
    try:
        with alone:
            history = run_recipe(profile, options.recipe, group)
    finally:
        leave_group()
    if group.rank == 0:
        print(history.tail(1).to_string(index=False))
    return 0


def check_start() -> None:
    """Check how this process was started.

    Raises ParameterError: srun has started several processes, each of which would train by itself.
    """
    started = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
    if started > int(os.environ.get("WORLD_SIZE", "1")):
        raise ParameterError(
            f"srun has started {started} processes that do not know of each other; let it start torchrun, once a node"
            " (guide on clusters)"
        )


if __name__ == "__main__":
    sys.exit(main())
