"""The sections of a profile: what can be set, with its type and range.

Every value that the thesis or its code fixed is a field here. params/defaults.yaml holds the values and, where thesis
and code differ, says which of them it follows. Unknown keys are errors; what has been read does not change.
"""

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)  # fmt: skip

RecipeName = Literal["one_cluster", "own", "public"]
Layer = Literal["mixed_5c", "video_embedding"]  # of S3D: before or after its last layer
Resize = Literal["bilinear", "bicubic"]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Controls(Section):
    """The controls that the thesis lacked, all in one protocol (lib/beyond/controls/design.py)."""

    recipe: RecipeName  # of pretrain.recipes: the pre-training to test
    splits: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # whose test videos are scored
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of each training; a spread needs at least two
    validation_people: PositiveInt  # held out to choose the epoch and the decoding's weight
    asformer_epochs: PositiveInt
    videoclip_epochs: PositiveInt
    score_weights: Annotated[tuple[float, ...], Field(min_length=1)]  # of the decoding; chosen on the validation people


class Modalities(Section):
    """Video and sensors, alone and together, on real videos (4_3; lib/beyond/modalities)."""

    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of each training
    shift: NonNegativeFloat  # of a training video's features, the same at all its steps; standard deviations
    noise: NonNegativeFloat  # at each step
    score_weights: Annotated[tuple[float, ...], Field(min_length=1)]  # of the decoding; chosen as the shares are
    sensor_shares: Annotated[tuple[Probability, ...], Field(min_length=1)]  # of the late fusion


class Narration(Section):
    """The demo's narrated videos, which replace HowTo100M (thesis 2.1.2; lib/demo/narrated.py)."""

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
    """Narrated videos to pre-train on (thesis 2.1.2; layout: lib/data/narrated.py); the demo's are rendered."""

    roots: tuple[str, ...]  # the first that exists
    accept: dict[str, str]  # features of pre-training -> other features that its models accept
    features: dict[Layer, str]  # folder in features/; the demo names its own


class S3DFeatures(Section):
    """S3D and the extraction of its features (thesis 2.4.1; lib/backbones/s3d.py, s3d_features.py)."""

    weights: str | None  # s3d_howto100m.pth, relative to the project; null: trained in 2.4 (the demo)
    dictionary: str | None  # s3d_dict.npy, its words; null: those of the demo's captions
    width: PositiveFloat  # factor on all channels
    embedding_dim: PositiveInt
    text_hidden: PositiveInt
    fps: PositiveInt  # frames read per second, even
    crop: PositiveInt  # pixels, even: short side, then centre
    resize: Resize  # bicubic: antialiased, to whole levels, as VideoCLIP's extractor
    normalize: bool  # features to length 1
    dtype: Literal["float32", "bfloat16"]

    @model_validator(mode="after")
    def _even(self) -> Self:
        if self.fps % 2 or self.crop % 2:
            raise ValueError(f"fps and crop must be even, got {self.fps} and {self.crop}")
        return self


class MilNce(Section):
    """Training of the demo's S3D on its narrations (thesis 2.4.1, equation 4; lib/backbones/mil_nce.py)."""

    labelled_clips: PositiveInt  # to start with (lib/backbones/labelled_clips.py)
    labelled_frames: PositiveInt  # of each, of which `frames` in a row are taken
    labelled_epochs: PositiveInt
    labelled_rate: PositiveFloat  # highest learning rate there
    frames: PositiveInt  # of a clip, even
    square: PositiveInt  # pixels: clips are cut to squares of at least this side, then resized
    candidates: PositiveInt  # captions nearest in time to a clip, all of them positives
    words: PositiveInt  # read per caption
    batch: PositiveInt  # clips
    per_video: PositiveInt  # of them per video
    batches: PositiveInt  # per epoch
    epochs: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    seed: int

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        if self.frames > self.labelled_frames:
            raise ValueError(f"frames: {self.frames} of a clip, but labelled_frames are {self.labelled_frames}")
        return self


