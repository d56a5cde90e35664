"""The HTML report: executed notebooks -> a Sphinx site (lib/site_source.py) that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import argparse
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from lib.artifacts import key
from lib.chapter_page import page, troubles
from lib.inspection import unusable
from lib.language import CATALOGUE, UntranslatedError
from lib.params import ParameterError, load, profile_name
from lib.paths import ROOT, Outputs
from lib.requirements import runnable
from lib.sections import Params

STATIC = [ROOT / "README.md", CATALOGUE, *ROOT.glob("lib/report.*"), *ROOT.glob("lib/web/*")]  # what pages are made of


def build(params: Params, out: Outputs, left_out: Mapping[str, str]) -> Path:
    """Build (or leave, where nothing changed) the site of a profile.

    Args:
        left_out: chapters that cannot run on this machine, and why.

    Returns:
        The path of its index.html.

    Raises:
        FileNotFoundError: no notebook has been executed yet.
    """
    failed = troubles(params, out, left_out)
    whole = {name: out.notebooks / name / "all.json" for name in params.notebooks}
    names = [name for name in params.notebooks if name in failed or whole[name].exists()]
    if not names:
        raise FileNotFoundError(f"{out.notebooks.relative_to(ROOT)}: no executed notebook; run `make report` first")
    index = out.report / "index.html"
    made = [whole[name] for name in names if whole[name].exists()]
    made += {failure.notebook for ones in failed.values() for failure in ones}
    about = [names, params.model_dump(mode="json"), dict(left_out)]
    about += [{name: [failure.told for failure in ones] for name, ones in failed.items()}]
    state = key(about, ("lib.report",), [*made, *STATIC])
    stamp = out.report / ".state"
    if index.exists() and stamp.exists() and stamp.read_text() == state:
        return index
    from lib.site_source import run_sphinx, write_source  # slow to import, and most runs find the site as it should be

    pages = {name: shown for name in names if (shown := page(name, out, failed.get(name, ())))}
    source, site = out.root / ".site", out.root / ".site_built"
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    write_source(params, out, pages, left_out, failed, source)
    run_sphinx(source, site)
    (site / ".state").write_text(state)
    shutil.rmtree(out.report, ignore_errors=True)
    site.rename(out.report)
    for folder in (source, out.root / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    return index


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.report", description="Build the site from executed notebooks.")
    parser.add_argument("--params", default="params/demo.yaml")
    options = parser.parse_args()
    try:
        params, out = load(options.params), Outputs(profile_name(options.params))
        reasons = runnable(params, out, unusable(params, out))
        page = build(params, out, {name: reason for name, reason in reasons.items() if reason})
    except (ParameterError, FileNotFoundError, UntranslatedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"the report: {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
