"""What people do in the list and on pages that take files, in a real browser: menus, bulk, hover, renewal, dropping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from data_connections.ledger import Ledger

pytestmark = pytest.mark.airflow

NAMES = ("acme-conversions", "acme-held", "acme-hosted", "acme-performance")
_DROP = """(content) => {
  const brought = new DataTransfer();
  brought.items.add(new File([content], "dropped.csv", { type: "text/csv" }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: brought, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def dags(sample: dict[str, str], ledger: Ledger, airflow_database: None) -> Iterator[None]:
    """The connections of the sample have DAGs, unpaused, but for one that waits for its own."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with ledger.connect() as connection:
        connection.execute("update connection set built_revision = revision where name <> 'acme-hosted'")
    with create_session() as session:
        session.merge(DagBundleModel(name="list"))
        session.flush()
        for name in NAMES:
            session.merge(DagModel(dag_id=name, bundle_name="list", is_stale=False, is_paused=False))
    yield
    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id.in_(NAMES)).values(is_stale=True))


def row(page: Page, name: str) -> str:
    return f"tr:has(input[value='{name}'])"


def test_menus_bulk_and_issues_work_by_mouse_and_keyboard_and_the_list_renews_around_them(
    page_of: Callable[[str], Page], dags: None, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of("admin")
    page.goto("")
    the_menu_goes_by_keyboard(page)
    issues_open_and_stay_open(page, ledger)
    renewal_keeps_the_place(page, ledger)
    chosen_ones_are_paused(page)
    monkeypatch.setenv("CONNECTIONS_LIMIT", "4")
    the_limit_says_why(page)


def the_menu_goes_by_keyboard(page: Page) -> None:
    opener = page.locator(row(page, "acme-held")).locator("summary[aria-label^=More]")
    opener.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Edit")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("link", name="Delete")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Edit")).to_be_focused()
    shown = page.locator("details.menu[open] > div > *").all_inner_texts()
    assert [each.strip() for each in shown] == [
        "Edit",
        "View history",
        "Run now",
        "Test",
        "Pause",
        "Re-authorize",
        "Duplicate",
        "Export YAML",
        "Delete",
    ]
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator("details.menu[open]")).to_have_count(0)
    page.locator(row(page, "acme-hosted")).locator("summary[aria-label^=More]").click()
    waiting = page.locator("details.menu[open]").get_by_role("button", name="Waiting for connection")
    expect(waiting).to_be_disabled()
    expect(page.locator("details.menu[open]").get_by_role("button", name="Run now")).to_have_count(0)
    opener.click()
    expect(page.locator("details.menu[open]")).to_have_count(1)
    page.locator("details.menu[open]").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").get_by_text("Paused. Nothing runs")).to_be_visible()
    expect(page.locator(row(page, "acme-held"))).to_contain_text("Paused")


def issues_open_and_stay_open(page: Page, ledger: Ledger) -> None:
    issue = page.locator("#issue-acme-performance")
    expect(issue.locator(".reason")).to_be_hidden()
    issue.get_by_text("+ Error").click()
    expect(issue.locator(".reason")).to_be_visible()
    refuse(ledger, "It has no folder.")
    page.evaluate("renew()")
    expect(issue.locator(".reason")).to_have_text("It has no folder.")
    expect(issue.locator(".reason")).to_be_visible()


def renewal_keeps_the_place(page: Page, ledger: Ledger) -> None:
    page.set_viewport_size({"width": 900, "height": 400})
    page.get_by_label("Search").fill("half a wo")
    link = page.get_by_role("link", name="acme-performance")
    link.focus()
    page.evaluate("document.querySelector('#list .scroll').scrollLeft = 60; window.scrollTo(0, 120)")
    page.evaluate("document.querySelector('#list').dataset.before = 'yes'")
    refuse(ledger, "It has no name.")
    page.evaluate("renew()")
    expect(page.locator("#issue-acme-performance")).to_contain_text("It has no name.")
    assert page.evaluate("document.querySelector('#list').dataset.before") is None, "the list is a new one"
    expect(link).to_be_focused()
    assert page.evaluate("[document.querySelector('#list .scroll').scrollLeft, window.scrollY]") == [60, 120]
    expect(page.get_by_label("Search")).to_have_value("half a wo")
    assert not page.evaluate("busy()")
    page.locator(row(page, "acme-held")).locator("summary[aria-label^=More]").press("Enter")
    assert page.evaluate("busy()")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1280, "height": 900})


def chosen_ones_are_paused(page: Page) -> None:
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_disabled()
    for name in ("acme-conversions", "acme-hosted"):
        page.get_by_label(f"Choose {name}").check()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    assert page.evaluate("busy()"), "lines do not move under a choice"
    page.locator("#bulk").get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("status").get_by_text("Paused. Nothing runs")).to_be_visible()
    paused = page.locator("tbody tr", has=page.get_by_text("Paused", exact=True))
    expect(paused).to_have_count(3)
    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_text("4 chosen")).to_be_visible()
    page.locator("#bulk").get_by_role("button", name="Unpause").click()
    expect(paused).to_have_count(0)


def the_limit_says_why(page: Page) -> None:
    page.goto("")
    tip = page.get_by_role("tooltip", include_hidden=True)
    expect(page.get_by_role("button", name="Create Connection")).to_be_disabled()
    expect(tip).to_be_hidden()
    page.get_by_role("button", name="Create Connection").hover(force=True)
    expect(tip).to_be_visible()
    expect(tip).to_have_text("You've reached your limit of 4 connections")
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    page.locator(".tip").focus()
    expect(tip).to_be_visible()


def test_a_file_is_dropped_anywhere_on_a_page_and_checked_and_elsewhere_not_opened(
    page_of: Callable[[str], Page], sample: dict[str, str], ledger: Ledger
) -> None:
    page = page_of("admin")
    content = "CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,Amount,CurrencyCode\n1,11,NOW,D-1,c1,x,EUR\n"
    before = ledger.one("select count(*) as n from submission")
    page.goto("connections/acme-conversions/send")
    page.evaluate(_DROP, content)
    expect(page.locator("#report")).to_contain_text("NOT_DECIMAL")
    assert ledger.one("select count(*) as n from submission") == before
    the_review_takes_it(page, content)
    page.goto("health")
    page.evaluate(_DROP, content)
    expect(page).to_have_url(re.compile("/health$"))


def the_review_takes_it(page: Page, content: str) -> None:
    page.goto("connections/acme-conversions/edit")
    for step in ("Type", "Method", "Credentials", "Review"):
        page.get_by_role("button", name="Next").last.click()
        expect(page.locator(".steps [aria-current=step]")).to_have_text(step)
    page.evaluate(_DROP, content)
    expect(page.locator("#report")).to_contain_text("NOT_DECIMAL")
    expect(page.locator("#report")).to_be_in_viewport()


def refuse(ledger: Ledger, words: str) -> None:
    with ledger.connect() as connection:
        connection.execute("update connection set refusal = %s where name = 'acme-performance'", [words])
