"""Where to get what this project reads but does not contain: params/sources.yaml."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from lib.core.paths import ROOT

NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Source:
    """Source of something that the project reads."""

    address: str = NOT_KNOWN  # a link, or how it is made
    size: str = NOT_KNOWN  # on the disk
    licence: str = NOT_KNOWN  # of the data or weights; if that is not known, of the code that they came with
    checksum: str | None = None  # "<algorithm>:<hexadecimal digest>" of the file


@cache
def tables() -> dict[str, Any]:
    """Read the tables of sources.yaml: sources, downloads, spatial_cnn (an address), published, instructions."""
    return yaml.safe_load((ROOT / "params" / "sources.yaml").read_text(encoding="utf-8"))


def source(name: str) -> Source:
    """Look up the source of a requirement, e.g. "features 50salads"; all "not known" if the file does not name it."""
    return Source(**tables()["sources"].get(name, {}))
