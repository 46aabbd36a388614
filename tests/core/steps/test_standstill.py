"""The switch that stops all applying and sending, and maintenance windows: what waits, and what goes on after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_connections.errors import ConfigurationError, StandsStill, UnknownName
from data_connections.ledger import Ledger
from data_connections.ledger import standstill as records
from data_connections.steps import manual, standstill
from data_connections.steps.held_rows import retry_held
from data_connections.steps.pinned_run import begin_run
from fixtures.books import Sale, book
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed
from fixtures.desk import Desk, table
from fixtures.outbound import BERLIN, Outbound
from local_stack.partner_sftp import PartnerServer

ROWS = table("CampaignId,ActionTrackerId,EventDate,OrderId,Amount", "1000,2001,2026-02-20T10:00:00Z,A,1.00")
NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def activity(ledger: Ledger) -> list[tuple[str, str]]:
    rows = ledger.all("select who, what from activity where what ~ '^(installation|maintenance)' order by id")
    return [(row["who"], row["what"]) for row in rows]


def test_a_file_that_comes_while_all_is_stopped_is_kept_and_applied_once_afterwards(desk: Desk) -> None:
    assert standstill.halt(desk.ledger, "boss", "Wrong payouts.")
    assert not standstill.halt(desk.ledger, "other", "The same.")
    with pytest.raises(StandsStill, match=r"stopped by boss at .*: Wrong payouts. It goes on by itself after"):
        desk.submit(ROWS)
    waiting = desk.ledger.one("select id, state from submission")
    assert waiting is not None
    assert (waiting["state"], desk.actions()) == ("validated", [])
    assert retry_held(desk.ledger, NOW) == []

    assert standstill.go_on(desk.ledger, "boss")
    assert not standstill.go_on(desk.ledger, "boss")
    for _again in range(2):
        assert manual.finish(desk.ledger, desk.landing, waiting["id"])["state"] == "applied"
    assert [action[0] for action in desk.actions()] == ["A"]
    assert activity(desk.ledger) == [("boss", "installation.halted"), ("boss", "installation.resumed")]


def test_a_report_that_is_made_while_all_is_stopped_is_sent_once_afterwards(
    ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer
) -> None:
    outbound = Outbound.of(ledger, tmp_path, sftp_partner)
    book(ledger, [Sale(BERLIN, datetime(2026, 6, 10, 12, tzinfo=UTC), Decimal("19.90"))])
    outbound.applied()
    standstill.halt(ledger, "boss", "Wrong payouts")
    made = outbound.check(outbound.export(date(2026, 6, 10))["delivery_id"])["delivery_id"]
    with pytest.raises(StandsStill):
        outbound.deliver(made)
    assert (outbound.names(), outbound.state(made)) == ([], "checked")
    standstill.go_on(ledger, "boss")
    assert outbound.deliver(made)["state"] == "delivered"


class TestWindows:
    @pytest.fixture
    def run(self, ledger: Ledger) -> Any:
        apply_to(ledger, INBOUND, changed(OUTBOUND, details={"host": "Files.Partner.Test"}))
        return lambda name, run_id="r": begin_run(ledger, name, 1, run_id)

    def test_its_connection_waits_inside_and_says_until_when(self, ledger: Ledger, run: Any) -> None:
        standstill.plan_window(ledger, "boss", NOW, NOW + HOUR, "New server", name="acme-conversions")
        inbound = run("acme-conversions")
        for at, waits in ((NOW - HOUR, False), (NOW, True), (NOW + HOUR, False)):
            if waits:
                with pytest.raises(StandsStill, match=f"until {NOW + HOUR:%Y-%m-%d %H:%M} UTC: New server"):
                    standstill.must_go_on(ledger, inbound, ["halt", "window"], at)
            else:
                standstill.must_go_on(ledger, inbound, ["window"], at)
        standstill.must_go_on(ledger, inbound, ["halt"], NOW)
        standstill.must_go_on(ledger, run("acme-performance"), ["window"], NOW)
        row = ledger.one("select state, reason from connection_run where id = %s", [inbound.id])
        assert row is not None
        assert (row["state"], "New server" in row["reason"]) == ("in_progress", True)

    def test_everything_at_a_host_waits_however_it_is_written(self, ledger: Ledger, run: Any) -> None:
        made = standstill.plan_window(ledger, "boss", NOW, NOW + HOUR, "Disks", host="files.partner.test")
        with pytest.raises(StandsStill, match="maintenance of files"):
            standstill.must_go_on(ledger, run("acme-performance"), ["window"], NOW + timedelta(seconds=1))
        standstill.must_go_on(ledger, run("acme-conversions"), ["window"], NOW)
        assert standstill.end_window(ledger, made, "boss").host == "files.partner.test"
        standstill.must_go_on(ledger, run("acme-performance"), ["window"])
        with pytest.raises(ConfigurationError, match="goes on or is to come"):
            standstill.end_window(ledger, made, "boss")
        assert activity(ledger) == [("boss", "maintenance.planned"), ("boss", "maintenance.ended")]

    def test_one_that_has_not_begun_is_taken_back(self, ledger: Ledger, run: Any) -> None:
        run("acme-conversions")
        made = standstill.plan_window(ledger, "boss", NOW + HOUR, NOW + 2 * HOUR, "x", name="acme-conversions")
        standstill.end_window(ledger, made, "boss")
        with ledger.connect() as connection:
            assert records.windows(connection, since=datetime.now(UTC)) == []
        standstill.must_go_on(ledger, run("acme-conversions"), ["window"], NOW + timedelta(minutes=90))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": "acme-conversions", "host": "x"}, "for one connection, or for one host"),
            ({}, "for one connection, or for one host"),
            ({"host": "x", "ends_at": NOW - HOUR}, "not after its begin"),
            ({"host": "x", "begins_at": NOW - 2 * HOUR, "ends_at": NOW - HOUR}, "The window is over"),
            ({"host": "x", "reason": " "}, "Say why"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, ledger: Ledger, changes: dict[str, Any], said: str) -> None:
        given = {"begins_at": NOW, "ends_at": NOW + HOUR, "reason": "x", **changes}
        with pytest.raises(ConfigurationError, match=said):
            standstill.plan_window(ledger, "boss", **given)
        with pytest.raises(UnknownName):
            standstill.plan_window(ledger, "boss", NOW, NOW + HOUR, "x", name="nobody")
