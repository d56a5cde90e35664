"""The HTML report: executed notebooks become a Sphinx site that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import argparse
import sys

from lib.batch.inspection import unusable
from lib.batch.requirements import runnable
from lib.core.params import ParameterError
from lib.core.paths import ROOT
from lib.data.profile import open_profile
from lib.site.build import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.report", description="Build the site from executed notebooks.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    try:
        profile = open_profile(parser.parse_args().params)
        reasons = runnable(profile, unusable(profile))
        page = build(profile, {name: reason for name, reason in reasons.items() if reason})
    except (ParameterError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"the report: {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
