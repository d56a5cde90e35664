"""Names are shown as they are: markup in a title, notice, data set, method, class or video is text in the browser."""

from dataclasses import asdict

import nbformat
import pandas as pd
import pytest
from browser import opened
from explorer_site import PARAMS, make_outputs

from lib.core.files import write_json, write_text
from lib.core.params import load
from lib.data.profile import Profile
from lib.notebook.markup import Shown, accessible, heading, without_tags
from lib.site.source import run_sphinx, write_source

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of the theme
BAD = '<script>window.P=1</script><img src=x onerror="window.P=1">'
PAGE = "2_1_datasets"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("injection")
    out = make_outputs(folder / "profile")
    params = load(PARAMS)
    data = params.data.model_copy(update={"name": f"data {BAD}"})
    params = params.model_copy(update={"title": f"T {BAD}", "notice": f"notice {BAD}", "data": data})
    shown = Shown(
        id="table_a", title="Table 2.1-A", caption=f"caption {BAD}", about=data.name, revision="abc",
        data="tables/table_a.csv", notebook=PAGE,
    )  # fmt: skip
    write_text(out.root / shown.data, "a\n1\n")
    cells = pd.DataFrame({f"column {BAD}": [f"class </td></table>{BAD}", 1]}, index=[f"video {BAD}", "b"])
    plain = accessible(cells.rename_axis(f"method {BAD}"), "table_a")
    styled = accessible(cells.style.format(na_rep="–"), "table_b")
    report = {"report": asdict(shown)}
    outputs = [
        nbformat.v4.new_output("display_data", {"text/html": shown.figure(plain)}, metadata=report),
        nbformat.v4.new_output("display_data", {"text/html": f"<div>{styled}</div>"}),
        nbformat.v4.new_output("display_data", {"text/markdown": without_tags(f"said {BAD}")}),
    ]
    made = {"revision": "abc", "seconds": 1, "finished": "2026-01-01T00:00", "versions": {}, "inputs": {}}
    write_json(out.notebooks / PAGE / "all.json", made)
    title = nbformat.v4.new_markdown_cell("# Data sets")
    notebook = nbformat.v4.new_notebook(cells=[title, nbformat.v4.new_code_cell("1", outputs=outputs)])
    nbformat.write(notebook, out.notebooks / PAGE / "all.ipynb")
    source = folder / "source"
    write_source(Profile(params, out), {PAGE: notebook}, {}, {}, source)
    run_sphinx(source, folder / "site")
    return folder / "site"


@pytest.mark.parametrize("name", ["index", PAGE, "explorer", "figures_and_tables", "how_this_was_made", "README"])
def test_a_name_runs_no_script(site, browser, name):
    with opened(browser, site / f"{name}.html") as (page, faults):
        assert page.evaluate("window.P") is None
        assert page.locator("img[src=x]").count() == 0
        assert page.locator(".logo__title").inner_text() == heading(f"T {BAD}")
        assert page.title().endswith(heading(f"T {BAD}")), "and is escaped once"
        if name == PAGE:
            text = page.locator("article").inner_text()
            for what in ("caption", "data", "column", "video", "said"):
                assert f"{what} <script>window.P=1</script>" in text, what
        assert faults == []