class VideoClip(Section):
    """VideoCLIP's towers (thesis 2.4.2; lib/videoclip/model.py, lib/videoclip/towers.py)."""

    start: str  # minilm (ships with a package), or a folder or hub name of a BERT such as bert-base-uncased
    text_layers: PositiveInt  # of its first layers
    video_layers: PositiveInt
    max_video_len: PositiveInt  # seconds
    train_words: bool  # false: the word tables of both towers are frozen
    dropout: Probability


class Pairs(Section):
    """Positive pairs of VideoCLIP's pre-training (thesis 2.4.2; lib/pretraining/pairs.py)."""

    text_tokens: tuple[PositiveInt, PositiveInt]  # shortest and longest run of captions
    video_seconds: tuple[PositiveInt, PositiveInt]  # of a clip
    longest_text: PositiveInt  # tokens kept, without [CLS] and [SEP]
    per_video: PositiveInt  # pairs per video of a cluster


class Mining(Section):
    """Clusters of similar videos (thesis 2.4.2, equation 6; lib/pretraining/clusters.py)."""

    negatives: Literal["fresh", "stale", "random"]  # mined in each epoch, in the first only, never
    per_video: PositiveInt  # pairs that a video's representation averages
    index: Literal["exact", "ivf"]
    lists: PositiveInt  # cells of the inverted file
    probes: PositiveInt  # cells read per query


class Recipe(Section):
    """What the thesis varied between pre-trainings."""

    features: Layer
    clusters_per_update: PositiveInt  # C, whatever the number of devices
    epochs: PositiveInt
    weights: str | None = None  # a published checkpoint; used, if present, instead of training


class Pretrain(Section):
    """VideoCLIP's pre-training (thesis 2.5, 2.6; lib/pretraining/recipes.py)."""

    recipes: dict[RecipeName, Recipe]
    videos_per_cluster: PositiveInt  # k
    validations: PositiveInt  # per epoch
    learning_rate: PositiveFloat
    warmup: PositiveInt  # updates
    decay_updates: PositiveInt  # the rate falls to zero by then
    clip: PositiveFloat  # norm of the gradient, after averaging over the clusters
    dtype: Literal["float32", "bfloat16"]
    gradient_checkpointing: bool
    workers: NonNegativeInt  # loading processes per training process
    deduplicate: bool  # captions without what each repeats of the one before (lib/data/narrated.py)
    seed: int
    pairs: Pairs
    mining: Mining


class Experiment(Section):
    """Small pre-trainings that differ in one thing each (2_6, beyond the thesis; lib/pretraining/experiment.py)."""

    clusters_per_update: tuple[PositiveInt, ...]  # with fresh negatives
    negatives: tuple[Literal["stale", "random"], ...]  # with the C of the recipe "own"
    seeds: Annotated[tuple[int, ...], Field(min_length=2)]
    epochs: PositiveInt
    per_video: PositiveInt


class ZeroShot(Section):
    """VideoCLIP without the target's labels (thesis 2.7, 2.8; lib/videoclip/zero_shot.py)."""

    prompts: str  # what the text tower reads: raw, words, or a template such as "how to {words}"
    stride: PositiveInt  # seconds between two windows of videoclip.max_video_len seconds
    cls_visible: bool  # whether attention sees the video [CLS], as in pre-training
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of the untrained models to compare with


class Finetune(Section):
    """VideoCLIP's video tower trained on the target's labels (thesis 2.9; lib/videoclip/finetuning.py)."""

    objective: Literal["head", "contrastive"]  # a new linear head; or the class names' vectors, both towers trained
    head: PositiveInt | None  # outputs of the head; null: one per class
    select_on: Literal["test", "validation", "last"]  # whose loss chooses the epoch; last: no choice
    validation_people: PositiveInt  # held out of the training part if select_on is validation
    train_stride: PositiveInt  # seconds between two windows, in training and for the loss that chooses
    test_stride: PositiveInt
    cls_visible: bool
    epochs: Annotated[
        tuple[PositiveInt, ...], Field(min_length=1)
    ]  # results to report; one run of the longest gives all
    learning_rate: PositiveFloat
    warmup: PositiveInt  # updates of one video; constant afterwards
    clip: PositiveFloat  # norm of the gradient
    dtype: Literal["float32", "bfloat16"]
    seed: int


