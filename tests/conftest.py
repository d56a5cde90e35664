"""What tests share. Real data lie beside the project, in ../shared, and are never copied into it."""

from pathlib import Path

import pytest
from hypothesis import settings

from lib.core.paths import ROOT

# the longest: beside others from the beginning, not alone at the end
FIRST = ("test_smoke", "test_batch", "test_schedule")

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in FIRST)


@pytest.fixture(scope="module")
def browser():
    """The browser that `make export` would use, without a window."""
    from browser import launched  # what few tests need is slow to import

    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def tokenizer():
    """Word pieces of the text tower that the demo starts from."""
    from narrated_data import minilm_tokenizer

    return minilm_tokenizer()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real 50 Salads labels, predictions, scores and the golden files."""
    folder = ROOT.parent / "shared"
    if not folder.exists():
        pytest.skip(f"real data not found: {folder.name}/ is expected beside the project")
    return folder
