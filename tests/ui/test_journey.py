"""The screen as people use it: in a browser, inside a real Airflow, with a partner's server at the other end."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from data_connections.ledger import Ledger
from data_connections.settings import PROJECT
from fixtures.browser import NewPage
from fixtures.whole_stack import VIEWER
from local_stack import Stack
from local_stack.partner_sftp import PartnerServer

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

RUN_PATIENCE = 120_000
"""Milliseconds that a run is waited for: Airflow starts several processes for it."""
HEADER = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount\n"
ROWS = HEADER + "".join(
    f"7700,7701,NOW,journey-{number},EUR,{amount}\n" for number, amount in enumerate(("10.00", "20.00", "thirty"))
)


class Screen:
    """The Connections screen inside Airflow's own page.

    Args:
        page: A browser's page.
        url: Address of Airflow.
        name: Login name.
        password: Its password.
    """

    def __init__(self, page: Page, url: str, name: str, password: str) -> None:
        self.page = page
        self.address = f"{url}/plugin/connections"
        page.goto(self.address)
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(self.frame.get_by_role("heading", name="Connections")).to_be_visible()

    @property
    def frame(self) -> FrameLocator:
        """What Airflow's page shows of ours."""
        return self.page.frame_locator("iframe")

    def button(self, name: str) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.frame.get_by_role("link", name=name, exact=True)

    def fill(self, **fields: str) -> None:
        """Fill the fields of these names; what has a list of choices is chosen."""
        for name, value in fields.items():
            field = self.frame.locator(f"[name='{name.replace('__', '.')}']")
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def begin(self) -> None:
        """Open the wizard; the list has fields of the same names, so its first step has to be there."""
        self.link("Create Connection").click()
        expect(self.frame.locator(".steps [aria-current=step]")).to_be_visible()

    def picture(self, name: str) -> None:
        """Keep what people see, in Airflow's page: for the guide (`make pictures`), else below build/."""
        folder = Path(os.environ.get("CONNECTIONS_PICTURES") or PROJECT / "build" / "screens")
        folder.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=folder / f"screen-{name}.png", animations="disabled")

    def unfold(self, title: str) -> None:
        """Open a section of the wizard."""
        self.frame.locator("summary", has_text=title).click()

    def next(self, step: str) -> None:
        """Go on in the wizard, and wait for the step."""
        self.button("Next").last.click()
        expect(self.frame.locator(".steps [aria-current=step]")).to_have_text(step)

    def open(self, name: str) -> None:
        """Open a connection from the list."""
        self.frame.get_by_role("navigation", name="Connections").get_by_role("link", name="Connections").click()
        expect(self.frame.get_by_role("heading", name="Connections", exact=True)).to_be_visible()
        self.link(name).click()
        expect(self.frame.get_by_role("heading", name=name)).to_be_visible()

    def run(self) -> None:
        """Start the open connection as soon as Airflow has its DAG; the page is not loaded again by hand."""
        expect(self.button("Run now")).to_be_enabled(timeout=RUN_PATIENCE)
        self.button("Run now").click()
        expect(self.frame.get_by_text("Started. This page follows the run.")).to_be_visible()

    def expect_status(self, words: str) -> None:
        expect(self.frame.locator("#status")).to_contain_text(words, timeout=RUN_PATIENCE)


@pytest.fixture
def acme(stack: Stack) -> Ledger:
    """A program of this test alone; the stack's ledger is shared."""
    ledger = Ledger(stack.environment()["CONNECTIONS_DATABASE_URL"])
    with ledger.connect() as connection:
        connection.execute(
            """insert into program (id, key, name, currency) values (7700, 'journey', 'Journey', 'EUR')
               on conflict do nothing"""
        )
        connection.execute(
            """insert into event_type (id, program_id, code, name) values (7701, 7700, 'SALE', 'Sale')
               on conflict do nothing"""
        )
    return ledger


@pytest.fixture
def screen_of(stack: Stack, new_page: NewPage) -> Callable[..., Screen]:
    """Logs somebody in and opens the screen."""
    return lambda name, **options: Screen(new_page(**options), stack.url, *stack.login_of(name))


