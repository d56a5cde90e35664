"""Whether an atom's result comes from the present code, parameters and files: decided by content, never by date.

An atom's manifest records what it read: the parameters of its sections; the SHA-256 of its notebook, of each module and
of each file; and `after`, the `made_by` of every atom that it depends on. An atom is fresh if all of this is unchanged.

`made_by` hashes what can change a result that another atom reads: parameters, files, and the code without its prose. A
corrected sentence therefore remakes only its own page, and an atom remade from the same inputs leaves later ones fresh.
"""

from collections.abc import Mapping
from pathlib import Path

from lib.batch.requirements import input_files, relative
from lib.core.chapters import Atom, needs, number, sections
from lib.core.files import imported_modules, key, lists_of, read_json, sha256, syntax_hash, write_json
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile

SHOWN = 3  # names in a reason


def manifest_file(out: Outputs, atom: Atom) -> Path:
    return out.notebooks / atom[0] / f"{atom[1]}.json"


def read_manifest(out: Outputs, atom: Atom) -> dict | None:
    """Read the manifest of an atom; None if it has not been made."""
    return read_json(manifest_file(out, atom), optional=True) or None


def mark_unfinished(out: Outputs, atom: Atom) -> None:
    """Mark an atom before it runs again, so that nothing it leaves behind when killed passes for a result."""
    if kept := read_manifest(out, atom):
        write_json(manifest_file(out, atom), kept | {"unfinished": True})


def read_by(name: str, profile: Profile) -> dict:
    """Collect what a chapter reads at present, in the form of a manifest."""
    source = ROOT / "notebooks" / f"{name}.py"
    code = [source, *sorted(imported_modules(source))]
    lists = {relative(file): sha256(file) for module in code for file in lists_of(module)}
    files = lists | {file: sha256(ROOT / file) for file in input_files(name, profile)}
    parameters = sections(name, profile.params)
    return {
        "parameters": parameters,
        "inputs": {relative(file): sha256(file) for file in code} | files,
        "made_by": key([parameters, files, sorted(map(syntax_hash, code))]),
    }


def stands_on(atom: Atom, profile: Profile) -> dict[str, str | None]:
    """Collect `made_by` of all atoms whose results this one reads, directly or not; None if one cannot be trusted."""
    found: dict[str, str | None] = {}
    for other in needs(atom, profile.params):
        if kept := read_manifest(profile.out, other):
            sound = not (kept["overrides"] or kept.get("unfinished"))
            own = {"/".join(other): kept.get("made_by") if sound else None}
            for name, made_by in (kept.get("after", {}) | own).items():
                # two atoms made from different results of a third do not fit together
                found[name] = made_by if found.get(name, made_by) == made_by else None
    return found


def reason(kept: dict | None, now: dict, before: Mapping[Atom, str]) -> str:
    """Say why an atom must be made; "" if it is fresh.

    Args:
        now: what its chapter reads at present (`read_by`).
        before: `made_by`, at present, of each atom that it depends on.

    >>> now = {"parameters": {"data": {"fps": 15}}, "inputs": {"a.txt": "1", "b.txt": "2"}}
    >>> kept = now | {"overrides": [], "after": {"2_1_datasets/all": "x"}}
    >>> reason(kept, now, {("2_1_datasets", "all"): "x"}), reason(kept, now, {("2_1_datasets", "all"): "y"})
    ('', 'after 2.1')
    >>> reason(kept, {"parameters": {"data": {"fps": 30}}, "inputs": {"a.txt": "3"}}, {})
    'changed: parameters of data, a.txt; no longer reads b.txt'
    """
    if kept is None:
        return "not run yet"
    if kept.get("unfinished"):
        return "was interrupted"
    if kept["overrides"]:
        return "was made by hand with other parameters"
    old, new = kept["inputs"], now["inputs"]
    values, then = now["parameters"], kept.get("after", {})
    changed = [f"parameters of {name}" for name in values if kept["parameters"].get(name) != values[name]]
    changed += [file for file in new if file in old and old[file] != new[file]]
    after = [number(other[0]) for other, made_by in before.items() if then.get("/".join(other)) != made_by]
    parts = {
        "changed: ": changed,
        "reads for the first time ": [file for file in new if file not in old],
        "no longer reads ": [file for file in old if file not in new],
        "after ": list(dict.fromkeys(after)),
    }
    return "; ".join(words + _first(names) for words, names in parts.items() if names)


def _first(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
