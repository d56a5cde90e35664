"""The HTML report: executed notebooks become a Sphinx site that works from the file system, offline.

python -m lib.report --params params/demo.yaml        # rebuild the site alone
"""

import sys

from lib.batch.requirements import runnable, unusable
from lib.core.command import one_line, profile_parser
from lib.core.paths import ROOT
from lib.data.profile import open_profile
from lib.site.build import build


@one_line
def main(arguments: list[str] | None = None) -> int:
    options = profile_parser("report", "Build the site from executed notebooks.").parse_args(arguments)
    profile = open_profile(options.params)
    reasons = runnable(profile, unusable(profile))
    page = build(profile, {name: reason for name, reason in reasons.items() if reason})
    print(f"the report: {page.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
