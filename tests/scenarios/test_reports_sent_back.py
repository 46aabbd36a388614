"""Our own report of items, edited and sent back as a file of modifications."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from data_connections.catalog import current
from data_connections.reports import Layout, Parameters, load_reports, write_checked
from data_connections.settings import PROJECT
from data_connections.spec import OutputFormat
from data_connections.steps.job import builtin_data_types
from data_connections.steps.sample import check_sample
from fixtures.desk import Desk, table

ORDERS = "CampaignId,ActionTrackerId,EventDate,OrderId,CurrencyCode,Amount,MediaPartnerId"
ODD = ["=A1", "'=A1", "''=A1", "+49", "-7", "@x", "'quoted", "plain"]


def report(desk: Desk) -> list[dict[str, str]]:
    target = io.BytesIO()
    layout = Layout.of(load_reports(PROJECT / "include")["action_items"], OutputFormat())
    write_checked(desk.ledger, layout, Parameters(date(2026, 2, 1), date(2026, 3, 31)), target)
    return list(csv.DictReader(io.StringIO(target.getvalue().decode(), newline="")))


def edited(desk: Desk, **changes: str) -> str:
    rows = [{**row, **changes} for row in report(desk)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def modify(desk: Desk, text: str, **settings: Any) -> dict[str, Any]:
    desk.connect("changes", data_type="action_modifications", limits={"hold_rows_for": "PT0S"}, **settings)
    return desk.submit(text, "changes.csv", "changes")


def opened(desk: Desk) -> Desk:
    rows = [f"1000,2001,2026-02-20T10:00:00Z,{order},EUR,10.00,1" for order in ODD]
    assert desk.submit(table(ORDERS, *rows))["accepted"] == len(ODD)
    return desk


def test_every_order_is_found_again_whatever_its_number_begins_with(desk: Desk) -> None:
    opened(desk)
    assert all(row["OrderId"][:1] not in "=+-@" for row in report(desk))
    done = modify(desk, edited(desk, ActionId="", Amount="8.00", Reason="OTHER"), format={"formula_guard": "undo"})

    assert (done["accepted"], done["rejected"], done["warned"]) == (len(ODD), 0, 0)
    assert sorted(desk.actions()) == sorted((order, 1, 8, "EUR") for order in ODD)
    [note] = done["file_warnings"]
    assert (note["code"], "State, Payout" in note["message"]) == ("READ_ONLY_COLUMNS", True)


def test_rejected_rows_keep_the_guard_so_that_the_corrected_file_finds_them(desk: Desk) -> None:
    opened(desk)
    done = modify(
        desk,
        edited(desk, ActionId="", Amount="x", Reason="OTHER"),
        format={"formula_guard": "undo", "delimiter": "comma"},
    )
    assert done["rejected"] == len(ODD)
    [rejects] = [content for name, content in desk.results(done).items() if name.endswith(".csv")]
    corrected = rejects.decode().replace(",x,", ",8.00,")
    spec = current(desk.ledger, "changes").spec
    checked = check_sample(desk.ledger, spec, io.BytesIO(corrected.encode()), "c.csv", builtin_data_types())
    assert checked.totals.accepted == len(ODD)
    again = modify(desk, corrected, format={"formula_guard": "undo"})

    assert again["accepted"] == len(ODD)
    assert {amount for _, _, amount, _ in desk.actions()} == {8}


def test_without_the_setting_the_apostrophe_is_part_of_the_order_and_said_to_be(desk: Desk) -> None:
    opened(desk)
    done = modify(desk, edited(desk, ActionId="", Amount="8.00", Reason="OTHER"))
    guarded = {line for line, codes in desk.codes(done).items() if "LOOKS_GUARDED" in codes}
    missed = {line for line, codes in desk.codes(done).items() if "ACTION_NOT_FOUND" in codes}

    assert len(guarded) == 6
    assert missed < guarded
    changed = {order for order, _, amount, _ in desk.actions() if amount == 8}
    assert changed == {"'=A1", "''=A1", "'quoted", "plain"}