def test_people_work_with_connections_in_the_browser(
    acme: Ledger, screen_of: Callable[..., Screen], sftp_partner: PartnerServer, tmp_path: Path
) -> None:
    screen = screen_of("admin")
    create_inbound(screen, sftp_partner)
    take_a_file(screen, sftp_partner)
    send_the_corrected_file(screen, tmp_path)
    create_outbound_and_deliver(screen, sftp_partner)
    read_the_log_of_a_run(screen)
    fail_and_authorize_again(screen, sftp_partner)
    pause_delete_and_undo(screen)
    follow_the_colours_of_airflow(screen)
    show_a_viewer_no_buttons(screen_of(VIEWER))


def create_inbound(screen: Screen, partner: PartnerServer) -> None:
    screen.begin()
    screen.fill(name="journey-orders", display_name="Journey orders", program="journey")
    screen.unfold("People and rights")
    screen.fill(owner="the journey")
    screen.next("Type")
    screen.fill(data_type="conversions")
    screen.next("Method")
    screen.fill(
        details__host=partner.host,
        details__port=str(partner.port),
        details__folder="/in",
        details__file_pattern="*.csv",
        schedule="on request",
    )
    screen.unfold("After a file was read")
    screen.fill(details__result_folder="/results")
    screen.unfold("When files are taken")
    screen.fill(arrival__wait="PT3M", arrival__look_every="1")
    screen.frame.get_by_role("heading", name="Create Connection").scroll_into_view_if_needed()
    screen.picture("wizard")
    screen.next("Credentials")
    screen.fill(new_name="journey-login", new_login=partner.login.login, new_password=partner.login.password)
    screen.button("Ask the server for its fingerprint").click()
    key = screen.frame.locator("pre[aria-label='Public key']").first.inner_text()
    assert key.split()[1] == partner.login.host_key.split()[1]
    screen.fill(details__host_key=key)
    screen.next("Review")
    screen.button("Test the connection").click()
    expect(screen.frame.locator("td .tag.completed").first).to_be_visible()
    assert screen.frame.locator("tr:has(.tag.failed)").all_inner_texts() == []
    screen.frame.locator("#sample").set_input_files({"name": "s.csv", "mimeType": "text/csv", "buffer": ROWS.encode()})
    screen.button("Check the file").click()
    expect(screen.frame.locator("#report")).to_contain_text("NOT_DECIMAL")
    screen.frame.locator("#sample").scroll_into_view_if_needed()
    screen.picture("review")
    screen.button("Create").click()
    expect(screen.frame.get_by_text("Created. Airflow makes its DAG within a minute.")).to_be_visible()


def take_a_file(screen: Screen, partner: PartnerServer) -> None:
    screen.run()
    screen.expect_status("In Progress")
    (partner.files / "in" / "orders.csv").write_text(ROWS)
    screen.expect_status("Completed")
    screen.frame.locator("#now").get_by_role("link", name="orders.csv").click()
    expect(screen.frame.locator("#state")).to_have_text("Partly applied")
    expect(screen.frame.locator("#body")).to_contain_text("Amount is 'thirty'")
    screen.picture("submission")


def send_the_corrected_file(screen: Screen, folder: Path) -> None:
    with screen.page.expect_download() as download:
        screen.link("Rejects").click()
    rejects = folder / download.value.suggested_filename
    download.value.save_as(rejects)
    with rejects.open(newline="") as source:
        (row,) = csv.DictReader(source)
    assert (row["OrderId"], row["Amount"]) == ("journey-2", "thirty")
    rejects.write_text(rejects.read_text().replace("thirty", "30.00", 1))
    screen.link("Send the corrected file").click()
    screen.frame.locator("#file").set_input_files(rejects)
    screen.button("Check, change nothing").click()
    expect(screen.frame.locator("#report")).to_contain_text("1")
    screen.button("Send").click()
    expect(screen.frame.locator("#state")).to_have_text("Applied", timeout=RUN_PATIENCE)
    screen.frame.get_by_role("link", name=re.compile("Submission \\d+")).click()
    expect(screen.frame.get_by_role("heading", name="orders.csv", exact=True)).to_be_visible()
    expect(screen.frame.locator("#body")).to_contain_text("corrects this")


