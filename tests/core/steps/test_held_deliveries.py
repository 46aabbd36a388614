"""Files that wait until somebody lets them go: held, sent, refused, and each of it twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger
from data_connections.steps import held_deliveries, notices
from data_connections.steps.notices import Notice
from data_connections.steps.outbound import fail_run
from fixtures.books import Sale, book
from fixtures.outbound import BERLIN, Outbound
from local_stack.partner_sftp import PartnerServer

DAY = date(2026, 6, 10)


@pytest.fixture
def outbound(ledger: Ledger, tmp_path: Path, sftp_partner: PartnerServer) -> Outbound:
    made = Outbound.of(ledger, tmp_path, sftp_partner)
    book(ledger, [Sale(BERLIN, datetime(2026, 6, 10, 12, tzinfo=UTC), Decimal("19.90"))])
    made.applied()
    return made


def held(outbound: Outbound) -> int:
    made: int = outbound.check(outbound.export(DAY)["delivery_id"])["delivery_id"]
    assert held_deliveries.hold(outbound.ledger, made)["state"] == "on_hold"
    return made


def send(outbound: Outbound, delivery: int, run_id: str | None) -> dict[str, Any]:
    assert run_id is not None
    held_deliveries.take_up(outbound.ledger, outbound.run(run_id), delivery)
    return outbound.deliver(delivery)


def test_what_waits_is_not_sent_and_its_run_says_how_to_send_it(outbound: Outbound) -> None:
    made = held(outbound)
    assert held_deliveries.hold(outbound.ledger, made)["state"] == "on_hold"
    with pytest.raises(ConfigurationError, match=f"connections deliveries send {made}"):
        outbound.deliver(made)
    assert outbound.names() == []


def test_people_are_told_what_waits_and_that_nothing_does_any_more(outbound: Outbound) -> None:
    def told(dag_run_id: str) -> list[Notice]:
        found = notices.notices_of(outbound.ledger, "acme-daily", dag_run_id)
        for notice in found:
            notices.record_told(outbound.ledger, notice, [])
        return found

    made: int = outbound.check(outbound.export(DAY, outbound.run("first"))["delivery_id"])["delivery_id"]
    held_deliveries.hold(outbound.ledger, made)
    [waits] = told("first")
    assert (waits.subject, waits.good) == ("Connection acme-daily: file on hold", False)
    assert f"Delivery {made}, performance_2026-06-10.csv: on_hold" in waits.lines
    run_id = held_deliveries.approve(outbound.ledger, made, "boss")
    send(outbound, made, run_id)
    assert run_id is not None
    assert [notice.good for notice in told(run_id)] == [True]


def test_it_is_sent_once_whoever_asks_how_often(outbound: Outbound) -> None:
    made = held(outbound)
    run_id = held_deliveries.approve(outbound.ledger, made, "boss")
    assert held_deliveries.approve(outbound.ledger, made, "boss") == run_id
    assert held_deliveries.hold(outbound.ledger, made)["state"] == "checked"
    assert send(outbound, made, run_id)["state"] == "delivered"
    assert held_deliveries.approve(outbound.ledger, made, "boss") is None
    assert outbound.names() == ["performance_2026-06-10.csv"]
    entries = outbound.ledger.all("select who, what, subject from activity where what like 'delivery.%'")
    assert entries == [{"who": "boss", "what": "delivery.approved", "subject": f"delivery {made}"}]


def test_one_that_failed_on_its_way_is_tried_by_another_run(outbound: Outbound) -> None:
    made = held(outbound)
    first = held_deliveries.approve(outbound.ledger, made, "boss")
    assert first is not None
    run = outbound.run(first)
    held_deliveries.take_up(outbound.ledger, run, made)
    fail_run(outbound.ledger, run.id, "The server was away.")
    assert outbound.state(made) == "failed"
    second = held_deliveries.approve(outbound.ledger, made, "boss")
    assert second != first
    assert send(outbound, made, second)["state"] == "delivered"


def test_a_refused_one_is_never_sent(outbound: Outbound) -> None:
    made = held(outbound)
    held_deliveries.refuse(outbound.ledger, made, "boss", "Too late.")
    held_deliveries.refuse(outbound.ledger, made, "boss")
    assert outbound.ledger.one("select state, message from delivery") == {
        "state": "failed",
        "message": "Refused by boss. Too late.",
    }
    with pytest.raises(ConfigurationError, match="does not wait for approval; it is failed"):
        held_deliveries.approve(outbound.ledger, made, "boss")


def test_a_later_version_of_the_day_takes_its_place(outbound: Outbound) -> None:
    first, second = held(outbound), held(outbound)
    assert (outbound.state(first), outbound.state(second)) == ("failed", "on_hold")


def test_what_never_waited_is_not_approved_nor_taken_up(outbound: Outbound) -> None:
    made = outbound.all_steps(DAY)["delivery_id"]
    with pytest.raises(ConfigurationError, match="does not wait for approval; it is delivered"):
        held_deliveries.approve(outbound.ledger, made, "boss")
    with pytest.raises(ConfigurationError, match="waits for approval"):
        held_deliveries.take_up(outbound.ledger, outbound.run(), held(outbound))
