"""Pages that people do something on: sending a file, checking one, storing credentials, deciding, deleting."""

from __future__ import annotations

import re

import pytest

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to, changed

pytestmark = pytest.mark.airflow

GOOD = b"CampaignId,ActionTrackerId,EventDate,OrderId,ClickId,Amount,CurrencyCode\n1,11,NOW,A-1,c1,10.00,EUR\n"


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, INBOUND, OUTBOUND)
    with ledger.connect() as connection:
        connection.execute("update connection set managed_by = 'screen'")
    return ledger


def test_a_file_is_checked_then_sent_and_its_results_downloaded(client, acme):
    user = client("user")
    upload = {"file": ("../orders.csv", GOOD + b"1,11,NOW,A-2,c1,minus,EUR\n")}
    checked = user.post("connections/acme-conversions/send", data={"action": "check"}, files=upload)
    assert checked.status_code == 200, checked.text
    assert "NOT_DECIMAL" in checked.text
    assert "What would change in the ledger" in checked.text
    assert acme.one("select count(*) as n from submission")["n"] == 0

    sent = user.post("connections/acme-conversions/send", data={"action": "send"}, files=upload)
    assert sent.status_code == 303, sent.text
    number = acme.one("select id, state, file_name from submission")
    assert (number["state"], number["file_name"]) == ("partly_applied", "orders.csv")
    page = user.get(f"submissions/{number['id']}").text
    assert "Partly applied" in page
    assert "NOT_DECIMAL" in page
    rejects = user.get(f"submissions/{number['id']}/download/rejects")
    assert "A-2" in rejects.text
    assert rejects.headers["content-disposition"].startswith("attachment")
    assert user.get(f"submissions/{number['id']}/download/original").content.startswith(GOOD)
    assert "totalRowCount" in user.get(f"submissions/{number['id']}/download/summary").text
    preview = user.post(f"submissions/{number['id']}/replay-preview")
    assert preview.status_code == 200, preview.text
    assert "What would become of it now" in preview.text
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'files:tests'")
    apply_to(acme, {**INBOUND, "format": {"delimiter": "semicolon"}})
    today = user.post(f"submissions/{number['id']}/replay-preview").text
    then = user.post(f"submissions/{number['id']}/replay-preview", data={"original": "true"}).text
    assert (">Refused" in today, ">Refused" in then, "by the revision of then" in then) == (True, False, True)
    assert user.post(f"submissions/{number['id']}/replay", data={"original": "true"}).status_code == 303
    again = acme.one("select revision, state from submission order by id desc limit 1")
    assert again == {"revision": 1, "state": "partly_applied"}


def test_a_submission_on_hold_is_approved_by_one_who_may(client, acme):
    spec = {**INBOUND, "limits": {"hold_if": {"rows_over": 0}}}
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'files:tests'")
    apply_to(acme, spec)
    user = client("user")
    user.post("connections/acme-conversions/send", data={"action": "send"}, files={"file": ("o.csv", GOOD)})
    number = acme.one("select id, state from submission")
    assert number["state"] == "on_hold"
    assert client("viewer").post(f"submissions/{number['id']}/approve").status_code == 403
    assert user.post(f"submissions/{number['id']}/approve").status_code == 303
    assert acme.one("select state, approved_by from submission") == {"state": "applied", "approved_by": "user"}


def test_deleting_asks_first_and_can_be_undone(client, acme):
    admin = client("admin")
    assert "can take it back" in admin.get("connections/acme-performance/delete").text
    gone = admin.post("connections/acme-performance/delete")
    listed = admin.get(gone.headers["location"].removeprefix("/connections-app/"))
    assert "Undo" in listed.text
    assert "acme-performance</" not in listed.text.split("<table", 1)[1]
    assert admin.post("connections/acme-performance/restore").status_code == 303
    assert "acme-performance" in admin.get("").text
    assert [row["what"] for row in acme.all("select what from activity order by id desc limit 2")] == [
        "connection.restored",
        "connection.deleted",
    ]


