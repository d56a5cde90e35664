"""The parameter sections: what can be set, its type and range, one section a concern.

Every value that the thesis or its code fixed is a field here; params/defaults.yaml gives the values, and says which of
the two it is from where they differ.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lib.section import PositiveInt, Probability, Section
from lib.sections_controls import Controls
from lib.sections_pretraining import (
    Experiment,
    HowTo100M,
    MilNce,
    Narration,
    Pretrain,
    S3DFeatures,
    VideoClip,
)
from lib.sections_transfer import Finetune, ZeroShot


class Data(Section):
    """Where the data set lies (MS-TCN layout) and how its features and labels are read."""

    source: Literal["demo", "files"]  # demo: rendered by 2_1 into outputs/<profile>/data; files: must be there
    name: str  # how captions name the data set
    roots: tuple[
        str, ...
    ] = ()  # source files: folders of the MS-TCN layout, relative to the project; the first that exists
    real_labels: tuple[
        str, ...
    ]  # folders where the real 50 Salads labels may lie, for 2.1 and 4.1; left out where none is there
    real_predictions: tuple[str, ...]  # the same for an MS-TCN's predictions of split 1's test videos, for 4.1
    fps: Annotated[float, Field(gt=0)]  # frames a second of labels and features
    public_features: str | None  # features/<set> of 2_3_1; "." = the files lie in features/ itself
    own_features: str | None  # features/<set> of 2_3_3, extracted by 2_3_2
    splits: PositiveInt  # of the cross-validation, counted from 1: as many pairs of bundles must be in splits/
    ignore: tuple[str, ...] = ()  # classes left out of segmental scores
    convention: Literal["mstcn", "asformer", "lea"]
    compare: Literal["thesis", "scores_references", "none"]  # what is published, beside 2.3.1's results

    @property
    def split_numbers(self) -> tuple[int, ...]:
        """1 … splits."""
        return tuple(range(1, self.splits + 1))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.source == "demo" and self.splits != 5:
            raise ValueError(f"splits: the demo has 5, got {self.splits}")
        return self


class Asformer(Section):
    """ASFormer and its training (thesis 2.2.2, 2.3; Yi, Wen, Jiang, BMVC 2021)."""

    num_layers: PositiveInt
    num_maps: PositiveInt
    num_decoders: Annotated[int, Field(ge=0)]
    channel_mask: Probability
    attention_band: Literal["published", "banded"]
    smoothing: Annotated[float, Field(ge=0)]  # lambda of equation 3
    sample_rate: PositiveInt  # every n-th frame is used
    standardize: bool  # channels to zero mean, unit variance of the training videos
    epochs: PositiveInt
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    plateau_patience: Annotated[int, Field(ge=0)]
    test_every: PositiveInt  # epochs between two test measurements (for the figures only)
    seed: int


class I3D(Section):
    """I3D and how features are taken from it (thesis 2.2.1, 2.3.2; lib/i3d.py, lib/features.py)."""

    weights: str | None  # checkpoint of the RGB net, relative to the project; null: trained in 2.2 (the demo)
    width: PositiveInt  # channels of the stem; features have 32 times as many
    dropout: Probability
    channel_order: Literal["bgr", "rgb"]
    short_side: PositiveInt  # pixels, then the centre `crop` x `crop`
    crop: PositiveInt
    mean: float
    std: Annotated[float, Field(gt=0)]
    window: PositiveInt  # frames, odd: the frame in its middle gets the feature
    use_last_frame: bool  # false: the thesis's code reads windows up to the last frame but one
    mode: Literal["window", "dense"]
    chunk: PositiveInt  # frames (windows) that are computed at once
    dtype: Literal["float32", "bfloat16"]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.window % 2 == 0 or self.window < 3:
            raise ValueError(f"window must be odd and at least 3, got {self.window}")
        if self.crop > self.short_side:
            raise ValueError(f"crop {self.crop} is larger than short_side {self.short_side}")
        return self


class Demo(Section):
    """The demo kitchen (lib/demo): rendered videos in the place of 50 Salads'."""

    seed: int
    people_per_split: Annotated[int, Field(ge=1, le=5)]  # five splits by person; 5 = the 25 people of the data set
    videos_per_person: Annotated[int, Field(ge=1, le=2)]
    pace: Annotated[float, Field(gt=0)]  # factor on durations; 0.92 = about 88 s a video
    size: Annotated[int, Field(ge=32)]  # pixels a side of a frame
    fps: PositiveInt
    variety: Annotated[float, Field(ge=0)]  # factor on how far places, sizes, cameras and light differ between people


class Backbone(Section):
    """Training of the demo's I3D on rendered clips of a wider domain (lib/backbone.py), in the place of Kinetics."""

    clips: PositiveInt
    clip_frames: PositiveInt  # rendered
    frames: PositiveInt  # of them that the net sees at once
    square: PositiveInt  # pixels: RGB clips are cut to squares of this side or larger, then resized to i3d.crop
    batch: PositiveInt
    batches: PositiveInt  # an epoch
    epochs: dict[Literal["rgb", "flow"], PositiveInt]  # colours take longer to learn than motion
    learning_rate: Annotated[float, Field(gt=0)]  # highest; one warm-up and one cosine decay over the epochs
    weight_decay: Annotated[float, Field(ge=0)]
    seed: int


class Params(Section):
    title: str
    language: Literal["en", "ru"]  # of titles, axis labels, table headers and captions; prose is English
    notice: str  # said on every page, e.g. that the numbers are the demo's
    notebooks: tuple[str, ...]
    split_jobs: bool  # a job a split, side by side; false: one job trains the five (its start costs more than training)
    data: Data
    demo: Demo
    i3d: I3D
    backbone: Backbone
    asformer: Asformer
    narration: Narration
    howto100m: HowTo100M
    s3d: S3DFeatures
    mil_nce: MilNce
    videoclip: VideoClip
    pretrain: Pretrain
    experiment: Experiment
    zero_shot: ZeroShot
    finetune: Finetune
    controls: Controls

    @model_validator(mode="after")
    def _fits(self) -> Self:
        beyond = sorted(set(self.controls.splits) - set(self.data.split_numbers))
        if beyond and {"4_2_controls", "4_3_scores_check"} & set(self.notebooks):
            raise ValueError(f"controls.splits names split {beyond[0]}, but data.splits is {self.data.splits}")
        return self
