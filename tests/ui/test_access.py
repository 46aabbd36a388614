"""The tab Access: addresses that partners mail to, and login details by mail."""

from __future__ import annotations

import re

import pytest

from data_connections.ledger import Ledger
from fixtures.catalog import apply_to
from fixtures.hosting import MAILED

pytestmark = pytest.mark.airflow


@pytest.fixture
def acme(ledger: Ledger) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
    apply_to(ledger, MAILED)
    return ledger


def test_an_address_is_made_shown_and_changed(client, acme, monkeypatch):
    monkeypatch.setenv("CONNECTIONS_GATEWAY_MAIL_DOMAIN", "in.ours.test")
    admin, page = client("admin"), "connections/acme-mailed/access"
    assert "There is no address to mail to yet" in admin.get(page).text
    made = admin.post(page, data={}).text
    (address,) = re.findall(r"[a-z0-9]{30}@in\.ours\.test", made)
    assert "The password is shown" not in made
    changed = admin.post(f"{page}/rotate", data={"login": "acme-mailed"}).text
    assert len(set(re.findall(r"[a-z0-9]{30}@in\.ours\.test", changed))) == 2
    assert address in admin.get(f"{page}?login=acme-mailed").text
    told = admin.post("api/v1/connections/acme-mailed/logins/acme-mailed/rotate").json()
    assert (len(told["confirmation"]["mail_addresses"]), told["password"]) == (3, None)


def test_login_details_are_mailed_only_to_an_address_and_only_where_there_is_a_page(client, acme, monkeypatch):
    admin, page = client("admin"), "connections/acme-mailed/access"
    admin.post(page, data={})
    for to, words in (("x@y.test, z@y.test", "not an e-mail address"), ("x@y.test", "CONNECTIONS_GATEWAY_HTTPS_PORT")):
        wrong = admin.post(f"{page}/mail", data={"login": "acme-mailed", "to": to})
        assert (wrong.status_code, words in wrong.text) == (422, True)
    assert admin.post(f"{page}/mail", data={"login": "nobody", "to": "x@y.test"}).status_code == 404
    assert acme.all("select from hosted_link") == []
