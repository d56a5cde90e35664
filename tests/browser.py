"""A headless Chromium for tests of the site: pages as a reader's browser shows them, from the file system."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from lib.site.export import BROWSERS

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
WIDE = {"width": 1400, "height": 900}
PAPER = {"width": 718, "height": 1000}  # A4 with margins of 1 cm, in CSS pixels


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser that `make export` would use; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, kinds: tuple[str, ...] = ("error",), fragment: str = "", **context: object
) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what went wrong with it so far: errors on the console, failed requests, requests to elsewhere.

    Args:
        kinds: of messages on the console that are faults.
        fragment: of the address, e.g. "#table_10".
        context: of Playwright's `new_context`, e.g. color_scheme="dark".
    """
    faults: list[str] = []

    def local_only(route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"left the machine: {route.request.url}")
            route.abort()

    made = browser.new_context(**({"viewport": DESK, "reduced_motion": "reduce"} | context))
    page = made.new_page()
    page.route("**/*", local_only)
    page.on("console", lambda said: faults.append(said.text) if said.type in kinds else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.goto(f"{file.as_uri()}{fragment}", wait_until="load")
    yield page, faults
    made.close()


def serious(page: Page, rule: str | None = None) -> list[str]:
    """What axe finds serious or critical, one line per kind of fault; by one rule alone, or by all.

    Without preloading: axe would fetch the style sheets, which browsers refuse from the file system.
    """
    asked = {"preload": False, "resultTypes": ["violations"]} | ({"runOnly": [rule]} if rule else {})
    return [
        f"{one['id']}: {one['help']}; {len(one['nodes'])} times, first {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page, options=asked).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
