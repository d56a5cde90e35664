"""A training's key hashes listed modules; whatever else its module imports is known to have no effect on its numbers.

tests/keys.json names, for each key, the imported modules that it leaves out: those that only read, write or print, and
those whose results the key hashes as content (features, weights). A new import fails here until it has been listed in
`MADE_BY` or, with thought, there. Every change of it is a change of what retrains.
"""

import hashlib
import importlib
import json
from functools import cache
from pathlib import Path

import pytest

from lib.core import files
from lib.core.files import imported_modules, key
from lib.core.paths import ROOT

LEFT_OUT = json.loads((Path(__file__).parent / "keys.json").read_text())


def room_and_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT / "lib").with_suffix("").parts)


def test_every_key_is_listed():
    keyed = {room_and_name(file) for file in (ROOT / "lib").rglob("*.py") if "code=MADE_BY" in file.read_text()}
    assert keyed == LEFT_OUT.keys()


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_a_key_leaves_out(name):
    made_by = importlib.import_module(f"lib.{name}").MADE_BY
    file = ROOT.joinpath("lib", *name.split(".")).with_suffix(".py")
    imported = {room_and_name(one) for one in imported_modules(file) if one.stem != "__init__"} | {name}
    assert set(made_by) <= imported
    assert sorted(imported - set(made_by)) == LEFT_OUT[name]


def test_key_is_of_parameters_code_and_content(tmp_path):
    file = tmp_path / "input.npy"
    file.write_bytes(b"1")
    whole = key({"epochs": 1}, ["core.paths"], [file])
    assert whole == key({"epochs": 1}, ["core.paths"], [file])
    assert len({whole, key({"epochs": 2}, ["core.paths"], [file]), key({"epochs": 1}, ["core.files"], [file])}) == 3
    file.write_bytes(b"2")
    assert whole != key({"epochs": 1}, ["core.paths"], [file])


def test_a_modules_lists_are_a_part_of_it(monkeypatch):
    before, hashed = key({}, ["demo.talk"]), []
    monkeypatch.setattr("lib.core.files.sha256", lambda path: hashed.append(path.name) or "changed")
    assert before != key({}, ["demo.talk"])
    assert hashed == ["talk.yaml"]


def test_a_syntax_is_found_once_for_each_text(tmp_path, monkeypatch):
    """The answer outlives the process, and belongs to the text, not to the file."""
    monkeypatch.setattr(files, "REMEMBERED", tmp_path / ".sha256")
    monkeypatch.setattr(files, "_remembered", cache(files._remembered.__wrapped__))
    module, asked = tmp_path / "module.py", []
    monkeypatch.setattr(files, "syntax", lambda source: asked.append(source) or source)
    for text in ("a = 1", "a = 1", "a = 2"):
        module.write_text(text)
        files._remembered.cache_clear()
        assert files.syntax_hash(module) == hashlib.sha256(text.encode()).hexdigest()
    assert asked == ["a = 1", "a = 2"]