def create_outbound_and_deliver(screen: Screen, partner: PartnerServer) -> None:
    screen.frame.get_by_role("navigation", name="Connections").get_by_role("link", name="Connections").click()
    screen.begin()
    screen.frame.get_by_text("Receive data").click()
    screen.fill(name="journey-report", program="journey")
    screen.next("Type")
    screen.fill(data_type="performance_by_day")
    screen.next("Method")
    screen.fill(
        details__host=partner.host,
        details__port=str(partner.port),
        details__folder="/out",
        details__file_name="perf_{business_date:%Y-%m-%d}.csv",
        schedule="on request",
    )
    screen.next("Credentials")
    screen.fill(credentials="journey-login", details__host_key=partner.login.host_key)
    screen.next("Review")
    screen.button("Create").click()
    preview_the_report(screen)
    screen.run()
    screen.expect_status("Completed")
    (sent,) = (partner.files / "out").iterdir()
    screen.frame.locator("#now").get_by_role("link", name=sent.name).click()
    expect(screen.frame.get_by_role("heading", name=sent.name)).to_be_visible()
    with screen.page.expect_download() as download:
        screen.link("Download").click()
    assert Path(download.value.path()).read_bytes() == sent.read_bytes()


def read_the_log_of_a_run(screen: Screen) -> None:
    """The history leads to the log in Airflow's own page, which takes the place of ours."""
    screen.open("journey-report")
    screen.link("History").click()
    screen.frame.locator("#runs").get_by_role("link", name="Log").first.click()
    expect(screen.page).to_have_url(re.compile("/dags/journey-report/runs/.*/tasks/deliver"))
    screen.page.goto(screen.address)


def preview_the_report(screen: Screen) -> None:
    """Today's orders are those that came in before; nothing is sent."""
    screen.link("Preview").click()
    today = datetime.now(UTC).date()
    screen.fill(first=str(today - timedelta(days=3)), last=str(today))
    screen.button("Preview").click()
    expect(screen.frame.get_by_text("Adds up with the ledger")).to_be_visible()
    expect(screen.frame.locator("tbody")).to_contain_text("60.00")
    screen.picture("preview")
    with screen.page.expect_download() as download:
        screen.link("Download").click()
    assert "60.00" in Path(download.value.path()).read_text()
    screen.link("Overview").click()


def fail_and_authorize_again(screen: Screen, partner: PartnerServer) -> None:
    authorize(screen, "not the password")
    screen.open("journey-report")
    screen.run()
    screen.expect_status("Failed")
    expect(screen.frame.locator("#now")).to_contain_text("password")
    screen.picture("failure")
    authorize(screen, partner.login.password)
    screen.open("journey-report")
    screen.button("Test").click()
    expect(screen.frame.get_by_text("Everything works")).to_be_visible()


def authorize(screen: Screen, password: str) -> None:
    screen.link("Credentials").click()
    screen.frame.get_by_role("row", name=re.compile("journey-login")).get_by_role("link", name="Re-authorize").click()
    screen.fill(password=password)
    screen.button("Store").click()
    expect(screen.frame.get_by_text("Stored. No secret is ever shown again.")).to_be_visible()


def pause_delete_and_undo(screen: Screen) -> None:
    screen.open("Journey orders")
    screen.picture("connection")
    screen.button("Pause").click()
    expect(screen.frame.locator("#status")).to_contain_text("Paused")
    screen.link("Delete").click()
    screen.button("Delete").click()
    expect(screen.frame.get_by_text("Deleted. The schedule rests; data and history stay.")).to_be_visible()
    expect(screen.link("Journey orders")).to_have_count(0)
    screen.button("Undo").click()
    expect(screen.frame.get_by_role("heading", name="Journey orders")).to_be_visible()
    expect(screen.frame.locator("#now")).to_contain_text("orders.csv")


def follow_the_colours_of_airflow(screen: Screen) -> None:
    for scheme in ("dark", "light"):
        screen.page.emulate_media(color_scheme=scheme)
        expect(screen.page.locator("html")).to_have_class(re.compile(scheme))
        colour = screen.frame.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        assert colour == {"dark": "rgb(0, 0, 0)", "light": "rgb(255, 255, 255)"}[scheme]
        screen.frame.get_by_role("navigation", name="Connections").get_by_role("link", name="Connections").click()
        expect(screen.link("Journey orders")).to_be_visible()
        screen.picture(f"list-{scheme}")


def show_a_viewer_no_buttons(screen: Screen) -> None:
    expect(screen.link("Journey orders")).to_be_visible()
    for label in ("Create Connection", "Edit", "Delete"):
        expect(screen.link(label)).to_have_count(0)
    screen.link("Journey orders").click()
    expect(screen.frame.locator("#now")).to_contain_text("orders.csv")
    expect(screen.frame.get_by_role("button")).to_have_count(0)
    screen.link("orders.csv").click()
    expect(screen.link("Original")).to_be_visible()
    expect(screen.frame.get_by_role("button")).to_have_count(0)
