"""A connection that is being tried out: files are judged and answered, and nothing of them is applied."""

from __future__ import annotations

import json

from data_connections.steps.reconciliation import reconcile
from fixtures.desk import Desk
from fixtures.sender import Partner, orders_file


def test_a_file_is_answered_and_nothing_is_applied(partner: Partner) -> None:
    partner.desk.connect(status="testing", details={"result_folder": "/results", "after_read": "move"})
    partner.put("a.csv", "A,1.00", "B,oops")
    [submission] = partner.claim(partner.begin())
    done = partner.steps(submission)

    assert (done["state"], done["rows"], done["accepted"], done["rejected"]) == ("tested", 2, 1, 1)
    assert partner.desk.actions() == []
    assert len(partner.names("results")) == 3
    summary = json.loads((partner.server.files / "results" / "result_a.csv_summary.json").read_text())
    assert (summary["updates"]["status"], summary["updates"]["errorRowCount"]) == ("tested", 1)
    assert "nothing was applied" in summary["updates"]["summary"]
    assert partner.names("out/done") == ["a.csv"]
    assert reconcile(partner.desk.ledger).good


def test_what_the_ledger_has_counts_and_what_was_only_tested_does_not(desk: Desk) -> None:
    desk.submit(orders_file("A,1.00"))
    desk.connect(status="testing", limits={"hold_if": {"rows_over": 1}})
    content = orders_file("A,1.00", "B,2.00")
    assert (desk.submit(content)["duplicate"], desk.submit(content)["accepted"]) == (1, 1)
    desk.connect()
    done = desk.submit(content)
    assert (done["state"], done["accepted"], done["duplicate"]) == ("applied", 1, 1)
    assert [order for order, *_ in desk.actions()] == ["A", "B"]


def test_rows_that_would_be_held_are_counted_and_not_kept(desk: Desk) -> None:
    desk.connect("changes", data_type="action_modifications", details={"file_pattern": "*"}, status="testing")
    done = desk.submit("OrderId,ActionTrackerId,Amount,Reason\nX,2001,1.00,ORDER_UPDATE\n", "m.csv", "changes")
    assert (done["state"], done["held"]) == ("tested", 1)
    assert desk.ledger.one("select count(*) as rows from held_row") == {"rows": 0}
