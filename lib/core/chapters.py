"""The notebooks: titles, what each reads, what must run before it. The report's table of contents and graph.

The headings are the thesis's, in English, and those of the chapters beyond it.
"""

from dataclasses import dataclass

from lib.core.settings import Params

Atom = tuple[str, str]  # notebook name; split: "1" … or "all"


@dataclass(frozen=True)
class Chapter:
    """One notebook."""

    title: str
    sections: tuple[str, ...]  # parameter sections that it reads; a change of another section does not re-run it
    per_split: bool = False  # it also runs once per split, before `all` collates them
    needs: tuple[str, ...] = ()  # notebooks that run before it, if the profile has them, because it reads their files
    # the same for the demo, whose videos, weights and features are made by other notebooks
    demo_needs: tuple[str, ...] = ()
    # what it requires if the data set is user-supplied: names from lib/batch/requirements.py, and notebooks; `a|b`
    # means either, and the first one present is read
    reads: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()  # what it reads if it is present: requirements, and keys of `data` that name folders
    # what its numbers describe, if not the profile's data set; otherwise it reads labels and splits too
    about: str | None = None


MULTIMODAL = ("data", "demo", "narration", "howto100m", "s3d", "mil_nce", "videoclip", "pretrain")
TRANSFER = (*MULTIMODAL, "zero_shot")
VIDEOCLIP, MANY = "2_4_videoclip", "2_6_pretrain_many_clusters"
PRETRAINED = (VIDEOCLIP, MANY)
BY_OWN = (VIDEOCLIP, "weights own|run own", "bert")
BY_PUBLIC = (VIDEOCLIP, "weights public|run public", "bert")
PREDICTING = (
    "2_3_1_public_features",
    "2_3_2_feature_extraction",
    "2_3_3_baseline",
    "2_8_1_zero_shot_own",
    "2_8_2_zero_shot_public",
    "2_9_1_finetune_own",
    "2_9_2_finetune_public",
)
CLAIMING = (
    "2_5_pretrain_one_cluster",
    "2_6_pretrain_many_clusters",
    "2_7_video_branch",
    "2_8_3_error_analysis",
    "4_1_audit",
)


def _trained(recipe: str) -> tuple[str, ...]:
    """A finished pre-training or, until there is one, its corpus."""
    return f"run {recipe}", f"run {recipe}|captions", f"run {recipe}|narrated {recipe}"


