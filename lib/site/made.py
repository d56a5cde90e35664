"""The page "How this was made", from the chapters' manifests: times, parameters, versions, data, graph of chapters."""

import html
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

import pandas as pd
import yaml

from lib.batch.plan import duration, named
from lib.core.chapters import TITLES, Atom, needs, number
from lib.core.files import key, read_json, revision, write_text
from lib.core.params import load
from lib.core.paths import ROOT
from lib.core.settings import Params
from lib.data.profile import Profile
from lib.notebook.markup import MADE, plain

PAPERS = ROOT / "params" / "papers.yaml"
THESIS = "params/50salads.yaml"
LISTED = 8  # a folder with more files has one line
# sections of the report itself, or of the demo alone
LEFT_OUT = ("title", "notice", "notebooks", "split_jobs", "data", "demo", "narration", "backbone", "mil_nce")


def write_made(profile: Profile, done: list[str], source: Path) -> list[str]:
    """Write the page; see lib.site.source.PAGES."""
    made = manifests(profile, done)
    if not made:
        return []
    versions = {name: version for one in made.values() for name, version in one["versions"].items()}
    total = sum(one["seconds"] for one in made.values())
    revisions = ", ".join(dict.fromkeys(f"`{one['revision']}`" for one in made.values()))
    parts = [
        "# How this was made",
        f"`make report PARAMS={profile.shown_file}` ran {len(made)} notebooks in {duration(total)} of computing, with "
        f"finished trainings reused, from revision {revisions}. The pages were built from `{revision()}`. Each row "
        "links to its manifest, which holds every parameter and the hash of every file that was read.",
        "## The order of the chapters",
        "An arrow leads to a chapter from those whose files it reads.",
        f'<div class="scroll" tabindex="0">{graph(before(profile.params, done))}</div>',
        "## Time and memory",
        "Memory: the largest process of a notebook at its peak.",
        _rows(
            ["notebook", "finished (UTC)", "took", "memory", "revision"], map(_atom_row, made, made.values()), ":--:"
        ),
        "## Hyperparameters",
        "All that differ here from the thesis (bold), and all that a paper or its code states. The thesis's are in "
        f"`{THESIS}`, as its code ran them; [one page](notebooks/guides/deviations.md) lists where its text differs.",
        _rows(["parameter", "here", "thesis", "paper"], hyperparameters(profile.params), ":--"),
        "## Versions",
        _rows(["package", "version"], [(name, versions[name]) for name in sorted(versions)], ":--"),
        "## Data and weights",
        "Files that no notebook made, with the first digits of their SHA-256.",
        _rows(["file", "SHA-256"], files(made.values()), ":--"),
    ]
    write_text(source / f"{MADE}.md", "\n\n".join(parts) + "\n")
    return [MADE]


def manifests(profile: Profile, done: Iterable[str]) -> dict[Atom, dict]:
    """Read the manifests of the chapters `done` and their splits, in the order of the report."""
    found = {}
    for name in done:
        for file in sorted((profile.out.notebooks / name).glob("[!.]*.json"), key=lambda file: (len(file.stem), file)):
            found[name, file.stem] = read_json(file)
    return found


def _atom_row(atom: Atom, made: Mapping) -> tuple[str, ...]:
    name, split = atom
    anchor, link = ("", f".{split}.json") if split != "all" else (f'<span id="{name}"></span>', ".json")
    memory = f"{made['peak_memory_mb']:,} MB" if "peak_memory_mb" in made else "–"
    title = f'{anchor}<a href="sources/{name}{link}">{named(atom)}</a>'
    return title, made["finished"][:16].replace("T", " "), duration(made["seconds"]), memory, f"`{made['revision']}`"


def hyperparameters(params: Params) -> list[tuple[str, str, str, str]]:
    """Rows (parameter, here, thesis, papers) of what differs from the thesis or is in params/papers.yaml.

    The demo's own sections have no counterpart and are left out.
    """
    here, thesis = (_flat(one.model_dump(mode="json")) for one in (params, load(THESIS)))
    papers = _flat(yaml.safe_load(PAPERS.read_text(encoding="utf-8")))
    rows = []
    for name, value in here.items():
        differs = value != thesis.get(name)
        if name.partition(".")[0] not in LEFT_OUT and (differs or name in papers):
            shown = f"**{_value(value)}**" if differs else _value(value)
            rows.append((f"`{name}`", shown, _value(thesis.get(name, "–")), _value(papers.get(name, "–"))))
    return rows


