"""Types of a profile's values, and the sections that only the demo reads; the others: lib/core/settings.py."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

MANY = 1_000_000_000  # no count of a profile is larger
PositiveInt = Annotated[int, Field(gt=0, le=MANY)]
NonNegativeInt = Annotated[int, Field(ge=0, le=MANY)]
Even = Annotated[int, Field(gt=0, le=MANY, multiple_of=2)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
FeatureSet = Annotated[str, Field(pattern=r"^(\.|[^./\\][^/\\]*)$")]  # a folder in features/, or features/ itself
Resize = Literal["bilinear", "bicubic"]
RecipeName = Literal["one_cluster", "own", "public"]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Narration(Section):
    """The demo's narrated videos, which replace HowTo100M (thesis 2.1.2; lib/demo/narrated.py)."""

    videos: PositiveInt
    validation: PositiveInt  # how many of these
    shortest: PositiveInt  # seconds
    longest: PositiveInt
    seed: Seed

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.validation >= self.videos:
            raise ValueError(f"validation {self.validation} must be fewer than videos {self.videos}")
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} s is longer than longest {self.longest} s")
        return self


class MilNce(Section):
    """Training of the demo's S3D on its narrations (thesis 2.4.1, equation 4; lib/backbones/mil_nce.py)."""

    labelled_clips: PositiveInt  # to start with (lib/backbones/labelled_clips.py)
    labelled_frames: PositiveInt  # per labelled clip; `frames` consecutive ones are used
    labelled_epochs: PositiveInt
    labelled_rate: PositiveFloat  # highest learning rate on the labelled clips
    frames: Even  # per clip
    square: PositiveInt  # pixels: clips are cut to squares of at least this side, then resized
    candidates: PositiveInt  # captions nearest in time to a clip, all of them positives
    words: PositiveInt  # read per caption
    batch: PositiveInt  # clips
    per_video: PositiveInt  # clips of a batch per video
    batches: PositiveInt  # per epoch
    epochs: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    seed: Seed

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.frames > self.labelled_frames:
            raise ValueError(f"frames: {self.frames} of a clip, but labelled_frames are {self.labelled_frames}")
        return self


class Demo(Section):
    """The demo kitchen, whose rendered videos replace those of 50 Salads (lib/demo)."""

    seed: Seed
    people_per_split: Annotated[int, Field(ge=1, le=5)]  # five splits by person; 5 = the 25 people of the data set
    videos_per_person: Annotated[int, Field(ge=1, le=2)]
    pace: PositiveFloat  # factor on durations; 0.92 gives about 88 s per video
    size: Annotated[int, Field(ge=32)]  # side of a frame in pixels
    fps: PositiveInt
    variety: NonNegativeFloat  # factor on the differences between people in places, sizes, cameras and light


class Backbone(Section):
    """Training of the demo's I3D on rendered clips, in place of Kinetics (lib/backbones/labelled_clips.py)."""

    clips: PositiveInt
    clip_frames: PositiveInt  # rendered per clip
    frames: PositiveInt  # how many of these the net sees at once
    square: PositiveInt  # pixels: RGB clips are cut to squares of at least this side, then resized to i3d.crop
    batch: PositiveInt
    batches: PositiveInt  # per epoch
    epochs: dict[Literal["rgb", "flow"], PositiveInt]  # colours take longer to learn than motion
    learning_rate: PositiveFloat  # highest; one warm-up and one cosine decay over the epochs
    weight_decay: NonNegativeFloat
    seed: Seed
