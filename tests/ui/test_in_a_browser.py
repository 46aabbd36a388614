"""Every page in a real browser, light and dark, wide and narrow: easy to use, and every text of partners a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from data_connections.settings import PROJECT
from fixtures.screen_routes import address, routes
from fixtures.screen_sample import MARKUP, SECRET

pytestmark = pytest.mark.airflow

SCREENS = PROJECT / "build" / "screens"
NARROW = 360
DARK_AND_NARROW = ["color-contrast", "scrollable-region-focusable", "target-size"]
"""The rules that may turn out otherwise there."""
_NO_PATH = str.maketrans("<>", "__")
"""What browsers make of a name that cannot be one on every system."""
_STRANGE = """() => [...document.querySelectorAll(
    'script:not([src]), [onerror], [onload], [onclick], iframe, object, embed, img[src="x"]')].map(e => e.outerHTML)"""
_WIDTH = "() => document.documentElement.scrollWidth"


def pages(client: TestClient, sample: dict[str, str]) -> list[str]:
    """The address of every page: what answers a browser with HTML."""
    asked = [address(path, sample) for method, path in routes() if method == "GET" and "/api/" not in path]
    asked += [
        f"submissions/{sample['finished_id']}",
        f"deliveries/{sample['delivery_id']}?against=1",
        "help/rest-api.md",
    ]
    found = []
    for each in asked:
        answer = client.get(each)
        assert answer.status_code in (200, 303, 307), (each, answer.status_code, answer.text)
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            found.append(each)
    return found


def picture(page: Page, name: str, how: str) -> None:
    """Keep what it looks like, for people: build/screens/."""
    page.screenshot(path=SCREENS / f"{re.sub('[^a-z0-9]+', '-', name).strip('-') or 'connections'}.{how}.png")


def serious(page: Page, **options: Any) -> list[str]:
    """What axe finds wrong, as rule and element."""
    told = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in told
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_every_page_is_easy_to_use_light_and_dark_and_narrow_and_shows_texts_as_texts(
    client: Callable[[str], TestClient], page_of: Callable[[str], Page], sample: dict[str, str]
) -> None:
    page = page_of("admin")
    wrong: dict[str, list[str]] = {}
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    for each in pages(client("admin"), sample):
        page.emulate_media(color_scheme="light")
        page.goto(each)
        found = page.evaluate(_STRANGE) + said
        said.clear()
        found += serious(page)
        picture(page, each, "light")
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": NARROW, "height": 740})
        page.wait_for_selector("html.dark")
        picture(page, each, "dark-narrow")
        found += [f"dark, narrow: {one}" for one in serious(page, runOnly=DARK_AND_NARROW)]
        if (width := page.evaluate(_WIDTH)) > NARROW:
            found.append(f"{width} px wide")
        page.set_viewport_size({"width": 1280, "height": 900})
        if found:
            wrong[each] = found
    assert wrong == {}


def test_what_a_partner_writes_is_shown_as_it_was_written(
    page_of: Callable[[str], Page], sample: dict[str, str]
) -> None:
    page = page_of("admin")
    page.goto(f"submissions/{sample['finished_id']}")
    assert MARKUP in page.inner_text("h1")
    assert MARKUP in page.inner_text("#body")
    with page.expect_download() as download:
        page.get_by_role("link", name="Original").click()
    assert download.value.suggested_filename == f"{SECRET} {MARKUP}.csv".translate(_NO_PATH)
    page.goto("connections/acme-conversions/files")
    assert page.inner_text("#files").count(MARKUP) > 2
    page.goto("connections/acme-conversions/settings")
    assert "</pre><script>alert(2)</script>" in page.inner_text("pre")
    page.goto("connections/acme-conversions/history")
    assert MARKUP in page.inner_text("#runs")
