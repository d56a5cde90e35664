"""The explorer's page in a real browser, from the file system."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import opened, serious
from explorer_site import CLASSES, PREDICTED, TRUTH, VIDEOS, build_site, make_outputs
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of the theme
TOOLTIPS = """() => {
    const found = [];
    const walk = (node) => {
        if (node.shadowRoot) {
            if (/Tooltip/.test(node.className) && node.getClientRects().length) found.push(node.shadowRoot.textContent);
            walk(node.shadowRoot);
        }
        for (const child of node.children) walk(child);
    };
    walk(document.documentElement);
    return found.join(" | ");
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return build_site(make_outputs(folder / "profile"), folder)


@pytest.fixture
def page(browser, site, request) -> Iterator[Page]:
    """The explorer; the test fails where there was an error, or a request left the machine."""
    look = {"viewport": {"width": 1200, "height": 1000}, "color_scheme": "light"} | getattr(request, "param", {})
    with opened(browser, site / "explorer.html", ("error", "warning"), **look) as (page, faults):
        expect(page.locator("#explorer-seconds")).not_to_be_empty()
        yield page
        # the theme warns where no mode was chosen yet
        assert [fault for fault in faults if "invalid theme mode" not in fault] == []


def page_with(*looks: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", looks, indirect=True)


def seconds(page: Page) -> float:
    return float(page.locator("#explorer-seconds").inner_text().split()[0])


def at(page: Page, second: float, row: int) -> tuple[float, float]:
    """Where on the screen a second of a row's bar is: rows are 46 pixels high, the bar in the middle third."""
    page.locator("#explorer-plot").scroll_into_view_if_needed()
    box = page.locator("#explorer-plot").bounding_box()
    assert box
    left, right = 8, 14  # the figure's borders
    return box["x"] + left + (box["width"] - left - right) * second / 6.1, box["y"] + 5 + 46 * (row + 0.62)


def rows(page: Page) -> dict[str, str]:
    lines = page.locator("#explorer-methods tbody tr")
    return {line.locator("th").inner_text(): line.locator("td").first.inner_text() for line in lines.all()}


@page_with({"fragment": "#video=rgb-01-1&t=1.5"})
def test_the_page_says_what_stands_under_the_playhead(page):
    assert rows(page) == {
        "truth": "cut_tomato",
        "ASFormer, own features": "action_start ✗ wrong",
        "VideoCLIP, own weights, zero-shot": "cut_tomato ✓ right",
    }
    expect(page.locator("#explorer-says")).to_contain_text("cut_tomato, 1.0 to 3.5 s. 1 of 2 methods right.")
    assert page.locator("#explorer-says").get_attribute("aria-live") == "polite"


def test_the_picker_changes_video_rows_and_address(page):
    page.get_by_label("Video", exact=True).select_option("rgb-02-1")
    expect(page.locator("#explorer-about")).to_contain_text("Video 2 of 5; test video of split 2; 6.0 s labelled")
    assert list(rows(page)) == ["truth", "ASFormer, own features"]
    absent = "No prediction of this video by: VideoCLIP, own weights, zero-shot."
    expect(page.locator("#explorer-absent")).to_have_text(absent)
    assert page.url.endswith("#video=rgb-02-1&t=0.0")


def test_hover_shows_class_times_and_whether_it_is_right(page):
    page.mouse.move(*at(page, 4.0, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('add_oil')")
    said = r"add_oil\s*ASFormer, own features\s*3.50 s to 5.00 s, 1.50 s\s*wrong; truth: add_vinegar"
    assert re.search(said, page.evaluate(TOOLTIPS))
    page.mouse.move(*at(page, 2.5, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('cut_tomato')")
    assert re.search(r"2.00 s to 3.50 s, 1.50 s\s*right", page.evaluate(TOOLTIPS))
    page.mouse.move(*at(page, 1.5, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('action_start')")
    assert "right for 1.00 of 2.00 s; elsewhere truth: cut_tomato" in page.evaluate(TOOLTIPS)


def test_differences_add_up_to_the_accuracy(page):
    wrong = page.evaluate(
        """(video) => explorerView.rowsOf(video, new Set(["asformer_own"]))[1].wrong""",
        {
            "fps": 10,
            "truth": flat(TRUTH),
            "rows": [{"method": "asformer_own", "runs": flat(PREDICTED), "scores": [0, 0, 0]}],
        },
    )
    frames = sum(a != b for a, b in zip(TRUTH, PREDICTED, strict=False))
    assert sum(part["end"] - part["start"] for part in wrong) == pytest.approx(frames / 10)
    assert {(CLASSES[part["label"]], CLASSES[part["truth"]]) for part in wrong} == {
        (ours, truth) for ours, truth in zip(PREDICTED, TRUTH, strict=False) if ours != truth
    }


def flat(names: list[str]) -> list[int]:
    runs: list[int] = []
    for place, name in enumerate(names):
        if place and names[place - 1] == name:
            runs[-1] += 1
        else:
            runs += [CLASSES.index(name), 1]
    return runs


def test_keys_move_the_playhead_and_change_the_picture(page):
    picture = page.locator("#explorer-picture")
    page.locator("#explorer-plot").focus()
    before = picture.evaluate("node => node.style.backgroundPosition")
    page.keyboard.press("ArrowRight")
    assert seconds(page) == 1
    assert picture.evaluate("node => node.style.backgroundPosition") != before
    assert picture.get_attribute("aria-label") == "Frame of rgb-01-1 at 1 s"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert seconds(page) == 1
    page.keyboard.press("End")
    assert seconds(page) == 6.1  # the prediction is longer than the truth
    expect(page.locator("#explorer-says")).to_contain_text("after the last label")
    page.keyboard.press("Home")
    assert seconds(page) == 0
    page.keyboard.press("Shift+ArrowRight")
    assert seconds(page) == 6.1  # ten seconds, and no further than the end


def test_n_and_p_go_through_the_videos_and_stop_at_the_ends(page):
    page.locator("#explorer-plot").focus()
    page.keyboard.press("p")
    assert page.locator("#explorer-video").input_value() == VIDEOS[0]
    for video in VIDEOS[1:]:
        page.keyboard.press("n")
        expect(page.locator("#explorer-video")).to_have_value(video)
    page.keyboard.press("n")
    expect(page.locator("#explorer-next")).to_be_disabled()
    page.keyboard.press("p")
    expect(page.locator("#explorer-video")).to_have_value(VIDEOS[3])


def test_keys_are_said_and_letters_do_nothing_outside_the_explorer(page):
    keys = page.locator("#explorer-help kbd").all_inner_texts()
    assert keys == ["←", "→", "Shift", "Home", "End", "n", "p", "+", "−", "0"]
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")  # an arrow works from anywhere
    assert page.locator("#explorer-video").input_value() == VIDEOS[0]
    assert seconds(page) == 1


def test_a_click_moves_the_playhead(page):
    page.mouse.click(*at(page, 4.2, 0))
    assert seconds(page) == pytest.approx(4.2, abs=0.1)
    assert "add_vinegar" in rows(page)["truth"]


@page_with({"fragment": "#video=rgb-03-1&t=3.2"})
def test_a_shared_address_opens_video_and_time(page):
    assert page.locator("#explorer-video").input_value() == "rgb-03-1"
    assert seconds(page) == 3.2
    page.evaluate("location.hash = '#video=rgb-02-1&t=2'")
    expect(page.locator("#explorer-video")).to_have_value("rgb-02-1")
    assert seconds(page) == 2


@page_with({"fragment": "#video=nothing&t=soon"})
def test_a_wrong_address_opens_the_first_video(page):
    assert page.locator("#explorer-video").input_value() == VIDEOS[0]
    assert seconds(page) == 0


def test_the_picture_has_pixels_and_a_missing_one_is_told(page):
    width = page.evaluate(
        """() => new Promise((done) => {
            const image = new Image();
            image.onload = () => done(image.naturalWidth);
            image.src = getComputedStyle(document.querySelector("#explorer-picture")).backgroundImage.slice(5, -2);
        })"""
    )
    assert width == 6 * 64
    page.locator("#explorer-video").select_option("rgb-04-1")
    expect(page.locator("#explorer-picture-caption")).to_have_text("No picture: videos/rgb-04-1.avi is not there.")
    page.locator("#explorer-video").select_option("rgb-05-1")
    expect(page.locator("#explorer-picture-caption")).to_contain_text("cannot be decoded")


@page_with({"fragment": "#video=rgb-01-1&t=5"})
def test_zoom_keeps_the_playhead_in_view(page):
    page.get_by_label("Zoom in").click()
    page.mouse.click(*at(page, 3.1, 0))  # the middle of what is shown, from 2 or 3 s to the end
    assert 3.5 < seconds(page) < 5.5
    page.get_by_role("button", name="whole video").click()
    page.mouse.click(*at(page, 1.0, 0))
    assert seconds(page) == pytest.approx(1, abs=0.1)


def test_methods_can_be_chosen(page):
    page.get_by_text("Methods shown").click()
    page.get_by_label("linear probe, S3D, seed 0").check()
    page.get_by_label("ASFormer, own features").uncheck()
    assert list(rows(page)) == ["truth", "VideoCLIP, own weights, zero-shot", "linear probe, S3D, seed 0"]


def test_the_truth_is_there_as_a_table(page):
    page.get_by_text("The truth's segments as a table").click()
    lines = [line.inner_text().split() for line in page.locator("#explorer-truth tbody tr").all()]
    assert lines[1] == ["cut_tomato", "1.00", "3.50", "2.50"]
    assert len(lines) == 4


@page_with({"color_scheme": "light"}, {"color_scheme": "dark"})
def test_axe_finds_nothing_serious(page):
    page.get_by_text("Methods shown").click()
    page.get_by_text("The truth's segments as a table").click()
    assert serious(page) == []


@page_with({"color_scheme": "dark"})
def test_dark_pages_have_light_figures(page):
    ink = "Bokeh.documents[0].get_model_by_name('playhead').line_color"
    dark = page.evaluate(ink)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"{ink} !== '{dark}'")


def test_without_scripts_the_page_says_so(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "explorer.html").as_uri())
    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()
    context.close()
