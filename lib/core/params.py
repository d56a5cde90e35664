"""Parameters: strict models, one section a concern; a profile holds only its differences from defaults.yaml.

An unknown key, a wrong type or a value out of range raises `ParameterError` with one line: the key, the file, and what
would be right. The sections themselves are in lib/core/settings.py.
"""

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from lib.core.files import write_text
from lib.core.paths import ROOT, Outputs
from lib.core.settings import Params


class ParameterError(ValueError):
    """A parameter file, key or value that cannot be used; the message is one line for the user."""


def load(path: str | Path, overrides: Sequence[str] = ()) -> Params:
    """Read defaults.yaml, lay the profile file's differences over it, then `section.key=value` overrides, and check.

    Raises:
        ParameterError: one line that names the key, the file and what would be right.
    """
    path = ROOT / path
    values = _merge(_read(ROOT / "params" / "defaults.yaml"), _read(path))
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise ParameterError(f"--set {override}: write it as section.key=value")
        branch: dict = {}
        leaf = branch
        *sections, last = name.split(".")
        for section in sections:
            leaf = leaf.setdefault(section, {})
        try:
            leaf[last] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ParameterError(f"--set {override}: {text!r} is not a value (YAML)") from None
        values = _merge(values, branch)
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParameterError(_explain(error, path, overrides)) from None


def outputs_of(path: str | Path) -> Outputs:
    """Where the results of a profile lie: a folder with the file's name, without its ending.

    Raises:
        ParameterError: they are another file's, of the same name in another folder.
    """
    out = Outputs(Path(path).stem)
    owner = (ROOT / out.owner.read_text(encoding="utf-8")).resolve() if out.owner.exists() else None
    if owner and owner.exists() and owner != (ROOT / path).resolve():
        raise ParameterError(
            f"{path}: outputs/{out.profile}/ holds the results of {owner}; rename one of the two files"
        )
    return out


def claim(out: Outputs, path: str | Path) -> None:
    """Note whose the outputs are, before anything is written into them."""
    write_text(out.owner, os.path.relpath((ROOT / path).resolve(), ROOT))


def _read(path: Path) -> dict:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(sorted(file.name for file in (ROOT / "params").glob("*.yaml")))
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); params/ has: {there}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ParameterError(f"{path}: expected `key: value` lines, found {type(values).__name__}")
    return values


def _merge(base: dict, changes: dict) -> dict:
    merged = dict(base)
    for name, value in changes.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict)
        merged[name] = _merge(base[name], value) if nested else value
    return merged


def _explain(error: ValidationError, path: Path, overrides: Sequence[str]) -> str:
    """The first finding as one line; `path` is named since defaults.yaml itself is held valid by a test."""
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    source = f"{path.name} or --set" if overrides else str(path.name)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _known(location[:-1]), n=1, cutoff=0.0)
        return f"{source}: unknown key '{'.'.join(location)}'; the nearest valid key is '{near[0]}'"
    if first["type"] == "value_error":  # ours, of a section as a whole: it says what it got
        return f"{source}: {': '.join([*location, first['msg'].removeprefix('Value error, ')])}"
    got = "" if first["type"] == "missing" else f", got {first['input']!r}"
    return f"{source}: '{'.'.join(location)}': {first['msg']}{got}"


def _known(location: Sequence[str]) -> list[str]:
    """Field names of the section at `location`."""
    section: type[BaseModel] = Params
    for part in location:
        section = section.model_fields[part].annotation  # type: ignore[assignment]
    return list(section.model_fields)
