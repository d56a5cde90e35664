"""The sections of a profile: what can be set, with its type and range.

Every value that the thesis or its code fixed is a field here. params/defaults.yaml holds the values and, where thesis
and code differ, says which of them it follows. Unknown keys are errors; a profile that has been read is immutable.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from lib.core.sections import (
    MANY,
    Backbone,
    Demo,
    Even,
    FeatureSet,
    MilNce,
    Narration,
    NonNegativeInt,
    PositiveInt,
    Probability,
    RecipeName,
    Resize,
    Section,
    Seed,
)  # fmt: skip


class Controls(Section):
    """The controls that the thesis lacked, all in one protocol (lib/beyond/controls/design.py)."""

    recipe: RecipeName  # of pretrain.recipes: the pre-training to test
    splits: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # whose test videos are scored
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]  # of each training; a spread needs at least two
    validation_people: PositiveInt  # held out to choose the epoch and the decoding's weight
    asformer_epochs: PositiveInt
    videoclip_epochs: PositiveInt
    score_weights: Annotated[tuple[float, ...], Field(min_length=1)]  # of the decoding; chosen on the validation people


class Modalities(Section):
    """Video and sensors, alone and together, on real videos (4_3; lib/beyond/modalities)."""

    seeds: Annotated[tuple[int, ...], Field(min_length=1)]  # of each training
    shift: NonNegativeFloat  # deviation of what is added to a training video's features, the same at all its steps
    noise: NonNegativeFloat  # deviation of what is added at each step
    score_weights: Annotated[tuple[float, ...], Field(min_length=1)]  # of the decoding; chosen like the shares
    sensor_shares: Annotated[tuple[Probability, ...], Field(min_length=1)]  # of the late fusion


S3DLayer = Literal["mixed_5c", "video_embedding"]  # of S3D: before or after its last layer


class HowTo100M(Section):
    """Narrated videos to pre-train on (thesis 2.1.2; layout: lib/data/narrated.py); the demo's are rendered."""

    roots: tuple[str, ...]  # the first that exists
    accept: dict[str, str]  # features of pre-training -> other features that its models accept
    features: dict[S3DLayer, FeatureSet]  # folder in features/; the demo names its own


class S3DFeatures(Section):
    """S3D and the extraction of its features (thesis 2.4.1; lib/backbones/s3d.py, s3d_features.py)."""

    weights: str | None  # s3d_howto100m.pth, relative to the project; the demo: shipped, or null: trained in 2.4
    dictionary: str | None  # s3d_dict.npy, its words; null: those of the demo's captions
    width: PositiveFloat  # factor on all channels
    embedding_dim: PositiveInt
    text_hidden: PositiveInt
    fps: Even  # frames read per second of video
    crop: Even  # pixels: short side, then centre
    resize: Resize  # bicubic: antialiased, rounded to whole levels, as in VideoCLIP's extractor
    normalize: bool  # features to length 1
    dtype: Literal["float32", "bfloat16"]


class VideoClip(Section):
    """VideoCLIP's towers (thesis 2.4.2; lib/videoclip/model.py, lib/videoclip/towers.py)."""

    start: str  # minilm (ships with a package), or a folder or hub name of a BERT such as bert-base-uncased
    text_layers: PositiveInt  # how many of its first layers
    video_layers: PositiveInt
    max_video_len: PositiveInt  # seconds
    train_words: bool  # false: the word tables of both towers are frozen
    dropout: Probability

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.video_layers > self.text_layers:
            raise ValueError("video_layers is larger than text_layers; the text tower is the deeper one")
        return self


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

    features: S3DLayer
    clusters_per_update: PositiveInt  # C, whatever the number of devices
    epochs: PositiveInt
    weights: str | None = None  # a published checkpoint; used, if present, instead of training


class Pretrain(Section):
    """VideoCLIP's pre-training (thesis 2.5, 2.6; lib/pretraining/recipes.py)."""

    recipes: dict[RecipeName, Recipe]
    videos_per_cluster: PositiveInt  # k
    validations: PositiveInt  # per epoch
    learning_rate: PositiveFloat
    betas: tuple[Probability, Probability]  # of Adam
    epsilon: PositiveFloat
    temperature: PositiveFloat  # tau of equation 5
    warmup: PositiveInt  # updates
    decay_updates: PositiveInt  # the rate falls to zero by then
    clip: PositiveFloat  # norm of the gradient, after averaging over the clusters
    dtype: Literal["float32", "bfloat16"]
    gradient_checkpointing: bool
    workers: NonNegativeInt  # loading processes per training process
    deduplicate: bool  # remove from each caption what it repeats of the one before (lib/data/narrated.py)
    seed: Seed
    pairs: Pairs
    mining: Mining


class Experiment(Section):
    """Pre-trainings that each differ from a recipe in one thing (2_6, beyond the thesis)."""

    clusters_per_update: tuple[PositiveInt, ...]  # besides the recipes' C, with fresh negatives
    negatives: tuple[Literal["stale", "random"], ...]  # with the C of the recipe "own"
    # k, with the number of clusters adapted so that an update has as many pairs
    videos_per_cluster: tuple[Annotated[int, Field(ge=2, le=MANY)], ...]


