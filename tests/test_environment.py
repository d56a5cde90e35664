"""pyproject.toml, requirements.lock and environment.yml name the same packages at the same versions."""

import re
import tomllib

import yaml

from lib.core.paths import ROOT


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return {re.split(r"[\[=<>!~ ;]", name)[0] for name in names}


def locked() -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))


def test_lock_has_every_declared_package_with_hashes():
    assert declared() <= set(locked())
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())
    assert all("--hash=sha256:" in entry for entry in entries)


def test_environment_equals_pyproject_at_the_locked_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    pinned = dict(line.split("==") for line in pip if "==" in line)
    assert pinned == {name: locked()[name] for name in declared()}


def test_no_package_index_is_named():
    for name in ("requirements.lock", "environment.yml", "pyproject.toml", "Makefile"):
        assert not re.search(r"https?://|--index|--find-links", (ROOT / name).read_text()), name
