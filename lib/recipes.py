"""A pre-training of a profile: its videos, first weights, identity, and what it is measured by (thesis 2.5, 2.6)."""

from collections.abc import Callable
from pathlib import Path

from lib.artifacts import key
from lib.group import Group
from lib.multimodal import PARTS, Sections, open_pack, pack_narrated
from lib.params import ParameterError
from lib.paths import Outputs
from lib.pretraining import Pretraining
from lib.sections_pretraining import Pretrain, Recipe
from lib.towers import build_videoclip
from lib.training import Row
from lib.transfer import transfer_of
from lib.videoclip import VideoCLIP

WITHOUT_EFFECT = ("workers", "gradient_checkpointing")  # settings that change no number


def prepare(
    params: Sections,
    out: Outputs,
    recipe: Recipe,
    settings: Pretrain,
    folder: Path,
    group: Group,
    seed: int,
) -> tuple[Pretraining, VideoCLIP, Callable[[VideoCLIP], Row]]:
    """A run, the model it begins with, and what is measured of transfer, for `lib.updates.pretrain`.

    Args:
        recipe, settings: of the run; `params.pretrain` or a variation of it.
        folder: of the run.
        group: the processes that take part.
        seed: of everything that is drawn.

    Raises:
        ParameterError: too few videos for one update.
    """
    if group.rank == 0:
        pack_narrated(params, out, recipe.features)
    group.wait()
    packs = {part: open_pack(params, out, recipe.features, part) for part in PARTS}
    keys = [(packs[part].folder / "note.json").read_text(encoding="utf-8") for part in PARTS]
    how = settings.model_dump(exclude={"recipes", *WITHOUT_EFFECT})
    values = [recipe.model_dump(exclude={"weights"}), how, params.videoclip.model_dump(), seed, keys]
    identity = key(values, code=("lib.updates", "lib.towers", "lib.zero_shot"))
    run = Pretraining(packs["train"], packs["val"], recipe, settings, folder, group, identity, seed)
    if run.updates_per_epoch == 0:
        raise ParameterError(
            f"pretrain: {len(run.train)} videos make {len(run.train) // settings.videos_per_cluster} clusters of"
            f" {settings.videos_per_cluster}, fewer than the {recipe.clusters_per_update} of one update"
        )
    model = build_videoclip(params.videoclip, run.train.feature_dim, seed)
    return run, model, transfer_of(params, out, recipe.features)
