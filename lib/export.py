"""`make export`: the report as files to hand on, a self-contained HTML file a section and one PDF of the whole.

    python -m lib.export --params params/demo.yaml        # outputs/demo/export/<section>.html, report.pdf

nbconvert makes the sections' HTML; a browser (Chromium or Chrome) prints the PDF. No file needs another or the network.
"""

import argparse
import sys

from lib.batch.requirements import relative, unable
from lib.core.command import one_line
from lib.data.profile import open_profile
from lib.site.export import ExportError, print_pdf, sections, whole, write_pages


@one_line
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lib.export", description="The report as HTML files and a PDF.")
    parser.add_argument("--params", default="params/demo.yaml", help="profile (default: %(default)s)")
    options = parser.parse_args()
    profile = open_profile(options.params)
    left_out = unable(profile)
    pages = sections(profile, left_out)
    folder = write_pages(profile, pages)
    print(f"{len(pages)} HTML files: {relative(folder)}/")
    try:
        print_pdf(whole(profile, pages, left_out), folder / "report.pdf")
    except ExportError as error:
        print(f"error: no {relative(folder / 'report.pdf')}: {error}", file=sys.stderr)
        return 1
    print(f"the whole: {relative(folder / 'report.pdf')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
