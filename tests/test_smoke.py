"""Every notebook, from rendering to the site, in the smoke profile; apart, so that it runs beside the other tests.

The site is looked at in a headless Chromium; without one these tests are skipped.
"""

import base64
import html
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import PAPER, PHONE, WIDE, opened, serious
from bs4 import BeautifulSoup
from report_runs import finish

from lib.core.chapters import CHAPTERS
from lib.core.params import load
from lib.core.paths import ROOT, Outputs
from lib.data.profile import Profile
from lib.notebook.markup import MADE
from lib.site.export import document, sections, whole

GUIDES = [f"notebooks/guides/{file.stem}" for file in sorted((ROOT / "notebooks" / "guides").glob("*.md"))]
PAGES = ["index", *load("params/smoke.yaml").notebooks, "explorer", "figures_and_tables", MADE]
PAGES += ["README", *GUIDES, "search"]


@pytest.fixture(scope="module")
def outputs() -> Outputs:
    # one core: two would start a process per training, and spend more on imports than on nets of this size
    finish(ROOT / "params" / "smoke.yaml", "--cores", "1")
    return Outputs("smoke")


def test_every_notebook_runs_in_the_smoke_profile(outputs):
    """From rendering to the site; only that the files are there and finite, the numbers mean nothing."""
    for name in ("table_01", "table_02", "table_03"):
        table = pd.read_csv(outputs.tables / f"{name}.csv")
        ours = table[table["source"] == "Smoke test"]
        assert np.isfinite(ours[["accuracy", "edit", "f1@10", "f1@25", "f1@50"]].to_numpy()).all()
    for number in range(4, 10):
        table = pd.read_csv(outputs.tables / f"table_{number:02d}.csv")
        ours = table[(table["source"] == "Smoke test") & (table["split"] != "± 95 %")]
        assert np.isfinite(ours[["accuracy", "raw_edit", "f1@10", "f1@25", "f1@50"]].to_numpy()).all()
    everything = pd.read_csv(outputs.tables / "table_10.csv").set_index("method")
    ours = everything.drop("asformer_paper")[["as_thesis", "accuracy", "edit", "f1@50", "segments"]]
    assert np.isfinite(ours.to_numpy()).all()
    for number in range(1, 28):
        for kind in ("svg", "png", "csv"):
            assert (outputs.figures / f"figure_{number:02d}.{kind}").stat().st_size > 0
    for name in load("params/smoke.yaml").notebooks:
        page = (outputs.report / f"{name}.html").read_text()
        assert html.escape(CHAPTERS[name].about or "Smoke test of the notebooks") in page
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//(?!(?:doi|arxiv|github)\.)[^"']+\.(?:js|css)""", page)
    for name in ("duplicated_rows", "paired_tests", "claims"):
        assert len(pd.read_csv(outputs.tables / f"audit_{name}.csv")) > 0
    clusters = pd.read_csv(outputs.tables / "table_clusters.csv")
    assert set(clusters["equal"]) == {"update", "pairs"} and np.isfinite(clusters["zero_shot"]).all()
    for recipe, dim in (("one_cluster", "mixed_5c"), ("own", "mixed_5c"), ("public", "video_embedding")):
        note = json.loads((outputs.root / "runs" / f"videoclip_{recipe}" / "videoclip.json").read_text())
        assert note["feature_set"].startswith(f"s3d_{dim}_")
    metrics = pd.read_parquet(outputs.metrics / "2_3_3_baseline.parquet")
    assert list(metrics.columns) == ["section", "method", "split", "video", "protocol", "metric", "value", "seed"]
    assert set(metrics["split"]) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("name", ["2_1_datasets", "4_1_audit"])  # those that read more than outputs
