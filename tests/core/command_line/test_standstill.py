from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_connections.ledger import Ledger
from fixtures.desk import Desk, table

ROWS = table("CampaignId,ActionTrackerId,EventDate,OrderId,Amount", "1000,2001,2026-02-20T10:00:00Z,A,1.00")


def test_everything_is_stopped_with_a_reason_and_goes_on(cli: Callable[..., Any], desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ROWS)
    assert cli("halt", "--json").json == {"halted": False, "changed": False}
    assert cli("halt", "--reason", " ").code == 2
    stopped = cli("halt", "--reason", "Wrong payouts", "--json").json
    assert (stopped["halted"], stopped["changed"], stopped["who"]) == (True, True, "ada")
    assert "Wrong payouts" in cli("halt").out

    refused = cli("submit", "orders", file, "--received-at", "2026-03-01T12:00:00Z")
    assert refused.code != 0
    assert "All applying and sending was stopped by ada" in refused.err
    assert cli("halt", "--end").err == "Applying and sending goes on.\n"
    assert cli("halt", "--end").err == "Nothing is stopped.\n"
    kept = desk.ledger.one("select id from submission")
    assert kept is not None
    assert cli("submissions", "finish", kept["id"], "--json").json["state"] == "applied"


def test_maintenance_is_planned_listed_and_ended(cli: Callable[..., Any], desk: Desk, ledger: Ledger) -> None:
    times = ("--from", "2026-01-01", "--to", "2999-01-01T02:00Z", "--reason", "New server")
    made = cli("maintenance", "add", "--connection", "orders", *times, "--json").json["id"]
    cli("maintenance", "add", "--host", "sftp.brand.test", *times)
    listed = cli("maintenance", "list", "--json").json
    assert [(each["connection"], each["host"]) for each in listed] == [("orders", None), (None, "sftp.brand.test")]
    assert "New server" in cli("maintenance", "list").out
    assert cli("maintenance", "add", *times).code == 2
    assert cli("maintenance", "end", made).err == "The maintenance of orders is over.\n"
    assert cli("maintenance", "end", made).code == 2
    assert len(cli("maintenance", "list", "--json").json) == 1