class SensorPairs(Section):
    """Pre-trainings on pairs of video and sensors (4.4, beyond the thesis; lib/beyond/pairs/experiment.py)."""

    clusters_per_update: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # with fresh negatives
    negatives: tuple[Literal["stale", "random"], ...]  # with the first C
    seeds: Annotated[tuple[Seed, ...], Field(min_length=2)]
    epochs: PositiveInt


class ZeroShot(Section):
    """VideoCLIP without the target's labels (thesis 2.7, 2.8; lib/videoclip/zero_shot.py)."""

    prompts: str  # what the text tower reads: raw, words, or a template such as "how to {words}"
    stride: PositiveInt  # seconds between two windows of videoclip.max_video_len seconds
    cls_visible: bool  # whether attention sees the video [CLS], as in pre-training
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]  # of the untrained models to compare with


class Finetune(Section):
    """VideoCLIP's video tower trained on the target's labels (thesis 2.9; lib/videoclip/finetuning.py)."""

    objective: Literal["head", "contrastive"]  # a new linear head; or the class names' vectors, both towers trained
    head: PositiveInt | None  # outputs of the head; null: one per class
    select_on: Literal["test", "validation", "last"]  # whose loss chooses the epoch; last: no choice
    validation_people: PositiveInt  # held out from the training part if select_on is validation
    train_stride: PositiveInt  # seconds between two windows, in training and for the loss that chooses
    test_stride: PositiveInt
    cls_visible: bool
    epochs: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]  # of each result; one run of the longest gives all
    learning_rate: PositiveFloat
    betas: tuple[Probability, Probability]  # of Adam
    epsilon: PositiveFloat
    warmup: PositiveInt  # updates of one video
    decay_updates: PositiveInt | None  # the rate falls to zero by then; null: constant
    clip: PositiveFloat  # norm of the gradient
    dtype: Literal["float32", "bfloat16"]
    seed: Seed


class Data(Section):
    """The data set (MS-TCN layout): where it lies, and how its features and labels are read."""

    source: Literal["demo", "files"]  # demo: rendered by 2_1 into outputs/<profile>/data; files: supplied by the user
    name: str  # how captions name the data set
    roots: tuple[str, ...] = ()  # of files: candidate folders, relative to the project; the first that exists
    real_labels: tuple[str, ...]  # the same for the real 50 Salads labels, for 2.1 and 4.1; optional
    real_predictions: tuple[str, ...]  # the same for a real model's predictions, split_<k>/<video>, for 4.1; optional
    real_captions: tuple[str, ...]  # the same for some of HowTo100M's captions, <id>.csv, for 2.1; optional
    fps: PositiveFloat  # frames per second of labels and features
    public_features: FeatureSet | None  # of 2_3_1; ".": features/ itself; "split_{split}": one set per split
    own_features: FeatureSet | None  # features/<set> of 2_3_3, extracted by 2_3_2
    repeats: Annotated[int, Field(gt=0, le=100)]  # trainings of each method: with its section's seed, then 1, 2, …
    splits: Annotated[int, Field(gt=0, le=1000)]  # of the cross-validation; splits/ must have a pair of files for each
    ignore: tuple[str, ...] = ()  # classes left out of segmental scores
    convention: Literal["mstcn", "asformer", "lea"]
    compare: Literal["thesis", "scores_references", "none"]  # published results to show beside 2.3.1's

    @property
    def split_numbers(self) -> tuple[int, ...]:
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
    attention_band: Literal["published", "thesis"]
    smoothing: NonNegativeFloat  # lambda in equation 3
    sample_rate: PositiveInt  # every n-th frame is used
    standardize: bool  # channels to zero mean, unit variance of the training videos
    epochs: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    plateau_patience: NonNegativeInt
    test_every: PositiveInt  # epochs between two scores on the test videos (for the figures only)
    dtype: Literal["float32", "bfloat16"]
    seed: Seed


class I3D(Section):
    """I3D and the extraction of its features (thesis 2.2.1, 2.3.2; lib/backbones/i3d.py, i3d_features.py)."""

    weights: str | None  # of the RGB net, relative to the project; the demo: shipped, or null: trained in 2.2
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
    sensor_pairs: SensorPairs
    zero_shot: ZeroShot
    finetune: Finetune
    controls: Controls
    modalities: Modalities

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for section in ("asformer", "pretrain", "finetune"):
            if 0 < (seed := getattr(self, section).seed) < self.data.repeats:
                raise ValueError(f"{section}.seed: {seed} is that of a further training, as data.repeats is above it")
        beyond = sorted(set(self.controls.splits) - set(self.data.split_numbers))
        if beyond and {"4_2_controls", "4_5_scores_check"} & set(self.notebooks):
            raise ValueError(f"controls.splits names split {beyond[0]}, but data.splits is {self.data.splits}")
        return self