def test_what_a_notebook_opens_is_among_its_inputs(outputs, name):
    command = [sys.executable, "-m", "tests.reads", name, "params/smoke.yaml"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    opened = {Path(line) for line in said.splitlines() if line.startswith("/")}
    # parameters are compared by value, code by its syntax; what notebooks made, by what made it
    kept = [ROOT / "params" / "defaults.yaml", ROOT / "params" / "smoke.yaml", ROOT / "outputs", ROOT / "tests"]
    ours = {file for file in opened if file.is_relative_to(ROOT) or file.is_relative_to(ROOT.parent / "shared")}
    ours = {file for file in ours if file.suffix not in (".py", ".pyc") and ".venv" not in file.parts}
    ours = {file for file in ours if "__editable__" not in file.name}
    ours = {file for file in ours if not any(file.is_relative_to(one) for one in kept) and "egg-info" not in str(file)}
    inputs = json.loads((outputs.notebooks / name / "all.json").read_text())["inputs"]
    assert ours and ours <= {Path(os.path.abspath(ROOT / file)) for file in inputs}


def test_the_front_page_answers_with_the_numbers_of_the_chapters(outputs):
    page = (outputs.report / "index.html").read_text()
    for name, number in (("baseline", 3), ("videoclip_public_15_epochs", 9)):
        table = pd.read_csv(outputs.tables / f"table_{number:02d}.csv").set_index(["source", "split"])
        for source in ("Smoke test", "thesis"):
            assert f"{table.loc[(source, 'mean'), 'accuracy']:.3f}" in page, (name, source)
    assert "make report PARAMS=params/smoke.yaml" in BeautifulSoup(page, "html.parser").get_text()
    assert (outputs.report / "figures" / "figure_answer.csv").exists()


def test_a_caption_leads_to_how_it_was_made(outputs):
    page = BeautifulSoup((outputs.report / f"{MADE}.html").read_text(), "html.parser")
    for name in load("params/smoke.yaml").notebooks:
        captions = BeautifulSoup((outputs.report / f"{name}.html").read_text(), "html.parser").select(".made")
        assert captions and all(one.select_one(f'a[href="{MADE}.html#{name}"]') for one in captions)
        made = json.loads((outputs.notebooks / name / "all.json").read_text())
        row = page.find(id=name).find_parent("tr").get_text()
        assert f"{made['peak_memory_mb']:,} MB" in row and made["revision"] in row
        assert (outputs.report / page.find(id=name).find_next("a")["href"]).exists()


def test_the_list_has_every_number_of_the_thesis(outputs):
    page = (outputs.report / "figures_and_tables.html").read_text()
    assert set(re.findall(r'href="\w+\.html#figure_(\d\d)"', page)) == {f"{number:02d}" for number in range(1, 28)}
    assert set(re.findall(r'href="\w+\.html#table_(\d\d)"', page)) == {f"{number:02d}" for number in range(1, 11)}


def test_the_export_has_its_pictures_inside(outputs):
    params = load("params/smoke.yaml").model_copy(update={"notebooks": ("3_conclusion",)})
    pages = sections(Profile(params, outputs), {})
    soup = BeautifulSoup(document("Smoke", whole(Profile(params, outputs), pages, {})), "html.parser")
    assert soup.select_one("#table_answer td") and soup.select_one("#table_10 td")
    data = soup.select_one("#figure_timelines .made > a")["href"]
    assert base64.b64decode(data.partition("base64,")[2]) == (outputs.figures / "figure_timelines.csv").read_bytes()
    pictures = [picture["src"] for picture in soup.select("#figure_answer img, #figure_timelines img")]
    assert len(pictures) == 2 and all(picture.startswith("data:image/svg+xml;base64,") for picture in pictures)


def test_the_site_has_no_page_that_is_not_looked_at(outputs):
    files = [file.relative_to(outputs.report) for file in outputs.report.rglob("*.html")]
    pages = {file.with_suffix("").as_posix() for file in files if file.parts[0] != "_static"}
    assert pages == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_the_browser(outputs, browser, name):
    """No error, no request to elsewhere, every picture there, fit for phone and paper, accessible in both lights."""
    with opened(browser, outputs.report / f"{name}.html", color_scheme="light") as (page, faults):
        assert page.locator("h1:visible").count() == 1 and page.locator("html").get_attribute("lang")
        pictures = page.evaluate("[...document.images].map(one => [one.src.slice(-60), one.naturalWidth, one.alt])")
        assert [one for one in pictures if not (one[1] and one[2].strip())] == []
        seen = "[...document.querySelectorAll('h1, h2, h3, h4')].filter(one => one.checkVisibility())"
        levels = page.evaluate(f"{seen}.map(one => +one.tagName[1])")
        assert all(later <= sooner + 1 for sooner, later in pairwise(levels)), levels
        for sortable in page.locator("table.sortable").all():
            sortable.locator("thead th.dt-orderable-asc").first.wait_for()
        assert faults == []
        assert serious(page) == []
        page.set_viewport_size(WIDE)
        boxes = "[...document.querySelectorAll('.bd-article table')].map(one => one.parentElement)"
        cut = page.evaluate(f"{boxes}.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML)")
        assert cut == []
        page.emulate_media(color_scheme="dark")
        page.locator("html[data-theme=dark]").wait_for()
        assert serious(page, "color-contrast") == []
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size(PAPER)
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("html").get_attribute("data-theme") == "light"
        assert not page.locator(".bd-sidebar-primary").is_visible()
        right = "[...document.querySelectorAll('table, img, pre')].map(one => one.getBoundingClientRect().right)"
        assert max(page.evaluate(right), default=0) <= PAPER["width"] + 1


def test_search_finds_a_class_in_pictures_too(outputs, browser):
    with opened(browser, outputs.report / "search.html") as (page, faults):
        page.locator("main input[name=q]").fill("add_vinegar")
        page.locator("main input[name=q]").press("Enter")
        page.locator("#search-results li a[href^='2_9_2_finetune_public']").first.wait_for()  # they come one by one
        found = {link.get_attribute("href").split(".html")[0] for link in page.locator("#search-results li a").all()}
        assert {"2_1_datasets", "2_8_1_zero_shot_own", "2_9_2_finetune_public"} <= found
        assert faults == []


def test_a_long_table_sorts_by_its_numbers(outputs, browser):
    with opened(browser, outputs.report / "4_2_controls.html") as (page, _):
        table = page.locator("#table_controls table")
        head = table.locator("thead th").filter(has_text="accuracy").first
        column = int(head.evaluate("cell => cell.cellIndex")) + 1
        head.click()
        table.locator("thead th[aria-sort=ascending]").wait_for()
        cells = table.locator(f"tbody tr > :nth-child({column})").all_inner_texts()
        values = [float(text.split()[0]) for text in cells]
        assert len(values) > 12 and values == sorted(values)
