"""The site's source for Sphinx (MyST-NB, book theme), and Sphinx's run: all parts are files, nothing is fetched."""

import shutil
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import bokeh
from nbformat import NotebookNode

from lib.batch.failures import Failure
from lib.core.files import write_text
from lib.core.paths import ROOT, WEB
from lib.data.profile import Profile
from lib.notebook.markup import heading
from lib.site import appendix, explorer, front, made
from lib.site.pages import write_chapters

CONF = """
project = {title!r}
author = ""
extensions = ["myst_nb"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3  # so that guides can link to each other's headings
nb_merge_streams = True
nb_output_stderr = "remove"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
html_theme = "sphinx_book_theme"
html_title = {title!r}
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["report.css"]
html_js_files = ["report.js", "interactive.js"]
html_theme_options = dict(
    show_toc_level=2,
    use_download_button=False,
    use_fullscreen_button=False,
    navbar_persistent=[],
)
html_context = dict(default_mode="auto")
html_use_index = False
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_show_search_summary = False  # it fetches pages, which browsers refuse from the file system
html_last_updated_fmt = None
mathjax_path = "tex-svg.js"
suppress_warnings = ["mystnb.unknown_mime_type"]
"""


# Pages beyond the chapters, in the order of the table of contents. Each function writes <name>.md or .ipynb into the
# given folder (files for the site's root below _extra/, scripts and styles in _static/) and returns the names of its
# pages, none if there is nothing to show.
Writer = Callable[[Profile, list[str], Path], list[str]]
PAGES: tuple[Writer, ...] = (explorer.write, appendix.write_listing, made.write_made, appendix.write_guides)


def write_source(
    profile: Profile,
    pages: Mapping[str, NotebookNode],
    left_out: Mapping[str, str],
    failed: Mapping[str, list[Failure]],
    source: Path,
) -> None:
    """Write the whole source into an empty folder."""
    write_text(source / "conf.py", CONF.format(title=heading(profile.params.title)))
    _write_static(source / "_static")
    extra = source / "_extra"
    (extra / "sources").mkdir(parents=True)
    for name in pages:
        shutil.copy(ROOT / "notebooks" / f"{name}.py", extra / "sources" / f"{name}.py")
        for file in (profile.out.notebooks / name).glob("[!.]*.json"):
            split = "" if file.stem == "all" else f".{file.stem}"
            shutil.copy(file, extra / "sources" / f"{name}{split}.json")
    write_chapters(profile.out, pages, source)
    further = [page for write in PAGES for page in write(profile, list(pages), source)]
    write_text(source / "index.md", front.page(profile, list(pages), left_out, failed, further, extra))


def _write_static(folder: Path) -> None:
    """Write scripts and styles, all as files: ours, Bokeh's, MathJax's and DataTables'."""
    folder.mkdir()
    for name in ("report.css", "report.js", "interactive.js"):
        shutil.copy(WEB / name, folder)
    shutil.copy(Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js", folder)
    shutil.copy(str(files("mathjax") / "static" / "mathjax" / "es5" / "tex-svg.js"), folder)
    bundle = files("itables") / "html"
    shutil.copy(str(bundle / "dt_bundle.css"), folder / "datatables.css")
    write_text(folder / "datatables.js", _classic((bundle / "dt_bundle.js").read_text(encoding="utf-8")))


def _classic(module: str) -> str:
    """Turn a JavaScript module into a classic script: browsers refuse modules from the file system.

    >>> _classic("let a = 1, b = 2; export{a as ITable,b as jQuery}; // end")
    '(() => {let a = 1, b = 2; window.ITable = a; window.jQuery = b;; // end\\n})();\\n'
    """
    head, _, rest = module.rpartition("export{")
    names, _, tail = rest.partition("}")
    exported = [pair.split(" as ") for pair in names.split(",")]
    wanted = " ".join(f"window.{name} = {inner};" for inner, name in exported if name in ("ITable", "jQuery"))
    return f"(() => {{{head}{wanted}{tail}\n}})();\n"


def run_sphinx(source: Path, site: Path) -> None:
    """Build the HTML, and drop what readers do not need. Raises RuntimeError: Sphinx fails."""
    from sphinx.cmd.build import build_main

    if build_main(["-q", "-b", "html", "-d", str(source / ".doctrees"), str(source), str(site)]):
        raise RuntimeError(f"{source}: the site could not be built; Sphinx says why above")
    for file in [*site.rglob("*.map"), site / "objects.inv", site / ".buildinfo"]:  # for developers, half of the size
        file.unlink(missing_ok=True)
    for folder in ("_sources", "_static/locales"):
        shutil.rmtree(site / folder, ignore_errors=True)
