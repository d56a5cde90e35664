"""What tests share: real data and golden numbers lie beside the project, in ../shared, and are never copied into it."""

from pathlib import Path

import pytest
from hypothesis import settings

from lib.paths import ROOT

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real 50 Salads labels, predictions, scores and the golden files."""
    folder = ROOT.parent / "shared"
    if not folder.exists():
        pytest.skip(f"real data not found: {folder.name}/ is expected beside the project (see README, real data)")
    return folder