def test_what_files_manage_is_not_deleted_here(client, acme):
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'files:connections'")
    answer = client("admin").post("connections/acme-performance/delete")
    assert answer.status_code == 422
    assert "--prune" in answer.text


def test_a_file_is_checked_against_a_data_type_alone(client, acme):
    answer = client("viewer").post("data-types/conversions/check", files={"file": ("a.csv", GOOD)})
    assert answer.status_code == 200, answer.text
    assert "What would become of a.csv" in answer.text
    refused = client("viewer").post("data-types/conversions/check", files={"file": ("a.csv", b"CampaignId\n1\n")})
    assert refused.status_code == 200, refused.text
    assert "The whole file would be refused" in refused.text
    assert client("viewer").get("data-types/conversions/templates/header.csv").text.startswith("CampaignId,")


def test_credentials_are_stored_and_never_shown(client, acme):
    op = client("op")
    stored = op.post("credentials/store", data={"name": "acme-sftp", "login": "us", "password": "geheim-9"})
    assert stored.status_code == 303, stored.text
    page = op.get("credentials").text
    assert "login us, password" in page
    assert "geheim-9" not in page + op.get("credentials/acme-sftp/edit").text
    key = op.post("credentials/store", data={"name": "acme-key", "login": "us", "kind": "new_key"})
    assert "ssh-ed25519 AAAA" in key.text
    assert "PRIVATE" not in key.text
    assert client("user").post("credentials/store", data={"name": "x", "login": "u"}).status_code == 403
    assert "needs a password" in op.post("credentials/store", data={"name": "empty", "login": "us"}).text


def test_health_says_what_needs_somebody(client, acme):
    with acme.connect() as connection:
        connection.execute("update connection set refusal = 'no such pool' where name = 'acme-performance'")
    page = client("viewer").get("health").text
    assert "no such pool" in page
    assert "Ledger" in page


def test_every_page_leads_to_a_guide(client, acme):
    for here in ("connections", "submissions", "states.md"):
        answer = client("viewer").get(f"help/{here}")
        assert answer.status_code == 200
        assert "<h1>" in answer.text


def test_the_calendar_shows_a_week_of_what_is_expected(client, acme):
    with acme.connect() as connection:
        connection.execute("update connection set managed_by = 'files:tests'")
    apply_to(acme, changed(INBOUND, expects=[{"by": "15:00", "on": ["monday", "tuesday", "wednesday"]}]))
    with acme.connect() as connection:
        connection.execute(
            """insert into expected_files (connection_id, rule, day, opens_at, due_at, closes_at, state, files,
                                           findings)
               select id, '1 file by 15:00', date '2026-03-02' + n, now(), timestamptz '2026-03-02 14:00Z' + n * '1 day'
                      ::interval, now(), (array['missed', 'met', 'met'])[n + 1], n,
                      case n when 2 then '["<b>far</b> from the median"]'::jsonb else '[]' end
               from connection, generate_series(0, 2) n where name = 'acme-conversions'"""
        )
    page = client("viewer").get("expected?week=2026-03-05").text
    assert "2 late, missed or not as usual from 2026-03-02 to 2026-03-08" in page
    assert re.findall(r'<span class="tag (\w+)">', page) == ["failed", "completed", "warning"]
    assert "&lt;b&gt;far&lt;/b&gt; from the median" in page
    overview = client("viewer").get("connections/acme-conversions").text
    assert "Next expected file" in overview
    assert re.search(r'expected\?connection=acme-conversions&amp;week=\d{4}-\d\d-\d\d">1 file by 15:00', overview)
    coming = client("viewer").get("expected?week=2099-06-01").text
    assert coming.count('<span class="tag expected">') == 3
    assert "acme-conversions" not in client("zenith-only").get("expected?week=2026-03-05").text
