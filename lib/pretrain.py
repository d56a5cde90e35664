"""Pre-train VideoCLIP by one recipe of a profile (thesis 2.5, 2.6), on one device or many.

    accelerate launch --num_processes 8 -m lib.pretrain --params params/50salads.yaml --recipe own

The notebooks call `run_recipe` too, and read a run that has finished.
"""

import argparse
import sys

import pandas as pd

from lib.artifacts import write_json
from lib.group import Group, alone, join_group, leave_group
from lib.multimodal import Sections
from lib.params import ParameterError, load, profile_name
from lib.paths import Outputs
from lib.pretrained import published_weights, run_folder
from lib.recipes import prepare
from lib.updates import pretrain


def run_recipe(params: Sections, out: Outputs, name: str, group: Group) -> pd.DataFrame:
    """Pre-train by a recipe of the profile into runs/videoclip_<name>, or read the finished run; returns its history.

    Raises:
        ParameterError: no such recipe, too few videos, or a published checkpoint stands for it.
    """
    if name not in params.pretrain.recipes:
        raise ParameterError(f"--recipe {name}: pretrain.recipes has: {', '.join(params.pretrain.recipes)}")
    settings, folder = params.pretrain, run_folder(out, name)
    if published := published_weights(settings.recipes[name]):
        raise ParameterError(f"pretrain.recipes.{name}: {published} stands for it; move it away to train")
    run, model, transfer = prepare(params, out, settings.recipes[name], settings, folder, group, settings.seed)
    history = pretrain(run, model, transfer)
    if group.rank == 0:  # what the weights are to be used with
        about = {"feature_set": run.train.feature_set, "feature_dim": run.train.feature_dim, "recipe": name}
        write_json(folder / "videoclip.json", about)
    return history


def recipe_history(params: Sections, out: Outputs, name: str) -> pd.DataFrame:
    """What a notebook shows of a recipe: the demo's is run, of a brought corpus only a finished run is read.

    Raises:
        ParameterError: there is none; a notebook is no place for weeks of training.
    """
    if params.data.source == "files" and not (run_folder(out, name) / "videoclip.json").exists():
        raise ParameterError(
            f"{run_folder(out, name)}: no finished pre-training; run `accelerate launch -m lib.pretrain --params"
            f" params/{out.profile}.yaml --recipe {name}` first"
        )
    return run_recipe(params, out, name, alone())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.pretrain", description="Pre-train VideoCLIP by one recipe.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    parser.add_argument("--recipe", default="own", help="one_cluster, own or public (default: %(default)s)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="section.key=value")
    options = parser.parse_args(arguments)
    group = join_group()
    try:
        params = load(options.params, options.overrides)
        history = run_recipe(params, Outputs(profile_name(options.params)), options.recipe, group)
    except ValueError as error:  # all of ours are: parameters, files, weights, features, training
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        leave_group()
    if group.rank == 0:
        print(history.tail(1).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
