"""The HTML report: executed notebooks -> a Sphinx site (lib/site/build.py) that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import argparse
import sys

from lib.batch.inspection import unusable
from lib.batch.requirements import runnable
from lib.core.params import ParameterError, load, profile_name
from lib.core.paths import ROOT, Outputs
from lib.notebook.language import UntranslatedError
from lib.site.build import build


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