class Data(Section):
    """Where the data set lies (MS-TCN layout) and how its features and labels are read."""

    source: Literal["demo", "files"]  # demo: rendered by 2_1 into outputs/<profile>/data; files: supplied by the user
    name: str  # how captions name the data set
    roots: tuple[str, ...] = ()  # of files: candidate folders, relative to the project; the first that exists
    real_labels: tuple[str, ...]  # the same for the real 50 Salads labels, for 2.1 and 4.1; optional
    real_predictions: tuple[str, ...]  # the same for an MS-TCN's predictions of split 1's test videos, for 4.1
    fps: PositiveFloat  # frames per second of labels and features
    public_features: str | None  # features/<set> of 2_3_1; ".": features/ itself; "split_{split}": one set per split
    own_features: str | None  # features/<set> of 2_3_3, extracted by 2_3_2
    splits: Annotated[int, Field(gt=0, le=1000)]  # of the cross-validation; splits/ must have a pair of files for each
    ignore: tuple[str, ...] = ()  # classes left out of segmental scores
    convention: Literal["mstcn", "asformer", "lea"]
    compare: Literal["thesis", "scores_references", "none"]  # published results to show beside 2.3.1's

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
    num_decoders: NonNegativeInt
    channel_mask: Probability
    attention_band: Literal["published", "thesis", "banded"]
    smoothing: NonNegativeFloat  # lambda in equation 3
    sample_rate: PositiveInt  # every n-th frame is used
    standardize: bool  # channels to zero mean, unit variance of the training videos
    epochs: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    plateau_patience: NonNegativeInt
    test_every: PositiveInt  # epochs between two scores on the test videos (for the figures only)
    seed: int


class I3D(Section):
    """I3D and the extraction of its features (thesis 2.2.1, 2.3.2; lib/backbones/i3d.py, i3d_features.py)."""

    weights: str | None  # checkpoint of the RGB net, relative to the project; null: trained in 2.2 (the demo)
    width: PositiveInt  # channels of the stem; features have 32 times as many
    dropout: Probability
    channel_order: Literal["bgr", "rgb"]
    short_side: PositiveInt  # pixels, then the centre `crop` x `crop`
    crop: PositiveInt
    mean: float
    std: PositiveFloat
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
    """The demo kitchen, whose rendered videos replace those of 50 Salads (lib/demo)."""

    seed: int
    people_per_split: Annotated[int, Field(ge=1, le=5)]  # five splits by person; 5 = the 25 people of the data set
    videos_per_person: Annotated[int, Field(ge=1, le=2)]
    pace: PositiveFloat  # factor on durations; 0.92 gives about 88 s per video
    size: Annotated[int, Field(ge=32)]  # side of a frame in pixels
    fps: PositiveInt
    variety: NonNegativeFloat  # factor on the differences between people in places, sizes, cameras and light


class Backbone(Section):
    """Training of the demo's I3D on rendered clips, in place of Kinetics (lib/backbones/labelled_clips.py)."""

    clips: PositiveInt
    clip_frames: PositiveInt  # rendered
    frames: PositiveInt  # of them that the net sees at once
    square: PositiveInt  # pixels: RGB clips are cut to squares of at least this side, then resized to i3d.crop
    batch: PositiveInt
    batches: PositiveInt  # per epoch
    epochs: dict[Literal["rgb", "flow"], PositiveInt]  # colours take longer to learn than motion
    learning_rate: PositiveFloat  # highest; one warm-up and one cosine decay over the epochs
    weight_decay: NonNegativeFloat
    seed: int


class Params(Section):
    title: str
    notice: str  # shown on every page, e.g. that the numbers are the demo's
    notebooks: tuple[str, ...]
    split_jobs: bool  # one job per split; false: one job for all (where starting a job costs more than the training)
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
    modalities: Modalities

    @model_validator(mode="after")
    def _fits(self) -> Self:
        beyond = sorted(set(self.controls.splits) - set(self.data.split_numbers))
        if beyond and {"4_2_controls", "4_5_scores_check"} & set(self.notebooks):
            raise ValueError(f"controls.splits names split {beyond[0]}, but data.splits is {self.data.splits}")
        return self
