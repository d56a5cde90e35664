"""The HTML report: executed notebooks become a site that works from the file system, offline."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from lib.batch.failures import troubled
from lib.batch.requirements import without
from lib.core.files import imported_modules, key
from lib.core.paths import ROOT, WEB
from lib.data.profile import Profile

STATIC = [ROOT / "README.md", *sorted(ROOT.glob("notebooks/guides/*.md")), *WEB.glob("*")]  # what pages are made of


def build(profile: Profile, left_out: Mapping[str, str]) -> Path:
    """Build the site of a profile, unless nothing has changed; returns the path of its index.html.

    Raises FileNotFoundError: no notebook has been executed yet.
    """
    failed = troubled(without(profile, left_out))
    whole = {name: profile.out.notebooks / name / "all.json" for name in profile.params.notebooks}
    names = [name for name in profile.params.notebooks if name in failed or whole[name].exists()]
    if not names:
        raise FileNotFoundError(
            f"{profile.out.notebooks.relative_to(ROOT)}: no executed notebook; run `make report` first"
        )
    index = profile.out.report / "index.html"
    made = [whole[name] for name in names if whole[name].exists()]
    made += {failure.notebook for ones in failed.values() for failure in ones}
    about = [names, profile.params.model_dump(mode="json"), dict(left_out)]
    about += [{name: [failure.summary for failure in ones] for name, ones in failed.items()}]
    code = [".".join(file.relative_to(ROOT / "lib").with_suffix("").parts) for file in imported_modules(Path(__file__))]
    state = key(about, [*code, "site.build"], [*made, *STATIC])
    stamp = profile.out.report / ".state"
    if index.exists() and stamp.exists() and stamp.read_text() == state:
        return index
    # slow to import, and most runs find the site up to date
    from lib.site.pages import page
    from lib.site.source import run_sphinx, write_source

    pages = {name: shown for name in names if (shown := page(name, profile.out, failed.get(name, ())))}
    source, site = profile.out.root / ".site", profile.out.root / ".site_built"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    write_source(profile, pages, left_out, failed, source)
    run_sphinx(source, site)
    (site / ".state").write_text(state)
    shutil.rmtree(profile.out.report, ignore_errors=True)
    site.rename(profile.out.report)
    for folder in (source, profile.out.root / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    return index