CHAPTERS = {
    "2_1_datasets": Chapter(
        "2.1 Data sets", ("data", "demo", "narration"), optional=("real_labels", "real_captions", "sensors")
    ),
    "2_2_asformer": Chapter("2.2 The baseline: I3D and ASFormer", ("data", "demo", "i3d", "backbone", "asformer")),
    "2_3_1_public_features": Chapter(
        "2.3.1 Training on public features",
        ("data", "asformer"),
        per_split=True,
        demo_needs=("2_1_datasets", "2_3_2_feature_extraction"),
        reads=("features",),
    ),
    "2_3_2_feature_extraction": Chapter(
        "2.3.2 Extracting the features",
        ("data", "demo", "i3d", "backbone", "asformer"),
        per_split=True,
        demo_needs=("2_1_datasets", "2_2_asformer"),
        reads=("videos", "i3d"),
    ),
    "2_3_3_baseline": Chapter(
        "2.3.3 The baseline on own features",
        ("data", "asformer"),
        per_split=True,
        needs=("2_3_2_feature_extraction",),
        reads=("2_3_2_feature_extraction",),
    ),
    VIDEOCLIP: Chapter(
        "2.4 The multimodal model: S3D and VideoCLIP",
        MULTIMODAL,
        demo_needs=("2_1_datasets",),
        reads=("videos", "s3d", "words", "bert"),
    ),
    "2_5_pretrain_one_cluster": Chapter(
        "2.5 Pre-training, one cluster per update", MULTIMODAL, needs=(VIDEOCLIP,), reads=_trained("one_cluster")
    ),
    MANY: Chapter(
        "2.6 Pre-training, seven clusters per update",
        (*MULTIMODAL, "experiment"),
        needs=(VIDEOCLIP,),
        demo_needs=("2_5_pretrain_one_cluster",),
        reads=(VIDEOCLIP, *_trained("own"), "weights public|run public", "bert"),
    ),
    "2_7_video_branch": Chapter("2.7 The video branch", TRANSFER, needs=PRETRAINED, reads=BY_OWN),
    "2_8_1_zero_shot_own": Chapter("2.8.1 Zero-shot transfer, own weights", TRANSFER, needs=PRETRAINED, reads=BY_OWN),
    "2_8_2_zero_shot_public": Chapter(
        "2.8.2 Zero-shot transfer, public weights",
        TRANSFER,
        needs=(*PRETRAINED, "2_8_1_zero_shot_own"),
        reads=BY_PUBLIC,
    ),
    "2_8_3_error_analysis": Chapter(
        "2.8.3 Error analysis",
        ("data",),
        needs=("2_8_1_zero_shot_own", "2_8_2_zero_shot_public"),
        reads=("2_8_1_zero_shot_own|2_8_2_zero_shot_public",),
    ),
    "2_9_1_finetune_own": Chapter(
        "2.9.1 Fine-tuning, own weights", (*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED, reads=BY_OWN
    ),
    "2_9_2_finetune_public": Chapter(
        "2.9.2 Fine-tuning, public weights", (*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED, reads=BY_PUBLIC
    ),
    # reads the predictions of every chapter that has written some, and the claims that any chapter has checked
    "3_conclusion": Chapter(
        "3 Conclusion",
        ("data", "finetune"),
        needs=(*PREDICTING, *CLAIMING),
        reads=("|".join(PREDICTING),),
    ),
    "4_1_audit": Chapter(
        "4.1 An audit of the thesis's numbers",
        ("data",),
        optional=("real_labels", "real_predictions"),
        about="The thesis's published numbers",
    ),
    "4_2_controls": Chapter(
        "4.2 The controls that the thesis lacked",
        (*TRANSFER, "i3d", "backbone", "asformer", "finetune", "controls"),
        needs=(*PRETRAINED, *PREDICTING[:3], "2_9_1_finetune_own"),
        reads=("2_3_2_feature_extraction", *BY_OWN),
    ),
    "4_3_real_modalities": Chapter(
        "4.3 Video and sensors on real videos",
        ("data", "asformer", "modalities"),
        per_split=True,
        reads=("features", "sensors"),
    ),
    "4_4_pairs": Chapter(
        "4.4 Pre-training on real pairs of video and sensors",
        ("data", "asformer", "pretrain", "sensor_pairs"),
        per_split=True,
        reads=("features", "sensors"),
    ),
    "4_5_scores_check": Chapter(
        "4.5 The protocol of 4.2 on real videos",
        ("data", "asformer", "finetune", "controls"),
        needs=("2_3_1_public_features",),
        reads=("features",),
    ),
}
TITLES = {name: chapter.title for name, chapter in CHAPTERS.items()}


def sections(name: str, params: Params) -> dict[str, dict]:
    """The parameters that a notebook reads, as JSON values."""
    return {section: getattr(params, section).model_dump(mode="json") for section in CHAPTERS[name].sections}


def atoms(params: Params) -> list[Atom]:
    """All atoms (notebook, split) that a profile runs."""
    return [(name, split) for name in params.notebooks for split in dict.fromkeys((*_parts(name, params), "all"))]


def needs(atom: Atom, params: Params) -> list[Atom]:
    """Atoms that must be done before `atom`: every split of a notebook if splits are jobs, otherwise its `all`.

    Chapter 3 also reads what the `all` of each chapter has written: claims, and in 2.3.2 the ways to trim.
    """
    name, split = atom
    before = CHAPTERS[name].needs + (CHAPTERS[name].demo_needs if params.data.source == "demo" else ())
    found = [(other, part) for other in before if other in params.notebooks for part in _parts(other, params)]
    if name == "3_conclusion":
        found = list(dict.fromkeys([*found, *((other, "all") for other in before if other in params.notebooks)]))
    return found + [(name, part) for part in _parts(name, params) if "all" == split != part]


def _parts(name: str, params: Params) -> tuple[str, ...]:
    """Jobs of a notebook that make the files other notebooks read from it."""
    return tuple(map(str, params.data.split_numbers)) if CHAPTERS[name].per_split and params.split_jobs else ("all",)


def number(notebook: str) -> str:
    """Section number of a notebook.

    >>> number("2_8_2_zero_shot_public")
    '2.8.2'
    """
    return ".".join(part for part in notebook.split("_") if part.isdecimal())
