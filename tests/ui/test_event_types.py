"""Event types: locking, reason codes, and returns processing that makes or changes the connection behind."""

from __future__ import annotations

import re
from typing import Any

import pytest

from data_connections.catalog import current
from data_connections.gateway.passwords import is_password
from data_connections.ledger import Ledger
from fixtures.catalog import INBOUND, OUTBOUND, apply_to

pytestmark = pytest.mark.airflow


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
        connection.execute("insert into event_type (id, program_id, code, name) values (11, 1, 'SALE', 'Sale')")
    apply_to(ledger, INBOUND, OUTBOUND)
    return ledger


def hidden(page: str, name: str) -> str:
    (value,) = re.findall(rf'name="{name}" value="([^"]+)"', page)
    return value


def test_locking_and_reason_codes_are_changed_and_wrong_ones_come_back(client, acme):
    admin = client("admin")
    form = {"after": "month_end", "months": "1", "days": "27"}
    codes = {"code": ["EXCHANGED", ""], "effect": ["modify"] * 2, "title": ["Exchanged", ""], "active": ["true"] * 2}
    form |= {"version": hidden(admin.get("event-types/11/edit").text, "version")}
    assert admin.post("event-types/11/edit", data={**form, **codes}).status_code == 303
    late = admin.post("event-types/11/edit", data={**form, "days": "28", **codes})
    assert late.status_code == 409
    assert "locking.days: 27 -&gt; 28" in late.text
    assert hidden(late.text, "version") != form["version"]
    page = client("viewer").get("event-types/11").text
    assert "1 month and 27 days after the month" in page
    assert "EXCHANGED" in page
    assert "/edit" not in page
    wrong = admin.post("event-types/11/edit", data={"after": "event", "months": "2", "days": "x", **codes})
    assert wrong.status_code == 422
    assert 'value="x"' in wrong.text
    assert client("user").post("event-types/11/edit", data=form).status_code == 403
    assert client("zenith-only").get("event-types/11").status_code == 404
    assert "Sale" not in client("zenith-only").get("event-types").text


def test_returns_processing_makes_the_connection_and_its_login_then_changes_it(client, acme):
    admin = client("admin")
    made = admin.post("event-types/11/returns", data={"way": "push", "file_pattern": "r_*.csv"})
    assert made.headers["location"].endswith("connections/acme-sale-returns/access?done=returns")
    spec = current(acme, "acme-sale-returns").spec
    assert (spec.data_type, spec.methodology, spec.details.folder) == ("action_modifications", "push", "/")
    assert "Files are put into our folder by SFTP" in client("viewer").get("event-types").text

    shown = admin.post("connections/acme-sale-returns/access", data={"login": "acme-returns"}).text
    password = re.search(r'aria-label="Password">([a-z0-9-]+)<', shown)[1]
    assert is_password(password, acme.one("select verifier from hosted_secret")["verifier"])
    assert password not in admin.get("connections/acme-sale-returns/access?login=acme-returns").text
    second = admin.post("connections/acme-sale-returns/access/rotate", data={"login": "acme-returns"}).text
    assert "stays valid until" in second
    assert admin.post("connections/acme-sale-returns/access/retire", data={"login": "acme-returns"}).status_code == 303
    assert client("viewer").post("connections/acme-sale-returns/access", data={}).status_code == 403
    assert admin.get("connections/acme-conversions/access").status_code == 409

    pull = {"way": "pull", "host": "ftp.acme.example", "folder": "/r", "credentials": "acme-sftp", "method": "sftp"}
    assert admin.post("event-types/11/returns", data=pull).status_code == 303
    stored = current(acme, "acme-sale-returns")
    assert (stored.number, stored.spec.details.host) == (2, "ftp.acme.example")
    assert "ftp.acme.example" in client("viewer").get("event-types/11").text
    wrong = admin.post("event-types/11/returns", data={**pull, "host": "ftp://x"})
    assert wrong.status_code == 422
    assert 'value="ftp://x"' in wrong.text


def test_returns_come_by_mail(client, acme):
    admin = client("admin")
    login = {"name": "acme-mailbox", "server": "imap", "login": "returns@acme.example", "password": "x"}
    assert admin.post("credentials/store", data=login).status_code == 303
    order = {"way": "mail", "host": "imap.acme.example", "credentials": "acme-mailbox", "file_pattern": "r_*.csv"}
    assert admin.post("event-types/11/returns", data=order).headers["location"].endswith("event-types/11?done=returns")
    spec = current(acme, "acme-sale-returns").spec
    assert (spec.method, spec.details.host, spec.details.folder) == ("email", "imap.acme.example", "INBOX")
    assert "returns@acme.example" in client("viewer").get("event-types/11").text
    page = admin.get("event-types/11/returns").text
    assert 'value="mail" checked' in page
    assert 'value="imap.acme.example"' in page
    assert admin.post("event-types/11/returns", data={"way": "push"}).status_code == 303
    assert current(acme, "acme-sale-returns").spec.methodology == "push"


def test_returns_are_mailed_to_an_address_at_the_gateway(client, acme, monkeypatch):
    monkeypatch.setenv("CONNECTIONS_GATEWAY_MAIL_DOMAIN", "in.ours.test")
    admin = client("admin")
    made = admin.post("event-types/11/returns", data={"way": "mail_push", "file_pattern": "r_*.csv"})
    assert made.headers["location"].endswith("connections/acme-sale-returns/access?done=returns")
    spec = current(acme, "acme-sale-returns").spec
    assert (spec.method, spec.methodology, spec.details.file_pattern) == ("email", "push", "r_*.csv")
    assert "@in.ours.test" in admin.post("connections/acme-sale-returns/access", data={}).text
    page = client("viewer").get("event-types/11").text
    assert "Files are mailed to our gateway" in page
    assert "Addresses to mail to" in page
    assert 'value="mail_push" checked' in admin.get("event-types/11/returns").text


def test_the_api_does_the_same(client, acme):
    api = client("admin")
    api.headers["accept"] = "application/json"
    change = {
        "locking": {"after": "event", "days": 45},
        "reason_codes": [{"code": "X", "effect": "reverse", "name": "x"}],
    }

    def put(path: str, **sent: object) -> Any:
        seen = {"if-match": api.get("api/v1/event-types/11").headers["etag"]}
        return api.put(f"api/v1/event-types/11{path}", headers=seen, **sent).json()

    first = {"if-match": api.get("api/v1/event-types/11").headers["etag"]}
    assert [each["action"] for each in put("", json=change)] == ["change", "create"]
    assert put("", json=change) == []
    assert api.put("api/v1/event-types/11", json=change).status_code == 428
    late = api.put("api/v1/event-types/11", json={"locking": {"after": "event", "days": 46}}, headers=first)
    assert (late.status_code, late.headers["content-type"]) == (409, "application/problem+json")
    assert {"field": "locking.days", "before": 45, "after": 46} in late.json()["changes"]
    assert put("/returns", json={"way": "mail_push"}) == {"connection": "acme-sale-returns"}
    assert put("/returns", json={"way": "push"}) == {"connection": "acme-sale-returns"}
    made = api.post("api/v1/connections/acme-sale-returns/logins", json={}).json()
    assert made["login"] == "acme-sale-returns"
    assert made["password"]
    assert api.delete("api/v1/connections/acme-sale-returns/logins/acme-sale-returns").status_code == 204
    assert put("/returns", json={"way": "none"}) == {"connection": None}
    assert api.get("api/v1/event-types/11").json()["returns_connection"] is None
