"""Integrations: a preset's connections made together, working, with an entry in the menu and a dashboard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, apply_to

pytestmark = pytest.mark.airflow

NETWORK = {
    "title": "Other <b>Network",
    "prefix": "acme-network",
    "program": "acme",
    "host": "sftp.network.example",
    "credentials": "acme-sftp",
    "folder": "/out",
    "listing_folder": "/in",
    "their_action": "403221",
    "event_type": "11",
}
MAIL = {
    "title": "Mailings",
    "prefix": "acme-mail",
    "program": "acme",
    "host": "sftp.mail.example",
    "credentials": "acme-sftp",
    "metrics_folder": "/out",
    "segments_folder": "/in",
    "tracking_column": "Message ID",
    "delivered_event": "21",
    "opened_event": "22",
    "clicked_event": "23",
}


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, name) values (11, 1, 'Sale')")
    apply_to(ledger, INBOUND)
    return ledger


def send(user, connection: str, name: str, text: str) -> None:
    data = {"action": "send"}
    answer = user.post(f"connections/{connection}/send", data=data, files={"file": (name, text.encode())})
    assert answer.status_code == 303, answer.text


def test_a_network_is_integrated_and_its_action_becomes_our_event_type(client, acme):
    admin = client("admin")
    shown = admin.post("integrations/add/affiliate_network", data={**NETWORK, "go": "preview"})
    assert shown.text.count("<pre ") == 3
    assert acme.one("select count(*) as n from connection")["n"] == 1
    made = admin.post("integrations/add/affiliate_network", data={**NETWORK, "go": "add"})
    assert made.status_code == 303, made.text
    again = admin.post("integrations/add/affiliate_network", data={**NETWORK, "go": "add"})
    assert "Choose another beginning" in again.text

    day = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    header = "companyId,actionTrackerId,eventTime,orderId,amount,currency,discount,coupon,cjevent,customerStatus"
    rows = f"1,403221,{day},N-1,10.00,EUR,,,click-1,New\n1,999,{day},N-2,10.00,EUR,,,click-1,New\n"
    send(client("user"), "acme-network-orders", "orders_1.csv", f"{header}\n{rows}")
    assert acme.all("select order_id, program_id, event_type_id from action") == [
        {"order_id": "N-1", "program_id": 1, "event_type_id": 11}
    ]
    number = acme.one("select id from integration")["id"]
    dashboard = client("viewer").get(f"integrations/{number}").text
    assert "10.00 EUR" in dashboard
    assert "Other &lt;b&gt;Network" in dashboard
    assert f"integrations/{number}" in client("viewer").get("").text
    for path in ("", f"integrations/{number}", "integrations"):
        assert "Other" not in client("zenith-only").get(path).text
    assert client("user").post(f"integrations/{number}/remove").status_code == 403
    assert admin.post(f"integrations/{number}/remove").status_code == 303
    assert f"integrations/{number}" not in admin.get("").text
    assert acme.one("select count(*) as n from connection where deleted_at is null")["n"] == 4


def test_an_email_service_is_integrated_over_the_api_once_with_its_events(client, acme):
    api = client("admin")
    api.headers["accept"] = "application/json"
    assert {each["name"] for each in api.get("api/v1/presets").json()} == {"affiliate_network", "email_marketing"}
    path = "api/v1/presets/email_marketing"
    assert len(api.post(f"{path}/preview", json={"answers": MAIL}).json()) == 4
    for _ in range(2):
        made = api.post(f"{path}/integrations", json={"answers": MAIL}, headers={"Idempotency-Key": "m"})
        assert made.status_code == 201, made.text
    assert acme.one("select count(*) as n from integration")["n"] == 1
    day = f"{datetime.now(UTC):%m/%d/%Y}"
    send(api, "acme-mail-metrics", "m.txt", f"Date\tMessage ID\tDelivered\tOpens\tClicks\n{day}\tspring\t100\t40\t7\n")
    one = api.get(f"api/v1/integrations/{made.json()['id']}").json()
    moved = {line["name"]: line["moved"] for line in one["lines"]}
    assert moved["acme-mail-metrics"]["accepted"] == 1, acme.all("select code, message from outcome")
    kept = acme.one("select * from campaign_metric")
    assert "spring" in str(kept)
    assert "21" in str(kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"host": ""}, "Missing: SFTP server"), ({"host": "ftp://x"}, "host"), ({"program": "nope"}, "the program")],
)
def test_wrong_answers_come_back_filled_in_and_make_nothing(client, acme, change, words):
    answer = client("admin").post("integrations/add/affiliate_network", data={**NETWORK, **change, "go": "add"})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="403221"' in answer.text
    assert acme.one("select count(*) as n from connection")["n"] == 1
    assert client("viewer").get("integrations/add/affiliate_network").status_code == 403
