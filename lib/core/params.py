"""Profiles: YAML files that hold only their differences from defaults.yaml, checked against lib/core/settings.py.

An unknown key, a wrong type or a value out of range raises `ParameterError` with one line: the key, the file, and what
would be correct.
"""

import difflib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lib.core.chapters import CHAPTERS
from lib.core.files import write_text
from lib.core.paths import ROOT, Outputs
from lib.core.settings import Params

LARGEST = 100_000  # bytes of a profile
SHOWN = 200  # characters of a wrong value
TABLES = ("published", "papers", "sources")  # files of params/ that are not profiles


class ParameterError(ValueError):
    """A parameter file, key or value that cannot be used; the message is one line for the user."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain values: `1e-4` is a number; `yes`, `1:30`, `.inf` and dates are strings. Keys are unique."""

    yaml_implicit_resolvers: ClassVar = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            raise ParameterError(f"line {event.start_mark.line + 1}: profiles have no tags, anchors or aliases")
        return super().compose_node(parent, index)

    def construct_yaml_int(self, node: Any) -> int:
        return int(self.construct_scalar(node))

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            name, line = self.construct_object(key, deep=True), key.start_mark.line + 1
            if not isinstance(name, str) or name in seen:
                fault = "occurs twice" if isinstance(name, str) else "is not a string"
                raise ParameterError(f"line {line}: the key {name!r} {fault}")
            seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
for _kind, _form, _first in (
    ("null", r"~|null|", ("~", "n", "")),
    ("bool", r"true|false", ("t", "f")),
    ("int", r"[-+]?[0-9]{1,18}", (*"-+0123456789",)),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", (*"-+.0123456789",)),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_form})$"), list(_first))


def _parse(text: str) -> Any:
    """Parse a YAML text.

    Raises ParameterError: not YAML, or with what no profile needs: tags, anchors, hundreds of levels.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ParameterError("not a profile: too deeply nested") from None


def load(path: str | Path, overrides: Sequence[str] = ()) -> Params:
    """Read a profile: defaults.yaml, the file's differences, then overrides as `section.key=value`.

    A file may name another beside it, `extends: demo.yaml`; its values are then the differences from that one.

    Raises ParameterError: the file, a key or a value cannot be used; the line says what would be correct.
    """
    path = ROOT / path
    values = _read(path)
    if base := values.pop("extends", None):
        values = _merge(_read(path.parent / str(base)), values)
    values = _merge(_read(ROOT / "params" / "defaults.yaml"), values)
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise ParameterError(f"--set {override}: write it as section.key=value")
        try:
            branch = _parse(text)
        except ParameterError as error:
            raise ParameterError(f"--set {override}: {error}") from None
        for section in reversed(name.split(".")):
            branch = {section: branch}
        values = _merge(values, branch)
    try:
        # as JSON, where strict types still take a list for a tuple and 3 for 3.0
        text = json.dumps(values, allow_nan=False, ensure_ascii=False)
        params = Params.model_validate_json(text.encode(), strict=True)
    except ValidationError as error:
        raise ParameterError(_explain(error, path, overrides)) from None
    except ValueError:
        raise ParameterError(f"{path.name}: holds a number or a character that JSON cannot") from None
    known = [name for name in dict.fromkeys(params.notebooks) if name in CHAPTERS]
    if not known or known != [*params.notebooks]:
        raise ParameterError(f"{path.name}: notebooks: expected some of {', '.join(CHAPTERS)}, each once")
    return params


def outputs_of(path: str | Path) -> Outputs:
    """Folder for a profile's results, named after its file. Raises ParameterError: it holds those of another file."""
    out = Outputs(Path(path).stem)
    owner = (ROOT / out.owner.read_text(encoding="utf-8")).resolve() if out.owner.exists() else None
    if owner and owner.exists() and owner != (ROOT / path).resolve():
        found = f"outputs/{out.profile}/ holds the results of {owner}"
        raise ParameterError(f"{path}: {found}; rename one of the two files")
    return out


def claim(out: Outputs, path: str | Path) -> None:
    """Record whose outputs these are, before anything is written into them."""
    write_text(out.owner, os.path.relpath((ROOT / path).resolve(), ROOT))


def _read(path: Path) -> dict:
    try:
        if path.stat().st_size > LARGEST:
            raise ParameterError(f"over {LARGEST // 1000} kB, which no profile needs")
        values = _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        present = ", ".join(sorted(file.name for file in (ROOT / "params").glob("*.yaml") if file.stem not in TABLES))
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); params/ has: {present}") from None
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path}: not UTF-8 text ({error})") from None
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from None
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
    """The first fault as one line. It is the profile's, because a test ensures that defaults.yaml is valid."""
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    source = f"{path.name} or --set" if overrides else str(path.name)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _known(location[:-1]), n=1, cutoff=0.0)
        nearest = f"; the nearest valid key is '{near[0]}'" if near else ""
        return f"{source}: unknown key '{'.'.join(location)}'{nearest}"
    # raised by a section as a whole: it names the value
    if first["type"] == "value_error":
        return f"{source}: {': '.join([*location, first['msg'].removeprefix('Value error, ')])}"
    got = "" if first["type"] == "missing" else f", got {repr(first['input'])[:SHOWN]}"
    return f"{source}: '{'.'.join(location)}': {first['msg']}{got}"


def _known(location: Sequence[str]) -> list[str]:
    """Field names of the section at `location`, whose parts are fields and keys of dictionaries."""
    section: type[BaseModel] = Params
    for part in location:
        if part in section.model_fields:
            kind = section.model_fields[part].annotation
            models = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
            section = models[0] if models else section
    return list(section.model_fields)
