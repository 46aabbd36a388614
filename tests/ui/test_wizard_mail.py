"""Connections by e-mail and with PGP, made in the wizard and tried at real mail servers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from data_connections.catalog import current
from data_connections.formats.openpgp.keyring import Keyring, describe, generate
from data_connections.ledger import Ledger
from fixtures.mail_servers import DOMAIN, PASSWORD, Mailbox
from fixtures.wizard_walk import sent_on, walk
from hooks.pgp import keyring

pytestmark = pytest.mark.airflow


@pytest.fixture
def acme(ledger: Ledger, airflow_ledger: None) -> Ledger:
    with ledger.connect() as connection:
        connection.execute("insert into program (id, key, name, currency) values (1, 'acme', 'Acme', 'EUR')")
    return ledger


def walked(admin: Any, *steps: dict[str, str]) -> Any:
    """The page after so many steps of the wizard."""
    page = admin.get("create")
    for answers in steps:
        # What belongs to a choice is asked for once the choice is made.
        page = walk(admin, page.text, go="stay", **answers)
        page = walk(admin, page.text, **answers)
        assert page.status_code == 200, page.text
    return page


def test_reports_are_mailed_by_a_server_that_the_wizard_stored(client, acme: Ledger, mailbox: Mailbox) -> None:
    servers, admin = mailbox.servers, client("admin")
    page = walked(
        admin,
        {"name": "acme-mailed-report", "program": "acme", "direction": "outbound"},
        {"data_type": "performance_by_day"},
        {"method": "email", "details.to": mailbox.address, "details.file_name": "r_{business_date:%Y-%m-%d}.csv"},
        {
            "new_name": "acme-smtp",
            "new_host": "127.0.0.1",
            "new_port": str(servers.smtp_port),
            "new_tls": "none",
            "new_sender": f"connections@{DOMAIN}",
        },
    )
    tried = walk(admin, page.text, go="test")
    assert "Works" in tried.text, tried.text
    assert f"takes mails from connections@{DOMAIN}" in tried.text
    assert "done=created" in walk(admin, tried.text, go="save").headers["location"]
    spec = current(acme, "acme-mailed-report").spec
    assert (spec.credentials, spec.details.to) == ("acme-smtp", (mailbox.address,))


def test_a_mailbox_with_encrypted_files_is_looked_into(client, acme: Ledger, mailbox: Mailbox) -> None:
    servers, admin = mailbox.servers, client("admin")
    stored = admin.post("credentials/store", data={"name": "acme-pgp", "server": "pgp", "kind": "new_key"})
    assert "BEGIN PGP PUBLIC KEY BLOCK" in stored.text
    partners = describe(generate("partner"), "partner", None).public
    assert admin.post("credentials/store", data={"name": "acme-pgp", "server": "pgp", "pgp_keys": partners}).is_redirect
    assert [key.whose for key in Keyring.keys(keyring("acme-pgp"))] == ["ours", "partner"]
    page = walked(
        admin,
        {"name": "acme-mailed", "program": "acme", "direction": "inbound"},
        {"data_type": "conversions"},
        {
            "method": "email",
            "details.host": "127.0.0.1",
            "details.port": str(servers.imaps_port),
            "details.file_pattern": "*.csv",
        },
        {
            "new_name": "acme-read-mailbox",
            "new_login": mailbox.address,
            "new_password": PASSWORD,
            "details.certificate": servers.tls.fingerprint,
            "pgp.credentials": "acme-pgp",
            "pgp.signed": "true",
        },
    )
    assert sent_on(page.text)["pgp.credentials"] == "acme-pgp"
    tried = walk(admin, page.text, go="test")
    assert "1 valid of ours and 1 valid of the partner" in tried.text, tried.text
    assert "lets us in" in tried.text
    assert 'class="tag failed"' not in re.sub("Sample.*", "", tried.text, flags=re.S)
    assert walk(admin, tried.text, go="save").is_redirect
    assert current(acme, "acme-mailed").spec.pgp.signed
