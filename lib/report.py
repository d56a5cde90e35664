"""The HTML report: executed notebooks become a Sphinx site that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import argparse
import sys

from lib.batch.requirements import runnable, unusable
from lib.core.command import one_line
from lib.core.paths import ROOT
from lib.data.profile import open_profile
from lib.site.build import build


@one_line
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.report", description="Build the site from executed notebooks.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    profile = open_profile(parser.parse_args().params)
    reasons = runnable(profile, unusable(profile))
    page = build(profile, {name: reason for name, reason in reasons.items() if reason})
    print(f"the report: {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
