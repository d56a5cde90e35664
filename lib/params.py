"""Parameters: strict models, one section a concern; a profile holds only its differences from defaults.yaml.

An unknown key, a wrong type or a value out of range raises `ParameterError` with one line: the key, the file, and what
would be right. The sections themselves are in lib/sections.py.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from lib.dataset import Dataset, open_dataset
from lib.language import UntranslatedError, translate
from lib.paths import ROOT, Outputs
from lib.sections import Params


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
        params = Params.model_validate(values)
        translate(params.title, params.language)
    except ValidationError as error:
        raise ParameterError(_explain(error, path, overrides)) from None
    except UntranslatedError as error:
        raise ParameterError(f"{path.name}: 'title': {error}, or write the title in Russian") from None
    return params


def profile_name(path: str | Path) -> str:
    """Name of the output folder: the profile file's name without its ending."""
    return Path(path).stem


def first_folder(roots: Sequence[str]) -> Path | None:
    """The first of the folders that is there."""
    return next((ROOT / root for root in roots if (ROOT / root).is_dir()), None)


def data_root(params: Any, out: Outputs) -> Path:
    """Folder of the data set: rendered into the outputs, or the first of `data.roots` that exists.

    Args:
        params: all sections, or a notebook's part of them.

    Raises:
        ParameterError: none of them exists.
    """
    if params.data.source == "demo":
        return out.data
    if root := first_folder(params.data.roots):
        return root.resolve()
    raise ParameterError(
        f"data.roots: no data set at {' or '.join(params.data.roots)}; "
        "`.venv/bin/python -m lib.fetch 50salads` (or 50salads_scores) brings it or says how"
    )


def public_dataset(params: Any, out: Outputs) -> Dataset:
    """The data set with its public features. The demo's outlast the labels, so they are cut; released ones must fit.

    Args:
        params: all sections, or a notebook's part of them.
    """
    data = params.data
    trim = "end" if data.source == "demo" else None
    return open_dataset(data_root(params, out), data.public_features, data.fps, trim, data.splits)


def narrated_root(params: Params, out: Outputs) -> Path:
    """Folder of the narrated videos.

    Raises:
        ParameterError: none of `howto100m.roots` exists.
    """
    if params.data.source == "demo":
        return out.narrated
    if root := first_folder(params.howto100m.roots):
        return root
    raise ParameterError(
        f"howto100m.roots: nothing at {' or '.join(params.howto100m.roots)}; what has to be where: README, Pre-training"
    )


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
