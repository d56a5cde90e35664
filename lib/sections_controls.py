"""The parameter section of chapter 4.2 and 4.3: how much of the controls is run."""

from typing import Annotated

from pydantic import Field

from lib.section import PositiveInt, Section


class Controls(Section):
    """The controls that the thesis lacked (lib/controls.py), all in one protocol."""

    recipe: str  # of pretrain.recipes: the pre-training that is put to the test
    splits: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # whose test videos are scored
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of each training; two at least for a spread
    validation_people: PositiveInt  # of the training part that choose epoch and weight of the decoding
    asformer_epochs: PositiveInt
    videoclip_epochs: PositiveInt
    score_weights: Annotated[tuple[float, ...], Field(min_length=1)]  # of the decoding; the validation people choose
