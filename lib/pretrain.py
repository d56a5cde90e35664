"""Pre-train VideoCLIP by one recipe of a profile (thesis 2.5, 2.6), on one device or many.

    accelerate launch --num_processes 8 -m lib.pretrain --params params/50salads.yaml --recipe own

The demo's notebooks train by it; those of a brought corpus read the run that it left, without the corpus.
"""

import argparse
import json
import sys

import pandas as pd

from lib.artifacts import write_json, write_text
from lib.group import Group, alone, join_group, leave_group
from lib.multimodal import Sections
from lib.params import ParameterError, load, profile_name
from lib.paths import Outputs
from lib.pretrained import published_weights, run_folder
from lib.recipes import WITHOUT_EFFECT, prepare
from lib.updates import pretrain


def run_recipe(params: Sections, out: Outputs, name: str, group: Group) -> pd.DataFrame:
    """Pre-train by a recipe of the profile into runs/videoclip_<name>, or load the finished run; returns its history.

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
    if group.rank == 0:
        write_text(folder / "curves.csv", history.to_csv(index=False))
        about = {"feature_set": run.train.feature_set, "feature_dim": run.train.feature_dim, "recipe": name}
        write_json(folder / "videoclip.json", about | {"settings": settings_of(params, name)})  # last: it is all there
    return history


def recipe_history(params: Sections, out: Outputs, name: str) -> pd.DataFrame:
    """What a notebook shows of a recipe: the demo's is run, of a brought corpus only a finished run is read.

    Raises:
        ParameterError: there is none, for a notebook is no place for weeks of training; or it is one of other settings.
    """
    if params.data.source == "demo":
        return run_recipe(params, out, name, alone())
    folder = run_folder(out, name)
    again = f"`accelerate launch -m lib.pretrain --params params/{out.profile}.yaml --recipe {name}`"
    if not (folder / "videoclip.json").exists():
        raise ParameterError(f"{folder}: no finished pre-training; run {again} first")
    made = json.loads((folder / "videoclip.json").read_text(encoding="utf-8"))["settings"]
    others = [
        f"{section}.{field} {made[section].get(field)!r}, not {value!r}"
        for section, fields in settings_of(params, name).items()
        for field, value in fields.items()
        if made[section].get(field) != value
    ]
    if others:
        raise ParameterError(
            f"{folder}: pre-trained with {'; '.join(others)}; write that into the profile, or run {again}"
        )
    return pd.read_csv(folder / "curves.csv")


def settings_of(params: Sections, name: str) -> dict[str, dict]:
    """What a pre-training's numbers depend on, by section of the profile."""
    pretrain = params.pretrain
    return {
        f"pretrain.recipes.{name}": pretrain.recipes[name].model_dump(mode="json", exclude={"weights"}),
        "pretrain": pretrain.model_dump(mode="json", exclude={"recipes", *WITHOUT_EFFECT}),
        "videoclip": params.videoclip.model_dump(mode="json"),
    }


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
