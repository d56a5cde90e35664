"""`make export`: the report as files to hand on, a self-contained HTML file per section and one PDF of the whole.

python -m lib.export --params params/demo.yaml        # outputs/demo/export/<section>.html, report.pdf
"""

import sys

from lib.batch.requirements import relative, unable
from lib.core.command import one_line, profile_parser
from lib.data.profile import open_profile
from lib.site.export import ExportError, document, print_pdf, sections, whole, write_pages


@one_line
def main(arguments: list[str] | None = None) -> int:
    options = profile_parser("export", "The report as HTML files and a PDF.").parse_args(arguments)
    profile = open_profile(options.params)
    left_out = unable(profile)
    pages = sections(profile, left_out)
    folder = write_pages(profile, pages)
    print(f"{len(pages)} HTML files: {relative(folder)}/")
    pdf = folder / "report.pdf"
    try:
        print_pdf(document(profile.params.title, whole(profile, pages, left_out)), pdf)
    except ExportError as error:
        print(f"error: no {relative(pdf)}: {error}", file=sys.stderr)
        return 1
    print(f"the whole: {relative(pdf)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
