"""The parameter sections of the thesis's 2.4 to 2.6: narrated videos, S3D, VideoCLIP and its pre-training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lib.section import PositiveInt, Probability, Section

Layer = Literal["mixed_5c", "video_embedding"]  # of S3D: before or after its last layer


class Narration(Section):
    """The demo's narrated videos (lib/demo/narrated.py), in the place of HowTo100M's (thesis 2.1.2)."""

    videos: PositiveInt
    validation: PositiveInt  # of them
    shortest: PositiveInt  # seconds
    longest: PositiveInt
    seed: int

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.validation >= self.videos:
            raise ValueError(f"validation {self.validation} must be fewer than videos {self.videos}")
        if self.shortest > self.longest:
            raise ValueError(f"shortest {self.shortest} s is longer than longest {self.longest} s")
        return self


class HowTo100M(Section):
    """Narrated videos to pre-train on (thesis 2.1.2; layout: lib/narrated.py); the demo's are rendered."""

    roots: tuple[str, ...]  # the first that exists
    accept: dict[str, str]  # features of pre-training -> other features that a model may be given all the same
    features: dict[Layer, str]  # folder in features/ of each; demo: named by lib/s3d_features.py


class S3DFeatures(Section):
    """S3D and how features are taken from it (thesis 2.4.1; lib/s3d.py, lib/s3d_features.py)."""

    weights: str | None  # s3d_howto100m.pth, relative to the project; null: trained in 2.4 (the demo)
    dictionary: str | None  # s3d_dict.npy, its words; null: the words of the demo's captions
    width: Annotated[float, Field(gt=0)]  # factor on all channels
    embedding_dim: PositiveInt
    text_hidden: PositiveInt
    fps: PositiveInt  # frames of a second that are seen, even
    crop: PositiveInt  # pixels, even: short side, then centre
    normalize: bool  # features to length 1
    dtype: Literal["float32", "bfloat16"]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if self.fps % 2 or self.crop % 2:
            raise ValueError(f"fps and crop must be even, got {self.fps} and {self.crop}")
        return self


class MilNce(Section):
    """Training of the demo's S3D on its narrations (thesis 2.4.1, equation 4; lib/mil_nce.py)."""

    labelled_clips: PositiveInt  # to begin with (lib/clip_classes.py)
    labelled_frames: PositiveInt  # of each, of which `frames` in a row are taken
    labelled_epochs: PositiveInt
    labelled_rate: Annotated[float, Field(gt=0)]  # highest learning rate there
    frames: PositiveInt  # of a clip, even
    square: PositiveInt  # pixels: clips are cut to squares of this side or larger, then resized
    candidates: PositiveInt  # captions nearest in time to a clip, all taken for positive
    words: PositiveInt  # of a caption that are read
    batch: PositiveInt  # clips
    per_video: PositiveInt  # of them from one video
    batches: PositiveInt  # an epoch
    epochs: PositiveInt
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    seed: int

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        if self.frames > self.labelled_frames:
            raise ValueError(f"frames: {self.frames} of a clip, but labelled_frames are {self.labelled_frames}")
        return self


class VideoClip(Section):
    """VideoCLIP's towers (thesis 2.4.2; lib/videoclip.py, lib/towers.py)."""

    start: str  # minilm (ships with a package), or a folder or hub name of a BERT such as bert-base-uncased
    text_layers: PositiveInt  # the first so many of it
    video_layers: PositiveInt
    max_video_len: PositiveInt  # seconds
    train_words: bool  # false: both towers' word tables stay as they are
    dropout: Probability


class Pairs(Section):
    """Positive pairs of VideoCLIP's pre-training (thesis 2.4.2; lib/positives.py)."""

    text_tokens: tuple[PositiveInt, PositiveInt]  # shortest and longest that captions are grown to
    video_seconds: tuple[PositiveInt, PositiveInt]  # of a clip
    longest_text: PositiveInt  # tokens kept, without [CLS] and [SEP]
    per_video: PositiveInt  # pairs drawn from a video for a cluster


class Mining(Section):
    """Clusters of alike videos (thesis 2.4.2, equation 6; lib/clusters.py)."""

    negatives: Literal["fresh", "stale", "random"]  # mined each epoch; in the first only; not mined at all
    per_video: PositiveInt  # pairs that a video's representation averages
    index: Literal["exact", "ivf"]
    lists: PositiveInt  # cells of the inverted file
    probes: PositiveInt  # of them that are read


class Recipe(Section):
    """One pre-training: what the thesis varied."""

    features: Layer
    clusters_per_update: PositiveInt  # C, whatever the number of devices
    epochs: PositiveInt
    weights: str | None = None  # a published checkpoint; where the file is there it is taken, and nothing is trained


class Pretrain(Section):
    """VideoCLIP's pre-training (thesis 2.5, 2.6; lib/pretrain.py)."""

    recipes: dict[Literal["one_cluster", "own", "public"], Recipe]
    videos_per_cluster: PositiveInt  # k
    validations: PositiveInt  # an epoch
    learning_rate: Annotated[float, Field(gt=0)]
    warmup: PositiveInt  # updates
    decay_updates: PositiveInt  # the rate falls to zero by then
    clip: Annotated[float, Field(gt=0)]  # norm of the gradient, after averaging over the clusters
    dtype: Literal["float32", "bfloat16"]
    gradient_checkpointing: bool
    workers: Annotated[int, Field(ge=0)]  # processes that draw batches, beside each training process
    seed: int
    pairs: Pairs
    mining: Mining


class Experiment(Section):
    """Small pre-trainings that differ in one thing each (2_6, beyond the thesis; lib/experiment.py)."""

    clusters_per_update: tuple[PositiveInt, ...]  # with fresh negatives
    negatives: tuple[Literal["stale", "random"], ...]  # with the C of the recipe "own"
    seeds: Annotated[tuple[int, ...], Field(min_length=2)]
    epochs: PositiveInt
    per_video: PositiveInt
