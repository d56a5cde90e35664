"""The explorer's page in a real browser, from the file system."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import browser
from explorer_site import CLASSES, PREDICTED, TRUTH, VIDEOS, build_site, make_outputs
from playwright.sync_api import Page, expect

assert browser  # the fixture
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
def page(browser) -> Iterator[Page]:
    """A page that fails the test where there was an error, or a request left the machine."""
    page = browser.new_context(viewport={"width": 1200, "height": 1000}, color_scheme="light").new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on(
        "request", lambda request: None if re.match("file:|data:|blob:", request.url) else wrong.append(request.url)
    )
    yield page
    page.context.close()
    # the theme logs this where no mode was chosen yet; it is no error of the page
    assert [text for text in wrong if "invalid theme mode" not in text] == []


def opened(page: Page, site: Path, fragment: str = "") -> Page:
    page.goto(f"{(site / 'explorer.html').as_uri()}{fragment}")
    expect(page.locator("#explorer-seconds")).not_to_be_empty()
    return page


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


def test_the_page_says_what_stands_under_the_playhead(page, site):
    opened(page, site, "#video=rgb-01-1&t=1.5")
    assert rows(page) == {
        "truth": "cut_tomato",
        "ASFormer, own features": "action_start ✗ wrong",
        "VideoCLIP, own weights, zero-shot": "cut_tomato ✓ right",
    }
    expect(page.locator("#explorer-says")).to_contain_text("cut_tomato, 1.0 to 3.5 s. 1 of 2 methods right.")
    assert page.locator("#explorer-says").get_attribute("aria-live") == "polite"


def test_the_picker_changes_video_rows_and_address(page, site):
    opened(page, site)
    page.get_by_label("Video", exact=True).select_option("rgb-02-1")
    expect(page.locator("#explorer-about")).to_contain_text("Video 2 of 5; test video of split 2; 6.0 s labelled")
    assert list(rows(page)) == ["truth", "ASFormer, own features"]
    expect(page.locator("#explorer-absent")).to_have_text(
        "No prediction of this video by: VideoCLIP, own weights, zero-shot."
    )
    assert page.url.endswith("#video=rgb-02-1&t=0.0")


def test_hover_shows_class_times_and_whether_it_is_right(page, site):
    opened(page, site)
    page.mouse.move(*at(page, 4.0, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('add_oil')")
    text = page.evaluate(TOOLTIPS)
    assert re.search(
        r"add_oil\s*ASFormer, own features\s*3.50 s to 5.00 s, 1.50 s\s*wrong; truth: add_vinegar", text
    ), text
    page.mouse.move(*at(page, 2.5, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('cut_tomato')")
    assert re.search(r"2.00 s to 3.50 s, 1.50 s\s*right", page.evaluate(TOOLTIPS))
    page.mouse.move(*at(page, 1.5, 1))
    page.wait_for_function(f"({TOOLTIPS})().includes('action_start')")
    assert "right for 1.00 of 2.00 s; elsewhere truth: cut_tomato" in page.evaluate(TOOLTIPS)


def test_differences_add_up_to_the_accuracy(page, site):
    opened(page, site)
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


def test_keys_move_the_playhead_and_change_the_picture(page, site):
    opened(page, site)
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


def test_n_and_p_go_through_the_videos_and_stop_at_the_ends(page, site):
    opened(page, site)
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


def test_keys_are_told_on_the_page(page, site):
    opened(page, site)
    keys = page.locator("#explorer-help kbd").all_inner_texts()
    assert keys == ["←", "→", "Shift", "Home", "End", "n", "p", "+", "−", "0"]


def test_letters_do_nothing_outside_the_explorer(page, site):
    opened(page, site)
    page.keyboard.press("n")
    page.keyboard.press("ArrowRight")  # an arrow works from anywhere
    assert page.locator("#explorer-video").input_value() == VIDEOS[0]
    assert seconds(page) == 1


def test_a_click_moves_the_playhead(page, site):
    opened(page, site)
    page.mouse.click(*at(page, 4.2, 0))
    assert seconds(page) == pytest.approx(4.2, abs=0.1)
    assert "add_vinegar" in rows(page)["truth"]


def test_a_shared_address_opens_video_and_time(page, site):
    opened(page, site, "#video=rgb-03-1&t=3.2")
    assert page.locator("#explorer-video").input_value() == "rgb-03-1"
    assert seconds(page) == 3.2
    page.evaluate("location.hash = '#video=rgb-02-1&t=2'")
    expect(page.locator("#explorer-video")).to_have_value("rgb-02-1")
    assert seconds(page) == 2


def test_a_wrong_address_opens_the_first_video(page, site):
    opened(page, site, "#video=nothing&t=soon")
    assert page.locator("#explorer-video").input_value() == VIDEOS[0]
    assert seconds(page) == 0


def test_the_picture_has_pixels_and_a_missing_one_is_told(page, site):
    opened(page, site)
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


def test_zoom_keeps_the_playhead_in_view(page, site):
    opened(page, site, "#video=rgb-01-1&t=5")
    page.get_by_label("Zoom in").click()
    page.mouse.click(*at(page, 3.1, 0))  # the middle of what is shown, from 2 or 3 s to the end
    assert 3.5 < seconds(page) < 5.5
    page.get_by_role("button", name="whole video").click()
    page.mouse.click(*at(page, 1.0, 0))
    assert seconds(page) == pytest.approx(1, abs=0.1)


def test_methods_can_be_chosen(page, site):
    opened(page, site)
    page.get_by_text("Methods shown").click()
    page.get_by_label("linear probe, S3D, seed 0").check()
    page.get_by_label("ASFormer, own features").uncheck()
    assert list(rows(page)) == ["truth", "VideoCLIP, own weights, zero-shot", "linear probe, S3D, seed 0"]


def test_the_truth_is_there_as_a_table(page, site):
    opened(page, site)
    page.get_by_text("The truth's segments as a table").click()
    lines = [line.inner_text().split() for line in page.locator("#explorer-truth tbody tr").all()]
    assert lines[1] == ["cut_tomato", "1.00", "3.50", "2.50"]
    assert len(lines) == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, site, scheme):
    page.emulate_media(color_scheme=scheme)
    opened(page, site)
    page.get_by_text("Methods shown").click()
    page.get_by_text("The truth's segments as a table").click()
    found = Axe().run(page, "#explorer", {"preload": False}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_phone_scrolls_only_down(page, site):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto((site / "explorer.html").as_uri())
    expect(page.locator("canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_dark_pages_have_light_figures(page, site):
    page.emulate_media(color_scheme="dark")
    opened(page, site)
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
