"""The notebooks, what each reads and needs: the report's table of contents and the schedule's graph, in one place.

Headings of the chapters: the thesis's own, in English, and of those beyond it.
"""

from dataclasses import dataclass

from lib.core.settings import Params

Atom = tuple[str, str]  # notebook name; split: "1" … or "all"


@dataclass(frozen=True)
class Chapter:
    """One notebook.

    Attributes:
        sections: parameter sections that it reads; a change of another section does not re-run it.
        per_split: it also runs once a split, before `all` collates them.
        needs: notebooks whose files it reads.
        demo_needs: the same where the data set is the demo, whose videos, weights and features other notebooks make.
        public_features: it reads the features that were brought, of `data.public_features`.
        about: what its numbers are, where they are not of the profile's data set.
    """

    sections: tuple[str, ...]
    per_split: bool = False
    needs: tuple[str, ...] = ()
    demo_needs: tuple[str, ...] = ()
    public_features: bool = False
    about: str | None = None


MULTIMODAL = ("data", "demo", "narration", "howto100m", "s3d", "mil_nce", "videoclip", "pretrain")
TRANSFER = (*MULTIMODAL, "zero_shot")
MANY = "2_6_pretrain_many_clusters"
PRETRAINED = ("2_4_videoclip", MANY)

CHAPTERS = {
    "2_1_datasets": Chapter(("data", "demo", "narration")),
    "2_2_asformer": Chapter(("data", "demo", "i3d", "backbone", "asformer")),
    "2_3_1_public_features": Chapter(
        ("data", "asformer"),
        per_split=True,
        demo_needs=("2_1_datasets", "2_3_2_feature_extraction"),
        public_features=True,
    ),
    "2_3_2_feature_extraction": Chapter(
        ("data", "demo", "i3d", "backbone", "asformer"), per_split=True, demo_needs=("2_1_datasets", "2_2_asformer")
    ),
    "2_3_3_baseline": Chapter(("data", "asformer"), per_split=True, needs=("2_3_2_feature_extraction",)),
    "2_4_videoclip": Chapter(MULTIMODAL, demo_needs=("2_1_datasets",)),
    "2_5_pretrain_one_cluster": Chapter(MULTIMODAL, needs=("2_4_videoclip",)),
    "2_6_pretrain_many_clusters": Chapter((*MULTIMODAL, "experiment"), needs=("2_4_videoclip",)),
    "2_7_video_branch": Chapter(TRANSFER, needs=PRETRAINED),
    "2_8_1_zero_shot_own": Chapter(TRANSFER, needs=PRETRAINED),
    "2_8_2_zero_shot_public": Chapter(TRANSFER, needs=(*PRETRAINED, "2_8_1_zero_shot_own")),
    "2_8_3_error_analysis": Chapter(("data",), needs=("2_8_1_zero_shot_own", "2_8_2_zero_shot_public")),
    "2_9_1_finetune_own": Chapter((*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED),
    "2_9_2_finetune_public": Chapter((*TRANSFER, "finetune"), per_split=True, needs=PRETRAINED),
    "3_conclusion": Chapter(
        ("data", "finetune"),
        needs=(
            "2_3_1_public_features",
            "2_3_2_feature_extraction",
            "2_3_3_baseline",
            "2_8_1_zero_shot_own",
            "2_8_2_zero_shot_public",
            "2_9_1_finetune_own",
            "2_9_2_finetune_public",
        ),
    ),
    "4_1_audit": Chapter(("data",), about="The thesis's published numbers, and real labels of 50 Salads"),
    "4_2_controls": Chapter(
        (*TRANSFER, "i3d", "backbone", "asformer", "finetune", "controls"),
        needs=(
            *PRETRAINED,
            "2_3_1_public_features",
            "2_3_2_feature_extraction",
            "2_3_3_baseline",
            "2_9_1_finetune_own",
        ),
    ),
    "4_3_scores_check": Chapter(
        ("data", "asformer", "finetune", "controls"), needs=("2_3_1_public_features",), public_features=True
    ),
}


def atoms(params: Params) -> list[Atom]:
    """Everything that a profile runs."""
    return [(name, split) for name in params.notebooks for split in dict.fromkeys((*_parts(name, params), "all"))]


def needs(atom: Atom, params: Params) -> list[Atom]:
    """Atoms that must be done before `atom`: a notebook's splits where they are jobs (not its tables), else it all."""
    name, split = atom
    chapter = CHAPTERS[name]
    before = [other for other in (*chapter.needs, *_demo_needs(chapter, params)) if other in params.notebooks]
    found = [(other, part) for other in before for part in _parts(other, params)]
    if split == "all":
        found += [(name, part) for part in _parts(name, params) if part != "all"]
    return found


def _parts(name: str, params: Params) -> tuple[str, ...]:
    """Jobs that make what a notebook is read for."""
    return tuple(map(str, params.data.split_numbers)) if CHAPTERS[name].per_split and params.split_jobs else ("all",)


def _demo_needs(chapter: Chapter, params: Params) -> tuple[str, ...]:
    return chapter.demo_needs if params.data.source == "demo" else ()


TITLES = {
    "2_1_datasets": "2.1 Data sets",
    "2_2_asformer": "2.2 The baseline: I3D and ASFormer",
    "2_3_1_public_features": "2.3.1 Training on public features",
    "2_3_2_feature_extraction": "2.3.2 Extracting the features",
    "2_3_3_baseline": "2.3.3 The baseline on own features",
    "2_4_videoclip": "2.4 The multimodal model: S3D and VideoCLIP",
    "2_5_pretrain_one_cluster": "2.5 Pre-training, one cluster per update",
    "2_6_pretrain_many_clusters": "2.6 Pre-training, seven clusters per update",
    "2_7_video_branch": "2.7 The video branch",
    "2_8_1_zero_shot_own": "2.8.1 Zero-shot transfer, own weights",
    "2_8_2_zero_shot_public": "2.8.2 Zero-shot transfer, public weights",
    "2_8_3_error_analysis": "2.8.3 Error analysis",
    "2_9_1_finetune_own": "2.9.1 Fine-tuning, own weights",
    "2_9_2_finetune_public": "2.9.2 Fine-tuning, public weights",
    "3_conclusion": "3 Conclusion",
    "4_1_audit": "4.1 An audit of the thesis's numbers",
    "4_2_controls": "4.2 The controls that the thesis lacked",
    "4_3_scores_check": "4.3 The same protocol on real videos",
}


def number(notebook: str) -> str:
    """Section of the thesis of a notebook.

    >>> number("2_8_2_zero_shot_public")
    '2.8.2'
    """
    return ".".join(part for part in notebook.split("_") if part.isdecimal())