def _value(value: object) -> str:
    """Write a parameter's value for readers.

    >>> _value(None), _value([8, 15]), _value(5e-05), _value("published")
    ('none', '8, 15', '5e-05', 'published')
    """
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else plain(str(value))


def _flat(values: dict) -> dict[str, object]:
    """Flatten nested sections, with a dot between keys.

    >>> _flat({"a": {"b": 1, "c": {"d": 2}}, "e": [3]})
    {'e': [3], 'a.b': 1, 'a.c.d': 2}
    """
    return pd.json_normalize(values).to_dict("records")[0]


def files(made: Iterable[Mapping]) -> list[tuple[str, str]]:
    """Rows (file, hash) of what the notebooks read besides code; a folder of many files has one hash for all.

    >>> files([{"inputs": {"lib/a.py": "1", "params/b.yaml": "0123456789abcdef", "lib/c.json": "2"}}])
    [('`params/b.yaml`', '`0123456789ab`')]
    """
    read = {file: digest for one in made for file, digest in one["inputs"].items()}
    data = sorted(file for file in read if not file.startswith(("lib/", "notebooks/")))
    rows = []
    for folder, group in groupby(data, key=lambda file: file.rpartition("/")[0]):
        if len(names := list(group)) > LISTED:
            rows.append((f"`{folder}/`, {len(names)} files", f"`{key([[name, read[name]] for name in names])[:12]}`"))
        else:
            rows += [(f"`{name}`", f"`{read[name][:12]}`") for name in names]
    return rows


def before(params: Params, done: Iterable[str]) -> dict[str, list[str]]:
    """Find the chapters whose files each chapter reads, without those that it also reaches through others."""
    done = list(done)
    direct = {name: {other for other, _ in needs((name, "all"), params)} & {*done} - {name} for name in done}

    def behind(name: str) -> set[str]:
        return direct[name].union(*map(behind, direct[name]))

    return {name: sorted(ones - set().union(*map(behind, ones))) for name, ones in direct.items()}


STEP, ROW, BOX = 96, 44, (74, 28)  # pixels from column to column, row to row; a chapter's box


def graph(edges: Mapping[str, list[str]]) -> str:
    """Draw the chapters as an SVG, each to the right of those that it reads. `edges`: from `before`."""
    column: dict[str, int] = {}
    while len(column) < len(edges):
        column |= {
            name: 1 + max((column[one] for one in ones), default=-1)
            for name, ones in edges.items()
            if name not in column and column.keys() >= {*ones}
        }
    place = {
        name: (STEP * wide, ROW * [one for one in edges if column[one] == wide].index(name))
        for name, wide in column.items()
    }
    drawn = []
    for name, (x, y) in place.items():
        for other in edges[name]:
            left, top = place[other][0] + BOX[0], place[other][1] + BOX[1] / 2
            middle, level = (left + x) / 2, y + BOX[1] / 2
            drawn.append(f'<path d="M{left} {top}C{middle} {top} {middle} {level} {x} {level}"/>')
    arrows = f'<g class="arrows">{"".join(drawn)}</g>'
    boxes = "".join(
        f'<a href="{name}.html"><title>{html.escape(TITLES[name])}</title><rect x="{x}" y="{y}" width="{BOX[0]}" '
        f'height="{BOX[1]}"/><text x="{x + BOX[0] / 2}" y="{y + 19}">{number(name)}</text></a>'
        for name, (x, y) in place.items()
    )
    wide, high = (max(ends) + size for ends, size in zip(zip(*place.values(), strict=True), BOX, strict=True))
    return f'<svg class="pipeline" viewBox="-4 -4 {wide + 8} {high + 8}" role="group">{arrows}{boxes}</svg>'


def _rows(head: list[str], rows: Iterable[Iterable[str]], side: str) -> str:
    """Write a Markdown table."""
    lines = [head, [":--", *[side] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
