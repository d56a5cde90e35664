"""The notebooks: titles, what each reads, what must run before it. The report's table of contents and graph.

The headings are the thesis's, in English, and those of the chapters beyond it; the table is in chapters.yaml.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import yaml

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
    predicts: bool = False  # the conclusion reads its predictions
    claims: bool = False  # the conclusion reads the claims that it has checked


MANY = "2_6_pretrain_many_clusters"  # the longest chain of notebooks goes through it
_TABLE = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
CHAPTERS = {
    name: Chapter(**{field: tuple(value) if isinstance(value, list) else value for field, value in fields.items()})
    for name, fields in _TABLE.items()
}
PREDICTING = tuple(name for name, chapter in CHAPTERS.items() if chapter.predicts)
CLAIMING = tuple(name for name, chapter in CHAPTERS.items() if chapter.claims)
CHAPTERS["3_conclusion"] = replace(
    CHAPTERS["3_conclusion"], needs=(*PREDICTING, *CLAIMING), reads=("|".join(PREDICTING),)
)
TITLES = {name: chapter.title for name, chapter in CHAPTERS.items()}


def sections(name: str, params: Params) -> dict[str, dict]:
    """The parameters that a notebook reads, as JSON values."""
    return {section: getattr(params, section).model_dump(mode="json") for section in CHAPTERS[name].sections}


def atoms(params: Params) -> list[Atom]:
    """Everything that a profile runs."""
    return [(name, split) for name in params.notebooks for split in dict.fromkeys((*_parts(name, params), "all"))]


def needs(atom: Atom, params: Params) -> list[Atom]:
    """Atoms that must be done before `atom`: each split of a notebook if splits are jobs, otherwise its `all`.

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
